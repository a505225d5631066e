/* SPDX-License-Identifier: MIT */
/*
 * Audit logs that the keeper's own code wrote, and what becomes of them when somebody
 * lays hands on them: a thousand edits at random, each found, at its place. XDD_SEED
 * repeats a run.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <sha2.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "grant-mem/cmd/audit-trail.h"

#define EDITS 1000
#define LINES 60
#define BYTES 8192

/* Both files, one behind the other, and where each line begins. */
struct text {
	char bytes[4 * BYTES];
	size_t len, older; /* bytes of audit.log.1 */
	size_t line[LINES + 1];
	unsigned in_older; /* lines */
};

static char dir[] = "/tmp/xdd-audit-chain-XXXXXX";
static struct text good, bad;
static struct chain_head head;
static struct trail trail;
static struct chain_finding finding[8];

static void write_line(struct audit *audit, unsigned i)
{
	if (!i)
		audit_line(audit, "start", "\"instance\":\"%s\",\"boot\":\"%s\"",
			   "ivi_disk", "b1");
	else if (i % 5 == 3)
		audit_line(audit, "refused",
			   "\"text\":\"map: Memory.GrantRefs, line %u\"", i);
	else
		audit_line(audit, "map", "\"id\":%u,\"pages\":%u,\"refs\":\"8-11\"", i,
			   4);
}

static size_t read_file(const char *name, char *to)
{
	char path[96];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, to, 2 * BYTES);
	assert_true(n > 0);
	close(fd);
	return (size_t)n;
}

