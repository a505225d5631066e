/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "policy/class.h"
#include "tests/device/displ-bed.h"

#define BED_TURNS   100000 /* more than a client can ask for while time stands still */
#define FOURCC_XR24 0x34325258u

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
		.door = POLICY_PV,
		.mode = POLICY_MAP,
		.client_pages = conf->both ? POLICY_BOTH : POLICY_READABLE,
		.ring_pages = conf->ring_pages ? conf->ring_pages : 16,
		.data_pages = conf->data_pages ? conf->data_pages : 4096,
		.first_ref = {8},
		.last_ref = {LOOPXEN_REFS - 1},
		.in_flight = 64,
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
}

/* -- The world ------------------------------------------------------------ */

void displ_bed_init(struct displ_bed *bed, const struct displ_bed_conf *conf)
{
	memset(bed, 0, sizeof(*bed));
	bed->conf = *conf;
	bed->dev = (struct loopxen_device){{2}, {3}, NULL, 0};
	bed->dev.kind = class_info(POLICY_DISPL, POLICY_PV)->kind;
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

static void left(struct displ_pv *pv)
{
	((struct displ_bed *)pv->conf.owner)->detached++;
}

static void broken(struct displ_pv *pv, const char *why)
{
	struct displ_bed *bed = pv->conf.owner;

	bed->broken++;
	bed->why = why;
	displ_pv_detach(pv);
}

static void landed(void *owner, uint32_t head, uint64_t now)
{
	displ_pv_landed(&((struct displ_bed *)owner)->pv, head, now);
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
			     bed->displ_policy.heads * DISPL_OWN_CANVASES);
	r = displ_init(&bed->displ, &conf, bed->conf.black ? NULL : &gone,
		       loopxen_now(bed->x));
	assert(!r);
}

static void bed_process(struct displ_bed *bed)
{
	struct displ_pv_conf conf = {
		.policy = &bed->policy,
		.displ_policy = &bed->displ_policy,
		.displ = &bed->displ,
		.owner = bed,
		.broken = broken,
		.detached = left,
	};
	int r;

	bed_display(bed);
	bed->back = loopxen_back_new(bed->x, &bed->policy, &bed->dev);
	conf.keys = (struct keys){&bed->back->store, &bed->back->grants,
				  &bed->back->evtchn, &bed->log};
	for (uint32_t i = 0; i < bed->displ_policy.heads; i++)
		conf.edid[i] = (struct displ_pv_edid){bed->edid, sizeof(bed->edid)};
	r = displ_pv_init(&bed->pv, &conf);
	assert(!r);
	bed->again = false;
}

void displ_bed_start(struct displ_bed *bed)
{
	int r;

	bed_process(bed);
	r = displ_pv_offer(&bed->pv);
	assert(!r);
}

static void bed_end(struct displ_bed *bed)
{
	/* displ.h, invariant 4 */
	assert(!bed->scan.torn);
	displ_pv_fini(&bed->pv);
	displ_fini(&bed->displ);
	displ_scan_test_close(&bed->scan);
}

void displ_bed_kill(struct displ_bed *bed)
{
	loopxen_back_kill(bed->back);
	bed->pv.error = -EIO; /* it is not detached, and never will be */
	bed_end(bed);
}

int displ_bed_follow(struct displ_bed *bed)
{
	int r;

	bed_process(bed);
	r = displ_pv_connect(&bed->pv, true, loopxen_now(bed->x));
	return r ? r : displ_bed_run(bed);
}

int displ_bed_connect(struct displ_bed *bed)
{
	int r;

	displ_front_connect(&bed->front);
	r = displ_pv_connect(&bed->pv, false, loopxen_now(bed->x));
	if (r)
		return r;
	displ_front_key(&bed->front, "state", "4");
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

	if (bed->pv.state != DISPL_PV_DOWN) {
		displ_pv_detach(&bed->pv);
		displ_bed_pass(bed, 3 * CLOCK_SECOND);
	}
	assert(bed->detached && bed->pv.state == DISPL_PV_DOWN);
	bed_end(bed);
	loopxen_back_free(bed->back);
	leaks += !displ_front_disconnect(&bed->front);
	return leaks + displ_bed_fini(bed);
}

/* -- The loop ------------------------------------------------------------- */

static uint64_t bed_due(const struct displ_bed *bed)
{
	uint64_t door = displ_pv_due(&bed->pv), displ = displ_due(&bed->displ);

	return door < displ ? door : displ;
}

static int bed_turn(struct displ_bed *bed)
{
	uint64_t now = loopxen_now(bed->x);
	int r;

	bed->turns++;
	displ_turn(&bed->displ, now);
	r = displ_pv_turn(&bed->pv, now);
	if (!r && bed_due(bed) > now && displ_pv_arm(&bed->pv))
		bed->again = true;
	return r;
}

int displ_bed_run(struct displ_bed *bed)
{
	unsigned turns = 0;

	while (bed->pv.state != DISPL_PV_DOWN) {
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
		if (fired && bed->pv.state == DISPL_PV_UP)
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
		due = bed->pv.state == DISPL_PV_DOWN ? end : bed_due(bed);
		if (now >= end)
			return 0;
		loopxen_advance(bed->x, (due < end ? due : end) - now);
	}
}

