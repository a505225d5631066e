/* SPDX-License-Identifier: MIT */
#include "tests/device/can-cases.h"

struct can_bed bed;
struct can_bed_conf variant;

static const struct {
	const char *name;
	struct can_bed_conf conf;
} doors[] = {
	{"pv", {.door = POLICY_PV}},
	{"pv, 8 pages", {.door = POLICY_PV, .front.order = 3}},
	{"pv, late", {.door = POLICY_PV, .front.late_ack = true}},
	{"virtio, pool",
	 {.door = POLICY_VIRTIO, .mode = POLICY_POOL, .front.late_ack = true}},
	{"virtio, pool, plain",
	 {.door = POLICY_VIRTIO, .mode = POLICY_POOL, .front.plain = true}},
	{"virtio, grant",
	 {.door = POLICY_VIRTIO,
	  .mode = POLICY_GRANT,
	  .data_pages = 64,
	  .front.late_ack = true,
	  .front.grant = true}},
	{"virtio, grant, plain",
	 {.door = POLICY_VIRTIO,
	  .mode = POLICY_GRANT,
	  .data_pages = 64,
	  .front.grant = true,
	  .front.plain = true}},
};

const struct can_front_words *words(void)
{
	return &bed.front->ops->words;
}

void up_as(const struct can_bed_conf *conf)
{
	can_bed_up(&bed, conf);
}

/* Up and started. */
void on_as(const struct can_bed_conf *conf)
{
	up_as(conf);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
}

void on(void)
{
	on_as(&variant);
}

void down(void)
{
	assert_int_equal(can_bed_down(&bed), 0);
	assert_int_equal(bed.broken, 0);
}

void run(void)
{
	assert_int_equal(can_bed_run(&bed), 0);
}

void run_now(void)
{
	assert_int_equal(can_bed_run_now(&bed), 0);
}

void assert_no_answer(void)
{
	struct can_front_answer answer;

	assert_false(can_bed_answer(&bed, &answer));
}

/* The next answer to a frame is this. */
void assert_answer(uint16_t id, enum can_status status)
{
	struct can_front_answer answer;

	assert_true(can_bed_answer(&bed, &answer));
	assert_int_equal(answer.id, id);
	assert_int_equal(answer.status, can_bed_says(&bed, status));
}

void assert_controlled(uint16_t id)
{
	struct can_front_answer answer;

	assert_true(bed.front->ops->controlled(bed.front, &answer));
	assert_int_equal(answer.id, id);
	assert_int_equal(answer.status, CAN_OK);
}

void assert_nothing_came(void)
{
	struct can_event event;

	assert_false(can_bed_event(&bed, &event));
}

/* As the wire says it: without BRS and ESI, if it cannot. */
static struct canfd_frame said(const struct canfd_frame *frame)
{
	struct canfd_frame out = *frame;

	if (!words()->brs)
		out.flags &= CANFD_FDF;
	return out;
}

void assert_came(const struct canfd_frame *frame, bool own)
{
	struct canfd_frame want = said(frame);
	struct can_event event;

	assert_true(can_bed_event(&bed, &event));
	assert_int_equal(event.kind, CAN_EVENT_FRAME);
	assert_true(can_frame_is(&event.frame, &want));
	if (words()->own)
		assert_int_equal(event.own, own);
}

void assert_state(enum can_state state)
{
	struct can_event event;

	if (!words()->events && state != CAN_STATE_IS_BUS_OFF)
		return;
	assert_true(can_bed_event(&bed, &event));
	assert_int_equal(event.kind, CAN_EVENT_STATE);
	assert_int_equal(event.state, state);
}

void assert_lost(uint32_t frames)
{
	struct can_event event;

	if (!words()->events)
		return;
	assert_true(can_bed_event(&bed, &event));
	assert_int_equal(event.kind, CAN_EVENT_LOST);
	assert_int_equal(event.lost, frames);
}

/* One of each form; @flags as the wire can say them. */
struct canfd_frame some_frame(unsigned i)
{
	static const uint8_t lens[] = {0, 1, 7, 8};
	static const uint8_t fd_lens[] = {0, 8, 12, 16, 20, 24, 32, 48, 64};
	canid_t id = i % 2 ? CAN_EFF_FLAG | (0x12345678 - i) : 0x7ff - i % 0x700;
	struct canfd_frame frame;

	if (i % 5 == 4)
		return can_frame_rtr(id, (uint8_t)(i % 9));
	if (i % 3 == 2) {
		frame = can_frame_of_fd(id, fd_lens[i % COUNT(fd_lens)], i * 0x1010307);
		if (words()->brs)
			frame.flags |= i % 4 ? CANFD_BRS : CANFD_ESI;
		return frame;
	}
	return can_frame(id, lens[i % COUNT(lens)], i * 0x1010307);
}

void assert_refused(const struct canfd_frame *frame, enum can_status status)
{
	uint32_t seen = bed.test.nseen;

	assert_int_equal(can_bed_ask(&bed, frame), can_bed_says(&bed, status));
	assert_int_equal(bed.test.nseen, seen);
}

static const struct can_case *table;

static void run_case(void **state)
{
	unsigned long i = (unsigned long)(uintptr_t)*state;

	variant = doors[i % 16].conf;
	table[i / 16].run();
}

int can_cases_run(const char *name, const struct can_case *cases, unsigned n)
{
	static struct CMUnitTest tests[COUNT(doors) * CAN_CASES_MAX];
	static char names[COUNT(doors) * CAN_CASES_MAX][64];

	assert_true(n <= CAN_CASES_MAX);
	table = cases;
	for (unsigned i = 0; i < n * COUNT(doors); i++) {
		unsigned c = i / COUNT(doors), d = i % COUNT(doors);

		snprintf(names[i], sizeof(names[i]), "%s: %s", cases[c].name,
			 doors[d].name);
		tests[i] = (struct CMUnitTest){
			.name = names[i],
			.test_func = run_case,
			.initial_state = (void *)(uintptr_t)(c * 16 + d),
		};
	}
	return _cmocka_run_group_tests(name, tests, n * COUNT(doors), NULL, NULL);
}
