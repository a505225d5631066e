/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy xl: what stands in the xl.cfg(5) of a client for the devices that its
 * policies serve. See xdd-policy(8).
 *
 * Invariants:
 *  1. a line is printed only if what xl writes for it is what the policy serves: its
 *     number, its tag, its streams; for all others there is xdd-attach, and why;
 *  2. nothing that a policy says can end a quote, a list or a comment of the file.
 */
#ifndef XDD_XL_H
#define XDD_XL_H

#include "policy/cmd/set.h"

/* Words of xl.cfg, in the order in which they are printed. */
enum xl_word { XL_DISK, XL_VIF, XL_VSND, XL_VDISPL, XL_NONE };

struct xl_device {
	const struct set_entry *entry;
	uint32_t id; /* of the device */
	enum xl_word word;
	json_t *spec;	 /* a text, or of a card its texts; NULL: XL_NONE */
	const char *why; /* XL_NONE: what xl cannot do */
	char *leaves;	 /* what of it xl has no word for, or NULL */
};

/* @argv[0] is "xl". Returns the exit status. */
int xl_main(int argc, char **argv);

/* Of @entry, served by the domain @backend: all but what depends on its place among
 * others. */
struct xl_device xl_device(const struct set_entry *entry, const char *backend);
void xl_device_free(struct xl_device *device);
/* Only what needs no quoting anywhere in an xl.cfg. */
bool xl_plain(const char *text);

#endif
