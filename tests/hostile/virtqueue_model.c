/* SPDX-License-Identifier: MIT */
/*
 * T-VQ-8: the device's queue beside a model of it, which is a second reading of virtio
 * 1.3, 2.7, and shares neither a line nor a way of working: the model follows a chain
 * first and judges the list afterwards, keeps its heads in a list, and counts without
 * a wrap. A driver that is mostly sound and often not; the same verdict, the same
 * chain, the same used ring and the same notifications, call by call.
 *
 * XDD_SEED picks the draw; what fails names it and its step.
 */
#include "tests/unit/virtqueue_scene.h"

#define STEPS  400
#define ROUNDS 20000

/* -- The draw ----------------------------------------------------------------- */

static uint64_t seed, began;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % below);
}

/* -- The model ---------------------------------------------------------------- */

static struct {
	unsigned size;
	bool event_idx, indirect;
	bool dead, first;
	uint64_t taken, seen, done, told; /* told: published as used */
	struct {
		uint16_t head;
		bool put;
	} held[VIRTQUEUE_SIZE_MAX]; /* taken and not told */
	unsigned nheld;
	uint8_t used[6 + 8 * VIRTQUEUE_SIZE_MAX]; /* what the area has to hold */
} m;

static unsigned le(const uint8_t *at)
{
	return at[0] | (unsigned)at[1] << 8;
}

static void le_set(uint8_t *at, uint32_t v, unsigned bytes)
{
	for (; bytes--; v >>= 8)
		*at++ = (uint8_t)v;
}

static void model_begin(uint16_t start, bool attached)
{
	m.size = s.front.size;
	m.event_idx = s.conf.event_idx;
	m.indirect = s.conf.table;
	m.dead = false;
	m.first = attached;
	m.taken = m.seen = m.done = m.told = start;
	m.nheld = 0;
	if (!attached)
		le_set(m.used + 2, 0, 2);
	le_set(m.used, 0, 2);
}

/* How far the driver's index is ahead of what was taken; -1: where it cannot be. */
static int model_ahead(void)
{
	int idx = (int)le(s.area[1].at + 2), from_told;

	from_told = (idx - (int)(m.told % 65536) + 65536) % 65536;
	if (from_told > (int)m.size || from_told < (int)(m.taken - m.told))
		return -1;
	return from_told - (int)(m.taken - m.told);
}

static enum virtqueue_status model_look(void)
{
	int ahead = model_ahead();

	if (ahead < 0) {
		m.dead = true;
		return VIRTQUEUE_BROKEN;
	}
	m.seen = m.taken + (unsigned)ahead;
	return ahead ? VIRTQUEUE_OK : VIRTQUEUE_EMPTY;
}

struct link {
	uint64_t addr, len;
	unsigned flags, next;
	bool in_table, outside; /* outside: its place is not in its table */
};

static struct link link_at(const uint8_t *table, unsigned entries, unsigned i, bool in)
{
	struct link l = {.in_table = in, .outside = i >= entries};

	if (l.outside)
		return l;
	memcpy(&l.addr, table + 16 * i, 8);
	for (unsigned b = 0; b < 4; b++)
		l.len += (uint64_t)table[16 * i + 8 + b] << 8 * b;
	l.flags = le(table + 16 * i + 12);
	l.next = le(table + 16 * i + 14);
	return l;
}

/* All links of a chain, as far as a reader without any judgement gets. */
static unsigned follow(unsigned head, struct link *l, unsigned max)
{
	const uint8_t *table = s.area[0].at;
	unsigned entries = m.size, n = 0, i = head;
	bool in = false;

	while (n < max) {
		l[n] = link_at(table, entries, i, in);
		if (l[n].outside)
			return n + 1;
		if (l[n].flags & VIRTQ_DESC_F_INDIRECT && !in) {
			uint64_t off = l[n].addr - DRIVER_POOL_BASE;

			if (l[n].addr < DRIVER_POOL_BASE ||
			    off + l[n].len > POOL_BYTES || l[n].len > POOL_BYTES)
				return n + 1;
			table = s.memory + off;
			entries = (unsigned)(l[n].len / 16);
			in = true;
			i = 0;
		} else if (!(l[n].flags & VIRTQ_DESC_F_NEXT)) {
			return n + 1;
		} else {
			i = l[n].next;
		}
		n++;
	}
	return n;
}

static bool bad_table(const struct link *l)
{
	uint64_t end = l->addr + l->len;

	return !m.indirect || l->in_table || l->flags & VIRTQ_DESC_F_NEXT || !l->len ||
	       l->len % 16 || l->len > 16 * m.size || l->addr < DRIVER_POOL_BASE ||
	       end < l->addr || end > DRIVER_POOL_BASE + POOL_BYTES;
}

