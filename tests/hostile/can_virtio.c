/* SPDX-License-Identifier: MIT */
/*
 * T-CAN on the virtio door: frames, orders and receive buffers that cannot be, frames
 * of kinds that were not negotiated, frames while stopped, buffers that never come, and
 * what the policy denies. A message that there is none of is answered NOT_OK; a chain
 * that cannot be answered, or cannot hold what is to come, needs a reset.
 */
#include "tests/front/virtio-le.h"
#include "tests/hostile/vcan.h"

/* -- T-CAN-1 -------------------------------------------------------------------------
 */

/* Every length up to what a chain of this driver holds, of each kind of frame. */
static void t_can_1_lengths(void **state)
{
	static const uint32_t kinds[] = {0, FD, RTR, EXT, EXT | FD, EXT | RTR};
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		vcan_up(vcan_confs[c]);
		for (unsigned k = 0; k < COUNT(kinds); k++) {
			unsigned most = kinds[k] & FD ? 64 : 8;

			for (uint32_t n = 0; n <= UINT16_MAX;
			     n += n < 80 || (n > 2040 && n < 2060) ? 1 : 37, done++) {
				int result = vcan_frame(CAN_FRONT_TYPE_TX, n, kinds[k],
							0x123, n < 2048 ? n : 2048);

				assert_int_equal(result,
						 n <= most ? VCAN_OK : VCAN_NOT);
			}
		}
		vcan_is_sound("a length");
		vcan_serves();
		down();
	}
	tally("T-CAN-1", done, "lengths by virtio");
}

/* More is said to be there than is; a remote frame has nothing there. */
static void t_can_1_data_missing(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		vcan_up(vcan_confs[c]);
		for (uint32_t data = 0; data <= 64; data++) {
			for (uint32_t n = 0; n <= 64; n++, done++) {
				uint32_t fd = n > 8 || data % 2 ? FD : 0;

				assert_int_equal(vcan_frame(CAN_FRONT_TYPE_TX, n, fd,
							    0x123, data),
						 n <= data ? VCAN_OK : VCAN_NOT);
			}
		}
		for (uint32_t n = 0; n <= 8; n++)
			assert_int_equal(
				vcan_frame(CAN_FRONT_TYPE_TX, n, RTR, 0x123, 0),
				VCAN_OK);
		vcan_is_sound("data that are not there");
		down();
	}
	tally("T-CAN-1", done, "frames without their data");
}

/* Each of 32 bits of flags beside each of those that exist. */
static void t_can_1_flags(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		vcan_up(vcan_confs[c]);
		for (uint32_t known = 0; known < 8; known++) {
			for (unsigned bit = 0; bit < 33; bit++, done++) {
				uint32_t flags = known << 13 |
						 (bit < 32 ? UINT32_C(1) << bit : 0);
				bool good = !(flags & ~(uint32_t)(EXT | FD | RTR)) &&
					    (flags & (FD | RTR)) != (FD | RTR);

				assert_int_equal(vcan_frame(CAN_FRONT_TYPE_TX, 4, flags,
							    0x123, 4),
						 good ? VCAN_OK : VCAN_NOT);
			}
		}
		vcan_is_sound("flags");
		vcan_serves();
		down();
	}
	tally("T-CAN-1", done, "flags by virtio");
}

/* Of an identifier each bit counts: none is dropped, and none read as a flag. */
static void t_can_1_identifiers(void **state)
{
	static const uint32_t ids[] = {0x7ff,	   0x800,      0x1fffffff, 0x20000000,
				       0x3fffffff, 0x40000000, 0x80000123, 0xffffffff};
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		struct can_bed_conf conf = vcan_confs[c];

		conf.transmit = "all";
		vcan_up(conf);
		for (unsigned i = 0; i < COUNT(ids) + 32; i++) {
			uint32_t id = i < 32 ? UINT32_C(1) << i | 0x23 : ids[i - 32];

			for (uint32_t known = 0; known < 8; known++, done++) {
				uint32_t flags = known << 13;
				uint32_t most = flags & EXT ? 0x1fffffff : 0x7ff;
				bool good = id <= most &&
					    (flags & (FD | RTR)) != (FD | RTR);
				canid_t want = id | (flags & EXT ? CAN_EFF_FLAG : 0) |
					       (flags & RTR ? CAN_RTR_FLAG : 0);

				assert_int_equal(
					vcan_frame(CAN_FRONT_TYPE_TX, 1, flags, id, 1),
					good ? VCAN_OK : VCAN_NOT);
				if (good)
					assert_int_equal(
						bed.test.seen[bed.test.nseen - 1]
							.can_id,
						want);
			}
		}
		vcan_is_sound("identifiers");
		down();
	}
	tally("T-CAN-1", done, "identifiers by virtio");
}

