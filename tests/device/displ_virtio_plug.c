/* SPDX-License-Identifier: MIT */
/* The virtio door of a display: what is plugged into its heads, and how a driver learns
 * of it, whatever it does meanwhile. */
#include <string.h>

#include "tests/device/displ-virtio-cases.h"

#define EVENTS offsetof(struct virtio_gpu_config, events_read)
#define CLEAR  offsetof(struct virtio_gpu_config, events_clear)

static void plug(uint32_t unplugged)
{
	bed.unplugged = unplugged;
	displ_virtio_unplugged(&bed.virtio, unplugged);
	displ_bed_run(&bed);
	virtio_driver_poll(&bed.vfront.driver);
}

static uint32_t events(void)
{
	uint8_t bytes[4];
	uint32_t generation;

	assert_true(virtio_driver_get_config(&bed.vfront.driver, EVENTS, sizeof(bytes),
					     bytes, &generation));
	return virtio_le32(bytes);
}

/* With the generation that it has now, as Linux's bus asks for it. */
static bool clear(uint32_t offset, uint32_t mask, uint32_t n)
{
	uint8_t bytes[8] = {0};
	uint32_t generation;
	bool accepted;

	assert_true(virtio_driver_get_config(&bed.vfront.driver, EVENTS, 4, bytes,
					     &generation));
	virtio_put32(bytes, mask);
	assert_true(virtio_driver_set_config(&bed.vfront.driver, generation, offset,
					     bytes, n, &accepted));
	displ_bed_run(&bed);
	virtio_driver_poll(&bed.vfront.driver);
	return accepted;
}

static void assert_cleared(void)
{
	assert_true(clear(CLEAR, VIRTIO_GPU_EVENT_DISPLAY, 4));
}

