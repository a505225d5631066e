/* SPDX-License-Identifier: MIT */
/*
 * T-SND-1 on the virtio door: a client breaks its own stream at most, and is answered,
 * or its device needs a reset.
 */
#include <string.h>

#include "tests/device/snd-virtio-cases.h"
#include "tests/hook/shared-hook.h"
#include "tests/hostile/tally.h"

static const uint32_t edges[] = {
	0,     1,	   2,	       3,	   4,	       959,
	960,   961,	   SIZE - 1,   SIZE,	   SIZE + 1,   4096,
	65535, 0x7fffffff, 0x80000000, 0xfffff000, 0xfffffffc, 0xffffffff,
};

static void up(void)
{
	vsnd_up(&(struct snd_bed_conf){0});
}

/* It is served as if nothing had been. */
static void assert_well(void)
{
	struct vsnd_client client;
	uint64_t heard;

	vsnd_order(SND_VFRONT_STOP, 0);
	assert_int_equal(vsnd_order(SND_VFRONT_RELEASE, 0) == SND_VFRONT_OK,
			 bed.virtio.stream[0].state == SND_VIRTIO_SET);
	vsnd_collect(&(struct vsnd_client){0});
	snd_bed_pass(&bed, 50 * CLOCK_MS);
	vsnd_open(&client, 0, &vsnd_plain);
	heard = bed.host[0].nheard;
	vsnd_start(&client);
	vsnd_play(&client, 50 * CLOCK_MS);
	assert_heard(0, heard, 0, 40 * 192);
	vsnd_stop(&client);
}

static void assert_needs_reset(void)
{
	assert_true(bed.virtio.door.device.status & VIRTIO_NEEDS_RESET);
	assert_int_equal(bed.card.stream[0].state, SND_STATE_CLOSED);
	assert_true(virtio_driver_set_status(&bed.vfront.v.driver, 0));
	snd_vfront_forget(&bed.vfront);
	assert_true(vfront_ready(&bed.vfront.v));
}

/* -- Orders ------------------------------------------------------------------------ */

/* A stream or control that is not there, of each order. */
static void t_snd_1_ids_that_are_not(void **state)
{
	uint64_t done = 0;

	(void)state;
	up();
	for (uint32_t code = SND_VFRONT_PREPARE; code <= SND_VFRONT_STOP; code++) {
		for (unsigned i = 0; i < COUNT(edges); i++) {
			if (edges[i] < 2)
				continue;
			assert_int_equal(vsnd_order(code, edges[i]),
					 SND_VFRONT_BAD_MSG);
			done++;
		}
	}
	for (unsigned i = 0; i < COUNT(edges); i++) {
		if (edges[i] < 2)
			continue;
		assert_int_equal(vsnd_set(edges[i], &vsnd_plain), SND_VFRONT_BAD_MSG);
		done++;
	}
	for (uint32_t code = SND_VFRONT_CTL_READ; code <= SND_VFRONT_CTL_TLV_READ;
	     code++) {
		for (unsigned i = 0; i < COUNT(edges); i++) {
			if (edges[i] < 4)
				continue;
			assert_int_equal(vsnd_order(code, edges[i]),
					 SND_VFRONT_BAD_MSG);
			done++;
		}
	}
	assert_well();
	vsnd_down();
	tally("T-SND-1", done, "ids that are not");
}

/* start + count that wraps, sizes of 0 and of all, and too little room. */
static void t_snd_1_every_range_of_items(void **state)
{
	static const struct {
		uint32_t code, have;
	} kinds[] = {{SND_VFRONT_JACK_INFO, 2},
		     {SND_VFRONT_PCM_INFO, 2},
		     {SND_VFRONT_CHMAP_INFO, 10},
		     {SND_VFRONT_CTL_INFO, 4}};
	uint64_t done = 0;

	(void)state;
	up();
	for (unsigned k = 0; k < COUNT(kinds); k++) {
		for (unsigned s = 0; s < COUNT(edges); s++) {
			for (unsigned c = 0; c < COUNT(edges); c++) {
				static const uint32_t sizes[] = {0,   1,   32,
								 256, 257, 0xffffffff};
				struct vsnd_answer a;

				for (unsigned z = 0; z < COUNT(sizes); z++) {
					uint64_t last = (uint64_t)edges[s] + edges[c];
					uint64_t bytes = (uint64_t)edges[c] * sizes[z];
					bool ok = last <= kinds[k].have && sizes[z] &&
						  sizes[z] <= 256 && bytes <= 512;
					uint32_t got =
						vsnd_info(kinds[k].code, edges[s],
							  edges[c], sizes[z], 516, &a);

					assert_int_equal(got, ok ? SND_VFRONT_OK
								 : SND_VFRONT_BAD_MSG);
					assert_int_equal(a.len, 4 + (ok ? bytes : 0));
					done++;
				}
			}
		}
	}
	assert_well();
	vsnd_down();
	tally("T-SND-1", done, "ranges of items");
}

