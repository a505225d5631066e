/* SPDX-License-Identifier: MIT */
/*
 * T-RING at a disk's virtio door: bytes of the control page, the journal, the
 * virtqueues and the requests that change while they are read, as an enumeration of all
 * reads; and what the door's own words give away.
 */
#include "tests/hostile/door.h"

#define BYTES_OF  64 /* of reads so long each byte is tried */
#define WHOLE	  3  /* whole rewrites; the others are of one byte */
#define DISK_SEEN (256 * 512)

static uint64_t rewrite_k;
static unsigned rewrite_how;
static bool rewrite_before;
static uint64_t rewrites_done;

static struct {
	uint8_t *at;
	size_t len;
	uint8_t was[4096], is[4096];
} rewritten;

static void rewrite(uint8_t *at, size_t len)
{
	static const uint8_t with[WHOLE] = {0x00, 0xff, 0x80};
	unsigned byte = rewrite_how - WHOLE;

	rewritten.at = at;
	rewritten.len = len;
	memcpy(rewritten.was, at, len);
	if (rewrite_how < WHOLE)
		memset(at, with[rewrite_how], len);
	else
		at[byte / 2 % len] ^= byte % 2 ? 0xff : 0x01;
	memcpy(rewritten.is, at, len);
	rewrites_done++;
}

/* Looked at anew by design: all indices, and what the driver wants to know. */
static bool is_index(const uint8_t *at)
{
	const uint8_t *page = door_driver()->page;

	if (at >= page && at < page + DRIVER_DRIVER_SLOT)
		return true;
	for (unsigned i = 0; i < bed.vfront.conf.queues; i++) {
		const struct driver_queue *q = &bed.vfront.queue[i];

		if (at == q->avail.at || at == q->avail.at + 2 ||
		    at == q->avail.at + 4 + 2 * q->size || at == q->used.at + 2)
			return true;
	}
	return false;
}

static size_t rewrite_len;

static void rewrite_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(bed.back, p);

	if (k != rewrite_k || !at || len > sizeof(rewritten.was) ||
	    (!rewrite_before && is_index(at)))
		return;
	rewrite_len = len;
	rewrite(at, len);
}

static void rewrite_undo(void)
{
	if (rewritten.len && !memcmp(rewritten.at, rewritten.is, rewritten.len))
		memcpy(rewritten.at, rewritten.was, rewritten.len);
	rewritten.len = 0;
}

static void hooked(bool on)
{
	if (on)
		shared_hook_reads = rewrite_len = 0;
	shared_hook = on && rewrite_before ? rewrite_hook : NULL;
	shared_hook_after = on && !rewrite_before ? rewrite_hook : NULL;
}

/* -- T-RING-1: requests
 * ---------------------------------------------------------------- */

#define ASKED 6

struct outcome {
	uint8_t status[ASKED];
	uint32_t len[ASKED];
	uint8_t disk[DISK_SEEN], data[ASKED][4096];
	uint64_t reads;
};

static struct outcome want, got;

/* A bit of everything, in one batch. */
static void outcome_of(struct outcome *o, bool hook)
{
	static const struct {
		uint32_t type, bytes;
		uint64_t sector;
	} ask[ASKED] = {
		{BLK_VIRTIO_OUT, 4096, 16}, {BLK_VIRTIO_IN, 4096, 64},
		{BLK_VIRTIO_FLUSH, 0, 0},   {BLK_VIRTIO_DISCARD, 16, 0},
		{BLK_VIRTIO_GET_ID, 20, 0}, {BLK_VIRTIO_OUT, 512, BED_SECTORS},
	};
	struct vfront_answer answer;

	memset(o, 0, sizeof(*o));
	memset(bed_disk(&bed, 0), 0x99, DISK_SEEN);
	for (unsigned i = 0; i < ASKED; i++) {
		uint8_t *at = vfront_add(&bed.vfront, 0, i, ask[i].type, ask[i].sector,
					 ask[i].bytes);

		assert_non_null(at);
		if (ask[i].bytes && ask[i].type == BLK_VIRTIO_OUT)
			memset(at, (int)i + 1, ask[i].bytes);
		if (ask[i].type == BLK_VIRTIO_DISCARD) {
			le_put(at, 8, 128);
			le_put(at + 8, 4, 8);
		}
	}
	vfront_push(&bed.vfront);
	hooked(hook);
	door_run();
	o->reads = shared_hook_reads;
	hooked(false);
	rewrite_undo();
	while (vfront_answer(&bed.vfront, &answer)) {
		unsigned i = (unsigned)answer.cookie;

		o->status[i] = answer.status + 1;
		o->len[i] = answer.len;
		if (ask[i].type == BLK_VIRTIO_IN || ask[i].type == BLK_VIRTIO_GET_ID)
			memcpy(o->data[i], answer.data, ask[i].bytes);
	}
	memcpy(o->disk, bed_disk(&bed, 0), DISK_SEEN);
}

