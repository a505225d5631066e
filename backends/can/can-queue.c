/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "backends/can/can-queue.h"

/* [impl->req~serving-allocates-nothing~1] */
int can_queue_init(struct can_queue *queue, const struct can_policy *policy,
		   const struct policy_rate *receive)
{
	*queue = (struct can_queue){
		.policy = policy,
		.receive = receive,
		.max =
			{
				[CAN_EVENT_FRAME] = policy->receive_queue,
				[CAN_EVENT_STATE] = CAN_QUEUE_STATES,
				[CAN_EVENT_ERROR] = CAN_QUEUE_ERRORS,
			},
	};
	for (unsigned i = 0; i < CAN_EVENT_KINDS; i++)
		queue->size += queue->max[i];
	queue->event = calloc(queue->size, sizeof(*queue->event));
	return queue->event ? 0 : -ENOMEM;
}

void can_queue_fini(struct can_queue *queue)
{
	free(queue->event);
	queue->event = NULL;
}

void can_queue_clear(struct can_queue *queue)
{
	queue->head = queue->queued = queue->lost = 0;
	queue->state_due = false;
	for (unsigned i = 0; i < CAN_EVENT_KINDS; i++)
		queue->n[i] = 0;
}

void can_queue_begin(struct can_queue *queue, uint64_t now)
{
	can_queue_clear(queue);
	queue->rate_due = 0;
	rate_begin(&queue->rate, *queue->receive, now);
}

void can_queue_limits(struct can_queue *queue, uint64_t now)
{
	queue->rate_due = 0;
	rate_become(&queue->rate, *queue->receive, now);
}

/* The @i-th, the oldest being 0. */
static struct can_event *queue_at(const struct can_queue *queue, uint32_t i)
{
	uint32_t at = queue->head + i;

	return &queue->event[at < queue->size ? at : at - queue->size];
}

static void queue_take_head(struct can_queue *queue)
{
	queue->n[queue_at(queue, 0)->kind]--;
	queue->head = queue->head + 1 < queue->size ? queue->head + 1 : 0;
	queue->queued--;
}

/* What is unknown stays so. */
static void lost_add(uint32_t *lost, uint32_t n)
{
	*lost = n < CAN_LOST_UNKNOWN - *lost ? *lost + n : CAN_LOST_UNKNOWN;
}

void can_queue_lose(struct can_queue *queue, uint32_t n)
{
	lost_add(&queue->lost, n);
}

/* The oldest frame goes; its place is that before the next event (invariant 2). Few
 * are older than it: states and errors alone. */
static void queue_drop_oldest(struct can_queue *queue)
{
	uint32_t i = 0, lost;

	while (queue_at(queue, i)->kind != CAN_EVENT_FRAME)
		i++;
	lost = queue_at(queue, i)->lost;
	lost_add(&lost, 1);
	lost_add(i + 1 < queue->queued ? &queue_at(queue, i + 1)->lost : &queue->lost,
		 lost);
	queue->n[CAN_EVENT_FRAME]--;
	for (; i; i--)
		*queue_at(queue, i) = *queue_at(queue, i - 1);
	queue->head = queue->head + 1 < queue->size ? queue->head + 1 : 0;
	queue->queued--;
}

static void queue_append(struct can_queue *queue, const struct can_event *event)
{
	struct can_event *last = queue_at(queue, queue->queued++);

	*last = *event;
	last->lost = queue->lost;
	queue->lost = 0;
	queue->n[event->kind]++;
}

uint32_t can_queue_push(struct can_queue *queue, const struct can_event *event)
{
	bool full = queue->n[event->kind] == queue->max[event->kind];
	uint32_t lost = 0;

	if (event->kind == CAN_EVENT_STATE && (full || queue->state_due)) {
		queue->state_due = true;
		queue->state = *event;
		return 0;
	}
	if (full) {
		lost = 1;
		if (event->kind != CAN_EVENT_FRAME ||
		    queue->policy->overflow == CAN_DROP_NEWEST) {
			lost_add(&queue->lost, 1);
			return lost;
		}
		queue_drop_oldest(queue);
	}
	queue_append(queue, event);
	return lost;
}

/* Does ReceiveRate hold back the oldest? States and losses pass free. */
static bool queue_rated(const struct can_queue *queue)
{
	const struct can_event *event = queue_at(queue, 0);

	return !event->lost && event->kind != CAN_EVENT_STATE;
}

static bool queue_pays(struct can_queue *queue, uint64_t now)
{
	uint64_t wait = rate_take(&queue->rate, 1, now);

	if (!wait)
		return true;
	if (__builtin_add_overflow(now, wait, &queue->rate_due))
		queue->rate_due = UINT64_MAX;
	return false;
}

static void queue_tell_lost(uint32_t *lost, struct can_event *out)
{
	*out = (struct can_event){.kind = CAN_EVENT_LOST, .lost = *lost};
	*lost = 0;
}

static bool queue_next(struct can_queue *queue, uint64_t now, struct can_event *out)
{
	struct can_event *event = queue_at(queue, 0);

	if (queue->queued && event->lost) {
		queue_tell_lost(&event->lost, out);
		return true;
	}
	if (queue->queued) {
		if (queue_rated(queue) && !queue_pays(queue, now))
			return false;
		*out = *event;
		queue_take_head(queue);
		return true;
	}
	if (queue->lost) {
		queue_tell_lost(&queue->lost, out);
		return true;
	}
	if (!queue->state_due)
		return false;
	queue->state_due = false;
	*out = queue->state;
	return true;
}

bool can_queue_next(struct can_queue *queue, uint64_t now, struct can_event *out)
{
	if (!queue_next(queue, now, out))
		return false;
	if (!out->time)
		out->time = now;
	return true;
}

bool can_queue_pending(const struct can_queue *queue, uint64_t now)
{
	if (!queue->queued)
		return queue->lost || queue->state_due;
	return !queue_rated(queue) || queue->rate_due <= now;
}

uint64_t can_queue_due(const struct can_queue *queue, uint64_t now)
{
	return queue->queued && queue->rate_due > now ? queue->rate_due : UINT64_MAX;
}
