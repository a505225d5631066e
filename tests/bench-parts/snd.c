/* SPDX-License-Identifier: MIT */
/*
 * bench-snd - what a period costs xdd-snd, and a test of what must not grow.
 *
 * usage: bench-snd [-u COMMAND] FRAMES PERIODS
 *        bench-snd --check
 *
 * A front end plays to a "null:" PCM, 48 kHz, stereo, 16 bits, as snd-xen-front does
 * for an aplay: it sleeps until it is told of a position, fills what of its ring has
 * become free, a period a request, and waits for each answer. The PCM's clock is real,
 * so a run takes PERIODS times FRAMES / 48000 seconds, however fast the machine is.
 * After a warm-up it takes the counters, plays PERIODS, and takes them again; one line
 * a metric, as "METRIC VALUE", on standard output. With -u the back end runs under
 * COMMAND, and nothing is counted. The programs to be measured lie beside it.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>
#include <xen/io/sndif.h>

#include "common/clock.h"
#include "common/shared.h"
#include "tests/bench-parts/calls.h"
#include "tests/bench-parts/counters.h"
#include "tests/bench-parts/scene.h"

#define RATE	     48000u
#define FRAME	     4u /* bytes */
#define RING_PERIODS 8u
#define FRAMES_MIN   64u
#define FRAMES_MAX   8192u
#define PERIODS_MAX  100000u
#define WARM	     20u /* periods */

/* Pages of the scene. */
#define RING	  0
#define EVENTS	  1
#define DIRECTORY 2
#define BUFFER	  3

/* A ring of requests. */
#define REQ_PROD  0
#define REQ_EVENT 4
#define RSP_PROD  8
#define RSP_EVENT 12
#define HEADER	  64
#define ENTRY	  64u
#define ENTRIES	  32u
/* A page of events. */
#define IN_CONS 0
#define IN_PROD 4

/* What a period of 5 ms may cost: system calls, of back end and keeper together; times
 * that the back end went to sleep, once for its time and once for a write. */
#define CALLS_MOST 4.5
#define WAKES_MOST 2.2

struct bench {
	struct scene scene;
	uint32_t period;	     /* bytes */
	uint32_t produced, consumed; /* requests, answers */
	uint32_t heard;		     /* events */
	uint64_t position, written;  /* bytes: told of, sent */
	uint64_t began;		     /* ns: the stream */
	bool measured;
	uint64_t *latency, *late; /* ns: of each write; of each period's event */
	uint64_t writes, events;
};

/* -- The front end --------------------------------------------------------- */

static uint8_t *bench_ring(struct bench *b)
{
	return scene_page(&b->scene, RING);
}

static void bench_rings(struct bench *b)
{
	uint8_t *ring = bench_ring(b);

	shared_store32(ring + REQ_EVENT, 1);
	shared_store32(ring + RSP_EVENT, 1);
}