static void t_ring_1_rewrite_after_each_read(void **state)
{
	(void)state;
	rewrites_done = 0;
	rewrite_before = false;
	for (unsigned c = 0; c < DOORS; c++) {
		struct bed_conf conf = door_confs[c];

		conf.discard = true;
		door_up(conf);
		outcome_of(&want, false);
		outcome_of(&want, false);
		for (unsigned i = 0; i < ASKED; i++)
			assert_int_equal(want.status[i], i == ASKED - 1 ? 2 : 1);
		for (rewrite_k = 0; rewrite_k < want.reads; rewrite_k++) {
			unsigned ways = 1;

			for (rewrite_how = 0; rewrite_how < ways; rewrite_how++) {
				outcome_of(&got, true);
				ways = !rewrite_len ? 1
				       : rewrite_len > BYTES_OF
					       ? WHOLE
					       : WHOLE + 2 * (unsigned)rewrite_len;
				door_is_sound("a rewrite after the read");
				got.reads = want.reads;
				if (memcmp(&want, &got, sizeof(want)))
					fail_msg("door %u: read %" PRIu64
						 " counts twice, way %u",
						 c, rewrite_k, rewrite_how);
			}
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-RING-1", rewrites_done, "rewrites after a read");
	assert_true(rewrites_done > 1000);
}

/* -- T-RING-1: messages
 * ------------------------------------------------------------------ */

/* A driver that waits no longer than is due. */
static unsigned waits;

static bool wait_a_little(void *owner)
{
	(void)owner;
	door_run();
	return waits && waits--;
}

/* All the way to DRIVER_OK, and two requests. */
static bool way(void)
{
	struct driver_pool *pool = &bed.vfront.pool;
	struct vfront_answer answer;
	unsigned answers = 0;

	memset(bed.vfront.request, 0, sizeof(bed.vfront.request));
	driver_pool_init(pool, pool->at, pool->bytes, pool->base);
	waits = 100;
	if (!vfront_ready(&bed.vfront))
		return false;
	for (unsigned i = 0; i < 2; i++)
		vfront_add(&bed.vfront, 0, i, i, 16, 512);
	vfront_push(&bed.vfront);
	door_run();
	if (rewrite_before)
		return true;
	while (vfront_answer(&bed.vfront, &answer))
		answers += answer.status == BLK_VIRTIO_OK;
	return answers == 2;
}

static void each_message(bool before)
{
	rewrites_done = 0;
	rewrite_before = before;
	for (unsigned c = 0; c < DOORS; c++) {
		bool (*wait)(void *);
		uint64_t reads = 1;

		door_up(door_confs[c]);
		wait = door_driver()->wait;
		for (rewrite_k = 0; rewrite_k < reads; rewrite_k++) {
			for (rewrite_how = 0; rewrite_how < WHOLE + 40; rewrite_how++) {
				bool good;

				door_driver()->wait = wait_a_little;
				hooked(true);
				good = way();
				reads = shared_hook_reads > reads ? shared_hook_reads
								  : reads;
				if (!before && !good)
					fail_msg("read %" PRIu64
						 " counts twice, way %u",
						 rewrite_k, rewrite_how);
				hooked(false);
				rewritten.len = 0;
				door_driver()->wait = wait;
				memset(bed_disk(&bed, 0), 0x99,
				       (size_t)BED_SECTORS * 512);
				if (before)
					door_recovers();
				if (!rewrite_len)
					break; /* not of the client's memory */
			}
		}
		assert_true(reads > 40 && reads < 400);
		assert_int_equal(bed_down(&bed), 0);
	}
}

static void t_ring_1_messages_after_each_read(void **state)
{
	(void)state;
	each_message(false);
	assert_true(rewrites_done > 1000);
	tally("T-RING-1", rewrites_done, "rewrites of messages after a read");
}

/* Before the read: it is the client's word. Whatever it means, the device serves after
 * a reset, and nothing else was touched. */
static void t_ring_1_messages_before_each_read(void **state)
{
	(void)state;
	each_message(true);
	assert_true(rewrites_done > 1000);
	tally("T-RING-1", rewrites_done, "rewrites of messages before a read");
}

/* A successor's look at page, journal and queues, before and after each read. */
static void t_ring_1_rewrite_at_attach(void **state)
{
	(void)state;
	rewrites_done = 0;
	for (unsigned i = 0; i < DOORS * 2; i++) {
		uint64_t reads = 1;

		rewrite_before = i >= DOORS;
		door_up(door_confs[i % DOORS]);
		for (rewrite_k = 0; rewrite_k < reads; rewrite_k++) {
			for (rewrite_how = 0; rewrite_how < WHOLE + 8; rewrite_how++) {
				bed_kill(&bed);
				assert_int_equal(bed_start_quiet(&bed), 0);
				hooked(true);
				assert_int_equal(bed_connect(&bed, true), 0);
				if (shared_hook_reads > reads)
					reads = shared_hook_reads;
				hooked(false);
				if (!rewrite_before) {
					door_is_sound("a journal read once");
					assert_int_equal(door_status(), 15);
				}
				rewritten.len = 0;
				door_recovers();
			}
		}
		assert_true(reads > 3);
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-RING-1", rewrites_done, "rewrites at an attach");
}

/* -- T-RING-3 -------------------------------------------------------------------------
 */

static __attribute__((noinline)) void poison_stack(uint8_t with)
{
	volatile uint8_t stack[65536];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = with;
}

/* All of the control page and the queue's areas, when what was not published held
 * @with, and the stack did too. */
static void published(unsigned c, uint8_t with, uint8_t *out)
{
	struct driver_queue *q = &bed.vfront.queue[0];
	uint32_t used;

	door_up(door_confs[c]);
	for (unsigned i = 0; i < 20; i++) {
		static const uint8_t ids[] = {2, 7, 9, 5, 3};
		static const uint32_t words[] = {0, 2};
		unsigned n = i % 5 < 2 ? 0 : i % 5 == 2 ? 1 : 2;

		door_put_words(ids[i % 5], words, n);
		poison_stack(with);
		door_run();
		virtio_driver_poll(door_driver());
	}
	used = driver_queue_used_bytes(q->size);
	for (unsigned i = 0; i < 4; i++) {
		uint8_t *at = vfront_add(&bed.vfront, 0, i, BLK_VIRTIO_GET_ID, 0, 512);

		memset(at, 0x77, 512);
	}
	vfront_push(&bed.vfront);
	poison_stack(with);
	door_run();
	memcpy(out, door_driver()->page, 4096);
	memcpy(out + 4096, q->used.at, used);
	for (unsigned i = 0; i < 4; i++) /* no more of it than the 20 bytes */
		memcpy(out + 8192 + 512 * i, bed.vfront.request[i].data.at, 512);
	for (unsigned i = 20; i < 512; i++)
		assert_int_equal(out[8192 + i], 0x77);
	assert_int_equal(bed_down(&bed), 0);
}

static void t_ring_3_published_bytes(void **state)
{
	static uint8_t a5[12288], c3[12288];
	uint64_t bytes = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		memset(a5, 0, sizeof(a5));
		memset(c3, 0, sizeof(c3));
		published(c, 0xa5, a5);
		published(c, 0xc3, c3);
		for (size_t i = 0; i < sizeof(a5); i++, bytes++) {
			if (a5[i] != c3[i])
				fail_msg("byte %#zx: %#x and %#x", i, a5[i], c3[i]);
		}
	}
	tally("T-RING-3", bytes, "published bytes compared");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_ring_1_rewrite_after_each_read),
		HOSTILE(t_ring_1_messages_after_each_read),
		HOSTILE(t_ring_1_messages_before_each_read),
		HOSTILE(t_ring_1_rewrite_at_attach),
		HOSTILE(t_ring_3_published_bytes),
	};

	return cmocka_run_group_tests_name("virtio_ring", tests, NULL, NULL);
}
