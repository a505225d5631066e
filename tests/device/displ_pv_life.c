/* SPDX-License-Identifier: MIT */
/* The PV door of a display: how it connects, ends, and goes on after a back end that
 * died. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "tests/device/displ-bed.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define EINVAL_ (-22)
#define XR24	0x34325258u

static struct displ_bed bed;
static const struct displ_rect all = {0, 0, 64, 64};

/* -- Connecting ------------------------------------------------------------ */

static void says_its_versions(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	assert_string_equal(displ_bed_back_key(&bed, "versions"), "1,2");
	assert_int_equal(displ_bed_down(&bed), 0);
}

static int connect_with(const char *key, const char *value)
{
	displ_bed_init(&bed, &(struct displ_bed_conf){.heads = 2});
	displ_bed_start(&bed);
	displ_front_connect(&bed.front);
	displ_front_key(&bed.front, key, value);
	return displ_pv_connect(&bed.pv, false, loopxen_now(bed.x));
}

static void end(void)
{
	displ_pv_fini(&bed.pv);
	displ_fini(&bed.displ);
	displ_scan_test_close(&bed.scan);
	loopxen_back_free(bed.back);
	assert_true(displ_front_disconnect(&bed.front));
	assert_int_equal(displ_bed_fini(&bed), 0);
}

static void refused(const char *key, const char *value)
{
	assert_int_equal(connect_with(key, value), KEYS_FAILED);
	assert_int_equal(loopxen_back_holds(bed.back), 0);
	end();
}

static void accepted(const char *key, const char *value)
{
	assert_int_equal(connect_with(key, value), 0);
	assert_int_equal(displ_bed_down(&bed), 0);
}

static void what_it_reads(void **state)
{
	(void)state;
	refused("version", "3");
	refused("version", "1,2");
	refused("0/req-ring-ref", "7777");
	refused("0/evt-ring-ref", NULL);
	refused("1/req-event-channel", "x");
	refused("1/evt-event-channel", NULL);
	/* More than the policy's: by either side. */
	refused("0/resolution", "65x64");
	refused("1/resolution", "64x65");
	accepted("version", "1");
	accepted("version", "2");
	accepted("0/resolution", "64x64");
	accepted("0/resolution", "nonsense");
	accepted("1/req-ring-ref", NULL);
	/* What is the client's to rewrite decides nothing. */
	accepted("0/unique-id", "another");
	accepted("be-alloc", "1");
}

static void none_of_its_connectors(void **state)
{
	(void)state;
	displ_bed_init(&bed, &(struct displ_bed_conf){.heads = 2});
	displ_bed_start(&bed);
	displ_front_connect(&bed.front);
	displ_front_key(&bed.front, "0/req-ring-ref", NULL);
	displ_front_key(&bed.front, "1/req-ring-ref", NULL);
	assert_int_equal(displ_pv_connect(&bed.pv, false, 0), KEYS_FAILED);
	end();
}

/* DBUF_CREATE, FB_ATTACH, SET_CONFIG, PG_FLIP and their opposites, all at once. */
static int connect_and_show(void)
{
	struct xendispl_req req[6] = {
		{.operation = XENDISPL_OP_DBUF_CREATE},
		{.operation = XENDISPL_OP_FB_ATTACH},
		{.operation = XENDISPL_OP_SET_CONFIG},
		{.operation = XENDISPL_OP_PG_FLIP},
		{.operation = XENDISPL_OP_FB_DETACH},
		{.operation = XENDISPL_OP_DBUF_DESTROY},
	};
	int r = displ_bed_connect(&bed);

	if (r)
		return r;
	displ_front_buffer(&bed.front, 0, 64 * 64 * 4, false);
	req[0].op.dbuf_create.dbuf_cookie = 1;
	req[0].op.dbuf_create.width = req[0].op.dbuf_create.height = 64;
	req[0].op.dbuf_create.bpp = 32;
	req[0].op.dbuf_create.buffer_sz = 64 * 64 * 4;
	req[0].op.dbuf_create.gref_directory = bed.front.buffer[0].list_ref[0].v;
	req[1].op.fb_attach.dbuf_cookie = req[1].op.fb_attach.fb_cookie = 1;
	req[1].op.fb_attach.width = req[1].op.fb_attach.height = 64;
	req[1].op.fb_attach.pixel_format = XR24;
	req[2].op.set_config.fb_cookie = 1;
	req[2].op.set_config.width = req[2].op.set_config.height = 64;
	req[2].op.set_config.bpp = 32;
	req[3].op.pg_flip.fb_cookie = 1;
	req[4].op.fb_detach.fb_cookie = 1;
	req[5].op.dbuf_destroy.dbuf_cookie = 1;
	for (unsigned i = 0; i < COUNT(req); i++)
		pv_pair_send(&bed.front.head[0], &req[i]);
	return displ_bed_pass(&bed, 4 * DISPL_TEST_BLANK);
}

