/* SPDX-License-Identifier: MIT */
/*
 * The virtio door of a CAN controller: resets, ends and deaths while everything is out
 * (T-LIFE-1), bytes that change while they are read (T-RING-1), buffers that cannot be
 * reached (T-GNT-1), and orders without end (T-EVT-1).
 */
#include "tests/front/virtio-le.h"
#include "tests/hostile/vcan.h"

#define OUT	  20 /* frames */
#define IN_FLIGHT 8
#define POSTED	  (CAN_VIRTIO_QUEUE_SIZE - 1)

/* -- T-LIFE-1 ------------------------------------------------------------------------
 */

/* Frames given to the bus, written by it and waiting for it; buffers, and an order that
 * waits to be kept. Nobody will take a frame off the bus. */
static void everything_out(unsigned door, unsigned in_flight)
{
	struct can_bed_conf conf = vcan_confs[door];

	conf.in_flight = in_flight;
	conf.front.late_ack = true;
	vcan_up(conf);
	bed.test.holds = bed.test.mute = true;
	can_bed_post(&bed, POSTED);
	for (uint16_t i = 0; i < OUT; i++) {
		struct canfd_frame frame = can_frame(0x100u + i, 8, i);

		can_bed_send(&bed, i, &frame);
	}
	run();
	for (unsigned i = 0; i < 3; i++)
		can_bus_test_write(&bed.test, 0);
	run();
	assert_int_equal(bed.virtio.door.device.busy,
			 in_flight < OUT ? in_flight : OUT);
	assert_no_answer();
}

/* What the bus still does of it, and hears. */
static void bus_goes_on(void)
{
	struct canfd_frame other = can_frame(0x55, 8, 1);

	while (bed.test.nwritten)
		can_bus_test_echo(&bed.test);
	bed.test.holds = bed.test.mute = false;
	while (bed.test.bus.waiting)
		can_bus_test_write(&bed.test, 0);
	can_bus_test_hear(&bed.test, &other);
	bed.front->ops->kick(bed.front);
	run();
}

static void put_status(uint32_t status)
{
	struct virtio_driver *d = &vcan_front()->v.driver;
	uint8_t m[DRIVER_MESSAGE] = {0, DRIVER_SET_DEVICE_STATUS};

	le_put(m + 4, 2, 0x8001);
	le_put(m + 6, 2, DRIVER_HEADER + 4);
	le_put(m + DRIVER_HEADER, 4, status);
	assert_true(virtio_driver_put(d, m, DRIVER_HEADER + 4));
}

static bool reset_answered(void)
{
	uint8_t m[DRIVER_MESSAGE];

	while (virtio_driver_take(&vcan_front()->v.driver, m)) {
		if (m[0] == DRIVER_ANSWER && m[1] == DRIVER_SET_DEVICE_STATUS)
			return !le_get(m + DRIVER_HEADER, 4);
	}
	return false;
}

/* A reset waits neither for the bus nor for a buffer to be filled; afterwards memory is
 * the client's own. */
static void t_life_1_reset_with_everything_out(void **state)
{
	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		struct driver_pool *pool = &vcan_front()->v.pool;
		uint64_t start;

		everything_out(c, IN_FLIGHT);
		start = loopxen_now(bed.x);
		put_status(0);
		run_now();
		assert_true(reset_answered());
		assert_true(loopxen_now(bed.x) == start);
		assert_int_equal(bed.test.bus.waiting, 0);
		assert_string_equal(can_bed_back_key(&bed, "controller"), "0");
		memset(pool->at, 0xdd, pool->bytes);
		bus_goes_on();
		for (uint32_t i = 0; i < pool->bytes; i++)
			assert_int_equal(pool->at[i], 0xdd);
		vcan_is_sound("a reset");
		vcan_recovers();
		down();
	}
	tally("T-LIFE-1", VCAN_DOORS, "resets of a controller with everything out");
}

/* The keeper does not take what is to be kept when it is asked first: a reset is not
 * answered before it did. */