/* Every type that there may be, on both queues that have one. */
static void t_can_1_types(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		vcan_up(vcan_confs[c]);
		for (uint32_t type = c; type <= UINT16_MAX;
		     type += type < 0x400 ? 1 : 251, done += 2) {
			bool order = type == CAN_FRONT_TYPE_START ||
				     type == CAN_FRONT_TYPE_STOP;

			if (order)
				continue;
			assert_int_equal(vcan_frame((uint16_t)type, 4, 0, 0x123, 4),
					 type == CAN_FRONT_TYPE_TX ? VCAN_OK
								   : VCAN_NOT);
			assert_int_equal(vcan_order((uint16_t)type), VCAN_NOT);
			assert_true(bed.can.started);
		}
		assert_int_equal(vcan_order(CAN_FRONT_TYPE_STOP), VCAN_OK);
		assert_false(bed.can.started);
		assert_int_equal(vcan_order(CAN_FRONT_TYPE_START), VCAN_OK);
		vcan_is_sound("types");
		vcan_serves();
		down();
	}
	tally("T-CAN-1", done, "types");
}

/* A message that is not there as a whole, or that cannot be answered; one that is
 * longer than it need be is fine. */
static void t_can_1_chains(void **state)
{
	static const uint8_t start[64] = {0x01, 0x02};
	uint8_t frame[64];
	uint64_t done = 0;

	(void)state;
	can_front_header_put(frame, CAN_FRONT_TYPE_TX, 0, 0, 0x123);
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		vcan_up(vcan_confs[c]);
		for (unsigned queue = CAN_FRONT_TX; queue < CAN_FRONT_QUEUES; queue++) {
			uint32_t least = queue == CAN_FRONT_TX ? CAN_FRONT_HEADER : 2;

			if (queue == CAN_FRONT_RX)
				continue;
			for (uint32_t n = 0; n < 24; n++, done++) {
				uint32_t room = n == 23 ? 0 : 1 + n % 3;
				bool good = n >= least && room;
				int result = vcan_ask(
					queue, queue == CAN_FRONT_TX ? frame : start, n,
					room);

				if (good) {
					assert_int_equal(result, VCAN_OK);
					vcan_is_sound("a longer message");
					continue;
				}
				assert_int_equal(result, VCAN_NONE);
				vcan_is_wrong("a message cut short");
				vcan_recovers();
			}
		}
		assert_int_equal(can_bed_down(&bed), 0);
	}
	tally("T-CAN-1", done, "messages cut short");
}

/* Kinds that were refused at FEATURES_OK are neither sent nor told. */
static void t_can_1_kinds_that_were_not_negotiated(void **state)
{
	static const uint64_t refuses[] = {
		CAN_FRONT_F_FD,
		CAN_FRONT_F_RTR,
		CAN_FRONT_F_FD | CAN_FRONT_F_RTR,
		CAN_FRONT_F_CLASSIC | CAN_FRONT_F_RTR,
	};
	const struct canfd_frame heard[] = {
		can_frame(0x77, 4, 1),
		can_frame_of_fd(0x77, 4, 1),
		can_frame_rtr(0x77, 4),
	};
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT(refuses) * VCAN_DOORS; i++) {
		uint64_t r = refuses[i / VCAN_DOORS];
		const bool may[] = {!(r & CAN_FRONT_F_CLASSIC), !(r & CAN_FRONT_F_FD),
				    !(r & CAN_FRONT_F_RTR)};
		static const uint32_t flags[] = {0, FD, RTR};

		vcan_up_without(vcan_confs[i % VCAN_DOORS], r);
		assert_int_equal(vcan_order(CAN_FRONT_TYPE_START), VCAN_OK);
		can_bed_post(&bed, 8);
		for (unsigned k = 0; k < 3; k++, done += 2) {
			assert_int_equal(
				vcan_frame(CAN_FRONT_TYPE_TX, 4, flags[k], 0x123, 4),
				may[k] ? VCAN_OK : VCAN_NOT);
			can_bus_test_hear(&bed.test, &heard[k]);
			run();
			if (may[k])
				assert_came(&heard[k], false);
			assert_nothing_came();
		}
		vcan_is_sound("a kind");
		down();
	}
	tally("T-CAN-1", done, "frames of kinds that were not negotiated");
}

