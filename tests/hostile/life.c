/* SPDX-License-Identifier: MIT */
/*
 * T-LIFE-1: a queue that an error disabled, whose device is destroyed and made
 * again. T-XS-2: every state that a front end may show, against every state of
 * ours, in every life. T-XS-4 at the device: a store that fails at the n-th
 * call.
 */
#include <errno.h>

#include "tests/front/descriptors.h"
#include "tests/hostile/stage.h"

/* -- T-LIFE-1 ---------------------------------------------------------------- */

#define ASKED 6

static struct front_buf buf[ASKED];

static void asks(void)
{
	for (unsigned i = 0; i < ASKED; i++)
		front_rw(&bed.front, BLKIF_WRITE, i, i * 8, &buf[i], 1);
	front_push(&bed.front);
	stage_turn();
	assert_int_equal(bed.nwaiting, ASKED);
}

/* An error disables it at one of these, the device is destroyed at another. */
enum { AT_ONCE, HALF_HOME, ALL_HOME, CLOSED, WHENS };

static void homes(unsigned n)
{
	while (n-- && bed.nwaiting)
		bed_complete(&bed, bed.nwaiting / 2);
	stage_turn();
}

static void disabled_destroyed_made_again(unsigned when, unsigned how)
{
	asks();
	if (how == 0) /* an index that cannot be */
		front_header(&bed.front)[0] += 99;
	else if (how == 1) /* the front end closes without a word */
		front_state(&bed.front, STORE_CLOSED);
	else /* the client is gone */
		front_key(&bed.front, "state", NULL);
	if (!how)
		front_kick(&bed.front);
	stage_turn();
	assert_int_equal(stage.life.state, LIFE_DRAINING);
	assert_int_equal(stage.fails, how == 0);
	if (when >= HALF_HOME)
		homes(3);
	if (when >= ALL_HOME)
		homes(ASKED);
	if (when >= CLOSED) {
		stage_ticks(2);
		assert_string_equal(bed_back_key(&bed, "state"), "6");
	}
	stage_remove();
	stage_turn();
	homes(ASKED);
	assert_int_equal(stage.life.state, LIFE_ABSENT);
	assert_int_equal(bed.blk.busy, 0);
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	stage.fails = 0;
	stage_attach();
	stage_connects();
}

static void t_life_1_disabled_destroyed_made_again(void **state)
{
	static const struct bed_conf confs[] = {
		{.slow = true},
		{.slow = true, .mode = POLICY_COPY},
		{.slow = true, .front.persistent = true},
	};
	unsigned files = 0;
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < COUNT(confs); c++) {
		stage_init(&confs[c]);
		stage_turn();
		bed.front = (struct front){.x = bed.x, .dev = &bed.dev};
		stage_connects();
		for (unsigned i = 0; i < ASKED; i++)
			buf[i] = front_buf(&bed.front, false);
		for (unsigned round = 0; round < 50 * WHENS * 3; round++, done++) {
			disabled_destroyed_made_again(round % WHENS, round / WHENS % 3);
			assert_int_equal(stage.error, 0);
			if (!round)
				files = descriptors();
		}
		assert_int_equal(descriptors(), files);
		assert_int_equal(stage_fini(), 0);
	}
	tally("T-LIFE-1", done, "devices disabled, destroyed, made again");
}

/* -- T-XS-2 ------------------------------------------------------------------ */

static char huge[4097];

/* A state as it may stand in the store; NULL: missing. */
static const char *const states[] = {
	NULL,
	"0",
	"1",
	"2",
	"3",
	"4",
	"5",
	"6",
	"7",
	"8",
	"9",
	"",
	" 4",
	"4 ",
	"04",
	"+4",
	"-1",
	"4.",
	"0x4",
	"x",
	"%n",
	"4294967300",
	"18446744073709551620",
	huge,
};