static void t_life_1_reset_is_kept_first(void **state)
{
	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		vcan_up(vcan_confs[c]);
		loopxen_fail(bed.x, LOOPXEN_WRITE, 0, STORE_FULL);
		put_status(0);
		run();
		assert_false(loopxen_fail_left(bed.x, LOOPXEN_WRITE));
		assert_true(reset_answered());
		assert_string_equal(can_bed_back_key(&bed, "controller"), "0");
		vcan_recovers();
		down();
	}
	tally("T-LIFE-1", VCAN_DOORS, "resets that waited to be kept");
}

/* Of one queue: done at once, whatever is on the bus; the others go on, and it does
 * when it is set up again. */
static void t_life_1_reset_vqueue_with_everything_out(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < VCAN_DOORS * CAN_FRONT_QUEUES; i++, done++) {
		unsigned queue = i / VCAN_DOORS;
		struct vfront *v = &vcan_front()->v;
		struct driver_queue *q = &v->queue[queue];
		uint64_t start;

		everything_out(i % VCAN_DOORS, IN_FLIGHT);
		start = loopxen_now(bed.x);
		assert_true(virtio_driver_reset_vqueue(&v->driver, queue));
		assert_true(loopxen_now(bed.x) == start);
		assert_false(bed.virtio.door.device.queue[queue].open);
		assert_true(bed.can.started);
		assert_int_equal(driver_queue_used_idx(q), 0 + (queue == 2));
		assert_int_equal(bed.virtio.door.device.busy, queue ? IN_FLIGHT : 0);
		bus_goes_on();
		driver_queue_init(q, q->size, q->event_idx,
				  (struct driver_block[]){q->desc, q->avail, q->used},
				  &v->pool);
		assert_true(virtio_driver_queue(&v->driver, queue, q));
		run();
		while (queue && driver_queue_used_idx(&v->queue[0]) < OUT)
			run();
		vcan_is_sound("RESET_VQUEUE");
		vcan_recovers();
		down();
	}
	tally("T-LIFE-1", done, "resets of a controller's queue");
}

/* It needs a reset, for one chain on whichever queue: all comes home, unanswered. */
static void t_life_1_wrong_with_everything_out(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < VCAN_DOORS * CAN_FRONT_QUEUES; i++, done++) {
		struct driver_queue *q = &vcan_front()->v.queue[i / VCAN_DOORS];
		uint16_t used;

		everything_out(i % VCAN_DOORS, OUT);
		used = driver_queue_used_idx(q);
		driver_queue_raw_avail(q, driver_queue_idx(q), q->size);
		driver_queue_raw_idx(q, (uint16_t)(driver_queue_idx(q) + 200));
		bed.front->ops->kick(bed.front);
		run();
		vcan_is_wrong("an index");
		assert_int_equal(driver_queue_used_idx(q), used);
		assert_int_equal(bed.virtio.door.device.busy, 0);
		bus_goes_on();
		vcan_recovers();
		assert_int_equal(can_bed_down(&bed), 0);
	}
	tally("T-LIFE-1", done, "controllers disabled with everything out");
}

/* A planned end, and a death, with everything out and a reset asked for or not. */
static void t_life_1_ends_with_everything_out(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < VCAN_DOORS * 4; i++, done++) {
		bool dies = i / VCAN_DOORS & 1, resets = i / VCAN_DOORS & 2;

		everything_out(i % VCAN_DOORS, IN_FLIGHT);
		if (resets)
			put_status(0);
		if (dies) {
			can_bed_kill(&bed);
		} else {
			can_bed_detach(&bed);
			run();
			assert_true(bed.door->is_down(&bed));
			can_bed_end(&bed);
		}
		bed.test.holds = bed.test.mute = false;
		assert_int_equal(can_bed_follow(&bed), 0);
		run();
		assert_int_equal(bed.virtio.door.device.stats.wrong, 0);
		if (resets) {
			assert_true(reset_answered());
			assert_no_answer();
		} else {
			assert_true(bed.can.started);
			for (uint16_t k = 0; k < OUT; k++)
				assert_answer(k, CAN_OK);
			assert_int_equal(
				bed.virtio.door.device.queue[CAN_VIRTIO_RX].started,
				POSTED);
		}
		vcan_recovers();
		down();
	}
	tally("T-LIFE-1", done, "ends of a controller with everything out");
}

