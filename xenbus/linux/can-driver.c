// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio driver: probe and remove, and what the device says of itself.
 *
 * The device says that something changed from an interrupt. What, is asked in a work
 * queue, since a transport may have to wait for it; and as it stands then, so that it does
 * not matter how often it changed.
 *
 * A device that asks for a reset gets one, and goes on as it was: stopped, started, or
 * bus-off. Frames that were under way are lost, and counted.
 *
 * Invariants:
 *  1. between xcan_begin() and xcan_end() the device may use the virtqueues and xcan_poll()
 *     may run; outside of it neither;
 *  2. a device is reset at most once a second, and goes bus-off at most ten times,
 *     whatever it asks for;
 *  3. nothing is scheduled once `leaving` is set.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "compat.h"
#include "virtio-can.h"

#define XCAN_RESET_PAUSE	HZ		/* from one to the next */
#define XCAN_BUS_OFF_PAUSE	(HZ / 10)	/* from a start to the next bus-off */

void xcan_look_later(struct xcan_device *xc, unsigned long delay)
{
	unsigned long flags;

	spin_lock_irqsave(&xc->look_lock, flags);
	if (!xc->leaving && !delay)
		mod_delayed_work(system_wq, &xc->look, 0);
	else if (!xc->leaving)
		queue_delayed_work(system_wq, &xc->look, delay);
	spin_unlock_irqrestore(&xc->look_lock, flags);
}

static void xcan_config_changed(struct virtio_device *vdev)
{
	xcan_look_later(vdev->priv, 0);
}

static int xcan_begin(struct xcan_device *xc)
{
	int r = xcan_rings_open(xc);

	if (r)
		return r;
	virtio_device_ready(xc->vdev);
	napi_enable(&xc->napi);
	xc->ready = true;
	/* Tells of the buffers, too. */
	xcan_nudge(xc);
	return 0;
}

static void xcan_end(struct xcan_device *xc)
{
	if (!xc->ready)
		return;
	xcan_halt(xc);
	xc->ready = false;
	napi_disable(&xc->napi);
	cancel_delayed_work_sync(&xc->refill);
	virtio_reset_device(xc->vdev);
	xcan_rings_close(xc);
}

/* After xcan_begin(), as it was before xcan_end(). */
static void xcan_go_on(struct xcan_device *xc)
{
	if (xc->up && xc->can.state != CAN_STATE_BUS_OFF && xcan_start(xc))
		xcan_bus_off(xc);
}

/* What virtio's core did before probe(). */
static int xcan_negotiate(struct virtio_device *vdev)
{
	int r;

	virtio_add_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	virtio_add_status(vdev, VIRTIO_CONFIG_S_DRIVER);
	r = vdev->config->finalize_features(vdev);
	if (r)
		return r;
	virtio_add_status(vdev, VIRTIO_CONFIG_S_FEATURES_OK);
	return vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_FEATURES_OK ? 0 : -ENODEV;
}

static void xcan_reset(struct xcan_device *xc)
{
	int r;

	netdev_warn(xc->netdev, "the device asks for a reset\n");
	xc->reset_at = jiffies;
	xcan_end(xc);
	r = xcan_negotiate(xc->vdev);
	if (!r)
		r = xcan_begin(xc);
	if (r) {
		netdev_err(xc->netdev, "the device did not survive it: %d\n", r);
		virtio_add_status(xc->vdev, VIRTIO_CONFIG_S_FAILED);
	}
	xcan_go_on(xc);
}

/* False, and a look later: it is too early for what the device says. */
static bool xcan_may(struct xcan_device *xc, unsigned long since, unsigned long pause)
{
	if (time_after_eq(jiffies, since + pause))
		return true;
	xcan_look_later(xc, pause);
	return false;
}

static void xcan_look(struct work_struct *work)
{
	struct xcan_device *xc =
		container_of(to_delayed_work(work), struct xcan_device, look);
	struct virtio_device *vdev = xc->vdev;
	u16 status = 0;

	mutex_lock(&xc->mode);
	if (!xc->ready)
		goto out;
	if (vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET) {
		if (xcan_may(xc, xc->reset_at, XCAN_RESET_PAUSE))
			xcan_reset(xc);
		goto out;
	}
	virtio_cread_le(vdev, struct xcan_config, status, &status);
	if ((status & XCAN_BUS_OFF) && xc->up && xc->can.state != CAN_STATE_BUS_OFF &&
	    xcan_may(xc, xc->started_at, XCAN_BUS_OFF_PAUSE))
		xcan_bus_off(xc);
out:
	mutex_unlock(&xc->mode);
}

