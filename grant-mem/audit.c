/* SPDX-License-Identifier: MIT */
/* The audit log, hash-chained: see audit.h. */
#include "grant-mem/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

/* [impl->req~record-is-chained~1] */
static void chain(struct audit *audit, const char *line, size_t len)
{
	SHA256Data((const uint8_t *)line, len, audit->prev);
	audit->seq++;
}

/* Where an earlier run ended: seq and hash of the last whole line of @name. Returns
 * where that line ends, or -1 if that is not known. [impl->req~record-is-chained~1] */
static off_t resume(struct audit *audit, const char *name)
{
	int fd = openat(audit->dir, name, O_RDONLY | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);
	const char *text = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	const char *end, *line;

	close(fd);
	if (text == MAP_FAILED)
		return -1;
	end = memrchr(text, '\n', (size_t)size);
	line = end ? memrchr(text, '\n', (size_t)(end - text)) : NULL;
	line = line ? line + 1 : text;
	if (end && end - line > 7 && !memcmp(line, "{\"seq\":", 7)) {
		audit->seq = strtoull(line + 7, NULL, 10); /* the newline ends it */
		chain(audit, line, (size_t)(end - line));
	}
	munmap((void *)(uintptr_t)text, (size_t)size);
	return end ? end + 1 - text : 0;
}

/* @end: of the whole lines in it, or -1 if that is not known. */
static int open_file(struct audit *audit, off_t end)
{
	struct stat st;

	audit->fd = openat(audit->dir, "audit.log",
			   O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (audit->fd < 0 || fstat(audit->fd, &st))
		return -errno;
	if (end >= 0 && st.st_size > end) { /* invariant 5 */
		if (ftruncate(audit->fd, end))
			return -errno;
		audit->lost++;
		st.st_size = end;
	}
	audit->size = (uint32_t)st.st_size;
	if (fallocate(audit->fd, FALLOC_FL_KEEP_SIZE, 0, audit->bytes_max))
		return -errno;
	return 0;
}

int audit_open(struct audit *audit, const char *dir, uint32_t bytes_max, bool stop)
{
	*audit = (struct audit){.fd = -1, .bytes_max = bytes_max, .stop = stop};
	memset(audit->prev, '0', 64);
	audit->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (audit->dir < 0)
		return -errno;
	resume(audit, "audit.log.1");
	return open_file(audit, resume(audit, "audit.log"));
}

static bool make_room(struct audit *audit, size_t len)
{
	if (audit->size + len <= audit->bytes_max)
		return true;
	if (audit->stop || renameat(audit->dir, "audit.log", audit->dir, "audit.log.1"))
		return false;
	close(audit->fd);
	open_file(audit, -1); /* invariant 2 */
	return true;
}

void audit_line(struct audit *audit, const char *event, const char *fmt, ...)
{
	char line[AUDIT_LINE_MAX + 1], time[24];
	struct timespec ts;
	struct tm tm;
	va_list ap;
	ssize_t written;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	strftime(time, sizeof(time), "%FT%T", gmtime_r(&ts.tv_sec, &tm));
	n = (size_t)snprintf(line, sizeof(line),
			     "{\"seq\":%" PRIu64
			     ",\"time\":\"%s.%03ldZ\",\"prev\":\"%s\","
			     "\"event\":\"%s\",\"lost\":%" PRIu64 "%s",
			     audit->seq, time, ts.tv_nsec / 1000000, audit->prev, event,
			     audit->lost, *fmt ? "," : "");
	va_start(ap, fmt);
	n += (size_t)vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (n + 2 <= AUDIT_LINE_MAX && make_room(audit, n + 2)) {
		memcpy(line + n, "}\n", 2);
		written = write(audit->fd, line, n + 2);
		if (written == (ssize_t)n + 2) {
			audit->size += (uint32_t)n + 2;
			audit->lost = 0;
			chain(audit, line, n + 1);
			return;
		}
		if (written > 0 && ftruncate(audit->fd, audit->size))
			audit->size += (uint32_t)written; /* it stays torn */
	}
	audit->lost++;
}

/* [impl->req~floods-are-counted~1] */
bool audit_may(struct audit *audit)
{
	if (audit->provoked++ < AUDIT_A_SECOND)
		return true;
	audit->counted++;
	return false;
}

void audit_copied(struct audit *audit, uint64_t segments, uint64_t bytes)
{
	audit->copies += segments;
	audit->copied_bytes += bytes;
}

uint64_t audit_tick(struct audit *audit, uint64_t now)
{
	if (now < audit->tick_at)
		return audit->tick_at;
	if (audit->counted)
		audit_line(audit, "counted", "\"lines\":%" PRIu64, audit->counted);
	audit->provoked = audit->counted = 0;
	if (audit->copies && now >= audit->copies_at) {
		audit_line(audit, "copies",
			   "\"segments\":%" PRIu64 ",\"bytes\":%" PRIu64, audit->copies,
			   audit->copied_bytes);
		audit->copies = audit->copied_bytes = 0;
		audit->copies_at = now + AUDIT_COPIES_NS;
	}
	return audit->tick_at = now + CLOCK_SECOND;
}

bool audit_full(const struct audit *audit)
{
	return audit->stop && audit->size + AUDIT_RESERVE > audit->bytes_max;
}