static void put(enum store_side side, const char *value)
{
	char path[160];

	loopxen_path(&bed.dev, side, "state", path, sizeof(path));
	if (value)
		loopxen_write(bed.x, (struct domid){0}, path, value);
	else
		loopxen_rm(bed.x, (struct domid){0}, path);
}

/* Whatever happened, a device that is made anew is served. */
static void heals(void)
{
	assert_int_equal(stage.error, 0);
	while (bed.nwaiting)
		bed_complete(&bed, 0);
	stage_remove();
	stage_turn();
	assert_int_equal(stage.life.state, LIFE_ABSENT);
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	stage_attach();
	stage_connects();
}

/* And one that is not: the front end closes, and starts anew. */
static void heals_in_place(void)
{
	while (bed.nwaiting)
		bed_complete(&bed, 0);
	put(STORE_FRONT, "6");
	stage_turn();
	stage_ticks(1);
	assert_string_equal(bed_back_key(&bed, "state"), "6");
	stage_connects();
}

/* Before: a new process, one that waits, one that serves, one that closed. */
static void pair(unsigned before, const char *front, const char *back)
{
	static const char *const names[] = {"1", "2", "3", "4", "5", "6"};
	const char *now;
	bool known = false;

	if (before == 0)
		stage_restart();
	if (before == 1) {
		stage_remove();
		stage_turn();
		stage_attach();
		stage_turn();
		assert_int_equal(stage.life.state, LIFE_WAITING);
	}
	if (before == 3) {
		front_state(&bed.front, STORE_CLOSED);
		stage_turn();
		assert_int_equal(stage.life.state, LIFE_CLOSED);
	}
	put(STORE_BACK, back);
	put(STORE_FRONT, front);
	stage_turn();
	stage_ticks(4);
	/* What stands there now is ours, or what we found. */
	now = bed_back_key(&bed, "state");
	for (unsigned i = 0; now && i < COUNT(names); i++)
		known |= !strcmp(now, names[i]);
	assert_true(known || (back ? now && !strcmp(now, back) : !now));
	heals();
}

/* [utest->req~states-come-in-any-order~1] */
static void t_xs_2_every_pair_of_states(void **state)
{
	struct bed_conf conf = {0};
	uint64_t done = 0;

	(void)state;
	memset(huge, '4', sizeof(huge) - 1);
	for (unsigned before = 0; before < 4; before++) {
		stage_init(&conf);
		stage_turn();
		bed.front = (struct front){.x = bed.x, .dev = &bed.dev};
		stage_connects();
		for (unsigned f = 0; f < COUNT(states); f++) {
			for (unsigned b = 0; b < COUNT(states); b++, done++)
				pair(before, states[f], states[b]);
		}
		hostile_serves();
		assert_int_equal(stage_fini(), 0);
	}
	tally("T-XS-2", done, "pairs of states");
}

/* States that flap faster than the life follows: it sees some of them.
 * [utest->req~states-come-in-any-order~1] */
static void t_xs_2_flapping(void **state)
{
	struct bed_conf conf = {.slow = true};
	uint32_t seed = 1;
	uint64_t done = 0;

	(void)state;
	for (unsigned world = 0; world < 20; world++) {
		conf.mode = world % 2 ? POLICY_COPY : POLICY_MAP;
		stage_init(&conf);
		stage_turn();
		bed.front = (struct front){.x = bed.x, .dev = &bed.dev};
		stage_connects();
		for (unsigned i = 0; i < ASKED; i++)
			buf[i] = front_buf(&bed.front, false);
		for (unsigned i = 0; i < 1000; i++, done++) {
			seed = seed * 1664525u + 1013904223u;
			put(STORE_FRONT, states[(seed >> 16) % 10]);
			if (seed >> 30 == 1)
				stage_turn();
			if (seed >> 28 == 3 && bed.nwaiting)
				bed_complete(&bed, 0);
			if (seed >> 28 == 2 && stage.life.state == LIFE_CONNECTED &&
			    bed.nwaiting < 20) {
				front_rw(&bed.front, BLKIF_WRITE, i, 0, buf, 1);
				front_push(&bed.front);
			}
			if (seed >> 27 == 1)
				stage_ticks(1);
			assert_int_equal(stage.error, 0);
		}
		heals_in_place();
		heals();
		assert_int_equal(stage_fini(), 0);
	}
	tally("T-XS-2", done, "states of a front end that flaps");
}

