/* SPDX-License-Identifier: MIT */
/*
 * bench-blk - what a request costs xdd-blk, and a test of what must not grow.
 *
 * usage: bench-blk [-u COMMAND] [-d DIR] DOOR STORE PATTERN DEPTH REQUESTS
 *        bench-blk --check
 *
 * A front end keeps DEPTH requests out, as blkfront or virtio_blk and fio do: it
 * sleeps until it is notified, takes all answers, and pushes as many requests as came
 * home. After a warm-up it takes the counters, sends REQUESTS, and takes them again;
 * one line a metric, as "METRIC VALUE", on standard output. With -u the back end runs
 * under COMMAND, and nothing is counted. The programs to be measured lie beside it.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/bench-parts/calls.h"
#include "tests/bench-parts/counters.h"
#include "tests/bench-parts/front.h"

#define SECTOR	     512u
#define PAGE_SECTORS 8u
#define DISK_SECTORS 131072u
#define WARM	     20u  /* times DEPTH */
#define QUIET_US     6000 /* until all have gone to sleep again */

struct pattern {
	const char *name;
	bool write;
	unsigned pages;
	bool random;
};

static const struct pattern patterns[] = {
	{"randread-4k", false, 1, true},
	{"randwrite-4k", true, 1, true},
	{"seqread-128k", false, FRONT_SEGMENTS, false},
};

#define PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

/* And what a request may cost at depth 32, 4 KiB: system calls, of back end and
 * keeper together; hypercalls for what is copied; calls to the keeper. */
static const struct door {
	const struct front *front;
	double calls, hypercalls, keeper;
} doors[] = {
	{&front_pv, 0.10, 0, 0},
	{&front_pool, 0.10, 0, 0},
	{&front_grant, 0.40, 0.35, 0.08},
};

#define DOORS (sizeof(doors) / sizeof(doors[0]))

struct bench {
	struct scene scene;
	const struct front *front;
	const struct pattern *pattern;
	unsigned depth;
	uint64_t random, next; /* sector of a sequence */
	uint64_t sent_at[FRONT_DEPTH];
	uint8_t idle[FRONT_DEPTH]; /* slots */
	unsigned nidle;
	uint32_t *latency; /* of each request, ns */
	uint64_t answers;
};

/* -- The front end --------------------------------------------------------- */

static uint64_t bench_sector(struct bench *b)
{
	uint64_t sectors = b->pattern->pages * (uint64_t)PAGE_SECTORS, at;

	if (b->pattern->random) {
		b->random ^= b->random << 13;
		b->random ^= b->random >> 7;
		b->random ^= b->random << 17;
		return b->random % (DISK_SECTORS / sectors) * sectors;
	}
	at = b->next;
	b->next = (b->next + sectors) % DISK_SECTORS;
	return at;
}

/* What is idle goes out, @most at most, as far as there is room. How many. */
static uint64_t bench_push(struct bench *b, uint64_t most)
{
	struct front_request request = {b->pattern->write, b->pattern->pages, 0};
	uint64_t n = 0;

	for (; b->nidle && n < most; n++) {
		unsigned slot = b->idle[b->nidle - 1];

		request.sector = bench_sector(b);
		if (!b->front->add(slot, &request))
			break;
		b->sent_at[slot] = clock_now();
		b->nidle--;
	}
	b->front->publish();
	return n;
}

/* All answers that are there. */
static void bench_take(struct bench *b)
{
	int slot;

	while ((slot = b->front->answer()) != FRONT_NONE) {
		b->idle[b->nidle++] = (uint8_t)slot;
		if (b->latency)
			b->latency[b->answers] =
				(uint32_t)(clock_now() - b->sent_at[slot]);
		b->answers++;
	}
}

static void bench_send(struct bench *b, uint64_t requests)
{
	uint64_t left = requests;

	b->answers = 0;
	left -= bench_push(b, left);
	while (b->answers < requests) {
		scene_wait(&b->scene);
		bench_take(b);
		if (left)
			left -= bench_push(b, left);
	}
}

/* -- One measurement ------------------------------------------------------- */

static void bench_open(struct bench *b, const struct scene_conf *conf)
{
	b->random = 88172645463325252u;
	for (unsigned i = 0; i < b->depth; i++)
		b->idle[b->nidle++] = (uint8_t)(b->depth - 1 - i);
	scene_open(&b->scene, conf);
	scene_until(&b->scene, STORE_INIT_WAIT);
	b->front->begin(&b->scene);
	scene_front(&b->scene, STORE_INITIALISED);
	scene_until(&b->scene, STORE_CONNECTED);
	b->front->ready(&b->scene);
	scene_front(&b->scene, STORE_CONNECTED);
	bench_send(b, (uint64_t)WARM * b->depth);
}

