/* SPDX-License-Identifier: MIT */
/*
 * A virtio-net driver in a loopxen domain: vfront.h's way to DRIVER_OK, and the headers
 * and orders of virtio 1.3. It shares no line with what it is set against.
 *
 * A sound driver but for net_front_chain() and net_front_order_raw(), and for what a
 * test makes of vfront's queues.
 */
#ifndef XDD_TEST_NET_FRONT_VIRTIO_H
#define XDD_TEST_NET_FRONT_VIRTIO_H

#include "tests/device/vchain.h"

#define NET_FRONT_F_CSUM       DRIVER_FEATURE(0)
#define NET_FRONT_F_GUEST_CSUM DRIVER_FEATURE(1)
#define NET_FRONT_F_MTU	       DRIVER_FEATURE(3)
#define NET_FRONT_F_MAC	       DRIVER_FEATURE(5)
#define NET_FRONT_F_GUEST_TSO4 DRIVER_FEATURE(7)
#define NET_FRONT_F_GUEST_TSO6 DRIVER_FEATURE(8)
#define NET_FRONT_F_HOST_TSO4  DRIVER_FEATURE(11)
#define NET_FRONT_F_HOST_TSO6  DRIVER_FEATURE(12)
#define NET_FRONT_F_MRG_RXBUF  DRIVER_FEATURE(15)
#define NET_FRONT_F_STATUS     DRIVER_FEATURE(16)
#define NET_FRONT_F_CTRL_VQ    DRIVER_FEATURE(17)
#define NET_FRONT_F_CTRL_RX    DRIVER_FEATURE(18)
#define NET_FRONT_F_CTRL_VLAN  DRIVER_FEATURE(19)
#define NET_FRONT_F_ANNOUNCE   DRIVER_FEATURE(21)
#define NET_FRONT_F_MQ	       DRIVER_FEATURE(22)
#define NET_FRONT_F_CTRL_MAC   DRIVER_FEATURE(23)
#define NET_FRONT_F_GUEST_USO4 DRIVER_FEATURE(54)
#define NET_FRONT_F_GUEST_USO6 DRIVER_FEATURE(55)
#define NET_FRONT_F_HOST_USO   DRIVER_FEATURE(56)

#define NET_FRONT_HEADER     12
#define NET_FRONT_FRAME_MAX  65550
#define NET_FRONT_NEEDS_CSUM 1
#define NET_FRONT_DATA_VALID 2

#define NET_FRONT_RX(pair) (2 * (pair))
#define NET_FRONT_TX(pair) (2 * (pair) + 1)

struct net_front_header {
	uint8_t flags, gso;
	uint16_t header, gso_size, start, offset, buffers;
};

struct net_front_virtio {
	struct vfront v;
	/* Before connect(). */
	struct vfront_conf conf; /* but for its queues, which follow from @pairs */
	unsigned pairs;		 /* 0: 1 */
	/* As it goes. */
	uint32_t piece; /* bytes of one descriptor at most; 0: as long as they are */
	struct vchains chains;
	unsigned empty; /* receive buffers that came back with nothing */
	uint8_t bytes[NET_FRONT_HEADER + NET_FRONT_FRAME_MAX + 4096];
	/* Let the device run; false: it cannot. */
	bool (*run)(void *owner);
	void *owner;
};

void net_front_connect(struct net_front_virtio *f, struct loopxen *x,
		       const struct loopxen_device *dev);
bool net_front_ready(struct net_front_virtio *f);
bool net_front_disconnect(struct net_front_virtio *f);
/* All that is out is forgotten: the device was reset. */
void net_front_forget(struct net_front_virtio *f);

/* Any bytes as a chain of @queue, and @room behind them; not published. False: there is
 * none for it. */
bool net_front_chain(struct net_front_virtio *f, unsigned queue, uint16_t id,
		     const void *bytes, uint32_t readable, uint32_t room);
/* What was taken back of @queue: how many bytes were written, and the first @room of
 * them. False: nothing. */
bool net_front_back(struct net_front_virtio *f, unsigned queue, uint16_t *id,
		    uint8_t *out, uint32_t room, uint32_t *len);
void net_front_push(struct net_front_virtio *f);

/* A frame of @size bytes; not published. */
bool net_front_send(struct net_front_virtio *f, unsigned pair, uint16_t id,
		    const struct net_front_header *header, const uint8_t *frame,
		    uint32_t size);
/* One that was sent is back: its @id. */
bool net_front_sent(struct net_front_virtio *f, unsigned pair, uint16_t *id);
/* @n buffers of @bytes; not published. */
bool net_front_post(struct net_front_virtio *f, unsigned pair, unsigned n,
		    uint32_t bytes);
/* The next frame: its size, in f->bytes behind the header. 0: none. */
uint32_t net_front_receive(struct net_front_virtio *f, unsigned pair,
			   struct net_front_header *header);
/* An order, until it is answered: 0, 1, or -1: not at all. */
int net_front_order(struct net_front_virtio *f, uint8_t class, uint8_t command,
		    const void *data, uint32_t bytes);
/* The same as a chain of any bytes. */
int net_front_order_raw(struct net_front_virtio *f, const void *bytes, uint32_t n);

#endif
