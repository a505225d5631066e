/* SPDX-License-Identifier: MIT */
/*
 * What xdd-canfront says of what it finds, and what to do about it: a line each.
 */
#ifndef XDD_FRONT_SAY_H
#define XDD_FRONT_SAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/log.h"

struct front;
struct front_link;

/* Always false, so that what failed can end with it. */
bool front_say_failed(struct log *log, const char *what, int err);
bool front_say_node(struct log *log, const char *node, int err);
bool front_say_socket(struct log *log, int err);
void front_say_grant(struct log *log, int err, uint16_t domain);
/* What became of the interface. */
void front_say_link(struct log *log, const struct front_link *link);
void front_say_connected(struct front *front);
/* What we wait for, if it is something else than last time; to systemd, too. */
void front_say_waiting(struct front *front);

#endif