static struct counters bench_count(const struct bench *b, const int counter[2])
{
	struct counters c;

	usleep(QUIET_US);
	counters_take(&c, &b->scene, counter);
	return c;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* What is counted is per request. */
struct result {
	bool counted;	     /* system calls can be, here */
	double back, keeper; /* system calls of each */
	double allocations, asked, copies, segments, hypercalls;
	double per_second, cpu_ns, p50_us, p99_us;
};

static void result_counts(struct result *r, const struct counters *from,
			  const struct counters *to, double n)
{
	const struct scene_counts *a = &from->counts, *b = &to->counts;

	r->back = (double)(to->calls[0] - from->calls[0]) / n;
	r->keeper = (double)(to->calls[1] - from->calls[1]) / n;
	r->allocations = (double)(b->allocations - a->allocations) / n;
	r->asked = (double)(b->calls - a->calls) / n;
	r->copies = (double)(b->copies - a->copies) / n;
	r->segments = (double)(b->segments - a->segments) / n;
	r->hypercalls = (double)(b->hypercalls - a->hypercalls) / n;
}

static struct result bench_measure(struct bench *b, uint64_t requests)
{
	int counter[2] = {calls_open(b->scene.back), calls_open(b->scene.keeper)};
	struct counters from, to;
	struct result r = {.counted = counter[0] >= 0 && counter[1] >= 0};
	uint64_t took;

	b->latency = calloc(requests, sizeof(*b->latency));
	if (!b->latency)
		abort();
	from = bench_count(b, counter);
	bench_send(b, requests);
	took = clock_now() - from.now;
	to = bench_count(b, counter);
	qsort(b->latency, requests, sizeof(*b->latency), by_size);
	result_counts(&r, &from, &to, (double)requests);
	r.per_second = (double)requests * CLOCK_SECOND / (double)took;
	r.p50_us = (double)b->latency[requests / 2] / 1000;
	r.p99_us = (double)b->latency[requests - 1 - requests / 100] / 1000;
	r.cpu_ns = (double)(to.cpu - from.cpu) / (double)requests;
	free(b->latency);
	b->latency = NULL;
	for (unsigned i = 0; i < 2; i++) {
		if (counter[i] >= 0)
			close(counter[i]);
	}
	return r;
}

/* -- What is asked for ----------------------------------------------------- */

struct ask {
	const char *under, *dir, *store;
	const struct door *door;
	const struct pattern *pattern;
	unsigned depth;
	uint64_t requests;
};

/* "cached" and "direct" are the two ways to a file. */
static const char *bench_policy(const struct ask *ask)
{
	const struct front *front = ask->door->front;
	static char text[1024];
	char resource[300], cache[32] = "";

	if (!strcmp(ask->store, "cached") || !strcmp(ask->store, "direct")) {
		snprintf(resource, sizeof(resource), "%s/bench-disk", ask->dir);
		snprintf(cache, sizeof(cache), "\n[Block]\nCache = %s\n",
			 *ask->store == 'd' ? "direct" : "buffered");
	} else {
		snprintf(resource, sizeof(resource), "%s:%u", ask->store,
			 DISK_SECTORS * SECTOR);
	}
	snprintf(text, sizeof(text),
		 "Format = 1\n\n[Backend]\nClass = blk\n%sResource = %s\n"
		 "ReadOnly = no\n\n[Client]\nDomain = 2\nDevice = xvda\n\n"
		 "[Memory]\n%sExclusive = no\n\n[Limits]\nInFlight = 1024\n"
		 "Operations = 1000G/s\nBytes = 1000G/s\nEvents = 1000G/s\n%s",
		 front->door, resource, front->memory, cache);
	return text;
}

static struct result bench_run(const struct ask *ask)
{
	static char back[SCENE_PATH], keeper[SCENE_PATH], enter[SCENE_PATH];
	static struct bench b;
	struct scene_conf conf = {
		.back = scene_beside("bench-xdd-blk", back),
		.keeper = scene_beside("bench-xdd-keeper", keeper),
		.enter = scene_beside("bench-xdd-enter", enter),
		.under = ask->under,
		.policy = bench_policy(ask),
		.class = "blk",
		.kind = ask->door->front->kind,
		.device = "51712", /* xvda */
		.front = ask->door->front->keys,
	};
	struct result r = {0};

