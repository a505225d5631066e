/* SPDX-License-Identifier: MIT */
/*
 * bench-blk - what a request costs xdd-blk, and a test of what must not grow.
 *
 * usage: bench-blk [-u COMMAND] [-d DIR] BACK STORE PATTERN DEPTH REQUESTS
 *        bench-blk --check BACK
 *
 * A front end with persistent grants keeps DEPTH requests out, as blkfront and
 * fio do: it sleeps until it is notified, takes all answers, and pushes as many
 * requests as came home. After a warm-up it takes the counters, sends REQUESTS,
 * and takes them again; one line a metric, as "METRIC VALUE", on standard output.
 * With -u the back end runs under COMMAND, and nothing is counted.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/blk/blkif.h"
#include "common/clock.h"
#include "common/shared.h"
#include "tests/bench-parts/calls.h"
#include "tests/bench-parts/scene.h"

#define HEADER	     64
#define REQ_PROD     0
#define REQ_EVENT    4
#define RSP_PROD     8
#define RSP_EVENT    12
#define DEPTH_MAX    32 /* a ring of one page */
#define SEGMENTS     32 /* of 128 KiB */
#define DISK_SECTORS 131072u
#define SLOT_PAGES   (1 + SEGMENTS) /* a request's segment table, its data */
#define WARM	     20u	    /* times DEPTH */
#define QUIET_US     3000	    /* until a back end has gone to sleep again */
#define CALLS_MOST   0.10	    /* a request's system calls at depth 32, at most */

struct pattern {
	const char *name;
	enum blkif_op op;
	unsigned segments;
	bool random;
};

static const struct pattern patterns[] = {
	{"randread-4k", BLKIF_READ, 1, true},
	{"randwrite-4k", BLKIF_WRITE, 1, true},
	{"seqread-128k", BLKIF_READ, SEGMENTS, false},
};

struct bench {
	struct scene scene;
	const struct pattern *pattern;
	unsigned depth;
	uint8_t *ring;
	uint32_t req_prod, rsp_cons;
	uint64_t random, next; /* sector of a sequence */
	uint64_t sent_at[DEPTH_MAX];
	uint8_t idle[DEPTH_MAX]; /* slots */
	unsigned nidle;
	uint32_t *latency; /* of each request, ns */
	uint64_t answers;
};

struct counters {
	uint64_t calls, allocations, keeper, now;
};

/* -- The front end --------------------------------------------------------- */

