/* SPDX-License-Identifier: MIT */
/*
 * The inputs of xdd-policy report, whole, torn and hostile, and what is made of them:
 * which instances are of one client, what may be mapped at once, and the points where
 * two sources do not agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/cmd/assess.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* -- The probe -------------------------------------------------------------- */

#define WORDS                                                                          \
	"Starting it...\nrefused  a-b  (EPERM)\nskipped  c  (no (such) client)\n"      \
	"ALLOWED  d  (done)\n"
#define OBJECTS                                                                        \
	"{\"name\":\"a\",\"result\":\"refused\",\"detail\":\"EPERM\",\"proves\":"      \
	"\"x\"}\n"                                                                     \
	"{\"lost\":\"it hung up\"}\n"

static const struct {
	const char *text;
	const char *wrong; /* NULL: nothing is */
	unsigned line;
	unsigned rows, runs;
} probes[] = {
	{WORDS "1 refused, 1 allowed, 1 skipped\n", NULL, 0, 3, 1},
	{WORDS "1 refused, 1 allowed, 1 skipped\n" WORDS
	       "1 refused, 1 allowed, 1 skipped",
	 NULL, 0, 3, 2},
	{OBJECTS "{\"refused\":1,\"allowed\":0,\"skipped\":0}\n", NULL, 0, 1, 1},
	{"", "torn", 0, 0, 0},
	{WORDS, "torn", 0, 0, 0},
	{OBJECTS, "torn", 0, 0, 0},
	{WORDS "2 refused, 1 allowed, 1 skipped\n", "other tries", 5, 0, 0},
	{WORDS "1 refused, 0 allowed, 1 skipped\n", "other tries", 5, 0, 0},
	{WORDS "1 refused, 1 allowed, 1 skipped.\n", "torn", 0, 0, 0},
	{WORDS "1 refused, 1 allowed, 1 skipped\nrefused  e  (EPERM)\n", "torn", 0, 0,
	 0},
	{"\n{\"name\":\"a\",\"result\":\"refu", "not a line", 2, 0, 0},
	{"{\"name\":1,\"result\":\"refused\",\"detail\":\"\"}\n", "not a line", 1, 0,
	 0},
	{"{\"refused\":-1,\"allowed\":0,\"skipped\":0}\n", "not a line", 1, 0, 0},
};

static void probe_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(probes); i++) {
		struct probe probe;
		unsigned line = 99;
		const char *why = probe_read(&probe, probes[i].text,
					     strlen(probes[i].text), &line);

		if (!why != !probes[i].wrong || (why && !strstr(why, probes[i].wrong)))
			fail_msg("%zu: it says %s", i, why ? why : "nothing");
		assert_int_equal(line, probes[i].line);
		assert_int_equal(probe.rows, probes[i].rows);
		assert_int_equal(probe.runs, probes[i].runs);
		probe_fini(&probe);
	}
}

static void probe_counts(void **state)
{
	struct probe probe;
	unsigned line;

	(void)state;
	assert_null(probe_read(&probe, probes[1].text, strlen(probes[1].text), &line));
	assert_int_equal(probe.count[PROBE_REFUSED], 2);
	assert_int_equal(probe.count[PROBE_ALLOWED], 2);
	assert_int_equal(probe.row[0].times, 2);
	assert_string_equal(probe.row[1].detail, "no (such) client");
	probe_fini(&probe);
	assert_null(probe_read(&probe, probes[2].text, strlen(probes[2].text), &line));
	assert_true(probe.lost);
	assert_string_equal(probe.row[0].proves, "x");
	probe_fini(&probe);
}

/* A probe cut anywhere is no other probe. */
static void probe_cut(void **state)
{
	const char *text = probes[2].text;

	(void)state;
	for (size_t n = 0; n + 1 < strlen(text); n++) {
		struct probe probe;
		unsigned line;

		assert_non_null(probe_read(&probe, text, n, &line));
	}
}

/* -- The witness ------------------------------------------------------------ */

#define WITNESS                                                                        \
	"{\"format\":1,\"domain\":1,\"name\":\"drv\",\"explained\":false,"             \
	"\"maptrack\":{\"frames\":2,\"frames_max\":1024},"                             \
	"\"maps\":[{\"client\":3,\"pages\":17,\"writable\":4}],"                       \
	"\"event_channels\":null,"                                                     \
	"\"instances\":[{\"instance\":\"a\",\"client\":null,\"policy_sha256\":\"%s\"," \
	"\"ring_pages\":1,\"data_pages\":2,\"event_channels\":1,"                      \
	"\"log\":{\"state\":\"good\",\"registered_pages\":3}}],"                       \
	"\"unexplained\":[{\"kind\":\"map-not-logged\",\"instance\":null,\"client\":"  \
	"3,"                                                                           \
	"\"count\":1,\"which\":\"9\",\"why\":\"it "                                    \
	"is\",\"remedy\":\"look\"}],\"further\":2}"

