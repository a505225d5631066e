/* SPDX-License-Identifier: MIT */
#include "backends/net/net-runs.h"

#include <assert.h>
#include <stddef.h>

#define ALIGN 16u

void net_runs_init(struct net_runs *runs, uint8_t *area, uint32_t bytes)
{
	assert(bytes <= INT32_MAX);
	*runs = (struct net_runs){.area = area, .bytes = bytes / ALIGN * ALIGN};
}

bool net_runs_take(struct net_runs *runs, struct net_run *run, uint32_t size)
{
	uint32_t start, need, skip = 0;

	if (size > runs->bytes)
		return false;
	need = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (!runs->used)
		runs->head = 0;
	start = runs->head;
	if (need > runs->bytes - start) {
		skip = runs->bytes - start;
		start = 0;
	}
	if (need + skip > runs->bytes - runs->used)
		return false;
	*run = (struct net_run){.at = runs->area + start, .bytes = skip + need};
	runs->used += run->bytes;
	runs->head = (start + need) % runs->bytes;
	*(runs->first ? &runs->last->next : &runs->first) = run;
	runs->last = run;
	return true;
}

void net_runs_give(struct net_runs *runs, struct net_run *run)
{
	assert(!run->given);
	run->given = true;
	while (runs->first && runs->first->given) {
		runs->used -= runs->first->bytes;
		runs->first = runs->first->next;
	}
}

void net_runs_clear(struct net_runs *runs)
{
	runs->first = NULL;
	runs->used = 0;
}
