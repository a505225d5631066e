/* SPDX-License-Identifier: MIT */
/*
 * T-RING: bytes that change after they were read, as an enumeration of all
 * reads and of what they change to; indices that cannot be; and what answers
 * give away. With tests/device/blk_ring.c, which rewrites before the read.
 */
#include "tests/hostile/hostile.h"

/* -- T-RING-1 ---------------------------------------------------------------- */

#define PAGES	    20
#define ANSWERS	    16
#define DISK_AT	    0
#define DISK_BYTES  (1024 * 512) /* all that the scenarios aim at */
#define DATA_BYTES  (16 * 4096)	 /* the most that one read takes */
#define REWRITES_OF 4		 /* whole rewrites; the others are of one byte */
#define BYTES_OF    128		 /* of reads so long each byte is tried */

static struct front_buf buf[PAGES], table;

static void ask_write(struct front *f)
{
	front_rw(f, BLKIF_WRITE, 11, 16, buf, 3);
	front_rw(f, BLKIF_WRITE, 12, 64, buf + 3, 11);
}

static void ask_read(struct front *f)
{
	front_rw(f, BLKIF_READ, 21, 16, buf, 11);
	front_rw(f, BLKIF_READ, 22, 900, buf + 12, 2);
}

static void ask_indirect(struct front *f)
{
	front_indirect(f, BLKIF_WRITE, 31, 128, buf, 15, &table);
	front_rw(f, BLKIF_READ, 32, 512, buf + 15, 2);
}

static void ask_flush(struct front *f)
{
	front_rw(f, BLKIF_WRITE, 41, 32, buf, 1);
	front_simple(f, BLKIF_FLUSH, 42, 0, 0);
	front_rw(f, BLKIF_WRITE, 43, 32, buf + 1, 1);
}

static void ask_discard(struct front *f)
{
	front_simple(f, BLKIF_DISCARD, 51, 256, 64);
	front_rw(f, BLKIF_WRITE, 52, 260, buf, 1);
}

static void ask_barrier(struct front *f)
{
	front_rw(f, BLKIF_WRITE, 71, 640, buf, 2);
	front_rw(f, BLKIF_WRITE_BARRIER, 72, 640, buf + 2, 3);
	front_rw(f, BLKIF_WRITE, 73, 648, buf + 6, 1);
}

static void ask_bad(struct front *f)
{
	struct front_buf bad = buf[2], none = buf[2];

	front_rw(f, BLKIF_WRITE, 61, BED_SECTORS, buf, 1);
	front_rw(f, BLKIF_WRITE, 62, 0, buf, 0);
	bad.last = 8;
	front_rw(f, BLKIF_WRITE, 63, 0, &bad, 1);
	none.ref.v = LOOPXEN_REFS + 5;
	front_rw(f, BLKIF_WRITE, 64, 0, &none, 1);
	front_simple(f, BLKIF_DISCARD, 65, 0, 0);
	front_simple(f, 200, 66, 0, 0);
	front_indirect(f, BLKIF_FLUSH, 67, 0, buf, 15, &table);
	front_rw(f, BLKIF_WRITE, 68, 8, buf, 1);
}

static const struct {
	const char *name;
	void (*ask)(struct front *f);
	unsigned answers, good;
} asks[] = {
	{"write", ask_write, 2, 2},	  {"read", ask_read, 2, 2},
	{"indirect", ask_indirect, 2, 2}, {"flush", ask_flush, 3, 3},
	{"discard", ask_discard, 2, 2},	  {"barrier", ask_barrier, 3, 3},
	{"bad", ask_bad, 8, 1},
};

static const struct bed_conf confs[] = {
	{.mode = POLICY_MAP},
	{.mode = POLICY_MAP, .front.persistent = true},
	{.mode = POLICY_COPY},
	{.mode = POLICY_MAP, .front.protocol = "x86_32-abi"},
	{.mode = POLICY_COPY, .front.protocol = "x86_32-abi"},
};

/* What the k-th read saw is rewritten as soon as it was read. Of data that was
 * read the client's page is put right afterwards, so that it compares. */
static uint64_t rewrite_k;
static unsigned rewrite_how;
static size_t rewrite_len;    /* of that read; 0: it was not the client's memory */
static bool rewrite_header;   /* it was of the ring's indices */
static uint64_t rewrite_done; /* how many there were */
static struct {
	uint8_t *at;
	size_t len;
	uint8_t was[DATA_BYTES], is[DATA_BYTES];
} rewritten;