static const char *read_witness(struct witness *w, const char *text,
				json_error_t *error)
{
	return witness_read(w, text, strlen(text), error);
}

static void witness_text(void **state)
{
	json_error_t error;
	struct witness w;

	(void)state;
	assert_null(read_witness(&w, WITNESS, &error));
	assert_int_equal(w.domain, 1);
	assert_int_equal(w.maptrack_max, 1024);
	assert_int_equal(w.grant_frames, -1);
	assert_int_equal(w.interdomain, -1);
	assert_int_equal(w.instance[0].client, -1);
	assert_int_equal(w.instance[0].data_pages, 2);
	assert_string_equal(w.instance[0].log, "good");
	assert_string_equal(w.finding[0].why, "it is");
	assert_null(w.finding[0].instance);
	assert_int_equal(w.maps[0].pages, 17);
	assert_int_equal(w.further, 2);
	witness_fini(&w);
}

/* Each byte taken away, and each byte another: accepted only as what it then says. */
static void witness_mangled(void **state)
{
	char text[] = WITNESS;
	json_error_t error;
	struct witness w;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_non_null(witness_read(&w, text, n, &error));
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char was = text[n];

		for (unsigned c = 0; c < 256; c += 7) {
			text[n] = (char)c;
			if (!witness_read(&w, text, sizeof(text) - 1, &error))
				witness_fini(&w);
			assert_null(w.root);
		}
		text[n] = was;
	}
}

static void witness_wrong(void **state)
{
	static const char *const texts[] = {
		"[]",
		"{}",
		"{\"format\":2,\"domain\":1,\"explained\":true,\"instances\":[],"
		"\"maps\":[],\"unexplained\":[]}",
		"{\"format\":1,\"domain\":1,\"explained\":true}",
		"{\"format\":1,\"domain\":1,\"explained\":1,\"instances\":[],\"maps\":["
		"],"
		"\"unexplained\":[]}",
		"{\"format\":1,\"domain\":1,\"explained\":true,\"instances\":[3],"
		"\"maps\":[],"
		"\"unexplained\":[]}",
		"{\"format\":1,\"domain\":1,\"explained\":true,\"instances\":[],"
		"\"maps\":[{}],"
		"\"unexplained\":[]}",
		"{\"format\":1,\"domain\":1,\"explained\":true,\"instances\":[],"
		"\"maps\":[],"
		"\"unexplained\":[{\"count\":1}]}",
		"{\"format\":1,\"format\":1}",
		"{\"format\":1,\n\"domain\":}",
	};
	json_error_t error;
	struct witness w;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		if (!read_witness(&w, texts[i], &error))
			fail_msg("%s is accepted", texts[i]);
	}
	assert_int_equal(error.line, 2);
}

/* -- What is made of them ---------------------------------------------------- */

static struct set_entry entries[8];
static struct set set;
static struct assess a;
static struct assess_log logs[8];

/* Instance "a", "b", ... */
static void add(const char *class, const char *client, const char *rest)
{
	static struct policy_errors errors;
	struct set_entry *entry = &entries[set.n];
	char name[] = {(char)('a' + set.n), '\0'};

	if (asprintf(&entry->text,
		     "Format = 1\n[Backend]\n%s\n[Client]\n%s\nDevice = "
		     "%u\n%s\n[Limits]\n"
		     "InFlight = 1\nOperations = 1/s\nBytes = 5k/s\nEvents = 99/s\n",
		     class, client, set.n, rest) < 0)
		abort();
	entry->len = strlen(entry->text);
	entry->path = strdup(name);
	if (policy_parse(name, entry->text, entry->len, &entry->policy, &errors))
		fail_msg("%s: %s", errors.error[0].what, errors.error[0].allowed);
	set.n++;
}

/* The log of instance @n, which served @client, at most @most pages at once. */
static struct assess_log *add_log(unsigned n, uint32_t client, uint64_t most)
{
	struct assess_log *log = &logs[a.logs++];

