/* SPDX-License-Identifier: MIT */
/*
 * What two other programs saw, for a report, read from what they printed: xdd-witness,
 * what Xen itself has in use, and xdd-probe, what was tried in a back end's place.
 * Pure: text in, structs out.
 *
 * Either may have been written by anyone, or be torn.
 *
 * Invariants:
 *  1. what is accepted is whole: a JSON object of the form that is known, or as many
 *     tries as the last line of each run says there were, each told as refused, allowed
 *     or skipped;
 *  2. memory is bounded by the text's length.
 */
#ifndef XDD_ASSESS_PROOF_H
#define XDD_ASSESS_PROOF_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROOF_BYTES (16u << 20) /* of a text */

/* What is not said is null there, and NULL or -1 here. */
struct witness_instance {
	const char *name, *policy; /* its SHA-256 */
	int64_t client, ring_pages, data_pages, channels, registered;
	const char *log; /* the state of its log */
};

struct witness_finding {
	const char *kind, *instance, *which, *why, *remedy;
	int64_t client, count;
};

struct witness_maps {
	int64_t client, pages, writable;
};

struct witness {
	json_t *root; /* the texts are in it; NULL: there is none */
	int64_t domain;
	const char *name;
	bool explained;
	int64_t grant_frames, grant_frames_max, maptrack, maptrack_max;
	int64_t unbound, interdomain, other, further;
	struct witness_instance *instance;
	struct witness_finding *finding;
	struct witness_maps *maps;
	size_t instances, findings, mapped;
};

/* @len bytes of @text. NULL, or what is wrong, in *@error with its line if it has one.
 */
const char *witness_read(struct witness *out, const char *text, size_t len,
			 json_error_t *error);
void witness_fini(struct witness *witness);

enum probe_result { PROBE_REFUSED, PROBE_ALLOWED, PROBE_SKIPPED, PROBE_RESULTS };
extern const char *const probe_words[PROBE_RESULTS];

#define PROBE_ROWS 4096 /* that differ; a probe has some two hundred */

struct probe_row {
	enum probe_result result;
	unsigned times;		      /* that it ended so: once in each run */
	char *name, *detail, *proves; /* proves: NULL, it was no JSON */
};

struct probe {
	struct probe_row *row;
	size_t rows;
	unsigned runs;
	uint64_t count[PROBE_RESULTS]; /* of all runs */
	bool lost;		       /* the keeper hung up on the way */
};

/* As xdd-probe prints it, with --json or without, one run or several; other lines, such
 * as systemd's, are none of it. NULL, or what is wrong; *@line is where, or 0. */
const char *probe_read(struct probe *out, const char *text, size_t len, unsigned *line);
void probe_fini(struct probe *probe);

#endif
