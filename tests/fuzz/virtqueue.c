/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the device's half of a virtqueue, over a driver's memory that is any
 * bytes, and others while it is read.
 *
 * Three bytes pick the queue (size and features, where its indices begin); then each
 * byte is a step (steps[]) and takes the bytes it needs. Areas, and each table that is
 * asked for, are blocks of the heap that end where they end. Whatever is in them:
 *  1. a chain is 1 to as many buffers as the queue has entries, of a byte or more and
 *     2^32 in all, and its head is one that is not out;
 *  2. no call reads more often than a chain of that length needs;
 *  3. what is put is written, where it belongs, and published by the push alone;
 *  4. what is broken says why, and gives and publishes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "backends/door/virtqueue.h"
#include "tests/hook/shared-hook.h"

#define TABLES_BASE  0x100000000ull
#define TABLES_BYTES 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	const uint8_t *at, *end; /* what is left of the input */
	uint16_t size;
	uint8_t *area[3];
	uint32_t bytes[3];
	struct virtqueue_conf conf;
	struct virtqueue vq;
	bool out[VIRTQUEUE_SIZE_MAX], put[VIRTQUEUE_SIZE_MAX];
	uint16_t order[VIRTQUEUE_SIZE_MAX]; /* of those that are with the device */
	unsigned with;
	uint16_t used, pushed;
} run;

static uint8_t tables[TABLES_BYTES]; /* the driver's, to be copied from */
static uint8_t *table;		     /* as it was asked for last */

/* What the read number @left sees, or what a second look would. */
static struct {
	bool set, after, flip;
	uint8_t left, with;
} rewrite;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static uint8_t byte(void)
{
	return run.at < run.end ? *run.at++ : 0;
}

static uint16_t word(void)
{
	uint8_t low = byte();

	return (uint16_t)(byte() << 8 | low);
}

/* Small numbers, and the odd ones about the limits. */
static uint32_t number(void)
{
	static const uint32_t odd[] = {0,	   0x7fff,	   0x8000,
				       0xffff,	   0x10000,	   1u << 31,
				       UINT32_MAX, UINT32_MAX - 1, 0xffffff00,
				       0x7fffffff, 4096,	   65535 * 16};
	uint8_t b = byte();

	return b < 244 ? b : odd[b - 244];
}

/* -- The hook ----------------------------------------------------------------- */

static void rewrite_now(const volatile void *p, size_t len)
{
	uint8_t *at = (uint8_t *)(uintptr_t)p;

	rewrite.set = false;
	if (rewrite.flip)
		at[rewrite.with % len] ^= rewrite.with;
	else
		memset(at, rewrite.with, len);
}

static void before_read(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (rewrite.set && !rewrite.after && !rewrite.left--)
		rewrite_now(p, len);
}

static void after_read(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (rewrite.set && rewrite.after && !rewrite.left--)
		rewrite_now(p, len);
}

/* -- The device --------------------------------------------------------------- */

static const void *find_table(void *owner, uint64_t addr, uint32_t len)
{
	uint64_t at = addr - TABLES_BASE;

	must(owner == &run && len && len % 16 == 0 && len <= 16u * run.size);
	if (addr < TABLES_BASE || at > TABLES_BYTES || len > TABLES_BYTES - at)
		return NULL;
	free(table);
	table = malloc(len);
	must(table);
	memcpy(table, tables + at, len);
	return table;
}

static uint16_t used16(uint32_t at)
{
	return (uint16_t)(run.area[2][at] | run.area[2][at + 1] << 8);
}

static void check_chain(const struct virtqueue_chain *chain)
{
	uint32_t n = (uint32_t)chain->readable + chain->writable;
	uint64_t bytes = 0;

	must(chain->head < run.size && !run.out[chain->head]);
	must(n >= 1 && n <= run.size);
	for (uint32_t i = 0; i < n; i++) {
		must(chain->buffer[i].len);
		bytes += chain->buffer[i].len;
	}
	must(bytes <= 1ull << 32);
}

static void step_take(void)
{
	static struct virtqueue_chain chain;
	const char *why = run.vq.why;
	enum virtqueue_status status;

	shared_hook_reads = 0;
	status = virtqueue_take(&run.vq, &chain);
	must(shared_hook_reads <= 2u + run.size + 2);
	must(!why || (status == VIRTQUEUE_BROKEN && run.vq.why == why));
	must((status == VIRTQUEUE_BROKEN) == (run.vq.why != NULL));
	if (status != VIRTQUEUE_OK)
		return;
	check_chain(&chain);
	run.out[chain.head] = true;
	run.order[run.with++] = chain.head;
}

static void step_put(void)
{
	uint32_t i = number(), written = number(), at = 4 + 8u * (run.used % run.size);
	uint16_t head;
	uint8_t was[8];

	if (!run.with)
		return;
	i %= run.with;
	head = run.order[i];
	memmove(run.order + i, run.order + i + 1,
		(run.with - i - 1) * sizeof(run.order[0]));
	run.with--;
	run.put[head] = true;
	memcpy(was, run.area[2] + at, 8);
	virtqueue_put(&run.vq, head, written);
	run.used++;
	if (run.vq.why)
		must(!memcmp(was, run.area[2] + at, 8));
	else
		must(used16(at) == head && !used16(at + 2) &&
		     (used16(at + 4) | (uint32_t)used16(at + 6) << 16) == written);
}