/* Heads, bits, that the driver is told to be enabled. */
static uint32_t asks(void)
{
	struct virtio_gpu_ctrl_hdr c = {.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO};
	struct virtio_gpu_resp_display_info info;
	struct gpu_answer a;
	uint32_t enabled = 0;

	assert_int_equal(gpu_ask(&c, sizeof(c), sizeof(info), &a),
			 VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	memcpy(&info.pmodes, a.behind, sizeof(info.pmodes));
	for (uint32_t i = 0; i < VIRTIO_GPU_MAX_SCANOUTS; i++)
		enabled |= !!info.pmodes[i].enabled << i;
	virtio_driver_poll(&bed.vfront.driver);
	return enabled;
}

static unsigned told(void)
{
	return bed.vfront.driver.events;
}

static void up(uint32_t heads)
{
	gpu_up(&(struct displ_bed_conf){.heads = heads});
	virtio_driver_poll(&bed.vfront.driver);
}

/* Out, and in again: an event each, until it was asked and cleared. */
static void out_and_in(void **state)
{
	unsigned before;

	(void)state;
	up(2);
	assert_int_equal(events(), 0);
	assert_int_equal(asks(), 3);
	before = told();
	plug(2);
	assert_int_equal(told(), before + 1);
	assert_int_equal(events(), VIRTIO_GPU_EVENT_DISPLAY);
	assert_int_equal(asks(), 1);
	assert_int_equal(events(), VIRTIO_GPU_EVENT_DISPLAY);
	assert_cleared();
	assert_int_equal(events(), 0);
	plug(2);
	assert_int_equal(told(), before + 1);
	plug(0);
	assert_int_equal(told(), before + 2);
	assert_int_equal(asks(), 3);
	assert_cleared();
	assert_int_equal(events(), 0);
	assert_int_equal(told(), before + 2);
	assert_int_equal(bed.virtio.stats.plugs, 2);
	gpu_down();
}

/* What is shown is shown, whether somebody sees it or not. */
static void it_shows_on(void **state)
{
	(void)state;
	up(1);
	gpu_picture(1, 0x112233);
	gpu_show(1);
	plug(1);
	assert_true(displ_bed_sees(&bed, 0, 0x112233));
	gpu_picture(2, 0x445566);
	gpu_show(2);
	assert_true(displ_bed_sees(&bed, 0, 0x445566));
	gpu_down();
}

/* It cleared the event before it asked; or it asked, and then it was another one. */
static void none_is_missed(void **state)
{
	unsigned before;

	(void)state;
	up(1);
	plug(1);
	before = told();
	assert_cleared();
	assert_int_equal(told(), before + 1);
	assert_int_equal(events(), VIRTIO_GPU_EVENT_DISPLAY);
	assert_int_equal(asks(), 0);
	plug(0);
	assert_cleared();
	assert_int_equal(events(), VIRTIO_GPU_EVENT_DISPLAY);
	assert_int_equal(asks(), 1);
	assert_cleared();
	assert_int_equal(events(), 0);
	gpu_down();
}

/* Nothing else is written there, nor anywhere else; other bits are no event's. */
static void what_is_written(void **state)
{
	(void)state;
	up(1);
	plug(1);
	assert_int_equal(asks(), 0);
	assert_false(clear(EVENTS, 0, 4));
	assert_false(clear(CLEAR, 1, 2));
	assert_false(clear(CLEAR, 1, 8));
	assert_false(clear(CLEAR + 4, 1, 4));
	assert_true(clear(CLEAR, ~VIRTIO_GPU_EVENT_DISPLAY, 4));
	assert_int_equal(events(), VIRTIO_GPU_EVENT_DISPLAY);
	assert_true(clear(CLEAR, ~0u, 4));
	assert_int_equal(events(), 0);
	gpu_down();
}

/* A driver that begins asks by itself. */
static void a_reset_forgets(void **state)
{
	(void)state;
	up(1);
	plug(1);
	assert_int_equal(events(), VIRTIO_GPU_EVENT_DISPLAY);
	assert_true(virtio_driver_set_status(&bed.vfront.driver, 0));
	bed.chains = (struct vchains){0};
	assert_true(vfront_ready(&bed.vfront));
	assert_int_equal(events(), 0);
	assert_int_equal(asks(), 0);
	gpu_down();
}

static void follow(uint32_t unplugged)
{
	displ_bed_kill(&bed);
	bed.unplugged = unplugged;
	assert_int_equal(displ_bed_follow(&bed), 0);
	virtio_driver_poll(&bed.vfront.driver);
}

/* Who follows tells what the driver does not know, and nothing else. */
static void who_follows(void **state)
{
	(void)state;
	up(2);
	assert_string_equal(displ_bed_back_key(&bed, "unplugged-0"), "0");
	follow(0);
	assert_int_equal(events(), 0);
	follow(2);
	assert_int_equal(events(), VIRTIO_GPU_EVENT_DISPLAY);
	/* It died before it was asked. */
	follow(2);
	assert_int_equal(events(), VIRTIO_GPU_EVENT_DISPLAY);
	assert_int_equal(asks(), 1);
	assert_string_equal(displ_bed_back_key(&bed, "unplugged-0"), "2");
	assert_cleared();
	follow(2);
	assert_int_equal(events(), 0);
	follow(0);
	assert_int_equal(events(), VIRTIO_GPU_EVENT_DISPLAY);
	assert_int_equal(asks(), 3);
	assert_cleared();
	gpu_down();
}

/* What is not ours to say of it is not taken for anything. */
static void what_is_kept_is_checked(void **state)
{
	static const char *const lies[] = {"4", "18446744073709551615", "-1", "",
					   "1 1"};
	char path[160];

	(void)state;
	for (unsigned i = 0; i < COUNT(lies); i++) {
		up(2);
		displ_bed_kill(&bed);
		loopxen_path(&bed.dev, STORE_BACK, "unplugged-0", path, sizeof(path));
		assert_true(loopxen_write(bed.x, bed.dev.back, path, lies[i]));
		assert_int_equal(displ_bed_follow(&bed), 0);
		assert_int_equal(bed.virtio.told, 0);
		gpu_down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_and_in),
		cmocka_unit_test(it_shows_on),
		cmocka_unit_test(none_is_missed),
		cmocka_unit_test(what_is_written),
		cmocka_unit_test(a_reset_forgets),
		cmocka_unit_test(who_follows),
		cmocka_unit_test(what_is_kept_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
