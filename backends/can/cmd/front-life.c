/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-life.h"

#include <assert.h>

#define BIT(phase) (1u << (phase))

/* What may follow what. */
static const unsigned life_table[FRONT_PHASES] = {
	[FRONT_ABSENT] = BIT(FRONT_WAITING) | BIT(FRONT_ENDED),
	[FRONT_WAITING] = BIT(FRONT_ABSENT) | BIT(FRONT_OFFERED) | BIT(FRONT_ENDED),
	[FRONT_OFFERED] = BIT(FRONT_ABSENT) | BIT(FRONT_WAITING) |
			  BIT(FRONT_CONNECTED) | BIT(FRONT_CLOSING),
	[FRONT_CONNECTED] = BIT(FRONT_ABSENT) | BIT(FRONT_WAITING) | BIT(FRONT_CLOSING),
	[FRONT_CLOSING] = BIT(FRONT_ENDED),
	[FRONT_ENDED] = 0,
};

static void life_move(struct front_life *life, enum front_phase next, uint64_t now)
{
	assert(life_table[life->phase] & BIT(next));
	life->phase = next;
	life->since = now;
}

static bool life_has_rings(const struct front_life *life)
{
	return BIT(life->phase) &
	       (BIT(FRONT_OFFERED) | BIT(FRONT_CONNECTED) | BIT(FRONT_CLOSING));
}

void front_life_init(struct front_life *life, const struct front_life_ops *ops)
{
	*life = (struct front_life){
		.ops = ops, .phase = FRONT_ABSENT, .hold = FRONT_HOLD_NS};
}

/* Invariant 4. */
static void life_hold(struct front_life *life, uint64_t now)
{
	if (life->phase == FRONT_CONNECTED && now - life->since >= FRONT_GOOD_NS)
		life->hold = FRONT_HOLD_NS;
	life->hold_until = now + life->hold;
	life->hold =
		life->hold < FRONT_HOLD_MAX_NS / 2 ? life->hold * 2 : FRONT_HOLD_MAX_NS;
}

/* The rings are of no use any more; the device is there. */
static void life_give_up(struct front_life *life, uint64_t now)
{
	life->ops->drop(life);
	life->ops->write(life, STORE_CLOSED);
	life_move(life, FRONT_WAITING, now);
}

static void life_offer(struct front_life *life, uint64_t now)
{
	if (life->ops->offer(life)) {
		life_hold(life, now);
		return;
	}
	life->ops->write(life, STORE_INITIALISED);
	life_move(life, FRONT_OFFERED, now);
}

static bool life_may_renew(const struct front_life *life)
{
	/* Initialising: a back end that was not there before. */
	return life->look.online && (life->look.back == STORE_CLOSED ||
				     life->look.back == STORE_INITIALISING);
}

/* Nothing is granted: both sides to the point where it can be offered. */
static void life_waiting(struct front_life *life, uint64_t now)
{
	const struct front_look *look = &life->look;
	bool using = look->back == STORE_CONNECTED || look->back == STORE_CLOSING ||
		     look->back == STORE_INIT_WAIT;

	if (!look->allowed)
		return;
	if (look->own == STORE_INITIALISING) {
		if (look->back == STORE_INIT_WAIT && now >= life->hold_until)
			life_offer(life, now);
		else if (look->back == STORE_CONNECTED)
			life->ops->write(life, STORE_CLOSED);
		return;
	}
	/* Left over from a front end that died, or that had to give up. */
	if (using && look->own != STORE_CLOSED)
		life->ops->write(life, STORE_CLOSED);
	else if (life_may_renew(life) && now >= life->hold_until)
		life->ops->write(life, STORE_INITIALISING); /* invariant 2 */
}

static void life_offered(struct front_life *life, uint64_t now)
{
	switch ((int)life->look.back) {
	case STORE_INIT_WAIT:
		return;
	case STORE_CONNECTED:
		life->ops->write(life, STORE_CONNECTED);
		life_move(life, FRONT_CONNECTED, now);
		life->ops->connected(life);
		return;
	default: /* it does not want what it was offered */
		life_hold(life, now);
		life_give_up(life, now);
	}
}

