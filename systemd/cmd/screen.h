/* SPDX-License-Identifier: MIT */
/*
 * A terminal that a view is drawn on, again and again; where standard output is none,
 * plain lines, a blank one between two views. Whatever ends the program but SIGKILL,
 * the terminal is as it was.
 */
#ifndef XDD_SCREEN_H
#define XDD_SCREEN_H

#include <stdbool.h>

struct screen {
	bool terminal;
	unsigned lines, columns; /* now; where it is no terminal, more than enough */
	unsigned line;		 /* the next to be put */
	bool ended;
};

void screen_open(struct screen *screen);
void screen_close(struct screen *screen);
void screen_begin(struct screen *screen);
/* A line; what does not fit is cut, and what has no place left out. */
void screen_line(struct screen *screen, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void screen_end(struct screen *screen);
/* For @seconds, or until the user has enough: then false. */
bool screen_wait(struct screen *screen, unsigned seconds);

#endif
