/* SPDX-License-Identifier: MIT */
#include "backends/door/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"

int keys_read(const struct keys *k, enum store_side side, const char *key, char *value)
{
	int r = store_read(k->store, side, key, value, STORE_VALUE_MAX + 1);

	switch (r) {
	case STORE_OK:
		return 1;
	case STORE_ABSENT:
		return 0;
	case STORE_LATE:
		return -EAGAIN;
	case STORE_TOO_LONG:
	default:
		if (r < 0)
			return r;
		strcpy(value, "?");
		return 1;
	}
}

int keys_read_number(const struct keys *k, const char *key, uint64_t min, uint64_t max,
		     uint64_t *out)
{
	char value[STORE_VALUE_MAX + 1];
	uint64_t number;
	int r = keys_read(k, STORE_FRONT, key, value);

	if (r <= 0)
		return r;
	if (!number_parse(value, strlen(value), max, &number) || number < min)
		return keys_fail(k, key, "not within what was offered");
	*out = number;
	return 0;
}

int keys_write(const struct keys *k, const char *key, const char *value)
{
	int r = store_write(k->store, key, value);

	if (r == STORE_FULL)
		return -EAGAIN;
	if (r > 0)
		log_line(k->log, LOG_LEVEL_WARNING, "%s may not be written", key);
	return r < 0 ? r : 0;
}

int keys_write_number(const struct keys *k, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return keys_write(k, key, text);
}

void keys_of_queue(char key[KEYS_QUEUE], unsigned queues, unsigned q, const char *name)
{
	if (queues > 1)
		snprintf(key, KEYS_QUEUE, "queue-%u/%s", q, name);
	else
		snprintf(key, KEYS_QUEUE, "%s", name);
}

int keys_fail(const struct keys *k, const char *key, const char *why)
{
	log_line(k->log, LOG_LEVEL_WARNING, "the front end's %s: %s", key, why);
	return KEYS_FAILED;
}

int keys_granted(const struct keys *k, const char *key, int status)
{
	switch (status) {
	case GRANTS_OK:
		return 0;
	case GRANTS_LATE:
		return -EAGAIN;
	case GRANTS_REFUSED:
		return keys_fail(k, key, "the policy does not allow it");
	case GRANTS_BAD:
		return keys_fail(k, key, "Xen refused it");
	case GRANTS_BUSY:
		return keys_fail(k, key, "another device holds it");
	case GRANTS_ABSENT:
		return keys_fail(k, key, "missing, or not what it must be");
	default:
		return status;
	}
}

int keys_map_ring(const struct keys *k, const char *const *names, uint32_t n,
		  struct grants_map *out)
{
	return keys_granted(k, names[0], grants_map_ring(k->grants, names, n, out));
}

int keys_bind(const struct keys *k, const char *key, struct evport *out)
{
	int r = evtchn_bind(k->evtchn, key, out);

	switch (r) {
	case EVTCHN_OK:
		return 0;
	case EVTCHN_LATE:
		return -EAGAIN;
	case EVTCHN_REFUSED:
		return keys_fail(k, key, "the policy does not allow it");
	case EVTCHN_BAD:
		return keys_fail(k, key, "not offered to us");
	case EVTCHN_ABSENT:
		return keys_fail(k, key, "missing, or not a number");
	default:
		return r;
	}
}
