/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "policy/class.h"
#include "tests/device/displ-bed.h"

#define BED_TURNS 100000 /* more than a client can ask for while time stands still */

static void bed_policy(struct displ_bed *bed)
{
	const struct displ_bed_conf *conf = &bed->conf;
	struct policy_rate free = {1000000000, 1000000000};
	struct policy_rate much = {1ull << 50, 1ull << 50};
	struct displ_policy *displ = &bed->displ_policy;
	struct displ_size size = conf->size;

	if (!size.width)
		size = (struct displ_size){64, 64};
	bed->policy = (struct policy){
		.class = POLICY_DISPL,
		.domain = bed->dev.front,
		.door = conf->door,
		.mode = conf->door == POLICY_PV ? POLICY_MAP : POLICY_POOL,
		.client_pages = conf->both || conf->door == POLICY_VIRTIO
					? POLICY_BOTH
					: POLICY_READABLE,
		.ring_pages = conf->ring_pages ? conf->ring_pages : 16,
		.data_pages = conf->data_pages ? conf->data_pages : 4096,
		.first_ref = {8},
		.last_ref = {LOOPXEN_REFS - 1},
		.in_flight = conf->in_flight ? conf->in_flight : 64,
		.operations = conf->operations.burst ? conf->operations : free,
		.bytes = conf->bytes.burst ? conf->bytes : much,
		.events = free,
	};
	displ_policy_init(displ);
	displ->heads = conf->heads ? conf->heads : 1;
	for (uint32_t i = 0; i < displ->heads; i++)
		displ->head[i] = (struct displ_policy_head){true, "test", size};
	displ->formats = conf->formats ? conf->formats : DISPL_FORMATS_ALL;
	displ->buffers = conf->buffers ? conf->buffers : 8;
	displ->flips = conf->flips;
	displ->alpha = conf->alpha;
}

/* -- The world ------------------------------------------------------------ */

void displ_bed_init(struct displ_bed *bed, const struct displ_bed_conf *conf)
{
	memset(bed, 0, sizeof(*bed));
	bed->conf = *conf;
	bed->dev = (struct loopxen_device){{2}, {3}, NULL, 0};
	bed->dev.kind = class_info(POLICY_DISPL, conf->door)->kind;
	bed->door = conf->door == POLICY_PV ? &displ_bed_pv : &displ_bed_virtio;
	bed_policy(bed);
	for (size_t i = 0; i < sizeof(bed->edid); i++)
		bed->edid[i] = (uint8_t)(i * 7);
	bed->x = loopxen_new();
	loopxen_domain(bed->x, bed->dev.back);
	loopxen_domain(bed->x, bed->dev.front);
	loopxen_attach(bed->x, &bed->dev, "w", "displ");
	bed->front.x = bed->x;
	bed->front.dev = &bed->dev;
	bed->front.heads = bed->displ_policy.heads;
	log_init(&bed->log, "test");
	bed->log.tokens = 0; /* silent: the tests provoke what it would say */
}

unsigned displ_bed_fini(struct displ_bed *bed)
{
	return loopxen_free(bed->x);
}

/* -- A process ------------------------------------------------------------- */

static void landed(void *owner, uint32_t head, uint64_t now)
{
	struct displ_bed *bed = owner;

	bed->door->landed(bed, head, now);
}

static void gone_read(const void *of, uint64_t at, void *dst, uint32_t n)
{
	uint32_t *pixel = dst;

	(void)of;
	(void)at;
	for (uint32_t i = 0; i < n / DISPL_PIXEL; i++)
		pixel[i] = DISPL_BED_GONE;
}

static void bed_display(struct displ_bed *bed)
{
	const struct displ_conf conf = {&bed->displ_policy, &bed->scan.scan, bed,
					landed};
	struct displ_size size = displ_policy_most(&bed->displ_policy);
	const struct displ_picture gone = {DISPL_ARGB8888, size,
					   size.width * DISPL_PIXEL, gone_read, NULL};
	int r;

	displ_scan_test_open(&bed->scan, &bed->displ_policy,
			     displ_policy_canvases(&bed->displ_policy, bed->conf.door));
	r = displ_init(&bed->displ, &conf, bed->conf.black ? NULL : &gone,
		       loopxen_now(bed->x));
	assert(!r);
}

static void bed_process(struct displ_bed *bed)
{
	struct keys keys;
	int r;

	bed_display(bed);
	bed->back = loopxen_back_new(bed->x, &bed->policy, &bed->dev);
	keys = (struct keys){&bed->back->store, &bed->back->grants, &bed->back->evtchn,
			     &bed->log};
	r = bed->door->init(bed, &keys);
	assert(!r);
	bed->again = false;
}

