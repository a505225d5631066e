/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tests/fuzz/can-input.h"
#include "tests/hook/shared-hook.h"

struct can_input can_input;

uint8_t can_input_byte(void)
{
	return can_input.at < can_input.end ? *can_input.at++ : 0;
}

uint16_t can_input_word(void)
{
	uint8_t low = can_input_byte();

	return (uint16_t)(can_input_byte() << 8 | low);
}

/* -- The hook -------------------------------------------------------------- */

static void rewrite_now(const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(can_input.bed->back, p);

	can_input.rewrite.set = false;
	if (!at)
		return;
	if (can_input.rewrite.flip)
		at[0] ^= can_input.rewrite.with;
	else
		memset(at, can_input.rewrite.with, len);
}

static void before_read(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (can_input.rewrite.set && !can_input.rewrite.after &&
	    !can_input.rewrite.left--)
		rewrite_now(p, len);
}

static void after_read(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (can_input.rewrite.set && can_input.rewrite.after &&
	    !can_input.rewrite.left--)
		rewrite_now(p, len);
}

void can_input_watch(struct can_bed *bed)
{
	can_input.bed = bed;
	can_input.rewrite.set = false;
	shared_hook = before_read;
	shared_hook_after = after_read;
}

void can_input_rewrite(void)
{
	uint8_t how = can_input_byte();

	can_input.rewrite.set = true;
	can_input.rewrite.after = how & 1;
	can_input.rewrite.flip = how & 2;
	can_input.rewrite.left = can_input_byte();
	can_input.rewrite.with = can_input_byte();
}

/* -- The bus --------------------------------------------------------------- */

void can_input_written(void)
{
	static const int results[] = {0, 0, 0, -EIO, -EMSGSIZE, -ENODEV};
	uint8_t how = can_input_byte();

	if (can_input.bed->test.bus.waiting)
		can_bus_test_write(&can_input.bed->test, results[how % 6]);
}

void can_input_echo(void)
{
	if (can_input.bed->test.nwritten)
		can_bus_test_echo(&can_input.bed->test);
}

void can_input_hear(void)
{
	struct canfd_frame frame = can_frame(can_input_word() & CAN_SFF_MASK, 8, 7);
	uint8_t how = can_input_byte();

	if (how & 1)
		frame.can_id |= CAN_EFF_FLAG;
	if (how & 2)
		frame = can_frame_of_fd(frame.can_id, 64, 9);
	for (unsigned n = how >> 2; n; n--)
		can_bus_test_hear(&can_input.bed->test, &frame);
}

void can_input_error(void)
{
	canid_t classes = can_input_word();

	can_bus_test_error(&can_input.bed->test, classes & CAN_ERR_MASK,
			   can_input_byte());
}

void can_input_down(void)
{
	can_bus_test_down(&can_input.bed->test);
}

void can_input_check_bus(void)
{
	struct can_bed *bed = can_input.bed;

	for (uint32_t i = 0; i < bed->test.nseen; i++) {
		const struct canfd_frame *frame = &bed->test.seen[i];

		assert(can_frame_ok(frame) && !bed->can_policy.listen_only);
		assert(can_rules_pass(&bed->can_policy.transmit, frame->can_id));
		assert(bed->can_policy.fd || !can_frame_fd(frame));
	}
	bed->test.nseen = 0;
}
