/* SPDX-License-Identifier: MIT */
/*
 * T-VQ at a disk's virtio door: what a driver may say in messages and in chains,
 * through all of the door. What a queue makes of its own areas is virtqueue.c; chains
 * and what they do to the areas are virtio_chain.c.
 */
#include "tests/hostile/door.h"

/* -- T-VQ-1: what a running device is does not change ---------------------------- */

static void areas_of(unsigned i, uint64_t area[3])
{
	const struct driver_queue *q = &bed.vfront.queue[i];

	area[0] = q->desc.addr;
	area[1] = q->avail.addr;
	area[2] = q->used.addr;
}

/* Each parameter that is another one. */
static void t_vq_1_set_vqueue_after_driver_ok(void **state)
{
	uint64_t area[3], done = 0;
	uint8_t answer[DRIVER_PAYLOAD];

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		door_up(door_confs[c]);
		for (unsigned i = 0; i < 6; i++, done++) {
			const struct virtio_queue *q = &bed.virtio.door.device.queue[0];
			struct virtqueue_conf was = q->vq.conf;
			uint32_t size = 128;

			areas_of(0, area);
			if (i < 3)
				area[i] += 4096;
			else
				size = i == 3 ? 256 : i == 4 ? 2 : 0;
			door_put_queue(0, size, area);
			door_run();
			assert_true(door_answered(DRIVER_SET_VQUEUE, answer));
			assert_true(q->open && q->setup.size == 128);
			assert_memory_equal(&was, &q->vq.conf, sizeof(was));
			door_is_wrong("another SET_VQUEUE");
			door_recovers();
		}
		areas_of(0, area);
		door_put_queue(0, 128, area); /* the same: nothing changes */
		door_run();
		assert_true(door_answered(DRIVER_SET_VQUEUE, answer));
		door_is_sound("the same SET_VQUEUE");
		door_serves();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-1", done, "set-ups of a running queue");
}

