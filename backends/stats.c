/* SPDX-License-Identifier: MIT */
#include "backends/stats.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The text that is being made. */
struct text {
	char bytes[STATS_BYTES];
	size_t len;
};

static int stats_map(const char *path, char **out)
{
	void *page;
	int err, fd;

	/* What another process of ours left goes: it may still be read. */
	if (unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	/* Its memory is there from the start: a full /run must not be our death. */
	err = posix_fallocate(fd, 0, STATS_BYTES);
	page = err ? MAP_FAILED
		   : mmap(NULL, STATS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED && !err)
		err = errno;
	close(fd);
	if (!err)
		*out = page;
	return -err;
}

int stats_open(struct stats *stats)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");
	char path[128];

	stats->page = NULL;
	if (!directory || !*directory)
		return 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/stats", directory) >= sizeof(path))
		return -ENAMETOOLONG;
	stats->pid = getpid();
	return stats_map(path, &stats->page);
}

void stats_close(struct stats *stats)
{
	if (stats->page)
		munmap(stats->page, STATS_BYTES);
	stats->page = NULL;
}

static struct stats_field *stats_add(struct stats *stats, const char *name)
{
	struct stats_field *field = &stats->field[stats->fields++];

	assert(stats->fields <= STATS_FIELDS);
	*field = (struct stats_field){.name = name};
	return field;
}

void stats_counter(struct stats *stats, const char *name, const uint64_t *counter)
{
	stats_add(stats, name)->counter = counter;
}

void stats_counters(struct stats *stats, const struct stats_named *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		stats_counter(stats, list[i].name, list[i].counter);
}

void stats_gauge(struct stats *stats, const char *name, const uint32_t *gauge)
{
	stats_add(stats, name)->gauge = gauge;
}

void stats_latency(struct stats *stats, const char *name,
		   const struct histogram *latency)
{
	stats_add(stats, name)->latency = latency;
}

/* Fields and buckets are few enough to fit, however large their numbers are;
 * the asserts would say so at once. */
static void __attribute__((format(printf, 2, 3)))
put(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->bytes + t->len, sizeof(t->bytes) - t->len, fmt, args);
	va_end(args);
	assert(n >= 0 && (size_t)n < sizeof(t->bytes) - t->len);
	t->len += (size_t)n;
}

static void put_latency(struct text *t, const struct stats_field *field)
{
	unsigned n = HISTOGRAM_BUCKETS;

	while (n && !field->latency->bucket[n - 1])
		n--;
	put(t, ",\"%s_us\":[", field->name);
	for (unsigned i = 0; i < n; i++)
		put(t, "%s%" PRIu64, i ? "," : "", field->latency->bucket[i]);
	put(t, "]");
}

static uint64_t stats_number(const struct stats_field *field)
{
	return field->counter ? *field->counter : *field->gauge;
}

void stats_write(struct stats *stats, const char *who, const char *state)
{
	static struct text t;

	if (!stats->page)
		return;
	stats->seq++;
	t.len = 0;
	put(&t, "{\"seq\":%" PRIu64 ",\"who\":\"%s\",\"pid\":%d,\"state\":\"%s\"",
	    stats->seq, who, stats->pid, state);
	for (unsigned i = 0; i < stats->fields; i++) {
		const struct stats_field *field = &stats->field[i];

		if (field->latency)
			put_latency(&t, field);
		else
			put(&t, ",\"%s\":%" PRIu64, field->name, stats_number(field));
	}
	put(&t, ",\"end\":%" PRIu64 "}", stats->seq);
	memset(t.bytes + t.len, ' ', sizeof(t.bytes) - t.len - 1);
	t.bytes[sizeof(t.bytes) - 1] = '\n';
	memcpy(stats->page, t.bytes, sizeof(t.bytes));
}

const char *stats_brief(const struct stats *stats, char *out, size_t size)
{
	size_t at = 0;

	*out = '\0';
	for (unsigned i = 0; i < stats->fields && i < STATS_BRIEF && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%" PRIu64 " %s",
				       i ? ", " : "", stats_number(&stats->field[i]),
				       stats->field[i].name);
	return out;
}
