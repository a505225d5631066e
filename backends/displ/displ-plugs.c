/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/displ/displ-plugs.h"
#include "common/clock.h"

void displ_plugs_none(struct displ_plugs *p, const struct displ_policy *policy)
{
	*p = (struct displ_plugs){.policy = policy, .due = UINT64_MAX};
	for (uint32_t i = 0; i < DISPL_HEADS_MAX; i++)
		p->fd[i] = -1;
}

void displ_plugs_open(struct displ_plugs *p, const char *folder,
		      const struct displ_policy *policy, struct log *log)
{
	char path[PATH_MAX];

	displ_plugs_none(p, policy);
	p->log = log;
	for (uint32_t i = 0; i < policy->heads; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, policy->head[i].name);
		p->fd[i] = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (p->fd[i] >= 0)
			p->due = 0;
		else
			log_line(
				log, LOG_LEVEL_NOTICE,
				"%s is taken for plugged in, always: its state is not "
				"to be seen (Resource must call the card as the kernel "
				"does, /dev/dri/cardN; then daemon-reload)",
				policy->head[i].name);
	}
}

void displ_plugs_close(struct displ_plugs *p)
{
	for (uint32_t i = 0; i < DISPL_HEADS_MAX; i++) {
		if (p->fd[i] >= 0)
			close(p->fd[i]);
		p->fd[i] = -1;
	}
	p->due = UINT64_MAX;
}

/* Invariant 2. */
static bool is_out(int fd)
{
	static const char none[] = "disconnected\n";
	char word[sizeof(none)];
	ssize_t n = pread(fd, word, sizeof(word), 0);

	if (n < 0)
		return errno == ENODEV;
	return n == sizeof(none) - 1 && !memcmp(word, none, sizeof(none) - 1);
}

void displ_plugs_look(struct displ_plugs *p, uint64_t now)
{
	if (now < p->due)
		return;
	p->due = now + CLOCK_SECOND;
	for (uint32_t i = 0; i < p->policy->heads; i++) {
		const uint32_t bit = 1u << i;
		bool out = p->fd[i] >= 0 && is_out(p->fd[i]);

		if (out == !!(p->out & bit))
			continue;
		p->out ^= bit;
		log_line(p->log, LOG_LEVEL_NOTICE, "%s is plugged %s",
			 p->policy->head[i].name, out ? "out" : "in");
	}
}
