/* SPDX-License-Identifier: MIT */
/*
 * Numbers of virtio that every device shares (virtio 1.3: 2.1, 2.2, 6; device
 * types: 5). Values only. Features are bits of a uint64_t.
 */
#ifndef XDD_VIRTIO_H
#define XDD_VIRTIO_H

#include <stdint.h>

#define VIRTIO_BIT(n) (UINT64_C(1) << (n))

#define VIRTIO_F_INDIRECT_DESC	 VIRTIO_BIT(28)
#define VIRTIO_F_EVENT_IDX	 VIRTIO_BIT(29)
#define VIRTIO_F_VERSION_1	 VIRTIO_BIT(32)
#define VIRTIO_F_ACCESS_PLATFORM VIRTIO_BIT(33)
#define VIRTIO_F_RING_RESET	 VIRTIO_BIT(40)

enum virtio_status {
	VIRTIO_ACKNOWLEDGE = 1,
	VIRTIO_DRIVER = 2,
	VIRTIO_DRIVER_OK = 4,
	VIRTIO_FEATURES_OK = 8,
	VIRTIO_NEEDS_RESET = 64,
	VIRTIO_FAILED = 128,
};

enum virtio_id {
	VIRTIO_ID_NET = 1,
	VIRTIO_ID_BLOCK = 2,
	VIRTIO_ID_GPU = 16,
	VIRTIO_ID_SOUND = 25,
	VIRTIO_ID_CAN = 36,
};

#define VIRTIO_VENDOR 0x00444458u /* "XDD" */

/* Virtio is little-endian, whatever we are. */
static inline uint16_t virtio_le16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t virtio_le32(const void *p)
{
	return virtio_le16(p) | (uint32_t)virtio_le16((const uint8_t *)p + 2) << 16;
}

static inline uint64_t virtio_le64(const void *p)
{
	return virtio_le32(p) | (uint64_t)virtio_le32((const uint8_t *)p + 4) << 32;
}

static inline void virtio_put16(void *p, uint16_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t)v;
	b[1] = (uint8_t)(v >> 8);
}

static inline void virtio_put32(void *p, uint32_t v)
{
	virtio_put16(p, (uint16_t)v);
	virtio_put16((uint8_t *)p + 2, (uint16_t)(v >> 16));
}

static inline void virtio_put64(void *p, uint64_t v)
{
	virtio_put32(p, (uint32_t)v);
	virtio_put32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}

#endif
