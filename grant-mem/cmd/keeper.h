/* SPDX-License-Identifier: MIT */
/*
 * One keeper, put together: policy, maps, audit, xenstore, and one back end.
 *
 * keeper.c is the process and its loop; keeper-policy.c reads the policy;
 * keeper-device.c finds the device in xenstore; keeper-peer.c holds the
 * connection to the back end and keeper-calls.c answers it. All state is in struct
 * keeper, nothing is allocated after the start, and k->now is read once a turn.
 * All but keeper.c and keeper-systemd.c is a library: with Isolation = domain it
 * decides inside the back end (backends/host-domain.h).
 *
 * Invariants:
 *  1. what the back end may do follows from k->policy and k->device alone,
 *     never from what it says of itself;
 *  2. a back end is either connected and alive, or killed and waited for:
 *     what it held is given back when its pidfd says that it is dead;
 *  3. no line is logged, and no time spent, without bound, whatever the back
 *     end, the client or xenstored do.
 */
#ifndef XDD_KEEPER_H
#define XDD_KEEPER_H

#include "common/log.h"
#include "grant-mem/audit.h"
#include "grant-mem/cmd/keeper-device.h"
#include "grant-mem/cmd/keeper-peer.h"
#include "grant-mem/maps.h"
#include "policy/class.h"
#include "xenbus/xs.h"

struct keeper {
	const char *name;
	const char *policy_dir, *ledger_dir;
	enum policy_isolation isolation; /* what this program is for */

	struct policy policy;
	const struct class_info *class;
	uint32_t device_id;
	int policy_fd; /* the text, write-sealed */
	uint64_t policy_bytes;
	uint8_t digest[32];

	uint64_t now;
	struct log log;
	struct audit audit;
	struct registrar registrar;
	struct maps maps;
	struct domid shared; /* whose ledger maps.ledger is */
	struct xs xs;
	int xenbus;	    /* or -1 */
	uint64_t xenbus_at; /* when to try again */
	struct device device;
	struct peer peer;
};

/* Of the memory files that a back end gets. */
#define KEEPER_SEALS (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

#define keeper_of(at, member)                                                          \
	((struct keeper *)((char *)(at)-offsetof(struct keeper, member)))

/* When to try again: @ns from now or up to as much again. Keepers that were refused
 * together do not come back together; their clocks differ by some microseconds, so
 * those are what the spread must come from. */
static inline uint64_t keeper_later(const struct keeper *k, uint64_t ns)
{
	return k->now + ns + k->now * 0x9e3779b97f4a7c15ULL % ns;
}

/* keeper-core.c. One line for people and one for the audit log. A warning is what a
 * peer can provoke: both are limited then. The text must need no JSON escape. */
void keeper_event(struct keeper *k, enum log_level level, const char *event,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Everything the back end maps has to go, because of @why; with @channels the
 * event channels too. */
void keeper_revoke(struct keeper *k, const char *why, bool channels);
/* Before something is mapped: share the client's ledger, if the policy is
 * exclusive. False: there is none to share. */
bool keeper_share(struct keeper *k);
/* Ready for a back end and for xenstore, but for the policy. */
void keeper_init(struct keeper *k, uint64_t release_ns);
/* Whatever is due without a descriptor being ready. Returns when again. */
uint64_t keeper_turn(struct keeper *k);

/* keeper-systemd.c, and without a keeper's process backends/host-domain.c. */
/* A line for systemctl status. */
void keeper_status(struct keeper *k);
/* Hand @fd to systemd's store as @name-@number, or (fd < 0) take it out. */
void keeper_store(const char *name, unsigned number, int fd);
/* In a keeper alone: where systemd gave it the journal, events have fields there,
 * MESSAGE_ID (the first half of the SHA-256 of the event's word, for xdd.catalog),
 * XDD_EVENT and XDD_DOMID. XDD_INSTANCE is the unit's. */
void keeper_journal(struct keeper *k);

/* keeper-xenbus.c. Reads and writes what k->xenbus takes; connects anew when that
 * is due. The events to poll it for. */
short keeper_xenbus(struct keeper *k);

/* keeper-policy.c. 0; or what is wrong was logged and nothing changed. */
int keeper_policy_load(struct keeper *k, bool reload);

#endif