/* Neither kind of frame, or remote frames without classic ones. */
static void t_can_1_features_that_cannot_be(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		const uint64_t wanted = i;
		struct can_bed_conf conf = vcan_confs[i % VCAN_DOORS];
		bool good = wanted & 3 && (!(wanted & 4) || wanted & 1);

		can_bed_init(&bed, &conf);
		vcan_front()->refuses = ~wanted & 15;
		bed.front->conf.late_ack = true;
		assert_int_equal(can_bed_start(&bed), 0);
		assert_int_equal(can_bed_connect(&bed, false), good ? 0 : -1);
		assert_int_equal(bed.virtio.door.device.status, good ? 15 : 3);
		assert_int_equal(bed.virtio.door.device.stats.wrong, 0);
		assert_int_equal(bed.virtio.connected, good);
		down();
	}
	tally("T-CAN-1", 16, "sets of features");
}

/* -- T-CAN-2 -------------------------------------------------------------------------
 */

static void t_can_2_frames_while_stopped(void **state)
{
	struct canfd_frame other = can_frame(1, 2, 3);
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		struct can_bed_conf conf = vcan_confs[c];

		conf.operations = (struct policy_rate){1000, 1};
		up_as(&conf);
		for (unsigned round = 0; round < 3; round++) {
			uint64_t start = loopxen_now(bed.x);

			can_bed_post(&bed, 4);
			for (unsigned i = 0; i < 200; i++, done++) {
				assert_int_equal(vcan_frame(CAN_FRONT_TYPE_TX, i % 9,
							    i % 2 ? FD : 0, 0x123, 8),
						 VCAN_NOT);
				can_bus_test_hear(&bed.test, &other);
			}
			/* They pay as if they were sent. */
			assert_in_range(loopxen_now(bed.x) - start, 199 * SECOND / 1000,
					201 * SECOND / 1000);
			assert_int_equal(bed.test.bus.waiting, 0);
			assert_nothing_came();
			vcan_serves();
			assert_int_equal(vcan_order(CAN_FRONT_TYPE_STOP), VCAN_OK);
		}
		down();
	}
	tally("T-CAN-2", done, "frames while stopped, by virtio");
}

/* START and STOP without end pay like all else, and so does what they cancel; what is
 * kept is written no more often. */
static void t_can_2_start_stop_storm(void **state)
{
	uint64_t asked = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		struct can_bed_conf conf = vcan_confs[c];
		struct canfd_frame frame = can_frame(0x123, 8, 1);
		uint64_t start, answered, writes;

		conf.operations = (struct policy_rate){100, 10};
		on_as(&conf);
		start = loopxen_now(bed.x);
		answered = bed.virtio.door.device.stats.answers;
		writes = loopxen_calls(bed.x, LOOPXEN_WRITE);
		while (loopxen_now(bed.x) - start < 5 * SECOND) {
			struct can_front_answer answer;

			for (unsigned i = 0; i < 32; i++) {
				const struct can_front_ops *ops = bed.front->ops;

				asked += i % 16 == 15
						 ? ops->control(bed.front, 0, i == 31)
						 : ops->send(bed.front, 0, &frame);
			}
			bed.front->ops->push(bed.front);
			run_now();
			while (can_bed_answer(&bed, &answer) ||
			       bed.front->ops->controlled(bed.front, &answer))
				;
			loopxen_advance(bed.x, 10000000);
		}
		answered = bed.virtio.door.device.stats.answers - answered;
		/* Two queues' worth may be owed for, or worked before it is paid for.
		 */
		assert_in_range(answered, 500 - 256, 500 + 10 + 256);
		assert_true(loopxen_calls(bed.x, LOOPXEN_WRITE) - writes <= 500 + 10);
		assert_true(bed.test.nseen <= 500 + 10);
		run();
		vcan_is_sound("a storm");
		assert_int_equal(can_bed_down(&bed), 0);
	}
	tally("T-CAN-2", asked, "messages of a storm of START and STOP");
}

