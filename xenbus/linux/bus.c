// SPDX-License-Identifier: GPL-2.0-only
/*
 * The xenbus device: which domains may serve one, and what follows what in its life.
 *
 * One function, xdd_step(), looks at what the back end says now and at our own phase. It
 * runs in a work queue, one at a time for a device, since registering a virtio device
 * waits for its driver: that is nothing for the thread that delivers xenstore's watches.
 *
 * Invariants:
 *  1. a device of a domain that `backends` does not list is not touched: no grant, no
 *     event channel, no key, no state;
 *  2. phases follow each other as xdd_phases says;
 *  3. after Initialised, the next Initialised stands behind the back end's Closed and its
 *     InitWait;
 *  4. grants end when the back end said Closed, or did not within timeout_ms: then the
 *     kernel keeps what is in use (invariant 3 of xdd-virtio.h).
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_ids.h>
#include <xen/platform_pci.h>
#include <xen/xen.h>

#include "xdd-virtio.h"

#define XDD_BACKENDS	16
#define XDD_PAUSE	HZ	/* before a device begins anew; and between two looks */

static unsigned short backends[XDD_BACKENDS];
static unsigned int backends_count;
module_param_array(backends, ushort, &backends_count, 0644);
MODULE_PARM_DESC(backends, "domids that may serve devices (none unless told)");

unsigned int xdd_pool_cap = 1024;
module_param_named(pool_pages, xdd_pool_cap, uint, 0444);
MODULE_PARM_DESC(pool_pages, "the most pages of 4 KiB that a device's pool may have");

static unsigned int timeout_ms = 30000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "how long an answer of a back end is waited for");

struct workqueue_struct *xdd_wq;

#define TO(phase) (1u << XDD_##phase)

static const struct {
	const char *name;
	unsigned int next;
} xdd_phases[XDD_PHASES] = {
	[XDD_REFUSED] = { "refused", 0 },
	[XDD_AWAY] = { "closed", TO(WAITING) | TO(FAILED) },
	[XDD_WAITING] = { "waiting", TO(OFFERED) | TO(FAILED) | TO(AWAY) },
	[XDD_OFFERED] = { "offered", TO(UP) | TO(FAILED) | TO(AWAY) },
	[XDD_UP] = { "up", TO(AWAY) | TO(FAILED) },
	[XDD_FAILED] = { "failed", TO(AWAY) },
};

static const struct xdd_kind {
	const char *name;
	u32 device_id;
} xdd_kinds[] = {
	{ "vmsg_net", VIRTIO_ID_NET },
	{ "vmsg_blk", VIRTIO_ID_BLOCK },
	{ "vmsg_displ", VIRTIO_ID_GPU },
	{ "vmsg_snd", VIRTIO_ID_SOUND },
	{ "vmsg_can", VIRTIO_ID_CAN },
};

static const struct xenbus_device_id xdd_ids[] = {
	{ "vmsg_net" },
	{ "vmsg_blk" },
	{ "vmsg_displ" },
	{ "vmsg_snd" },
	{ "vmsg_can" },
	{ "" },
};

const char *xdd_phase_name(enum xdd_phase phase)
{
	return xdd_phases[phase].name;
}

unsigned long xdd_timeout(void)
{
	return msecs_to_jiffies(max(READ_ONCE(timeout_ms), 1000U));
}

static void xdd_move(struct xdd_device *xd, enum xdd_phase next)
{
	WARN_ON_ONCE(!(xdd_phases[xd->phase].next & (1u << next)));
	WRITE_ONCE(xd->phase, next);
}

static enum xenbus_state xdd_backend_state(const struct xdd_device *xd)
{
	return xenbus_read_driver_state(xd->backend);
}

static bool xdd_is_closed(enum xenbus_state state)
{
	return state == XenbusStateClosed || state == XenbusStateUnknown;
}

static bool xdd_allowed(domid_t domid)
{
	bool allowed = false;
	unsigned int i;

	kernel_param_lock(THIS_MODULE);
	for (i = 0; i < backends_count; i++)
		if (backends[i] == domid)
			allowed = true;
	kernel_param_unlock(THIS_MODULE);
	return allowed;
}

static u32 xdd_device_id(const char *kind)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(xdd_kinds); i++)
		if (!strcmp(xdd_kinds[i].name, kind))
			return xdd_kinds[i].device_id;
	return 0;
}

/* Says Closed, and waits for the back end's: nothing of ours is mapped any more. */
static void xdd_await_closed(struct xdd_device *xd)
{
	unsigned long limit = jiffies + xdd_timeout();

	xenbus_frontend_closed(xd->xdev);
	while (!xdd_is_closed(xdd_backend_state(xd))) {
		if (time_after(jiffies, limit)) {
			dev_warn(&xd->xdev->dev, "the back end does not close\n");
			break;
		}
		msleep(20);
	}
}

