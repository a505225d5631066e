/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#define LOG_BURST      10
#define LOG_PER_MINUTE 10
#define NS_PER_MINUTE  (60 * CLOCK_SECOND)

void log_init(struct log *log, const char *instance)
{
	*log = (struct log){.burst = LOG_BURST, .per_minute = LOG_PER_MINUTE};
	log->tokens = log->burst;
	log->filled_ns = clock_now();
	snprintf(log->who, sizeof(log->who), "%s", instance);
}

void log_name(struct log *log, const char *instance, unsigned domid, const char *device)
{
	snprintf(log->who, sizeof(log->who), "%s d%u %s", instance, domid, device);
	snprintf(log->fields, sizeof(log->fields), "XDD_DOMID=%u\n", domid);
}

static bool log_may_pass(struct log *log)
{
	uint64_t step = NS_PER_MINUTE / (log->per_minute ? log->per_minute : 1);
	uint64_t now = clock_now();
	uint64_t gained = (now - log->filled_ns) / step;

	if (!log->burst)
		return true;
	if (gained) {
		log->filled_ns += gained * step;
		log->tokens = gained > log->burst - log->tokens
				      ? log->burst
				      : log->tokens + (uint32_t)gained;
	}
	if (!log->tokens)
		return false;
	log->tokens--;
	return true;
}

void log_line(struct log *log, enum log_level level, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n, m, prefix;

	if (!log_may_pass(log)) {
		log->suppressed++;
		return;
	}
	n = prefix = log->plain ? 0 : snprintf(line, sizeof(line), "<%d>", level);
	n += snprintf(line + n, sizeof(line) - (size_t)n, "%s: ", log->who);
	if (log->suppressed)
		n += snprintf(line + n, sizeof(line) - (size_t)n,
			      "(after %" PRIu64 " lines kept back) ", log->suppressed);
	log->suppressed = 0;
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	n = m < 0 ? n : n + m;
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\0';
	if (log->send && log->send(log, level, line + prefix))
		return;
	line[n++] = '\n';
	/* Standard error is the journal's socket; a full one loses the line. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		log->suppressed++;
}