/* -- T-CAN-3 -------------------------------------------------------------------------
 */

/* No buffer ever: the bus goes on, and so does what the client sends; nothing is kept
 * busy by it. */
static void t_can_3_buffers_never_posted(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		struct canfd_frame frame = can_frame(0x123, 8, 1);
		struct can_bed_conf conf = vcan_confs[c];
		uint64_t reads;

		conf.receive_queue = 16;
		vcan_up(conf);
		for (unsigned i = 0; i < 5000; i++, done++) {
			struct canfd_frame other = can_frame(i % 0x700, 8, i);

			can_bus_test_hear(&bed.test, &other);
			if (i % 50)
				continue;
			assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
		}
		run();
		assert_int_equal(bed.can.stats.lost, 5000 - 16);
		assert_int_equal(bed.virtio.stats.events, 0);
		reads = shared_hook_reads;
		for (unsigned i = 0; i < 100; i++) {
			loopxen_advance(bed.x, SECOND);
			run();
		}
		assert_int_equal(shared_hook_reads, reads);
		can_bed_post(&bed, 20);
		run();
		for (unsigned i = 5000 - 16; i < 5000; i++) {
			struct canfd_frame other = can_frame(i % 0x700, 8, i);

			assert_came(&other, false);
		}
		assert_nothing_came();
		down();
	}
	tally("T-CAN-3", done, "frames for a client that posts no buffers");
}

/* As many as a queue holds, and never one again. */
static void t_can_3_buffers_never_returned(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		struct canfd_frame frame = can_frame(0x123, 8, 1);
		struct can_event event;
		unsigned came = 0;

		vcan_up(vcan_confs[c]);
		can_bed_post(&bed, CAN_VIRTIO_QUEUE_SIZE);
		for (unsigned i = 0; i < 400; i++, done++) {
			struct canfd_frame other = can_frame(i, 8, i);

			can_bus_test_hear(&bed.test, &other);
			run();
			if (i % 40 == 0)
				assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
		}
		while (can_bed_event(&bed, &event))
			assert_int_equal(event.frame.can_id, came++);
		assert_int_equal(came, CAN_VIRTIO_QUEUE_SIZE);
		vcan_is_sound("buffers that do not come back");
		vcan_serves();
		down();
	}
	tally("T-CAN-3", done, "frames for a client that keeps its buffers");
}

/* Every room up to what is needed, with FD frames and without: whole or wrong. */
static void t_can_3_buffers_too_small(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < VCAN_DOORS * 2; i++) {
		bool fd = i / VCAN_DOORS;
		uint32_t least = CAN_FRONT_HEADER + (fd ? 64 : 8);
		struct canfd_frame other = can_frame(1, 8, 3);

		vcan_up_without(vcan_confs[i % VCAN_DOORS], fd ? 0 : CAN_FRONT_F_FD);
		for (uint32_t room = 1; room <= least + 8; room++, done++) {
			assert_int_equal(vcan_order(CAN_FRONT_TYPE_START), VCAN_OK);
			can_front_chain(vcan_front(), CAN_FRONT_RX, 0, "", 0, room);
			bed.front->ops->push(bed.front);
			can_bus_test_hear(&bed.test, &other);
			run();
			if (room >= least) {
				assert_came(&other, false);
				continue;
			}
			vcan_is_wrong("a buffer that is too small");
			assert_nothing_came();
			vcan_recovers();
			assert_int_equal(vcan_order(CAN_FRONT_TYPE_STOP), VCAN_OK);
			while (bed.virtio.posted[CAN_VIRTIO_RX].first) {
				struct can_event event;

				/* What vcan_serves() left there. */
				assert_int_equal(vcan_order(CAN_FRONT_TYPE_START),
						 VCAN_OK);
				can_bus_test_hear(&bed.test, &other);
				run();
				while (can_bed_event(&bed, &event))
					;
			}
		}
		vcan_is_sound("a buffer");
		assert_int_equal(can_bed_down(&bed), 0);
	}
	tally("T-CAN-3", done, "sizes of a buffer");
}

