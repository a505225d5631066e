/* SPDX-License-Identifier: MIT */
/*
 * The picture of who reaches whom, for 1 to 64 instances of all kinds: no two texts
 * overlap, each is within a box or beside all, lines keep to the gutters, and every
 * instance has its box, its way to its client and its way to its resource.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/cmd/picture.h"

#define MOST 64

static struct picture_row rows[MOST];
static char names[MOST][40], resources[MOST][260];
static struct picture picture;

/* Names as long as they may be, or as short; @clients and @shared: how many instances
 * of one client, and of one resource, follow each other. */
static void make_rows(unsigned n, unsigned clients, unsigned shared, unsigned length)
{
	for (unsigned i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "%0*u",
			 (int)(length < 31 ? length : 31), i);
		snprintf(resources[i], sizeof(resources[i]), "%0*u",
			 (int)(length < 255 ? length : 255), i / shared);
		rows[i] = (struct picture_row){
			.client = i / clients,
			.client_is = {names[i], resources[i]},
			.name = names[i],
			.kind = i % 2 ? "displ virtio" : "blk pv",
			.data = "reads, writes a pool of 1048576 pages",
			.rings = "ring pages: 1024, read and written",
			.resource = resources[i],
			.group = shared > 1 ? i / shared + 1 : 0,
			.domain = i % 3 == 0,
			.reads = i % 2,
			.writes = i % 5,
		};
	}
}

static bool overlap(struct picture_box a, struct picture_box b)
{
	return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

static bool within(struct picture_box in, struct picture_box out)
{
	return in.x >= out.x && in.y >= out.y && in.x + in.w <= out.x + out.w &&
	       in.y + in.h <= out.y + out.h;
}

/* Invariant 1. */
static void texts_are_apart(void)
{
	for (unsigned i = 0; i < picture.labels; i++) {
		struct picture_box room = picture_room(&picture.label[i]);

		assert_true(within(room, (struct picture_box){0, 0, PICTURE_WIDTH,
							      picture.height,
							      PICTURE_FRAME}));
		for (unsigned k = i + 1; k < picture.labels; k++) {
			if (overlap(room, picture_room(&picture.label[k])))
				fail_msg("\"%s\" overlaps \"%s\"",
					 picture.label[i].text, picture.label[k].text);
		}
		for (unsigned k = 0; k < picture.boxes; k++) {
			struct picture_box box = picture.box[k];

			if (box.kind != PICTURE_FRAME && overlap(room, box) &&
			    !within(room, box))
				fail_msg("\"%s\" leaves its box",
					 picture.label[i].text);
		}
	}
}

/* Invariant 2. */
static void lines_are_in_gutters(void)
{
	for (unsigned i = 0; i < picture.lines; i++) {
		const struct picture_line *line = &picture.line[i];
		int top = line->y1 < line->y2 ? line->y1 : line->y2;
		int bottom = line->y1 < line->y2 ? line->y2 : line->y1;
		struct picture_box around = {line->x1 + 1, top, line->x2 - line->x1 - 2,
					     bottom - top + 1, PICTURE_FRAME};

		for (unsigned k = 0; k < picture.labels; k++)
			assert_false(overlap(around, picture_room(&picture.label[k])));
		for (unsigned k = 0; k < picture.boxes; k++) {
			if (picture.box[k].kind != PICTURE_FRAME)
				assert_false(overlap(around, picture.box[k]));
		}
	}
}

static unsigned boxes_of(enum picture_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < picture.boxes; i++)
		n += picture.box[i].kind == kind;
	return n;
}

static void is_whole(unsigned first, unsigned n, unsigned clients, unsigned shared)
{
	unsigned owners = (first + n - 1) / clients - first / clients + 1;
	unsigned users = (first + n - 1) / shared - first / shared + 1;
	unsigned alarms = 0, open = 0;

	for (unsigned i = 0; i < n; i++)
		open += rows[first + i].domain;
	for (unsigned i = 0; i < picture.labels; i++)
		alarms +=
			picture.label[i].alarm &&
			!strcmp(picture.label[i].text, "NO KEEPER: Isolation = domain");
	assert_int_equal(boxes_of(PICTURE_INSTANCE) + boxes_of(PICTURE_OPEN), n);
	assert_int_equal(boxes_of(PICTURE_OPEN), open);
	assert_int_equal(alarms, open);
	assert_int_equal(boxes_of(PICTURE_CLIENT), owners);
	assert_int_equal(boxes_of(PICTURE_RESOURCE) + boxes_of(PICTURE_GROUP), users);
	assert_int_equal(picture.lines, 2 * n);
}

static void any_number(void **state)
{
	static const unsigned lengths[] = {1, 12, 255};

	(void)state;
	for (unsigned n = 1; n <= MOST; n++) {
		for (unsigned clients = 1; clients <= 6; clients++) {
			unsigned shared = 1 + n % 4;

			make_rows(n, clients, shared, lengths[(n + clients) % 3]);
			for (unsigned at = 0; at < n; at += PICTURE_ROWS) {
				unsigned part =
					n - at < PICTURE_ROWS ? n - at : PICTURE_ROWS;

				picture_lay_out(&picture, rows + at, part);
				texts_are_apart();
				lines_are_in_gutters();
				is_whole(at, part, clients, shared);
			}
		}
	}
}

/* An arrow is where bytes may go, and nowhere else. */
static void arrows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		make_rows(1, 1, 1, 8);
		rows[0].reads = i & 1;
		rows[0].writes = i & 2;
		picture_lay_out(&picture, rows, 1);
		assert_int_equal(picture.line[0].to_second, i & 1);
		assert_int_equal(picture.line[0].to_first, i / 2);
	}
}

/* Bytes that are not ASCII are told as \xNN, and cut with the rest. */
static void odd_bytes(void **state)
{
	const char *text = NULL;

	(void)state;
	make_rows(2, 1, 1, 8);
	rows[0].resource = "\xff\x01\xe2\x80\xae\n<>0123456789012345678901234567";
	picture_lay_out(&picture, rows, 2);
	texts_are_apart();
	for (unsigned i = 0; i < picture.labels; i++) {
		if (!strncmp(picture.label[i].text, "\\xff", 4))
			text = picture.label[i].text;
	}
	assert_non_null(text);
	assert_string_equal(text, "\\xff\\x01\\xe2\\x80\\xae\\x0a<>01...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number),
		cmocka_unit_test(arrows),
		cmocka_unit_test(odd_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
