/* SPDX-License-Identifier: MIT */
/*
 * The control ring at the PV door of a network device: what a client asks for beside
 * packets, one request at a time. What it means for the hash is netif-control.h's;
 * pages to be kept mapped are net-pv-static.h's.
 *
 * There is one if the policy leaves room for it: of RingPages one more than the queues
 * have, and of DataPages one more than they need. A front end that has none is served
 * as if it could not be.
 *
 * Invariants:
 *  1. one request at most is taken and not answered, and answers come in ring order: so
 *     each slot of the shared ring from rsp_prod on holds its request, and a successor
 *     takes it once more;
 *  2. a request pays one operation before it is done, and each page that it has mapped
 *     or unmapped pays one;
 *  3. a turn does one request, or NET_PV_STEPS pages of one: a flood of requests delays
 *     no queue by more;
 *  4. what a request brings in a page of the client's is copied once, into memory that
 *     no client can write to; a copy that is refused is INVALID_PARAMETER;
 *  5. of a list to be mapped all of it is, or none; of one to be unmapped the list says
 *     of each.
 *
 * A successor of a process that died has no hash and keeps no page mapped: frames are
 * spread as if no hash had been asked for, without that extra, and each reference works
 * by a copy. The client is not told; what it asks for from then on holds. So a list to
 * be unmapped comes back as what was not mapped.
 *
 * Sources: xen/io/netif.h.
 */
#ifndef XDD_NET_PV_CONTROL_H
#define XDD_NET_PV_CONTROL_H

#include "backends/door/pv-ring.h"
#include "backends/net/net-link.h"
#include "backends/net/netif-control.h"
#include "grant-mem/grants.h"

#define NET_PV_STEPS 32

struct net_pv;

/* What one may become is control_moves' in net-pv-control.c. */
enum net_pv_control_state {
	NET_PV_CONTROL_IDLE,
	NET_PV_CONTROL_TAKEN, /* and has not paid */
	NET_PV_CONTROL_ADDING,
	NET_PV_CONTROL_UNDOING, /* the adding, which failed */
	NET_PV_CONTROL_REMOVING,
	NET_PV_CONTROL_STATES,
};

struct net_pv_control {
	uint8_t *page; /* of the copy area; NULL: it is not offered */
	bool open;
	struct grants_map map;
	struct evport port;
	struct pv_ring ring;
	struct netif_hash hash;

	enum net_pv_control_state state;
	struct netif_control request; /* but for IDLE */
	/* ADDING, UNDOING, REMOVING: the client's list; how far it is done. */
	struct netif_gref list[NETIF_GREFS_MAX];
	uint32_t n, at, unmapped;
	uint32_t paid; /* operations */
};

/* Map, bind and look, if the front end has one. Its queues are open. 0; positive: the
 * client's doing, logged; or a negative errno. All or nothing. */
int net_pv_control_open(struct net_pv *pv, bool attach);
/* Unmap and unbind, if it is open. 0 or a negative errno. */
int net_pv_control_close(struct net_pv *pv);
/* Its turn. 0 or a negative errno. */
int net_pv_control_serve(struct net_pv *pv);
/* As net_pv_arm() and net_pv_pending(). */
bool net_pv_control_arm(struct net_pv *pv);
bool net_pv_control_pending(const struct net_pv *pv);
/* As net_client.steer, of the struct netif_hash. */
unsigned net_pv_control_steer(void *hash, const struct net_frame *frame, unsigned queue,
			      struct net_hash *out);

#endif