/* The rules, one after the other, over the list. */
static bool model_chain(unsigned head, struct virtqueue_chain *out)
{
	static struct link l[VIRTQUEUE_SIZE_MAX + 3];
	unsigned n = follow(head, l, m.size + 2), buffers = 0, writable = 0;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		bool write = l[i].flags & VIRTQ_DESC_F_WRITE;

		if (l[i].outside)
			return false;
		if (l[i].flags & VIRTQ_DESC_F_INDIRECT) {
			if (bad_table(&l[i]))
				return false;
			continue;
		}
		if (!l[i].len || (writable && !write) || buffers == m.size)
			return false;
		writable += write;
		bytes += l[i].len;
		out->buffer[buffers].addr = l[i].addr;
		out->buffer[buffers++].len = (uint32_t)l[i].len;
	}
	out->head = (uint16_t)head;
	out->writable = (uint16_t)writable;
	out->readable = (uint16_t)(buffers - writable);
	return bytes <= 0x100000000;
}

static enum virtqueue_status model_take(struct virtqueue_chain *out)
{
	unsigned head;

	if (m.dead)
		return VIRTQUEUE_BROKEN;
	if (m.taken == m.seen) {
		enum virtqueue_status status = model_look();

		if (status != VIRTQUEUE_OK)
			return status;
	}
	if (!m.event_idx)
		le_set(m.used, 1, 2);
	head = le(s.area[1].at + 4 + 2 * (m.taken % m.size));
	m.dead = head >= m.size;
	for (unsigned i = 0; i < m.nheld; i++)
		m.dead |= m.held[i].head == head;
	m.dead = m.dead || !model_chain(head, out);
	if (m.dead)
		return VIRTQUEUE_BROKEN;
	m.held[m.nheld].head = (uint16_t)head;
	m.held[m.nheld++].put = false;
	m.taken++;
	return VIRTQUEUE_OK;
}

static void model_put(uint16_t head, uint32_t written)
{
	for (unsigned i = 0; i < m.nheld; i++)
		m.held[i].put |= m.held[i].head == head;
	if (!m.dead) {
		le_set(m.used + 4 + 8 * (m.done % m.size), head, 4);
		le_set(m.used + 8 + 8 * (m.done % m.size), written, 4);
	}
	m.done++;
}

static bool model_push(void)
{
	bool notify = m.first;
	unsigned kept = 0;

	if (m.dead || m.done == m.told)
		return false;
	for (unsigned i = 0; i < m.nheld; i++) {
		if (!m.held[i].put)
			m.held[kept++] = m.held[i];
	}
	m.nheld = kept;
	if (!m.event_idx)
		notify |= !(s.area[1].at[0] & 1);
	for (; m.told < m.done; m.told++) {
		if (m.event_idx && m.told % 65536 == le(s.area[1].at + 4 + 2 * m.size))
			notify = true;
	}
	le_set(m.used + 2, (uint32_t)(m.told % 65536), 2);
	m.first = false;
	return notify;
}

static bool model_arm(void)
{
	if (m.dead)
		return false;
	if (m.taken != m.seen)
		return true;
	if (m.event_idx)
		le_set(m.used + 4 + 8 * m.size, (uint32_t)(m.taken % 65536), 2);
	else
		le_set(m.used, 0, 2);
	return model_look() != VIRTQUEUE_EMPTY;
}

static bool model_pending(void)
{
	return !m.dead && (m.taken != m.seen || model_ahead());
}

/* -- The driver --------------------------------------------------------------- */

static uint64_t cookie;

static void driver_adds(void)
{
	unsigned n = 1 + draw(draw(4) ? 5 : m.size), r = draw(n + 1);

	scene_add(r, n - r, m.indirect ? draw(n + 1) : n, cookie++);
	if (draw(2))
		driver_queue_publish(&s.front);
}

static void driver_gets(void)
{
	struct driver_done done;

	for (unsigned i = draw(8); i; i--)
		driver_queue_get(&s.front, &done);
}

static uint32_t odd_value(void)
{
	static const uint32_t odd[] = {0,      1,      2,	   3,	     4,
				       5,      15,     16,	   17,	     0x7fff,
				       0xffff, 0x8000, UINT32_MAX, 1u << 31, 32};

	return draw(3)	 ? odd[draw(COUNT(odd))]
	       : draw(2) ? draw(m.size + 2)
			 : draw(65536);
}

/* One field is something else, of a descriptor, a table, a ring or an index. */
static void driver_mutates(void)
{
	unsigned i = draw(m.size);
	uint8_t *d = s.area[0].at + 16 * i, *used_event;

	used_event = s.area[1].at + 4 + 2 * m.size;
	switch (draw(8)) {
	case 0:
		le_set(d + 8, odd_value(), 4);
		break;
	case 1:
		le_set(d + 12, draw(8), 2);
		break;
	case 2:
		le_set(d + 14, odd_value(), 2);
		break;
	case 3: /* any place of its pool */
		s.memory[draw(draw(2) ? 4096 : POOL_BYTES)] = (uint8_t)odd_value();
		break;
	case 4:
		le_set(s.area[1].at + 4 + 2 * i, odd_value(), 2);
		break;
	case 5:
		if (!draw(4))
			driver_queue_raw_idx(&s.front,
					     (uint16_t)(m.taken + draw(60) - 20));
		break;
	case 6:
		le_set(used_event, (uint32_t)m.told + draw(6) - 2, 2);
		le_set(s.area[1].at, odd_value(), 2);
		break;
	case 7:
		s.area[1].at[draw(s.area[1].bytes)] ^= (uint8_t)(1 << draw(8));
		break;
	}
}

