/* SPDX-License-Identifier: MIT */
/* When the door asks to be woken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/device/bed.h"

static struct bed bed;
static struct front_buf buf;

/* One request more; true if the front end has to send an event for it. */
static bool ask(unsigned id)
{
	uint32_t event = front_header(&bed.front)[1];

	front_rw(&bed.front, BLKIF_READ, id, 0, &buf, 1);
	front_push(&bed.front);
	return front_header(&bed.front)[0] == event;
}

static void turn(void)
{
	assert_int_equal(blk_pv_turn(&bed.pv, loopxen_now(bed.x)), 0);
}

/* Not before the loop waits: a turn alone asks for no event. */
static void armed_before_a_wait(void **state)
{
	struct front_rsp rsp;

	(void)state;
	bed_up(&bed, &(struct bed_conf){0});
	buf = front_buf(&bed.front, false);
	assert_int_equal(bed_run(&bed), 0);
	assert_true(ask(0));
	assert_true(blk_pv_pending(&bed.pv));
	turn();
	assert_true(front_answer(&bed.front, &rsp));
	assert_false(blk_pv_pending(&bed.pv));
	assert_false(ask(1));
	assert_true(blk_pv_pending(&bed.pv));
	assert_true(blk_pv_arm(&bed.pv)); /* it came before */
	turn();
	assert_true(front_answer(&bed.front, &rsp));
	assert_false(blk_pv_arm(&bed.pv));
	assert_true(ask(2));
	assert_int_equal(bed_run(&bed), 0);
	assert_true(front_answer(&bed.front, &rsp));
	assert_int_equal(bed_down(&bed), 0);
	assert_false(blk_pv_arm(&bed.pv));
	assert_false(blk_pv_pending(&bed.pv));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(armed_before_a_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
