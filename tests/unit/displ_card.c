/* SPDX-License-Identifier: MIT */
/* backends/displ/displ.c on a card that fails, or is late; and when it is asked. */
#include "tests/unit/displ_scene.h"

/* Invariant 5: after a second, not before, and with what comes after it. */
static void lost(void **state)
{
	const uint64_t shown = START + CLOCK_SECOND;

	(void)state;
	start_dark();
	now = shown;
	shows(0, make(8, 8, 0));
	assert_true(displ_due(&displ) == shown + CLOCK_SECOND);
	now = shown + CLOCK_SECOND - 1;
	turn();
	assert_int_equal(told[0], 0);
	assert_true(displ_due(&displ) == shown + CLOCK_SECOND);
	now++;
	card.flying[0] = NONE; /* what it does with it is the card's */
	turn();
	assert_int_equal(told[0], 1);
	assert_int_equal(displ.stats.lost, 1);
	assert_false(displ_flies(&displ));
	shows(0, &made.picture);
	assert_int_equal(card.flying[0], 1);
	land(1);
	assert_int_equal(told[0], 2);
	/* The dark one, too; and a client that is gone is not told. */
	displ_dark(&displ, 0, now);
	now += CLOCK_SECOND;
	card.flying[0] = NONE;
	turn();
	assert_int_equal(displ.stats.lost, 2);
	assert_int_equal(told[0], 2);
	/* What lands in that very turn was not lost. */
	shows(0, &made.picture);
	now += CLOCK_SECOND;
	land(1);
	assert_int_equal(displ.stats.lost, 2);
}

/* -- A card that fails ----------------------------------------------------- */

static void show_fails(void **state)
{
	const struct displ_picture *picture = make(8, 8, 0);

	(void)state;
	start_dark();
	shows(0, picture);
	land(1);
	card.show_error = -ENODEV;
	assert_int_equal(show(0, picture), DISPL_FAILED);
	assert_int_equal(displ.error, -ENODEV);
	assert_int_equal(displ.stats.failures, 1);
	assert_false(displ_flies(&displ));
	card.show_error = 0;
	shows(0, picture);
	assert_int_equal(card.flying[0], 1);
	land(1);
	assert_int_equal(told[0], 2);
	/* A head that was never lit is dark still: nothing more is shown. */
	card.show_error = -EIO;
	assert_int_equal(show(1, picture), DISPL_FAILED);
	card.show_error = 0;
	card.shows = 0;
	displ_dark(&displ, 1, now);
	turn();
	assert_int_equal(card.shows, 0);
}

/* Dark it becomes whenever it can, asked ten times a second; or lit. */
static void dark_fails(void **state)
{
	(void)state;
	start_dark();
	shows(0, make(8, 8, 0));
	land(1);
	card.show_error = -EIO;
	card.shows = 0;
	displ_dark(&displ, 0, now);
	assert_int_equal(card.shows, 1);
	for (unsigned i = 1; i <= 5; i++) {
		assert_true(displ_due(&displ) == now + 100 * CLOCK_MS);
		now += 100 * CLOCK_MS - 1;
		turn();
		assert_int_equal(card.shows, i);
		assert_true(displ_due(&displ) == now + 1);
		now++;
		turn();
		assert_int_equal(card.shows, i + 1);
	}
	assert_int_equal(displ.stats.darkened, 0);
	card.show_error = 0;
	now += 100 * CLOCK_MS;
	turn();
	assert_int_equal(displ.stats.darkened, 1);
	land(1);
	assert_true(is_dark(0));
	/* Its next client does not wait for the darkness. */
	shows(0, &made.picture);
	land(1);
	card.show_error = -EIO;
	displ_dark(&displ, 0, now);
	card.show_error = 0;
	shows(0, &made.picture);
	land(1);
	assert_false(displ_flies(&displ));
	now += CLOCK_SECOND;
	turn();
	assert_false(is_dark(0) || displ_flies(&displ));
}

/* One that is late, and says so: it is asked again, and fails when it was for a second.
 */
static void is_busy(void **state)
{
	const struct displ_rect all = {0, 0, 8, 8};
	unsigned later = 0;

	(void)state;
	start_dark();
	make(8, 8, 0);
	card.show_error = -EBUSY;
	while (displ_show(&displ, 0, &made.picture, &all, false, now) == DISPL_LATER) {
		assert_true(displ_due(&displ) <= now + 10 * CLOCK_MS);
		now += 10 * CLOCK_MS;
		turn();
		later++;
	}
	assert_int_equal(later, 100);
	assert_int_equal(displ.stats.failures, 1);
	/* Turns that others cause paint nothing meanwhile. */
	card.shows = 0;
	for (unsigned i = 0; i < 100; i++)
		displ_show(&displ, 0, &made.picture, &all, false, now);
	assert_int_equal(card.shows, 1);
	now += 10 * CLOCK_MS;
	/* Not done, and then done. */
	card.show_error = 0;
	shows(0, &made.picture);
	land(1);
	card.show_error = -EBUSY;
	assert_int_equal(displ_show(&displ, 0, &made.picture, &all, false, now),
			 DISPL_LATER);
	card.show_error = 0;
	now += 10 * CLOCK_MS;
	shows(0, &made.picture);
	land(1);
	assert_int_equal(displ.stats.failures, 1);
}

