// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is granted to the back end and told to it, from InitWait to Initialised, and how
 * all of that ends.
 *
 * It decides nothing about when: that is bus.c's. It sends no message.
 *
 * Invariants:
 *  1. everything is granted before a key tells of it, and the keys are written at once
 *     or not at all;
 *  2. the end undoes all that there is, in any state of the beginning;
 *  3. what the back end's keys say is compared with what is known, never taken over; a
 *     number is bounded by ours.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <xen/events.h>
#include <xen/page.h>

#include "xdd-virtio.h"

#define XDD_VERSION "1"

unsigned long xdd_frame(const void *address)
{
	struct page *page = is_vmalloc_addr(address) ? vmalloc_to_page(address) :
						       virt_to_page(address);

	return xen_page_to_gfn(page) + (offset_in_page(address) >> XEN_PAGE_SHIFT);
}

bool xdd_end_grant(struct xdd_device *xd, grant_ref_t ref)
{
	if (gnttab_try_end_foreign_access(ref))
		return true;
	atomic_long_inc(&xd->count.left);
	/* Without a page it takes a reference of its own to the one that is granted. */
	gnttab_end_foreign_access(ref, NULL);
	return false;
}

static irqreturn_t xdd_interrupt(int irq, void *data)
{
	/* Late, so that a back end that sends one event upon another is slowed down. */
	xen_irq_lateeoi(irq, xdd_transport_event(data) ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

/* Whether a list of numbers has one; spaces are no part of it. */
static bool xdd_listed(char *list, const char *wanted)
{
	char *word;

	while ((word = strsep(&list, ",")))
		if (!strcmp(word, wanted))
			return true;
	return false;
}

static char *xdd_key(struct xdd_device *xd, const char *name)
{
	char *value = xenbus_read(XBT_NIL, xd->backend, name, NULL);

	return IS_ERR(value) ? NULL : value;
}

/* What the back end offers, as far as it is known here. */
static const struct xdd_memory *xdd_offered(struct xdd_device *xd)
{
	const struct xdd_memory *memory = NULL;
	char *versions = xdd_key(xd, "versions"), *how = xdd_key(xd, "memory");

	if (versions && how && xdd_listed(versions, XDD_VERSION)) {
		if (!strcmp(how, xdd_memory_pool.name))
			memory = &xdd_memory_pool;
		else if (!strcmp(how, xdd_memory_grant.name))
			memory = &xdd_memory_grant;
	}
	kfree(versions);
	kfree(how);
	return memory;
}

static int xdd_open_page(struct xdd_device *xd)
{
	int ref;

	xd->page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!xd->page)
		return -ENOMEM;
	ref = gnttab_grant_foreign_access(xd->backend_id, xdd_frame(xd->page), 0);
	if (ref < 0) {
		free_page((unsigned long)xd->page);
		xd->page = NULL;
		return ref;
	}
	xd->page_ref = ref;
	atomic_long_inc(&xd->count.control_pages);
	xdd_control_reset(xd);
	return 0;
}

static void xdd_close_page(struct xdd_device *xd)
{
	if (!xd->page)
		return;
	if (!xdd_end_grant(xd, xd->page_ref))
		dev_warn(&xd->xdev->dev, "the back end still has the control page\n");
	atomic_long_dec(&xd->count.control_pages);
	free_page((unsigned long)xd->page);
	xd->page = NULL;
}

/* The events of the back end, and its port. */
static int xdd_open_events(struct xdd_device *xd, evtchn_port_t *port)
{
	int r;

	r = xenbus_alloc_evtchn(xd->xdev, port);
	if (r)
		return r;
	r = bind_evtchn_to_irqhandler_lateeoi(*port, xdd_interrupt, 0,
					      dev_name(&xd->xdev->dev), xd);
	if (r < 0) {
		xenbus_free_evtchn(xd->xdev, *port);
		return r;
	}
	xd->irq = r;
	return 0;
}

static void xdd_close_events(struct xdd_device *xd)
{
	if (xd->irq > 0)
		unbind_from_irqhandler(xd->irq, xd);
	xd->irq = 0;
}

/* The virtio device's parent says how memory is reached, before there is such a device. */
static int xdd_open_memory(struct xdd_device *xd, const struct xdd_memory *memory)
{
	struct device *dev = &xd->xdev->dev;
	int r;

	r = memory->open(xd);
	if (r)
		return r;
	WRITE_ONCE(xd->memory, memory);
	dev->dma_mask = &xd->dma_mask;
	set_dma_ops(dev, memory->ops);
	return dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
}

static void xdd_close_memory(struct xdd_device *xd)
{
	const struct xdd_memory *memory = xd->memory;
	struct device *dev = &xd->xdev->dev;

	if (!memory)
		return;
	set_dma_ops(dev, NULL);
	dev->dma_mask = NULL;
	WRITE_ONCE(xd->memory, NULL);
	memory->close(xd);
}

static int xdd_write_pool(struct xdd_device *xd, struct xenbus_transaction t)
{
	const struct xdd_pool *pool = &xd->pool;
	unsigned int i, done, count;
	char name[16];
	int r = 0;

	for (i = 0, done = 0; !r && done < pool->granted; i++, done += count) {
		count = min_t(unsigned int, pool->granted - done, XDD_POOL_RUN);
		snprintf(name, sizeof(name), "pool-ref%u", i);
		r = xenbus_printf(t, xd->xdev->nodename, name, "%u+%u", pool->first[i],
				  count);
	}
	return r;
}

static int xdd_write_keys(struct xdd_device *xd, struct xenbus_transaction t,
			  evtchn_port_t port)
{
	const char *node = xd->xdev->nodename;
	int r;

	r = xenbus_printf(t, node, "version", XDD_VERSION);
	if (!r)
		r = xenbus_printf(t, node, "memory", "%s", xd->memory->name);
	if (!r)
		r = xenbus_printf(t, node, "control-ref", "%u", xd->page_ref);
	if (!r)
		r = xenbus_printf(t, node, "event-channel", "%u", port);
	if (!r)
		r = xdd_write_pool(xd, t);
	return r;
}

static int xdd_publish(struct xdd_device *xd, evtchn_port_t port)
{
	struct xenbus_transaction t;
	int r;

	do {
		r = xenbus_transaction_start(&t);
		if (r)
			return r;
		r = xdd_write_keys(xd, t, port);
		if (r) {
			xenbus_transaction_end(t, 1);
			return r;
		}
		r = xenbus_transaction_end(t, 0);
	} while (r == -EAGAIN);
	return r;
}

/* A key of this life must not be read in the next. */
static void xdd_withdraw(struct xdd_device *xd)
{
	static const char *const keys[] = {
		"version", "memory", "control-ref", "event-channel",
	};
	const char *node = xd->xdev->nodename;
	char name[16];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		xenbus_rm(XBT_NIL, node, keys[i]);
	for (i = 0; i < XDD_POOL_RUNS; i++) {
		snprintf(name, sizeof(name), "pool-ref%u", i);
		if (xenbus_rm(XBT_NIL, node, name))
			break;
	}
}

int xdd_connect(struct xdd_device *xd)
{
	const struct xdd_memory *memory = xdd_offered(xd);
	evtchn_port_t port;
	int r;

	if (!memory) {
		dev_err(&xd->xdev->dev, "nothing that the back end offers is known here\n");
		return -EPROTONOSUPPORT;
	}
	r = xdd_open_page(xd);
	if (!r)
		r = xdd_open_events(xd, &port);
	if (!r)
		r = xdd_open_memory(xd, memory);
	if (!r)
		r = xdd_publish(xd, port);
	if (r) {
		dev_err(&xd->xdev->dev, "not connected: %d\n", r);
		xdd_disconnect(xd);
	}
	return r;
}

void xdd_disconnect(struct xdd_device *xd)
{
	bool published = xd->page;

	xdd_close_events(xd);
	xdd_close_memory(xd);
	xdd_close_page(xd);
	if (published)
		xdd_withdraw(xd);
}
