/* SPDX-License-Identifier: MIT */
/*
 * T-BLK: requests that are wrong in every field, in all values where a field
 * has few; a disk that must not be written; and grants that are kept. The
 * chosen cases of each are tests/device/blk_hostile.c.
 */
#include "tests/hostile/hostile.h"

static const enum policy_mode modes[] = {POLICY_MAP, POLICY_COPY};

#define BATCH 16

/* What was asked and what must come of it; flushed when there is a batch. */
static struct {
	int16_t want[BATCH];
	unsigned n;
	uint64_t done;
} batch;

#define ANY 77 /* but a sound answer: one of the protocol's three */
#define NO  78 /* one of the two that are not BLKIF_OKAY */

static void batch_flush(void)
{
	struct front_rsp rsp;

	if (!batch.n)
		return;
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	for (unsigned i = 0; i < batch.n; i++) {
		assert_true(front_answer(&bed.front, &rsp));
		if (batch.want[i] == ANY || batch.want[i] == NO)
			assert_true(rsp.status <= -(batch.want[i] == NO) &&
				    rsp.status >= BLKIF_EOPNOTSUPP);
		else if (rsp.status != batch.want[i])
			fail_msg("request %" PRIu64 ": %d, not %d",
				 batch.done - batch.n + i, rsp.status, batch.want[i]);
	}
	assert_false(front_answer(&bed.front, &rsp));
	batch.n = 0;
}

/* The request was written by the caller. */
static void expect(int16_t want)
{
	batch.want[batch.n++] = want;
	batch.done++;
	if (batch.n == BATCH)
		batch_flush();
}

/* -- T-BLK-1 ----------------------------------------------------------------- */