/* Every call of every verb fails once while it connects and shows. */
static void each_call_fails_once(void **state)
{
	static const enum loopxen_verb verbs[] = {
		LOOPXEN_MAP,	LOOPXEN_MAP_RING, LOOPXEN_UNMAP, LOOPXEN_BIND,
		LOOPXEN_UNBIND, LOOPXEN_NOTIFY,	  LOOPXEN_READ,	 LOOPXEN_WRITE,
	};
	unsigned failed = 0;

	(void)state;
	for (unsigned v = 0; v < COUNT(verbs); v++) {
		for (unsigned n = 0; n < 64; n++) {
			int r;
			bool left;

			displ_bed_init(&bed, &(struct displ_bed_conf){0});
			displ_bed_start(&bed);
			loopxen_fail(bed.x, verbs[v], n, -EIO);
			r = connect_and_show();
			left = loopxen_fail_left(bed.x, verbs[v]);
			assert_int_equal(r, left ? 0 : -EIO);
			displ_bed_kill(&bed);
			displ_bed_fini(&bed);
			if (left)
				break;
			failed++;
		}
	}
	assert_true(failed >= 20);
}

/* xenstore is late while something is to be kept: the answer waits, and comes. */
static void nothing_is_answered_before_it_is_kept(void **state)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_FB_DETACH};
	struct xendispl_resp answer;

	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_show(&bed);
	req.op.fb_detach.fb_cookie = 1;
	loopxen_fail(bed.x, LOOPXEN_WRITE, 0, STORE_FULL);
	pv_pair_send(&bed.front.head[0], &req);
	displ_bed_run(&bed);
	assert_false(pv_pair_answer(&bed.front.head[0], &answer));
	displ_bed_pass(&bed, 2 * CLOCK_MS);
	assert_true(pv_pair_answer(&bed.front.head[0], &answer));
	assert_int_equal(answer.status, 0);
	assert_string_equal(displ_bed_back_key(&bed, "frame-0"), "none");
	assert_int_equal(displ_bed_down(&bed), 0);
}

/* -- Ends ------------------------------------------------------------------ */

/* Dark within one blank, and all is given back before that. */
static void a_client_that_goes(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_show(&bed);
	displ_pv_detach(&bed.pv);
	assert_int_equal(loopxen_back_holds(bed.back), 0);
	assert_int_equal(bed.detached, 0);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_int_equal(bed.detached, 1);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	assert_int_equal(displ_bed_down(&bed), 0);
}

/* What is in flight then is seen for one blank, and then no more. */
static void a_client_that_goes_while_it_flips(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_show(&bed);
	assert_int_equal(displ_bed_flip(&bed, 0, 2), 0);
	displ_pv_detach(&bed.pv);
	assert_int_equal(loopxen_back_holds(bed.back), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(bed.detached, 1);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	assert_int_equal(displ_bed_down(&bed), 0);
}

static void black_if_there_is_no_picture(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){.black = true});
	displ_bed_show(&bed);
	displ_pv_detach(&bed.pv);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0));
	assert_int_equal(displ_bed_down(&bed), 0);
}

/* A client that has nothing to show: at once. */
static void nothing_was_shown(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	displ_pv_detach(&bed.pv);
	assert_int_equal(bed.detached, 1);
	assert_int_equal(displ_bed_down(&bed), 0);
}

static void the_next_client_begins_anew(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_show(&bed);
	displ_pv_detach(&bed.pv);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_true(displ_front_disconnect(&bed.front));
	assert_int_equal(displ_bed_connect(&bed), 0);
	/* Of the one before nothing is kept, and no cookie is in use. */
	assert_string_equal(displ_bed_back_key(&bed, "counts-0"), "0 0");
	assert_string_equal(displ_bed_back_key(&bed, "connector-0"), "none");
	displ_bed_show(&bed);
	assert_true(displ_bed_sees(&bed, 0, 0x101010));
	assert_int_equal(displ_bed_down(&bed), 0);
}

static void a_broken_ring(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_show(&bed);
	pv_pair_header(&bed.front.head[0])[0] += 1000;
	loopxen_notify(bed.x, bed.dev.front, bed.front.head[0].port);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(bed.broken, 1);
	assert_int_equal(bed.detached, 1);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	assert_int_equal(displ_bed_down(&bed), 0);
}

/* -- Who follows ----------------------------------------------------------- */

/* What was shown is shown again; buffers and frames are what they were. */
static void goes_on(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_show(&bed);
	assert_int_equal(displ_bed_flip(&bed, 0, 2), 0);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_int_equal(displ_bed_event(&bed, 0), 2);
	displ_bed_kill(&bed);
	assert_int_equal(displ_bed_follow(&bed), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x202020));
	assert_int_equal(displ_bed_event(&bed, 0), 0);
	assert_int_equal(displ_bed_flip(&bed, 0, 1), 0);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_int_equal(displ_bed_event(&bed, 0), 1);
	assert_true(displ_bed_sees(&bed, 0, 0x101010));
	/* And both can be had again. */
	assert_int_equal(displ_bed_attach(&bed, 1, 0, 64, 64, XR24), EINVAL_);
	assert_int_equal(displ_bed_unattach(&bed, 1), 0);
	assert_int_equal(displ_bed_destroy(&bed, 0), 0);
	assert_int_equal(displ_bed_destroy(&bed, 0), EINVAL_);
	assert_int_equal(displ_bed_down(&bed), 0);
}

