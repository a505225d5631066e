/* SPDX-License-Identifier: MIT */
/*
 * The virtio door of a display: each call to what is below it fails, once, in a
 * device's whole life and while a successor comes up.
 *
 * What fails below ends a process, and the next one goes on; what the client did wrong,
 * or what comes late, ends nothing. Whichever it was, each command is answered, and
 * well, what was shown is seen in the end, and nothing is left.
 */
#include <errno.h>
#include <stdio.h>

#include "tests/device/displ-virtio-cases.h"

#define OK	 VIRTIO_GPU_RESP_OK_NODATA
#define RESOURCE VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID

#define SIDE 16 /* of a pointer */

static const struct row {
	enum loopxen_verb verb;
	int result;
} rows[] = {
	{LOOPXEN_MAP_RING, GRANTS_REFUSED}, {LOOPXEN_MAP_RING, GRANTS_BAD},
	{LOOPXEN_MAP_RING, GRANTS_LATE},    {LOOPXEN_MAP_RING, -EPIPE},
	{LOOPXEN_MAP_POOL, GRANTS_REFUSED}, {LOOPXEN_MAP_POOL, GRANTS_BAD},
	{LOOPXEN_MAP_POOL, GRANTS_BUSY},    {LOOPXEN_MAP_POOL, GRANTS_LATE},
	{LOOPXEN_MAP_POOL, -EPIPE},	    {LOOPXEN_UNMAP, -EPIPE},
	{LOOPXEN_BIND, EVTCHN_BAD},	    {LOOPXEN_BIND, -EPIPE},
	{LOOPXEN_UNBIND, -EPIPE},	    {LOOPXEN_NOTIFY, -EPIPE},
	{LOOPXEN_READ, STORE_LATE},	    {LOOPXEN_READ, -EPIPE},
	{LOOPXEN_WRITE, STORE_FULL},	    {LOOPXEN_WRITE, -EPIPE},
};

/* -- What its host does -------------------------------------------------------------
 */

/* @r came of an attach: it may have to be asked for again, or by another one: once. */
static void go_on(int r)
{
	if (r == -EAGAIN) {
		r = displ_virtio_connect(&bed.virtio, true, loopxen_now(bed.x));
	} else if (r < 0) {
		displ_bed_kill(&bed);
		r = displ_bed_follow(&bed);
	}
	assert_int_equal(r, 0);
	displ_bed_run(&bed);
}

static unsigned successors;

static void succeed(void)
{
	successors++;
	displ_bed_kill(&bed);
	go_on(displ_bed_follow(&bed));
}

/* The front end takes all back, and begins anew. */
static void connect_anew(void)
{
	assert_int_equal(loopxen_back_holds(bed.back), 0);
	assert_true(vfront_disconnect(&bed.vfront));
	assert_int_equal(displ_bed_connect(&bed), 0);
}

static void connect_in_the_end(void)
{
	int r = displ_bed_connect(&bed);

	if (r == -EAGAIN) {
		r = displ_virtio_connect(&bed.virtio, false, loopxen_now(bed.x));
		assert_int_equal(r, 0);
		assert_true(vfront_ready(&bed.vfront));
	}
	if (r < 0) {
		displ_bed_kill(&bed);
		displ_bed_start(&bed);
	}
	if (r)
		connect_anew();
}

/* -- A life -------------------------------------------------------------------------
 */

/* The next answer of a queue, when it comes. */
static struct gpu_answer answer(unsigned queue, uint32_t room)
{
	struct gpu_answer a;
	unsigned waited = 0;

	while (!gpu_back(queue, room, &a)) {
		assert_true(waited++ < 100);
		displ_bed_pass(&bed, CLOCK_MS);
	}
	return a;
}

/* Done by one, and again by who follows, it finds nothing. */
static void unref(uint32_t id)
{
	unsigned before = successors;
	uint32_t type = gpu_unref(id);

	assert_true(type == OK || (type == RESOURCE && successors != before));
}

static void a_pointer(void)
{
	struct driver_block image = gpu_block(SIDE * SIDE * 4);

	gpu_fill(&image, 0xff00ff00);
	assert_int_equal(gpu_create(9, FORMAT, SIDE, SIDE), OK);
	assert_int_equal(gpu_attach(9, &image, 4096), OK);
	assert_int_equal(gpu_transfer(9, RECT(0, 0, SIDE, SIDE), 0), OK);
	/* Beside what is seen. */
	gpu_send_cursor(0, 9, WIDTH, 0, true);
	answer(1, 0);
	gpu_send_cursor(0, 0, WIDTH, 8, false);
	answer(1, 0);
	unref(9);
}

