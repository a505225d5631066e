/* SPDX-License-Identifier: MIT */
/*
 * T-CFG-1: a policy with one line corrupted is refused, or says what it said but
 * for that line's own key. Each byte of each line becomes each other byte, goes,
 * or gets a neighbour; lines go, come twice, change places; the file ends early.
 * What the modes and owners of nodes must be is the script "nodes"; that no back
 * end can open them is tried by xdd-probe, in the suite daemon and in the bed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "backends/blk/blk-policy.h"
#include "policy/decide.h"
#include "policy/policy.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NONE	 POLICY_KEY_COUNT

/* Every key, and no value that is a default. */
static const char *const good[] = {
	"# The disk of the entertainment system",
	"Format = 1",
	"",
	"[Backend]",
	"Class = blk",
	"Door = pv",
	"Resource = /dev/mapper/ivi",
	"ReadOnly = no",
	"Isolation = process",
	"[Client]",
	"Domain = 3",
	"Tag = ivi",
	"Device = xvda",
	"[Memory]",
	"Mode = copy",
	"ClientPages = both",
	"Exclusive = no",
	"RingPages = 16",
	"DataPages = 1056",
	"GrantRefs = 100-20000",
	"[Limits]",
	"InFlight = 128",
	"Operations = 50000/s burst 1000",
	"Bytes = 200M/s burst 4M",
	"Events = 20000/s",
	"[Audit]",
	"Level = changes",
	"Full = stop",
	"[Block]",
	"Discard = yes",
	"SectorSize = 4096",
	"PersistentGrants = 64",
};

/* What a line is, as read from the good policy. */
static enum policy_key key_of[COUNT(good) + 1]; /* NONE: none of the generic */
static bool of_block[COUNT(good) + 1];

static struct reading {
	bool accepted;
	struct policy policy;
	struct blk_policy block;
} want, got;

static struct policy_errors errors;
static char text[POLICY_TEXT_MAX];
static uint64_t tried, refused;

static void read_policy(size_t len, struct reading *out)
{
	memset(out, 0, sizeof(*out));
	blk_policy_init(&out->block);
	errors.count = 0;
	out->accepted = !policy_parse("ivi_disk", text, len, &out->policy, &errors) &&
			!policy_parse_section(text, len, "Block", blk_policy_keys,
					      &out->block, &errors);
}

#define FIELD(key, first, last)                                                        \
	{                                                                              \
		POLICY_KEY_##key, offsetof(struct policy, first),                      \
			offsetof(struct policy, last) +                                \
				sizeof(((struct policy *)NULL)->last)                  \
	}

static const struct {
	enum policy_key key;
	size_t from, to;
} fields[] = {
	FIELD(FORMAT, format, format),
	FIELD(CLASS, class, class),
	FIELD(DOOR, door, door),
	FIELD(RESOURCE, resource, resource),
	FIELD(READ_ONLY, read_only, read_only),
	FIELD(ISOLATION, isolation, isolation),
	FIELD(DOMAIN, any_domain, domain),
	FIELD(TAG, tag, tag),
	FIELD(DEVICE, device, device),
	FIELD(MODE, mode, mode),
	FIELD(CLIENT_PAGES, client_pages, client_pages),
	FIELD(EXCLUSIVE, exclusive, exclusive),
	FIELD(RING_PAGES, ring_pages, ring_pages),
	FIELD(DATA_PAGES, data_pages, data_pages),
	FIELD(GRANT_REFS, first_ref, last_ref),
	FIELD(IN_FLIGHT, in_flight, in_flight),
	FIELD(OPERATIONS, operations, operations),
	FIELD(BYTES, bytes, bytes),
	FIELD(EVENTS, events, events),
	FIELD(AUDIT_LEVEL, audit_level, audit_level),
	FIELD(AUDIT_FULL, audit_full, audit_full),
};

static bool field_same(unsigned f)
{
	return !memcmp((const char *)&want.policy + fields[f].from,
		       (const char *)&got.policy + fields[f].from,
		       fields[f].to - fields[f].from);
}

/* The text was corrupted in line @at (from 1), or in @also too. */
static void judge(size_t len, unsigned at, unsigned also)
{
	const struct blk_policy *w = &want.block, *g = &got.block;

	read_policy(len, &got);
	tried++;
	if (!got.accepted) {
		refused++;
		return;
	}
	for (unsigned f = 0; f < COUNT(fields); f++) {
		if (fields[f].key != key_of[at] && fields[f].key != key_of[also] &&
		    !field_same(f))
			fail_msg("line %u (%s) changed %s:\n%.*s", at, good[at - 1],
				 policy_key_name(fields[f].key), (int)len, text);
	}
	if (of_block[at] || of_block[also])
		return;
	assert_true(w->discard == g->discard && w->sector_bytes == g->sector_bytes &&
		    w->persistent_pages == g->persistent_pages && w->cache == g->cache);
}

/* The good policy with line @at (from 1) replaced by @len bytes of @with, its
 * newline included. */
static size_t replaced(unsigned at, const char *with, size_t len)
{
	size_t n = 0;

	for (unsigned i = 1; i <= COUNT(good); i++) {
		if (i != at) {
			n += (size_t)sprintf(text + n, "%s\n", good[i - 1]);
			continue;
		}
		memcpy(text + n, with, len);
		n += len;
	}
	return n;
}