/* -- T-RING-1 ------------------------------------------------------------------------
 */

static struct rewrite {
	uint64_t k;
	bool after, done;
	uint8_t with;
	int how; /* 0: all bytes are @with; 1: the last; 2: the first flips */
} rewrite;

static void rewrite_now(const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(bed.back, p);

	rewrite.done = true;
	if (!at)
		return;
	if (rewrite.how == 2)
		at[0] ^= rewrite.with;
	else if (rewrite.how == 1)
		at[len - 1] = rewrite.with;
	else
		memset(at, rewrite.with, len);
}

static void before_read(uint64_t k, const volatile void *p, size_t len)
{
	if (!rewrite.after && k == rewrite.k)
		rewrite_now(p, len);
}

static void after_read(uint64_t k, const volatile void *p, size_t len)
{
	if (rewrite.after && k == rewrite.k)
		rewrite_now(p, len);
}

/* Frames that may be sent and frames that may not, orders, buffers, and frames that are
 * heard: 0x180 to 0x18f, of which the client may hear none. */
static void scene(void)
{
	static const canid_t ids[] = {0x123, 0x7ff, 0x1ff | CAN_EFF_FLAG, 0x200};
	const struct can_front_ops *ops = bed.front->ops;

	ops->control(bed.front, 1, true);
	for (unsigned i = 0; i < 4; i++) {
		struct canfd_frame frame = i % 2 ? can_frame_of_fd(ids[i], 12, i)
						 : can_frame(ids[i], 8, i);
		struct canfd_frame other = can_frame(i % 2 ? 0x183 : 0x55, 8, i);

		ops->send(bed.front, (uint16_t)i, &frame);
		ops->post(bed.front);
		can_bus_test_hear(&bed.test, &other);
	}
	ops->push(bed.front);
	run();
	ops->control(bed.front, 2, false);
	ops->control(bed.front, 3, true);
	ops->push(bed.front);
	run();
}

/* Whatever was read, nothing is on the bus that may not be there, and nothing of what
 * the client may not hear is in its memory. */
static void nothing_leaked(void)
{
	for (uint32_t i = 0; i < bed.test.nseen; i++) {
		const struct canfd_frame *frame = &bed.test.seen[i];
		canid_t id = frame->can_id & CAN_EFF_MASK;
		bool fd = frame->flags & CANFD_FDF;

		if (!(frame->can_id & CAN_EFF_FLAG))
			assert_in_range(id, 0x100, 0x1ff);
		assert_false(frame->can_id & CAN_ERR_FLAG);
		assert_true(frame->len <= (fd ? 64 : 8));
		assert_false(fd && frame->can_id & CAN_RTR_FLAG);
	}
	assert_int_equal(bed.can.stats.received, bed.virtio.stats.events +
							 bed.virtio.stats.unfit +
							 bed.virtio.holds);
	assert_true(bed.can.stats.filtered <= 2);
}

static uint64_t rewritten(unsigned door, uint64_t k)
{
	static const uint8_t with[] = {0x00, 0xff, 0x80, 0x01};
	uint64_t done = 0;

	for (unsigned i = 0; i < COUNT(with) * 6; i++) {
		rewrite = (struct rewrite){.k = k,
					   .after = i % 2,
					   .how = (int)(i / 2 % 3),
					   .with = with[i / 6]};
		shared_hook_reads = 0;
		shared_hook = before_read;
		shared_hook_after = after_read;
		scene();
		shared_hook = shared_hook_after = NULL;
		nothing_leaked();
		done += rewrite.done;
		if (!rewrite.done)
			return 0; /* there are fewer reads */
		bed.can.stats.received = bed.virtio.stats.events = 0;
		bed.virtio.stats.unfit = bed.can.stats.filtered = 0;
		vcan_recovers();
		bed.can.stats.received = bed.virtio.stats.events = 0;
		assert_int_equal(vcan_order(CAN_FRONT_TYPE_STOP), VCAN_OK);
	}
	(void)door;
	return done;
}

