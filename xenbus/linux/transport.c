// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio device that the client's drivers see: virtio_config_ops, each a message.
 *
 * It grants nothing and waits for nothing but answers. Where an operation cannot fail, it
 * says what stops a driver: no features, no status, a configuration of zeros.
 *
 * Invariants:
 *  1. a driver is offered those of the transport's features that this module can keep;
 *  2. an event runs the callbacks of every virtqueue, under vq_lock, and a virtqueue is
 *     in `vqs` exactly while it may be;
 *  3. what the device says of itself is bounded before anything is allocated by it.
 */
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <xen/events.h>

#include "xdd-virtio.h"

#define BIT_OF(feature)	(1ULL << (feature))
/* Bits 24 to 49 are the transport's and the queues' in virtio 1.3. */
#define XDD_TRANSPORT_BITS	GENMASK_ULL(49, 24)
#define XDD_MUST		(BIT_OF(VIRTIO_F_VERSION_1) | BIT_OF(VIRTIO_F_ACCESS_PLATFORM))
#define XDD_MAY			(XDD_MUST | BIT_OF(VIRTIO_RING_F_EVENT_IDX))

#define XDD_TRIES 8	/* for what may change while it is read */

/* Virtio devices that somebody holds, bound or not: their end is code of this module. */
static atomic_t xdd_held = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(xdd_let_go);

static struct xdd_device *to_xdd(struct virtio_device *vdev)
{
	return container_of(vdev, struct xdd_virtio, vdev)->xd;
}

/* Questions without a payload, or with one word. */
static int xdd_ask_words(struct xdd_device *xd, enum xdd_msg_id id, unsigned int words,
			 unsigned int answer_words, struct xdd_msg *msg)
{
	const struct xdd_question question = {
		.id = id,
		.bytes = words * 4,
		.answer = answer_words * 4,
	};

	return xdd_ask(xd, &question, msg);
}

/* One message's worth of configuration. -EBADMSG: the answer is of something else. */
static int xdd_get_piece(struct xdd_device *xd, u32 offset, void *data, u32 bytes,
			 u32 *generation)
{
	const struct xdd_question question = {
		.id = XDD_GET_CONFIG,
		.bytes = 8,
		.answer = 12 + bytes,
	};
	struct xdd_msg msg = {};
	int r;

	msg.w[0] = cpu_to_le32(offset);
	msg.w[1] = cpu_to_le32(bytes);
	r = xdd_ask(xd, &question, &msg);
	if (r)
		return r;
	if (le32_to_cpu(msg.w[1]) != offset || le32_to_cpu(msg.w[2]) != bytes)
		return -EBADMSG;
	*generation = le32_to_cpu(msg.w[0]);
	memcpy(data, &msg.w[3], bytes);
	return 0;
}

/* All of a range, of one generation. */
static int xdd_get_range(struct xdd_device *xd, u32 offset, void *data, u32 bytes)
{
	u32 done, piece, generation, first = 0;
	int r, tries;

	for (tries = 0; tries < XDD_TRIES; tries++) {
		for (done = 0; done < bytes; done += piece) {
			piece = min_t(u32, bytes - done, XDD_CONFIG_MAX);
			r = xdd_get_piece(xd, offset + done, data + done, piece,
					  &generation);
			if (r)
				return r;
			if (!done)
				first = generation;
			else if (generation != first)
				break;
		}
		if (done >= bytes)
			return 0;
	}
	return -EAGAIN;
}

static bool xdd_in_config(struct xdd_device *xd, u32 offset, u32 bytes)
{
	return bytes && offset <= xd->config_bytes && bytes <= xd->config_bytes - offset;
}

static void xdd_vop_get(struct virtio_device *vdev, unsigned int offset, void *data,
			unsigned int bytes)
{
	struct xdd_device *xd = to_xdd(vdev);

	if (!xdd_in_config(xd, offset, bytes) ||
	    xdd_get_range(xd, offset, data, bytes))
		memset(data, 0, bytes);
}

/* 0, -EAGAIN: the configuration changed meanwhile. */
static int xdd_set_piece(struct xdd_device *xd, u32 generation, u32 offset,
			 const void *data, u32 bytes)
{
	const struct xdd_question question = {
		.id = XDD_SET_CONFIG,
		.bytes = 12 + bytes,
		.answer = 12 + bytes,
		.refusal = 12,
	};
	struct xdd_msg msg = {};
	int r;

	msg.w[0] = cpu_to_le32(generation);
	msg.w[1] = cpu_to_le32(offset);
	msg.w[2] = cpu_to_le32(bytes);
	memcpy(&msg.w[3], data, bytes);
	r = xdd_ask(xd, &question, &msg);
	if (r)
		return r;
	return le32_to_cpu(msg.w[2]) == bytes ? 0 : -EAGAIN;
}

