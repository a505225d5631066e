/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio CAN controller (virtio 1.4, "CAN Device"), seen from the client: what the files
 * of virtio_can share. It knows nothing of Xen.
 *
 * can-driver.c  the virtio driver: probe, remove, what the device says of itself
 * can-net.c     the network device: open, stop, bus-off
 * can-rings.c   buffers and virtqueues: frames out, frames in
 * can-control.c START and STOP
 * can-frame.c   a frame on the wire and a frame of SocketCAN's, and which are none
 *
 * Invariants:
 *  1. a buffer that the device has is not touched, whatever the device owes us: it comes
 *     back through its virtqueue, or with a reset;
 *  2. what the device wrote is copied once, then checked, then used;
 *  3. pages that the device writes, and pages that it reads, hold nothing else, and what
 *     we decide by is in neither;
 *  4. nothing waits for the device without an end.
 *
 * Locks, outer to inner: the network's (rtnl, which nobody here takes), @mode, @tx_lock.
 */
#ifndef VIRTIO_CAN_H
#define VIRTIO_CAN_H

#include <linux/can/dev.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define XCAN_F_CLASSIC	0
#define XCAN_F_FD	1
#define XCAN_F_RTR	2
#define XCAN_F_LATE_ACK	3

/* The virtqueues. */
enum xcan_queue {
	XCAN_TX,
	XCAN_RX,
	XCAN_CONTROL,
	XCAN_QUEUES,
};

/* msg_type */
#define XCAN_MSG_TX	0x0001
#define XCAN_MSG_RX	0x0101
#define XCAN_MSG_START	0x0201
#define XCAN_MSG_STOP	0x0202

#define XCAN_RESULT_OK	0	/* any other: it was not done */

#define XCAN_FLAG_RTR		0x2000
#define XCAN_FLAG_FD		0x4000
#define XCAN_FLAG_EXTENDED	0x8000
#define XCAN_FLAGS		(XCAN_FLAG_RTR | XCAN_FLAG_FD | XCAN_FLAG_EXTENDED)

#define XCAN_BUS_OFF	0x0001	/* in the configuration's status */

struct xcan_config {
	__le16 status;
};

/* A frame, both ways. */
struct xcan_frame {
	__le16 type;
	__le16 length;		/* bytes of data */
	u8 classic_dlc;		/* reserved */
	u8 padding;
	__le16 xl_priority;	/* reserved */
	__le32 flags;
	__le32 id;
	u8 data[CANFD_MAX_DLEN];
};

#define XCAN_HEADER	offsetof(struct xcan_frame, data)

static_assert(XCAN_HEADER == 16);

#define XCAN_TX_MAX	128	/* frames under way, at most */

/*
 * Memory for the device: pages cut into cells, none across the end of a page. Cells are
 * cleaned by whoever fills them.
 */
#define XCAN_CELL	128

static_assert(sizeof(struct xcan_frame) <= XCAN_CELL);

struct xcan_cells {
	unsigned int count;
	void **page;
};

/* A frame under way. */
struct xcan_slot {
	u8 index;	/* its cells, and its place among SocketCAN's echoes */
	u8 bytes;	/* of data, for the statistics */
	bool echo;	/* an echo waits there; else nobody waits for this frame */
};

struct xcan_device {
	struct can_priv can;	/* SocketCAN wants it first */
	struct virtio_device *vdev;
	struct net_device *netdev;
	bool classic;		/* what was negotiated */
	bool fd;
	bool rtr;

	struct mutex mode;	/* all that starts or stops something; and below: */
	bool ready;		/* there are virtqueues, and the device may use them */
	bool up;		/* somebody opened the network device */
	bool asked;		/* the device has our control message still */
	unsigned int answer;	/* bytes of its answer */
	unsigned long reset_at;	/* jiffies of the last reset, or of the beginning */
	unsigned long started_at; /* and of the last start */

	struct virtqueue *vq[XCAN_QUEUES];
	struct xcan_cells out;	/* that the device reads: one a slot, one for control */
	struct xcan_cells in;	/* that it writes: the results, as many */
	struct xcan_cells rx;	/* that it writes: frames */
	wait_queue_head_t answered;

	spinlock_t tx_lock;	/* and below, and what is done with vq[XCAN_TX] */
	bool sending;		/* frames are taken */
	unsigned int slots;
	unsigned int frees;
	u8 free[XCAN_TX_MAX];
	struct xcan_slot slot[XCAN_TX_MAX];

	struct napi_struct napi; /* on while ready; and below, and vq[XCAN_RX]: */
	bool hearing;		/* what comes is for somebody; anybody's to set */
	unsigned int spares;	/* cells that could not be given to the device */
	void **spare;
	struct delayed_work refill;

	spinlock_t look_lock;
	bool leaving;		/* nobody looks any more */
	struct delayed_work look;
};

/* can-driver.c */
/* Look what the device says of itself, in @delay jiffies or before. Any context. */
void xcan_look_later(struct xcan_device *xc, unsigned long delay);

/* can-net.c */
int xcan_net_init(struct xcan_device *xc);
/* Frames go and come, if the device starts. @mode is held. */
int xcan_start(struct xcan_device *xc);
/* No frame is taken any more, and none waited for. @mode is held. */
void xcan_halt(struct xcan_device *xc);
/* The controller has stopped by itself. @mode is held, and the network device up. */
void xcan_bus_off(struct xcan_device *xc);

/* can-rings.c */
int xcan_poll(struct napi_struct *napi, int budget);
/* Virtqueues and all buffers; the device has not begun to use them. All or nothing. */
int xcan_rings_open(struct xcan_device *xc);
/* The device has been reset. */
void xcan_rings_close(struct xcan_device *xc);
netdev_tx_t xcan_xmit(struct sk_buff *skb, struct net_device *netdev);
/* Takes what the device has done with; any context but an interrupt. */
void xcan_sent(struct xcan_device *xc);
/* From now on frames are taken, or are not. */
void xcan_sending(struct xcan_device *xc, bool sending);
/* Nobody waits any more for what is under way. */
void xcan_abandon(struct xcan_device *xc);
/* Looks for work without having been told of any. */
void xcan_nudge(struct xcan_device *xc);
void xcan_refill(struct work_struct *work);
void *xcan_cell(const struct xcan_cells *cells, unsigned int index);

/* can-control.c */
void xcan_answer(struct virtqueue *vq);
/*
 * XCAN_MSG_START or _STOP; sleeps; @mode is held. -EIO: the device refused, or is not in a
 * state to be asked; -ETIMEDOUT.
 */
int xcan_ask(struct xcan_device *xc, u16 type);

/* can-frame.c */
/* The bytes of *@frame to be sent, of a skb that is a frame; 0: the device cannot. */
unsigned int xcan_encode(const struct xcan_device *xc, const struct sk_buff *skb,
			 struct xcan_frame *frame);
/* Is this one that the device may have heard? Of @bytes of it, it says. */
bool xcan_valid(const struct xcan_device *xc, const struct xcan_frame *frame,
		unsigned int bytes);
/* A valid one, for the network; NULL: no memory. */
struct sk_buff *xcan_decode(struct net_device *netdev, const struct xcan_frame *frame);

#endif
