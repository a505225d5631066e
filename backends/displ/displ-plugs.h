/* SPDX-License-Identifier: MIT */
/*
 * Whether something is plugged into the connectors of a policy: by what the kernel says
 * of each in sysfs (drm-kms.rst, "status"), in files that the instance's unit has bound
 * for it.
 *
 * Not the ioctl that tells the same: that takes a lock of the whole card, behind which
 * the probe of another one's connector may stand for long, and whoever may call it may
 * have such probes made. Here a word is read, and no lock is taken.
 *
 * Invariants:
 *  1. opened before the process is sealed; then there is pread() and nothing else;
 *  2. what nobody can say is taken for plugged in: there is no such file, it is not
 *     understood, or the kernel does not know. A connector that the card has not got
 * any more has nothing plugged in;
 *  3. nobody is woken by it: it is looked at once a second.
 */
#ifndef XDD_DISPL_PLUGS_H
#define XDD_DISPL_PLUGS_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/displ/displ-policy.h"
#include "common/log.h"

struct displ_plugs {
	const struct displ_policy *policy; /* outlives it */
	struct log *log;		   /* says what is plugged in and out */
	int fd[DISPL_HEADS_MAX];	   /* or -1 */
	uint32_t out; /* heads, bits: there is nothing plugged in */
	uint64_t due; /* of the next look; UINT64_MAX: never */
};

/* By the files in @folder. It never fails; what is not there is said. */
void displ_plugs_open(struct displ_plugs *p, const char *folder,
		      const struct displ_policy *policy, struct log *log);
/* Nobody looks. */
void displ_plugs_none(struct displ_plugs *p, const struct displ_policy *policy);
void displ_plugs_close(struct displ_plugs *p);

/* If it is due: @out, as it is now. */
void displ_plugs_look(struct displ_plugs *p, uint64_t now);

#endif