/* From wherever it is to Closed, with nothing granted. */
static void xdd_shut(struct xdd_device *xd)
{
	if (xd->serving && !READ_ONCE(xd->gone))
		xenbus_switch_state(xd->xdev, XenbusStateClosing);
	xdd_transport_stop(xd);
	/* From here on nobody says any more that it has gone. */
	spin_lock_irq(&xd->vq_lock);
	xd->serving = false;
	spin_unlock_irq(&xd->vq_lock);
	cancel_delayed_work_sync(&xd->orphans);
	if (xd->resumed)
		xenbus_frontend_closed(xd->xdev);
	else
		xdd_await_closed(xd);
	xdd_disconnect(xd);
}

static void xdd_away(struct xdd_device *xd)
{
	xdd_shut(xd);
	xdd_move(xd, XDD_AWAY);
	if (!xd->leaving)
		queue_delayed_work(xdd_wq, &xd->step, XDD_PAUSE);
}

static void xdd_fail(struct xdd_device *xd)
{
	xdd_shut(xd);
	xdd_move(xd, XDD_FAILED);
}

static void xdd_step_away(struct xdd_device *xd, enum xenbus_state state)
{
	bool online = xenbus_read_unsigned(xd->backend, "online", 0);

	if (state != XenbusStateClosed || !online)
		return;
	xdd_move(xd, XDD_WAITING);
	xenbus_switch_state(xd->xdev, XenbusStateInitialising);
	queue_delayed_work(xdd_wq, &xd->step, 0);
}

static void xdd_step_waiting(struct xdd_device *xd, enum xenbus_state state)
{
	if (state != XenbusStateInitWait)
		return;
	if (xdd_connect(xd)) {
		xdd_fail(xd);
		return;
	}
	xdd_move(xd, XDD_OFFERED);
	xenbus_switch_state(xd->xdev, XenbusStateInitialised);
}

static void xdd_step_offered(struct xdd_device *xd, enum xenbus_state state)
{
	if (state == XenbusStateClosing || xdd_is_closed(state)) {
		xdd_away(xd);
		return;
	}
	if (state != XenbusStateConnected)
		return;
	spin_lock_irq(&xd->vq_lock);
	xd->gone = false;
	xd->serving = true;
	spin_unlock_irq(&xd->vq_lock);
	xenbus_switch_state(xd->xdev, XenbusStateConnected);
	if (xdd_transport_start(xd)) {
		if (READ_ONCE(xd->gone))
			xdd_away(xd);
		else
			xdd_fail(xd);
		return;
	}
	xdd_move(xd, XDD_UP);
	dev_info(&xd->xdev->dev, "served by domain %u, memory by %s\n", xd->backend_id,
		 xd->memory->name);
}

static void xdd_step_up(struct xdd_device *xd, enum xenbus_state state)
{
	if (READ_ONCE(xd->gone) || state == XenbusStateClosing || xdd_is_closed(state))
		xdd_away(xd);
}

static void xdd_leave(struct xdd_device *xd)
{
	if (xd->phase != XDD_AWAY && xd->phase != XDD_FAILED)
		xdd_shut(xd);
	complete(&xd->left);
}

static void xdd_step(struct work_struct *work)
{
	struct xdd_device *xd =
		container_of(to_delayed_work(work), struct xdd_device, step);
	enum xenbus_state state = xdd_backend_state(xd);

	if (READ_ONCE(xd->leaving)) {
		xdd_leave(xd);
		return;
	}
	if (READ_ONCE(xd->resumed) && xd->phase != XDD_FAILED) {
		dev_warn(&xd->xdev->dev, "closed, since this domain was restored: bind it again\n");
		xdd_fail(xd);
	}
	switch (xd->phase) {
	case XDD_AWAY:
		xdd_step_away(xd, state);
		break;
	case XDD_WAITING:
		xdd_step_waiting(xd, state);
		break;
	case XDD_OFFERED:
		xdd_step_offered(xd, state);
		break;
	case XDD_UP:
		xdd_step_up(xd, state);
		break;
	case XDD_FAILED:
		/* Only another device in its place is a reason to begin anew. */
		if (state == XenbusStateUnknown && !xd->resumed)
			xdd_move(xd, XDD_AWAY);
		break;
	case XDD_REFUSED:
	case XDD_PHASES:
		break;
	}
}

/*
 * A back end that says Closed, or has no directory, answers nothing any more, even if it
 * comes back. Whoever waits for it is to know at once.
 */
static void xdd_notice(struct xdd_device *xd, enum xenbus_state state)
{
	unsigned long flags;

	if (!xdd_is_closed(state))
		return;
	spin_lock_irqsave(&xd->vq_lock, flags);
	if (xd->serving)
		xdd_gone(xd);
	spin_unlock_irqrestore(&xd->vq_lock, flags);
}