static void rewrite(uint8_t *at, size_t len)
{
	/* Another request that would do, to another sector. */
	static const uint8_t other[] = {BLKIF_WRITE, 1, 0, 0, 0, 0, 0, 0,  77,
					0,	     0, 0, 0, 0, 0, 0, 200};
	static const uint8_t with[] = {0x00, 0xff, 0x80};
	unsigned byte = (rewrite_how - REWRITES_OF) / 2;

	assert_true(len <= DATA_BYTES);
	rewritten.at = at;
	rewritten.len = len;
	memcpy(rewritten.was, at, len);
	if (rewrite_how < COUNT(with))
		memset(at, with[rewrite_how], len);
	else if (rewrite_how < REWRITES_OF)
		memcpy(at, other, len < sizeof(other) ? len : sizeof(other));
	else if (byte < len)
		at[byte] ^= rewrite_how % 2 ? 0xff : 0x01;
	memcpy(rewritten.is, at, len);
}

static void rewrite_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at;

	if (k != rewrite_k)
		return;
	at = loopxen_back_client_view(bed.back, p);
	rewrite_len = at ? len : 0;
	rewrite_header = at && at >= bed.front.ring && at < bed.front.ring + 64;
	if (!at || rewrite_header)
		return;
	rewrite(at, len);
	rewrite_done++;
}

static void rewrite_undo(void)
{
	if (rewritten.len && !memcmp(rewritten.at, rewritten.is, rewritten.len))
		memcpy(rewritten.at, rewritten.was, rewritten.len);
	rewritten.len = 0;
}

struct outcome {
	unsigned answers;
	struct {
		uint64_t id;
		uint8_t operation;
		int16_t status;
	} answer[ANSWERS];
	uint64_t requests, malformed, refused, reads;
	uint32_t pages; /* still mapped */
	uint8_t disk[DISK_BYTES];
	uint8_t client[PAGES][4096];
};

static struct outcome want, got;

static void outcome_take(struct outcome *o, const struct blk_pv_stats *before)
{
	struct front_rsp rsp[ANSWERS];

	o->reads = shared_hook_reads;
	o->answers = hostile_answers(rsp, ANSWERS);
	for (unsigned i = 0; i < o->answers; i++) {
		o->answer[i].id = rsp[i].id;
		o->answer[i].operation = rsp[i].operation;
		o->answer[i].status = rsp[i].status;
	}
	o->requests = bed.pv.stats.requests - before->requests;
	o->malformed = bed.pv.stats.malformed - before->malformed;
	o->refused = bed.pv.stats.refused - before->refused;
	o->pages = loopxen_back_pages(bed.back);
	memcpy(o->disk, bed_disk(&bed, DISK_AT), DISK_BYTES);
	for (unsigned i = 0; i < PAGES; i++)
		memcpy(o->client[i], buf[i].page, 4096);
}

/* The same disk, the same pages, the same requests; what comes of it. */
static void outcome_of(unsigned a, struct outcome *o)
{
	struct blk_pv_stats before = bed.pv.stats;

	memset(bed_disk(&bed, DISK_AT), 0x99, DISK_BYTES);
	for (unsigned i = 0; i < PAGES; i++)
		memset(buf[i].page, (int)i + 1, 4096);
	asks[a].ask(&bed.front);
	front_push(&bed.front);
	shared_hook_reads = 0;
	assert_int_equal(bed_run(&bed), 0);
	rewrite_undo();
	outcome_take(o, &before);
}

static void outcome_same(unsigned a, uint64_t k, unsigned how)
{
	const char *what = NULL;

	if (bed.broken)
		what = bed.why;
	else if (got.answers != want.answers ||
		 memcmp(got.answer, want.answer, sizeof(want.answer)))
		what = "answers";
	else if (got.requests != want.requests || got.malformed != want.malformed ||
		 got.refused != want.refused || got.pages != want.pages)
		what = "counts";
	else if (memcmp(got.disk, want.disk, DISK_BYTES))
		what = "disk";
	else if (memcmp(got.client, want.client, sizeof(want.client)))
		what = "client's pages";
	if (what)
		fail_msg("%s: other %s when read %" PRIu64 " is rewritten, way %u",
			 asks[a].name, what, k, how);
}

