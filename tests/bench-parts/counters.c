/* SPDX-License-Identifier: MIT */
#include "tests/bench-parts/counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "common/clock.h"
#include "tests/bench-parts/calls.h"

/* Processor time that @pid has had, ns. */
static uint64_t counters_cpu(pid_t pid)
{
	struct timespec ts = {0};
	clockid_t id;

	if (!clock_getcpuclockid(pid, &id))
		clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_SECOND + (uint64_t)ts.tv_nsec;
}

/* The kernel's count of voluntary context switches. */
static uint64_t counters_sleeps(pid_t pid)
{
	char path[32], line[128];
	uint64_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		scene_die(path);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "voluntary_ctxt_switches: %" SCNu64, &n) == 1)
			break;
	}
	fclose(f);
	return n;
}

void counters_take(struct counters *c, const struct scene *s, const int counter[2])
{
	c->counts = *s->counts;
	for (unsigned i = 0; i < 2; i++)
		c->calls[i] = counter[i] < 0 ? 0 : calls_read(counter[i]);
	c->sleeps = counters_sleeps(s->back);
	c->cpu = counters_cpu(s->back);
	c->now = clock_now();
}
