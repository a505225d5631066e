/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/rates.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

/* What counts as what, by the names of all classes. */
static const char *const operations[] = {"requests", "packets", "received", NULL};
static const char *const bytes[] = {"read_bytes", "write_bytes",    "written_bytes",
				    "sent_bytes", "received_bytes", "copied_bytes",
				    NULL};
static const char *const errors[] = {"errors", "refused", "malformed", NULL};

static uint64_t value(const struct numbers *numbers, const char *name)
{
	const struct number *number = numbers_find(numbers, name);

	return number ? number->value : 0;
}

/* What grew; a counter that shrank is a lie, or a lie before. */
static uint64_t grown(const struct numbers *before, const struct numbers *now,
		      const char *const *names)
{
	uint64_t sum = 0;

	for (; *names; names++) {
		uint64_t was = value(before, *names), is = value(now, *names);

		sum += is > was ? is - was : 0;
	}
	return sum;
}

static uint64_t per_second(uint64_t n, uint64_t ns)
{
	double rate = (double)n * (double)CLOCK_SECOND / (double)ns;

	return rate < (double)INT64_MAX ? (uint64_t)(rate + 0.5) : INT64_MAX;
}

static const struct latency *find_latency(const struct numbers *numbers,
					  const char *name)
{
	for (unsigned i = 0; i < numbers->latencies; i++) {
		if (!strcmp(numbers->latency[i].name, name))
			return &numbers->latency[i];
	}
	return NULL;
}

/* All of them together, in between. */
static struct histogram latencies(const struct numbers *before,
				  const struct numbers *now)
{
	struct histogram sum = {.bucket = {0}};

	for (unsigned i = 0; i < now->latencies; i++) {
		const struct latency *is = &now->latency[i];
		const struct latency *was = find_latency(before, is->name);

		for (unsigned k = 0; k < HISTOGRAM_BUCKETS; k++) {
			uint64_t n = was ? was->histogram.bucket[k] : 0;

			if (is->histogram.bucket[k] > n)
				sum.bucket[k] += is->histogram.bucket[k] - n;
		}
	}
	return sum;
}

void rates_between(const struct numbers *before, const struct numbers *now, uint64_t ns,
		   struct rates *out)
{
	struct histogram between;

	*out = (struct rates){.busy = value(now, "busy")};
	if (!before->there || !now->there || before->pid != now->pid || !ns)
		return;
	between = latencies(before, now);
	out->known = true;
	out->operations = per_second(grown(before, now, operations), ns);
	out->bytes = per_second(grown(before, now, bytes), ns);
	out->errors = grown(before, now, errors);
	out->half = latency_quantile(&between, 500);
	out->most = latency_quantile(&between, 990);
}

const char *rates_short(uint64_t n, char out[8])
{
	static const char units[] = " kMGTPE";
	unsigned unit = 0;
	double v = (double)n;

	if (n < 10000) {
		snprintf(out, 8, "%" PRIu64, n);
		return out;
	}
	for (; v >= 1000 && units[unit + 1]; unit++)
		v /= 1000;
	snprintf(out, 8, v < 99.95 ? "%.1f%c" : "%.0f%c", v, units[unit]);
	return out;
}

const char *rates_latency(uint64_t us, char out[12])
{
	if (!us)
		return "-";
	if (us == UINT64_MAX)
		return ">=33s";
	if (us < 1000)
		snprintf(out, 12, "<%" PRIu64 "us", us);
	else if (us < 1000000)
		snprintf(out, 12, "<%" PRIu64 "ms", (us + 500) / 1000);
	else
		snprintf(out, 12, "<%" PRIu64 "s", (us + 500000) / 1000000 % 1000000);
	return out;
}
