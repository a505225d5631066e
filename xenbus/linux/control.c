// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control page: two queues of messages, requests and their answers.
 *
 * It knows how messages travel, not what they mean: that is transport.c's.
 *
 * Invariants:
 *  1. one request is out at a time, so an answer belongs to it or to nobody;
 *  2. what the device put is copied word by word, once, before it is looked at;
 *  3. one call takes at most as many messages as the queue has slots;
 *  4. a request is put a second time only if the first was taken: until then it is still
 *     there, for this back end or for its successor.
 */
#include <linux/jiffies.h>
#include <linux/string.h>
#include <xen/events.h>

#include "xdd-virtio.h"

#define XDD_SLOTS		16
#define XDD_DRIVER_PUT		0x000
#define XDD_DRIVER_TAKEN	0x040
#define XDD_DEVICE_PUT		0x080
#define XDD_DEVICE_TAKEN	0x0c0
#define XDD_DRIVER_SLOTS	0x100
#define XDD_DEVICE_SLOTS	0x500

#define XDD_EVENT_CONFIG_BYTES	16

#define XDD_SLICE		HZ	/* how long to wait before looking again */
#define XDD_PATIENCE		(5 * HZ)

static __le32 *xdd_index(struct xdd_device *xd, unsigned int at)
{
	return xd->page + at;
}

static void *xdd_slot(struct xdd_device *xd, unsigned int slots, u32 index)
{
	return xd->page + slots + index % XDD_SLOTS * XDD_MSG_BYTES;
}

void xdd_control_init(struct xdd_device *xd)
{
	mutex_init(&xd->asking);
	spin_lock_init(&xd->msg_lock);
	init_waitqueue_head(&xd->answered);
}

void xdd_control_reset(struct xdd_device *xd)
{
	xd->put = 0;
	xd->taken = 0;
	xd->question = NULL;
}

/* Messages of ours that the device has not taken. Can be any number: it says so. */
static u32 xdd_waiting(struct xdd_device *xd)
{
	/* Taken before the slot is filled again; pairs with the device's store. */
	return xd->put - le32_to_cpu(virt_load_acquire(xdd_index(xd, XDD_DRIVER_TAKEN)));
}

static bool xdd_put(struct xdd_device *xd, const struct xdd_msg *msg)
{
	if (xdd_waiting(xd) >= XDD_SLOTS)
		return false;
	memcpy(xdd_slot(xd, XDD_DRIVER_SLOTS, xd->put), msg, sizeof(*msg));
	/* The slot before the index; pairs with the device's load. */
	virt_store_release(xdd_index(xd, XDD_DRIVER_PUT), cpu_to_le32(++xd->put));
	notify_remote_via_irq(xd->irq);
	return true;
}

/* Whether this answers what was asked. */
static bool xdd_is_answer(const struct xdd_device *xd, const struct xdd_msg *msg)
{
	const struct xdd_question *question = xd->question;
	unsigned int size = le16_to_cpu(msg->size);

	if (!question || msg->type != XDD_ANSWER || msg->id != question->id ||
	    le16_to_cpu(msg->token) != xd->token)
		return false;
	return size == XDD_MSG_HEADER + question->answer ||
	       (question->refusal && size == XDD_MSG_HEADER + question->refusal);
}

static bool xdd_is_config_event(const struct xdd_msg *msg)
{
	return msg->type == XDD_REQUEST && msg->id == XDD_EVENT_CONFIG &&
	       le16_to_cpu(msg->size) == XDD_MSG_HEADER + XDD_EVENT_CONFIG_BYTES;
}

static void xdd_receive_one(struct xdd_device *xd, const struct xdd_msg *msg,
			    bool *config)
{
	if (msg->dev_num == 0 && xdd_is_answer(xd, msg)) {
		xd->answer = *msg;
		WRITE_ONCE(xd->question, NULL);
		wake_up_all(&xd->answered);
	} else if (msg->dev_num == 0 && xdd_is_config_event(msg)) {
		*config = true;
	} else {
		atomic_long_inc(&xd->count.dropped);
	}
}

static void xdd_copy_slot(struct xdd_device *xd, u32 index, struct xdd_msg *msg)
{
	const u64 *from = xdd_slot(xd, XDD_DEVICE_SLOTS, index);
	u64 *to = (u64 *)msg;
	unsigned int i;

	for (i = 0; i < sizeof(*msg) / sizeof(*to); i++)
		to[i] = READ_ONCE(from[i]);
}