/* -- T-XS-4 ------------------------------------------------------------------ */

static const struct fault {
	enum loopxen_verb verb;
	int result;
	bool loses; /* the connection: a key that is not there, or cannot be read */
} faults[] = {
	{LOOPXEN_READ, STORE_LATE, false},	{LOOPXEN_READ, STORE_ABSENT, true},
	{LOOPXEN_READ, STORE_TOO_LONG, true},	{LOOPXEN_READ, -EPIPE, false},
	{LOOPXEN_WRITE, STORE_FULL, false},	{LOOPXEN_WRITE, STORE_REFUSED, false},
	{LOOPXEN_WRITE, -EPIPE, false},		{LOOPXEN_REMOVE, STORE_FULL, false},
	{LOOPXEN_REMOVE, -EPIPE, false},	{LOOPXEN_POLL, -EPIPE, false},
	{LOOPXEN_BIND, EVTCHN_LATE, false},	{LOOPXEN_BIND, EVTCHN_ABSENT, true},
	{LOOPXEN_MAP_RING, GRANTS_LATE, false}, {LOOPXEN_MAP_RING, GRANTS_ABSENT, true},
};

/* Attach, connect, serve, go; the n-th call of a verb fails. What fails for our
 * machine's sake ends the process, and the next one goes on. */
static bool whole_life(const struct fault *fault, unsigned n)
{
	struct bed_conf conf = {0};
	bool failed;

	stage_init(&conf);
	bed.front = (struct front){.x = bed.x, .dev = &bed.dev};
	loopxen_fail(bed.x, fault->verb, n, fault->result);
	stage_turn();
	stage_ticks(2);
	if (stage.error) {
		stage_restart();
		stage_turn();
		stage_ticks(1);
	}
	assert_string_equal(bed_back_key(&bed, "state"), "2");
	front_connect(&bed.front, bed.x, &bed.dev, &conf.front);
	stage_turn();
	stage_ticks(3);
	if (stage.error) {
		stage_restart();
		stage_turn();
		stage_ticks(2);
	}
	if (!fault->loses) {
		assert_int_equal(stage.life.state, LIFE_CONNECTED);
		assert_string_equal(bed_back_key(&bed, "state"), "4");
	}
	/* A "mode" that cannot be read is read-only. */
	if (stage.life.state == LIFE_CONNECTED && !bed.blk.geometry.read_only)
		hostile_serves();
	loopxen_detach(bed.x, &bed.dev);
	front_state(&bed.front, STORE_CLOSED);
	stage_turn();
	stage_ticks(6);
	if (stage.error) {
		stage_restart();
		stage_turn();
		stage_ticks(6);
	}
	assert_null(bed_back_key(&bed, "state")); /* the directory is gone */
	failed = !loopxen_fail_left(bed.x, fault->verb);
	assert_int_equal(stage.life.state, LIFE_ABSENT);
	assert_true(front_disconnect(&bed.front));
	assert_int_equal(stage_fini(), 0);
	return failed;
}

static void t_xs_4_the_nth_call_fails(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT(faults); i++) {
		unsigned n = 0;

		while (whole_life(&faults[i], n))
			n++;
		assert_true(n > 0);
		done += n;
	}
	tally("T-XS-4", done, "calls of a device's store failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_life_1_disabled_destroyed_made_again),
		HOSTILE(t_xs_2_every_pair_of_states),
		HOSTILE(t_xs_2_flapping),
		HOSTILE(t_xs_4_the_nth_call_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
