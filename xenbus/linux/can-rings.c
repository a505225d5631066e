// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers and virtqueues: frames out, frames in.
 *
 * A frame that is sent has a slot: a cell with the frame, another for the result, and a
 * place for its echo, which the network gets when the device says that it was sent. The
 * slot is free again when its buffer has come back, and not before.
 *
 * Own frames and heard ones both go by netif_rx(), so that they reach programs in the
 * order in which the device told of them.
 *
 * Invariants:
 *  1. there are as many slots as the virtqueue takes without indirect descriptors: to
 *     add one fails only where memory does;
 *  2. an echo is put and taken under tx_lock, and nobody else finds one: whoever has the
 *     CAN core throw them away has abandoned them here before;
 *  3. a cell of the receive side is with the device, or among the spares, or in the hands
 *     of xcan_poll().
 */
#include <linux/bottom_half.h>
#include <linux/can/skb.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "compat.h"
#include "virtio-can.h"

#define XCAN_PER_PAGE	(PAGE_SIZE / XCAN_CELL)
#define XCAN_AGAIN	(HZ / 10)	/* before the spares are tried again */

void *xcan_cell(const struct xcan_cells *cells, unsigned int index)
{
	return cells->page[index / XCAN_PER_PAGE] + index % XCAN_PER_PAGE * XCAN_CELL;
}

static void xcan_cells_free(struct xcan_cells *cells)
{
	unsigned int i;

	for (i = 0; cells->page && i < DIV_ROUND_UP(cells->count, XCAN_PER_PAGE); i++)
		free_page((unsigned long)cells->page[i]);
	kfree(cells->page);
	memset(cells, 0, sizeof(*cells));
}

static int xcan_cells_alloc(struct xcan_cells *cells, unsigned int count)
{
	unsigned int i, pages = DIV_ROUND_UP(count, XCAN_PER_PAGE);

	cells->count = count;
	cells->page = kcalloc(pages, sizeof(*cells->page), GFP_KERNEL);
	if (!cells->page)
		return -ENOMEM;
	for (i = 0; i < pages; i++) {
		cells->page[i] = (void *)get_zeroed_page(GFP_KERNEL);
		if (!cells->page[i])
			return -ENOMEM;
	}
	return 0;
}

static bool xcan_post(struct xcan_device *xc, void *cell)
{
	struct scatterlist sg;

	sg_init_one(&sg, cell, sizeof(struct xcan_frame));
	return !virtqueue_add_inbuf(xc->vq[XCAN_RX], &sg, 1, cell, GFP_ATOMIC);
}

static void xcan_post_spares(struct xcan_device *xc)
{
	while (xc->spares && xcan_post(xc, xc->spare[xc->spares - 1]))
		xc->spares--;
}

static void xcan_heard(struct xcan_device *xc, const void *cell, unsigned int bytes)
{
	struct net_device_stats *stats = &xc->netdev->stats;
	struct xcan_frame frame;
	struct sk_buff *skb;

	/* None at all: given back unused. */
	if (!bytes || !READ_ONCE(xc->hearing))
		return;
	memcpy(&frame, cell, sizeof(frame));
	if (!xcan_valid(xc, &frame, bytes)) {
		stats->rx_errors++;
		stats->rx_frame_errors++;
		if (net_ratelimit())
			netdev_warn(xc->netdev, "the device heard what is no frame\n");
		return;
	}
	/* An interface that is set to classic frames shows no others. */
	if ((le32_to_cpu(frame.flags) & XCAN_FLAG_FD) &&
	    !(xc->can.ctrlmode & CAN_CTRLMODE_FD)) {
		stats->rx_dropped++;
		return;
	}
	skb = xcan_decode(xc->netdev, &frame);
	if (!skb) {
		stats->rx_dropped++;
		return;
	}
	stats->rx_packets++;
	if (!(le32_to_cpu(frame.flags) & XCAN_FLAG_RTR))
		stats->rx_bytes += le16_to_cpu(frame.length);
	netif_rx(skb);
}

/* At most @budget buffers, each given back at once. */
static int xcan_receive(struct xcan_device *xc, int budget)
{
	struct virtqueue *vq = xc->vq[XCAN_RX];
	unsigned int bytes;
	int done = 0;
	void *cell;

	while (done < budget && (cell = virtqueue_get_buf(vq, &bytes))) {
		xcan_heard(xc, cell, bytes);
		if (!xcan_post(xc, cell))
			xc->spare[xc->spares++] = cell;
		done++;
	}
	xcan_post_spares(xc);
	virtqueue_kick(vq);
	if (xc->spares && !virtqueue_is_broken(vq))
		schedule_delayed_work(&xc->refill, XCAN_AGAIN);
	return done;
}

