/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the PV door of a display over loopxen, driven by a client that does
 * anything at any time, and by a card that fails.
 *
 * The first byte picks a bed; then each byte is a step (steps[]) and takes the bytes it
 * needs. Whatever the client did:
 *  1. counts fit together, the policy's and the rings' bounds hold;
 *  2. a buffer that there is has its pages mapped, and one that there is not has none;
 * a frame buffer lies in its buffer;
 *  3. only what failed around the door ends its process;
 *  4. a door that is down has nothing mapped and nothing bound, and is dark;
 *  5. nothing is painted on what is shown (displ-bed.c), and the next client is served.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "tests/device/displ-bed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BUFFERS	    3 /* of the client */
#define BYTES	    (64u * 64 * 4)
#define FOURCC_XR24 0x34325258u

static const struct displ_bed_conf confs[] = {
	{.heads = 1},
	{.heads = 2, .buffers = 2, .both = true},
	{.heads = 1, .data_pages = 6, .formats = 1 << DISPL_RGB565},
	{.heads = 4,
	 .both = true,
	 .operations = {200, 20},
	 .bytes = {200000, 20000},
	 .flips = {20, 2}},
};

#define CONFS (sizeof(confs) / sizeof(confs[0]))

static struct {
	struct displ_bed bed;
	const uint8_t *at, *end;
	bool quiet; /* nothing failed around the door */
	bool shut;  /* its device was closed, for what the client did */
} run;

static uint8_t byte(void)
{
	return run.at < run.end ? *run.at++ : 0;
}

static uint32_t word(void)
{
	uint32_t v = byte();

	for (unsigned i = 1; i < 4; i++)
		v |= (uint32_t)byte() << 8 * i;
	return v;
}

static struct pv_pair *pair(void)
{
	return &run.bed.front.head[byte() % run.bed.displ_policy.heads];
}

/* -- What must hold -------------------------------------------------------- */

static uint32_t check_buffer(const struct displ_pv *pv, uint32_t i)
{
	const struct displ_pv_buffer *b = &pv->buffer[i];
	uint32_t pages = 0;

	assert(!b->cookie == !b->maps);
	for (uint32_t m = 0; m < b->maps; m++)
		pages += b->map[m].pages;
	if (b->cookie) {
		assert((uint64_t)pages * 4096 >= b->made.bytes);
		assert(b->made.offset + (uint64_t)b->stride * b->made.size.height <=
		       b->made.bytes);
	}
	return pages;
}

static void check_frame(const struct displ_pv *pv, uint32_t i)
{
	const struct displ_pv_frame *f = &pv->frame[i];

	if (!f->cookie)
		return;
	assert(f->buffer < pv->buffers && pv->buffer[f->buffer].cookie);
	assert(f->size.height <= pv->buffer[f->buffer].made.size.height);
	assert((uint64_t)f->size.width * displ_format_info(f->format)->bytes <=
	       pv->buffer[f->buffer].stride);
}

static void check_head(const struct displ_pv_head *head)
{
	assert(head->channel.ring.req_cons - head->channel.ring.rsp_prod <=
	       head->channel.ring.entries);
	assert(head->channel.events.prod - head->channel.events.pushed <= 1);
	assert(head->flipping ||
	       head->channel.events.prod == head->channel.events.pushed ||
	       head->pv->why);
}

static void check(void)
{
	const struct displ_pv *pv = &run.bed.pv;
	uint32_t pages = 0;

	assert(pv->stats.answers <= pv->stats.requests);
	assert(run.bed.broken <= 1);
	run.shut = run.shut || run.bed.broken;
	if (pv->state == DISPL_PV_DOWN) {
		assert(!loopxen_back_holds(run.bed.back));
		for (uint32_t i = 0; i < run.bed.displ.heads; i++)
			assert(!run.bed.displ.head[i].lit);
		run.shut = true;
		return;
	}
	for (uint32_t i = 0; i < pv->heads && pv->state == DISPL_PV_UP; i++) {
		if (pv->head[i].channel.open)
			check_head(&pv->head[i]);
	}
	for (uint32_t i = 0; i < pv->buffers; i++)
		pages += check_buffer(pv, i);
	for (uint32_t i = 0; i < pv->frames; i++)
		check_frame(pv, i);
	assert(loopxen_back_pages(run.bed.back) == pages);
	assert(pages <= run.bed.policy.data_pages);
}

/* Invariant 3. */
static void settle(int r)
{
	while (r < 0) {
		assert(!run.quiet);
		displ_bed_kill(&run.bed);
		r = displ_bed_follow(&run.bed);
	}
	run.shut = run.shut || r > 0;
}

/* -- Steps ----------------------------------------------------------------- */

static uint32_t pick(const uint32_t *list, unsigned n)
{
	uint8_t i = byte();

	return i < n ? list[i] : word();
}