static void step_push(void)
{
	uint16_t was = used16(2);
	bool notify = virtqueue_push(&run.vq);

	if (run.vq.why || run.used == run.pushed) {
		must(!notify && used16(2) == was);
		return;
	}
	must(used16(2) == run.used);
	run.pushed = run.used;
	for (unsigned i = 0; i < run.size; i++) {
		run.out[i] = run.out[i] && !run.put[i];
		run.put[i] = false;
	}
}

static void step_arm(void)
{
	bool sleeps;

	shared_hook_reads = 0;
	sleeps = !virtqueue_arm(&run.vq);
	must(shared_hook_reads <= 1);
	if (sleeps && !run.vq.why && run.conf.event_idx)
		must(used16(4 + 8u * run.size) == (uint16_t)(run.used + run.with));
	if (!run.conf.event_idx && sleeps && !run.vq.why)
		must(!used16(0));
	virtqueue_pending(&run.vq);
}

/* What was taken is lost; whoever comes goes on where the used index stands. */
static void step_attach(void)
{
	memset(run.out, 0, sizeof(run.out));
	memset(run.put, 0, sizeof(run.put));
	run.with = 0;
	virtqueue_init(&run.vq, &run.conf, true);
	run.used = run.pushed = run.vq.used; /* as it read it: it may be other by now */
}

/* -- The driver --------------------------------------------------------------- */

static void poke(uint8_t *at, unsigned n, uint64_t v)
{
	for (; n--; v >>= 8)
		*at++ = (uint8_t)v;
}

static void poke_desc(uint8_t *at)
{
	uint32_t addr = number();

	poke(at, 8, addr < 200 ? TABLES_BASE + 16 * addr : TABLES_BASE - addr);
	poke(at + 8, 4, number());
	poke(at + 12, 2, number());
	poke(at + 14, 2, number());
}

static void step_desc(void)
{
	poke_desc(run.area[0] + 16 * (byte() % run.size));
}

static void step_table(void)
{
	poke_desc(tables + 16 * byte());
}

static void step_avail(void)
{
	uint32_t slot = number() % run.size;

	poke(run.area[1] + 4 + 2 * slot, 2, number());
}

static void step_more(void)
{
	uint16_t idx = (uint16_t)(run.area[1][2] | run.area[1][3] << 8);

	poke(run.area[1] + 2, 2, idx + (uint32_t)(byte() % (run.size + 1)));
}

static void step_index(void)
{
	poke(run.area[1] + 2, 2, word());
}

/* Sound links from a descriptor on: to be the rest of what is not. */
static void step_links(void)
{
	unsigned first = byte() % run.size, n = byte() % run.size, in = byte();
	uint8_t *at = in & 1 ? tables : run.area[0];

	for (unsigned i = first; i <= first + n && i < run.size; i++) {
		bool last = i == first + n || i == run.size - 1u;

		poke(at + 16 * i + 8, 4, i + 1);
		poke(at + 16 * i + 12, 2,
		     (last ? 0u : 1u) | (i - first > in / 2u) << 1);
		poke(at + 16 * i + 14, 2, i + 1);
	}
}

static void step_byte(void)
{
	unsigned a = byte() % 3;
	uint32_t at = word() % run.bytes[a];

	run.area[a][at] = byte();
}

static void step_wish(void)
{
	poke(run.area[1], 2, byte());
	poke(run.area[1] + 4 + 2u * run.size, 2, run.used + (uint32_t)byte() - 2);
}

static void step_rewrite(void)
{
	uint8_t how = byte();

	rewrite.set = true;
	rewrite.after = how & 1;
	rewrite.flip = how & 2;
	rewrite.left = how >> 2;
	rewrite.with = byte();
}

static void (*const steps[])(void) = {
	step_take,  step_put,	step_push,  step_arm,	  step_attach,
	step_desc,  step_table, step_avail, step_more,	  step_index,
	step_links, step_byte,	step_wish,  step_rewrite,
};

static void begin(void)
{
	uint8_t how = byte();
	uint16_t start = word();

	memset(&run.conf, 0, sizeof(run.conf));
	run.size = (uint16_t)(2u << (how & 7));
	run.bytes[0] = 16u * run.size;
	run.bytes[1] = 6 + 2u * run.size;
	run.bytes[2] = 6 + 8u * run.size;
	for (unsigned a = 0; a < 3; a++) {
		must(!posix_memalign((void **)&run.area[a], 16, run.bytes[a]));
		memset(run.area[a], 0, run.bytes[a]);
	}
	run.conf.size = run.size;
	run.conf.desc = run.area[0];
	run.conf.avail = run.area[1];
	run.conf.used = run.area[2];
	run.conf.event_idx = how & 8;
	run.conf.table = how & 16 ? find_table : NULL;
	run.conf.owner = &run;
	memset(tables, 0, sizeof(tables));
	poke(run.area[1] + 2, 2, start);
	poke(run.area[2] + 2, 2, start);
	rewrite.set = false;
	must(virtqueue_init(&run.vq, &run.conf, false) == VIRTQUEUE_OK);
	must(!used16(2));
	poke(run.area[2] + 2, 2, start);
	step_attach();
	must(!run.vq.why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run.at = data;
	run.end = data + size;
	begin();
	shared_hook = before_read;
	shared_hook_after = after_read;
	while (run.at < run.end) {
		steps[byte() % (sizeof(steps) / sizeof(steps[0]))]();
		must(virtqueue_out(&run.vq) == run.with);
		must(run.with <= run.size);
	}
	shared_hook = shared_hook_after = NULL;
	for (unsigned a = 0; a < 3; a++)
		free(run.area[a]);
	free(table);
	table = NULL;
	return 0;
}
