/* SPDX-License-Identifier: MIT */
#include "tests/hostile/stage.h"

#include <errno.h>

struct stage stage;

static bool fronted; /* bed.front holds grants and a port */

static int on_offer(struct life *life)
{
	(void)life;
	return blk_pv_offer(&bed.pv);
}

static int on_connect(struct life *life, bool attach)
{
	int r = blk_pv_connect(&bed.pv, attach, loopxen_now(bed.x));

	(void)life;
	if (!r)
		evtchn_unmask(&bed.back->evtchn, bed.pv.queue[0].port);
	return r;
}

static void on_detach(struct life *life)
{
	(void)life;
	blk_pv_detach(&bed.pv);
}

static int on_set_state(struct life *life, enum store_state state)
{
	char value[4];
	int r;

	(void)life;
	snprintf(value, sizeof(value), "%d", state);
	r = store_write(&bed.back->store, "state", value);
	return r > 0 ? -EAGAIN : r;
}

static int on_remove(struct life *life)
{
	int r = store_remove(&bed.back->store);

	(void)life;
	return r > 0 ? -EAGAIN : r;
}

static const struct life_ops ops = {
	.offer = on_offer,
	.connect = on_connect,
	.detach = on_detach,
	.set_state = on_set_state,
	.remove = on_remove,
};

static void check(int r)
{
	if (r < 0 && !stage.error)
		stage.error = r;
}

static void stage_detached(struct blk_pv *pv)
{
	(void)pv;
	check(life_detached(&stage.life));
}

static void stage_broken(struct blk_pv *pv, const char *why)
{
	(void)pv;
	stage.fails++;
	store_write(&bed.back->store, "xdd-reason", why);
	check(life_fail(&stage.life));
}

static void stage_process(void)
{
	int r = bed_start(&bed);

	assert_int_equal(r, 0);
	bed.pv.conf.broken = stage_broken;
	bed.pv.conf.detached = stage_detached;
	stage = (struct stage){0};
	life_init(&stage.life, &ops);
}

void stage_init(const struct bed_conf *conf)
{
	bed_init(&bed, conf);
	fronted = false;
	stage_process();
}

void stage_restart(void)
{
	bed_kill(&bed);
	bed.nwaiting = 0;
	stage_process();
}

void stage_turn(void)
{
	struct store_status status;
	int r;

	do {
		r = store_poll(&bed.back->store, &status);
		check(r);
		if (r == 1)
			check(life_update(&stage.life, &status));
		check(bed_run_now(&bed));
		check(bed.pv.error);
		/* life.h, invariant 2 */
		assert_true(stage.error || bed.pv.state == BLK_PV_DOWN ||
			    stage.life.state == LIFE_CONNECTED ||
			    stage.life.state == LIFE_DRAINING);
		assert_true(stage.error || bed.pv.state != BLK_PV_DOWN ||
			    stage.life.state != LIFE_CONNECTED);
	} while (r == 1 && !stage.error);
}

void stage_ticks(unsigned n)
{
	for (; n && !stage.error; n--) {
		struct store_status status = stage.life.status;

		loopxen_advance(bed.x, SECOND);
		check(life_update(&stage.life, &status));
		check(life_tick(&stage.life));
		stage_turn();
	}
}

void stage_remove(void)
{
	char path[160];

	loopxen_rm(bed.x, (struct domid){0},
		   loopxen_path(&bed.dev, STORE_BACK, NULL, path, sizeof(path)));
	loopxen_rm(bed.x, (struct domid){0},
		   loopxen_path(&bed.dev, STORE_FRONT, NULL, path, sizeof(path)));
}

void stage_attach(void)
{
	loopxen_attach(bed.x, &bed.dev, "w", "disk");
}

static void front_gone(void)
{
	if (fronted)
		assert_true(front_disconnect(&bed.front)); /* nothing is mapped */
	fronted = false;
}

void stage_connects(void)
{
	front_gone();
	front_state(&bed.front, STORE_INITIALISING);
	stage_turn();
	assert_int_equal(stage.life.state, LIFE_WAITING);
	front_connect(&bed.front, bed.x, &bed.dev, &bed.conf.front);
	fronted = true;
	stage_turn();
	stage_ticks(1);
	assert_int_equal(stage.life.state, LIFE_CONNECTED);
	front_state(&bed.front, STORE_CONNECTED);
	stage_turn();
	assert_string_equal(bed_back_key(&bed, "state"), "4");
}

unsigned stage_fini(void)
{
	stage_remove();
	while (bed.nwaiting)
		bed_complete(&bed, 0);
	stage_turn();
	assert_int_equal(stage.error, 0);
	assert_int_equal(stage.life.state, LIFE_ABSENT);
	blk_pv_fini(&bed.pv);
	loopxen_back_free(bed.back);
	front_gone();
	return bed_fini(&bed);
}
