// SPDX-License-Identifier: GPL-2.0-only
/*
 * START and STOP: one message out at a time, and an end to the waiting.
 *
 * A back end that is replaced answers late, and its successor is the one who does. One that
 * never answers keeps the message (invariant 1 of virtio-can.h): from then on it is asked
 * nothing, and whoever wants to is told so at once, until the answer comes after all.
 */
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>

#include "virtio-can.h"

static unsigned int timeout_ms = 10000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "how long START and STOP are waited for");

static unsigned long xcan_timeout(void)
{
	return msecs_to_jiffies(clamp(READ_ONCE(timeout_ms), 100U, 600000U));
}

void xcan_answer(struct virtqueue *vq)
{
	struct xcan_device *xc = vq->vdev->priv;

	wake_up(&xc->answered);
}

/* Nothing is out, or will never come back. @mode is held, so one alone looks. */
static bool xcan_answered(struct xcan_device *xc)
{
	struct virtqueue *vq = xc->vq[XCAN_CONTROL];

	if (xc->asked && virtqueue_get_buf(vq, &xc->answer))
		xc->asked = false;
	return !xc->asked || virtqueue_is_broken(vq);
}

static int xcan_put(struct xcan_device *xc, u16 type)
{
	__le16 *message = xcan_cell(&xc->out, xc->slots);
	u8 *result = xcan_cell(&xc->in, xc->slots);
	struct scatterlist out, in, *both[] = { &out, &in };
	int r;

	*message = cpu_to_le16(type);
	*result = ~XCAN_RESULT_OK;
	sg_init_one(&out, message, sizeof(*message));
	sg_init_one(&in, result, sizeof(*result));
	r = virtqueue_add_sgs(xc->vq[XCAN_CONTROL], both, 1, 1, xc, GFP_KERNEL);
	if (r)
		return r;
	xc->asked = true;
	virtqueue_kick(xc->vq[XCAN_CONTROL]);
	return 0;
}

int xcan_ask(struct xcan_device *xc, u16 type)
{
	const char *what = type == XCAN_MSG_START ? "start" : "stop";
	const u8 *result;

	if (!xc->ready)
		return -EIO;
	/* It may have answered what we gave up waiting for. */
	xcan_answered(xc);
	if (xc->asked || xcan_put(xc, type)) {
		netdev_err(xc->netdev, "the device cannot be told to %s\n", what);
		return -EIO;
	}
	wait_event_timeout(xc->answered, xcan_answered(xc), xcan_timeout());
	if (xc->asked) {
		netdev_err(xc->netdev, "no answer from the device, told to %s\n", what);
		return -ETIMEDOUT;
	}
	result = xcan_cell(&xc->in, xc->slots);
	if (xc->answer < sizeof(*result) || READ_ONCE(*result) != XCAN_RESULT_OK) {
		netdev_err(xc->netdev, "the device refuses to %s\n", what);
		return -EIO;
	}
	return 0;
}
