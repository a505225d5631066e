/* SPDX-License-Identifier: MIT */
/*
 * The section [Display] of a policy: what only displays know. Pure: a table for
 * policy_parse_section(). There is no connector that is not named, and of each the mode
 * is the policy's: a client that shows less is shown in its middle, and none changes
 * the mode of a panel, which others on its card would see.
 *
 * A connector of the client is bound to a line here by its number in the device, never
 * by its unique-id.
 *
 * What all classes have holds here so: Resource is the card (displ-resource.h); ring
 * pages are two a connector; data pages hold buffers, and the lists of their pages
 * while these are read; Operations are requests; Bytes are those that are copied.
 */
#ifndef XDD_DISPL_POLICY_H
#define XDD_DISPL_POLICY_H

#include "backends/displ/displ-format.h"
#include "policy/policy.h"

#define DISPL_HEADS_MAX	   4
#define DISPL_NAME_MAX	   31
#define DISPL_SIZE_MIN	   64 /* pixels, each way */
#define DISPL_SIZE_MAX	   8192
#define DISPL_BUFFERS_MAX  64
#define DISPL_PATH_MAX	   255
#define DISPL_OWN_CANVASES 3 /* of a head: two to show in turn, and the dark one */

struct displ_size {
	uint32_t width, height; /* pixels */
};

struct displ_policy_head {
	bool named;		       /* else there is no such key */
	char name[DISPL_NAME_MAX + 1]; /* the card's: "HDMI-A-1" */
	struct displ_size size;	       /* of its mode, and of a picture at most */
};

struct displ_policy {
	/* Connector0 to Connector3 = NAME WIDTHxHEIGHT; one at least, and no gap. */
	struct displ_policy_head head[DISPL_HEADS_MAX];
	uint32_t heads;
	uint32_t formats;	  /* Formats: bits; default xrgb8888 */
	uint32_t buffers;	  /* Buffers: that a client has at once; default 8 */
	struct policy_rate flips; /* Flips: of each connector; default: none but its
				     own rate, and per_second 0 */
	bool alpha;		  /* Alpha: it goes to the card; default no */
	char gone[DISPL_PATH_MAX + 1]; /* Gone: a PNG that is shown while there is no
					  client; default "", black */
	char edid[DISPL_PATH_MAX + 1]; /* Edid: a file; default "", made from size */
};

extern const struct policy_section_key displ_policy_keys[];

/* What does not go together, or not with the generic sections, to @errors. It looks at
 * no default. */
void displ_policy_fit(const struct policy *policy, const void *displ,
		      struct policy_errors *errors);
/* The defaults, to parse over. */
void displ_policy_init(struct displ_policy *policy);
/* "1920x1080", within the bounds above. */
bool displ_size_parse(const char *text, struct displ_size *out);
/* The largest width and the largest height of all connectors. */
struct displ_size displ_policy_most(const struct displ_policy *policy);
/* The section alone, for who shows nothing: of @policy's @text, defaults filled in.
 * False: it is of another class, or has errors, which are its back end's to say. */
bool displ_policy_read(const struct policy *policy, const char *text, size_t len,
		       struct displ_policy *out);
/* Canvases that its back end has: with virtio, one for each buffer beside the heads'
 * own. */
uint32_t displ_policy_canvases(const struct displ_policy *policy,
			       enum policy_door door);
/* Their bytes, and those of a PNG of each connector. */
uint64_t displ_policy_bytes(const struct displ_policy *policy, enum policy_door door);

#endif