/* Nothing that a number of SET_PARAMS may be does harm; what is refused changes
 * nothing. */
static void t_snd_1_every_parameter(void **state)
{
	uint64_t done = 0, refused = 0;

	(void)state;
	up();
	assert_int_equal(vsnd_set(0, &vsnd_plain), SND_VFRONT_OK);
	for (unsigned b = 0; b < COUNT(edges); b++) {
		for (unsigned p = 0; p < COUNT(edges); p++) {
			struct vsnd_params params = vsnd_plain;

			params.buffer = edges[b];
			params.period = edges[p];
			if (vsnd_set(0, &params) != SND_VFRONT_OK) {
				refused++;
				continue;
			}
			assert_true(edges[p] && edges[b] % edges[p] == 0 &&
				    edges[b] <= SND_BUFFER_MAX && edges[p] % 4 == 0);
			assert_int_equal(vsnd_order(SND_VFRONT_PREPARE, 0),
					 SND_VFRONT_OK);
			assert_int_equal(vsnd_order(SND_VFRONT_RELEASE, 0),
					 SND_VFRONT_OK);
			done++;
		}
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		for (unsigned which = 0; which < 4; which++) {
			struct vsnd_params params = {
				1048320, 87360,		 0,
				2,	 SND_VFRONT_S16, SND_VFRONT_HZ_48000};

			if (which == 0)
				params.channels = (uint8_t)byte;
			else if (which == 1)
				params.format = (uint8_t)byte;
			else if (which == 2)
				params.rate = (uint8_t)byte;
			else
				params.features = 1u << byte % 32;
			if (vsnd_set(0, &params) != SND_VFRONT_OK)
				refused++;
			done++;
		}
	}
	assert_true(refused > 1000);
	assert_well();
	vsnd_down();
	tally("T-SND-1", done + refused, "parameters");
}

/* Cut off at each byte; and each code there is not. */
static void t_snd_1_every_length_and_code(void **state)
{
	uint8_t bytes[SND_VFRONT_PARAMS] = {0};
	uint64_t done = 0;

	(void)state;
	up();
	for (uint32_t code = 0; code < 0x320; code++) {
		bool known = code == 1 || code == 2 ||
			     (code >= 0x100 && code <= 0x105) || code == 0x200 ||
			     (code >= 0x300 && code <= 0x306);

		le_put(bytes, 4, code);
		for (uint32_t n = 4; n <= sizeof(bytes); n += known ? 1 : 20) {
			uint32_t got = vsnd_ask(bytes, n, 4, NULL);

			assert_true(known ? got >= SND_VFRONT_OK
					  : got == SND_VFRONT_NOT_SUPP);
			if (n < 8)
				assert_true(got == SND_VFRONT_BAD_MSG || !known);
			done++;
		}
	}
	le_put(bytes, 4, SND_VFRONT_XRUN);
	assert_int_equal(vsnd_ask(bytes, 8, 4, NULL), SND_VFRONT_NOT_SUPP);
	assert_well();
	vsnd_down();
	tally("T-SND-1", done, "orders cut off, and codes there are not");
}

/* Controls: values past their ranges, and fewer than there are channels. */
static void t_snd_1_values_of_controls(void **state)
{
	uint8_t bytes[8 + 32];
	uint64_t done = 0;

	(void)state;
	up();
	for (uint32_t id = 0; id < 4; id++) {
		uint32_t max = id % 2 ? 1 : 96;

		for (unsigned i = 0; i < COUNT(edges); i++) {
			for (unsigned at = 0; at < 8; at++) {
				memset(bytes, 0, sizeof(bytes));
				le_put(bytes, 4, SND_VFRONT_CTL_WRITE);
				le_put(bytes + 4, 4, id);
				le_put(bytes + 8 + (size_t)4 * at, 4, edges[i]);
				assert_int_equal(
					vsnd_ask(bytes, sizeof(bytes), 4, NULL),
					edges[i] <= max ? SND_VFRONT_OK
							: SND_VFRONT_BAD_MSG);
				done++;
			}
		}
		for (uint32_t n = 8; n < sizeof(bytes); n++) {
			assert_int_equal(vsnd_ask(bytes, n, 4, NULL),
					 SND_VFRONT_BAD_MSG);
			done++;
		}
		le_put(bytes, 4, SND_VFRONT_CTL_READ);
		for (uint32_t room = 4; room < 36; room++) {
			assert_int_equal(vsnd_ask(bytes, 8, room, NULL),
					 SND_VFRONT_BAD_MSG);
			done++;
		}
	}
	vsnd_down();
	tally("T-SND-1", done, "values of controls");
}