static void write_file(const char *name, const char *bytes, size_t len)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static int set_up(void **state)
{
	struct audit audit;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(audit_open(&audit, dir, BYTES, false), 0);
	for (unsigned i = 0; i < LINES; i++)
		write_line(&audit, i);
	head.seq = audit.seq - 1;
	strcpy(head.hash, audit.prev);
	close(audit.fd);
	close(audit.dir);
	good.older = read_file("audit.log.1", good.bytes);
	good.len = good.older + read_file("audit.log", good.bytes + good.older);
	for (unsigned i = 0, n = 0; i < good.len; i++) {
		if (good.bytes[i] != '\n')
			continue;
		good.line[++n] = i + 1;
		good.in_older += i < good.older;
	}
	assert_int_equal(good.line[LINES], good.len);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void found(struct trail *t, const struct chain_finding *what)
{
	if (t->findings <= 8)
		finding[t->findings - 1] = *what;
}

/* Reads @bad with the good one's head. */
static void judge(const struct chain_head *known)
{
	write_file("audit.log.1", bad.bytes, bad.older);
	write_file("audit.log", bad.bytes + bad.older, bad.len - bad.older);
	memset(finding, 0, sizeof(finding));
	trail = (struct trail){.found = found, .head = known};
	assert_int_equal(trail_read(&trail, dir), 0);
}

/* Line @k of all is where the first finding is, or @slack behind it. */
static void is_at(unsigned k, unsigned slack)
{
	const struct chain_place *at = &finding[0].at;
	unsigned line;

	assert_true(trail.findings > 0);
	assert_non_null(at->path);
	line = at->line;
	if (strcmp(strrchr(at->path, '/'), "/audit.log.1"))
		line += good.in_older;
	if (line < k + 1 || line > k + 1 + slack)
		fail_msg("found at line %u, not %u; seq %u", line, k + 1,
			 (unsigned)at->seq);
}

static void cut(size_t from, size_t to)
{
	memmove(bad.bytes + from, bad.bytes + to, bad.len - to);
	bad.len -= to - from;
	if (to <= bad.older)
		bad.older -= to - from;
	else if (from < bad.older)
		bad.older = from;
}

static void put_in(size_t at, const char *bytes, size_t len)
{
	memmove(bad.bytes + at + len, bad.bytes + at, bad.len - at);
	memcpy(bad.bytes + at, bytes, len);
	bad.len += len;
	if (at < bad.older)
		bad.older += len;
}

static unsigned any(unsigned n)
{
	return (unsigned)random() % n;
}

static void edit_byte(void)
{
	size_t at = any((unsigned)good.len);
	unsigned k = 0;
	char c;

	do
		c = (char)any(256);
	while (c == good.bytes[at]);
	bad.bytes[at] = c;
	while (good.line[k + 1] <= at)
		k++;
	judge(&head);
	if (at == good.len - 1) {
		assert_int_equal(finding[0].kind, CHAIN_CUT);
	} else {
		if (k < LINES - 1 || finding[0].kind != CHAIN_HEAD)
			assert_int_equal(finding[0].kind, CHAIN_CHANGED);
		is_at(k, 0);
	}
	assert_int_equal(finding[0].at.seq, k);
	assert_int_equal(trail.findings, 1);
}

static void take_lines(void)
{
	unsigned k = any(LINES), n = 1 + any(LINES - k < 5 ? LINES - k : 5);

	if (n == LINES)
		n--;
	cut(good.line[k], good.line[k + n]);
	judge(&head);
	assert_int_equal(trail.findings, 1);
	if (k + n == LINES) {
		assert_int_equal(finding[0].kind, CHAIN_CUT);
		assert_int_equal(finding[0].at.seq, k);
	} else if (!k) {
		assert_int_equal(finding[0].kind, CHAIN_FRONT);
	} else {
		assert_int_equal(finding[0].kind, CHAIN_MISSING);
		assert_int_equal(finding[0].at.seq, k);
	}
	assert_int_equal(finding[0].to, k + n == LINES ? LINES - 1 : k + n - 1);
}

static void swap_lines(void)
{
	unsigned a = any(LINES - 1), b = a + 1 + any(LINES - a - 1);
	size_t len_a = good.line[a + 1] - good.line[a];
	size_t len_b = good.line[b + 1] - good.line[b];

	put_in(good.line[b + 1], good.bytes + good.line[a], len_a);
	cut(good.line[b], good.line[b + 1]);
	put_in(good.line[a], good.bytes + good.line[b], len_b);
	cut(good.line[a] + len_b, good.line[a + 1] + len_b);
	judge(&head);
	assert_true(trail.findings > 1);
	is_at(a, !a);
}

static void cut_off(void)
{
	size_t at = good.older + any((unsigned)(good.len - good.older));
	unsigned k = 0;

	while (good.line[k + 1] <= at)
		k++;
	bad.len = at;
	judge(&head);
	assert_int_equal(trail.findings, 1);
	assert_int_equal(finding[0].kind, CHAIN_CUT);
	assert_int_equal(finding[0].at.seq, k);
	assert_int_equal(finding[0].to, LINES - 1);
	assert_int_equal(trail.torn, at - good.line[k]);
	judge(NULL); /* and without a head nobody can know */
	assert_int_equal(trail.findings, 0);
}

/* A line of this log, or what looks like one, in another place. */
static void insert_line(void)
{
	unsigned k = any(LINES - 1), from = any(LINES), alien = any(2);
	size_t len = good.line[from + 1] - good.line[from];
	char line[AUDIT_LINE_MAX];

	memcpy(line, good.bytes + good.line[from], len);
	line[0] = alien ? '?' : '{';
	put_in(good.line[k + 1], line, len);
	judge(&head);
	is_at(k + 1, !alien);
	if (alien) {
		assert_int_equal(finding[0].kind, CHAIN_ADDED);
		assert_int_equal(trail.findings, 1);
	}
}

/* [utest->req~record-is-chained~1] */
static void test_hands(void **state)
{
	static void (*const hands[])(void) = {
		edit_byte,  edit_byte,	edit_byte, edit_byte, edit_byte,
		take_lines, swap_lines, cut_off,   edit_byte, insert_line};
	const char *given = getenv("XDD_SEED");
	unsigned seed =
		given ? (unsigned)strtoul(given, NULL, 0) : (unsigned)time(NULL);

	(void)state;
	print_message("XDD_SEED=%u\n", seed);
	srandom(seed);
	for (unsigned i = 0; i < EDITS; i++) {
		bad = good;
		hands[i % 10]();
	}
}

static void test_sound(void **state)
{
	struct chain_head older = {.seq = 3};

	(void)state;
	bad = good;
	judge(&head);
	assert_int_equal(trail.findings, 0);
	assert_int_equal(trail.torn, 0);
	assert_int_equal(trail.chain.lines, LINES);
	assert_string_equal(trail.chain.hash, head.hash);
	assert_string_equal(trail.name, "ivi_disk");
	SHA256Data((const uint8_t *)good.bytes + good.line[3],
		   good.line[4] - good.line[3] - 1, older.hash);
	judge(&older);
	assert_int_equal(trail.findings, 0);
	older.hash[5] = older.hash[5] == '0' ? '1' : '0';
	judge(&older);
	assert_int_equal(trail.findings, 1);
	assert_int_equal(finding[0].kind, CHAIN_HEAD);
	assert_int_equal(finding[0].at.line, 4);
}

/* One who changes a line and makes all that follows anew: only a head shows it. */
static void test_anew(void **state)
{
	char prev[ENTRY_HASH] = "";

	(void)state;
	bad = good;
	strstr(bad.bytes + good.line[10], "\"lost\":0")[7] = '7';
	for (unsigned i = 10; i < LINES; i++) {
		char *line = bad.bytes + good.line[i];

		if (*prev)
			memcpy(strstr(line, "\"prev\":\"") + 8, prev, 64);
		SHA256Data((const uint8_t *)line, good.line[i + 1] - good.line[i] - 1,
			   prev);
	}
	judge(NULL);
	assert_int_equal(trail.findings, 0);
	judge(&head);
	assert_int_equal(trail.findings, 1);
	assert_int_equal(finding[0].kind, CHAIN_HEAD);
	assert_int_equal(finding[0].at.seq, LINES - 1);
}

/* Without the newline between them the first two lines are one that cannot be read. */
static void test_front_unread(void **state)
{
	(void)state;
	bad = good;
	bad.bytes[good.line[1] - 1] = '?';
	judge(&head);
	assert_int_equal(trail.findings, 1);
	assert_int_equal(finding[0].kind, CHAIN_CHANGED);
	assert_int_equal(finding[0].at.seq, 0);
	assert_int_equal(finding[0].to, 1);
	is_at(0, 0);
}

static void test_rotated_away(void **state)
{
	const struct chain_head first = {.seq = 3, .hash = ""};

	(void)state;
	bad = good;
	cut(0, good.line[10]);
	judge(&first);
	assert_int_equal(trail.findings, 2);
	assert_int_equal(finding[0].kind, CHAIN_FRONT);
	assert_int_equal(finding[0].to, 9);
	assert_int_equal(finding[1].kind, CHAIN_GONE);
	cut(0, bad.older);
	judge(NULL);
	assert_int_equal(trail.findings, 1);
	assert_int_equal(finding[0].kind, CHAIN_FRONT);
}

/* A head whose line is the last that was dropped: the first that is left is tied to it,
 * or to another one. */
static void test_rotated_to_the_head(void **state)
{
	struct chain_head tied = {.seq = 9};

	(void)state;
	SHA256Data((const uint8_t *)good.bytes + good.line[9],
		   good.line[10] - good.line[9] - 1, tied.hash);
	bad = good;
	cut(0, good.line[10]);
	judge(&tied);
	assert_int_equal(trail.findings, 1);
	assert_int_equal(finding[0].kind, CHAIN_FRONT); /* audit.log.1 is too small */
	tied.hash[5] = tied.hash[5] == '0' ? '1' : '0';
	judge(&tied);
	assert_int_equal(trail.findings, 2);
	assert_int_equal(finding[1].kind, CHAIN_GONE);
}

/* Lines of one who has taken the domain over: none is believed, none does harm. */
static void test_no_lines(void **state)
{
#define REST                                                                           \
	"\"time\":\"2025-03-01T10:00:00.123Z\",\"prev\":\"00000000000000000000000000"  \
	"00000000000000000000000000000000000000\",\"event\":\"map\""
	static const struct {
		const char *line, *why;
	} rows[] = {
		{"{\"seq\":0,\"lost\":0," REST "}", NULL},
		{"{\"seq\":0,\"lost\":0," REST ",\"a\":\"\\u001b\"}", NULL},
		{"", "no JSON"},
		{"[]", "no JSON"},
		{"{\"seq\":0,\"lost\":0," REST "} ", NULL},
		{"{\"seq\":0,\"lost\":0," REST "}}", "no JSON"},
		{"{\"seq\":0,\"lost\":0," REST ",\"seq\":1}", "no JSON"},
		{"{\"seq\":0,\"lost\":0," REST ",\"a\":\"\x1b\"}", "no JSON"},
		{"{\"seq\":0,\"lost\":0," REST ",\"a\":\"\xff\"}", "no JSON"},
		{"{\"seq\":0,\"lost\":0," REST ",\"a\":\"\\u0000\"}", "no JSON"},
		{"{\"seq\":0,\"lost\":0," REST ",\"a\":[]}", "neither text"},
		{"{\"seq\":0,\"lost\":0," REST ",\"a\":{}}", "neither text"},
		{"{\"seq\":0,\"lost\":0," REST ",\"a\":1.5}", "neither text"},
		{"{\"seq\":-1,\"lost\":0," REST "}", "seq"},
		{"{\"seq\":\"0\",\"lost\":0," REST "}", "seq"},
		{"{\"seq\":99999999999999999999,\"lost\":0," REST "}", "no JSON"},
		{"{\"seq\":0," REST "}", "lost"},
		{"{\"seq\":0,\"lost\":0}", "prev"},
	};
	struct entry entry;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *why =
			entry_read(&entry, rows[i].line, strlen(rows[i].line));

		if (!why != !rows[i].why || (why && !strstr(why, rows[i].why)))
			fail_msg("%s: %s", rows[i].line, why ? why : "taken");
		entry_fini(&entry);
	}
	bad = good;
	memset(bad.bytes + good.line[20], '[', AUDIT_LINE_MAX + 1); /* deep, and long */
	judge(&head);
	assert_int_equal(finding[0].kind, CHAIN_CHANGED);
	is_at(20, 0);
	assert_non_null(strstr(finding[0].why, "too long"));
}

