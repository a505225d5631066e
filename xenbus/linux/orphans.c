// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of requests when the back end has gone and will not answer: a driver that
 * removes its device waits for them, and would wait for ever.
 *
 * With a pool they are put into the used ring with a length of 0, by us. Every buffer that
 * a device writes was filled with ones before (dma-pool.c), and 0xff is no class's word
 * for success: so each request fails, none is taken for done. By grant the buffers are the
 * driver's own and hold anything, perhaps an old success, so there they are left alone.
 *
 * Invariants:
 *  1. nothing is answered before the back end has said Closed, or its directory has gone;
 *  2. used elements come in order, so what is out is what stands between both indices;
 *  3. a round answers at most what a ring holds, and rounds keep a distance: a driver
 *     that puts back what it gets does not keep us busy.
 */
#include <linux/bottom_half.h>
#include <linux/virtio_ring.h>

#include "xdd-virtio.h"

#define XDD_DISTANCE (HZ / 10)

/*
 * Both rings are where the back end could write: they may say anything. The driver's core
 * checks a used element as ever; here only the count has to be bounded.
 */
static void xdd_answer_all(struct virtqueue *vq)
{
	const struct vring *vring = virtqueue_get_vring(vq);
	u16 used = le16_to_cpu((__force __le16)READ_ONCE(vring->used->idx));
	u16 avail = le16_to_cpu((__force __le16)READ_ONCE(vring->avail->idx));
	u16 mask = vring->num - 1;

	if ((u16)(avail - used) > vring->num)
		return;
	/* The index before what it covers. */
	virt_rmb();
	for (; used != avail; used++) {
		u16 head = le16_to_cpu((__force __le16)vring->avail->ring[used & mask]);

		vring->used->ring[used & mask].id = (__force __virtio32)cpu_to_le32(head);
		vring->used->ring[used & mask].len = 0;
	}
	/* The elements before the index; pairs with the core's read barrier. */
	virt_wmb();
	WRITE_ONCE(vring->used->idx, (__force __virtio16)cpu_to_le16(used));
	/* Whatever is put next is to be told. */
	vring->used->flags = 0;
	WRITE_ONCE(vring_avail_event(vring), (__force __virtio16)cpu_to_le16(used));
}

static void xdd_orphans_work(struct work_struct *work)
{
	struct xdd_device *xd =
		container_of(to_delayed_work(work), struct xdd_device, orphans);
	unsigned long flags;
	u32 i;

	/* Callbacks are made for interrupts: what they schedule runs when this ends. */
	local_bh_disable();
	spin_lock_irqsave(&xd->vq_lock, flags);
	for (i = 0; xd->vqs && i < xd->queues; i++)
		if (xd->vqs[i])
			xdd_answer_all(xd->vqs[i]);
	xdd_transport_callbacks(xd);
	if (xd->vqs)
		queue_delayed_work(xdd_wq, &xd->orphans, XDD_DISTANCE);
	spin_unlock_irqrestore(&xd->vq_lock, flags);
	local_bh_enable();
}

void xdd_orphans_init(struct xdd_device *xd)
{
	INIT_DELAYED_WORK(&xd->orphans, xdd_orphans_work);
}

void xdd_gone(struct xdd_device *xd)
{
	if (READ_ONCE(xd->gone))
		return;
	WRITE_ONCE(xd->gone, true);
	wake_up_all(&xd->answered);
	if (xd->memory->unwritten_is_ones)
		queue_delayed_work(xdd_wq, &xd->orphans, 0);
	else if (xd->xv)
		dev_warn(&xd->xdev->dev, "the back end has gone; what it took may hang\n");
}