/* -- The client ----------------------------------------------------------- */

struct xendispl_resp displ_bed_ask(struct displ_bed *bed, uint32_t head,
				   struct xendispl_req *req)
{
	struct pv_pair *p = &bed->front.head[head];
	struct xendispl_resp answer, more;
	bool got;

	req->id = p->id++;
	pv_pair_send(p, req);
	displ_bed_run(bed);
	for (unsigned i = 0; !(got = pv_pair_answer(p, &answer)) && i < 3000; i++)
		displ_bed_pass(bed, CLOCK_MS);
	assert(got);
	assert(answer.id == req->id && answer.operation == req->operation);
	got = pv_pair_answer(p, &more);
	assert(!got);
	return answer;
}

int32_t displ_bed_create(struct displ_bed *bed, uint32_t i, uint32_t width,
			 uint32_t height, uint32_t bpp)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_DBUF_CREATE};
	uint32_t bytes = width * height * (bpp / 8);

	if (!bed->front.buffer[i].pages)
		displ_front_buffer(&bed->front, i, bytes, false);
	req.op.dbuf_create.dbuf_cookie = 100 + i;
	req.op.dbuf_create.width = width;
	req.op.dbuf_create.height = height;
	req.op.dbuf_create.bpp = bpp;
	req.op.dbuf_create.buffer_sz = bytes;
	req.op.dbuf_create.gref_directory = bed->front.buffer[i].list_ref[0].v;
	return displ_bed_ask(bed, 0, &req).status;
}

int32_t displ_bed_destroy(struct displ_bed *bed, uint32_t i)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_DBUF_DESTROY};

	req.op.dbuf_destroy.dbuf_cookie = 100 + i;
	return displ_bed_ask(bed, 0, &req).status;
}

int32_t displ_bed_attach(struct displ_bed *bed, uint64_t cookie, uint32_t i,
			 uint32_t width, uint32_t height, uint32_t fourcc)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_FB_ATTACH};

	req.op.fb_attach.dbuf_cookie = 100 + i;
	req.op.fb_attach.fb_cookie = cookie;
	req.op.fb_attach.width = width;
	req.op.fb_attach.height = height;
	req.op.fb_attach.pixel_format = fourcc;
	return displ_bed_ask(bed, 0, &req).status;
}

int32_t displ_bed_unattach(struct displ_bed *bed, uint64_t cookie)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_FB_DETACH};

	req.op.fb_detach.fb_cookie = cookie;
	return displ_bed_ask(bed, 0, &req).status;
}

int32_t displ_bed_config(struct displ_bed *bed, uint32_t head, uint64_t cookie,
			 const struct displ_rect *rect, uint32_t bpp)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_SET_CONFIG};

	req.op.set_config.fb_cookie = cookie;
	req.op.set_config.x = rect->x;
	req.op.set_config.y = rect->y;
	req.op.set_config.width = rect->width;
	req.op.set_config.height = rect->height;
	req.op.set_config.bpp = bpp;
	return displ_bed_ask(bed, head, &req).status;
}

int32_t displ_bed_flip(struct displ_bed *bed, uint32_t head, uint64_t cookie)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_PG_FLIP};

	req.op.pg_flip.fb_cookie = cookie;
	return displ_bed_ask(bed, head, &req).status;
}

void displ_bed_fill(struct displ_bed *bed, uint32_t i, uint32_t pixel)
{
	uint32_t *pixels = (uint32_t *)(void *)bed->front.buffer[i].bytes;

	for (uint32_t n = 0; n < bed->front.buffer[i].pages * 1024; n++)
		pixels[n] = pixel;
}

void displ_bed_show(struct displ_bed *bed)
{
	struct displ_size size = bed->displ_policy.head[0].size;
	const struct displ_rect all = {0, 0, size.width, size.height};
	int32_t status = 0;

	for (uint32_t i = 0; i < 2; i++) {
		status |= displ_bed_create(bed, i, size.width, size.height, 32);
		displ_bed_fill(bed, i, 0x101010 * (i + 1));
		status |= displ_bed_attach(bed, 1 + i, i, size.width, size.height,
					   FOURCC_XR24);
	}
	status |= displ_bed_config(bed, 0, 1, &all, 32);
	assert(!status);
	displ_bed_pass(bed, 2 * DISPL_TEST_BLANK);
}

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

uint64_t displ_bed_event(struct displ_bed *bed, uint32_t head)
{
	struct xendispl_evt event;

	if (!pv_pair_event(&bed->front.head[head], &event))
		return 0;
	assert(event.type == XENDISPL_EVT_PG_FLIP);
	return event.op.pg_flip.fb_cookie;
}

const char *displ_bed_back_key(struct displ_bed *bed, const char *key)
{
	char path[160];

	loopxen_path(&bed->dev, STORE_BACK, key, path, sizeof(path));
	return loopxen_read(bed->x, bed->dev.front, path);
}