/* Is what xenstore says of us what we said? If not, it is another device, or somebody
 * wrote in our place. */
static bool life_is_ours(const struct front_life *life)
{
	switch ((int)life->phase) {
	case FRONT_OFFERED:
		return life->look.own == STORE_INITIALISED;
	case FRONT_CONNECTED:
		return life->look.own == STORE_CONNECTED ||
		       life->look.own == STORE_INITIALISED;
	default:
		return true;
	}
}

static void life_end(struct front_life *life, uint64_t now)
{
	if (life_has_rings(life))
		life->ops->drop(life);
	if (life->phase != FRONT_ENDED)
		life_move(life, FRONT_ENDED, now);
}

/* Closing, Closing, Closed, Closed: then nothing of ours is mapped any more. */
static void life_closing(struct front_life *life, uint64_t now)
{
	const struct front_look *look = &life->look;

	if (look->back == STORE_CONNECTED || look->back == STORE_INIT_WAIT)
		return;
	if (look->own != STORE_CLOSED)
		life->ops->write(life, STORE_CLOSED);
	if (look->back != STORE_CLOSING)
		life_end(life, now);
}

static void life_step(struct front_life *life, uint64_t now)
{
	switch (life->phase) {
	case FRONT_ABSENT:
		life_move(life, FRONT_WAITING, now);
		life_waiting(life, now);
		return;
	case FRONT_WAITING:
		life_waiting(life, now);
		return;
	case FRONT_OFFERED:
		life_offered(life, now);
		return;
	case FRONT_CONNECTED:
		if (life->look.back == STORE_CONNECTED)
			return;
		life_hold(life, now);
		life_give_up(life, now);
		return;
	case FRONT_CLOSING:
		life_closing(life, now);
		return;
	case FRONT_ENDED:
	case FRONT_PHASES:
		return;
	}
}

void front_life_update(struct front_life *life, const struct front_look *look,
		       uint64_t now)
{
	bool other = look->present && life->look.present &&
		     look->generation != life->look.generation;

	life->look = *look;
	if (life->phase == FRONT_CLOSING && !look->present) {
		life_end(life, now);
		return;
	}
	/* Invariant 3: of what is gone nothing is written, not even Closed. */
	if (life->phase != FRONT_CLOSING &&
	    (!look->present || other || !life_is_ours(life))) {
		if (life_has_rings(life))
			life->ops->drop(life);
		if (life->phase != FRONT_ABSENT && life->phase != FRONT_ENDED)
			life_move(life, FRONT_ABSENT, now);
		/* That was not the back end's doing. */
		life->hold = FRONT_HOLD_NS;
		life->hold_until = 0;
	}
	if (look->present)
		life_step(life, now);
}

void front_life_break(struct front_life *life, uint64_t now)
{
	if (life->phase != FRONT_OFFERED && life->phase != FRONT_CONNECTED)
		return;
	life_hold(life, now);
	life_give_up(life, now);
}

void front_life_end(struct front_life *life, uint64_t now)
{
	if (life->phase != FRONT_OFFERED && life->phase != FRONT_CONNECTED) {
		if (life->phase != FRONT_CLOSING)
			life_end(life, now);
		return;
	}
	life->ops->write(life, STORE_CLOSING);
	life_move(life, FRONT_CLOSING, now);
}

void front_life_tick(struct front_life *life, uint64_t now)
{
	if (now < front_life_due(life))
		return;
	if (life->phase == FRONT_CLOSING) { /* it takes too long: the kernel waits */
		life->ops->write(life, STORE_CLOSED);
		life_end(life, now);
	} else {
		life->hold_until = 0;
		life_waiting(life, now);
	}
}

uint64_t front_life_due(const struct front_life *life)
{
	if (life->phase == FRONT_CLOSING)
		return life->since + FRONT_CLOSE_NS;
	if (life->phase == FRONT_WAITING && life->hold_until)
		return life->hold_until;
	return UINT64_MAX;
}
