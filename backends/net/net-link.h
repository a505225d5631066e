/* SPDX-License-Identifier: MIT */
/*
 * What a client's network device is plugged into: a tap of the driver domain, another
 * instance's device (named), another link of this process (pair), or nothing (null).
 *
 * All of it is opened before the process is sealed; what fails then fails with a
 * negative errno and nothing is left open. Afterwards a link only moves frames: it
 * judges none, and looks into none.
 *
 * Invariants:
 *  1. a frame belongs to the link from net_link_send() until its sent(), which is told
 *     once, in the order of sending within its queue, possibly from within
 *     net_link_send(). Its bytes are not written to;
 *  2. a buffer belongs to the link from the room() that gave it until its heard() or
 *     unused(), one of them, once;
 *  3. a frame that does not fit into a buffer, or whose offloads contradict themselves,
 *     is dropped here and counted, never cut short;
 *  4. a link asks for no more room after room() gave none, until net_link_more();
 *  5. nothing allocates after opening.
 *
 * Offloads that a frame brings along are as the host says them. The host is trusted;
 * what another client made of them was checked by its own back end. A named link's
 * other end is not trusted: what it says is checked as if a client had said it.
 *
 * Source: linux/if_tun.h, linux/virtio_net.h.
 */
#ifndef XDD_NET_LINK_H
#define XDD_NET_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "backends/net/net-frame.h"
#include "backends/net/net-vnet.h"
#include "common/loop.h"

#define NET_LINK_QUEUES 16
#define NET_LINK_BATCH	64 /* reads of one queue that are out at once */

/* What of a frame to us may be left undone. Bits. */
enum net_link_offloads {
	NET_LINK_CSUM = 1, /* the others need it */
	NET_LINK_TSO4 = 2,
	NET_LINK_TSO6 = 4,
	NET_LINK_USO = 8, /* UDP's, of both versions */
};
#define NET_LINK_ALL (NET_LINK_CSUM | NET_LINK_TSO4 | NET_LINK_TSO6 | NET_LINK_USO)

/* What of them a frame makes use of. */
static inline unsigned net_link_undone(const struct net_offload *offload)
{
	static const unsigned gso[] = {
		[NET_GSO_TCPV4] = NET_LINK_TSO4,
		[NET_GSO_TCPV6] = NET_LINK_TSO6,
		[NET_GSO_UDP] = NET_LINK_USO,
	};

	return gso[offload->gso] | (offload->sum ? NET_LINK_CSUM : 0);
}

struct net_link;

/* A frame on its way out. All but the last three members are set by who sends. */
struct net_out {
	const uint8_t *bytes;
	uint32_t size;
	struct net_offload offload; /* checked */
	unsigned queue;
	/* The link's own: */
	struct loop_op op;
	struct net_vnet_header header;
	struct iovec iov[2];
};

/* Room for one frame on its way in. */
struct net_in {
	uint8_t *bytes;
	uint32_t room; /* bytes */
	unsigned queue;
	/* heard(): */
	uint32_t size; /* at least NET_HEADER */
	struct net_offload offload;
	bool validated; /* the sum is right, or was never on a wire */
	/* Of who picked the client's queue for it (net_client.steer): */
	struct net_hash {
		bool is_there;
		uint8_t type; /* his own */
		uint32_t value;
	} hash;
	/* The link's own: */
	struct loop_op op;
	struct net_vnet_header header;
	struct iovec iov[3];
};

/* What a link tells its user: from the loop's callbacks, or from within a call. */
struct net_link_user {
	/* 0: it left; or a negative errno: it is lost. */
	void (*sent)(struct net_link *link, struct net_out *out, int res);
	/* NULL: there is none now. */
	struct net_in *(*room)(struct net_link *link, unsigned queue);
	void (*heard)(struct net_link *link, struct net_in *in);
	void (*unused)(struct net_link *link, struct net_in *in);
	/* It cannot go on (-ENODEV, -EBADFD: the interface is gone). The process ends,
	 * and nothing more is told. */
	void (*failed)(struct net_link *link, int err);
};