/* All ways to rewrite what read @k saw. */
static void rewrites(unsigned a, uint64_t k)
{
	unsigned ways;

	rewrite_k = k;
	rewrite_how = 0;
	do {
		shared_hook_after = rewrite_hook;
		rewrite_len = 0;
		outcome_of(a, &got);
		shared_hook_after = NULL;
		outcome_same(a, k, rewrite_how);
		if (rewrite_header)
			return;
		ways = REWRITES_OF;
		if (rewrite_len <= BYTES_OF)
			ways += 2 * (unsigned)rewrite_len;
	} while (++rewrite_how < ways);
}

/* [utest->req~shared-bytes-are-read-once~1] */
static void t_ring_1_rewrite_after_each_read(void **state)
{
	(void)state;
	rewrite_done = 0;
	for (unsigned c = 0; c < COUNT(confs); c++) {
		struct bed_conf conf = confs[c];

		conf.discard = true;
		hostile_up(conf);
		table = front_buf(&bed.front, false);
		for (unsigned i = 0; i < PAGES; i++)
			buf[i] = front_buf(&bed.front, false);
		for (unsigned a = 0; a < COUNT(asks); a++) {
			unsigned good = 0;

			outcome_of(a, &want);
			outcome_of(a, &want); /* what is kept mapped is mapped now */
			for (unsigned i = 0; i < want.answers; i++)
				good += want.answer[i].status == BLKIF_OKAY;
			assert_int_equal(want.answers, asks[a].answers);
			assert_int_equal(good, asks[a].good);
			assert_true(want.reads > want.answers);
			for (uint64_t k = 0; k < want.reads; k++)
				rewrites(a, k);
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	assert_true(rewrite_done > 1000);
	tally("T-RING-1", rewrite_done, "rewrites after a read");
}

/* The indices are looked at anew by design: once rewritten they mean what they
 * say then. What was answered before stands, or the device is broken. */
static uint32_t index_value;
static bool index_hit;

static void index_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(bed.back, p);

	if (k != rewrite_k || !at || at < bed.front.ring || at >= bed.front.ring + 64)
		return;
	assert_int_equal(len, 4);
	index_hit = true;
	memcpy(at, &index_value, 4);
}

static void index_rewritten(const struct bed_conf *conf, uint32_t value, bool *more)
{
	struct front_rsp rsp[ANSWERS];
	unsigned n;

	hostile_up(*conf);
	for (unsigned i = 0; i < PAGES; i++)
		buf[i] = front_buf(&bed.front, false);
	ask_write(&bed.front);
	front_push(&bed.front);
	index_value = value;
	index_hit = false;
	shared_hook_reads = 0;
	shared_hook_after = index_hook;
	assert_int_equal(bed_run(&bed), 0);
	shared_hook_after = NULL;
	*more = rewrite_k < shared_hook_reads;
	n = hostile_answers(rsp, ANSWERS);
	if (bed.broken)
		assert_non_null(bed.why);
	else if (front_header(&bed.front)[2] <= bed.front.entries) /* no second lap */
		assert_true(n >= 2 && rsp[0].id == 11 && !rsp[0].status &&
			    rsp[1].id == 12 && !rsp[1].status);
	assert_int_equal(bed.blk.busy, 0);
	assert_int_equal(bed_down(&bed), 0);
}

static void t_ring_1_rewrite_each_index(void **state)
{
	static const uint32_t values[] = {
		0,	    1,	       2, 3, 32, 33, 34, 35, 1u << 31, (1u << 31) + 2,
		UINT32_MAX, 0xa5a5a5a5};
	uint64_t done = 0;

	(void)state;
	for (unsigned v = 0; v < COUNT(values); v++) {
		bool more = true;

		for (rewrite_k = 0; more; rewrite_k++) {
			index_rewritten(&confs[v % 2 * 2], values[v], &more);
			done += index_hit;
		}
	}
	assert_true(done >= 3 * COUNT(values));
	tally("T-RING-1", done, "rewrites of an index");
}

/* A successor reads the dead one's answer, its intent: once, too. */
static void t_ring_1_rewrite_at_attach(void **state)
{
	struct front_rsp rsp[ANSWERS];
	uint64_t reads = 1;

	(void)state;
	rewrite_done = 0;
	for (rewrite_how = 0; rewrite_how < REWRITES_OF; rewrite_how++) {
		for (rewrite_k = 0; rewrite_k < reads; rewrite_k++) {
			struct bed_conf conf = {.slow = true};

			hostile_up(conf);
			for (unsigned i = 0; i < PAGES; i++)
				buf[i] = front_buf(&bed.front, false);
			ask_write(&bed.front);
			front_push(&bed.front);
			assert_int_equal(bed_run(&bed), 0);
			bed_kill(&bed);
			bed.conf.slow = false;
			shared_hook_reads = 0;
			shared_hook_after = rewrite_hook;
			hostile_restart(true);
			shared_hook_after = NULL;
			reads = shared_hook_reads;
			assert_int_equal(hostile_answers(rsp, ANSWERS), 2);
			assert_true(rsp[0].id == 11 && !rsp[0].status);
			assert_true(rsp[1].id == 12 && !rsp[1].status);
			assert_int_equal(bed_down(&bed), 0);
		}
	}
	tally("T-RING-1", rewrite_done, "rewrites at an attach");
}

/* -- T-RING-2 ---------------------------------------------------------------- */

/* Connected, with both indices at @start, as after so many requests. */
static void up_at(struct bed_conf conf, uint32_t start)
{
	uint32_t *header;

	hostile_up(conf);
	bed_kill(&bed);
	header = front_header(&bed.front);
	header[0] = header[2] = start;
	header[1] = header[3] = start + 1;
	bed.front.req_prod = bed.front.rsp_cons = start;
	hostile_restart(true);
	for (unsigned i = 0; i < PAGES; i++)
		buf[i] = front_buf(&bed.front, false);
}

static void t_ring_2_wraps_at_2_32(void **state)
{
	struct front_rsp rsp[ANSWERS];
	uint64_t sent = 0, back = 0;

	(void)state;
	for (unsigned order = 0; order <= 4; order++) {
		up_at((struct bed_conf){.front.order = order}, UINT32_MAX - 100);
		for (unsigned round = 0; round < 40; round++) {
			for (unsigned i = 0; i < round % ANSWERS; i++, sent++)
				front_rw(&bed.front, BLKIF_WRITE, sent, 8 * (sent % 64),
					 buf, 1);
			front_push(&bed.front);
			assert_int_equal(bed_run(&bed), 0);
			for (unsigned n = hostile_answers(rsp, ANSWERS), i = 0; i < n;
			     i++)
				assert_true(rsp[i].id == back++ && !rsp[i].status);
			assert_true(back == sent);
		}
		assert_true(bed.pv.queue[0].ring.req_cons < 1000);
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-RING-2", sent, "requests across 2^32");
}

/* One index that cannot be, @busy requests being with the disk: the device is
 * broken, with a reason and with no more than a look; what is out comes home. */
static void jump(uint32_t by, unsigned busy)
{
	uint32_t *header = front_header(&bed.front), was;

	for (unsigned i = 0; i < busy; i++)
		front_rw(&bed.front, BLKIF_WRITE, i, i * 8, &buf[i], 1);
	if (busy) {
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(bed.nwaiting, busy);
	}
	was = header[2];
	header[0] += by;
	shared_hook_reads = 0;
	front_kick(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	assert_true(shared_hook_reads <= 3);
	assert_int_equal(bed.broken, 1);
	assert_non_null(bed.why);
	while (bed.nwaiting)
		bed_complete(&bed, 0);
	for (unsigned i = 0; i < 5; i++) {
		front_kick(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
	}
	assert_int_equal(bed.broken, 1);
	assert_int_equal(bed.detached, 1);
	assert_int_equal(header[2], was); /* nothing is said on a broken ring */
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	hostile_reconnect();
}

/* [utest->req~indices-that-cannot-be~1] */
static void t_ring_2_index_abuse(void **state)
{
	static const uint32_t starts[] = {0, 77, UINT32_MAX - 1};
	uint64_t done = 0;

	(void)state;
	for (unsigned s = 0; s < COUNT(starts); s++) {
		for (unsigned busy = 0; busy < 4; busy += 3) {
			up_at((struct bed_conf){.slow = true}, starts[s]);
			for (uint32_t i = 1; i <= 64; i++, done += 2) {
				jump(32 - busy + i, busy);
				jump(-i, busy);
			}
			for (unsigned bit = 6; bit < 32; bit++, done++)
				jump(1u << bit, busy);
			assert_int_equal(bed_down(&bed), 0);
		}
	}
	tally("T-RING-2", done, "indices that cannot be");
}

/* A client that is always a whole ring ahead: each turn ends all the same. */
static void race_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint32_t *at = (void *)loopxen_back_client_view(bed.back, p);

	(void)k;
	(void)len;
	if (at == front_header(&bed.front))
		*at = bed.pv.queue[0].ring.rsp_prod + bed.front.entries;
}

static void t_ring_2_client_runs_ahead(void **state)
{
	uint64_t turns = 0;

	(void)state;
	for (unsigned order = 0; order <= 4; order++) {
		hostile_up((struct bed_conf){.front.order = order});
		shared_hook = race_hook;
		front_kick(&bed.front);
		for (; turns % 200 < 199; turns++) {
			uint64_t before = bed.pv.stats.requests;

			shared_hook_reads = 0;
			assert_int_equal(bed_turn(&bed), 0);
			assert_true(bed.pv.stats.requests - before <=
				    bed.front.entries);
			assert_true(shared_hook_reads <= 2 * bed.front.entries + 10);
		}
		turns++;
		shared_hook = NULL;
		assert_true(bed.pv.stats.requests > 100);
		assert_int_equal(bed.broken, 0);
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-RING-2", turns, "turns of a client that runs ahead");
}

/* -- T-RING-3 ---------------------------------------------------------------- */

#define RING_BYTES (16 * 4096)

/* What the stack below us holds, a function of ours inherits. */
static __attribute__((noinline)) void poison_stack(uint8_t with)
{
	volatile uint8_t stack[32768];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = with;
}

/* All of the ring after the scenarios, when all that was not published held
 * @poison before, and the stack did too. */
static void published(struct bed_conf conf, uint8_t poison, uint8_t *out)
{
	size_t bytes;

	hostile_up(conf);
	bytes = bed.front.pages * 4096u;
	memset(bed.front.ring + 16, poison, bytes - 16);
	table = front_buf(&bed.front, false);
	for (unsigned i = 0; i < PAGES; i++)
		buf[i] = front_buf(&bed.front, false);
	for (unsigned a = 0; a < COUNT(asks); a++) {
		struct front_rsp rsp[ANSWERS];

		for (unsigned i = 0; i < PAGES; i++)
			memset(buf[i].page, (int)i + 1, 4096);
		asks[a].ask(&bed.front);
		front_push(&bed.front);
		poison_stack(poison);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(hostile_answers(rsp, ANSWERS), asks[a].answers);
	}
	memcpy(out, bed.front.ring, bytes);
	assert_int_equal(bed_down(&bed), 0);
}

/* Two poisons: a byte that was published is the same in both rings, and of an
 * answered slot each byte was published. The ABI's 64 bit entries are 112
 * bytes, x86_32's 108. [utest->req~answers-say-nothing-old~1] */
static void t_ring_3_published_bytes(void **state)
{
	static const char *const abis[] = {NULL, "x86_64-abi", "x86_32-abi", "arm-abi"};
	static uint8_t a5[RING_BYTES], c3[RING_BYTES];
	uint64_t bytes = 0;
	unsigned answers = 0;

	(void)state;
	for (unsigned a = 0; a < COUNT(asks); a++)
		answers += asks[a].answers;
	for (unsigned c = 0; c < 12; c++) {
		struct bed_conf conf = {
			.mode = c / 4 == 2 ? POLICY_COPY : POLICY_MAP,
			.discard = true,
			.front = {.protocol = abis[c % 4],
				  .order = 1,
				  .persistent = c / 4 == 1},
		};
		size_t entry = c % 4 == 2 ? 108 : 112;

		published(conf, 0xa5, a5);
		published(conf, 0xc3, c3);
		for (size_t i = 0; i < 64 + answers * entry; i++, bytes++) {
			bool untouched = a5[i] == 0xa5 && c3[i] == 0xc3;

			if (a5[i] != c3[i] && (i >= 64 || !untouched))
				fail_msg("ABI %u, byte %zu: %#x and %#x", c, i, a5[i],
					 c3[i]);
		}
		for (size_t i = 64 + answers * entry; i < 8192; i++)
			assert_true(a5[i] == 0xa5 && c3[i] == 0xc3);
	}
	tally("T-RING-3", bytes, "published bytes compared");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_ring_1_rewrite_after_each_read),
		HOSTILE(t_ring_1_rewrite_each_index),
		HOSTILE(t_ring_1_rewrite_at_attach),
		HOSTILE(t_ring_2_wraps_at_2_32),
		HOSTILE(t_ring_2_index_abuse),
		HOSTILE(t_ring_2_client_runs_ahead),
		HOSTILE(t_ring_3_published_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
