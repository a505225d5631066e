/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>

#include "xenbus/life.h"

#define BIT(state) (1u << (state))

/* Invariant 1: what may follow what. */
static const struct {
	const char *name;
	unsigned next;
} life_table[LIFE_STATES] = {
	[LIFE_ABSENT] = {"absent", BIT(LIFE_WAITING) | BIT(LIFE_CONNECTED) |
					   BIT(LIFE_CLOSED) | BIT(LIFE_FAILED)},
	[LIFE_WAITING] = {"waiting for the client",
			  BIT(LIFE_ABSENT) | BIT(LIFE_CONNECTED) | BIT(LIFE_CLOSED) |
				  BIT(LIFE_FAILED)},
	[LIFE_CONNECTED] = {"connected", BIT(LIFE_DRAINING)},
	[LIFE_DRAINING] = {"draining",
			   BIT(LIFE_ABSENT) | BIT(LIFE_CLOSED) | BIT(LIFE_FAILED)},
	[LIFE_CLOSED] = {"closed", BIT(LIFE_ABSENT) | BIT(LIFE_WAITING)},
	[LIFE_FAILED] = {"failed", BIT(LIFE_ABSENT) | BIT(LIFE_WAITING)},
};

const char *life_name(enum life_state state)
{
	return life_table[state].name;
}

/* [impl->req~states-come-in-any-order~1] */
static void life_move(struct life *life, enum life_state next)
{
	assert(life_table[life->state].next & BIT(next));
	life->state = next;
}

/* The newest state wanted; written now, or when the queue takes it again. */
static int life_write(struct life *life, enum store_state state)
{
	int r = 0;

	life->wanted = state;
	if (life->written != state)
		r = life->ops->set_state(life, state);
	if (!r)
		life->written = state;
	return r == -EAGAIN ? 0 : r;
}

void life_init(struct life *life, const struct life_ops *ops)
{
	*life = (struct life){.ops = ops, .state = LIFE_ABSENT};
}

/* Nothing is served any more: say so. */
static int life_close(struct life *life, enum life_state next)
{
	int r = life_write(life, STORE_CLOSED);

	if (!r && life->state != next)
		life_move(life, next);
	return r;
}

int life_tick(struct life *life)
{
	bool leaving = (life->state == LIFE_CLOSED || life->state == LIFE_FAILED) &&
		       life->status.present && !life->status.online &&
		       life->written == STORE_CLOSED && !life->stopping;
	int r;

	life->ticks = leaving ? life->ticks + 1 : 0;
	if (life->ticks != LIFE_REMOVE_TICKS)
		return 0;
	r = life->ops->remove(life);
	if (r == -EAGAIN)
		life->ticks--;
	return r == -EAGAIN ? 0 : r;
}

static int life_offer(struct life *life)
{
	int r = life->ops->offer(life);

	if (r == -EAGAIN)
		return 0;
	if (!r)
		r = life_write(life, STORE_INIT_WAIT);
	if (!r)
		life_move(life, LIFE_WAITING);
	return r;
}

static int life_connect(struct life *life, bool attach)
{
	int r = life->ops->connect(life, attach);

	if (r == -EAGAIN)
		return 0;
	if (r < 0)
		return r;
	if (r > 0) {
		r = life_write(life, STORE_CLOSING);
		return r ? r : life_close(life, LIFE_FAILED);
	}
	life_move(life, LIFE_CONNECTED);
	return life_write(life, STORE_CONNECTED);
}

static bool life_front_ready(const struct life *life)
{
	return life->status.front == STORE_INITIALISED ||
	       life->status.front == STORE_CONNECTED;
}

static bool life_front_gone(const struct life *life)
{
	return life->status.front == STORE_CLOSING ||
	       life->status.front == STORE_CLOSED ||
	       life->status.front == STORE_UNKNOWN;
}

/* A device is there that we did not serve before; another process may have.
 * [impl->req~what-lives-is-attached-to~1] */
