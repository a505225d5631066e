/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One virtio device of a driver domain, seen from the client: what the files of this
 * module share. The wire is that of virtio-msg-xen.md ("the page" in comments).
 *
 * bus.c       the xenbus device: whom it may serve, and what follows what
 * connect.c   what is granted and told to the back end, and how that ends
 * control.c   the control page: requests, answers, events
 * transport.c the virtio device that the kernel sees
 * orphans.c   what becomes of requests when the back end has gone
 * dma-pool.c  memory by pool: granted once, buffers bounce
 * dma-grant.c memory by grant: each buffer for its transfer
 * counters.c  what is exposed, in sysfs
 *
 * Invariants:
 *  1. nothing is granted to a domain that `backends` does not list;
 *  2. what the back end wrote is copied once, then checked, then used;
 *  3. a page that the back end still has is never used for anything else.
 */
#ifndef XDD_VIRTIO_H
#define XDD_VIRTIO_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/dma-map-ops.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include "compat.h"

#define XDD_POOL_RUN	256	/* references in a pool-refN */
#define XDD_POOL_RUNS	64
#define XDD_POOL_MIN	16	/* pages; with less not even the queues fit */
#define XDD_POOL_MAX	(XDD_POOL_RUN * XDD_POOL_RUNS)
#define XDD_QUEUES_MAX	256	/* what we believe of a device */
#define XDD_QUEUE_MAX	1024

struct gen_pool;
struct xdd_device;

/* Section 4 of the page. */
enum xdd_msg_type {
	XDD_REQUEST = 0,
	XDD_ANSWER = 1,
};

enum xdd_msg_id {
	XDD_GET_DEVICE_INFO = 0x02,
	XDD_GET_DEVICE_FEATURES = 0x03,
	XDD_SET_DRIVER_FEATURES = 0x04,
	XDD_GET_CONFIG = 0x05,
	XDD_SET_CONFIG = 0x06,
	XDD_GET_DEVICE_STATUS = 0x07,
	XDD_SET_DEVICE_STATUS = 0x08,
	XDD_GET_VQUEUE = 0x09,
	XDD_SET_VQUEUE = 0x0a,
	XDD_EVENT_CONFIG = 0x40,
};

#define XDD_MSG_BYTES	64
#define XDD_MSG_HEADER	8
#define XDD_CONFIG_MAX	44	/* bytes of configuration in a message */

struct xdd_msg {
	u8 type;
	u8 id;
	__le16 dev_num;
	__le16 token;
	__le16 size;
	union {
		__le32 w[(XDD_MSG_BYTES - XDD_MSG_HEADER) / 4];
		u8 b[XDD_MSG_BYTES - XDD_MSG_HEADER];
	};
} __aligned(8);

static_assert(sizeof(struct xdd_msg) == XDD_MSG_BYTES);

/* How a request is asked. */
struct xdd_question {
	enum xdd_msg_id id;
	unsigned int bytes;	/* of its payload */
	unsigned int answer;	/* bytes of the answer's payload */
	unsigned int refusal;	/* another length that it may have, or 0 */
	bool once;		/* carried out twice it would be wrong */
};

/* One way to the client's memory. */
struct xdd_memory {
	const char *name;	/* the value of the key `memory` */
	const struct dma_map_ops *ops;
	u64 features;		/* beyond what every way has */
	bool unwritten_is_ones;	/* what a device leaves unwritten reads 0xff */
	int (*open)(struct xdd_device *xd);
	void (*close)(struct xdd_device *xd);
};

extern const struct xdd_memory xdd_memory_pool;
extern const struct xdd_memory xdd_memory_grant;

#define XDD_SPARES	64

/* Buffers of one size that were given back, to be taken before `free` is searched. */
struct xdd_spares {
	unsigned int count;
	u8 *at[XDD_SPARES];
};

/* Where a mapped buffer came from. */
struct xdd_origin {
	u8 *from;		/* NULL: no buffer begins here */
	size_t bytes;
};

struct xdd_pool {
	struct gen_pool *free;
	spinlock_t lock;	/* of the spares; nothing is done within */
	struct xdd_spares small, page;
	u8 *start;
	struct xdd_origin *origin;	/* by granule; of a buffer its first */
	unsigned int pages;
	unsigned int granted;	/* so many of them are */
	grant_ref_t first[XDD_POOL_RUNS];
};

struct xdd_counters {
	atomic_long_t control_pages;	/* granted now */
	atomic_long_t pool_pages;
	atomic_long_t area_pages;	/* virtqueues, by grant */
	atomic_long_t buffer_pages;	/* buffers, by grant */
	atomic_long_t buffers;		/* mapped now */
	atomic_long_t buffers_peak;
	atomic_long_t failed;		/* mappings that found no room */
	atomic_long_t left;		/* pages the back end had when we were done */
	atomic_long_t dropped;		/* its messages that made no sense */
};

