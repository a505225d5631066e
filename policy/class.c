/* SPDX-License-Identifier: MIT */
/*
 * The classes: see class.h. Key names are those of xen/include/public/io
 * (blkif.h, netif.h, sndif.h, displif.h, and our own canif.h); xdd-reason (why a device
 * was closed) and xdd-refused (what a class's policy refused) are ours.
 *
 * Tags: libxl keeps params and vifname in the back-end directory, where no
 * client can write; xdd-policy is written by xdd-attach.
 */
#include "policy/class.h"

#include <string.h>

#include "common/number.h"

/* clang-format off */
#define KEYS(...) (const char *const[]){__VA_ARGS__, NULL}
#define NO_KEYS	  (const char *const[]){NULL}

/* What all classes have with Door = virtio: backends/door/virtio-msg-xen.md. */
#define VIRTIO_KEYS "state", "xdd-reason", "xdd-refused", "versions", "memory", "pool-pages"
#define VIRTIO(name, section, tag_key, queues, data_pages, back_keys)                  \
	{name, "vmsg_" name, section, tag_key,                                   \
		POLICY_POOL, POLICY_BOTH, 1, data_pages, queues, KEYS("control-ref"),  \
		KEYS("pool-ref#"), KEYS("event-channel"), back_keys}

/* name, kind, section, tag_key; mode, client_pages, ring_pages, data_pages, queues;
 * ring_keys, pool_keys, event_keys, back_keys */
static const struct class_info infos[][POLICY_VIRTIO + 1] = {
	[POLICY_BLK] = {{"blk", "vbd", "Block", "params",
		POLICY_MAP, POLICY_BOTH, 1, 352, 0, /* 32 requests of 11 segments */
		KEYS("ring-ref", "ring-ref#", "queue-#/ring-ref", "queue-#/ring-ref#"), NO_KEYS,
		KEYS("event-channel", "queue-#/event-channel"),
		KEYS("state", "xdd-reason", "feature-flush-cache", "feature-barrier",
		     "feature-discard", "discard-granularity", "discard-alignment",
		     "discard-secure", "feature-persistent", "feature-max-indirect-segments",
		     "max-ring-page-order", "max-ring-pages", "multi-queue-max-queues",
		     "sectors", "sector-size", "physical-sector-size", "info")},
		VIRTIO("blk", "Block", "params", 1, 352, KEYS(VIRTIO_KEYS))},
	[POLICY_NET] = {{"net", "vif", "Net", "vifname",
		POLICY_COPY, POLICY_BOTH, 2, 1024, 0, /* frames of 64 KiB, 44 of them to it */
		KEYS("tx-ring-ref", "rx-ring-ref", "queue-#/tx-ring-ref", "queue-#/rx-ring-ref",
		     "ctrl-ring-ref"), NO_KEYS,
		KEYS("event-channel", "event-channel-tx", "event-channel-rx",
		     "queue-#/event-channel", "queue-#/event-channel-tx",
		     "queue-#/event-channel-rx", "event-channel-ctrl"),
		KEYS("state", "xdd-reason", "xdd-refused", "feature-sg", "feature-rx-copy", "feature-rx-flip",
		     "feature-gso-tcpv4", "feature-gso-tcpv6", "feature-ipv6-csum-offload",
		     "feature-multicast-control", "feature-dynamic-multicast-control",
		     "feature-split-event-channels", "feature-ctrl-ring",
		     "multi-queue-max-queues")},
		VIRTIO("net", "Net", "vifname", 3, 1024, KEYS(VIRTIO_KEYS))},
	[POLICY_SND] = {{"snd", "vsnd", "Sound", "xdd-policy",
		POLICY_MAP, POLICY_READABLE, 2, 65, 0, /* 256 KiB and the list of its pages */
		KEYS("#/#/ring-ref", "#/#/evt-ring-ref"), NO_KEYS,
		KEYS("#/#/event-channel", "#/#/evt-event-channel"),
		KEYS("state", "xdd-reason", "versions", "stream-#", "levels-#")},
		VIRTIO("snd", "Sound", "xdd-policy", 4, 128,
			KEYS(VIRTIO_KEYS, "stream-#", "levels-#"))},
	[POLICY_DISPL] = {{"displ", "vdispl", "Display", "xdd-policy",
		POLICY_MAP, POLICY_READABLE, 2, 4054, 0, /* two of 1920x1080x32, their lists */
		KEYS("#/req-ring-ref", "#/evt-ring-ref"), NO_KEYS,
		KEYS("#/req-event-channel", "#/evt-event-channel"),
		KEYS("state", "xdd-reason", "versions", "counts-#", "buffer-#", "frame-#",
		     "connector-#")},
		VIRTIO("displ", "Display", "xdd-policy", 2, 4054,
			KEYS(VIRTIO_KEYS, "counts-#", "unplugged-#", "cursor-#", "resource-#", "backing-#", "scanout-#"))},
	[POLICY_CAN] = {{"can", "vcan", "Can", "xdd-policy",
		POLICY_COPY, POLICY_BOTH, 2, 0, 0, /* frames lie in the rings: no data */
		KEYS("tx-ring-ref", "tx-ring-ref#", "rx-ring-ref", "rx-ring-ref#"), NO_KEYS,
		KEYS("event-channel"),
		KEYS("state", "xdd-reason", "xdd-refused", "versions", "max-ring-page-order",
		     "feature-fd", "feature-late-ack", "feature-transmit", "transmit-ids", "receive-ids",
		     "bitrate", "data-bitrate", "sample-point", "data-sample-point",
		     "controller")},
		VIRTIO("can", "Can", "xdd-policy", 3, 64, KEYS(VIRTIO_KEYS, "controller"))},
};
/* clang-format on */