static void xdd_vop_set(struct virtio_device *vdev, unsigned int offset, const void *data,
			unsigned int bytes)
{
	struct xdd_device *xd = to_xdd(vdev);
	u32 piece, generation;
	u8 byte;
	int r = -EINVAL, tries;

	if (!xdd_in_config(xd, offset, bytes))
		bytes = 0;
	for (; bytes; offset += piece, data += piece, bytes -= piece) {
		piece = min_t(u32, bytes, XDD_CONFIG_MAX);
		for (tries = 0; tries < XDD_TRIES; tries++) {
			r = xdd_get_piece(xd, offset, &byte, 1, &generation);
			if (!r)
				r = xdd_set_piece(xd, generation, offset, data, piece);
			if (r != -EAGAIN)
				break;
		}
		if (r)
			break;
	}
	if (r)
		dev_err(&vdev->dev, "the configuration could not be written: %d\n", r);
}

static u32 xdd_vop_generation(struct virtio_device *vdev)
{
	struct xdd_device *xd = to_xdd(vdev);
	u32 generation = 0;
	u8 byte;

	if (xd->config_bytes)
		xdd_get_piece(xd, 0, &byte, 1, &generation);
	return generation;
}

static u8 xdd_vop_get_status(struct virtio_device *vdev)
{
	struct xdd_msg msg = {};

	if (xdd_ask_words(to_xdd(vdev), XDD_GET_DEVICE_STATUS, 0, 1, &msg))
		return 0;
	return le32_to_cpu(msg.w[0]);
}

static void xdd_vop_set_status(struct virtio_device *vdev, u8 status)
{
	struct xdd_msg msg = {};

	msg.w[0] = cpu_to_le32(status);
	xdd_ask_words(to_xdd(vdev), XDD_SET_DEVICE_STATUS, 1, 1, &msg);
}

static void xdd_vop_synchronize_cbs(struct virtio_device *vdev)
{
	synchronize_irq(to_xdd(vdev)->irq);
}

/*
 * The answer comes when the device works on nothing any more. Should none come, it has no
 * more than it had: what it may reach was granted, and stays ours to end.
 */
static void xdd_vop_reset(struct virtio_device *vdev)
{
	xdd_vop_set_status(vdev, 0);
	xdd_vop_synchronize_cbs(vdev);
}

static u64 xdd_vop_get_features(struct virtio_device *vdev)
{
	struct xdd_device *xd = to_xdd(vdev);
	struct xdd_msg msg = {};
	u64 offered;

	msg.w[1] = cpu_to_le32(2);
	if (xdd_ask_words(xd, XDD_GET_DEVICE_FEATURES, 2, 4, &msg) || msg.w[0] ||
	    msg.w[1] != cpu_to_le32(2))
		return 0;
	offered = (u64)le32_to_cpu(msg.w[3]) << 32 | le32_to_cpu(msg.w[2]);
	return offered & (~XDD_TRANSPORT_BITS | XDD_MAY | xd->memory->features);
}

static int xdd_vop_finalize_features(struct virtio_device *vdev)
{
	struct xdd_device *xd = to_xdd(vdev);
	struct xdd_msg msg = {};

	vring_transport_features(vdev);
	if ((vdev->features & XDD_MUST) != XDD_MUST) {
		dev_err(&vdev->dev, "the device lacks VERSION_1 or ACCESS_PLATFORM\n");
		return -EINVAL;
	}
	msg.w[1] = cpu_to_le32(2);
	msg.w[2] = cpu_to_le32(lower_32_bits(vdev->features));
	msg.w[3] = cpu_to_le32(upper_32_bits(vdev->features));
	/* The core has made its locks: from here on the device may be told of changes. */
	WRITE_ONCE(xd->listening, true);
	return xdd_ask_words(xd, XDD_SET_DRIVER_FEATURES, 4, 0, &msg);
}

static const char *xdd_vop_bus_name(struct virtio_device *vdev)
{
	return dev_name(vdev->dev.parent);
}

static bool xdd_notify(struct virtqueue *vq)
{
	struct xdd_device *xd = to_xdd(vq->vdev);

	/* Who has gone needs no event: orphans.c looks by itself. */
	if (!READ_ONCE(xd->gone))
		notify_remote_via_irq(xd->irq);
	return true;
}

static int xdd_get_vqueue(struct xdd_device *xd, u32 index, struct xdd_msg *msg)
{
	int r;

	memset(msg, 0, sizeof(*msg));
	msg->w[0] = cpu_to_le32(index);
	r = xdd_ask_words(xd, XDD_GET_VQUEUE, 1, 10, msg);
	if (!r && le32_to_cpu(msg->w[0]) != index)
		r = -EBADMSG;
	return r;
}