	b = (struct bench){.front = ask->door->front,
			   .pattern = ask->pattern,
			   .depth = ask->depth};
	bench_open(&b, &conf);
	if (ask->under)
		bench_send(&b, ask->requests);
	else
		r = bench_measure(&b, ask->requests);
	scene_close(&b.scene);
	return r;
}

static void bench_print(const struct result *r)
{
	if (r->counted) {
		printf("syscalls_per_request %.4f\n", r->back);
		printf("keeper_syscalls_per_request %.4f\n", r->keeper);
	}
	printf("allocations_per_request %.4f\n", r->allocations);
	printf("keeper_calls_per_request %.4f\n", r->asked);
	printf("grant_copies_per_request %.4f\n", r->copies);
	printf("grant_segments_per_request %.4f\n", r->segments);
	printf("grant_hypercalls_per_request %.4f\n", r->hypercalls);
	printf("requests_per_second %.0f\n", r->per_second);
	printf("processor_ns_each %.0f\n", r->cpu_ns);
	printf("latency_p50_us %.1f\n", r->p50_us);
	printf("latency_p99_us %.1f\n", r->p99_us);
}

/* -- The test: counts alone, never time ------------------------------------ */

static unsigned check_most(const char *name, const char *what, double is, double most)
{
	printf("%s - %.3f %s a request, at most %.2f: %s\n",
	       is > most ? "not ok" : "ok", is, what, most, name);
	return is > most;
}

/* Where copies go through the keeper, by how many is a matter of depth. */
static unsigned check_one(const struct ask *ask)
{
	const struct door *door = ask->door;
	struct result r = bench_run(ask);
	bool deep = ask->depth == FRONT_DEPTH;
	char name[96];
	unsigned bad;

	snprintf(name, sizeof(name), "%s, %s at depth %u, %s", door->front->name,
		 ask->pattern->name, ask->depth, ask->store);
	bad = check_most(name, "allocations", r.allocations, 0);
	if (!door->hypercalls || (deep && ask->pattern->pages == 1)) {
		bad += check_most(name, "calls to the keeper", r.asked, door->keeper);
		bad += check_most(name, "hypercalls for grants", r.hypercalls,
				  door->hypercalls);
	}
	if (!deep || (door->hypercalls && ask->pattern->pages > 1))
		return bad;
	if (r.counted)
		return bad +
		       check_most(name, "system calls", r.back + r.keeper, door->calls);
	printf("ok - system calls: %s # SKIP no tracepoint raw_syscalls here\n", name);
	return bad;
}

static int bench_check(struct ask *ask)
{
	static const char *const stores[] = {"null", "memory"};
	static const unsigned depths[] = {1, FRONT_DEPTH};
	unsigned bad = 0;

	for (unsigned i = 0; i < DOORS * PATTERNS * 2 * 2; i++) {
		ask->pattern = &patterns[i % PATTERNS];
		ask->store = stores[i / PATTERNS % 2];
		ask->depth = depths[i / PATTERNS / 2 % 2];
		ask->door = &doors[i / PATTERNS / 2 / 2];
		ask->requests = ask->depth * 500u;
		bad += check_one(ask);
	}
	return bad != 0;
}

/* -- The command ----------------------------------------------------------- */

static int usage(void)
{
	fprintf(stderr,
		"usage: bench-blk [-u COMMAND] [-d DIR] DOOR STORE PATTERN DEPTH "
		"REQUESTS\n"
		"       bench-blk --check\n"
		"DOOR: pv, virtio-pool, virtio-grant\n"
		"STORE: null, memory; cached, direct: of DIR/bench-disk, 64 MiB\n"
		"PATTERN: randread-4k, randwrite-4k, seqread-128k; DEPTH: 1 to 32\n");
	return 2;
}

static bool bench_words(struct ask *ask, char **argv)
{
	ask->store = argv[1];
	for (unsigned i = 0; i < DOORS; i++) {
		if (!strcmp(argv[0], doors[i].front->name))
			ask->door = &doors[i];
	}
	for (unsigned i = 0; i < PATTERNS; i++) {
		if (!strcmp(argv[2], patterns[i].name))
			ask->pattern = &patterns[i];
	}
	ask->depth = (unsigned)strtoul(argv[3], NULL, 10);
	ask->requests = strtoul(argv[4], NULL, 10);
	return ask->door && ask->pattern && ask->depth && ask->depth <= FRONT_DEPTH &&
	       ask->requests;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"check", no_argument, NULL, 'c'}, {0}};
	struct ask ask = {.dir = "/tmp"};
	struct result r;
	bool check = false;
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt_long(argc, argv, "+u:d:", options, NULL)) != -1) {
		if (c == 'u')
			ask.under = optarg;
		else if (c == 'd')
			ask.dir = optarg;
		else if (c == 'c')
			check = true;
		else
			return usage();
	}
	if (argc - optind != (check ? 0 : 5))
		return usage();
	if (check)
		return bench_check(&ask);
	if (!bench_words(&ask, argv + optind))
		return usage();
	r = bench_run(&ask);
	if (!ask.under)
		bench_print(&r);
	return 0;
}