/* In as many pieces as there may be, and with bytes to read before them. */
static void t_can_3_buffers_in_pieces(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		/* In grant mode each piece needs a page of the copy area. */
		unsigned most = vcan_confs[c].mode == POLICY_GRANT ? 40 : 81;
		struct canfd_frame other = can_frame_of_fd(0x44, 64, 3);

		for (unsigned pieces = 1; pieces < most; pieces++, done++) {
			struct vfront *v = &vcan_front()->v;
			struct driver_block block;
			struct driver_sg sg[82];

			if (pieces == 1)
				vcan_up(vcan_confs[c]);
			block = driver_pool_get(&v->pool, 128, 1);
			sg[0] = (struct driver_sg){block.addr + 100, 5};
			for (unsigned i = 0; i < pieces; i++)
				sg[1 + i] = (struct driver_sg){block.addr + i, 1};
			sg[pieces].len = 81 - pieces;
			driver_queue_add(&v->queue[CAN_FRONT_RX], sg, 1, pieces,
					 pieces + 1, 0);
			bed.front->ops->push(bed.front);
			can_bus_test_hear(&bed.test, &other);
			run();
			assert_int_equal(driver_queue_used_idx(&v->queue[CAN_FRONT_RX]),
					 pieces);
			assert_memory_equal(block.at + 16, other.data, 64);
			assert_int_equal(le_get(block.at, 2), CAN_FRONT_TYPE_RX);
			driver_queue_get(&v->queue[CAN_FRONT_RX],
					 &(struct driver_done){0});
			driver_pool_put(&v->pool, &block);
		}
		vcan_is_sound("a buffer in pieces");
		down();
	}
	tally("T-CAN-3", done, "buffers in pieces");
}

/* -- T-CAN-4 -------------------------------------------------------------------------
 */

static void t_can_4_denied(void **state)
{
	uint64_t denied = 0;

	(void)state;
	for (unsigned c = 0; c < VCAN_DOORS; c++) {
		struct can_bed_conf conf = vcan_confs[c];

		conf.transmit = "100-10f,7f0:7f0,00000100";
		vcan_up(conf);
		for (uint32_t id = c; id <= 0x7ff; id += 3) {
			for (uint32_t flags = 0; flags < 2; flags++) {
				bool good = flags ? id == 0x100
						  : id >> 4 == 0x10 || id >> 4 == 0x7f;

				assert_int_equal(vcan_frame(CAN_FRONT_TYPE_TX, 1,
							    flags ? EXT : 0, id, 1),
						 good ? VCAN_OK : VCAN_NOT);
				denied += !good;
			}
		}
		vcan_is_sound("what is denied");
		down();
	}
	tally("T-CAN-4", denied, "frames that the policy denies, by virtio");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VCAN(t_can_1_lengths),
		VCAN(t_can_1_data_missing),
		VCAN(t_can_1_flags),
		VCAN(t_can_1_identifiers),
		VCAN(t_can_1_types),
		VCAN(t_can_1_chains),
		VCAN(t_can_1_kinds_that_were_not_negotiated),
		VCAN(t_can_1_features_that_cannot_be),
		VCAN(t_can_2_frames_while_stopped),
		VCAN(t_can_2_start_stop_storm),
		VCAN(t_can_3_buffers_never_posted),
		VCAN(t_can_3_buffers_never_returned),
		VCAN(t_can_3_buffers_too_small),
		VCAN(t_can_3_buffers_in_pieces),
		VCAN(t_can_4_denied),
	};

	return cmocka_run_group_tests_name("can_virtio", tests, NULL, NULL);
}