void displ_bed_start(struct displ_bed *bed)
{
	int r;

	bed_process(bed);
	r = bed->door->offer(bed);
	assert(!r);
}

static void bed_end(struct displ_bed *bed)
{
	/* displ.h, invariant 4 */
	assert(!bed->scan.torn);
	bed->door->fini(bed);
	displ_fini(&bed->displ);
	displ_scan_test_close(&bed->scan);
}

void displ_bed_kill(struct displ_bed *bed)
{
	loopxen_back_kill(bed->back);
	bed->door->died(bed); /* it is not detached, and never will be */
	bed_end(bed);
}

int displ_bed_follow(struct displ_bed *bed)
{
	int r;

	bed_process(bed);
	r = bed->door->connect(bed, true, loopxen_now(bed->x));
	return r ? r : displ_bed_run(bed);
}

int displ_bed_connect(struct displ_bed *bed)
{
	int r;

	bed->door->front_connect(bed);
	r = bed->door->connect(bed, false, loopxen_now(bed->x));
	if (r)
		return r;
	if (!bed->door->front_ready(bed))
		return -EPROTO;
	return displ_bed_run(bed);
}

void displ_bed_up(struct displ_bed *bed, const struct displ_bed_conf *conf)
{
	int r;

	displ_bed_init(bed, conf);
	displ_bed_start(bed);
	r = displ_bed_connect(bed);
	assert(!r);
}

unsigned displ_bed_down(struct displ_bed *bed)
{
	unsigned leaks = 0;

	if (!bed->door->is_down(bed)) {
		bed->door->detach(bed);
		displ_bed_pass(bed, 3 * CLOCK_SECOND);
	}
	assert(bed->detached && bed->door->is_down(bed));
	bed_end(bed);
	loopxen_back_free(bed->back);
	leaks += !bed->door->front_disconnect(bed);
	return leaks + displ_bed_fini(bed);
}

/* -- The loop ------------------------------------------------------------- */

static uint64_t bed_due(const struct displ_bed *bed)
{
	uint64_t door = bed->door->due(bed), displ = displ_due(&bed->displ);

	return door < displ ? door : displ;
}

static int bed_turn(struct displ_bed *bed)
{
	uint64_t now = loopxen_now(bed->x);
	int r;

	bed->turns++;
	displ_turn(&bed->displ, now);
	r = bed->door->turn(bed, now);
	if (!r && bed_due(bed) > now && bed->door->arm(bed))
		bed->again = true;
	return r;
}

int displ_bed_run(struct displ_bed *bed)
{
	unsigned turns = 0;

	while (!bed->door->is_down(bed)) {
		struct evport port;
		bool fired = evtchn_pending(&bed->back->evtchn, &port) == 1;
		int r;

		if (!fired && !bed->again && bed_due(bed) > loopxen_now(bed->x))
			break;
		bed->again = false;
		assert(turns++ < BED_TURNS);
		r = bed_turn(bed);
		if (r < 0)
			return r;
		if (fired && bed->door->takes(bed))
			evtchn_unmask(&bed->back->evtchn, port);
	}
	return 0;
}

int displ_bed_pass(struct displ_bed *bed, uint64_t ns)
{
	uint64_t end = loopxen_now(bed->x) + ns;

	for (;;) {
		uint64_t now = loopxen_now(bed->x), due;
		int r = displ_bed_run(bed);

		if (r < 0)
			return r;
		due = bed->door->is_down(bed) ? end : bed_due(bed);
		if (now >= end)
			return 0;
		loopxen_advance(bed->x, (due < end ? due : end) - now);
	}
}

/* -- What is seen ---------------------------------------------------------- */

bool displ_bed_sees(const struct displ_bed *bed, uint32_t head, uint32_t pixel)
{
	struct displ_size size = bed->displ_policy.head[head].size;

	for (uint32_t y = 0; y < size.height; y++) {
		for (uint32_t x = 0; x < size.width; x++) {
			if (displ_scan_test_pixel(&bed->scan, head, x, y) != pixel)
				return false;
		}
	}
	return true;
}

const char *displ_bed_back_key(struct displ_bed *bed, const char *key)
{
	char path[160];

	loopxen_path(&bed->dev, STORE_BACK, key, path, sizeof(path));
	return loopxen_read(bed->x, bed->dev.front, path);
}