static void xcan_free_slot(struct xcan_device *xc, const struct xcan_slot *slot)
{
	xc->free[xc->frees++] = slot->index;
}

/* Back from the device, with a result if it wrote one. */
static void xcan_come_home(struct xcan_device *xc, struct xcan_slot *slot,
			   unsigned int bytes)
{
	struct net_device_stats *stats = &xc->netdev->stats;
	const u8 *result = xcan_cell(&xc->in, slot->index);

	if (slot->echo && bytes >= sizeof(*result) &&
	    READ_ONCE(*result) == XCAN_RESULT_OK) {
		stats->tx_packets++;
		/* It says 0 of a frame whose sender wants no echo on this host. */
		stats->tx_bytes += max_t(unsigned int, slot->bytes,
					 can_get_echo_skb(xc->netdev, slot->index, NULL));
	} else if (slot->echo) {
		stats->tx_errors++;
		can_free_echo_skb(xc->netdev, slot->index, NULL);
	}
	slot->echo = false;
	xcan_free_slot(xc, slot);
}

void xcan_sent(struct xcan_device *xc)
{
	struct xcan_slot *slot;
	unsigned int bytes;

	spin_lock_bh(&xc->tx_lock);
	while ((slot = virtqueue_get_buf(xc->vq[XCAN_TX], &bytes)))
		xcan_come_home(xc, slot, bytes);
	if (xc->sending && xc->frees)
		netif_wake_queue(xc->netdev);
	spin_unlock_bh(&xc->tx_lock);
}

/* Both virtqueues tell again; afterwards one that has something already says so. */
static bool xcan_listen(struct xcan_device *xc, int done)
{
	unsigned int rx, tx;

	rx = virtqueue_enable_cb_prepare(xc->vq[XCAN_RX]);
	spin_lock(&xc->tx_lock);
	tx = virtqueue_enable_cb_prepare(xc->vq[XCAN_TX]);
	spin_unlock(&xc->tx_lock);
	if (!napi_complete_done(&xc->napi, done))
		return false;
	return virtqueue_poll(xc->vq[XCAN_RX], rx) || virtqueue_poll(xc->vq[XCAN_TX], tx);
}

/* Whoever schedules it has both virtqueues to itself until it polls. */
static void xcan_schedule(struct xcan_device *xc)
{
	if (!napi_schedule_prep(&xc->napi))
		return;
	virtqueue_disable_cb(xc->vq[XCAN_RX]);
	virtqueue_disable_cb(xc->vq[XCAN_TX]);
	__napi_schedule(&xc->napi);
}

int xcan_poll(struct napi_struct *napi, int budget)
{
	struct xcan_device *xc = container_of(napi, struct xcan_device, napi);
	int done;

	xcan_sent(xc);
	done = budget ? xcan_receive(xc, budget) : 0;
	if (done < budget && xcan_listen(xc, done))
		xcan_schedule(xc);
	return done;
}

/* The device has used something of either virtqueue. */
static void xcan_used(struct virtqueue *vq)
{
	xcan_schedule(vq->vdev->priv);
}

void xcan_nudge(struct xcan_device *xc)
{
	local_bh_disable();
	xcan_schedule(xc);
	local_bh_enable();
}

void xcan_refill(struct work_struct *work)
{
	xcan_nudge(container_of(to_delayed_work(work), struct xcan_device, refill));
}

static int xcan_put_frame(struct xcan_device *xc, struct xcan_slot *slot,
			  const struct xcan_frame *frame, unsigned int bytes)
{
	void *cell = xcan_cell(&xc->out, slot->index);
	u8 *result = xcan_cell(&xc->in, slot->index);
	struct scatterlist out, in, *both[] = { &out, &in };

	memcpy(cell, frame, bytes);
	*result = ~XCAN_RESULT_OK;
	sg_init_one(&out, cell, bytes);
	sg_init_one(&in, result, sizeof(*result));
	return virtqueue_add_sgs(xc->vq[XCAN_TX], both, 1, 1, slot, GFP_ATOMIC);
}

/* The skb's end is here, whatever becomes of it. tx_lock is held, and a slot is free. */
static void xcan_send(struct xcan_device *xc, struct sk_buff *skb,
		      const struct xcan_frame *frame, unsigned int bytes)
{
	struct xcan_slot *slot = &xc->slot[xc->free[xc->frees - 1]];
	struct net_device *netdev = xc->netdev;

	slot->bytes = frame->flags & cpu_to_le32(XCAN_FLAG_RTR) ? 0 : bytes - XCAN_HEADER;
	if (can_put_echo_skb(skb, netdev, slot->index, 0)) {
		netdev->stats.tx_dropped++;
		return;
	}
	if (xcan_put_frame(xc, slot, frame, bytes)) {
		can_free_echo_skb(netdev, slot->index, NULL);
		netdev->stats.tx_dropped++;
		return;
	}
	slot->echo = true;
	if (!--xc->frees)
		netif_stop_queue(netdev);
}