/* -- Buffers ----------------------------------------------------------------------- */

/* What comes back of it, if something does. */
static uint32_t put(unsigned queue, const void *bytes, uint32_t n, uint32_t room)
{
	static uint8_t out[SND_BUFFER_MAX];
	uint32_t len, got = 0;
	uint16_t id;

	if (!snd_vfront_put(&bed.vfront, queue, 9, bytes, n, room))
		return 0;
	snd_bed_pass(&bed, 300 * CLOCK_MS);
	if (snd_vfront_back(&bed.vfront, queue, &id, out, sizeof(out), &len))
		got = (uint32_t)le_get(out + room - 8, 4);
	return got;
}

/* A status that has no place: a reset, for who posts it alone. */
static void t_snd_1_no_room_for_a_status(void **state)
{
	static const uint8_t zeros[64];
	uint64_t done = 0;

	(void)state;
	for (unsigned queue = SND_VFRONT_CONTROL; queue < SND_VFRONT_QUEUES; queue++) {
		uint32_t least = queue == SND_VFRONT_CONTROL ? 4 : 8;
		uint32_t reads = queue == SND_VFRONT_EVENT ? 0 : 4;

		for (uint32_t room = reads ? 0 : 1; room < least; room++) {
			up();
			snd_vfront_put(&bed.vfront, queue, 1, zeros, reads, room);
			snd_bed_run(&bed);
			assert_needs_reset();
			assert_well();
			vsnd_down();
			done++;
		}
		for (uint32_t n = 1; n < reads; n++) {
			up();
			snd_vfront_put(&bed.vfront, queue, 1, zeros, n, least);
			snd_bed_run(&bed);
			assert_needs_reset();
			vsnd_down();
			done++;
		}
	}
	up();
	snd_vfront_put(&bed.vfront, SND_VFRONT_EVENT, 1, zeros, 1, 8);
	snd_bed_run(&bed);
	assert_needs_reset();
	vsnd_down();
	tally("T-SND-1", done + 1, "chains without room");
}

/* Of a stream that is not this queue's, of any length, in any state. */
static void t_snd_1_buffers_that_cannot_be(void **state)
{
	static uint8_t bytes[4 + 70000];
	uint64_t done = 0;

	(void)state;
	for (unsigned prepared = 0; prepared < 2; prepared++) {
		struct vsnd_client plays, hears;

		up();
		if (prepared) {
			vsnd_open(&plays, 0, &vsnd_plain);
			vsnd_open(&hears, 1, &vsnd_plain);
			assert_int_equal(vsnd_order(SND_VFRONT_START, 0),
					 SND_VFRONT_OK);
			assert_int_equal(vsnd_order(SND_VFRONT_START, 1),
					 SND_VFRONT_OK);
		}
		for (unsigned i = 0; i < COUNT(edges); i++) {
			uint32_t n = edges[i];
			uint32_t ok = n <= SIZE && n % 4 == 0 ? SND_VFRONT_OK
							      : SND_VFRONT_BAD_MSG;

			le_put(bytes, 4, edges[i]);
			if (edges[i] != 0)
				assert_int_equal(
					put(SND_VFRONT_TX, bytes, 4 + PERIOD, 8),
					SND_VFRONT_BAD_MSG);
			if (edges[i] != 1)
				assert_int_equal(
					put(SND_VFRONT_RX, bytes, 4, PERIOD + 8),
					SND_VFRONT_BAD_MSG);
			done += 2;
			if (n > sizeof(bytes) - 4)
				continue;
			le_put(bytes, 4, 0);
			assert_int_equal(put(SND_VFRONT_TX, bytes, 4 + n, 8),
					 prepared ? ok : SND_VFRONT_IO_ERR);
			le_put(bytes, 4, 1);
			assert_int_equal(put(SND_VFRONT_RX, bytes, 4, n + 8),
					 prepared ? ok : SND_VFRONT_IO_ERR);
			done += 2;
		}
		/* What is to be read where there is to be written, and so on. */
		le_put(bytes, 4, 0);
		assert_int_equal(put(SND_VFRONT_TX, bytes, 4 + PERIOD, 12),
				 SND_VFRONT_BAD_MSG);
		le_put(bytes, 4, 1);
		assert_int_equal(put(SND_VFRONT_RX, bytes, 8, PERIOD + 8),
				 SND_VFRONT_BAD_MSG);
		vsnd_down();
	}
	tally("T-SND-1", done, "buffers that cannot be");
}

