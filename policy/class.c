/* SPDX-License-Identifier: MIT */
/*
 * The classes: see class.h. Key names are those of xen/include/public/io
 * (blkif.h, netif.h, sndif.h, displif.h); xdd-reason is ours.
 *
 * Tags: libxl keeps params and vifname in the back-end directory, where no
 * client can write; xdd-policy is written by xdd-attach.
 */
#include "policy/class.h"

#include <string.h>

#include "common/number.h"

#define KEYS(...)                                                                      \
	(const char *const[])                                                          \
	{                                                                              \
		__VA_ARGS__, NULL                                                      \
	}

/* clang-format off */
static const struct class_info infos[] = {
	[POLICY_BLK] = {
		.name = "blk", .kind = "vbd", .section = "Block", .tag_key = "params",
		.pv_mode = POLICY_MAP, .client_pages = POLICY_BOTH,
		.ring_pages = 1, .data_pages = 352, /* 32 requests of 11 segments */
		.ring_keys = KEYS("ring-ref", "ring-ref#", "queue-#/ring-ref",
				  "queue-#/ring-ref#"),
		.event_keys = KEYS("event-channel", "queue-#/event-channel"),
		.back_keys = KEYS("state", "xdd-reason", "feature-flush-cache",
				  "feature-barrier", "feature-discard",
				  "discard-granularity", "discard-alignment",
				  "discard-secure", "feature-persistent",
				  "feature-max-indirect-segments", "max-ring-page-order",
				  "max-ring-pages", "multi-queue-max-queues", "sectors",
				  "sector-size", "physical-sector-size", "info"),
	},
	[POLICY_NET] = {
		.name = "net", .kind = "vif", .section = "Net", .tag_key = "vifname",
		.pv_mode = POLICY_COPY, .client_pages = POLICY_BOTH,
		.ring_pages = 2, .data_pages = 64, /* one batch of copies */
		.ring_keys = KEYS("tx-ring-ref", "rx-ring-ref", "queue-#/tx-ring-ref",
				  "queue-#/rx-ring-ref", "ctrl-ring-ref"),
		.event_keys = KEYS("event-channel", "event-channel-tx", "event-channel-rx",
				   "queue-#/event-channel", "queue-#/event-channel-tx",
				   "queue-#/event-channel-rx", "event-channel-ctrl"),
		.back_keys = KEYS("state", "xdd-reason", "feature-sg", "feature-rx-copy",
				  "feature-rx-flip", "feature-gso-tcpv4",
				  "feature-gso-tcpv6", "feature-ipv6-csum-offload",
				  "feature-multicast-control",
				  "feature-dynamic-multicast-control",
				  "feature-split-event-channels", "feature-ctrl-ring",
				  "multi-queue-max-queues"),
	},
	[POLICY_SND] = {
		.name = "snd", .kind = "vsnd", .section = "Sound", .tag_key = "xdd-policy",
		.pv_mode = POLICY_MAP, .client_pages = POLICY_READABLE,
		.ring_pages = 2, .data_pages = 65, /* 256 KiB and the list of its pages */
		.ring_keys = KEYS("#/#/ring-ref", "#/#/evt-ring-ref"),
		.event_keys = KEYS("#/#/event-channel", "#/#/evt-event-channel"),
		.back_keys = KEYS("state", "xdd-reason", "versions"),
	},
	[POLICY_DISPL] = {
		.name = "displ", .kind = "vdispl", .section = "Display",
		.tag_key = "xdd-policy",
		.pv_mode = POLICY_MAP, .client_pages = POLICY_READABLE,
		.ring_pages = 2, .data_pages = 4054, /* two of 1920x1080x32, their lists */
		.ring_keys = KEYS("#/req-ring-ref", "#/evt-ring-ref"),
		.event_keys = KEYS("#/req-event-channel", "#/evt-event-channel"),
		.back_keys = KEYS("state", "xdd-reason", "versions"),
	},
	[POLICY_CAN] = {
		.name = "can", .kind = "vcan", .section = "Can", .tag_key = "xdd-policy",
		.pv_mode = POLICY_COPY, .client_pages = POLICY_BOTH,
		.ring_pages = 2, .data_pages = 64,
		.ring_keys = KEYS("tx-ring-ref", "rx-ring-ref"),
		.event_keys = KEYS("event-channel"),
		.back_keys = KEYS("state", "xdd-reason", "versions"),
	},
};
/* clang-format on */

const struct class_info *class_info(enum policy_class class)
{
	return &infos[class];
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

/* "a" 0, "z" 25, "aa" 26; then nothing or a partition from 1. */
static bool disk_and_part(const char *text, uint64_t *disk, uint64_t *part)
{
	uint64_t d = 0;

	for (; *text >= 'a' && *text <= 'z' && d < UINT32_MAX; text++)
		d = d * 26 + (uint64_t)(*text - 'a') + 1;
	*disk = d - 1;
	*part = 0;
	return d && (!*text || policy_value_number(text, 1, UINT32_MAX, part));
}

static bool disk_id(const char *device, uint32_t *id)
{
	uint64_t disk, part;

	for (size_t i = 0; i < sizeof(disks) / sizeof(*disks); i++) {
		size_t len = strlen(disks[i].prefix);

		if (strncmp(device, disks[i].prefix, len) ||
		    !disk_and_part(device + len, &disk, &part))
			continue;
		if (disk < disks[i].first || disk - disks[i].first >= disks[i].disks ||
		    part >= disks[i].parts)
			continue;
		disk -= disks[i].first;
		*id = disks[i].base + (uint32_t)(disk * disks[i].parts + part);
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