struct net_link_ops {
	void (*send)(struct net_link *link, struct net_out *out);
	void (*more)(struct net_link *link, unsigned queue);
	int (*offloads)(struct net_link *link, unsigned offloads);
	int (*carrier)(struct net_link *link, bool on);
	void (*close)(struct net_link *link);
};

struct net_link_stats {
	uint64_t sent, sent_bytes;	   /* frames that left, as they were given */
	uint64_t received, received_bytes; /* that were heard */
	uint64_t lost;			   /* could not leave */
	uint64_t unfit;			   /* to us (invariant 3) */
};

struct net_link {
	const struct net_link_ops *ops;
	const struct net_link_user *user; /* set by who opened it */
	void *owner;
	unsigned queues;   /* that it has */
	unsigned offloads; /* that it can leave undone: bits */
	struct net_link_stats stats;
};

struct net_link_conf {
	unsigned queues; /* that are wanted; it may have fewer */
	struct loop *loop;
};

/* -- A tap (net-link-tap.c) ------------------------------------------------------- */

/* The persistent tap @name, which must be there and be this user's. It has one queue if
 * it was not made for more; its queues are files of the loop, LOOP_FILE_QUEUE and on.
 */
int net_link_tap_open(struct net_link **out, const char *name,
		      const struct net_link_conf *conf);

/* -- Another instance (net-link-named.c) --------------------------------------------
 */

#define NET_LINK_NAMED_DIR   "/run/xdd-link/" /* and its name */
#define NET_LINK_NAMED_BYTES 2105344	      /* of `memory` there */

/* One end of the two that the folder @dir has: `memory`, and the FIFOs `wake0` and
 * `wake1`. One queue; its files in the loop are LOOP_FILE_QUEUE and the next. Once it
 * was closed the loop is not turned again. -ENOENT: they are not there; -ERANGE: they
 * are not what they should be; -EBUSY: both ends are somebody's. */
int net_link_named_open(struct net_link **out, const char *dir,
			const struct net_link_conf *conf);

/* -- None (net-link-null.c), each other (net-link-pair.c) -------------------------- */

/* What is sent leaves, and nothing comes. */
int net_link_null_open(struct net_link **out, const struct net_link_conf *conf);
/* Two of one process, for tests: what one sends the other hears, of queue N on its
 * queue N, from within net_link_send(). Of a frame that finds no room there sent()
 * tells -ENOBUFS. @one's close() closes both. */
int net_link_pair_open(struct net_link **one, struct net_link **other, unsigned queues);

/* -- All -------------------------------------------------------------------------- */

/* By the policy's Resource: an interface's name, "link:" and a name, or "null:". One a
 * process. It has no carrier then, and leaves nothing undone; a tap's frames of before
 * wait still, as many as its txqueuelen lets. -ENODEV: there is no such interface;
 * -ENOENT: no /dev/net/tun, or nothing of that named link; -EPERM: it is another
 * user's, or no tap; -EBUSY: somebody has it open, or both of its ends; -ERANGE: what
 * is there is no link; -EINVAL: no such name. */
int net_link_open(struct net_link **out, const char *resource,
		  const struct net_link_conf *conf);
static inline void net_link_close(struct net_link *link)
{
	link->ops->close(link);
}

static inline void net_link_send(struct net_link *link, struct net_out *out)
{
	link->ops->send(link, out);
}

/* There is room again, or for the first time: of this queue go on. */
static inline void net_link_more(struct net_link *link, unsigned queue)
{
	link->ops->more(link, queue);
}

/* From now on frames to us leave at most @offloads undone; what is on its way may leave
 * more. 0 or a negative errno. */
static inline int net_link_offloads(struct net_link *link, unsigned offloads)
{
	return link->ops->offloads(link, offloads);
}

/* Somebody is there, or nobody: then no more come, and what waits is still to be heard
 * (of a named link it is dropped). 0 or a negative errno. */
static inline int net_link_carrier(struct net_link *link, bool on)
{
	return link->ops->carrier(link, on);
}

#endif
