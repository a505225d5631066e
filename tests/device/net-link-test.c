/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/device/net-link-test.h"

static struct net_link_test *test_of(struct net_link *link)
{
	return (struct net_link_test *)link;
}

/* -- Lists ---------------------------------------------------------------- */

static void list_init(struct net_link_list *list)
{
	*list = (struct net_link_list){.last = &list->first};
}

static void list_add(struct net_link_list *list, const uint8_t *bytes,
		     const struct net_link_frame *like)
{
	struct net_link_frame *frame = malloc(sizeof(*frame) + like->size);

	assert(frame);
	*frame = *like;
	frame->next = NULL;
	memcpy(frame->bytes, bytes, like->size);
	*list->last = frame;
	list->last = &frame->next;
	list->n++;
}

static struct net_link_frame *list_take(struct net_link_list *list)
{
	struct net_link_frame *frame = list->first;

	if (!frame)
		return NULL;
	list->first = frame->next;
	if (!list->first)
		list->last = &list->first;
	list->n--;
	return frame;
}

static void list_clear(struct net_link_list *list)
{
	struct net_link_frame *frame;

	while ((frame = list_take(list)))
		free(frame);
}

/* -- Out ------------------------------------------------------------------- */

static void leave(struct net_link_test *t, struct net_out *out, int res)
{
	const struct net_link_frame like = {
		.queue = out->queue, .size = out->size, .offload = out->offload};

	if (!res) {
		list_add(&t->seen, out->bytes, &like);
		t->link.stats.sent++;
		t->link.stats.sent_bytes += out->size;
	}
	t->link.stats.lost += res < 0;
	t->link.user->sent(&t->link, out, res);
}

static void test_send(struct net_link *link, struct net_out *out)
{
	struct net_link_test *t = test_of(link);

	assert(out->queue < link->queues && t->nheld < NET_LINK_TEST_HELD);
	if (t->holds)
		t->held[t->nheld++] = out;
	else
		leave(t, out, 0);
}

void net_link_test_leave(struct net_link_test *t, int res)
{
	struct net_out *first = t->held[0];

	assert(t->nheld);
	memmove(t->held, t->held + 1, --t->nheld * sizeof(t->held[0]));
	t->used = true;
	leave(t, first, res);
}

void net_link_test_leave_all(struct net_link_test *t)
{
	/* What is given meanwhile is not meant. */
	for (uint32_t n = t->nheld; n; n--)
		net_link_test_leave(t, 0);
}

struct net_link_frame *net_link_test_seen(struct net_link_test *t)
{
	return list_take(&t->seen);
}

/* -- In -------------------------------------------------------------------- */

/* A buffer of those that are out, or a new one. */
static struct net_in *room(struct net_link_test *t, unsigned queue)
{
	struct net_in *in;

	if (t->nreads[queue]) {
		in = t->reads[queue][0];
		memmove(t->reads[queue], t->reads[queue] + 1,
			--t->nreads[queue] * sizeof(t->reads[queue][0]));
		return in;
	}
	if (t->starved >> queue & 1)
		return NULL;
	t->rooms++;
	in = t->link.user->room(&t->link, queue);
	if (!in)
		t->starved |= 1u << queue;
	return in;
}

static void read_ahead(struct net_link_test *t, unsigned queue)
{
	while (t->nreads[queue] < t->ahead && !(t->starved >> queue & 1)) {
		struct net_in *in;

		t->rooms++;
		in = t->link.user->room(&t->link, queue);
		if (in)
			t->reads[queue][t->nreads[queue]++] = in;
		else
			t->starved |= 1u << queue;
	}
}

static void deliver(struct net_link_test *t, struct net_in *in,
		    const struct net_link_frame *frame)
{
	in->queue = frame->queue;
	if (frame->size > in->room) {
		t->link.stats.unfit++;
		t->link.user->unused(&t->link, in);
		return;
	}
	memcpy(in->bytes, frame->bytes, frame->size);
	in->size = frame->size;
	in->offload = frame->offload;
	in->validated = frame->validated;
	t->link.stats.received++;
	t->link.stats.received_bytes += frame->size;
	t->link.user->heard(&t->link, in);
}

static void deliver_all(struct net_link_test *t, unsigned queue)
{
	struct net_in *in;

	while (t->waiting[queue].n && (in = room(t, queue))) {
		struct net_link_frame *frame = list_take(&t->waiting[queue]);

		deliver(t, in, frame);
		free(frame);
	}
	read_ahead(t, queue);
}

static void test_more(struct net_link *link, unsigned queue)
{
	assert(queue < link->queues);
	test_of(link)->starved &= ~(1u << queue);
	deliver_all(test_of(link), queue);
}

void net_link_test_hear(struct net_link_test *t, const uint8_t *bytes,
			const struct net_link_frame *like)
{
	t->used = true;
	if (!t->carrier)
		return;
	list_add(&t->waiting[like->queue], bytes, like);
	deliver_all(t, like->queue);
}

void net_link_test_hear_plain(struct net_link_test *t, const uint8_t *bytes,
			      uint32_t size)
{
	net_link_test_hear(t, bytes, &(struct net_link_frame){.size = size});
}

void net_link_test_unuse(struct net_link_test *t)
{
	for (unsigned queue = 0; queue < t->link.queues; queue++) {
		while (t->nreads[queue])
			t->link.user->unused(&t->link,
					     t->reads[queue][--t->nreads[queue]]);
	}
}

/* -- Its life ---------------------------------------------------------------- */

static int failure(struct net_link_test *t)
{
	int r = t->fails;

	t->fails = 0;
	return r;
}

static int test_offloads(struct net_link *link, unsigned offloads)
{
	assert(!(offloads & ~link->offloads));
	test_of(link)->allowed = offloads;
	return failure(test_of(link));
}

/* What waits stays, as in a tap. */
static int test_carrier(struct net_link *link, bool on)
{
	test_of(link)->carrier = on;
	return failure(test_of(link));
}

static void test_close(struct net_link *link)
{
	(void)link;
}

static const struct net_link_ops test_ops = {
	.send = test_send,
	.more = test_more,
	.offloads = test_offloads,
	.carrier = test_carrier,
	.close = test_close,
};

void net_link_test_reopen(struct net_link_test *t)
{
	t->nheld = t->starved = 0;
	t->used = t->carrier = false;
	t->fails = 0;
	list_clear(&t->seen);
	for (unsigned i = 0; i < NET_LINK_QUEUES; i++) {
		list_clear(&t->waiting[i]);
		t->nreads[i] = 0;
	}
	/* As of a link that nobody has told to go on yet. */
	t->starved = ~0u;
}

void net_link_test_open(struct net_link_test *t, unsigned queues, unsigned offloads)
{
	*t = (struct net_link_test){
		.link = {.ops = &test_ops, .queues = queues, .offloads = offloads}};
	list_init(&t->seen);
	for (unsigned i = 0; i < NET_LINK_QUEUES; i++)
		list_init(&t->waiting[i]);
	net_link_test_reopen(t);
}

void net_link_test_fail(struct net_link_test *t, int err)
{
	t->used = true;
	t->link.user->failed(&t->link, err);
}