/* One that was never set up, by a driver without RING_RESET. */
static void t_vq_1_another_queue_after_driver_ok(void **state)
{
	uint64_t area[3];

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		struct bed_conf conf = door_confs[c];

		conf.queues = 2;
		conf.virtio.refuses = DRIVER_F_RING_RESET;
		door_up(conf);
		areas_of(0, area);
		door_put_queue(1, 128, area);
		door_run();
		door_is_wrong("a queue after DRIVER_OK");
		assert_false(bed.virtio.door.device.queue[1].open);
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* What stands in the journal says nothing to the device that wrote it. */
static void t_vq_1_journal_of_a_running_device(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		uint8_t *journal, was[DRIVER_PAGE - DRIVER_JOURNAL];

		door_up(door_confs[c]);
		journal = door_driver()->page + DRIVER_JOURNAL;
		memcpy(was, journal, sizeof(was));
		for (unsigned i = 0; i < sizeof(was); i++, done++) {
			journal[i] ^= 0xff;
			if (i % 64)
				continue;
			assert_true(virtio_driver_get_status(door_driver()));
			door_serves();
		}
		memset(journal, 0, sizeof(was));
		door_serves();
		door_is_sound("a journal that was rewritten");
		door_recovers(); /* and it is written anew */
		assert_int_equal(le_get(journal, 4), le_get(was, 4));
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-1", done, "bytes of the journal");
}

/* Each status from each, as virtio orders them. */
static const uint32_t bits[] = {DRIVER_S_ACKNOWLEDGE, DRIVER_S_DRIVER,
				DRIVER_S_FEATURES_OK, DRIVER_S_DRIVER_OK,
				DRIVER_S_FAILED};

/* @level bits of the four, FAILED too or not. */
static bool status_may(uint32_t from, uint32_t to)
{
	unsigned level = 0;

	if (to & ~(uint32_t)(0x8f | DRIVER_S_NEEDS_RESET) || from & ~to & 0x8f)
		return false;
	while (level < 4 && to & bits[level])
		level++;
	for (unsigned i = level; i < 4; i++) {
		if (to & bits[i])
			return false;
	}
	return level < 4 || from & DRIVER_S_FEATURES_OK;
}

static void t_vq_1_status_out_of_order(void **state)
{
	static const uint32_t froms[] = {0, 1, 3, 11, 15, 128, 129, 131, 139, 143};
	uint64_t done = 0;

	(void)state;
	door_up(door_confs[0]);
	for (unsigned f = 0; f < COUNT(froms); f++) {
		for (uint32_t to = 1; to < 256 + 24; to++, done++) {
			uint32_t next = to < 256 ? to : 1u << (to - 256 + 8);
			uint64_t features;

			assert_true(virtio_driver_begin(door_driver(), ~UINT64_C(0),
							&features));
			if (froms[f] & 8)
				virtio_driver_set_status(door_driver(), 11);
			else
				virtio_driver_set_status(door_driver(), 0);
			if (froms[f])
				virtio_driver_set_status(door_driver(), froms[f]);
			door_is_sound("on the way");
			door_listen();
			virtio_driver_set_status(door_driver(), next);
			if (!status_may(froms[f], next))
				door_is_wrong("a status out of order");
			else
				door_is_sound("a status in order");
		}
	}
	door_recovers();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-VQ-1", done, "status bits");
}

static void t_vq_1_features(void **state)
{
	struct virtio_driver *d = door_driver();
	uint8_t answer[DRIVER_PAYLOAD];
	uint64_t done = 0, offered, features;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		door_features(door_confs[c]);
		assert_true(virtio_driver_get_features(d, &offered));
		for (uint32_t block = 0; block < 4; block++, done++) {
			uint32_t words[] = {block, 1, block < 2 ? 0 : 1};

			virtio_driver_begin(d, ~UINT64_C(0), &features);
			door_listen();
			door_put_words(DRIVER_SET_DRIVER_FEATURES, words, 3);
			door_run();
			assert_true(door_answered(DRIVER_SET_DRIVER_FEATURES, answer));
			door_is_wrong("features after FEATURES_OK");
			assert_true(bed.virtio.door.device.features == features);
		}
		for (unsigned bit = 0; bit < 64; bit++, done++) {
			uint64_t with = offered ^ UINT64_C(1) << bit;
			uint64_t must = DRIVER_F_VERSION_1 | DRIVER_F_ACCESS_PLATFORM;
			bool good = !(with & ~offered) && (with & must) == must;

			assert_true(virtio_driver_set_status(d, 0));
			virtio_driver_set_status(d, 3);
			assert_true(virtio_driver_set_features(d, with));
			virtio_driver_set_status(d, 11);
			assert_int_equal(!!(d->status & DRIVER_S_FEATURES_OK), good);
		}
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-1", done, "features");
}

/* -- T-VQ-2: lengths of messages --------------------------------------------------- */

/* What a message of @id with @count must be long; 0: there is none such. */
static uint32_t right_bytes(unsigned type, unsigned id, uint32_t count)
{
	static const uint8_t fixed[] = {[2] = 8,  [3] = 16, [5] = 16,  [7] = 8,
					[8] = 12, [9] = 12, [10] = 48, [11] = 12};

	if (type == DRIVER_BUS_REQUEST)
		return id == DRIVER_PING ? 12 : 0;
	if (type)
		return 0;
	if (id == DRIVER_SET_DRIVER_FEATURES)
		return count <= 12 ? 16 + 4 * count : 0;
	if (id == DRIVER_SET_CONFIG)
		return count <= 44 ? 20 + count : 0;
	return id < sizeof(fixed) ? fixed[id] : 0;
}

static void message(unsigned type, unsigned id, uint32_t size, uint32_t count)
{
	uint8_t m[DRIVER_MESSAGE] = {(uint8_t)type, (uint8_t)id, 0, 0, 1, 0};
	bool wrong = bed.virtio.door.device.stats.wrong, event = !type && id == 0x41;
	uint64_t before = bed.virtio.door.device.stats.wrong;

	le_put(m + 6, 2, size);
	le_put(m + 12, 4, count); /* blocks, of features; bytes, of GET_CONFIG */
	if (id == DRIVER_SET_CONFIG)
		le_put(m + 16, 4, count);
	assert_true(virtio_driver_put(door_driver(), m, sizeof(m)));
	door_run();
	wrong = bed.virtio.door.device.stats.wrong != before;
	virtio_driver_poll(door_driver());
	if (event || size == right_bytes(type, id, count)) {
		/* Of a right length; what it asks for is another matter. */
		if (!event && bed.virtio.door.msg.put == 0)
			fail_msg("message %u/%u of %u bytes: no answer", type, id,
				 size);
		return;
	}
	if (!wrong)
		fail_msg("message %u/%u of %u bytes, %u: not wrong", type, id, size,
			 count);
}

static void t_vq_2_lengths_of_messages(void **state)
{
	static const uint32_t counts[] = {0,  1,  2,  11,	12,	  13,	     14,
					  43, 44, 45, 52,	56,	  63,	     64,
					  65, 66, 99, 1u << 30, 1u << 31, UINT32_MAX};
	uint64_t done = 0;

	(void)state;
	door_up(door_confs[0]);
	for (unsigned type = 0; type < 6; type++) {
		for (unsigned id = 0; id < 0x44; id++) {
			for (uint32_t size = 0; size < 70; size++, done++)
				message(type, id, size, 0);
			for (unsigned k = 0; k < COUNT(counts); k++, done += 6) {
				uint32_t n = counts[k];

				message(type, id, (16 + 4 * n) & 0xffff, n);
				message(type, id, (20 + n) & 0xffff, n);
				message(type, id, 64, n);
				message(type, id, 272, n);
				message(type, id, 0x8000, n);
				message(type, id, 0xffff, n);
			}
		}
	}
	door_recovers();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-VQ-2", done, "lengths of messages");
}

/* A count that its length bears out, and that reaches past the slot: what lies behind
 * is neither read nor taken for features. */
static void t_vq_2_message_longer_than_its_slot(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (uint32_t n = 13; n <= 64; n++, done++) {
		uint8_t m[DRIVER_MESSAGE] = {0, DRIVER_SET_DRIVER_FEATURES, 0, 0, 1};
		uint8_t answer[DRIVER_PAYLOAD];

		door_up(door_confs[0]);
		virtio_driver_set_status(door_driver(), 0);
		door_listen();
		le_put(m + 6, 2, 16 + 4 * n);
		le_put(m + 8, 4, 2);
		le_put(m + 12, 4, n);
		virtio_driver_put(door_driver(), m, sizeof(m));
		door_run();
		assert_false(door_answered(DRIVER_SET_DRIVER_FEATURES, answer));
		assert_int_equal(bed.virtio.door.device.stats.wrong, 1);
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-2", done, "messages longer than a slot");
}

/* A token of 0, another device, a type that is none: no answer. */
static void t_vq_2_headers_of_messages(void **state)
{
	uint64_t done = 0;

	(void)state;
	door_up(door_confs[0]);
	for (unsigned i = 0; i < 256 * 3; i++, done++) {
		uint8_t m[DRIVER_MESSAGE] = {0, DRIVER_GET_DEVICE_STATUS, 0, 0, 1, 0,
					     8};
		static const uint8_t at[] = {0, 2, 3};
		uint8_t answer[DRIVER_PAYLOAD];

		m[at[i / 256]] = (uint8_t)i;
		if (!(i % 256))
			m[4] = 0; /* the token */
		virtio_driver_put(door_driver(), m, sizeof(m));
		door_run();
		assert_false(door_answered(DRIVER_GET_DEVICE_STATUS, answer));
		door_is_wrong("a header of no message");
		door_recovers();
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-VQ-2", done, "headers of messages");
}

/* -- T-VQ-6: indices and offsets ----------------------------------------------------
 */

static void t_vq_6_queue_index(void **state)
{
	static const uint32_t indices[] = {
		1, 2, 15, 16, 17, 64, 1u << 16, 1u << 31, UINT32_MAX - 1, UINT32_MAX};
	static const uint8_t ids[] = {DRIVER_GET_VQUEUE, DRIVER_SET_VQUEUE,
				      DRIVER_RESET_VQUEUE};
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		door_up(door_confs[c]);
		for (unsigned k = 0; k < COUNT(indices) * COUNT(ids); k++, done++) {
			uint8_t id = ids[k % 3], answer[DRIVER_PAYLOAD];
			uint64_t area[3];

			areas_of(0, area);
			if (id == DRIVER_SET_VQUEUE)
				door_put_queue(indices[k / 3], 128, area);
			else
				door_put_words(id, &indices[k / 3], 1);
			door_run();
			assert_true(door_answered(id, answer));
			if (id == DRIVER_GET_VQUEUE) {
				for (unsigned i = 4; i < 40; i++)
					assert_int_equal(answer[i], 0);
				door_is_sound("a look at a queue that there is not");
				continue;
			}
			door_is_wrong("a queue that there is not");
			door_recovers();
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-6", done, "indices of a queue");
}

/* Each offset with each length, around what there is and around 2^32. */
static void t_vq_6_config_offsets(void **state)
{
	static const uint32_t far[] = {
		59,	   60, 61, 1u << 31, 0xffffffc4, 0xfffffff0, UINT32_MAX - 1,
		UINT32_MAX};
	uint64_t done = 0;

	(void)state;
	door_up(door_confs[0]);
	for (unsigned o = 0; o < 62 + COUNT(far); o++) {
		uint32_t offset = o < 62 ? o : far[o - 62];

		for (uint32_t n = 0; n <= 46; n++, done++) {
			uint32_t words[] = {offset, n == 46 ? UINT32_MAX : n};
			uint8_t answer[DRIVER_PAYLOAD];
			bool good = n && n <= 44 && offset < 60 && n <= 60 - offset;

			door_put_words(DRIVER_GET_CONFIG, words, 2);
			door_run();
			assert_true(door_answered(DRIVER_GET_CONFIG, answer));
			assert_int_equal(le_get(answer + 8, 4), good ? n : 0);
			if (good) {
				door_is_sound("configuration");
				assert_memory_equal(
					answer + 12,
					bed.virtio.door.device.config + offset, n);
				continue;
			}
			door_is_wrong("configuration that there is not");
			door_recovers();
		}
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-VQ-6", done, "places in the configuration");
}

/* Only the cache's switch is the driver's to write, 0 or 1, of this generation. */
static void t_vq_6_config_writes(void **state)
{
	uint8_t was[BLK_VIRTIO_CONFIG_BYTES];
	uint64_t done = 0;

	(void)state;
	door_up(door_confs[0]);
	memcpy(was, bed.virtio.door.device.config, sizeof(was));
	for (uint32_t offset = 0; offset < 60; offset++) {
		for (uint32_t n = 1; n <= 44 && n <= 60 - offset; n++, done++) {
			uint32_t generation = bed.virtio.door.device.generation;
			uint8_t data[44];
			bool accepted;

			memset(data, 0xff, sizeof(data));
			assert_true(virtio_driver_set_config(
				door_driver(), generation, offset, data, n, &accepted));
			assert_false(accepted);
			data[0] = 0;
			assert_true(virtio_driver_set_config(door_driver(),
							     generation + 1, offset,
							     data, n, &accepted));
			assert_false(accepted);
			assert_true(virtio_driver_set_config(
				door_driver(), generation, offset, data, n, &accepted));
			assert_int_equal(accepted, offset == 32 && n == 1);
			data[0] = 1;
			virtio_driver_set_config(door_driver(), generation, 32, data, 1,
						 &accepted);
			assert_memory_equal(bed.virtio.door.device.config, was,
					    sizeof(was));
		}
	}
	door_is_sound("writes that were refused");
	door_serves();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-VQ-6", done, "writes to the configuration");
}

/* -- T-RING-2: the indices of the messages -------------------------------------------
 */

static void t_ring_2_message_index(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c += 2) {
		door_up(door_confs[c]);
		for (unsigned i = 0; i < 200; i++, done++) {
			struct virtio_driver *d = door_driver();
			uint32_t by = i < 100 ? 17 + i : i < 132 ? 1u << (i - 100) : -i;

			if (by <= 16)
				continue;
			shared_hook_reads = 0;
			virtio_driver_raw_put(d, d->put + by);
			door_run();
			assert_true(shared_hook_reads <= 12);
			door_is_wrong("an index that cannot be");
			assert_int_equal(bed.virtio.door.msg.taken, d->put + by);
			door_recovers();
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-RING-2", done, "indices of messages");
}

/* A driver that never takes what the device says, or says it took what never was: it
 * hears no more, and its disk serves. */
static void t_ring_2_device_queue_never_drained(void **state)
{
	static const uint32_t values[] = {0, 1, 100, 1u << 31, UINT32_MAX};
	uint64_t done = 0;

	(void)state;
	for (unsigned v = 0; v < COUNT(values); v++) {
		struct virtio_driver *d = door_driver();

		door_up(door_confs[v % DOORS]);
		le32_release(d->page + DRIVER_DEVICE_TAKEN, d->taken + values[v]);
		for (unsigned i = 0; i < 40; i++, done++) {
			uint8_t m[DRIVER_MESSAGE] = {0, 7, 0, 0, 1, 0, 8};

			virtio_driver_put(d, m, sizeof(m));
			door_run();
			door_serves();
			bed.bytes -= 4096;
			blk_resize(&bed.blk);
			blk_virtio_resized(&bed.virtio);
			door_run();
		}
		assert_true(bed.virtio.door.msg.put - d->taken <= 16);
		door_is_sound("a device that is not listened to");
		bed.conf.slow = false;
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-RING-2", done, "messages to one who does not listen");
}

/* -- T-EVT-1 -------------------------------------------------------------------------
 */

static uint64_t stormed;

static void storm_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(bed.back, p);
	uint8_t *page = door_driver()->page;
	uint8_t m[DRIVER_MESSAGE] = {0, 7, 0, 0, 1, 0, 8};

	(void)k;
	(void)len;
	if (at != page + DRIVER_DRIVER_PUT)
		return;
	for (unsigned i = 0; i < 16; i++)
		memcpy(page + DRIVER_DRIVER_SLOT + 64 * i, m, sizeof(m));
	le32_release(page + DRIVER_DRIVER_PUT, bed.virtio.door.msg.taken + 16);
	le32_release(page + DRIVER_DEVICE_TAKEN, bed.virtio.door.msg.put);
	stormed++;
}

/* One who puts messages as fast as they are taken, without an event: they wait for one,
 * and an event has 16 of them taken. */
static void t_evt_1_storm_of_messages(void **state)
{
	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		door_up(door_confs[c]);
		shared_hook = storm_hook;
		for (unsigned i = 0; i < 1000; i++) {
			uint64_t before = bed.virtio.door.msg.messages;

			loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
			door_run();
			assert_int_equal(bed.virtio.door.msg.messages, before + 16);
			assert_false(virtio_door_pending(&bed.virtio.door));
		}
		shared_hook = NULL;
		door_is_sound("a storm");
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-EVT-1", stormed, "looks that found more messages");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_vq_1_set_vqueue_after_driver_ok),
		HOSTILE(t_vq_1_another_queue_after_driver_ok),
		HOSTILE(t_vq_1_journal_of_a_running_device),
		HOSTILE(t_vq_1_status_out_of_order),
		HOSTILE(t_vq_1_features),
		HOSTILE(t_vq_2_lengths_of_messages),
		HOSTILE(t_vq_2_message_longer_than_its_slot),
		HOSTILE(t_vq_2_headers_of_messages),
		HOSTILE(t_vq_6_queue_index),
		HOSTILE(t_vq_6_config_offsets),
		HOSTILE(t_vq_6_config_writes),
		HOSTILE(t_ring_2_message_index),
		HOSTILE(t_ring_2_device_queue_never_drained),
		HOSTILE(t_evt_1_storm_of_messages),
	};

	return cmocka_run_group_tests_name("virtio", tests, NULL, NULL);
}
