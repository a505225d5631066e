/* SPDX-License-Identifier: MIT */
/*
 * A picture of who reaches whom, laid out: boxes, texts and lines with their places, in
 * units of about a point and a half on paper. Pure: what becomes of it is the drawer's.
 *
 *   CLIENTS            BACK ENDS                     RESOURCES
 *  +---------+   | +-----------------------+       +-----------+
 *  | domain 3|<->| | c1_disk       blk pv  |-------| /dev/...  |
 *  |         |   | +-----------------------+     / +-----------+
 *  |         |<->| | c1_can        can pv  |----'
 *  +---------+   | +-----------------------+
 *
 * Invariants:
 *  1. no two texts overlap, and none leaves its box: a text is cut ("...") at what has
 *     room, in a font whose every letter is 0.6 of its size wide, such as any monospace
 *     font of a browser;
 *  2. lines are in the gutters between the columns, where no text is;
 *  3. an instance whose Isolation is domain is known without colour: by its words, and
 *     a border twice as thick.
 */
#ifndef XDD_PICTURE_H
#define XDD_PICTURE_H

#include <stdbool.h>

#define PICTURE_ROWS  14 /* that one page of paper holds */
#define PICTURE_TEXT  64
#define PICTURE_WIDTH 920

/* An instance, in words. Those of one client follow each other. */
struct picture_row {
	unsigned client;	  /* a number for each */
	const char *client_is[3]; /* lines; NULL: none */
	const char *name, *kind;  /* "c1_disk", "blk pv" */
	const char *data, *rings; /* what of its client it reaches */
	const char *resource;
	unsigned group; /* its isolation group, from 1; 0: none */
	bool domain;	/* Isolation = domain */
	bool reads, writes;
};

enum picture_kind {
	PICTURE_FRAME,
	PICTURE_CLIENT,
	PICTURE_INSTANCE,
	PICTURE_OPEN, /* an instance without a keeper */
	PICTURE_RESOURCE,
	PICTURE_GROUP, /* a resource that joins instances */
};

struct picture_box {
	int x, y, w, h;
	enum picture_kind kind;
};

struct picture_label {
	int x, y; /* of its left end, on its base line */
	unsigned size;
	bool bold, alarm, faint;
	char text[PICTURE_TEXT];
};

struct picture_line {
	int x1, y1, x2, y2;
	bool to_first, to_second; /* arrow heads: where bytes may go */
	bool alarm;
};

struct picture {
	int height;
	unsigned boxes, labels, lines;
	struct picture_box box[3 * PICTURE_ROWS + 1];
	struct picture_label label[16 * PICTURE_ROWS];
	struct picture_line line[2 * PICTURE_ROWS];
};

/* Of @n rows, PICTURE_ROWS at most. */
void picture_lay_out(struct picture *picture, const struct picture_row *rows,
		     unsigned n);
/* The room that a label takes. */
struct picture_box picture_room(const struct picture_label *label);

#endif
