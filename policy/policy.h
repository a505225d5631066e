/* SPDX-License-Identifier: MIT */
/*
 * What one instance may do, as read from its policy file (xdd.policy(5)).
 *
 * Pure: text in, struct out; no file is opened, nothing is logged, nothing is
 * allocated. Invariants:
 *  1. a struct policy that came out of policy_parse() with no error is
 *     complete and consistent: no user checks its fields again;
 *  2. what the text does not allow is denied; defaults are the narrow ones;
 *  3. each value knows the line that set it (0: a default), so that each
 *     decision can name the line that decided.
 *
 * The grammar is frozen at Format = 1: classes extend it by a section of
 * their own, read with policy_parse_section().
 */
#ifndef XDD_POLICY_H
#define XDD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ids.h"

#define POLICY_NAME_MAX	    31	  /* instance: [a-z0-9_]{1,31} */
#define POLICY_LINE_MAX	    1023  /* bytes, without the newline */
#define POLICY_TEXT_MAX	    65536 /* bytes of one policy file */
#define POLICY_RESOURCE_MAX 255
#define POLICY_DEVICE_MAX   31
#define POLICY_TAG_MAX	    63
#define POLICY_LOWEST_REF   2 /* console and xenstore have those below */
#define POLICY_FIRST_REF    8 /* the default: Linux leaves those below alone */

enum policy_class { POLICY_BLK, POLICY_NET, POLICY_SND, POLICY_DISPL, POLICY_CAN };
enum policy_door { POLICY_PV, POLICY_VIRTIO };
enum policy_isolation { POLICY_PROCESS, POLICY_DOMAIN };
enum policy_mode { POLICY_MAP, POLICY_COPY, POLICY_POOL, POLICY_GRANT };
/* What policy.receive has: frames, and their bytes. */
enum policy_receive {
	POLICY_RECEIVE_OPERATIONS,
	POLICY_RECEIVE_BYTES,
	POLICY_RECEIVES,
};
enum policy_audit_level { POLICY_AUDIT_CHANGES, POLICY_AUDIT_DECISIONS };
enum policy_audit_full { POLICY_FULL_DROP_OLDEST, POLICY_FULL_STOP };

/* ClientPages: how this back end may use the client's data pages. Bits. */
enum policy_pages {
	POLICY_READABLE = 1,
	POLICY_WRITABLE = 2,
	POLICY_BOTH = 3,
};

/* A token bucket: @per_second units flow in, at most @burst are kept. */
struct policy_rate {
	uint64_t per_second;
	uint64_t burst;
};

/* Every generic key; the index into struct policy's line[]. */
enum policy_key {
	POLICY_KEY_FORMAT,
	POLICY_KEY_CLASS,
	POLICY_KEY_DOOR,
	POLICY_KEY_RESOURCE,
	POLICY_KEY_READ_ONLY,
	POLICY_KEY_ISOLATION,
	POLICY_KEY_DOMAIN,
	POLICY_KEY_TAG,
	POLICY_KEY_DEVICE,
	POLICY_KEY_MODE,
	POLICY_KEY_CLIENT_PAGES,
	POLICY_KEY_EXCLUSIVE,
	POLICY_KEY_RING_PAGES,
	POLICY_KEY_DATA_PAGES,
	POLICY_KEY_POOL_PAGES,
	POLICY_KEY_GRANT_REFS,
	POLICY_KEY_IN_FLIGHT,
	POLICY_KEY_OPERATIONS,
	POLICY_KEY_BYTES,
	POLICY_KEY_EVENTS,
	POLICY_KEY_AUDIT_LEVEL,
	POLICY_KEY_AUDIT_FULL,
	POLICY_KEY_COUNT,
};

struct policy {
	char name[POLICY_NAME_MAX + 1];
	uint32_t format; /* 1 */

	enum policy_class class;
	enum policy_door door;
	char resource[POLICY_RESOURCE_MAX + 1]; /* class's own syntax; blk: absolute
						   path, "memory:SIZE" or "null:SIZE" */
	bool read_only;
	enum policy_isolation isolation;

