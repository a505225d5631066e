/* SPDX-License-Identifier: MIT */
/* T-RES-1: a display allocates nothing once it is open, through either door, whatever
 * its client does and however often it comes and goes. */
#include "tests/device/displ-virtio-cases.h"
#include "tests/hostile/memory.h"
#include "tests/hostile/tally.h"

#define OK	 VIRTIO_GPU_RESP_OK_NODATA
#define RESOURCE VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID

#define CLIENTS	 4  /* one after another */
#define PICTURES 60 /* of each, twice */

/* A process, up to its offer: what it does from now on is counted. */
static void begin(enum policy_door door)
{
	displ_bed_init(&bed, &(struct displ_bed_conf){.door = door,
						      .heads = 2,
						      .size = {WIDTH, HEIGHT}});
	displ_bed_start(&bed);
	memory = (struct memory){.counts = true};
}

/* One more client, of whom nothing is counted. */
static void end(uint64_t done, const char *what)
{
	memory.counts = false;
	assert_int_equal(memory.calls, 0);
	assert_int_equal(displ_bed_connect(&bed), 0);
	assert_int_equal(displ_bed_down(&bed), 0);
	tally("T-RES-1", done, what);
}

static void client_goes(void)
{
	bed.door->detach(&bed);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(bed.door->is_down(&bed));
	assert_true(bed.door->front_disconnect(&bed));
}

static void pv_flips(void)
{
	displ_bed_show(&bed);
	for (unsigned i = 0; i < PICTURES; i++) {
		assert_int_equal(displ_bed_flip(&bed, 0, 2 - i % 2), 0);
		displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
		assert_int_equal(displ_bed_event(&bed, 0), 2 - i % 2);
		assert_true(displ_bed_flip(&bed, 0, 77) < 0);
	}
	assert_int_equal(displ_bed_unattach(&bed, 1), 0);
	assert_int_equal(displ_bed_destroy(&bed, 0), 0);
	assert_true(displ_bed_attach(&bed, 9, 5, WIDTH, HEIGHT, 0x34325258u) < 0);
}

/* [utest->req~serving-allocates-nothing~1] */
static void t_res_1_no_allocation_by_pv(void **state)
{
	(void)state;
	begin(POLICY_PV);
	for (unsigned c = 0; c < CLIENTS; c++) {
		assert_int_equal(displ_bed_connect(&bed), 0);
		pv_flips();
		client_goes();
	}
	end(CLIENTS * PICTURES, "flips without an allocation");
}

static void virtio_flips(void)
{
	struct gpu_answer a;

	gpu_picture(1, 0x111111);
	gpu_picture(2, 0x222222);
	for (unsigned i = 0; i < PICTURES; i++) {
		assert_int_equal(gpu_set(0, 2 - i % 2, ALL), OK);
		assert_int_equal(gpu_transfer(2 - i % 2, ALL, 0), OK);
		gpu_send_flush(2 - i % 2, ALL, true);
		displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
		assert_true(gpu_back(0, sizeof(a.hdr), &a));
		assert_int_equal(a.hdr.type, OK);
		assert_int_equal(gpu_set(1, 1, RECT(i % 64, 0, 64, 64)), OK);
		gpu_cursor(0, 1, i, i, true);
		gpu_cursor(0, 0, i + 1, i, false);
		assert_int_equal(gpu_unref(77), RESOURCE);
	}
}

/* A chain that is wrong, and the reset that follows. */
static void virtio_resets(void)
{
	const uint8_t bytes[1] = {0};

	gpu_send(0, bytes, sizeof(bytes), 0);
	displ_bed_run(&bed);
	assert_true(virtio_driver_set_status(&bed.vfront.driver, 0));
	bed.chains = (struct vchains){0};
	assert_true(vfront_ready(&bed.vfront));
}

/* As a successor, but for being the same process. */
static void virtio_follows(void)
{
	displ_virtio_detach(&bed.virtio);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_int_equal(displ_virtio_connect(&bed.virtio, true, loopxen_now(bed.x)),
			 0);
	assert_int_equal(gpu_flush(1, ALL), OK);
}

/* [utest->req~serving-allocates-nothing~1] */
static void t_res_1_no_allocation_by_virtio(void **state)
{
	(void)state;
	begin(POLICY_VIRTIO);
	for (unsigned c = 0; c < CLIENTS; c++) {
		assert_int_equal(displ_bed_connect(&bed), 0);
		virtio_flips();
		virtio_resets();
		virtio_flips();
		virtio_follows();
		client_goes();
	}
	end(CLIENTS * 2 * PICTURES, "page flips of virtio-gpu without an allocation");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_res_1_no_allocation_by_pv),
		cmocka_unit_test(t_res_1_no_allocation_by_virtio),
	};

	return cmocka_run_group_tests_name("hostile_displ_memory", tests, NULL, NULL);
}