static void ask_create(struct xendispl_dbuf_create_req *create)
{
	static const uint32_t sides[] = {64, 32, 1, 128, 0};
	static const uint32_t bits[] = {32, 16, 24, 0};
	static const uint32_t bytes[] = {BYTES, BYTES / 2, 4096, BYTES + 4096};
	static const uint32_t offsets[] = {0, 0, 100, 4096};
	const struct displ_front_buffer *b = &run.bed.front.buffer[byte() % BUFFERS];

	create->dbuf_cookie = byte() % 4;
	create->width = pick(sides, 5);
	create->height = pick(sides, 5);
	create->bpp = pick(bits, 4);
	create->buffer_sz = pick(bytes, 4);
	create->data_ofs = pick(offsets, 4);
	create->flags = byte() & 1 ? byte() : 0;
	create->gref_directory = byte() & 1 ? word() : b->list_ref[0].v;
}

static void ask_attach(struct xendispl_fb_attach_req *attach)
{
	static const uint32_t sides[] = {64, 32, 1, 128, 0};

	attach->dbuf_cookie = byte() % 4;
	attach->fb_cookie = byte() % 4;
	attach->width = pick(sides, 5);
	attach->height = pick(sides, 5);
	attach->pixel_format =
		byte() & 1 ? displ_format_info(byte() % DISPL_FORMATS)->fourcc
			   : FOURCC_XR24;
}

static void ask_config(struct xendispl_set_config_req *config)
{
	static const uint32_t sides[] = {64, 32, 1, 0};
	static const uint32_t bits[] = {32, 16, 24};

	config->fb_cookie = byte() % 4;
	config->width = pick(sides, 4);
	config->height = pick(sides, 4);
	config->x = byte() & 1 ? pick(sides, 4) : 0;
	config->y = byte() & 1 ? pick(sides, 4) : 0;
	config->bpp = pick(bits, 3);
}

/* A request that is one; the front end's ring has room for it. */
static void ask(void)
{
	struct pv_pair *p = pair();
	struct xendispl_req req = {.id = p->id++, .operation = 0x10 + byte() % 8};
	struct xendispl_resp rsp;

	/* What was scribbled there may say that there are very many. */
	for (unsigned i = 0; i < 64 && pv_pair_answer(p, &rsp); i++)
		;
	if (p->req_prod - p->rsp_cons >= 32)
		return;
	if (req.operation == XENDISPL_OP_DBUF_CREATE) {
		ask_create(&req.op.dbuf_create);
	} else if (req.operation == XENDISPL_OP_FB_ATTACH) {
		ask_attach(&req.op.fb_attach);
	} else if (req.operation == XENDISPL_OP_SET_CONFIG) {
		ask_config(&req.op.set_config);
	} else if (req.operation == XENDISPL_OP_GET_EDID) {
		req.op.get_edid.buffer_sz = byte() & 1 ? word() : 256;
		req.op.get_edid.gref_directory =
			run.bed.front.buffer[byte() % BUFFERS].list_ref[0].v;
	} else {
		req.op.pg_flip.fb_cookie = byte() % 4;
	}
	pv_pair_send(p, &req);
	settle(displ_bed_run(&run.bed));
}

static void pass(void)
{
	settle(displ_bed_pass(&run.bed, (byte() + 1) * CLOCK_MS / 2));
}

static void late(void)
{
	loopxen_advance(run.bed.x, byte() * CLOCK_MS);
}

/* Bytes of a page that is shared, and an event. */
static void scribble(void)
{
	struct pv_pair *p = pair();
	const struct displ_front_buffer *b = &run.bed.front.buffer[byte() % BUFFERS];
	uint8_t which = byte() % 4;
	uint8_t *page = which == 0   ? p->ring
			: which == 1 ? p->events
			: which == 2 ? (uint8_t *)b->list[0]
				     : b->bytes;
	uint32_t at = word() % 4096, value = word();

	if (byte() & 1)
		at %= 64;
	at &= ~3u;
	memcpy(page + at, &value, 4);
	loopxen_notify(run.bed.x, run.bed.dev.front, p->port);
	settle(displ_bed_run(&run.bed));
}

static void listen(void)
{
	uint32_t *in = pv_pair_indices(pair());

	in[0] = in[1];
}

static void card_fails(void)
{
	uint8_t how = byte();

	if (how & 1)
		run.bed.scan.fail_show = -EINVAL;
	if (how & 2)
		run.bed.scan.fail_look = -EIO;
}

static void dies(void)
{
	displ_bed_kill(&run.bed);
	settle(displ_bed_follow(&run.bed));
}