/* The ring of samples, by its pages: they lie one behind the other. */
static void bench_directory(struct bench *b)
{
	uint32_t pages =
		(RING_PERIODS * b->period + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;
	uint32_t *words = (uint32_t *)(void *)scene_page(&b->scene, DIRECTORY);

	words[0] = 0;
	for (uint32_t i = 0; i < pages; i++)
		words[1 + i] = SCENE_FIRST_REF + BUFFER + i;
}

static void bench_send(struct bench *b, struct xensnd_req *rq)
{
	uint8_t *ring = bench_ring(b);

	rq->id = (uint16_t)b->produced;
	memcpy(ring + HEADER + (size_t)(b->produced % ENTRIES) * ENTRY, rq,
	       sizeof(*rq));
	b->produced++;
	shared_store32_release(ring + REQ_PROD, b->produced);
	shared_full_barrier();
	if (b->produced - shared_load32(ring + REQ_EVENT) < 1)
		scene_kick(&b->scene);
}

/* False: there is no answer yet, and the next one notifies. */
static bool bench_answer(struct bench *b, struct xensnd_resp *out)
{
	uint8_t *ring = bench_ring(b);

	if (b->consumed == shared_load32_acquire(ring + RSP_PROD)) {
		shared_store32(ring + RSP_EVENT, b->consumed + 1);
		shared_full_barrier();
		if (b->consumed == shared_load32_acquire(ring + RSP_PROD))
			return false;
	}
	memcpy(out, ring + HEADER + (size_t)(b->consumed % ENTRIES) * ENTRY,
	       sizeof(*out));
	b->consumed++;
	return true;
}

/* One request, as Linux's driver sends one: it waits for the answer. */
static void bench_ask(struct bench *b, struct xensnd_req *rq)
{
	struct xensnd_resp answer;

	bench_send(b, rq);
	while (!bench_answer(b, &answer))
		scene_wait(&b->scene);
	if (answer.id == rq->id && !answer.status)
		return;
	fprintf(stderr, "bench: operation %d failed: %d\n", rq->operation,
		answer.status);
	exit(1);
}

static void bench_trigger(struct bench *b, uint8_t type)
{
	struct xensnd_req rq = {.operation = XENSND_OP_TRIGGER,
				.op.trigger.type = type};

	bench_ask(b, &rq);
}

static void bench_stream(struct bench *b)
{
	struct xensnd_req rq = {
		.operation = XENSND_OP_OPEN,
		.op.open = {.pcm_rate = RATE,
			    .pcm_format = XENSND_PCM_FORMAT_S16_LE,
			    .pcm_channels = 2,
			    .buffer_sz = RING_PERIODS * b->period,
			    .gref_directory = SCENE_FIRST_REF + DIRECTORY,
			    .period_sz = b->period},
	};

	bench_directory(b);
	bench_ask(b, &rq);
}

static uint64_t bench_ns(uint64_t bytes)
{
	return bytes / FRAME * CLOCK_SECOND / RATE;
}

/* What is told: of each period once, how long after the stream's beginning and what
 * came before. */
static void bench_told(struct bench *b, uint64_t position)
{
	uint64_t passed = position / b->period * b->period;

	if (position / b->period > b->position / b->period && b->measured)
		b->late[b->events++] = clock_now() - b->began - bench_ns(passed) +
				       bench_ns((uint64_t)RING_PERIODS * b->period);
	b->position = position;
}

static void bench_listen(struct bench *b)
{
	uint8_t *page = scene_page(&b->scene, EVENTS);
	uint32_t end = shared_load32_acquire(page + IN_PROD);

	for (; b->heard != end; b->heard++) {
		const struct xensnd_evt *event = &XENSND_IN_RING_REF(page, b->heard);

		bench_told(b, event->op.cur_pos.position);
	}
	shared_store32_release(page + IN_CONS, b->heard);
}

static void bench_write(struct bench *b)
{
	struct xensnd_req rq = {.operation = XENSND_OP_WRITE};
	uint64_t since = clock_now();

	rq.op.rw.offset = (uint32_t)(b->written % (RING_PERIODS * b->period));
	rq.op.rw.length = b->period;
	bench_ask(b, &rq);
	if (b->measured)
		b->latency[b->writes++] = clock_now() - since;
	b->written += b->period;
}

static void bench_play(struct bench *b, uint64_t periods)
{
	uint64_t end = b->written + periods * b->period;

	while (b->written < end) {
		bench_listen(b);
		if (b->written + b->period <= b->position + RING_PERIODS * b->period)
			bench_write(b);
		else
			scene_wait(&b->scene);
	}
}

static void bench_open(struct bench *b, const struct scene_conf *conf)
{
	scene_open(&b->scene, conf);
	scene_until(&b->scene, STORE_INIT_WAIT);
	bench_rings(b);
	scene_front(&b->scene, STORE_INITIALISED);
	scene_until(&b->scene, STORE_CONNECTED);
	scene_front(&b->scene, STORE_CONNECTED);
	bench_stream(b);
	bench_play(b, RING_PERIODS);
	b->began = clock_now();
	bench_trigger(b, XENSND_OP_TRIGGER_START);
	bench_play(b, WARM);
}

static void bench_close(struct bench *b)
{
	struct xensnd_req rq = {.operation = XENSND_OP_CLOSE};

	bench_trigger(b, XENSND_OP_TRIGGER_STOP);
	bench_ask(b, &rq);
	scene_close(&b->scene);
}

/* -- One measurement ------------------------------------------------------- */

/* What is counted is per period. */
struct result {
	bool counted;	     /* system calls can be, here */
	double back, keeper; /* system calls of each */
	double wakes, allocations, asked, events;
	double cpu_ns, p50_us, p99_us, jitter_us;
};

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double part_us(const uint64_t *sorted, uint64_t n, unsigned percent)
{
	return n ? (double)sorted[(n - 1) * percent / 100] / 1000 : 0;
}

static void result_times(struct result *r, struct bench *b)
{
	qsort(b->latency, b->writes, sizeof(*b->latency), by_size);
	qsort(b->late, b->events, sizeof(*b->late), by_size);
	r->p50_us = part_us(b->latency, b->writes, 50);
	r->p99_us = part_us(b->latency, b->writes, 99);
	/* Later than the earliest. */
	r->jitter_us = part_us(b->late, b->events, 99) - part_us(b->late, b->events, 0);
}

static struct result bench_measure(struct bench *b, uint64_t periods)
{
	int counter[2] = {calls_open(b->scene.back), calls_open(b->scene.keeper)};
	struct result r = {.counted = counter[0] >= 0 && counter[1] >= 0};
	struct counters from, to;
	double n = (double)periods;

	b->latency = calloc(periods, sizeof(*b->latency));
	/* As many, or a ring more. */
	b->late = calloc(periods + RING_PERIODS, sizeof(*b->late));
	if (!b->latency || !b->late)
		abort();
	counters_take(&from, &b->scene, counter);
	b->measured = true;
	bench_play(b, periods);
	b->measured = false;
	counters_take(&to, &b->scene, counter);
	r.back = (double)(to.calls[0] - from.calls[0]) / n;
	r.keeper = (double)(to.calls[1] - from.calls[1]) / n;
	r.wakes = (double)(to.sleeps - from.sleeps) / n;
	r.allocations = (double)(to.counts.allocations - from.counts.allocations) / n;
	r.asked = (double)(to.counts.calls - from.counts.calls) / n;
	r.events = (double)b->events / n;
	r.cpu_ns = (double)(to.cpu - from.cpu) / n;
	result_times(&r, b);
	free(b->latency);
	free(b->late);
	for (unsigned i = 0; i < 2; i++) {
		if (counter[i] >= 0)
			close(counter[i]);
	}
	return r;
}

/* -- What is asked for ----------------------------------------------------- */

static const struct scene_key bench_keys[] = {
	{"0/0/ring-ref", "8"},	   {"0/0/event-channel", "5"},
	{"0/0/evt-ring-ref", "9"}, {"0/0/evt-event-channel", "6"},
	{"0/0/type", "p"},	   {NULL, NULL},
};

static const char bench_policy[] =
	"Format = 1\n\n[Backend]\nClass = snd\nResource = null:\n\n"
	"[Client]\nDomain = 2\nDevice = 0\n\n"
	"[Memory]\nRingPages = 2\nDataPages = 130\nExclusive = no\n\n"
	"[Limits]\nInFlight = 1\nOperations = 1000G/s\nBytes = 1000G/s\n"
	"Events = 1000G/s\n\n"
	"[Sound]\nStream0 = 0/0 playback nothing\nBuffer = 524288\n";

static struct result bench_run(const char *under, uint32_t frames, uint64_t periods)
{
	static char back[SCENE_PATH], keeper[SCENE_PATH], enter[SCENE_PATH];
	static struct bench b;
	const struct scene_conf conf = {
		.back = scene_beside("bench-xdd-snd", back),
		.keeper = scene_beside("bench-xdd-keeper", keeper),
		.enter = scene_beside("bench-xdd-enter", enter),
		.under = under,
		.policy = bench_policy,
		.class = "snd",
		.kind = "vsnd",
		.device = "0",
		.front = bench_keys,
	};
	struct result r = {0};

	b = (struct bench){.period = frames * FRAME};
	bench_open(&b, &conf);
	if (under)
		bench_play(&b, periods);
	else
		r = bench_measure(&b, periods);
	bench_close(&b);
	return r;
}

static void bench_print(const struct result *r)
{
	if (r->counted) {
		printf("syscalls_per_period %.4f\n", r->back);
		printf("keeper_syscalls_per_period %.4f\n", r->keeper);
	}
	printf("wakes_per_period %.4f\n", r->wakes);
	printf("events_per_period %.4f\n", r->events);
	printf("allocations_per_period %.4f\n", r->allocations);
	printf("keeper_calls_per_period %.4f\n", r->asked);
	printf("processor_ns_each %.0f\n", r->cpu_ns);
	printf("write_latency_p50_us %.1f\n", r->p50_us);
	printf("write_latency_p99_us %.1f\n", r->p99_us);
	printf("position_jitter_p99_us %.1f\n", r->jitter_us);
}

/* -- The test: counts alone, never time ------------------------------------ */

static unsigned check_most(const char *what, double is, double most)
{
	printf("%s - %.3f %s a period of 5 ms, at most %.2f\n",
	       is > most ? "not ok" : "ok", is, what, most);
	return is > most;
}

static int bench_check(void)
{
	struct result r = bench_run(NULL, RATE / 200, 400);
	unsigned bad = check_most("allocations", r.allocations, 0);

	bad += check_most("calls to the keeper", r.asked, 0);
	bad += check_most("times asleep", r.wakes, WAKES_MOST);
	if (r.counted)
		bad += check_most("system calls", r.back + r.keeper, CALLS_MOST);
	else
		printf("ok - system calls # SKIP no tracepoint raw_syscalls here\n");
	return bad != 0;
}

/* -- The command ----------------------------------------------------------- */

static int usage(void)
{
	fprintf(stderr,
		"usage: bench-snd [-u COMMAND] FRAMES PERIODS\n"
		"       bench-snd --check\n"
		"FRAMES: of a period, %u to %u; PERIODS: to %u\n",
		FRAMES_MIN, FRAMES_MAX, PERIODS_MAX);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"check", no_argument, NULL, 'c'}, {0}};
	const char *under = NULL;
	unsigned long frames, periods;
	struct result r;
	bool check = false;
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt_long(argc, argv, "+u:", options, NULL)) != -1) {
		if (c == 'u')
			under = optarg;
		else if (c == 'c')
			check = true;
		else
			return usage();
	}
	if (argc - optind != (check ? 0 : 2))
		return usage();
	if (check)
		return bench_check();
	frames = strtoul(argv[optind], NULL, 10);
	periods = strtoul(argv[optind + 1], NULL, 10);
	if (frames < FRAMES_MIN || frames > FRAMES_MAX || !periods ||
	    periods > PERIODS_MAX)
		return usage();
	r = bench_run(under, (uint32_t)frames, periods);
	if (!under)
		bench_print(&r);
	return 0;
}
