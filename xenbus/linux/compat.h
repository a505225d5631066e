/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that these modules are built for, 6.1 to 6.12.
 *
 * It is no library of old interfaces: the .c files speak the newest kernel's, and this
 * header makes an older one understand. Every difference is here, and nowhere else.
 *
 * Invariants:
 *  1. with a kernel that needs nothing, nothing is left of this header but names.
 */
#ifndef XDD_COMPAT_H
#define XDD_COMPAT_H

#include <linux/version.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#ifndef CONFIG_64BIT
#error "a grant's address and the pool's take 64 bits"
#endif

/* 6.11 tells find_vqs() of its queues in one array; before there were three. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)

#include <linux/slab.h>

struct virtqueue_info {
	const char *name;
	vq_callback_t *callback;
	bool ctx;
};

#define XDD_FIND_VQS(function)                                                     \
static int function##_arrays(struct virtio_device *vdev, unsigned int count,       \
			     struct virtqueue *vqs[], vq_callback_t *callbacks[],  \
			     const char *const names[], const bool *ctx,           \
			     struct irq_affinity *affinity)                        \
{                                                                                  \
	struct virtqueue_info *info;                                               \
	unsigned int i;                                                            \
	int r;                                                                     \
										   \
	info = kcalloc(count, sizeof(*info), GFP_KERNEL);                          \
	if (!info)                                                                 \
		return -ENOMEM;                                                    \
	for (i = 0; i < count; i++) {                                              \
		info[i].name = names[i];                                           \
		info[i].callback = callbacks[i];                                   \
		info[i].ctx = ctx && ctx[i];                                       \
	}                                                                          \
	r = function(vdev, count, vqs, info, affinity);                            \
	kfree(info);                                                               \
	return r;                                                                  \
}
#define xdd_find_vqs_op(function) function##_arrays

#define XDD_DRIVER_VQS	8	/* of one driver */

static inline int xdd_driver_find_vqs(struct virtio_device *vdev, unsigned int count,
				      struct virtqueue *vqs[],
				      struct virtqueue_info info[])
{
	vq_callback_t *callbacks[XDD_DRIVER_VQS];
	const char *names[XDD_DRIVER_VQS];
	unsigned int i;

	if (WARN_ON(count > XDD_DRIVER_VQS))
		return -EINVAL;
	for (i = 0; i < count; i++) {
		callbacks[i] = info[i].callback;
		names[i] = info[i].name;
	}
	return virtio_find_vqs(vdev, count, vqs, callbacks, names, NULL);
}

#else

#define XDD_FIND_VQS(function)
#define xdd_find_vqs_op(function) function

static inline int xdd_driver_find_vqs(struct virtio_device *vdev, unsigned int count,
				      struct virtqueue *vqs[],
				      struct virtqueue_info info[])
{
	return virtio_find_vqs(vdev, count, vqs, info, NULL);
}

#endif

/* A kernel that never sleeps has no place for these in a driver. */
#ifdef CONFIG_PM
#define XDD_DRIVER_PM(how_to_freeze, how_to_restore) \
	.freeze = how_to_freeze, .restore = how_to_restore,
#else
#define XDD_DRIVER_PM(how_to_freeze, how_to_restore)
#endif

#endif