static uint64_t bench_sector(struct bench *b)
{
	uint64_t sectors = b->pattern->segments * (uint64_t)BLKIF_PAGE_SECTORS, at;

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

static unsigned bench_page(unsigned slot)
{
	return 1 + slot * SLOT_PAGES;
}

static void bench_segments(uint8_t *at, unsigned page, unsigned n)
{
	for (unsigned i = 0; i < n; i++, at += BLKIF_SEGMENT) {
		uint32_t ref = SCENE_FIRST_REF + page + i;

		memcpy(at, &ref, sizeof(ref));
		at[4] = 0;
		at[5] = BLKIF_PAGE_SECTORS - 1;
	}
}

static void bench_request(struct bench *b, unsigned slot)
{
	const struct blkif_layout *at = &blkif_layouts[BLKIF_ABI_64];
	uint8_t *e = b->ring + HEADER + (size_t)(b->req_prod++ % DEPTH_MAX) * at->entry;
	uint64_t id = slot, sector = bench_sector(b);
	unsigned n = b->pattern->segments, page = bench_page(slot);
	uint16_t n16 = (uint16_t)n;
	uint32_t table = SCENE_FIRST_REF + page;

	memcpy(e + at->id, &id, sizeof(id));
	memcpy(e + at->sector, &sector, sizeof(sector));
	if (n <= BLKIF_SEGMENTS_MAX) {
		e[0] = (uint8_t)b->pattern->op;
		e[1] = (uint8_t)n;
		bench_segments(e + at->segments, page + 1, n);
	} else {
		e[0] = BLKIF_INDIRECT;
		e[1] = (uint8_t)b->pattern->op;
		memcpy(e + 2, &n16, sizeof(n16));
		memcpy(e + at->indirect_refs, &table, sizeof(table));
		bench_segments(scene_page(&b->scene, page), page + 1, n);
	}
	b->sent_at[slot] = clock_now();
}

/* What is idle goes out, @most at most; an event if one is asked for. */
static unsigned bench_push(struct bench *b, uint64_t most)
{
	uint32_t old = b->req_prod;

	while (b->nidle && b->req_prod - old < most)
		bench_request(b, b->idle[--b->nidle]);
	shared_store32_release(b->ring + REQ_PROD, b->req_prod);
	shared_full_barrier();
	if (b->req_prod - shared_load32(b->ring + REQ_EVENT) < b->req_prod - old)
		scene_kick(&b->scene);
	return b->req_prod - old;
}

static void bench_answer(struct bench *b)
{
	const struct blkif_layout *at = &blkif_layouts[BLKIF_ABI_64];
	const uint8_t *e =
		b->ring + HEADER + (size_t)(b->rsp_cons++ % DEPTH_MAX) * at->entry;
	uint64_t id;
	int16_t status;

	memcpy(&id, e, sizeof(id));
	memcpy(&status, e + at->rsp_status, sizeof(status));
	if (id >= b->depth || status) {
		fprintf(stderr, "bench: request %" PRIu64 " failed: %d\n", id, status);
		exit(1);
	}
	b->idle[b->nidle++] = (uint8_t)id;
	if (b->latency)
		b->latency[b->answers] = (uint32_t)(clock_now() - b->sent_at[id]);
	b->answers++;
}

/* All answers that are there; the next one is to notify. */
static void bench_take(struct bench *b)
{
	do {
		while (b->rsp_cons != shared_load32_acquire(b->ring + RSP_PROD))
			bench_answer(b);
		shared_store32(b->ring + RSP_EVENT, b->rsp_cons + 1);
		shared_full_barrier();
	} while (b->rsp_cons != shared_load32(b->ring + RSP_PROD));
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
	b->ring = scene_page(&b->scene, 0);
	shared_store32(b->ring + REQ_EVENT, 1);
	shared_store32(b->ring + RSP_EVENT, 1);
	scene_front(&b->scene, STORE_INITIALISED);
	scene_until(&b->scene, STORE_CONNECTED);
	scene_front(&b->scene, STORE_CONNECTED);
	bench_send(b, (uint64_t)WARM * b->depth);
}

static struct counters bench_count(struct bench *b, int counter)
{
	struct counters c = {.keeper = b->scene.calls};

	usleep(QUIET_US);
	c.allocations = *(volatile const uint64_t *)b->scene.allocations;
	c.calls = counter < 0 ? 0 : calls_read(counter);
	c.now = clock_now();
	return c;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* What is counted is per request; negative: cannot be counted here. */
struct result {
	double calls, allocations, keeper, per_second, p50_us, p99_us;
};

static struct result bench_measure(struct bench *b, uint64_t requests)
{
	int counter = calls_open(b->scene.back);
	struct counters from, to;
	struct result r;
	double n = (double)requests;
	uint64_t took;

	b->latency = calloc(requests, sizeof(*b->latency));
	if (!b->latency)
		abort();
	from = bench_count(b, counter);
	bench_send(b, requests);
	took = clock_now() - from.now;
	to = bench_count(b, counter);
	qsort(b->latency, requests, sizeof(*b->latency), by_size);
	r.calls = counter < 0 ? -1 : (double)(to.calls - from.calls) / n;
	r.allocations = (double)(to.allocations - from.allocations) / n;
	r.keeper = (double)(to.keeper - from.keeper) / n;
	r.per_second = n * CLOCK_SECOND / (double)took;
	r.p50_us = (double)b->latency[requests / 2] / 1000;
	r.p99_us = (double)b->latency[requests - 1 - requests / 100] / 1000;
	free(b->latency);
	b->latency = NULL;
	if (counter >= 0)
		close(counter);
	return r;
}

/* -- What is asked for ----------------------------------------------------- */

struct ask {
	const char *back, *under, *dir, *store;
	const struct pattern *pattern;
	unsigned depth;
	uint64_t requests;
};

static const struct scene_key front_keys[] = {
	{"ring-ref", "8"},
	{"event-channel", "5"},
	{"feature-persistent", "1"},
	{NULL, NULL},
};

/* "cached" and "direct" are the two ways to a file. */
static const char *bench_policy(const struct ask *ask)
{
	static char text[1024];
	char resource[300], cache[32] = "";

	if (!strcmp(ask->store, "cached") || !strcmp(ask->store, "direct")) {
		snprintf(resource, sizeof(resource), "%s/bench-disk", ask->dir);
		snprintf(cache, sizeof(cache), "\n[Block]\nCache = %s\n",
			 *ask->store == 'd' ? "direct" : "buffered");
	} else {
		snprintf(resource, sizeof(resource), "%s:%u", ask->store,
			 DISK_SECTORS * BLKIF_SECTOR);
	}
	snprintf(
		text, sizeof(text),
		"Format = 1\n\n[Backend]\nClass = blk\nResource = %s\nReadOnly = no\n\n"
		"[Client]\nDomain = 2\nDevice = xvda\n\n[Memory]\nDataPages = 1056\n\n"
		"[Limits]\nInFlight = 1024\nOperations = 1000G/s\nBytes = 1000G/s\n"
		"Events = 1000G/s\n%s",
		resource, cache);
	return text;
}

static struct result bench_run(const struct ask *ask)
{
	static struct bench b;
	struct scene_conf conf = {
		.back = ask->back,
		.under = ask->under,
		.policy = bench_policy(ask),
		.front = front_keys,
	};
	struct result r = {0};

	b = (struct bench){.pattern = ask->pattern, .depth = ask->depth};
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
	if (r->calls >= 0)
		printf("syscalls_per_request %.4f\n", r->calls);
	printf("allocations_per_request %.4f\n", r->allocations);
	printf("keeper_calls_per_request %.4f\n", r->keeper);
	printf("requests_per_second %.0f\n", r->per_second);
	printf("latency_p50_us %.1f\n", r->p50_us);
	printf("latency_p99_us %.1f\n", r->p99_us);
}

/* -- The test: counts alone, never time ------------------------------------ */

static unsigned check_one(const struct ask *ask)
{
	struct result r = bench_run(ask);
	char name[80];
	unsigned bad = 0;

	snprintf(name, sizeof(name), "%s at depth %u, %s", ask->pattern->name,
		 ask->depth, ask->store);
	printf("%s - nothing is allocated: %s\n", r.allocations > 0 ? "not ok" : "ok",
	       name);
	printf("%s - the keeper is not asked: %s\n", r.keeper > 0 ? "not ok" : "ok",
	       name);
	bad += (r.allocations > 0) + (r.keeper > 0);
	if (ask->depth < DEPTH_MAX)
		return bad;
	if (r.calls < 0) {
		printf("ok - system calls: %s # SKIP no tracepoint raw_syscalls here\n",
		       name);
		return bad;
	}
	printf("%s - %.3f system calls a request, at most %.2f: %s\n",
	       r.calls > CALLS_MOST ? "not ok" : "ok", r.calls, CALLS_MOST, name);
	return bad + (r.calls > CALLS_MOST);
}

static int bench_check(struct ask *ask)
{
	static const char *const stores[] = {"null", "memory"};
	static const unsigned depths[] = {1, DEPTH_MAX};
	unsigned bad = 0;

	for (unsigned i = 0; i < 3 * 2 * 2; i++) {
		ask->pattern = &patterns[i % 3];
		ask->store = stores[i / 3 % 2];
		ask->depth = depths[i / 6];
		ask->requests = ask->depth * 500u;
		bad += check_one(ask);
	}
	return bad != 0;
}

/* -- The command ----------------------------------------------------------- */

static int usage(void)
{
	fprintf(stderr,
		"usage: bench-blk [-u COMMAND] [-d DIR] BACK STORE PATTERN DEPTH "
		"REQUESTS\n"
		"       bench-blk --check BACK\n"
		"STORE: null, memory; cached, direct: of DIR/bench-disk, 64 MiB\n"
		"PATTERN: randread-4k, randwrite-4k, seqread-128k; DEPTH: 1 to 32\n");
	return 2;
}

static bool bench_words(struct ask *ask, char **argv)
{
	ask->back = argv[0];
	ask->store = argv[1];
	for (unsigned i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (!strcmp(argv[2], patterns[i].name))
			ask->pattern = &patterns[i];
	}
	ask->depth = (unsigned)strtoul(argv[3], NULL, 10);
	ask->requests = strtoul(argv[4], NULL, 10);
	return ask->pattern && ask->depth && ask->depth <= DEPTH_MAX && ask->requests;
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
	if (argc - optind != (check ? 1 : 5))
		return usage();
	ask.back = argv[optind];
	if (check)
		return bench_check(&ask);
	if (!bench_words(&ask, argv + optind))
		return usage();
	r = bench_run(&ask);
	if (!ask.under)
		bench_print(&r);
	return 0;
}