static int set_up(void **state)
{
	(void)state;
	if (tried)
		return 0;
	read_policy(replaced(0, NULL, 0), &want);
	assert_true(want.accepted);
	for (unsigned i = 0; i <= COUNT(good); i++)
		key_of[i] = NONE;
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++)
		key_of[want.policy.line[key]] = (enum policy_key)key;
	key_of[0] = NONE;
	for (unsigned i = COUNT(good) - 2; i <= COUNT(good); i++)
		of_block[i] = true;
	return 0;
}

static void t_cfg_1_every_byte(void **state)
{
	(void)state;
	tried = refused = 0;
	for (unsigned at = 1; at <= COUNT(good); at++) {
		const char *line = good[at - 1];
		size_t len = strlen(line);
		char bad[80];

		for (size_t i = 0; i <= len; i++) {
			/* Gone: the newline too. */
			memcpy(bad, line, i);
			memcpy(bad + i, line + i + 1, len - i);
			bad[len - (i < len)] = '\n';
			judge(replaced(at, bad, i < len ? len : len), at,
			      i < len || at == COUNT(good) ? 0 : at + 1);
			for (unsigned byte = 0; byte < 256; byte++) {
				if (i < len) { /* another */
					memcpy(bad, line, len);
					bad[i] = (char)byte;
					bad[len] = '\n';
					judge(replaced(at, bad, len + 1), at, 0);
				}
				memcpy(bad, line, i); /* a neighbour */
				bad[i] = (char)byte;
				memcpy(bad + i + 1, line + i, len - i);
				bad[len + 1] = '\n';
				judge(replaced(at, bad, len + 2), at, 0);
			}
		}
	}
	assert_true(refused > tried / 2);
	printf("tally: T-CFG-1 %" PRIu64 " bytes of a policy\n", tried);
}

/* [utest->req~policy-refused-by-line~1] */
static void t_cfg_1_every_line(void **state)
{
	char bad[2100];

	(void)state;
	tried = refused = 0;
	for (unsigned at = 1; at <= COUNT(good); at++) {
		const char *line = good[at - 1];
		int n;

		judge(replaced(at, "", 0), at, 0);	  /* gone */
		n = sprintf(bad, "%s\n%s\n", line, line); /* twice */
		judge(replaced(at, bad, (size_t)n), at, 0);
		if (strchr(line, '=') || line[0] == '[')
			assert_false(got.accepted);
		n = sprintf(bad, "%s%900s\n", line, ""); /* long */
		judge(replaced(at, bad, (size_t)n), at, 0);
		n = sprintf(bad, "%s%1024s\n", line, ""); /* too long */
		judge(replaced(at, bad, (size_t)n), at, 0);
		assert_false(got.accepted);
		n = sprintf(bad, "%s\r\n", line);
		judge(replaced(at, bad, (size_t)n), at, 0);
		n = sprintf(bad, "#%s\n", line);
		judge(replaced(at, bad, (size_t)n), at, 0);
		if (at == COUNT(good))
			continue;
		for (unsigned other = 1; other <= COUNT(good); other++) {
			if (other == at) /* another line in its place */
				continue;
			n = sprintf(bad, "%s\n", good[other - 1]);
			judge(replaced(at, bad, (size_t)n), at, other);
		}
	}
	printf("tally: T-CFG-1 %" PRIu64 " lines of a policy\n", tried);
}

/* The file ends early: refused, or what is missing is at its default; and no
 * default is wider than what a policy can say, but for GrantRefs and Tag, whose
 * absence means any. */
static void t_cfg_1_cut_short(void **state)
{
	static const char minimal[] =
		"Format = 1\n[Backend]\nClass = blk\nResource = null:1M\n[Client]\n"
		"Domain = 3\nDevice = xvda\n[Limits]\nInFlight = 128\n"
		"Operations = 50000/s burst 1000\nBytes = 200M/s burst 4M\n"
		"Events = 20000/s\n";
	size_t all = replaced(0, NULL, 0), len;
	uint64_t accepted = 0;

	(void)state;
	tried = refused = 0;
	for (len = 0; len < all; len++) {
		replaced(0, NULL, 0);
		read_policy(len, &got);
		tried++;
		if (!got.accepted)
			continue;
		accepted++;
		for (unsigned f = 0; f < COUNT(fields); f++) {
			bool last = want.policy.line[fields[f].key] ==
				    got.policy.line[fields[f].key];

			/* As it was; a default; or the very line that was cut. */
			assert_true(field_same(f) || !got.policy.line[fields[f].key] ||
				    (last && text[len] != '\n'));
		}
	}
	assert_true(accepted < tried / 3);
	memcpy(text, minimal, sizeof(minimal));
	read_policy(sizeof(minimal) - 1, &got);
	assert_true(got.accepted);
	got.policy.first_ref = want.policy.first_ref;
	got.policy.last_ref = want.policy.last_ref;
	assert_false(policy_narrows(&got.policy, &want.policy));
	assert_true(got.policy.read_only && got.policy.exclusive);
	assert_false(got.block.discard);
	printf("tally: T-CFG-1 %" PRIu64 " ends of a policy\n", tried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(t_cfg_1_every_byte, set_up),
		cmocka_unit_test_setup(t_cfg_1_every_line, set_up),
		cmocka_unit_test_setup(t_cfg_1_cut_short, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