static void t_ring_1_bytes_that_change(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		struct can_bed_conf conf = vcan_confs[c];
		uint64_t more = 1;

		conf.receive = "000-0ff";
		vcan_up(conf);
		assert_int_equal(vcan_order(CAN_FRONT_TYPE_STOP), VCAN_OK);
		for (uint64_t k = 0; more; k++, done += more)
			more = rewritten(c, k);
		assert_int_equal(can_bed_down(&bed), 0);
	}
	tally("T-RING-1", done, "rewrites of a read at a controller's door");
}

/* A header that is one frame when it is judged and another when it is sent: there is
 * but one copy of it. */
static uint8_t *victim;

static void swap_header(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(bed.back, p);

	(void)k;
	if (at == victim && len == CAN_FRONT_HEADER)
		le_put(at + 12, 4, 0x7ff);
}

static void t_ring_1_header_read_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct canfd_frame frame = can_frame(0x123, 8, i);

		if (i % 25 == 0)
			vcan_up(vcan_confs[0]);
		bed.front->ops->send(bed.front, 7, &frame);
		for (unsigned b = 0; b < VCHAIN_BLOCKS; b++) {
			if (vcan_front()->chains.chain[b].out)
				victim = vcan_front()->chains.chain[b].block.at;
		}
		shared_hook_after = swap_header;
		bed.front->ops->push(bed.front);
		run();
		shared_hook_after = NULL;
		assert_int_equal(le_get(victim + 12, 4), 0x7ff);
		assert_answer(7, CAN_OK);
		assert_int_equal(bed.test.seen[bed.test.nseen - 1].can_id, 0x123);
		if (i % 25 == 24)
			down();
	}
	tally("T-RING-1", 100, "headers that are another one after they were read");
}

/* -- T-GNT-1 -------------------------------------------------------------------------
 */

/* Pages that are not granted any more, or not for writing: answered without a word, and
 * neither sent nor told. */
static void t_gnt_1_buffers_out_of_reach(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < 2 * 3; i++, done++) {
		struct vfront *v = &vcan_front()->v;
		struct canfd_frame frame = can_frame(0x123, 8, 1);
		struct driver_queue *q;
		struct driver_block page;
		struct driver_done got;
		struct driver_sg sg[2];
		unsigned queue = i % 3;
		bool read_only = i / 3;
		struct gref ref;

		vcan_up(vcan_confs[2 + i % 2]);
		q = &v->queue[queue];
		page = driver_pool_get(&v->pool, 4096, 4096);
		ref.v = v->first.v + (uint32_t)((page.at - v->pool.at) / 4096);
		can_front_header_put(page.at, CAN_FRONT_TYPE_TX, 0, 0, 0x123);
		if (queue == CAN_FRONT_CONTROL)
			le_put(page.at, 2, CAN_FRONT_TYPE_STOP);
		assert_true(loopxen_revoke(bed.x, bed.dev.front, ref));
		if (read_only)
			loopxen_grant_as(bed.x, bed.dev.front, ref, page.at,
					 bed.dev.back, true);
		sg[0] = (struct driver_sg){page.addr, 16};
		sg[1] = (struct driver_sg){page.addr + 512, 100};
		driver_queue_add(q, queue == CAN_FRONT_RX ? sg + 1 : sg,
				 queue != CAN_FRONT_RX, 1, 1 + (queue != CAN_FRONT_RX),
				 0);
		bed.front->ops->push(bed.front);
		run();
		if (queue == CAN_FRONT_RX)
			can_bus_test_hear(&bed.test, &frame);
		run();
		while (driver_queue_get(q, &got) == DRIVER_GOT && got.len)
			;
		assert_int_equal(got.len, 0);
		assert_int_equal(bed.test.nseen, read_only && queue == CAN_FRONT_TX);
		assert_int_equal(bed.can.started,
				 !(read_only && queue == CAN_FRONT_CONTROL));
		vcan_is_sound("a page out of reach");
		if (read_only)
			assert_true(loopxen_revoke(bed.x, bed.dev.front, ref));
		loopxen_grant_as(bed.x, bed.dev.front, ref, page.at, bed.dev.back,
				 false);
		vcan_recovers();
		down();
	}
	tally("T-GNT-1", done, "messages of a controller out of reach");
}

