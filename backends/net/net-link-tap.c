/* SPDX-License-Identifier: MIT */
/*
 * A persistent tap of this domain. Whoever made it (systemd-networkd, with User=) let
 * this user open it; no capability is needed for that, and none is used.
 *
 * All is on the loop. A frame to the host is one write, which the tap takes at once.
 * Frames to us are read in batches: of a batch all reads but the last are called back
 * if they find nothing, and the last waits. So under load one system call brings a
 * batch, and in quiet times one brings a frame, with no look in vain; and which reads
 * found a frame is known in the order of the frames (net-link.h, 1). No flag of a read
 * does that on all kernels: of taps RWF_NOWAIT is known since Linux 6.4.
 *
 * A batch is twice as large as the last one if that was filled, else as large as what
 * came; then it stays so for some batches, since each look in vain ends a wait.
 *
 * A tap that was not made for several queues serves with one.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/net/net-link.h"
#include "backends/net/net-vnet.h"

#define TAP_NODE  "/dev/net/tun"
#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
/* linux/if_tun.h has them since Linux 6.2, and so has the tap; only as a pair. */
#define TAP_USO	  (0x20u | 0x40u)
#define TAP_PAUSE 8 /* full batches after one that was not, before it grows again */

_Static_assert(NET_LINK_QUEUES == LOOP_QUEUES, "a file each");

struct tap_queue {
	unsigned number;
	int fd;		/* the same as the loop's */
	bool starved;	/* no room until net_link_more() */
	unsigned out;	/* reads of the batch that are not home */
	unsigned size;	/* reads that the next one has at most */
	unsigned asked; /* that this one had */
	unsigned came;	/* frames that it brought */
	unsigned pause; /* full batches to come before size grows */
};

struct tap {
	struct net_link link;
	struct loop *loop;
	bool gone; /* it cannot go on */
	struct tap_queue queue[NET_LINK_QUEUES];
};

static struct tap the_tap;
/* A frame's byte behind its buffer: who is told that it fitted cannot know. */
static uint8_t tap_beyond;

static struct tap *tap_of(struct net_link *link)
{
	return (struct tap *)link;
}

static enum loop_file tap_file(unsigned queue)
{
	return (enum loop_file)(LOOP_FILE_QUEUE + queue);
}

static void tap_fail(struct tap *tap, int err)
{
	if (tap->gone)
		return;
	tap->gone = true;
	tap->link.user->failed(&tap->link, err);
}

/* -- To the host ------------------------------------------------------------------ */

static void tap_sent(struct loop_op *op, int res)
{
	struct net_out *out =
		(struct net_out *)((char *)op - offsetof(struct net_out, op));
	struct net_link *link = &the_tap.link;
	bool whole = res >= 0 && (size_t)res == NET_VNET_BYTES + out->size;

	if (the_tap.gone)
		return;
	if (res == -ENODEV || res == -EBADFD) {
		tap_fail(&the_tap, res);
		return;
	}
	if (whole) {
		link->stats.sent++;
		link->stats.sent_bytes += out->size;
	} else {
		link->stats.lost++;
	}
	link->user->sent(link, out, whole ? 0 : res < 0 ? res : -EIO);
}

static void tap_send(struct net_link *link, struct net_out *out)
{
	struct tap *tap = tap_of(link);

	assert(out->queue < link->queues);
	if (tap->gone)
		return;
	net_vnet_put(&out->offload, false, &out->header);
	out->iov[0] = (struct iovec){&out->header, NET_VNET_BYTES};
	out->iov[1] = (struct iovec){(void *)(uintptr_t)out->bytes, out->size};
	out->op.done = tap_sent;
	loop_writev(tap->loop, &out->op, tap_file(out->queue), out->iov, 2, 0);
}

/* -- From the host ---------------------------------------------------------------- */

static void tap_batch(struct tap *tap, struct tap_queue *queue);

static void tap_adapt(struct tap_queue *queue)
{
	if (queue->came < queue->asked) {
		queue->size = queue->came ? queue->came : 1;
		queue->pause = TAP_PAUSE;
	} else if (queue->pause) {
		queue->pause--;
	} else if (queue->asked == queue->size) {
		queue->size *= 2;
		if (queue->size > NET_LINK_BATCH)
			queue->size = NET_LINK_BATCH;
	}
}

/* @res bytes, header and all, are a frame that can be handed on. */
static bool tap_fit(struct net_in *in, int res)
{
	size_t size = (size_t)res - NET_VNET_BYTES;

	if ((size_t)res < NET_VNET_BYTES + NET_HEADER || size > in->room)
		return false;
	in->size = (uint32_t)size;
	return net_vnet_take(&in->header, in->bytes, in->size, &in->offload,
			     &in->validated);
}

