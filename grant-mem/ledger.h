/* SPDX-License-Identifier: MIT */
/*
 * Exclusive references: which instance of this domain holds which references
 * of one client, kept by the kernel as locks, by no daemon.
 *
 * One file a client domain, DIR/domN, reachable by the instances of that
 * client alone; byte R of it stands for reference R; a reference is held by an
 * open-file-description write lock on its byte. Nothing is ever written.
 *
 * Invariants:
 *  1. the locks belong to the open file, not to the process: a copy of the
 *     descriptor in systemd's store keeps them when the keeper dies;
 *  2. locking what this instance already holds changes nothing; so the caller
 *     unlocks a reference only when none of its registrations has it;
 *  3. the same page granted under two references is not seen.
 */
#ifndef XDD_LEDGER_H
#define XDD_LEDGER_H

#include <stdint.h>

#include "policy/ids.h"

/* A descriptor of @client's ledger under @dir, made if there is none yet. */
int ledger_open(const char *dir, struct domid client);
/* 0, or -EAGAIN if another instance holds one of them, or another errno. On
 * failure some may be locked: the caller unlocks what it does not hold. */
int ledger_lock(int fd, const struct gref *refs, uint32_t n);
void ledger_unlock(int fd, const struct gref *refs, uint32_t n);
void ledger_unlock_all(int fd);

#endif
