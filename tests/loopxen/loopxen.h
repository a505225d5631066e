/* SPDX-License-Identifier: MIT */
/*
 * A Xen of our own, in one process: domains with pages, grant tables, event
 * channels and a store, behind the same seam that the back ends use.
 *
 * Stricter than Xen, never laxer. What our side must not do aborts with a
 * line that says what; what a peer may do is answered as Xen would. So:
 *  1. a domain's pages are a memory file; what a back end maps is another
 *     mapping of it: gone when unmapped, read-only when mapped so;
 *  2. a registration can be mmapped once, as gntdev's;
 *  3. a grant cannot be revoked while it is mapped;
 *  4. a delivered port stays masked until it is unmasked, events coalesce;
 *  5. policy is asked with the product's own code, and charged;
 *  6. any call of any verb can be made to fail;
 *  7. time is what the test says, and loopxen_free() reports what leaked.
 */
#ifndef XDD_LOOPXEN_H
#define XDD_LOOPXEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grant-mem/grants.h"
#include "policy/policy.h"
#include "xenbus/evtchn.h"
#include "xenbus/store.h"

#define LOOPXEN_DOMAINS 4
#define LOOPXEN_PAGES	8192 /* of a domain */
#define LOOPXEN_REFS	8192 /* of a domain's grant table; 0 to 7 reserved */
#define LOOPXEN_PORTS	64   /* of a domain */

struct loopxen;

struct loopxen *loopxen_new(void);
/* Frees the world; returns how many things a back end had not given back, and
 * writes a line to standard error for each. */
unsigned loopxen_free(struct loopxen *x);

uint64_t loopxen_now(const struct loopxen *x);
void loopxen_advance(struct loopxen *x, uint64_t ns);

/* -- Domains, pages, grants: as their owner sees them ---------------------- */

/* Domain 0, the toolstack, exists from the start. */
void loopxen_domain(struct loopxen *x, struct domid dom);
/* Its grants and ports are gone; pages that others map stay until unmapped. */
void loopxen_destroy(struct loopxen *x, struct domid dom);

/* A zeroed page, as the owner maps it; never freed before the domain. */
uint8_t *loopxen_page(struct loopxen *x, struct domid dom);
/* Grant @page to @to. */
struct gref loopxen_grant(struct loopxen *x, struct domid dom, const uint8_t *page,
			  struct domid to, bool read_only);
/* As loopxen_grant() of a reference of the caller's choice. */
void loopxen_grant_as(struct loopxen *x, struct domid dom, struct gref ref,
		      const uint8_t *page, struct domid to, bool read_only);
/* False, and nothing done, while somebody maps it. */
bool loopxen_revoke(struct loopxen *x, struct domid dom, struct gref ref);
/* Mappings of @ref that live. */
unsigned loopxen_mapped(const struct loopxen *x, struct domid dom, struct gref ref);

/* -- Event channels -------------------------------------------------------- */

/* A port of @dom that @remote may bind to. */
struct evport loopxen_port(struct loopxen *x, struct domid dom, struct domid remote);
void loopxen_close(struct loopxen *x, struct domid dom, struct evport port);
void loopxen_notify(struct loopxen *x, struct domid dom, struct evport port);
/* True if @port of @dom fired since the last call. */
bool loopxen_fired(struct loopxen *x, struct domid dom, struct evport port);

/* -- The store -------------------------------------------------------------- */

/* @as may write below its own directories, domain 0 everywhere. False: no. */
bool loopxen_write(struct loopxen *x, struct domid as, const char *path,
		   const char *value);
/* @len bytes, which may hold a NUL. */
bool loopxen_write_bytes(struct loopxen *x, struct domid as, const char *path,
			 const char *value, size_t len);
bool loopxen_rm(struct loopxen *x, struct domid as, const char *path);
/* NULL: absent, or not readable by @as. Valid until the next write. */
const char *loopxen_read(struct loopxen *x, struct domid as, const char *path);
/* True once after anything at or below @path changed since the last call. */
bool loopxen_watch(struct loopxen *x, const char *path);

/* A device: @back serves @device of @kind ("vbd") to @front. */
struct loopxen_device {
	struct domid back, front;
	const char *kind;
	uint32_t device;
};

/* As libxl does: both directories, states Initialising, online = 1. */
void loopxen_attach(struct loopxen *x, const struct loopxen_device *dev,
		    const char *mode, const char *tag);
void loopxen_detach(struct loopxen *x, const struct loopxen_device *dev);
/* The path of @key in the front or the back directory. */
const char *loopxen_path(const struct loopxen_device *dev, enum store_side side,
			 const char *key, char *out, size_t size);

/* -- A back-end process ------------------------------------------------------ */

struct loopxen_back {
	struct grants grants;
	struct evtchn evtchn;
	struct store store;
};

/* The seam of an instance with @policy that serves @dev. Both outlive it. */
struct loopxen_back *loopxen_back_new(struct loopxen *x, const struct policy *policy,
				      const struct loopxen_device *dev);
/* A planned end: what it still holds counts as leaked. */
void loopxen_back_free(struct loopxen_back *back);
/* kill -9: all it held is gone, silently. */
void loopxen_back_kill(struct loopxen_back *back);
/* Make @status.release true. */
void loopxen_back_release(struct loopxen_back *back);
/* The client's own address of what @back has mapped at @p, or NULL. */
uint8_t *loopxen_back_client_view(const struct loopxen_back *back,
				  const volatile void *p);
/* Pages charged to it now. */
uint32_t loopxen_back_pages(const struct loopxen_back *back);
/* The same, with its rings' pages and its ports. */
uint32_t loopxen_back_holds(const struct loopxen_back *back);

/* -- Faults ----------------------------------------------------------------- */

enum loopxen_verb {
	LOOPXEN_MAP,
	LOOPXEN_MAP_RING,
	LOOPXEN_UNMAP,
	LOOPXEN_COPY,
	LOOPXEN_COPY_SEG, /* one segment of a copy: its status */
	LOOPXEN_BIND,
	LOOPXEN_UNBIND,
	LOOPXEN_NOTIFY,
	LOOPXEN_UNMASK,
	LOOPXEN_PENDING,
	LOOPXEN_READ,
	LOOPXEN_WRITE,
	LOOPXEN_REMOVE,
	LOOPXEN_POLL,
	LOOPXEN_MAP_POOL,
	LOOPXEN_VERBS,
};

/* The @n-th call of @verb from now on (0: the next) returns @result and does
 * nothing else (an unmap still unmaps). Once; one fault a verb. */
void loopxen_fail(struct loopxen *x, enum loopxen_verb verb, unsigned n, int result);
/* True if a fault that was asked for did not happen yet; forgets it. */
bool loopxen_fail_left(struct loopxen *x, enum loopxen_verb verb);
/* Calls of @verb since the start. */
uint64_t loopxen_calls(const struct loopxen *x, enum loopxen_verb verb);

#endif