	*log = (struct assess_log){.client = client, .sum.most = most};
	log->path = strdup("log");
	strcpy(log->name, entries[n].policy.name);
	strcpy(log->sum.boot, "boot");
	assess_digest(entries[n].text, entries[n].len, log->policy);
	return log;
}

static void make(void)
{
	a.set = &set;
	a.place = "here";
	a.log = memcpy(calloc(COUNT(logs), sizeof(*logs)), logs, sizeof(logs));
	assess_make(&a);
}

static int begin(void **state)
{
	(void)state;
	set = (struct set){.entry = entries};
	a = (struct assess){.place = ""};
	memset(logs, 0, sizeof(logs));
	return 0;
}

static int end(void **state)
{
	(void)state;
	assess_free(&a);
	for (unsigned i = 0; i < set.n; i++) {
		free(entries[i].path);
		free(entries[i].text);
	}
	return 0;
}

static const struct assess_point *point(const char *text)
{
	for (unsigned i = 0; i < a.points; i++) {
		if (strstr(a.point[i].text, text))
			return &a.point[i];
	}
	return NULL;
}

static void weighs(const char *text, enum assess_weight weight)
{
	if (!point(text))
		fail_msg("no point says \"%s\"", text);
	assert_int_equal(point(text)->weight, weight);
}

#define DISK	 "Class = blk\nResource = null:1G\nReadOnly = no"
#define TAG(tag) "Domain = any\nTag = " tag

static void at_once(void **state)
{
	(void)state;
	add(DISK, "Domain = 3", "[Memory]\nDataPages = 100\nRingPages = 4");
	add("Class = net\nResource = tap0", "Domain = 3", "");
	add("Class = can\nResource = can0", "Domain = 3", "");
	add("Class = snd\nResource = alsa:", "Domain = 3", "");
	add(DISK "\nDoor = virtio", "Domain = 3",
	    "[Memory]\nMode = pool\nPoolPages = 9");
	make();
	assert_int_equal(a.instance[0].way, ASSESS_MAPS);
	assert_int_equal(a.instance[0].at_once, 104);
	assert_true(a.instance[0].reads && a.instance[0].writes);
	assert_int_equal(a.instance[1].way, ASSESS_COPIES);
	assert_int_equal(a.instance[1].at_once, 2);
	assert_int_equal(a.instance[2].way, ASSESS_RINGS);
	assert_false(a.instance[2].reads || a.instance[2].writes);
	assert_true(a.instance[3].reads && !a.instance[3].writes);
	assert_int_equal(a.instance[4].way, ASSESS_POOL);
	assert_int_equal(a.instance[4].at_once, 10);
	assert_int_equal(a.clients, 1);
	assert_int_equal(a.client[0].copying, 1);
	assert_int_equal(a.client[0].readable, 104 + 2 + 2 + 2 + 65 + 10);
	assert_int_equal(a.client[0].writable, 104 + 2 + 2 + 2 + 10);
}

static void clients(void **state)
{
	(void)state;
	add(DISK, TAG("x"), "");
	add(DISK, TAG("x"), "");
	add(DISK, TAG("y"), "");
	add(DISK, "Domain = 7", "");
	add(DISK, TAG("z"), "");
	add(DISK, TAG("q"), "");
	add(DISK, TAG("r"), "");
	/* c and e are of domain 4 in one boot; f of another's 4; g's log is broken. */
	add_log(2, 4, 0);
	add_log(4, 4, 0);
	strcpy(add_log(5, 4, 0)->sum.boot, "other");
	add_log(6, 4, 0)->findings = 1;
	make();
	assert_int_equal(a.clients, 5);
	assert_int_equal(a.client[0].domain, 4);
	assert_int_equal(a.client[0].instances, 2);
	assert_non_null(a.client[0].by);
	assert_int_equal(a.client[1].domain, 4);
	assert_int_equal(a.client[1].instances, 1);
	assert_int_equal(a.client[2].domain, 7);
	assert_null(a.client[2].by);
	assert_int_equal(a.client[3].domain, ASSESS_NOBODY);
	assert_string_equal(a.client[3].tag, "r");
	assert_int_equal(a.client[4].instances, 2);
}

static void nothing_given(void **state)
{
	(void)state;
	add(DISK, "Domain = 3", "");
	make();
	assert_int_equal(assess_count(&a, ASSESS_ALARM), 0);
	assert_int_equal(assess_count(&a, ASSESS_ABSENT), 3);
	weighs("o audit log was given", ASSESS_ABSENT);
	weighs("No witness was given", ASSESS_ABSENT);
	weighs("No probe was given", ASSESS_ABSENT);
}

