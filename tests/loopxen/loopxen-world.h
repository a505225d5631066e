/* SPDX-License-Identifier: MIT */
/* The insides of loopxen, shared by its files alone. */
#ifndef XDD_LOOPXEN_WORLD_H
#define XDD_LOOPXEN_WORLD_H

#include "policy/class.h"
#include "policy/decide.h"
#include "tests/loopxen/loopxen.h"

#define WORLD_NODES   512
#define WORLD_PATH    160
#define WORLD_VALUE   4096
#define WORLD_WATCHES 32
#define WORLD_QUEUE   64 /* writes of a back end that are not sent yet */

struct world_grant {
	bool used, read_only;
	struct domid to;
	uint32_t page;
	uint32_t maps;
};

enum world_port_state { PORT_FREE, PORT_UNBOUND, PORT_BOUND };

struct world_port {
	enum world_port_state state;
	struct domid remote;
	uint32_t remote_port;
	bool pending, masked;
};

struct world_domain {
	bool exists, alive;
	struct domid id;
	int pages_fd;
	uint8_t *pages;
	uint32_t npages;
	uint32_t next_ref;
	struct world_grant grant[LOOPXEN_REFS];
	struct world_port port[LOOPXEN_PORTS];
};

struct world_node {
	bool used;
	char path[WORLD_PATH];
	char value[WORLD_VALUE + 1];
	size_t path_len, len;
};

struct world_watch {
	bool used, fired;
	char path[WORLD_PATH];
};

struct world_fault {
	bool set;
	unsigned n;
	int result;
};

/* A registration: what gntdev would hold for an index. */
struct world_map {
	bool used, mmapped, writable;
	enum policy_purpose purpose;
	struct domid dom;
	uint32_t n;
	struct gref refs[GRANTS_BATCH_MAX];
	uint8_t *addr;
};

struct world_back {
	struct loopxen_back seam; /* first */
	struct loopxen *x;
	const struct policy *policy;
	const struct class_info *class;
	const struct loopxen_device *dev;
	struct policy_usage usage;
	struct {
		bool used;
		char key[GRANTS_KEY_MAX + 1];
		uint32_t port; /* ours */
	} bound[LOOPXEN_PORTS];
	int copy_fd;
	struct store_status last;
	bool polled, release, was_present;
	uint32_t generation;
	struct world_back *next;
	uint32_t maps; /* as many as the policy has room for */
	uint32_t high; /* of these, as many were ever used */
	struct world_map map[];
};

struct loopxen {
	uint64_t now;
	struct world_domain domain[LOOPXEN_DOMAINS];
	struct world_node node[WORLD_NODES];
	unsigned nodes; /* of these, as many were ever used */
	struct world_watch watch[WORLD_WATCHES];
	struct world_fault fault[LOOPXEN_VERBS];
	uint64_t calls[LOOPXEN_VERBS];
	struct world_back *backs;
	unsigned leaks;
};

/* Says what our side did wrong, and aborts. */
_Noreturn void world_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void world_leak(struct loopxen *x, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
struct world_domain *world_domain(struct loopxen *x, struct domid dom);
/* Counts the call; true and *@result set if it is to fail. */
bool world_fails(struct loopxen *x, enum loopxen_verb verb, int *result);
/* Value of a key of the front directory as a number, as a keeper reads it:
 * 1, 0: absent or no number. */
bool world_front_number(struct world_back *back, const char *key, uint64_t max,
			uint64_t *out);
/* The same for a run of references, "FIRST+COUNT". */
bool world_front_run(struct world_back *back, const char *key, uint64_t *first,
		     uint64_t *n);

extern const struct grants_ops world_grants_ops;
extern const struct evtchn_ops world_evtchn_ops;
extern const struct store_ops world_store_ops;

/* Give back all that @back holds; @leak: each thing counts as one. */
void world_drop_maps(struct world_back *back, bool leak);
void world_drop_ports(struct world_back *back, bool leak);
void world_close_port(struct loopxen *x, struct world_domain *d, uint32_t port);

#endif
