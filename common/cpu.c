/* SPDX-License-Identifier: MIT */
#include "common/cpu.h"

#include <errno.h>
#include <sched.h>

int cpu_stay(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return cpu < 0 ? -errno : -ERANGE;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}