static void call_fails(void)
{
	static const struct {
		enum loopxen_verb verb;
		int result;
		bool around; /* it is not the client's doing */
	} faults[] = {
		{LOOPXEN_MAP, GRANTS_BAD, false}, {LOOPXEN_MAP, GRANTS_BUSY, false},
		{LOOPXEN_MAP, -EIO, true},	  {LOOPXEN_NOTIFY, -EIO, true},
		{LOOPXEN_WRITE, -EAGAIN, false},  {LOOPXEN_WRITE, -EIO, true},
		{LOOPXEN_UNMAP, -EIO, true},
	};
	uint8_t i = byte() % (sizeof(faults) / sizeof(faults[0]));

	loopxen_fail(run.bed.x, faults[i].verb, byte() % 3, faults[i].result);
	run.quiet = run.quiet && !faults[i].around;
}

static void limits(void)
{
	run.bed.policy.operations.per_second = 1 + byte() * 100u;
	run.bed.policy.bytes.per_second = 1 + byte() * 100000u;
	displ_pv_limits(&run.bed.pv, loopxen_now(run.bed.x));
	settle(displ_bed_run(&run.bed));
}

/* What most clients do first, at once. */
static void show(void)
{
	struct pv_pair *p = &run.bed.front.head[0];
	struct xendispl_req req[3] = {
		{.operation = XENDISPL_OP_DBUF_CREATE},
		{.operation = XENDISPL_OP_FB_ATTACH},
		{.operation = XENDISPL_OP_SET_CONFIG},
	};
	struct xendispl_resp rsp;

	for (unsigned i = 0; i < 64 && pv_pair_answer(p, &rsp); i++)
		;
	if (p->req_prod - p->rsp_cons >= 29)
		return;
	req[0].op.dbuf_create.dbuf_cookie = 1;
	req[0].op.dbuf_create.width = req[0].op.dbuf_create.height = 64;
	req[0].op.dbuf_create.bpp = 32;
	req[0].op.dbuf_create.buffer_sz = BYTES;
	req[0].op.dbuf_create.gref_directory = run.bed.front.buffer[0].list_ref[0].v;
	req[1].op.fb_attach.dbuf_cookie = req[1].op.fb_attach.fb_cookie = 1;
	req[1].op.fb_attach.width = req[1].op.fb_attach.height = 64;
	req[1].op.fb_attach.pixel_format = FOURCC_XR24;
	req[2].op.set_config.fb_cookie = 1;
	req[2].op.set_config.width = req[2].op.set_config.height = 64;
	req[2].op.set_config.bpp = 32;
	for (unsigned i = 0; i < 3; i++)
		pv_pair_send(p, &req[i]);
	settle(displ_bed_run(&run.bed));
}

static void (*const steps[])(void) = {
	ask,	  ask,	  ask,	      ask,  pass,	pass,	late,
	scribble, listen, card_fails, dies, call_fails, limits, show,
};

/* -- A run ----------------------------------------------------------------- */

static void begin(uint8_t which)
{
	memset(&run.quiet, 0, sizeof(run) - offsetof(typeof(run), quiet));
	run.quiet = true;
	displ_bed_up(&run.bed, &confs[which % CONFS]);
	for (uint32_t i = 0; i < BUFFERS; i++)
		displ_front_buffer(&run.bed.front, i, BYTES, i == 1);
}

/* Invariants 4 and 5. */
static void end(void)
{
	loopxen_fail(run.bed.x, LOOPXEN_MAP, 1000000, 0);
	loopxen_fail(run.bed.x, LOOPXEN_UNMAP, 1000000, 0);
	loopxen_fail(run.bed.x, LOOPXEN_NOTIFY, 1000000, 0);
	loopxen_fail(run.bed.x, LOOPXEN_WRITE, 1000000, 0);
	run.bed.scan.fail_show = run.bed.scan.fail_look = 0;
	run.bed.policy.operations = run.bed.policy.bytes =
		(struct policy_rate){1u << 30, 1u << 30};
	if (run.bed.pv.state != DISPL_PV_DOWN) {
		displ_pv_limits(&run.bed.pv, loopxen_now(run.bed.x));
		displ_pv_detach(&run.bed.pv);
		settle(displ_bed_pass(&run.bed, 3 * CLOCK_SECOND));
	}
	assert(run.bed.pv.state == DISPL_PV_DOWN);
	check();
	assert(displ_front_disconnect(&run.bed.front));
	run.bed.broken = 0;
	settle(displ_bed_connect(&run.bed));
	if (run.bed.conf.data_pages != 6)
		displ_bed_show(&run.bed);
	assert(!displ_bed_down(&run.bed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run.at = data;
	run.end = data + size;
	begin(byte());
	while (run.at < run.end && !run.shut) {
		steps[byte() % (sizeof(steps) / sizeof(steps[0]))]();
		check();
	}
	end();
	return 0;
}