static void xdd_put_area(struct xdd_msg *msg, unsigned int word, u64 address)
{
	msg->w[word] = cpu_to_le32(lower_32_bits(address));
	msg->w[word + 1] = cpu_to_le32(upper_32_bits(address));
}

/* Whether the device has the queue as @wanted says; both as SET_VQUEUE has them. */
static bool xdd_has_vqueue(const struct xdd_msg *is, const struct xdd_msg *wanted)
{
	return is->w[2] == wanted->w[2] && !memcmp(&is->w[4], &wanted->w[4], 24);
}

/* A queue may be set up once. So before it is tried again, the device is asked. */
static int xdd_set_vqueue(struct xdd_device *xd, struct virtqueue *vq)
{
	static const struct xdd_question question = {
		.id = XDD_SET_VQUEUE,
		.bytes = 40,
		.once = true,
	};
	struct xdd_msg wanted = {}, msg;
	int r, tries;

	wanted.w[0] = cpu_to_le32(vq->index);
	wanted.w[2] = cpu_to_le32(virtqueue_get_vring_size(vq));
	xdd_put_area(&wanted, 4, virtqueue_get_desc_addr(vq));
	xdd_put_area(&wanted, 6, virtqueue_get_avail_addr(vq));
	xdd_put_area(&wanted, 8, virtqueue_get_used_addr(vq));
	for (tries = 0; tries < XDD_TRIES; tries++) {
		msg = wanted;
		r = xdd_ask(xd, &question, &msg);
		if (r != -EAGAIN)
			return r;
		r = xdd_get_vqueue(xd, vq->index, &msg);
		if (r)
			return r;
		if (xdd_has_vqueue(&msg, &wanted))
			return 0;
	}
	return -ETIMEDOUT;
}

static struct virtqueue *xdd_new_vq(struct xdd_device *xd, u32 index,
				    const struct virtqueue_info *info)
{
	struct virtio_device *vdev = &xd->xv->vdev;
	struct virtqueue *vq;
	struct xdd_msg msg;
	unsigned long flags;
	u32 most;
	int r;

	if (index >= xd->queues)
		return ERR_PTR(-ENOENT);
	r = xdd_get_vqueue(xd, index, &msg);
	if (r)
		return ERR_PTR(r);
	most = min_t(u32, le32_to_cpu(msg.w[1]), XDD_QUEUE_MAX);
	if (most < 2 || msg.w[2])
		return ERR_PTR(-ENOENT);
	most = rounddown_pow_of_two(most);
	vq = vring_create_virtqueue(index, most, SMP_CACHE_BYTES, vdev, true, true,
				    info->ctx, xdd_notify, info->callback, info->name);
	if (!vq)
		return ERR_PTR(-ENOMEM);
	vq->num_max = most;
	r = xdd_set_vqueue(xd, vq);
	if (r) {
		vring_del_virtqueue(vq);
		return ERR_PTR(r);
	}
	spin_lock_irqsave(&xd->vq_lock, flags);
	xd->vqs[index] = vq;
	spin_unlock_irqrestore(&xd->vq_lock, flags);
	return vq;
}

static void xdd_vop_del_vqs(struct virtio_device *vdev)
{
	struct xdd_device *xd = to_xdd(vdev);
	struct virtqueue *vq, *next;
	unsigned long flags;

	/* Who runs callbacks holds the lock; after this nobody does (invariant 2). */
	spin_lock_irqsave(&xd->vq_lock, flags);
	memset(xd->vqs, 0, xd->queues * sizeof(*xd->vqs));
	spin_unlock_irqrestore(&xd->vq_lock, flags);
	list_for_each_entry_safe(vq, next, &vdev->vqs, list)
		vring_del_virtqueue(vq);
}

static int xdd_vop_find_vqs(struct virtio_device *vdev, unsigned int count,
			    struct virtqueue *vqs[], struct virtqueue_info info[],
			    struct irq_affinity *affinity)
{
	struct xdd_device *xd = to_xdd(vdev);
	unsigned int i, index = 0;

	for (i = 0; i < count; i++) {
		vqs[i] = NULL;
		if (!info[i].name)
			continue;
		vqs[i] = xdd_new_vq(xd, index++, &info[i]);
		if (IS_ERR(vqs[i])) {
			int r = PTR_ERR(vqs[i]);

			dev_err(&vdev->dev, "no virtqueue %u: %d\n", index - 1, r);
			xdd_vop_del_vqs(vdev);
			return r;
		}
	}
	return 0;
}

XDD_FIND_VQS(xdd_vop_find_vqs)