/* What cannot be read and cannot be answered either. */
static void t_gnt_1_out_of_reach_and_cut_short(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct vfront *v = &vcan_front()->v;
		struct driver_queue *q;
		struct driver_block page;
		struct driver_sg sg;
		struct gref ref;

		vcan_up(vcan_confs[2 + i % 2]);
		q = &v->queue[i / 2 ? CAN_FRONT_CONTROL : CAN_FRONT_TX];
		page = driver_pool_get(&v->pool, 4096, 4096);
		ref.v = v->first.v + (uint32_t)((page.at - v->pool.at) / 4096);
		assert_true(loopxen_revoke(bed.x, bed.dev.front, ref));
		sg = (struct driver_sg){page.addr, 16};
		driver_queue_add(q, &sg, 1, 0, 1, 0);
		bed.front->ops->push(bed.front);
		run();
		vcan_is_wrong("neither read nor answered");
		loopxen_grant_as(bed.x, bed.dev.front, ref, page.at, bed.dev.back,
				 false);
		vcan_recovers();
		assert_int_equal(can_bed_down(&bed), 0);
	}
	tally("T-GNT-1", 4, "messages out of reach and cut short");
}

/* -- T-EVT-1 -------------------------------------------------------------------------
 */

/* One who takes each buffer as it comes back, and posts it again in the same moment: no
 * turn goes on for ever. */
static uint64_t reposts;

static void repost(uint64_t k, const volatile void *p, size_t len)
{
	struct driver_queue *q = &vcan_front()->v.queue[CAN_FRONT_RX];
	uint8_t *at = loopxen_back_client_view(bed.back, p);
	uint8_t bytes[CAN_FRONT_HEADER + 64];
	uint32_t n;
	uint16_t id;

	(void)k;
	(void)len;
	if (!at || at != q->avail.at + 2)
		return;
	while (can_front_back(vcan_front(), CAN_FRONT_RX, &id, bytes, sizeof(bytes),
			      &n)) {
		bed.front->ops->post(bed.front);
		reposts++;
	}
	driver_queue_publish(q);
}

static void t_evt_1_buffers_posted_at_once(void **state)
{
	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		struct can_bed_conf conf = vcan_confs[c];

		conf.receive_queue = 4096;
		vcan_up(conf);
		can_bed_post(&bed, CAN_VIRTIO_QUEUE_SIZE);
		run();
		for (unsigned i = 0; i < 2000; i++) {
			struct canfd_frame other = can_frame(i & 0x7ff, 8, i);

			can_bus_test_hear(&bed.test, &other);
		}
		shared_hook = repost;
		while (bed.virtio.stats.events < 2000) {
			uint64_t before = bed.virtio.stats.events;

			assert_int_equal(can_bed_turn(&bed), 0);
			assert_in_range(bed.virtio.stats.events - before, 1,
					CAN_VIRTIO_QUEUE_SIZE);
		}
		shared_hook = NULL;
		vcan_is_sound("buffers posted at once");
		vcan_recovers();
		assert_int_equal(can_bed_down(&bed), 0);
	}
	tally("T-EVT-1", reposts, "buffers posted while they are looked for");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VCAN(t_life_1_reset_with_everything_out),
		VCAN(t_life_1_reset_is_kept_first),
		VCAN(t_life_1_reset_vqueue_with_everything_out),
		VCAN(t_life_1_wrong_with_everything_out),
		VCAN(t_life_1_ends_with_everything_out),
		VCAN(t_ring_1_bytes_that_change),
		VCAN(t_ring_1_header_read_once),
		VCAN(t_gnt_1_buffers_out_of_reach),
		VCAN(t_gnt_1_out_of_reach_and_cut_short),
		VCAN(t_evt_1_buffers_posted_at_once),
	};

	return cmocka_run_group_tests_name("can_virtio_life", tests, NULL, NULL);
}