static void tap_heard(struct tap *tap, struct net_in *in, int res)
{
	struct net_link *link = &tap->link;

	if (res < 0) {
		link->user->unused(link, in);
		return;
	}
	tap->queue[in->queue].came++;
	if (!tap_fit(in, res)) {
		link->stats.unfit++;
		link->user->unused(link, in);
		return;
	}
	link->stats.received++;
	link->stats.received_bytes += in->size;
	link->user->heard(link, in);
}

/* The last of a batch comes home as the last. */
static void tap_read(struct loop_op *op, int res)
{
	struct net_in *in = (struct net_in *)((char *)op - offsetof(struct net_in, op));
	struct tap *tap = &the_tap;
	struct tap_queue *queue = &tap->queue[in->queue];

	queue->out--;
	if (tap->gone)
		return;
	if (res < 0 && res != -ECANCELED && res != -EAGAIN && res != -EINTR &&
	    res != -ENOMEM) {
		tap_fail(tap, res);
		return;
	}
	tap_heard(tap, in, res);
	if (queue->out || tap->gone)
		return;
	tap_adapt(queue);
	tap_batch(tap, queue);
}

static void tap_ask(struct tap *tap, struct tap_queue *queue, struct net_in *in)
{
	in->queue = queue->number;
	in->iov[0] = (struct iovec){&in->header, NET_VNET_BYTES};
	in->iov[1] = (struct iovec){in->bytes, in->room};
	in->iov[2] = (struct iovec){&tap_beyond, sizeof(tap_beyond)};
	in->op.done = tap_read;
	queue->out++;
	queue->asked++;
	loop_readv(tap->loop, &in->op, tap_file(queue->number), in->iov, 3, 0);
}

static struct net_in *tap_room(struct tap *tap, struct tap_queue *queue)
{
	struct net_in *in = NULL;

	if (!queue->starved)
		in = tap->link.user->room(&tap->link, queue->number);
	queue->starved = !in;
	return in;
}

/* No callback runs before all are queued (loop.h, 1). */
static void tap_batch(struct tap *tap, struct tap_queue *queue)
{
	struct net_in *last = tap_room(tap, queue), *next;

	queue->asked = 0;
	queue->came = 0;
	while (last && queue->asked + 1 < queue->size) {
		next = tap_room(tap, queue);
		if (!next)
			break;
		tap_ask(tap, queue, last);
		last = next;
	}
	if (queue->asked)
		loop_cancel_file(tap->loop, tap_file(queue->number));
	if (last)
		tap_ask(tap, queue, last);
}

static void tap_more(struct net_link *link, unsigned queue)
{
	struct tap *tap = tap_of(link);

	assert(queue < link->queues);
	tap->queue[queue].starved = false;
	if (!tap->queue[queue].out && !tap->gone)
		tap_batch(tap, &tap->queue[queue]);
}

/* -- Beside frames ---------------------------------------------------------------- */

static int tap_offloads(struct net_link *link, unsigned offloads)
{
	unsigned bits = 0;

	if (offloads && !(offloads & NET_LINK_CSUM))
		return -EINVAL;
	if (offloads & NET_LINK_CSUM)
		bits |= TUN_F_CSUM;
	if (offloads & NET_LINK_TSO4)
		bits |= TUN_F_TSO4 | TUN_F_TSO_ECN;
	if (offloads & NET_LINK_TSO6)
		bits |= TUN_F_TSO6 | TUN_F_TSO_ECN;
	if (offloads & NET_LINK_USO)
		bits |= TAP_USO;
	return ioctl(tap_of(link)->queue[0].fd, TUNSETOFFLOAD, bits) ? -errno : 0;
}

static int tap_carrier(struct net_link *link, bool on)
{
	int value = on;

	return ioctl(tap_of(link)->queue[0].fd, TUNSETCARRIER, &value) ? -errno : 0;
}

static void tap_close(struct net_link *link)
{
	struct tap *tap = tap_of(link);

	for (unsigned i = 0; i < link->queues; i++) {
		loop_set_file(tap->loop, tap_file(i), -1);
		close(tap->queue[i].fd);
	}
	link->queues = 0;
}

static const struct net_link_ops tap_ops = {
	.send = tap_send,
	.more = tap_more,
	.offloads = tap_offloads,
	.carrier = tap_carrier,
	.close = tap_close,
};

