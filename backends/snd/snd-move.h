/* SPDX-License-Identifier: MIT */
/*
 * How a stream's samples get to its PCM, or from it: the part of snd.h that is about
 * time. For snd.c alone.
 *
 * The PCM is kept full as far as the client's samples go, so that position runs ahead
 * of what is heard by what is in it: the client has all of its ring to be late in. A
 * turn is due when the PCM has taken so much that the position crosses the client's
 * next period by one unit: Linux 6.1's front end tells its application of a period only
 * when more than one has passed (facts of sound/xen/xen_snd_front_alsa.c).
 */
#ifndef XDD_SND_MOVE_H
#define XDD_SND_MOVE_H

#include "backends/snd/snd.h"

#define SND_SCRATCH 16384 /* bytes: more than one unit of any format */

/* From @params->step, a period, to what the PCM is set to: buffer, and step. No more
 * than half of the @ring frames are ever ahead: Linux's driver counts modulo its ring,
 * and a position that moved by all of it has not moved. */
void snd_pace(const struct snd_policy *policy, uint32_t ring,
	      struct snd_params *params);
/* The PCM is set: s->step and s->low. */
void snd_paced(struct snd *s);
/* Just become RUNNING. */
void snd_begin(struct snd *s, uint64_t now);
/* RUNNING, and about to be it no more. */
void snd_end(struct snd *s, uint64_t now);

#endif
