/* SPDX-License-Identifier: MIT */
/* The PV door on the bed, and its client's verbs: see displ-bed.h. */
#include <assert.h>
#include <errno.h>

#include "common/clock.h"
#include "tests/device/displ-bed.h"

#define FOURCC_XR24 0x34325258u

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

static int pv_init(struct displ_bed *bed, const struct keys *keys)
{
	struct displ_pv_conf conf = {
		.policy = &bed->policy,
		.displ_policy = &bed->displ_policy,
		.displ = &bed->displ,
		.keys = *keys,
		.owner = bed,
		.broken = broken,
		.detached = left,
	};

	for (uint32_t i = 0; i < bed->displ_policy.heads; i++)
		conf.edid[i] = (struct displ_edid){bed->edid, sizeof(bed->edid)};
	return displ_pv_init(&bed->pv, &conf);
}

static void pv_fini(struct displ_bed *bed)
{
	displ_pv_fini(&bed->pv);
}

static int pv_offer(struct displ_bed *bed)
{
	return displ_pv_offer(&bed->pv);
}

static int pv_connect(struct displ_bed *bed, bool attach, uint64_t now)
{
	return displ_pv_connect(&bed->pv, attach, now);
}

static void pv_detach(struct displ_bed *bed)
{
	displ_pv_detach(&bed->pv);
}

static int pv_turn(struct displ_bed *bed, uint64_t now)
{
	return displ_pv_turn(&bed->pv, now);
}

static uint64_t pv_due(const struct displ_bed *bed)
{
	return displ_pv_due(&bed->pv);
}

static bool pv_arm(struct displ_bed *bed)
{
	return displ_pv_arm(&bed->pv);
}

static void pv_landed(struct displ_bed *bed, uint32_t head, uint64_t now)
{
	displ_pv_landed(&bed->pv, head, now);
}

static bool pv_is_down(const struct displ_bed *bed)
{
	return bed->pv.state == DISPL_PV_DOWN;
}

static bool pv_takes(const struct displ_bed *bed)
{
	return bed->pv.state == DISPL_PV_UP;
}

static void pv_died(struct displ_bed *bed)
{
	bed->pv.error = -EIO;
}

static void front_connect(struct displ_bed *bed)
{
	displ_front_connect(&bed->front);
}

static bool front_ready(struct displ_bed *bed)
{
	displ_front_key(&bed->front, "state", "4");
	return true;
}

static bool front_disconnect(struct displ_bed *bed)
{
	return displ_front_disconnect(&bed->front);
}

const struct displ_bed_door displ_bed_pv = {
	.init = pv_init,
	.fini = pv_fini,
	.offer = pv_offer,
	.connect = pv_connect,
	.detach = pv_detach,
	.turn = pv_turn,
	.due = pv_due,
	.arm = pv_arm,
	.is_down = pv_is_down,
	.takes = pv_takes,
	.landed = pv_landed,
	.died = pv_died,
	.front_connect = front_connect,
	.front_ready = front_ready,
	.front_disconnect = front_disconnect,
};

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

uint64_t displ_bed_event(struct displ_bed *bed, uint32_t head)
{
	struct xendispl_evt event;

	if (!pv_pair_event(&bed->front.head[head], &event))
		return 0;
	assert(event.type == XENDISPL_EVT_PG_FLIP);
	return event.op.pg_flip.fb_cookie;
}