/* -- Opening ---------------------------------------------------------------------- */

/* Of the interface @name something is asked that anybody may ask, by a socket of the
 * one family that the unit leaves us. */
static int tap_query(const char *name, unsigned long request, void *data)
{
	struct ifreq ifr = {.ifr_data = data};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	strcpy(ifr.ifr_name, name);
	r = ioctl(fd, request, &ifr) ? -errno : 0;
	close(fd);
	return r;
}

/* One more queue of it. EINVAL is that it is no tap, or that @multi is not how it was
 * made. */
static int tap_attach(const char *name, bool multi)
{
	struct ifreq ifr = {.ifr_flags = TAP_FLAGS};
	int fd = open(TAP_NODE, O_RDWR | O_NONBLOCK | O_CLOEXEC), r;

	if (fd < 0)
		return errno == ENXIO || errno == ENODEV ? -ENOENT : -errno;
	strcpy(ifr.ifr_name, name);
	if (multi)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	if (!ioctl(fd, TUNSETIFF, &ifr))
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static int tap_add(struct tap *tap, int fd)
{
	unsigned n = tap->link.queues;
	int r = loop_set_file(tap->loop, tap_file(n), fd);

	if (r) {
		close(fd);
		return r;
	}
	tap->queue[n] = (struct tap_queue){.number = n, .fd = fd, .size = 2};
	tap->link.queues++;
	return 0;
}

static int tap_add_all(struct tap *tap, const char *name, unsigned queues)
{
	bool multi = true;
	int fd = tap_attach(name, true), r;

	if (fd == -EINVAL) {
		multi = false;
		fd = tap_attach(name, false);
	}
	if (fd < 0)
		return fd == -EINVAL ? -EPERM : fd;
	r = tap_add(tap, fd);
	while (!r && multi && tap->link.queues < queues) {
		fd = tap_attach(name, true);
		r = fd < 0 ? fd : tap_add(tap, fd);
	}
	return r;
}

/* Nobody else has one of its queues: which frames we would get then is chance. Kernels
 * as old as 6.1 do not say; of a tap of one queue they refuse a second user all the
 * same. */
static int tap_alone(const struct tap *tap, const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	int r = tap_query(name, SIOCETHTOOL, &channels);

	if (r == -EOPNOTSUPP)
		return 0;
	if (r)
		return r;
	return channels.combined_count == tap->link.queues ? 0 : -EBUSY;
}

/* What is not persistent was not there before, or will not be. */
static int tap_persistent(const struct tap *tap)
{
	struct ifreq ifr;

	if (ioctl(tap->queue[0].fd, TUNGETIFF, &ifr))
		return -errno;
	return ifr.ifr_flags & IFF_PERSIST ? 0 : -ENODEV;
}

/* As it was left by who had it before is nothing that we could rely on. */
static int tap_begin(struct tap *tap)
{
	int bytes = NET_VNET_BYTES, on = 1, r;

	if (ioctl(tap->queue[0].fd, TUNSETVNETHDRSZ, &bytes) ||
	    ioctl(tap->queue[0].fd, TUNSETVNETLE, &on))
		return -errno;
	if (!tap_offloads(&tap->link, NET_LINK_ALL))
		tap->link.offloads |= NET_LINK_USO;
	r = tap_offloads(&tap->link, 0);
	return r ? r : tap_carrier(&tap->link, false);
}

static bool tap_name(const char *name)
{
	return *name && strlen(name) < IFNAMSIZ && !strpbrk(name, "/:% \t\n") &&
	       strcmp(name, ".") && strcmp(name, "..");
}

int net_link_tap_open(struct net_link **out, const char *name,
		      const struct net_link_conf *conf)
{
	struct tap *tap = &the_tap;
	int r;

	if (!tap_name(name) || conf->queues < 1 || conf->queues > NET_LINK_QUEUES)
		return -EINVAL;
	r = tap_query(name, SIOCGIFFLAGS, NULL);
	if (r) /* TUNSETIFF would make it */
		return r;
	*tap = (struct tap){
		.link = {.ops = &tap_ops,
			 .offloads = NET_LINK_CSUM | NET_LINK_TSO4 | NET_LINK_TSO6},
		.loop = conf->loop,
	};
	r = tap_add_all(tap, name, conf->queues);
	if (!r)
		r = tap_persistent(tap);
	if (!r)
		r = tap_alone(tap, name);
	if (!r)
		r = tap_begin(tap);
	if (r) {
		tap_close(&tap->link);
		return r;
	}
	*out = &tap->link;
	return 0;
}