/* Only the newest file may end in a line that is not whole. */
static void test_torn_older(void **state)
{
	(void)state;
	bad = good;
	put_in(bad.older - 1, "torn", 4);
	bad.bytes[bad.older - 1] = '!';
	judge(&head);
	assert_int_equal(trail.findings, 1);
	assert_int_equal(finding[0].kind, CHAIN_CHANGED);
	is_at(good.in_older - 1, 0);
	bad = good;
	put_in(bad.older - 1, "\nto", 3); /* behind a whole line */
	bad.bytes[bad.older - 1] = 'r';
	judge(&head);
	assert_int_equal(trail.findings, 1);
	assert_int_equal(finding[0].kind, CHAIN_ADDED);
}

static void test_times(void **state)
{
	static const char *const yes[] = {"2025", "2025-03-01", "2025-03-01T10:00",
					  "2025-03-01T10:00:00.123Z"};
	static const char *const no[] = {"",
					 "202",
					 "2025-",
					 "2025-3-01",
					 "2025-03-01 10",
					 "2025-03-01T10:00:00.12",
					 "2025-03-01T10:00:00.123Zx",
					 "now"};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		assert_true(entry_is_time(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		assert_false(entry_is_time(no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_hands),
		cmocka_unit_test(test_anew),
		cmocka_unit_test(test_front_unread),
		cmocka_unit_test(test_rotated_away),
		cmocka_unit_test(test_rotated_to_the_head),
		cmocka_unit_test(test_no_lines),
		cmocka_unit_test(test_torn_older),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