netdev_tx_t xcan_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct xcan_device *xc = netdev_priv(netdev);
	netdev_tx_t r = NETDEV_TX_OK;
	struct xcan_frame frame;
	unsigned int bytes;

	if (can_dev_dropped_skb(netdev, skb))
		return NETDEV_TX_OK;
	bytes = xcan_encode(xc, skb, &frame);
	spin_lock(&xc->tx_lock);
	if (!bytes || !xc->sending) {
		dev_kfree_skb_any(skb);
		netdev->stats.tx_dropped++;
	} else if (!xc->frees) {
		netif_stop_queue(netdev);
		r = NETDEV_TX_BUSY;
	} else {
		/* Within the lock: where nothing is taken, the virtqueue may go. */
		xcan_send(xc, skb, &frame, bytes);
		virtqueue_kick(xc->vq[XCAN_TX]);
	}
	spin_unlock(&xc->tx_lock);
	return r;
}

void xcan_sending(struct xcan_device *xc, bool sending)
{
	spin_lock_bh(&xc->tx_lock);
	xc->sending = sending;
	if (!sending)
		netif_stop_queue(xc->netdev);
	else if (xc->frees)
		netif_wake_queue(xc->netdev);
	spin_unlock_bh(&xc->tx_lock);
}

void xcan_abandon(struct xcan_device *xc)
{
	struct net_device_stats *stats = &xc->netdev->stats;
	unsigned int i;

	spin_lock_bh(&xc->tx_lock);
	for (i = 0; i < xc->slots; i++) {
		if (!xc->slot[i].echo)
			continue;
		xc->slot[i].echo = false;
		can_free_echo_skb(xc->netdev, i, NULL);
		stats->tx_dropped++;
		stats->tx_aborted_errors++;
	}
	spin_unlock_bh(&xc->tx_lock);
}

static int xcan_find_queues(struct xcan_device *xc)
{
	struct virtqueue_info info[XCAN_QUEUES] = {
		[XCAN_TX] = { .name = "tx", .callback = xcan_used },
		[XCAN_RX] = { .name = "rx", .callback = xcan_used },
		[XCAN_CONTROL] = { .name = "control", .callback = xcan_answer },
	};

	return xdd_driver_find_vqs(xc->vdev, XCAN_QUEUES, xc->vq, info);
}

static void xcan_free_all(struct xcan_device *xc)
{
	xcan_cells_free(&xc->out);
	xcan_cells_free(&xc->in);
	xcan_cells_free(&xc->rx);
	kfree(xc->spare);
	xc->spare = NULL;
	xc->spares = 0;
}

/* For virtqueues of these sizes; what fails is freed by the caller. */
static int xcan_alloc_all(struct xcan_device *xc, unsigned int tx, unsigned int rx)
{
	unsigned int i;

	xc->slots = min_t(unsigned int, tx / 2, XCAN_TX_MAX);
	xc->spare = kcalloc(rx, sizeof(*xc->spare), GFP_KERNEL);
	if (!xc->slots || !xc->spare || xcan_cells_alloc(&xc->out, xc->slots + 1) ||
	    xcan_cells_alloc(&xc->in, xc->slots + 1) || xcan_cells_alloc(&xc->rx, rx))
		return -ENOMEM;
	xc->frees = 0;
	for (i = xc->slots; i-- > 0;) {
		xc->slot[i] = (struct xcan_slot){ .index = i };
		xcan_free_slot(xc, &xc->slot[i]);
	}
	for (i = 0; i < rx; i++)
		xc->spare[xc->spares++] = xcan_cell(&xc->rx, i);
	return 0;
}

int xcan_rings_open(struct xcan_device *xc)
{
	int r = xcan_find_queues(xc);

	if (r)
		return r;
	xc->asked = false;
	r = xcan_alloc_all(xc, virtqueue_get_vring_size(xc->vq[XCAN_TX]),
			   virtqueue_get_vring_size(xc->vq[XCAN_RX]));
	if (r) {
		xc->vdev->config->del_vqs(xc->vdev);
		xcan_free_all(xc);
		return r;
	}
	xcan_post_spares(xc);
	return 0;
}

void xcan_rings_close(struct xcan_device *xc)
{
	unsigned int i;

	for (i = 0; i < XCAN_QUEUES; i++)
		while (virtqueue_detach_unused_buf(xc->vq[i]))
			;
	xc->vdev->config->del_vqs(xc->vdev);
	xcan_free_all(xc);
}