static void all_is_well(void **state)
{
	(void)state;
	add(DISK, "Domain = 3", "[Memory]\nDataPages = 100");
	add_log(0, 3, 101);
	make();
	assert_int_equal(assess_count(&a, ASSESS_ALARM), 0);
	assert_int_equal(assess_count(&a, ASSESS_NOTE), 0);
}

static void disagreements(void **state)
{
	struct assess_log *log;

	(void)state;
	add(DISK "\nIsolation = domain", "Domain = 3", "[Memory]\nExclusive = no");
	add(DISK, "Domain = 3", "[Memory]\nDataPages = 100\n[Audit]\nLevel = changes");
	log = add_log(0, 3, 354);
	log->policies = 2;
	log->sum.lost = 6;
	log->first = 40;
	strcpy(log->sum.class, "net");
	log = add_log(1, 3, 0);
	log->findings = 1;
	log->policy[0] ^= 1;
	strcpy(log->broken_at, "b:7, seq 6");
	strcpy(add_log(1, 3, 0)->name, "gone");
	make();
	weighs("a: Isolation = domain (a:", ASSESS_ALARM);
	weighs("a: Exclusive = no", ASSESS_NOTE);
	weighs("354 pages mapped at once, its policy allows 353; it has had more than "
	       "one",
	       ASSESS_ALARM);
	weighs("a: 6 lines of its log could not be written", ASSESS_NOTE);
	weighs("a: its log begins with seq 40", ASSESS_NOTE);
	weighs("a: its log is of class net, its policy of blk", ASSESS_ALARM);
	weighs("b: the chain of its log is broken at b:7, seq 6", ASSESS_ALARM);
	weighs("b: its log was written with another policy", ASSESS_ALARM);
	weighs("b: Level = changes", ASSESS_NOTE);
	weighs("a log of gone, which no policy here is of", ASSESS_ALARM);
	assert_int_equal(assess_count(&a, ASSESS_ALARM), 6);
}

static void witness_disagrees(void **state)
{
	json_error_t error;

	(void)state;
	add(DISK, "Domain = 3", "");
	add(DISK, "Domain = 3", "");
	assert_null(read_witness(&a.witness, WITNESS, &error));
	make();
	assert_ptr_equal(a.instance[0].seen, &a.witness.instance[0]);
	weighs("What Xen has in use is not all explained: 3 findings", ASSESS_ALARM);
	weighs("a: the witness judged by another policy", ASSESS_ALARM);
	weighs("b: the witness was told of no such instance", ASSESS_ALARM);
}

static void probe_was_allowed(void **state)
{
	struct assess_probe *probe = calloc(1, sizeof(*probe));
	unsigned line;

	(void)state;
	add(DISK, "Domain = 3", "");
	probe->path = "probe.txt";
	assert_null(probe_read(&probe->probe, probes[0].text, strlen(probes[0].text),
			       &line));
	a.probe = probe;
	a.probes = 1;
	make();
	weighs("probe.txt: of what a back end must not be able to do, 1 were allowed",
	       ASSESS_ALARM);
	weighs("probe.txt does not say in whose place", ASSESS_NOTE);
}

static void groups(void **state)
{
	(void)state;
	add("Class = net\nResource = link:x", "Domain = 3", "");
	add(DISK, "Domain = 4", "");
	add("Class = net\nResource = link:x", "Domain = 5", "");
	make();
	assert_int_equal(a.instance[0].group, 1);
	assert_int_equal(a.instance[1].group, 0);
	assert_int_equal(a.instance[2].group, 1);
	weighs("Isolation group 1, link x", ASSESS_NOTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_texts),
		cmocka_unit_test(probe_counts),
		cmocka_unit_test(probe_cut),
		cmocka_unit_test(witness_text),
		cmocka_unit_test(witness_mangled),
		cmocka_unit_test(witness_wrong),
		cmocka_unit_test_setup_teardown(at_once, begin, end),
		cmocka_unit_test_setup_teardown(clients, begin, end),
		cmocka_unit_test_setup_teardown(nothing_given, begin, end),
		cmocka_unit_test_setup_teardown(all_is_well, begin, end),
		cmocka_unit_test_setup_teardown(disagreements, begin, end),
		cmocka_unit_test_setup_teardown(witness_disagrees, begin, end),
		cmocka_unit_test_setup_teardown(probe_was_allowed, begin, end),
		cmocka_unit_test_setup_teardown(groups, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