/* At the start, too: it comes up dark when the card does. */
static void starts_failing(void **state)
{
	(void)state;
	card.show_error = -EIO;
	start(NULL);
	assert_false(displ_flies(&displ));
	assert_true(displ_due(&displ) == now + 100 * CLOCK_MS);
	card.show_error = 0;
	now += 100 * CLOCK_MS;
	turn();
	land(3);
	assert_true(is_dark(0) && is_dark(1));
}

static void look_fails(void **state)
{
	(void)state;
	start_dark();
	shows(0, make(8, 8, 0));
	card.look_error = -EIO;
	turn();
	assert_int_equal(displ.error, -EIO);
	assert_int_equal(displ.stats.failures, 1);
	assert_int_equal(told[0], 0);
	card.look_error = 0;
	land(1);
	assert_int_equal(told[0], 1);
}

/* -- When ------------------------------------------------------------------ */

/* Flips are limited for each head, and shows that are none are not. */
static void rates(void **state)
{
	const struct displ_picture *picture = make(8, 8, 0);
	const struct displ_rect rect = whole(picture);

	(void)state;
	policy.flips = (struct policy_rate){10, 2};
	start_dark();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(displ_show(&displ, 0, picture, &rect, true, now),
				 DISPL_OK);
		land(1);
	}
	made.reads = 0;
	assert_int_equal(displ_show(&displ, 0, picture, &rect, true, now), DISPL_LATER);
	assert_int_equal(made.reads, 0);
	assert_true(displ_due(&displ) > now &&
		    displ_due(&displ) <= now + 101 * CLOCK_MS);
	assert_int_equal(displ_show(&displ, 1, picture, &rect, true, now), DISPL_OK);
	assert_int_equal(displ_show(&displ, 0, picture, &rect, false, now), DISPL_OK);
	land(3);
	now += 100 * CLOCK_MS;
	assert_int_equal(displ_show(&displ, 0, picture, &rect, true, now), DISPL_OK);
	/* What flies takes no turn of the rate. */
	now += 200 * CLOCK_MS;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(displ_show(&displ, 0, picture, &rect, true, now),
				 DISPL_LATER);
	land(1);
	assert_int_equal(displ_show(&displ, 0, picture, &rect, true, now), DISPL_OK);
}

/* By a card without a descriptor: while something flies, and when it is due. By one
 * that has one: when that was readable. */
static void looks(void **state)
{
	(void)state;
	start_dark();
	card.looks = 0;
	turn();
	assert_int_equal(card.looks, 0);
	card.scan.due = now + 5;
	turn();
	assert_int_equal(card.looks, 0);
	assert_true(displ_due(&displ) == now + 5);
	now += 5;
	turn();
	assert_int_equal(card.looks, 1);
	card.scan.due = UINT64_MAX;
	shows(0, make(8, 8, 0));
	turn();
	assert_int_equal(card.looks, 2);
	land(1);
	card.scan.fd = 5;
	shows(0, &made.picture);
	card.looks = 0;
	turn();
	assert_int_equal(card.looks, 0);
	card.scan.ready = true;
	land(1);
	assert_int_equal(card.looks, 1);
	assert_false(card.scan.ready);
	turn();
	assert_int_equal(card.looks, 1);
}

/* The sooner of the card's and the flight's own. */
static void due(void **state)
{
	(void)state;
	start_dark();
	assert_true(displ_due(&displ) == UINT64_MAX);
	card.scan.due = now + CLOCK_MS;
	shows(0, make(8, 8, 0));
	assert_true(displ_due(&displ) == now + CLOCK_MS);
	card.scan.due = UINT64_MAX;
	turn();
	assert_true(displ_due(&displ) == now + CLOCK_SECOND);
	now += CLOCK_MS;
	shows(1, &made.picture);
	turn();
	assert_true(displ_due(&displ) == now + CLOCK_SECOND - CLOCK_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lost),    TEST(show_fails),     TEST(dark_fails),
		TEST(is_busy), TEST(starts_failing), TEST(look_fails),
		TEST(rates),   TEST(looks),	     TEST(due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