/* What xdd_step() in bus.c makes of a device. */
enum xdd_phase {
	XDD_REFUSED,	/* of a domain that is not listed: not touched */
	XDD_AWAY,	/* we are Closed: wait for Closed */
	XDD_WAITING,	/* we are Initialising: wait for InitWait */
	XDD_OFFERED,	/* we are Initialised: wait for Connected */
	XDD_UP,		/* Connected */
	XDD_FAILED,	/* Closed, until somebody begins anew */
	XDD_PHASES,
};

struct xdd_virtio {
	struct virtio_device vdev;
	struct xdd_device *xd;
};

struct xdd_device {
	struct xenbus_device *xdev;
	domid_t backend_id;
	char *backend;			/* its directory */
	u32 device_id;			/* what virtio calls this kind */

	/* bus.c */
	struct delayed_work step;
	enum xdd_phase phase;
	bool leaving;			/* remove() waits for `left` */
	struct completion left;
	bool resumed;			/* nothing of ours is where it was */
	bool serving;			/* from Connected to the last answer; vq_lock */
	bool gone;			/* and it will never answer again */

	/* connect.c */
	void *page;			/* the control page */
	grant_ref_t page_ref;
	int irq;
	u64 dma_mask;

	/* control.c */
	struct mutex asking;		/* one request at a time */
	spinlock_t msg_lock;		/* all below */
	wait_queue_head_t answered;
	u32 put;			/* ours: messages put */
	u32 taken;			/* the device's: messages taken */
	u16 token;			/* 0: nothing asked */
	const struct xdd_question *question;
	struct xdd_msg answer;

	/* transport.c, orphans.c */
	struct xdd_virtio *xv;
	u32 config_bytes;
	u32 queues;
	spinlock_t vq_lock;		/* vqs, and what their callbacks run in */
	struct virtqueue **vqs;
	bool listening;			/* the virtio device takes config changes */
	struct delayed_work orphans;

	/* dma-*.c */
	const struct xdd_memory *memory;
	struct xdd_pool pool;
	struct xarray granted;		/* by grant: pages of each run, by its first */
	bool broken;			/* by grant: the back end kept a buffer */

	struct xdd_counters count;
};

/* bus.c */
extern struct workqueue_struct *xdd_wq;
extern unsigned int xdd_pool_cap;
/* How long an answer is waited for, in jiffies. */
unsigned long xdd_timeout(void);
const char *xdd_phase_name(enum xdd_phase phase);

/* connect.c */
/* Grants and writes all that stands before Initialised; all or nothing. */
int xdd_connect(struct xdd_device *xd);
/* Ends all grants. The back end has let go, or had its time to. */
void xdd_disconnect(struct xdd_device *xd);
/* The frame that a byte of ours lies in, as Xen numbers them. */
unsigned long xdd_frame(const void *address);
/*
 * Ends one grant. False: the back end has the page still, and the kernel keeps page and
 * reference until it lets go (invariant 3).
 */
bool xdd_end_grant(struct xdd_device *xd, grant_ref_t ref);

/* control.c */
void xdd_control_init(struct xdd_device *xd);
/* A new control page: nothing put, nothing taken. */
void xdd_control_reset(struct xdd_device *xd);
/*
 * Sends @msg (its payload is set) and puts the answer there. Sleeps. -ENODEV: the back end
 * has gone; -ETIMEDOUT; -EAGAIN: a question that must not be put twice was taken, and not
 * answered.
 */
int xdd_ask(struct xdd_device *xd, const struct xdd_question *question,
	    struct xdd_msg *msg);
/*
 * Takes what the device's queue has; any context. @config: it says that its configuration
 * or status changed. True if there was anything.
 */
bool xdd_receive(struct xdd_device *xd, bool *config);

/* transport.c */
int xdd_transport_start(struct xdd_device *xd);
void xdd_transport_stop(struct xdd_device *xd);
/* An event of the back end's. True if there was anything to do. */
bool xdd_transport_event(struct xdd_device *xd);
/* The device says that its configuration or status changed. Any context. */
void xdd_transport_config(struct xdd_device *xd);
/* Runs the callbacks of all virtqueues; vq_lock is held. */
bool xdd_transport_callbacks(struct xdd_device *xd);
/* Waits until no program holds a virtio device of ours any more. */
void xdd_transport_drain(void);

/* orphans.c */
void xdd_orphans_init(struct xdd_device *xd);
/* The back end, which was serving, will never answer again; vq_lock is held. */
void xdd_gone(struct xdd_device *xd);

/* counters.c */
extern const struct attribute_group *xdd_counter_groups[];
void xdd_count_buffer(struct xdd_device *xd);

#endif