static int life_appeared(struct life *life)
{
	if (!life->status.present || life->status.release)
		return 0;
	life->generation = life->status.generation;
	life->written = life->wanted = life->status.back;
	life->ticks = 0;
	if (!life->status.online)
		return life_close(life, LIFE_CLOSED);
	/* Invariant 3: connected on both sides is attached to, as it is. */
	if (life->status.back == STORE_CONNECTED && life_front_ready(life))
		return life_connect(life, true);
	if (life->status.front == STORE_CLOSING || life->status.front == STORE_CLOSED)
		return life_close(life, LIFE_CLOSED);
	return life_offer(life);
}

static int life_waiting(struct life *life)
{
	if (!life->status.online)
		return life_close(life, LIFE_CLOSED);
	if (life_front_ready(life))
		return life_connect(life, false);
	if (life->status.front == STORE_CLOSING || life->status.front == STORE_CLOSED)
		return life_close(life, LIFE_CLOSED);
	return 0;
}

static void life_drain(struct life *life)
{
	life_move(life, LIFE_DRAINING);
	life->ops->detach(life);
}

static int life_connected(struct life *life)
{
	if (!life_front_gone(life))
		return 0;
	/* Closing announces; the client still answers until it says Closed. */
	if (life->status.front == STORE_CLOSING)
		return life_write(life, STORE_CLOSING);
	life_drain(life);
	return 0;
}

/* Closed or failed: a front end that starts afresh is offered the device. */
static int life_closed(struct life *life)
{
	if (life->status.online && life->status.front == STORE_INITIALISING)
		return life_offer(life);
	return 0;
}

/* The device that we knew is not the one that is there, or must be let go. */
static bool life_lost(const struct life *life)
{
	return !life->status.present || life->status.release ||
	       life->status.generation != life->generation;
}

static int life_step(struct life *life)
{
	if (life->state == LIFE_DRAINING)
		return 0;
	if (life->state == LIFE_ABSENT)
		return life_appeared(life);
	if (life_lost(life)) {
		if (life->state == LIFE_CONNECTED)
			life_drain(life);
		else
			life_move(life, LIFE_ABSENT);
		return 0;
	}
	if (life->state == LIFE_WAITING)
		return life_waiting(life);
	if (life->state == LIFE_CONNECTED)
		return life_connected(life);
	return life_closed(life);
}

/* [impl->req~states-come-in-any-order~1] */
int life_update(struct life *life, const struct store_status *status)
{
	int r = 0;

	life->status = *status;
	if (life->written != life->wanted && !life->stopping && !life_lost(life))
		r = life_write(life, life->wanted);
	/* Each round either moves or is the last; the longest way has four. */
	for (int i = 0; i < 4 && !r && !life->stopping; i++) {
		enum life_state before = life->state;

		r = life_step(life);
		if (life->state == before)
			break;
	}
	return r;
}

int life_detached(struct life *life)
{
	struct store_status status = life->status;
	bool failing = life->failing;
	int r;

	assert(life->state == LIFE_DRAINING);
	life->failing = false;
	if (life->stopping || life_lost(life)) {
		life_move(life, LIFE_ABSENT);
		return life_update(life, &status);
	}
	r = life_close(life, failing ? LIFE_FAILED : LIFE_CLOSED);
	return r ? r : life_update(life, &status);
}

/* [impl->req~who-breaks-loses-its-device~1] */
int life_fail(struct life *life)
{
	int r;

	if (life->state != LIFE_CONNECTED)
		return 0;
	life->failing = true;
	r = life_write(life, STORE_CLOSING);
	life_drain(life);
	return r;
}

int life_repeat(struct life *life)
{
	if (life->state != LIFE_CONNECTED || life->wanted != STORE_CONNECTED)
		return 0;
	life->written = STORE_UNKNOWN; /* so that it is tried until it is taken */
	return life_write(life, STORE_CONNECTED);
}

/* [impl->req~what-lives-is-attached-to~1] */
bool life_stop(struct life *life)
{
	life->stopping = true;
	if (life->state == LIFE_CONNECTED)
		life_drain(life);
	return life->state != LIFE_DRAINING;
}