static void t_blk_1_every_first_and_last(void **state)
{
	(void)state;
	batch.done = 0;
	for (unsigned m = 0; m < 2; m++) {
		struct front_buf buf;

		hostile_up((struct bed_conf){.mode = modes[m]});
		buf = front_buf(&bed.front, false);
		memset(buf.page, 0x99, 4096);
		for (unsigned i = 0; i < 65536; i++) {
			bool good = (i >> 8) <= (i & 0xff) && (i & 0xff) < 8;

			buf.first = (uint8_t)(i >> 8);
			buf.last = (uint8_t)i;
			front_rw(&bed.front, BLKIF_WRITE, i, 64, &buf, 1);
			expect(good ? BLKIF_OKAY : BLKIF_ERROR);
		}
		batch_flush();
		hostile_serves();
		hostile_untouched();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-BLK-1", batch.done, "firsts and lasts");
}

static void t_blk_1_every_segment_count(void **state)
{
	static struct front_buf buf[BLKIF_INDIRECT_MAX], table;
	uint8_t e[BLKIF_ENTRY_MAX];

	(void)state;
	batch.done = 0;
	for (unsigned m = 0; m < 2; m++) {
		hostile_up((struct bed_conf){.mode = modes[m]});
		table = front_buf(&bed.front, false);
		for (unsigned i = 0; i < BLKIF_INDIRECT_MAX; i++) {
			buf[i] = front_buf(&bed.front, false);
			memset(buf[i].page, 0x99, 4096);
			buf[i].last = 0;
		}
		for (unsigned n = 0; n < 256; n++) {
			front_rw(&bed.front, BLKIF_WRITE, n, 64, buf, n);
			expect(n && n <= 11 ? BLKIF_OKAY : BLKIF_ERROR);
		}
		/* The table is right; what says how long it is, is not. */
		front_indirect(&bed.front, BLKIF_WRITE, 1, 64, buf, 256, &table);
		expect(BLKIF_OKAY);
		memset(e, 0, sizeof(e));
		e[0] = BLKIF_INDIRECT;
		e[1] = BLKIF_WRITE;
		memcpy(e + bed.front.at->indirect_refs, &table.ref.v, 4);
		for (unsigned n = 0; n < 65536; n++) {
			uint16_t n16 = (uint16_t)n;

			memcpy(e + 2, &n16, 2);
			front_raw(&bed.front, e);
			expect(n && n <= 256 ? BLKIF_OKAY : BLKIF_ERROR);
		}
		batch_flush();
		hostile_untouched();
		hostile_serves();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-BLK-1", batch.done, "segment counts");
}

/* Around the ends of the disk, of 32 bits, and of 64 in sectors and bytes.
 * [utest->req~disk-has-an-end~1] */
static void t_blk_1_every_range(void **state)
{
	static const uint64_t around[] = {0,	      BED_SECTORS, 1ull << 31,
					  1ull << 32, 1ull << 54,  1ull << 55,
					  1ull << 56, 1ull << 63,  UINT64_MAX};
	struct front_buf buf[11];

	(void)state;
	batch.done = 0;
	hostile_up((struct bed_conf){.discard = true});
	for (unsigned i = 0; i < 11; i++) {
		buf[i] = front_buf(&bed.front, false);
		memset(buf[i].page, 0x99, 4096);
	}
	for (unsigned a = 0; a < COUNT(around); a++) {
		for (uint64_t off = 0; off < 200; off++) {
			uint64_t sector = around[a] + off - 100;
			unsigned n = 1 + (unsigned)off % 11;
			bool good =
				sector < BED_SECTORS && sector + 8 * n <= BED_SECTORS;

			front_rw(&bed.front, BLKIF_WRITE, off, sector, buf, n);
			expect(good ? BLKIF_OKAY : BLKIF_ERROR);
			front_rw(&bed.front, BLKIF_READ, off, sector, buf, n);
			expect(good ? BLKIF_OKAY : BLKIF_ERROR);
			for (unsigned b = 0; b < COUNT(around); b++) {
				uint64_t count = around[b] + off - 100;
				bool fits = count && count <= BED_SECTORS &&
					    sector <= BED_SECTORS - count;

				if (fits) /* it would clear what others compare */
					continue;
				front_simple(&bed.front, BLKIF_DISCARD, off, sector,
					     count);
				expect(BLKIF_ERROR);
			}
		}
	}
	batch_flush();
	hostile_untouched();
	hostile_serves();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-BLK-1", batch.done, "ranges");
}

/* A disk of 4096 byte sectors: every start, every part of a page.
 * [utest->req~disk-has-an-end~1] */
static void t_blk_1_every_alignment(void **state)
{
	struct front_buf buf;

	(void)state;
	batch.done = 0;
	hostile_up((struct bed_conf){.sector_bytes = 4096, .discard = true});
	buf = front_buf(&bed.front, false);
	memset(buf.page, 0x99, 4096);
	for (unsigned i = 0; i < 16 * 64; i++) {
		unsigned sector = i / 64;
		bool good = sector % 8 == 0 && i % 64 == 7;

		buf.first = i / 8 % 8;
		buf.last = i % 8;
		if (buf.first > buf.last)
			continue;
		front_rw(&bed.front, BLKIF_WRITE, i, sector, &buf, 1);
		expect(good ? BLKIF_OKAY : BLKIF_ERROR);
		front_rw(&bed.front, BLKIF_READ, i, sector, &buf, 1);
		expect(good ? BLKIF_OKAY : BLKIF_ERROR);
		if ((sector | (i % 64)) % 8 || !(i % 64)) {
			front_simple(&bed.front, BLKIF_DISCARD, i, sector, i % 64);
			expect(BLKIF_ERROR);
		}
	}
	batch_flush();
	hostile_untouched();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-BLK-1", batch.done, "alignments");
}

/* Entries of noise, half of them with an operation that is served. */
static void t_blk_1_noise(void **state)
{
	static const char *const abis[] = {"x86_64-abi", "x86_32-abi"};
	uint32_t seed = 12345;

	(void)state;
	batch.done = 0;
	for (unsigned c = 0; c < 4; c++) {
		hostile_up((struct bed_conf){.mode = modes[c / 2],
					     .discard = true,
					     .front.protocol = abis[c % 2]});
		for (unsigned i = 0; i < 50000; i++) {
			uint8_t e[BLKIF_ENTRY_MAX];

			for (unsigned b = 0; b < sizeof(e); b++) {
				seed = seed * 1664525u + 1013904223u;
				e[b] = (uint8_t)(seed >> 24);
			}
			if (i % 2)
				e[0] %= 8;
			if (i % 4 == 1)
				e[1] %= 13;
			front_raw(&bed.front, e);
			expect(ANY);
		}
		batch_flush();
		assert_int_equal(bed.broken, 0);
		assert_int_equal(loopxen_back_pages(bed.back), 0);
		hostile_serves();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-BLK-1", batch.done, "entries of noise");
}

/* -- T-BLK-2 ----------------------------------------------------------------- */

static void read_only(const struct bed_conf *conf)
{
	struct front_buf buf[20], table;

	hostile_up(*conf);
	table = front_buf(&bed.front, false);
	for (unsigned i = 0; i < 20; i++)
		buf[i] = front_buf(&bed.front, false);
	for (unsigned op = 0; op < 256; op++) {
		uint8_t e[BLKIF_ENTRY_MAX] = {(uint8_t)op};
		bool writes = op == BLKIF_WRITE || op == BLKIF_WRITE_BARRIER;
		uint64_t sectors = 8;

		if (op == BLKIF_INDIRECT)
			continue;
		for (unsigned n = 0; n <= 11; n += 11) {
			front_rw(&bed.front, (uint8_t)op, op, 0, buf, n);
			expect(op == BLKIF_READ && n ? BLKIF_OKAY
			       : writes && n	     ? NO
						     : ANY);
		}
		memcpy(e + bed.front.at->discard_sectors, &sectors, 8);
		front_raw(&bed.front, e);
		expect(op == BLKIF_DISCARD ? NO : ANY);
		batch_flush();
		front_indirect(&bed.front, (uint8_t)op, op, 0, buf, 20, &table);
		expect(op == BLKIF_READ ? BLKIF_OKAY : NO);
		batch_flush();
	}
	hostile_untouched();
	for (unsigned i = 8000; i < 8008; i++)
		assert_int_equal(bed_disk(&bed, i)[0], 0x99);
	assert_int_equal(bed.blk.stats.writes, 0);
	assert_int_equal(bed.blk.stats.discards, 0);
	assert_int_equal(bed_down(&bed), 0);
}

/* [utest->req~read-only-is-read-only~1] */
static void t_blk_2_every_operation(void **state)
{
	static const char *const abis[] = {"x86_64-abi", "x86_32-abi"};

	(void)state;
	batch.done = 0;
	for (unsigned c = 0; c < 24; c++) {
		read_only(&(struct bed_conf){
			.mode = modes[c % 2],
			.read_only = c / 2 % 3 != 1,
			.mode_key = c / 2 % 3 ? "r" : "w",
			.discard = true,
			.front = {.protocol = abis[c / 6 % 2], .persistent = c / 12},
		});
	}
	tally("T-BLK-2", batch.done, "requests to a read-only disk");
}

/* -- T-BLK-3 ----------------------------------------------------------------- */

#define SET 200

/* More pages than may be kept, in any order and number; never too many, and the
 * data is right whatever lies beside what. */
static void t_blk_3_kept_pages(void **state)
{
	static struct front_buf buf[SET];
	static uint8_t want[11 * 4096];
	uint32_t seed = 99;
	uint64_t done = 0;

	(void)state;
	for (unsigned keep = 0; keep <= 100; keep += 20) {
		struct bed_conf conf = {.persistent_pages = keep ? keep : 1,
					.data_pages = 120,
					.front.persistent = true};

		hostile_up(conf);
		for (unsigned i = 0; i < SET; i++)
			buf[i] = front_buf(&bed.front, false);
		for (unsigned round = 0; round < 2000; round++, done++) {
			struct front_buf use[11];
			unsigned n;
			size_t len = 0;

			seed = seed * 1664525u + 1013904223u;
			n = 1 + (seed >> 24) % 11;
			for (unsigned i = 0; i < n; i++) {
				seed = seed * 1664525u + 1013904223u;
				use[i] = buf[(seed >> 16) % SET];
				use[i].first = (seed >> 8) % 8;
				use[i].last =
					use[i].first +
					(uint8_t)((seed >> 4) % (8u - use[i].first));
				memset(use[i].page, (int)(seed >> 20), 4096);
			}
			for (unsigned i = 0; i < n; i++) { /* pages may stand twice */
				size_t bytes = (use[i].last - use[i].first + 1u) * 512u;

				memcpy(want + len, use[i].page + use[i].first * 512,
				       bytes);
				len += bytes;
			}
			front_rw(&bed.front, BLKIF_WRITE, round, 256, use, n);
			assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
			assert_memory_equal(bed_disk(&bed, 256), want, len);
			assert_true(loopxen_back_pages(bed.back) <=
				    bed.block.persistent_pages);
		}
		blk_pv_detach(&bed.pv);
		assert_int_equal(bed.detached, 1);
		assert_int_equal(loopxen_back_pages(bed.back), 0);
		for (unsigned i = 0; i < SET; i++)
			assert_true(loopxen_revoke(bed.x, bed.dev.front, buf[i].ref));
		hostile_reconnect();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-BLK-3", done, "requests over kept pages");
}

/* The same with all of them under way at once: what does not fit the cache while
 * the rest of it is in use is not kept. */
static void t_blk_3_kept_pages_in_use(void **state)
{
	static struct front_buf buf[8][11];
	struct bed_conf conf = {.slow = true,
				.persistent_pages = 40,
				.data_pages = 120,
				.front.persistent = true};
	uint64_t done = 0;

	(void)state;
	hostile_up(conf);
	for (unsigned i = 0; i < 88; i++)
		buf[i / 11][i % 11] = front_buf(&bed.front, false);
	for (unsigned round = 0; round < 500; round++) {
		struct front_rsp rsp[8];

		for (unsigned i = 0; i < 8; i++, done++)
			front_rw(&bed.front, BLKIF_WRITE, i, i * 88, buf[i],
				 1 + (round + i) % 11);
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(bed.nwaiting, 8);
		assert_true(bed.pv.memory.pgrants.kept <= 40);
		while (bed.nwaiting)
			bed_complete(&bed, round % bed.nwaiting);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(hostile_answers(rsp, 8), 8);
		assert_true(loopxen_back_pages(bed.back) <= 40);
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-BLK-3", done, "requests under way over kept pages");
}

/* Killed with pages kept, thousandfold: nothing keeps a domain from dying. */
static void t_blk_3_kept_pages_of_the_dead(void **state)
{
	struct front_buf buf[11];
	unsigned rounds = 2000;

	(void)state;
	hostile_up((struct bed_conf){.front.persistent = true});
	for (unsigned i = 0; i < 11; i++)
		buf[i] = front_buf(&bed.front, false);
	for (unsigned round = 0; round < rounds; round++) {
		front_rw(&bed.front, BLKIF_READ, round, 0, buf, 1 + round % 11);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		assert_int_equal(loopxen_back_pages(bed.back), 1 + round % 11);
		bed_kill(&bed);
		for (unsigned i = 0; i < 11; i++)
			assert_int_equal(
				loopxen_mapped(bed.x, bed.dev.front, buf[i].ref), 0);
		hostile_restart(true);
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-BLK-3", rounds, "deaths with pages kept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_blk_1_every_first_and_last),
		HOSTILE(t_blk_1_every_segment_count),
		HOSTILE(t_blk_1_every_range),
		HOSTILE(t_blk_1_every_alignment),
		HOSTILE(t_blk_1_noise),
		HOSTILE(t_blk_2_every_operation),
		HOSTILE(t_blk_3_kept_pages),
		HOSTILE(t_blk_3_kept_pages_in_use),
		HOSTILE(t_blk_3_kept_pages_of_the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