/* A flip was answered and had not landed: its client is told, once. */
static void a_flip_in_flight(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_show(&bed);
	assert_int_equal(displ_bed_flip(&bed, 0, 2), 0);
	displ_bed_kill(&bed);
	assert_int_equal(displ_bed_event(&bed, 0), 0);
	assert_int_equal(displ_bed_follow(&bed), 0);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x202020));
	assert_int_equal(displ_bed_event(&bed, 0), 2);
	assert_int_equal(displ_bed_event(&bed, 0), 0);
	assert_int_equal(displ_bed_down(&bed), 0);
}

/* Its frame is not there any more: told all the same. */
static void a_flip_of_what_is_gone(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_show(&bed);
	assert_int_equal(displ_bed_flip(&bed, 0, 2), 0);
	displ_bed_kill(&bed);
	assert_true(displ_front_unbuffer(&bed.front, 1));
	assert_int_equal(displ_bed_follow(&bed), 0);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_int_equal(displ_bed_event(&bed, 0), 2);
	/* What can be had is. */
	assert_int_equal(displ_bed_flip(&bed, 0, 1), 0);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_int_equal(displ_bed_event(&bed, 0), 1);
	assert_true(displ_bed_sees(&bed, 0, 0x101010));
	assert_int_equal(displ_bed_down(&bed), 0);
}

/* Requests that nobody had taken are served, once each, whenever it dies. */
static void dies_at_any_write(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 12; n++) {
		struct xendispl_resp answer;
		unsigned answers = 0;

		displ_bed_init(&bed, &(struct displ_bed_conf){0});
		displ_bed_start(&bed);
		loopxen_fail(bed.x, LOOPXEN_WRITE, 2 + n, -EIO);
		if (connect_and_show() == -EIO && bed.front.head[0].req_prod) {
			displ_bed_kill(&bed);
			assert_int_equal(displ_bed_follow(&bed), 0);
			displ_bed_pass(&bed, 6 * DISPL_TEST_BLANK);
		}
		while (pv_pair_answer(&bed.front.head[0], &answer))
			answers++;
		if (!bed.front.head[0].req_prod) {
			displ_bed_kill(&bed);
			displ_bed_fini(&bed);
			continue;
		}
		assert_int_equal(answers, 6);
		assert_int_equal(displ_bed_event(&bed, 0), 1);
		loopxen_fail_left(bed.x, LOOPXEN_WRITE);
		assert_int_equal(displ_bed_down(&bed), 0);
	}
}

/* What stands in the directory is nobody's word: it is checked as a request is. */
static void kept_nonsense(void **state)
{
	static const char *const rows[][2] = {
		{"counts-0", "9999999 9999999"},
		{"counts-0", "2 2 2"},
		{"buffer-0", "100 64 64 32 4294967295 0 9"},
		{"buffer-0", "100 4294967295 4294967295 32 16384 0 9"},
		{"buffer-1", "100 64 64 32 16384 0 9"},
		{"frame-0", "1 100 9999 64 875713112"},
		{"frame-0", "1 100 64 64 1"},
		{"connector-0", "1 0 0 4294967295 4294967295"},
		{"connector-0", "1 0 0 0 0"},
		{"connector-0", "77 60 60 64 64"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		char path[160];

		displ_bed_up(&bed, &(struct displ_bed_conf){0});
		displ_bed_show(&bed);
		displ_bed_kill(&bed);
		loopxen_path(&bed.dev, STORE_BACK, rows[i][0], path, sizeof(path));
		assert_true(loopxen_write(bed.x, (struct domid){0}, path, rows[i][1]));
		assert_int_equal(displ_bed_follow(&bed), 0);
		displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
		displ_bed_destroy(&bed, 0);
		displ_bed_destroy(&bed, 1);
		assert_int_equal(loopxen_back_pages(bed.back), 0);
		displ_front_unbuffer(&bed.front, 0);
		assert_int_equal(displ_bed_create(&bed, 0, 64, 64, 32), 0);
		assert_int_equal(displ_bed_attach(&bed, 9, 0, 64, 64, XR24), 0);
		assert_int_equal(displ_bed_config(&bed, 0, 9, &all, 32), 0);
		assert_int_equal(displ_bed_down(&bed), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_its_versions),
		cmocka_unit_test(what_it_reads),
		cmocka_unit_test(none_of_its_connectors),
		cmocka_unit_test(each_call_fails_once),
		cmocka_unit_test(nothing_is_answered_before_it_is_kept),
		cmocka_unit_test(a_client_that_goes),
		cmocka_unit_test(a_client_that_goes_while_it_flips),
		cmocka_unit_test(black_if_there_is_no_picture),
		cmocka_unit_test(nothing_was_shown),
		cmocka_unit_test(the_next_client_begins_anew),
		cmocka_unit_test(a_broken_ring),
		cmocka_unit_test(goes_on),
		cmocka_unit_test(a_flip_in_flight),
		cmocka_unit_test(a_flip_of_what_is_gone),
		cmocka_unit_test(dies_at_any_write),
		cmocka_unit_test(kept_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