static void xdd_otherend_changed(struct xenbus_device *xdev, enum xenbus_state state)
{
	struct xdd_device *xd = dev_get_drvdata(&xdev->dev);

	if (xd->phase == XDD_REFUSED)
		return;
	xdd_notice(xd, state);
	queue_delayed_work(xdd_wq, &xd->step, 0);
}

/* A device that was never touched begins at Initialising; one that was goes by Closed. */
static void xdd_begin(struct xdd_device *xd)
{
	if (xenbus_read_driver_state(xd->xdev->nodename) == XenbusStateInitialising) {
		xd->phase = XDD_WAITING;
		xd->xdev->state = XenbusStateInitialising;
		return;
	}
	xd->phase = XDD_AWAY;
	xenbus_switch_state(xd->xdev, XenbusStateClosed);
}

static void xdd_refuse(struct xdd_device *xd)
{
	xd->phase = XDD_REFUSED;
	/* Ours alone, not xenstore's: a module's start waits for devices that connect. */
	xd->xdev->state = XenbusStateClosed;
	dev_warn(&xd->xdev->dev,
		 "refused: domain %u is not among xdd_virtio.backends\n", xd->backend_id);
}

static int xdd_probe(struct xenbus_device *xdev, const struct xenbus_device_id *id)
{
	struct xdd_device *xd;

	xd = kzalloc(sizeof(*xd), GFP_KERNEL);
	if (!xd)
		return -ENOMEM;
	xd->backend = kstrdup(xdev->otherend, GFP_KERNEL);
	if (!xd->backend) {
		kfree(xd);
		return -ENOMEM;
	}
	xd->xdev = xdev;
	xd->backend_id = xdev->otherend_id;
	xd->device_id = xdd_device_id(id->devicetype);
	INIT_DELAYED_WORK(&xd->step, xdd_step);
	init_completion(&xd->left);
	spin_lock_init(&xd->vq_lock);
	xdd_control_init(xd);
	xdd_orphans_init(xd);
	dev_set_drvdata(&xdev->dev, xd);
	if (xdd_allowed(xd->backend_id))
		xdd_begin(xd);
	else
		xdd_refuse(xd);
	return 0;
}

/*
 * No watch fires while this runs, and if it is the watches' thread that runs it, none of
 * any device: so the back end is looked at from here.
 */
static void xdd_remove(struct xenbus_device *xdev)
{
	struct xdd_device *xd = dev_get_drvdata(&xdev->dev);

	if (xd->phase != XDD_REFUSED) {
		WRITE_ONCE(xd->leaving, true);
		mod_delayed_work(xdd_wq, &xd->step, 0);
		while (!wait_for_completion_timeout(&xd->left, XDD_PAUSE))
			xdd_notice(xd, xdd_backend_state(xd));
		cancel_delayed_work_sync(&xd->step);
		cancel_delayed_work_sync(&xd->orphans);
	}
	dev_set_drvdata(&xdev->dev, NULL);
	kfree(xd->backend);
	kfree(xd);
}

/*
 * After a restore no grant and no port is what it was, and the back end may be another: the
 * device is closed, and somebody has to bind it anew.
 */
static int xdd_resume(struct xenbus_device *xdev)
{
	struct xdd_device *xd = dev_get_drvdata(&xdev->dev);

	if (xd->phase == XDD_REFUSED)
		return 0;
	WRITE_ONCE(xd->resumed, true);
	xdd_notice(xd, XenbusStateUnknown);
	queue_delayed_work(xdd_wq, &xd->step, 0);
	return 0;
}

static struct xenbus_driver xdd_driver = {
	.name = "xdd_virtio",
	.ids = xdd_ids,
	.probe = xdd_probe,
	.remove = xdd_remove,
	.otherend_changed = xdd_otherend_changed,
	.resume = xdd_resume,
	.allow_rebind = true,	/* what Closed means is for us to say */
	.not_essential = true,	/* a client boots without its driver domain */
	.driver.dev_groups = xdd_counter_groups,
};

static int __init xdd_init(void)
{
	int r;

	if (!xen_domain() || !xen_has_pv_devices())
		return -ENODEV;
	xdd_wq = alloc_workqueue("xdd_virtio", WQ_UNBOUND, 0);
	if (!xdd_wq)
		return -ENOMEM;
	r = xenbus_register_frontend(&xdd_driver);
	if (r)
		destroy_workqueue(xdd_wq);
	return r;
}

static void __exit xdd_exit(void)
{
	xenbus_unregister_driver(&xdd_driver);
	xdd_transport_drain();
	destroy_workqueue(xdd_wq);
}

module_init(xdd_init);
module_exit(xdd_exit);

MODULE_DESCRIPTION("virtio devices of a Xen driver domain, over granted memory");
MODULE_AUTHOR("The xdd project");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen:vmsg_net");
MODULE_ALIAS("xen:vmsg_blk");
MODULE_ALIAS("xen:vmsg_displ");
MODULE_ALIAS("xen:vmsg_snd");
MODULE_ALIAS("xen:vmsg_can");