/* Each command, in the end of which both heads show picture 2. */
static void work(void)
{
	gpu_picture(1, 0x111111);
	gpu_show(1);
	gpu_picture(2, 0x222222);
	a_pointer();
	assert_int_equal(gpu_set(0, 2, ALL), OK);
	gpu_send_flush(2, ALL, true);
	assert_int_equal(answer(0, sizeof(struct virtio_gpu_ctrl_hdr)).hdr.type, OK);
	assert_int_equal(gpu_set(1, 2, ALL), OK);
	assert_int_equal(gpu_detach(1), OK);
	unref(1);
}

static void assert_seen(void)
{
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_int_equal(bed.virtio.door.error, 0);
	assert_true(displ_bed_sees(&bed, 0, 0x222222));
	assert_true(displ_bed_sees(&bed, 1, 0x222222));
	assert_int_equal(gpu_unref(1), RESOURCE);
	assert_int_equal(gpu_unref(9), RESOURCE);
}

static void begin(void)
{
	displ_bed_init(&bed, &(struct displ_bed_conf){.door = POLICY_VIRTIO,
						      .heads = 2,
						      .size = {WIDTH, HEIGHT}});
	displ_bed_start(&bed);
	gpu_failed = succeed;
}

/* Each returns whether the fault is left, which then was beyond the last call. */

/* While it connects and works; another one finds what was kept. */
static bool while_it_works(const struct row *row, unsigned n)
{
	bool left;

	begin();
	loopxen_fail(bed.x, row->verb, n, row->result);
	connect_in_the_end();
	work();
	left = loopxen_fail_left(bed.x, row->verb);
	succeed();
	assert_seen();
	assert_int_equal(displ_bed_down(&bed), 0);
	return left;
}

/* While a successor comes up, to which everything is as it was. */
static bool while_it_follows(const struct row *row, unsigned n)
{
	bool left;
	int r;

	begin();
	assert_int_equal(displ_bed_connect(&bed), 0);
	work();
	displ_bed_kill(&bed);
	loopxen_fail(bed.x, row->verb, n, row->result);
	r = displ_bed_follow(&bed);
	if (r > 0) { /* the client's own loss */
		connect_anew();
		work();
	} else {
		go_on(r);
	}
	left = loopxen_fail_left(bed.x, row->verb);
	assert_seen();
	assert_int_equal(displ_bed_down(&bed), 0);
	return left;
}

/* While it lets go of its client. */
static bool while_it_ends(const struct row *row, unsigned n)
{
	bool left;

	begin();
	assert_int_equal(displ_bed_connect(&bed), 0);
	work();
	loopxen_fail(bed.x, row->verb, n, row->result);
	displ_virtio_detach(&bed.virtio);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	left = loopxen_fail_left(bed.x, row->verb);
	if (!bed.virtio.door.error) {
		assert_int_equal(displ_bed_down(&bed), 0);
		return left;
	}
	assert_false(left);
	assert_int_equal(bed.detached, 0);
	displ_bed_kill(&bed);
	assert_true(vfront_disconnect(&bed.vfront));
	assert_int_equal(displ_bed_fini(&bed), 0);
	return left;
}

/* Each call of each row; there are @least at least. */
static void each_call(bool (*part)(const struct row *row, unsigned n), unsigned least)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < COUNT(rows); i++) {
		for (unsigned n = 0; !part(&rows[i], n); n++)
			failed++;
	}
	gpu_failed = NULL;
	printf("# %u calls failed\n", failed);
	assert_true(failed >= least);
}

static void each_call_fails_while_it_works(void **state)
{
	(void)state;
	each_call(while_it_works, 90);
}

static void each_call_fails_while_it_follows(void **state)
{
	(void)state;
	each_call(while_it_follows, 50);
}

static void each_call_fails_while_it_ends(void **state)
{
	(void)state;
	each_call(while_it_ends, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_fails_while_it_works),
		cmocka_unit_test(each_call_fails_while_it_follows),
		cmocka_unit_test(each_call_fails_while_it_ends),
	};

	return cmocka_run_group_tests_name("displ_virtio_faults", tests, NULL, NULL);
}