static const struct virtio_config_ops xdd_config_ops = {
	.get = xdd_vop_get,
	.set = xdd_vop_set,
	.generation = xdd_vop_generation,
	.get_status = xdd_vop_get_status,
	.set_status = xdd_vop_set_status,
	.reset = xdd_vop_reset,
	.find_vqs = xdd_find_vqs_op(xdd_vop_find_vqs),
	.del_vqs = xdd_vop_del_vqs,
	.synchronize_cbs = xdd_vop_synchronize_cbs,
	.get_features = xdd_vop_get_features,
	.finalize_features = xdd_vop_finalize_features,
	.bus_name = xdd_vop_bus_name,
};

bool xdd_transport_callbacks(struct xdd_device *xd)
{
	bool any = false;
	u32 i;

	for (i = 0; xd->vqs && i < xd->queues; i++)
		if (xd->vqs[i] && vring_interrupt(0, xd->vqs[i]) == IRQ_HANDLED)
			any = true;
	return any;
}

void xdd_transport_config(struct xdd_device *xd)
{
	if (READ_ONCE(xd->listening))
		virtio_config_changed(&xd->xv->vdev);
}

bool xdd_transport_event(struct xdd_device *xd)
{
	unsigned long flags;
	bool any, config;

	any = xdd_receive(xd, &config);
	if (config)
		xdd_transport_config(xd);
	spin_lock_irqsave(&xd->vq_lock, flags);
	any |= xdd_transport_callbacks(xd);
	spin_unlock_irqrestore(&xd->vq_lock, flags);
	return any;
}

static void xdd_release(struct device *dev)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);

	kfree(container_of(vdev, struct xdd_virtio, vdev));
	if (atomic_dec_and_test(&xdd_held))
		wake_up_all(&xdd_let_go);
}

void xdd_transport_drain(void)
{
	if (atomic_read(&xdd_held))
		pr_notice("xdd_virtio: waiting for programs that hold a device open\n");
	wait_event(xdd_let_go, !atomic_read(&xdd_held));
	synchronize_rcu();
}

/* What the device says that it is, checked (invariant 3). */
static int xdd_get_info(struct xdd_device *xd, struct virtio_device_id *id)
{
	struct xdd_msg msg = {};
	int r;

	r = xdd_ask_words(xd, XDD_GET_DEVICE_INFO, 0, 6, &msg);
	if (r)
		return r;
	id->device = le32_to_cpu(msg.w[0]);
	id->vendor = le32_to_cpu(msg.w[1]);
	xd->config_bytes = le32_to_cpu(msg.w[3]);
	xd->queues = le32_to_cpu(msg.w[4]);
	if (id->device != xd->device_id || xd->queues == 0 ||
	    xd->queues > XDD_QUEUES_MAX || xd->config_bytes > PAGE_SIZE) {
		dev_err(&xd->xdev->dev, "virtio device %u with %u queues: refused\n",
			id->device, xd->queues);
		return -EINVAL;
	}
	return 0;
}

static void xdd_free_vqs(struct xdd_device *xd)
{
	struct virtqueue **vqs = xd->vqs;
	unsigned long flags;

	spin_lock_irqsave(&xd->vq_lock, flags);
	xd->vqs = NULL;
	spin_unlock_irqrestore(&xd->vq_lock, flags);
	kfree(vqs);
}

int xdd_transport_start(struct xdd_device *xd)
{
	struct virtio_device_id id;
	struct virtqueue **vqs;
	struct xdd_virtio *xv;
	int r;

	r = xdd_get_info(xd, &id);
	if (r)
		return r;
	xv = kzalloc(sizeof(*xv), GFP_KERNEL);
	vqs = kcalloc(xd->queues, sizeof(struct virtqueue *), GFP_KERNEL);
	if (!xv || !vqs) {
		kfree(xv);
		kfree(vqs);
		return -ENOMEM;
	}
	xd->xv = xv;
	xd->vqs = vqs;
	xv->xd = xd;
	xv->vdev.id = id;
	xv->vdev.config = &xdd_config_ops;
	xv->vdev.dev.parent = &xd->xdev->dev;
	xv->vdev.dev.release = xdd_release;
	atomic_inc(&xdd_held);
	r = register_virtio_device(&xv->vdev);
	if (r) {
		WRITE_ONCE(xd->listening, false);
		synchronize_irq(xd->irq);
		xdd_free_vqs(xd);
		xd->xv = NULL;
		put_device(&xv->vdev.dev);
	}
	return r;
}

void xdd_transport_stop(struct xdd_device *xd)
{
	struct xdd_virtio *xv = xd->xv;

	if (!xv)
		return;
	/* Somebody may hold it longer than we do, and must not find it freed. */
	get_device(&xv->vdev.dev);
	unregister_virtio_device(&xv->vdev);
	WRITE_ONCE(xd->listening, false);
	synchronize_irq(xd->irq);
	xdd_free_vqs(xd);
	xd->xv = NULL;
	put_device(&xv->vdev.dev);
}