	bool any_domain; /* Domain = any; then tag[] decides */
	struct domid domain;
	char tag[POLICY_TAG_MAX + 1];
	char device[POLICY_DEVICE_MAX + 1]; /* as written; blk: "xvda" */

	enum policy_mode mode;
	enum policy_pages client_pages;
	bool exclusive;
	uint32_t ring_pages; /* pages mapped as rings, at once */
	uint32_t data_pages; /* pages mapped as data, copied in one batch, or of a pool;
				policy_data_key() is the key that says so */
	struct gref first_ref, last_ref;

	uint32_t in_flight;
	struct policy_rate operations;
	struct policy_rate bytes;
	struct policy_rate events;
	/* How fast the client is sent what others have for it: keys of the class's
	 * section (class_receive_key()) that may change while it is served, and so are
	 * read with these. per_second 0: not given. */
	struct policy_rate receive[POLICY_RECEIVES];

	enum policy_audit_level audit_level;
	enum policy_audit_full audit_full;

	/* Of the class's section its other keys and values, as they stand there, in 64
	 * bits (FNV-1a, from 0): whether it is still what its class has read. */
	uint64_t class_section;

	uint16_t line[POLICY_KEY_COUNT]; /* the line that set it, 0: default */
};

/* One thing wrong with a policy text: what it is, and what would be right. */
struct policy_error {
	unsigned line; /* from 1; 0: of the file as a whole */
	char what[160];
	char allowed[160];
};

#define POLICY_ERRORS_MAX 64
struct policy_errors {
	unsigned count; /* all found; those past the maximum are only counted */
	struct policy_error error[POLICY_ERRORS_MAX];
};

/* True if @name is fit for an instance: [a-z0-9_]{1,31}. */
bool policy_name_ok(const char *name);

/*
 * Parse the generic sections of @text (@len bytes, no NUL needed) for the
 * instance @name, and find every error at once. Sections named after a class
 * ("Block", "Net", "Sound", "Display", "Can") are checked for their form and
 * for belonging to Class; their keys are left to the class.
 *
 * Returns 0 with *@out complete, or the number of errors, described in
 * *@errors; *@out is then untouched.
 */
unsigned policy_parse(const char *name, const char *text, size_t len,
		      struct policy *out, struct policy_errors *errors);

/* One key of a class section. @set stores the value into @out (the class's
 * own struct) and returns NULL, or says what would be allowed. */
struct policy_section_key {
	const char *key;
	bool required;
	const char *(*set)(void *out, const char *value);
};

/* Parse section [@section] of a text that policy_parse() accepted, by a table
 * that ends with a NULL key. A text without it is an error only if a key is
 * required. Adds to *@errors; returns the number of errors it added. */
unsigned policy_parse_section(const char *text, size_t len, const char *section,
			      const struct policy_section_key *keys, void *out,
			      struct policy_errors *errors);

/* Value readers for class tables: true and *@out set if @value is one. */
bool policy_value_bool(const char *value, bool *out); /* yes, no */
bool policy_value_number(const char *value, uint64_t min, uint64_t max, uint64_t *out);
bool policy_value_rate(const char *value, struct policy_rate *out);
bool policy_value_uint32(const char *value, uint32_t min, uint32_t max, uint32_t *out);
/* A list, its entries separated by commas, spaces or both: each that has no more than
 * POLICY_ENTRY_MAX bytes goes to @entry. False if one has, if there is none, or as soon
 * as @entry says false. */
#define POLICY_ENTRY_MAX 63
bool policy_value_list(const char *value, bool (*entry)(void *out, const char *text),
		       void *out);
/* policy_value_bool(), as a key's @set returns. */
const char *policy_set_bool(const char *value, bool *out);
/* @set of a key that class_receive_key() names: policy_parse() has read it. */
const char *policy_set_read(void *out, const char *value);

/* "Memory.DataPages", for messages and the audit log. */
const char *policy_key_name(enum policy_key key);
/* The key that @policy's data_pages stands under: PoolPages with Mode = pool. */
enum policy_key policy_data_key(const struct policy *policy);

#endif
