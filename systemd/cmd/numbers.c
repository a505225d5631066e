/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "systemd/cmd/place.h"
#include "systemd/cmd/plain.h"

#define TRIES	 5
#define RETRY_NS (2 * (long)CLOCK_MS)
#define SUFFIX	 "_us"

static const char *take_name(char out[NUMBERS_NAME], const char *name, size_t len)
{
	if (!len || len >= NUMBERS_NAME ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz_") != strlen(name))
		return "it has a name that no back end gives";
	plain(out, NUMBERS_NAME, name, len);
	return NULL;
}

static bool take_number(const json_t *value, uint64_t *out)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static const char *take_latency(struct numbers *numbers, const char *name,
				const json_t *value)
{
	struct latency *latency = &numbers->latency[numbers->latencies];
	size_t len = strlen(name), suffix = sizeof(SUFFIX) - 1;
	const char *why;

	if (numbers->latencies == STATS_FIELDS)
		return "it has more histograms than a back end has";
	if (len <= suffix || strcmp(name + len - suffix, SUFFIX) ||
	    json_array_size(value) > HISTOGRAM_BUCKETS)
		return "it has a list that is no histogram";
	why = take_name(latency->name, name, len - suffix);
	for (size_t i = 0; !why && i < json_array_size(value); i++) {
		if (!take_number(json_array_get(value, i),
				 &latency->histogram.bucket[i]))
			why = "it has a histogram of what are no numbers";
	}
	numbers->latencies += !why;
	return why;
}

static const char *take_counter(struct numbers *numbers, const char *name,
				const json_t *value)
{
	struct number *number = &numbers->number[numbers->count];
	const char *why;

	if (numbers->count == STATS_FIELDS)
		return "it has more numbers than a back end has";
	why = take_name(number->name, name, strlen(name));
	if (!why && !take_number(value, &number->value))
		why = "it has a member that is no number";
	numbers->count += !why;
	return why;
}

static bool is_frame(const char *name)
{
	static const char *const names[] = {"seq", "who", "pid", "state", "end"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

static const char *take_frame(struct numbers *numbers, const json_t *object)
{
	const char *who = json_string_value(json_object_get(object, "who"));
	const char *state = json_string_value(json_object_get(object, "state"));
	uint64_t end;

	if (!who || !state ||
	    !take_number(json_object_get(object, "pid"), &numbers->pid) ||
	    !take_number(json_object_get(object, "seq"), &numbers->seq) ||
	    !take_number(json_object_get(object, "end"), &end))
		return "it does not say whose it is";
	if (end != numbers->seq)
		return "it was being written each time";
	PLAIN(numbers->who, who);
	PLAIN(numbers->state, state);
	return NULL;
}

static const char *take_object(struct numbers *numbers, json_t *object)
{
	const char *name, *why = take_frame(numbers, object);
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (why)
			break;
		if (json_is_array(value))
			why = take_latency(numbers, name, value);
		else if (!is_frame(name))
			why = take_counter(numbers, name, value);
	}
	return why;
}

bool numbers_parse(struct numbers *numbers, const char *text, size_t len)
{
	const char *why = "it is no JSON object";
	json_error_t error;
	json_t *object;

	*numbers = (struct numbers){.there = false};
	object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(object))
		why = take_object(numbers, object);
	json_decref(object);
	if (why)
		*numbers = (struct numbers){.why = why};
	numbers->there = !why;
	return !why;
}

/* Every directory above the last is root's. Returns a descriptor or a negative errno.
 */
static int open_file(const char *name)
{
	int fd = -1, dir;
	char path[PLACE_MAX];

	if (!place(path, PLACE_STATS, name))
		return -ENAMETOOLONG;
	dir = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0)
		fd = openat(dir, "stats",
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	if (dir >= 0)
		close(dir);
	return fd;
}

static bool is_torn(const struct numbers *numbers)
{
	return numbers->why; /* half an object is none, either */
}

static const char *read_file(struct numbers *numbers, int fd)
{
	static const struct timespec wait = {0, RETRY_NS};
	char text[STATS_BYTES];
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size != STATS_BYTES)
		return "it is no file of numbers";
	for (int i = 0; !i || (is_torn(numbers) && i < TRIES); i++) {
		if (i)
			nanosleep(&wait, NULL);
		if (pread(fd, text, sizeof(text), 0) != sizeof(text))
			return "it cannot be read";
		numbers_parse(numbers, text, sizeof(text));
	}
	return numbers->why;
}

void numbers_read(struct numbers *numbers, const char *name)
{
	int fd = open_file(name);

	*numbers = (struct numbers){.there = false};
	if (fd == -ENOENT)
		return;
	if (fd < 0) {
		numbers->why = fd == -EACCES ? "not readable: become root"
					     : "it cannot be opened";
		return;
	}
	numbers->why = read_file(numbers, fd);
	close(fd);
}

const struct number *numbers_find(const struct numbers *numbers, const char *name)
{
	for (unsigned i = 0; i < numbers->count; i++) {
		if (!strcmp(numbers->number[i].name, name))
			return &numbers->number[i];
	}
	return NULL;
}

bool number_is_gauge(const char *name)
{
	static const char *const names[] = {"busy",	  "queues",  "pages",
					    "pages_kept", "sectors", "virtio_status"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

uint64_t latency_bound(unsigned i)
{
	return i + 1 < HISTOGRAM_BUCKETS ? 1ULL << i : UINT64_MAX;
}

/* Sums of what a liar counts may wrap, and say something else that is not so. */
uint64_t latency_quantile(const struct histogram *histogram, unsigned per_mille)
{
	uint64_t all = 0, below = 0, want;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		all += histogram->bucket[i];
	want = all / 1000 * per_mille + all % 1000 * per_mille / 1000;
	for (unsigned i = 0; all && i < HISTOGRAM_BUCKETS; i++) {
		below += histogram->bucket[i];
		if (below > want || below == all)
			return latency_bound(i);
	}
	return 0;
}
