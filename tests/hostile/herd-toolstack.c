/* SPDX-License-Identifier: MIT */
/* Which keeper serves whom: policies, paths, devices made and removed. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/hostile/herd.h"

static unsigned client_of(unsigned i)
{
	return 3 + i / 10;
}

static unsigned device_of(unsigned i)
{
	return 51712 + 16 * (i % 10); /* xvda, xvdb, ... */
}

const char *herd_front(unsigned i, const char *key)
{
	static char path[2][96];
	static unsigned at;

	at = !at;
	snprintf(path[at], sizeof(path[at]), "/local/domain/%u/device/vbd/%u/%s",
		 client_of(i), device_of(i), key);
	return path[at];
}

const char *herd_back(unsigned i, const char *key)
{
	static char path[2][96];
	static unsigned at;

	at = !at;
	snprintf(path[at], sizeof(path[at]), "/local/domain/1/backend/vbd/%u/%u/%s",
		 client_of(i), device_of(i), key);
	return path[at];
}

void herd_attach(unsigned i)
{
	char number[16], front[96];

	snprintf(front, sizeof(front), "%s", herd_front(i, ""));
	front[strlen(front) - 1] = '\0';
	snprintf(number, sizeof(number), "%u", client_of(i));
	herd_set(herd_back(i, "frontend-id"), number, strlen(number));
	herd_set(herd_back(i, "online"), "1", 1);
	herd_set(herd_front(i, "state"), "1", 1);
	herd_set(herd_back(i, "state"), "1", 1);
	herd_set(herd_front(i, "ring-ref"), "8", 1);
	herd_set(herd_front(i, "event-channel"), "9", 1);
	herd_set(herd_back(i, "frontend"), front, strlen(front));
}

void herd_detach(unsigned i)
{
	herd_set(herd_back(i, "frontend"), NULL, 0);
	herd_set(herd_back(i, "frontend-id"), NULL, 0);
	herd_set(herd_back(i, "state"), NULL, 0);
	herd_set(herd_front(i, "state"), NULL, 0);
}

void herd_policy(unsigned i, const char *path)
{
	FILE *f = fopen(path, "w");

	assert(f);
	fprintf(f,
		"Format = 1\n[Backend]\nClass = blk\nResource = null:1M\n"
		"ReadOnly = no\n[Client]\nDomain = %u\nDevice = xvd%c\n[Memory]\n"
		"Exclusive = no\nRingPages = 4\nDataPages = 16\n[Limits]\nInFlight = "
		"32\n"
		"Operations = 1000/s\nBytes = 1M/s\nEvents = 1000/s\n",
		client_of(i), 'a' + i % 10);
	fclose(f);
}