static int xcan_validate(struct virtio_device *vdev)
{
	if (!vdev->config->get || !virtio_has_feature(vdev, VIRTIO_F_VERSION_1))
		return -ENODEV;
	if (!virtio_has_feature(vdev, XCAN_F_CLASSIC)) {
		if (!virtio_has_feature(vdev, XCAN_F_FD))
			return -ENODEV;
		__virtio_clear_bit(vdev, XCAN_F_RTR);
	}
	return 0;
}

static int xcan_init(struct xcan_device *xc, struct virtio_device *vdev,
		     struct net_device *netdev)
{
	xc->vdev = vdev;
	xc->netdev = netdev;
	xc->classic = virtio_has_feature(vdev, XCAN_F_CLASSIC);
	xc->fd = virtio_has_feature(vdev, XCAN_F_FD);
	xc->rtr = virtio_has_feature(vdev, XCAN_F_RTR);
	xc->reset_at = jiffies;
	mutex_init(&xc->mode);
	init_waitqueue_head(&xc->answered);
	spin_lock_init(&xc->tx_lock);
	spin_lock_init(&xc->look_lock);
	INIT_DELAYED_WORK(&xc->look, xcan_look);
	INIT_DELAYED_WORK(&xc->refill, xcan_refill);
	return xcan_net_init(xc);
}

static void xcan_leave(struct xcan_device *xc)
{
	spin_lock_irq(&xc->look_lock);
	xc->leaving = true;
	spin_unlock_irq(&xc->look_lock);
	cancel_delayed_work_sync(&xc->look);
	mutex_lock(&xc->mode);
	xcan_end(xc);
	mutex_unlock(&xc->mode);
	free_candev(xc->netdev);
}

static int xcan_probe(struct virtio_device *vdev)
{
	struct net_device *netdev;
	struct xcan_device *xc;
	int r;

	netdev = alloc_candev(sizeof(*xc), XCAN_TX_MAX);
	if (!netdev)
		return -ENOMEM;
	SET_NETDEV_DEV(netdev, &vdev->dev);
	xc = netdev_priv(netdev);
	vdev->priv = xc;
	r = xcan_init(xc, vdev, netdev);
	if (!r)
		r = xcan_begin(xc);
	if (!r)
		r = register_candev(netdev);
	if (r) {
		xcan_leave(xc);
		return r;
	}
	netdev_info(netdev, "virtio:%s%s%s%s, %u frames under way\n",
		    xc->classic ? " classic" : "", xc->fd ? " fd" : "",
		    xc->rtr ? " rtr" : "",
		    virtio_has_feature(vdev, XCAN_F_LATE_ACK) ? " late-ack" : "",
		    xc->slots);
	return 0;
}

static void xcan_remove(struct virtio_device *vdev)
{
	struct xcan_device *xc = vdev->priv;

	unregister_candev(xc->netdev);
	xcan_leave(xc);
}

static int __maybe_unused xcan_freeze(struct virtio_device *vdev)
{
	struct xcan_device *xc = vdev->priv;

	mutex_lock(&xc->mode);
	xcan_end(xc);
	mutex_unlock(&xc->mode);
	return 0;
}

static int __maybe_unused xcan_restore(struct virtio_device *vdev)
{
	struct xcan_device *xc = vdev->priv;
	int r;

	mutex_lock(&xc->mode);
	r = xcan_begin(xc);
	if (!r)
		xcan_go_on(xc);
	mutex_unlock(&xc->mode);
	return r;
}

static const unsigned int xcan_features[] = {
	XCAN_F_CLASSIC,
	XCAN_F_FD,
	XCAN_F_RTR,
	XCAN_F_LATE_ACK,
};

static const struct virtio_device_id xcan_ids[] = {
	{ VIRTIO_ID_CAN, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, xcan_ids);

static struct virtio_driver xcan_driver = {
	.driver.name = "virtio_can",
	.driver.owner = THIS_MODULE,
	.feature_table = xcan_features,
	.feature_table_size = ARRAY_SIZE(xcan_features),
	.id_table = xcan_ids,
	.validate = xcan_validate,
	.probe = xcan_probe,
	.remove = xcan_remove,
	.config_changed = xcan_config_changed,
	XDD_DRIVER_PM(xcan_freeze, xcan_restore)
};

module_virtio_driver(xcan_driver);

MODULE_DESCRIPTION("CAN controllers over virtio");
MODULE_AUTHOR("The xdd project");
MODULE_LICENSE("GPL");
