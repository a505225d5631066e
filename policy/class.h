/* SPDX-License-Identifier: MIT */
/*
 * What a class of devices is called in xenstore, and which keys matter to it:
 * data, one row a class and door. The keeper knows no class by code, only by its row.
 */
#ifndef XDD_CLASS_H
#define XDD_CLASS_H

#include "policy/policy.h"

struct class_info {
	const char *name;    /* "blk": Class = and xdd-blk */
	const char *kind;    /* xenstore device kind, "vbd" */
	const char *section; /* its section of the policy, "Block" */
	const char *tag_key; /* back-end key, written by the toolstack alone, that holds
				the tag: "params" */
	enum policy_mode mode;		/* default of Mode */
	enum policy_pages client_pages; /* default of ClientPages */
	uint32_t ring_pages; /* default of RingPages, and the least that works; with
				Mode = grant its virtqueues' are added */
	uint32_t data_pages; /* default of DataPages; 0: it has no use for any */
	uint32_t queues;     /* virtqueues that such a device has at least */
	/* NULL-terminated patterns of keys; '#' stands for a decimal number. */
	const char *const *ring_keys;  /* front end: grant references of rings */
	const char *const *pool_keys;  /* front end: runs of a pool's references */
	const char *const *event_keys; /* front end: event channel ports */
	const char *const *back_keys;  /* what a back end may write in its directory */
};

const struct class_info *class_info(enum policy_class class, enum policy_door door);
/* The key of its section that says policy.receive[@which], or NULL: it has none. */
const char *class_receive_key(enum policy_class class, enum policy_receive which);
/* True if @key matches one of @patterns. */
bool class_key_matches(const char *const *patterns, const char *key);
/* The xenstore device number of @device ("xvda": 51712; "0": 0), or false. */
bool class_device_id(enum policy_class class, const char *device, uint32_t *id);
/* The tag that this policy's device gets: Tag, or the name of the instance. */
const char *class_tag(const struct policy *policy);
/* The NAME of a Resource that is "link:NAME", which has two ends, each another
 * instance's; or NULL: its class has none, or it is none. */
const char *class_link(const struct policy *policy);
/* What stands behind the "link:" of @resource, or NULL: it is none. Any name. */
const char *class_link_name(const char *resource);

#endif
