/* SPDX-License-Identifier: MIT */
/*
 * All policies of one driver domain: what two of them may not say together,
 * and what they need of what all instances share.
 */
#ifndef XDD_SET_H
#define XDD_SET_H

#include <jansson.h>

#include "policy/cmd/report.h"
#include "policy/policy.h"

struct set_entry {
	char *path;
	struct policy policy;
	char *text; /* for its class's section */
	size_t len;
};

struct set {
	struct set_entry *entry;
	unsigned n;
};

/* Adds what @operand names: a file, each *.policy of a directory, or a bare NAME
 * for /etc/xdd/NAME.policy. Reports what is wrong. True: it is a directory. */
bool set_add(struct set *set, const char *operand, struct report *report);
void set_free(struct set *set);
/* The line of @key in @section of @entry's text, and its value; 0 and "": it has none.
 */
unsigned set_find(const struct set_entry *entry, const char *section, const char *key,
		  char value[POLICY_LINE_MAX + 1]);
/* The line of a key with a number, "Stream" 0, in the section of @entry's class. */
unsigned set_line(const struct set_entry *entry, const char *key, unsigned number);
/* "NAME (client 3)", to standard output. */
void set_print_client(const struct policy *policy);

/* All that follows, but the shares. */
void set_check(const struct set *set, struct report *report);

/* Every two of them: devices, resources, references, isolation. */
void set_check_pairs(const struct set *set, struct report *report);

/* Named links: one end without another is a warning, a third an error. */
void set_check_links(const struct set *set, struct report *report);
/* Prints tables of the isolation groups, if there are any: what links join, and what
 * sound is mixed. */
void set_print_groups(const struct set *set);
/* The same as an array, of objects of kind, name, instances and meaning. */
json_t *set_groups(const struct set *set);

/* Sound: a PCM, or a file, that two of them name is a warning, but a PCM that both have
 * mixed. */
void set_check_sounds(const struct set *set, struct report *report);
/* Prints a table of who may record, and from what, if anybody may. */
void set_print_sounds(const struct set *set);
/* The same as an array, of objects of pcm and instance. */
json_t *set_sounds(const struct set *set);

/* Buses: an identifier that two of them may send is a warning. */
void set_check_buses(const struct set *set, struct report *report);
/* Prints a table of who may send on what, if anybody may. */
void set_print_buses(const struct set *set);
/* The same as an array, of objects of bus, identifiers and instance. */
json_t *set_buses(const struct set *set);

/* Networks: a tap that two of them name is an error, an address a warning. */
void set_check_networks(const struct set *set, struct report *report);

/* Displays: a card, or a file, that two of them name is a warning; a connector that is
 * lent to both, or a card of which one would be the master, an error. */
void set_check_displays(const struct set *set, struct report *report);
/* Prints a table of who shows on what, if anybody does. */
void set_print_displays(const struct set *set);
/* The same as an array, of objects of connector, resource and instance. */
json_t *set_displays(const struct set *set);

/* What the driver domain has of what all instances share. */
enum set_share {
	SET_MAPTRACK,
	SET_EVENT_CHANNELS,
	SET_WATCHES,
	SET_NODES,
	SET_DESCRIPTORS,
	SET_MEMORY, /* MiB */
	SET_SHARES,
};

struct set_limits {
	uint64_t limit[SET_SHARES]; /* 0: not known, not judged */
	bool pv;		    /* an x86 PV domain: each map is tracked twice */
};

void set_limits_init(struct set_limits *limits);
/* The command-line option that overrides @share: "maptrack". */
const char *set_share_option(enum set_share share);
/* The limit of @share as that option gives it. False: it is none, and that is said. */
bool set_limit_read(struct set_limits *limits, enum set_share share, const char *value,
		    struct report *report);
/* What all of @set need of @share; @pv: as in set_limits. */
uint64_t set_share_need(const struct set *set, enum set_share share, bool pv);
/* Reports each limit that is passed; @path stands for the set in messages. */
void set_check_shares(const struct set *set, const struct set_limits *limits,
		      const char *path, struct report *report);
/* Prints a table of needs and limits. */
void set_print_shares(const struct set *set, const struct set_limits *limits);
/* The same as an array, of objects of share, option, need and limit. */
json_t *set_shares(const struct set *set, const struct set_limits *limits);

#endif
