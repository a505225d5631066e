// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network device: SocketCAN's can0, that is started, stopped, and goes bus-off.
 *
 * The bus is the driver domain's: there is no bit timing to be set, and none is asked for.
 * What a controller would tell of errors below bus-off, this wire does not carry.
 *
 * Invariants:
 *  1. frames are taken from the network exactly while the device has said that it started
 *     and neither was told to stop nor went bus-off;
 *  2. when the CAN core throws echoes away (a restart, a close) there are none, see
 *     can-rings.c;
 *  3. the carrier is off while bus-off: the CAN core of 6.1 stops the kernel over a
 *     restart that finds it on.
 */
#include <linux/can/error.h>
#include <linux/ethtool.h>
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "virtio-can.h"

int xcan_start(struct xcan_device *xc)
{
	int r;

	/* The device may hear something before we hear that it started. */
	WRITE_ONCE(xc->hearing, true);
	r = xcan_ask(xc, XCAN_MSG_START);
	if (r)
		return r;
	xc->started_at = jiffies;
	xc->can.state = CAN_STATE_ERROR_ACTIVE;
	xcan_sending(xc, true);
	/* What it told before this was taken for the bus-off that the start ends. */
	xcan_look_later(xc, 0);
	return 0;
}

void xcan_halt(struct xcan_device *xc)
{
	xcan_sending(xc, false);
	if (xc->ready)
		xcan_sent(xc);
	xcan_abandon(xc);
}

void xcan_bus_off(struct xcan_device *xc)
{
	struct can_frame *frame;
	struct sk_buff *skb;

	xcan_halt(xc);
	skb = alloc_can_err_skb(xc->netdev, &frame);
	can_change_state(xc->netdev, frame, CAN_STATE_BUS_OFF, CAN_STATE_BUS_OFF);
	if (skb)
		netif_rx(skb);
	can_bus_off(xc->netdev);
}

/* The CAN core's checks, which want bit rates that are known. */
static int xcan_open_candev(struct xcan_device *xc)
{
	int r;

	xc->can.data_bittiming.bitrate = CAN_BITRATE_UNKNOWN;
	r = open_candev(xc->netdev);
	/* It would be shown as if it were one. */
	xc->can.data_bittiming.bitrate = CAN_BITRATE_UNSET;
	return r;
}

static int xcan_net_open(struct net_device *netdev)
{
	struct xcan_device *xc = netdev_priv(netdev);
	int r = xcan_open_candev(xc);

	if (r)
		return r;
	mutex_lock(&xc->mode);
	r = xcan_start(xc);
	xc->up = !r;
	if (r)
		WRITE_ONCE(xc->hearing, false);
	mutex_unlock(&xc->mode);
	if (r)
		close_candev(netdev);
	return r;
}

static int xcan_net_stop(struct net_device *netdev)
{
	struct xcan_device *xc = netdev_priv(netdev);

	mutex_lock(&xc->mode);
	xc->up = false;
	xcan_sending(xc, false);
	/* What was sent before comes home before the answer; then nothing is owed. */
	xcan_ask(xc, XCAN_MSG_STOP);
	xcan_halt(xc);
	WRITE_ONCE(xc->hearing, false);
	xc->can.state = CAN_STATE_STOPPED;
	mutex_unlock(&xc->mode);
	/* Waits for a restart under way, which may wait for the mutex. */
	close_candev(netdev);
	return 0;
}

/* A restart that failed: the CAN core would let it be, even if it is to restart. */
static void xcan_restart_failed(struct xcan_device *xc)
{
	netif_carrier_off(xc->netdev);
	if (xc->can.restart_ms)
		schedule_delayed_work(&xc->can.restart_work,
				      max_t(unsigned long, HZ,
					    msecs_to_jiffies(xc->can.restart_ms)));
}

/* The CAN core's restart after bus-off. */
static int xcan_set_mode(struct net_device *netdev, enum can_mode mode)
{
	struct xcan_device *xc = netdev_priv(netdev);
	int r;

	if (mode != CAN_MODE_START)
		return -EOPNOTSUPP;
	mutex_lock(&xc->mode);
	r = -ENETDOWN;
	if (xc->up) {
		r = xcan_start(xc);
		if (r)
			xcan_restart_failed(xc);
	}
	mutex_unlock(&xc->mode);
	return r;
}

static const struct net_device_ops xcan_net_ops = {
	.ndo_open = xcan_net_open,
	.ndo_stop = xcan_net_stop,
	.ndo_start_xmit = xcan_xmit,
	.ndo_change_mtu = can_change_mtu,
};

static const struct ethtool_ops xcan_ethtool_ops = {
	.get_ts_info = ethtool_op_get_ts_info,
};

int xcan_net_init(struct xcan_device *xc)
{
	struct net_device *netdev = xc->netdev;

	netdev->netdev_ops = &xcan_net_ops;
	netdev->ethtool_ops = &xcan_ethtool_ops;
	netdev->flags |= IFF_ECHO;
	xc->can.bittiming.bitrate = CAN_BITRATE_UNKNOWN;
	xc->can.do_set_mode = xcan_set_mode;
	netif_napi_add(netdev, &xc->napi, xcan_poll);
	if (!xc->classic)
		return can_set_static_ctrlmode(netdev, CAN_CTRLMODE_FD);
	if (xc->fd)
		xc->can.ctrlmode_supported = CAN_CTRLMODE_FD;
	return 0;
}
