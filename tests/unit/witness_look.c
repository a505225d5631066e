/* SPDX-License-Identifier: MIT */
/* Two looks at Xen, of which only what both have counts; and a look at a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/witness_dump.h"
#include "xenbus/cmd/witness-look.h"

static struct scene before, now;

/* The dump, with the first @from of each line as @to. */
static void show(struct scene *scene, const char *from, const char *to)
{
	char text[16384], *at = text;
	const char *why;

	for (unsigned i = 0; i < DUMP_LINES; i++) {
		const char *found = from ? strstr(dump_lines[i], from) : NULL;

		if (found && !*to)
			continue;
		if (found)
			at += sprintf(at, "%.*s%s%s\n", (int)(found - dump_lines[i]),
				      dump_lines[i], to, found + strlen(from));
		else
			at += sprintf(at, "%s\n", dump_lines[i]);
	}
	why = usage_parse(text, strlen(text), &scene->usage);
	if (why)
		fail_msg("%s", why);
}

static void ports(struct scene *scene, const struct scene_port *list, unsigned n)
{
	scene->port = calloc(n, sizeof(*list));
	assert_non_null(scene->port);
	memcpy(scene->port, list, n * sizeof(*list));
	scene->ports = n;
}

static int end(void **state)
{
	(void)state;
	look_forget(&before);
	look_forget(&now);
	return 0;
}

static const struct usage_row *row_of(unsigned owner, unsigned ref)
{
	const struct usage_table *t =
		usage_of(&before.usage, (struct domid){(uint16_t)owner});

	for (size_t i = t->first; i < t->first + t->rows; i++) {
		if (before.usage.row[i].ref.v == ref)
			return &before.usage.row[i];
	}
	return NULL;
}

static void test_same(void **state)
{
	(void)state;
	show(&before, NULL, NULL);
	show(&now, NULL, NULL);
	look_both(&before, &now);
	assert_int_equal(before.usage.rows, 9);
	assert_int_equal(row_of(2, 0x29)->writable, 2);
	assert_int_equal(row_of(3, 1)->user.v, 0);
}

/* A copy that was under way. */
static void test_gone(void **state)
{
	(void)state;
	show(&before, NULL, NULL);
	show(&now, "[0x029]", "");
	look_both(&before, &now);
	assert_int_equal(before.usage.rows, 8);
	assert_null(row_of(2, 0x29));
	assert_int_equal(row_of(2, 0x2a)->writable, 2);
	assert_int_equal(row_of(3, 0)->writable, 1);
	assert_int_equal(row_of(2, 0x1234)->readable, 3);
}

static void test_another(void **state)
{
	(void)state;
	show(&before, NULL, NULL);
	show(&now, "[0x029]      1", "[0x029]      3");
	look_both(&before, &now);
	assert_null(row_of(2, 0x29));
}

static void test_fewer(void **state)
{
	(void)state;
	show(&before, NULL, NULL);
	show(&now, "0x1bc8f7 0x00000002", "0x1bc8f7 0x00000101");
	look_both(&before, &now);
	assert_int_equal(row_of(2, 0x29)->writable, 1);
	assert_int_equal(row_of(2, 0x29)->readable, 0);
}

static void test_domain_gone(void **state)
{
	(void)state;
	show(&before, NULL, NULL);
	show(&now, "remote d3", "remote d4");
	look_both(&before, &now);
	assert_int_equal(usage_of(&before.usage, (struct domid){3})->rows, 0);
	assert_int_equal(before.usage.rows, 7);
}

static void test_ports(void **state)
{
	const struct scene_port first[] = {
		{{5}, PORT_INTERDOMAIN, {2}, {9}},
		{{6}, PORT_INTERDOMAIN, {2}, {10}},
		{{7}, PORT_UNBOUND, {2}, {0}},
		{{8}, PORT_UNBOUND, {3}, {0}},
	};
	const struct scene_port second[] = {
		{{5}, PORT_INTERDOMAIN, {2}, {9}}, {{6}, PORT_INTERDOMAIN, {2}, {11}},
		{{7}, PORT_INTERDOMAIN, {2}, {0}}, {{8}, PORT_UNBOUND, {3}, {0}},
		{{9}, PORT_UNBOUND, {3}, {0}},
	};

	(void)state;
	ports(&before, first, 4);
	ports(&now, second, 5);
	show(&before, NULL, NULL);
	show(&now, NULL, NULL);
	look_both(&before, &now);
	assert_int_equal(before.ports, 2);
	assert_int_equal(before.port[0].port.v, 5);
	assert_int_equal(before.port[1].port.v, 8);
}

static void test_file(void **state)
{
	char path[] = "/tmp/xdd-look.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	for (unsigned i = 0; i < DUMP_LINES; i++)
		assert_true(dprintf(fd, "%s\n", dump_lines[i]) > 0);
	close(fd);
	assert_null(look_file(path, &before));
	assert_false(before.saw_ports);
	assert_int_equal(before.usage.tables, 4);
	look_forget(&before);
	assert_int_equal(truncate(path, 1000), 0);
	assert_non_null(look_file(path, &before));
	unlink(path);
	assert_string_equal(look_file(path, &before), strerror(2));
	assert_non_null(look_file("/tmp", &before));
}

#define TEST(test) cmocka_unit_test_teardown(test, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same),  TEST(test_gone),	  TEST(test_another),
		TEST(test_fewer), TEST(test_domain_gone), TEST(test_ports),
		TEST(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
