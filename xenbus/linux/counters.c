// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is exposed, for an assessor: /sys/bus/xen/devices/KIND-ID/exposed/, read-only.
 *
 * It measures nothing that the others do not count, and controls nothing.
 *
 * Invariants:
 *  1. every page that is granted now is in one of the *_pages;
 *  2. `left_pages` only grows: pages that the back end had when we were done with them.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "xdd-virtio.h"

void xdd_count_buffer(struct xdd_device *xd)
{
	long now = atomic_long_inc_return(&xd->count.buffers);
	long peak = atomic_long_read(&xd->count.buffers_peak);

	while (now > peak)
		if (atomic_long_try_cmpxchg(&xd->count.buffers_peak, &peak, now))
			break;
}

#define XDD_COUNTER(name, member)                                                  \
static ssize_t name##_show(struct device *dev, struct device_attribute *attr,      \
			   char *text)                                             \
{                                                                                  \
	struct xdd_device *xd = dev_get_drvdata(dev);                              \
										   \
	return sysfs_emit(text, "%ld\n", atomic_long_read(&xd->count.member));     \
}                                                                                  \
static DEVICE_ATTR_RO(name)

XDD_COUNTER(control_pages, control_pages);
XDD_COUNTER(pool_pages, pool_pages);
XDD_COUNTER(area_pages, area_pages);
XDD_COUNTER(buffer_pages, buffer_pages);
XDD_COUNTER(buffers, buffers);
XDD_COUNTER(buffers_peak, buffers_peak);
XDD_COUNTER(failed_mappings, failed);
XDD_COUNTER(left_pages, left);
XDD_COUNTER(dropped_messages, dropped);

static ssize_t phase_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct xdd_device *xd = dev_get_drvdata(dev);

	return sysfs_emit(text, "%s\n", xdd_phase_name(READ_ONCE(xd->phase)));
}
static DEVICE_ATTR_RO(phase);

static ssize_t backend_id_show(struct device *dev, struct device_attribute *attr,
			       char *text)
{
	struct xdd_device *xd = dev_get_drvdata(dev);

	return sysfs_emit(text, "%u\n", xd->backend_id);
}
static DEVICE_ATTR_RO(backend_id);

static ssize_t memory_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct xdd_device *xd = dev_get_drvdata(dev);
	const struct xdd_memory *memory = READ_ONCE(xd->memory);

	return sysfs_emit(text, "%s\n", memory ? memory->name : "none");
}
static DEVICE_ATTR_RO(memory);

static struct attribute *xdd_counter_attrs[] = {
	&dev_attr_phase.attr,
	&dev_attr_backend_id.attr,
	&dev_attr_memory.attr,
	&dev_attr_control_pages.attr,
	&dev_attr_pool_pages.attr,
	&dev_attr_area_pages.attr,
	&dev_attr_buffer_pages.attr,
	&dev_attr_buffers.attr,
	&dev_attr_buffers_peak.attr,
	&dev_attr_failed_mappings.attr,
	&dev_attr_left_pages.attr,
	&dev_attr_dropped_messages.attr,
	NULL,
};

static const struct attribute_group xdd_counter_group = {
	.name = "exposed",
	.attrs = xdd_counter_attrs,
};

const struct attribute_group *xdd_counter_groups[] = {
	&xdd_counter_group,
	NULL,
};