/* -- Beside each other -------------------------------------------------------- */

static uint64_t takes, breaks, pushes;

static void same(bool holds, const char *what, unsigned step)
{
	if (!holds)
		fail_msg("%s: seed %" PRIu64 ", step %u", what, began, step);
}

static void step_take(unsigned step)
{
	static struct virtqueue_chain want;
	bool was = m.dead;
	enum virtqueue_status status = model_take(&want);
	unsigned n = (unsigned)want.readable + want.writable;

	same(virtqueue_take(&s.vq, &s.chain) == status, "verdict", step);
	breaks += !was && m.dead;
	if (status != VIRTQUEUE_OK)
		return;
	takes++;
	same(s.chain.head == want.head && s.chain.readable == want.readable &&
		     s.chain.writable == want.writable,
	     "chain", step);
	for (unsigned i = 0; i < n; i++)
		same(s.chain.buffer[i].addr == want.buffer[i].addr &&
			     s.chain.buffer[i].len == want.buffer[i].len,
		     "buffer", step);
}

/* One of those that are with the device; mostly the oldest. */
static void step_put(void)
{
	unsigned with[VIRTQUEUE_SIZE_MAX], n = 0;
	uint32_t written = draw(100000);
	uint16_t head;

	for (unsigned i = 0; i < m.nheld; i++) {
		if (!m.held[i].put)
			with[n++] = i;
	}
	if (!n)
		return;
	head = m.held[with[draw(3) ? 0 : draw(n)]].head;
	model_put(head, written);
	virtqueue_put(&s.vq, head, written);
}

/* Another process goes on where the used index stands. */
static void step_attach(unsigned step)
{
	enum virtqueue_status want;

	model_begin((uint16_t)m.told, true);
	want = model_look() == VIRTQUEUE_BROKEN ? VIRTQUEUE_BROKEN : VIRTQUEUE_OK;
	same(virtqueue_init(&s.vq, &s.conf, true) == want, "attach", step);
}

static void step_once(unsigned step)
{
	unsigned what = draw(100);

	if (what < 25)
		driver_adds();
	else if (what < 30)
		driver_queue_publish(&s.front);
	else if (what < 35)
		driver_gets();
	else if (what < 37)
		driver_mutates();
	else if (what < 60)
		step_take(step);
	else if (what < 80)
		step_put();
	else if (what < 90)
		same(model_push() == virtqueue_push(&s.vq), "notify", step), pushes++;
	else if (what < 95)
		same(model_arm() == virtqueue_arm(&s.vq), "arm", step);
	else if (what < 99)
		same(model_pending() == virtqueue_pending(&s.vq), "pending", step);
	else if (!m.dead)
		step_attach(step);
	same(!s.vq.why == !m.dead, "broken", step);
	same(virtqueue_out(&s.vq) == (uint32_t)(m.taken - m.done), "out", step);
	same(!memcmp(s.area[2].at, m.used, s.area[2].bytes), "used area", step);
}

static void one_round(uint64_t round)
{
	seed = began = began + round * 2654435761u + 1;
	for (unsigned i = 0; i < 8; i++)
		draw(2);
	scene_begin((uint16_t)(2u << draw(draw(4) ? 4 : 8)), draw(2));
	memset(m.used, 0, sizeof(m.used));
	if (!draw(3)) {
		s.conf.table = NULL;
		virtqueue_init(&s.vq, &s.conf, false);
	}
	model_begin(0, false);
	if (draw(2)) { /* near the wrap */
		uint16_t start = (uint16_t)(65536 - draw(100));

		driver_queue_start_at(&s.front, start);
		memcpy(m.used, s.area[2].at, s.area[2].bytes);
		m.told = start;
		step_attach(0);
	}
	for (unsigned step = 1; step <= STEPS; step++)
		step_once(step);
}

static void t_vq_8_queue_and_model_agree(void **state)
{
	const char *given = getenv("XDD_SEED");

	(void)state;
	takes = breaks = pushes = 0;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		began = given ? strtoull(given, NULL, 10) : 1;
		one_round(round);
	}
	assert_true(takes > 10u * ROUNDS && pushes > 10u * ROUNDS);
	assert_true(breaks > ROUNDS / 10);
	tally("T-VQ-8", takes, "chains as a model has them");
	tally("T-VQ-8", breaks, "of the queues broken");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(t_vq_8_queue_and_model_agree, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
