/* SPDX-License-Identifier: MIT */
#include "tests/hostile/hostile.h"

struct bed bed;

int hostile_reset(void **state)
{
	(void)state;
	shared_hook = NULL;
	shared_hook_after = NULL;
	shared_hook_before_write = NULL;
	return 0;
}

void hostile_up(struct bed_conf conf)
{
	bed_up(&bed, &conf);
	memset(bed_disk(&bed, 0), 0x99, (size_t)BED_SECTORS * 512);
}

void hostile_reconnect(void)
{
	assert_int_equal(bed.pv.state, BLK_PV_DOWN);
	assert_true(bed_disconnect(&bed));
	bed.broken = bed.detached = 0;
	bed.why = NULL;
	assert_int_equal(blk_pv_offer(&bed.pv), 0);
	assert_int_equal(bed_connect(&bed, false), 0);
}

void hostile_restart(bool attach)
{
	assert_int_equal(bed_start(&bed), 0);
	if (!attach)
		assert_true(bed_disconnect(&bed));
	bed.broken = bed.detached = 0;
	bed.why = NULL;
	assert_int_equal(bed_connect(&bed, attach), 0);
}

void hostile_serves(void)
{
	struct front_buf buf = front_buf(&bed.front, false);

	memset(buf.page, 0x42, 4096);
	front_rw(&bed.front, BLKIF_WRITE, 4242, 8000, &buf, 1);
	assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	assert_memory_equal(bed_disk(&bed, 8000), buf.page, 4096);
}

void hostile_untouched(void)
{
	for (size_t i = 0; i < (size_t)BED_SECTORS * 512; i += 512) {
		if (i / 512 < 8000 || i / 512 > 8007)
			assert_int_equal(bed_disk(&bed, 0)[i], 0x99);
	}
}

unsigned hostile_answers(struct front_rsp *rsp, unsigned max)
{
	unsigned n = 0;

	while (n < max && front_answer(&bed.front, &rsp[n]))
		n++;
	return n;
}