bool xdd_receive(struct xdd_device *xd, bool *config)
{
	struct xdd_msg msg;
	unsigned long flags;
	u32 put, count;

	*config = false;
	spin_lock_irqsave(&xd->msg_lock, flags);
	/* The index before the slots; pairs with the device's store. */
	put = le32_to_cpu(virt_load_acquire(xdd_index(xd, XDD_DEVICE_PUT)));
	count = put - xd->taken;
	if (count > XDD_SLOTS) {
		atomic_long_inc(&xd->count.dropped);
		xd->taken = put;
	}
	for (; xd->taken != put; xd->taken++) {
		xdd_copy_slot(xd, xd->taken, &msg);
		xdd_receive_one(xd, &msg, config);
	}
	if (count)
		/* The slots before the index; pairs with the device's load. */
		virt_store_release(xdd_index(xd, XDD_DEVICE_TAKEN), cpu_to_le32(put));
	spin_unlock_irqrestore(&xd->msg_lock, flags);
	return count != 0;
}

static void xdd_expect(struct xdd_device *xd, const struct xdd_question *question,
		       struct xdd_msg *msg)
{
	unsigned long flags;

	spin_lock_irqsave(&xd->msg_lock, flags);
	if (++xd->token == 0)
		xd->token = 1;
	xd->question = question;
	spin_unlock_irqrestore(&xd->msg_lock, flags);

	msg->type = XDD_REQUEST;
	msg->id = question->id;
	msg->dev_num = 0;
	msg->token = cpu_to_le16(xd->token);
	msg->size = cpu_to_le16(XDD_MSG_HEADER + question->bytes);
	memset(msg->b + question->bytes, 0, sizeof(msg->b) - question->bytes);
}

/* True if the answer is there; nothing is expected any more either way. */
static bool xdd_conclude(struct xdd_device *xd, struct xdd_msg *msg)
{
	unsigned long flags;
	bool answered;

	spin_lock_irqsave(&xd->msg_lock, flags);
	answered = !xd->question;
	if (answered)
		*msg = xd->answer;
	xd->question = NULL;
	spin_unlock_irqrestore(&xd->msg_lock, flags);
	return answered;
}

static bool xdd_over(struct xdd_device *xd)
{
	return !READ_ONCE(xd->question) || READ_ONCE(xd->gone);
}

/*
 * Puts the question, and again where that is needed, until it is answered or time is up.
 * False: taken, not answered, and not to be put again.
 */
static bool xdd_press(struct xdd_device *xd, const struct xdd_question *question,
		      const struct xdd_msg *msg)
{
	unsigned long start = jiffies, limit = xdd_timeout();
	bool put = false, said = false, config;

	while (!xdd_over(xd) && time_before(jiffies, start + limit)) {
		if (!put)
			put = xdd_put(xd, msg);
		if (wait_event_timeout(xd->answered, xdd_over(xd), XDD_SLICE))
			break;
		/* An answer stands before its request counts as taken. */
		if (put && !xdd_waiting(xd)) {
			xdd_receive(xd, &config);
			if (config)
				xdd_transport_config(xd);
			if (question->once && !xdd_over(xd))
				return false;
			put = false;
		} else {
			notify_remote_via_irq(xd->irq);
		}
		if (!said && time_after(jiffies, start + XDD_PATIENCE)) {
			said = true;
			dev_info(&xd->xdev->dev, "waiting for the back end (message %#x)\n",
				 question->id);
		}
	}
	return true;
}

int xdd_ask(struct xdd_device *xd, const struct xdd_question *question,
	    struct xdd_msg *msg)
{
	struct xdd_msg request = *msg;
	bool may_ask_again;
	int r = 0;

	mutex_lock(&xd->asking);
	xdd_expect(xd, question, &request);
	may_ask_again = xdd_press(xd, question, &request);
	if (!xdd_conclude(xd, msg)) {
		r = !may_ask_again ? -EAGAIN : -ETIMEDOUT;
		if (READ_ONCE(xd->gone))
			r = -ENODEV;
	}
	mutex_unlock(&xd->asking);
	if (r == -ETIMEDOUT)
		dev_err(&xd->xdev->dev, "no answer from the back end (message %#x)\n",
			question->id);
	return r;
}