/* More buffers than a ring holds wait; none is lost, none overtakes. */
static void t_snd_1_more_than_a_ring(void **state)
{
	struct vsnd_client client;

	(void)state;
	up();
	vsnd_open(&client, 0, &vsnd_plain);
	for (unsigned i = 0; i < 60; i++)
		vsnd_send(&client, PERIOD);
	assert_int_equal(vsnd_order(SND_VFRONT_START, 0), SND_VFRONT_OK);
	snd_bed_pass(&bed, 400 * CLOCK_MS);
	vsnd_collect(&client);
	assert_int_equal(client.out, 0);
	assert_int_equal(client.failed, 0);
	assert_heard(0, 0, 0, 60 * PERIOD);
	vsnd_stop(&client);
	vsnd_down();
	tally("T-SND-1", 60, "buffers more than a ring holds");
}

/* -- Read once --------------------------------------------------------------------- */

static uint8_t *victim;
static uint64_t rewrites;

/* The client rewrites its order as soon as it was read. */
static void rewrite(uint64_t k, const volatile void *at, size_t n)
{
	(void)k;
	(void)at;
	if (n != SND_VFRONT_PARAMS)
		return;
	memset(victim, 0xff, SND_VFRONT_PARAMS);
	rewrites++;
}

static uint8_t *last_block(void)
{
	for (unsigned i = VCHAIN_BLOCKS; i; i--) {
		if (bed.vfront.chains.chain[i - 1].out)
			return bed.vfront.chains.chain[i - 1].block.at;
	}
	return NULL;
}

/* What was decided is what was read. */
static void t_snd_1_orders_read_once(void **state)
{
	uint8_t bytes[SND_VFRONT_PARAMS] = {0};
	struct driver_done done;

	(void)state;
	up();
	rewrites = 0;
	le_put(bytes, 4, SND_VFRONT_SET_PARAMS);
	le_put(bytes + 8, 4, SIZE);
	le_put(bytes + 12, 4, PERIOD);
	bytes[20] = 2;
	bytes[21] = SND_VFRONT_S16;
	bytes[22] = SND_VFRONT_HZ_48000;
	assert_true(vchain_put(&bed.vfront.chains, &bed.vfront.v, SND_VFRONT_CONTROL, 1,
			       bytes, sizeof(bytes), 4, 0));
	victim = last_block();
	shared_hook_after = rewrite;
	vfront_push(&bed.vfront.v);
	snd_bed_run(&bed);
	shared_hook_after = NULL;
	assert_true(rewrites > 0);
	assert_int_equal(
		driver_queue_get(&bed.vfront.v.queue[SND_VFRONT_CONTROL], &done),
		DRIVER_GOT);
	assert_int_equal(le_get(victim + sizeof(bytes), 4), SND_VFRONT_OK);
	assert_int_equal(bed.virtio.stream[0].config.size, SIZE);
	assert_int_equal(bed.virtio.stream[0].config.rate, 48000);
	snd_vfront_forget(&bed.vfront);
	vsnd_down();
	tally("T-SND-1", rewrites, "rewrites of an order");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_snd_1_ids_that_are_not),
		cmocka_unit_test(t_snd_1_every_range_of_items),
		cmocka_unit_test(t_snd_1_every_parameter),
		cmocka_unit_test(t_snd_1_every_length_and_code),
		cmocka_unit_test(t_snd_1_values_of_controls),
		cmocka_unit_test(t_snd_1_no_room_for_a_status),
		cmocka_unit_test(t_snd_1_buffers_that_cannot_be),
		cmocka_unit_test(t_snd_1_more_than_a_ring),
		cmocka_unit_test(t_snd_1_orders_read_once),
	};

	return cmocka_run_group_tests_name("snd_virtio", tests, NULL, NULL);
}