const struct class_info *class_info(enum policy_class class, enum policy_door door)
{
	return &infos[class][door];
}

const char *class_receive_key(enum policy_class class, enum policy_receive which)
{
	static const char *const keys[][POLICY_RECEIVES] = {
		[POLICY_NET] = {"ReceivePackets", "ReceiveBytes"},
		[POLICY_CAN] = {"ReceiveRate", NULL},
	};

	return keys[class][which];
}

static bool key_matches(const char *pattern, const char *key)
{
	for (; *pattern; pattern++) {
		size_t digits = strspn(key, "0123456789");
		uint64_t number;

		if (*pattern != '#') {
			if (*key++ != *pattern)
				return false;
			continue;
		}
		if (!number_parse(key, digits, UINT32_MAX, &number))
			return false;
		key += digits;
	}
	return !*key;
}

bool class_key_matches(const char *const *patterns, const char *key)
{
	for (; *patterns; patterns++) {
		if (key_matches(*patterns, key))
			return true;
	}
	return false;
}

/* Disks by name, as xen-vbd-interface(7) numbers them; the first fit counts. */
static const struct {
	const char *prefix;
	uint32_t first, disks, parts;
	uint32_t base; /* the number of the first disk */
} disks[] = {
	{"xvd", 0, 16, 16, 202 << 8},	   {"sd", 0, 16, 16, 8 << 8},
	{"hd", 0, 2, 64, 3 << 8},	   {"hd", 2, 2, 64, 22 << 8},
	{"xvd", 0, 1 << 20, 256, 1 << 28},
};

/* The letters of a disk count from 1 to here: "a" 1, "z" 26, "aa" 27. After them
 * stands nothing, or a partition from 1. Each prefix ends with its only d. */
static bool disk_id(const char *device, uint32_t *id)
{
	const char *at = strchr(device, 'd');
	size_t prefix = at ? (size_t)(++at - device) : 0;
	uint64_t disk = 0, part = 0;

	for (; prefix && *at >= 'a' && *at <= 'z' && disk < UINT32_MAX; at++)
		disk = disk * 26 + (uint64_t)(*at - 'a') + 1;
	if (!disk || (*at && !policy_value_number(at, 1, UINT32_MAX, &part)))
		return false;
	for (size_t i = 0; i < sizeof(disks) / sizeof(*disks); i++) {
		uint64_t nth = disk - 1 - disks[i].first; /* or far too large */

		if (strlen(disks[i].prefix) != prefix ||
		    strncmp(device, disks[i].prefix, prefix) || nth >= disks[i].disks ||
		    part >= disks[i].parts)
			continue;
		*id = disks[i].base + (uint32_t)(nth * disks[i].parts + part);
		return true;
	}
	return false;
}

bool class_device_id(enum policy_class class, const char *device, uint32_t *id)
{
	uint64_t max = class == POLICY_BLK ? (1 << 29) - 1 : INT32_MAX, number;

	if (!policy_value_number(device, 0, max, &number))
		return class == POLICY_BLK && disk_id(device, id);
	*id = (uint32_t)number;
	return true;
}
