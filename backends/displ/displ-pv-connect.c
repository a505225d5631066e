/* SPDX-License-Identifier: MIT */
/*
 * What the PV door says and reads in xenstore, and the set-up of its rings.
 * Key names and their meaning: xen/io/displif.h.
 *
 * A connector's keys stand in "N/" of the device. Of the client's description of it
 * nothing is believed and nothing read, but for what stands in "resolution", which
 * libxl lets no client write: that it is more than the policy has is said here, and not
 * only when a picture is refused.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "backends/displ/displ-kept.h"
#include "backends/displ/displ-pv.h"

#define PV_AT	    12
#define PV_VERSIONS "1,2"

int displ_pv_offer(struct displ_pv *pv)
{
	return keys_write(&pv->conf.keys, "versions", PV_VERSIONS);
}

/* The folder of its keys. */
static void head_at(const struct displ_pv_head *head, char at[PV_AT])
{
	snprintf(at, PV_AT, "%u", head->number);
}

/* Linux's front end does not say which of the versions it has chosen. */
static int read_version(struct displ_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];
	int r = keys_read(&pv->conf.keys, STORE_FRONT, "version", value);

	if (r <= 0)
		return r;
	if (strcmp(value, "1") && strcmp(value, "2"))
		return keys_fail(&pv->conf.keys, "version", "not one of those offered");
	return 0;
}

/* *@has: the client has the connector. */
static int read_head(struct displ_pv_head *head, bool *has)
{
	const struct displ_size *most =
		&head->pv->conf.displ_policy->head[head->number].size;
	const struct keys *keys = &head->pv->conf.keys;
	char value[STORE_VALUE_MAX + 1], key[PV_CHANNEL_KEY], at[PV_AT];
	struct displ_size size;
	int r;

	head_at(head, at);
	pv_channel_key(key, at, "req-ring-ref");
	r = keys_read(keys, STORE_FRONT, key, value);
	*has = r > 0;
	if (r <= 0)
		return r;
	pv_channel_key(key, at, "resolution");
	r = keys_read(keys, STORE_FRONT, key, value);
	if (r > 0 && displ_size_parse(value, &size) &&
	    (size.width > most->width || size.height > most->height))
		return keys_fail(keys, key,
				 "it is more than the policy's Connector has");
	return r < 0 ? r : 0;
}

static int head_close(struct displ_pv_head *head)
{
	head->lit = head->kept = head->again = head->flipping = false;
	head->step = DISPL_PV_IDLE;
	return pv_channel_close(&head->channel, &head->pv->conf.keys);
}

int displ_pv_close(struct displ_pv *pv)
{
	int r = displ_pv_forget(pv);

	for (uint32_t i = 0; i < pv->heads; i++) {
		int this = head_close(&pv->head[i]);

		r = r ? r : this;
	}
	return r;
}

static int head_open(struct displ_pv_head *head, bool attach)
{
	static const struct pv_channel_names names = {
		"req-ring-ref", "req-event-channel", "evt-ring-ref",
		"evt-event-channel"};
	char at[PV_AT];

	head_at(head, at);
	return pv_channel_open(&head->channel, &head->pv->conf.keys, at, &names,
			       attach);
}

static int open_heads(struct displ_pv *pv, bool attach)
{
	bool any = false;
	int r = 0;

	for (uint32_t i = 0; !r && i < pv->heads; i++) {
		bool has;

		r = read_head(&pv->head[i], &has);
		if (!r && has)
			r = head_open(&pv->head[i], attach);
		any = any || has;
	}
	if (!r && !any)
		r = keys_fail(&pv->conf.keys, "req-ring-ref",
			      "it has none of the policy's connectors");
	return r;
}

/* What a predecessor had it show. */
static int head_recall(struct displ_pv_head *head)
{
	uint64_t v[5];
	int r = displ_kept_read(&head->pv->conf.keys, "connector", head->number, 5, v);

	if (r <= 0)
		return r;
	head->shows = v[0];
	head->rect = (struct displ_rect){(uint32_t)v[1], (uint32_t)v[2], (uint32_t)v[3],
					 (uint32_t)v[4]};
	head->lit = head->again = head->kept = true;
	return 0;
}

/* Of a connection before this one it must not be said that it goes on. */
static int forget(struct displ_pv *pv)
{
	const uint64_t none[] = {0, 0};
	int r = displ_keep(&pv->conf.keys, "counts", 0, none, 2);

	for (uint32_t i = 0; !r && i < pv->heads; i++)
		r = displ_keep(&pv->conf.keys, "connector", i, NULL, 0);
	pv->counts_kept = !r;
	return r;
}

static int recall(struct displ_pv *pv)
{
	int r = displ_pv_recall(pv);

	for (uint32_t i = 0; !r && i < pv->heads; i++) {
		if (pv->head[i].channel.open)
			r = head_recall(&pv->head[i]);
	}
	return r;
}

static int wake_all(struct displ_pv *pv)
{
	int r = 0;

	for (uint32_t i = 0; !r && i < pv->heads; i++) {
		if (pv->head[i].channel.open)
			r = pv_channel_wake(&pv->head[i].channel, &pv->conf.keys);
	}
	return r;
}

int displ_pv_connect(struct displ_pv *pv, bool attach, uint64_t now)
{
	int r, closed;

	assert(pv->state == DISPL_PV_DOWN);
	pv->now = now;
	r = read_version(pv);
	if (!r)
		r = open_heads(pv, attach);
	if (!r)
		r = attach ? recall(pv) : forget(pv);
	if (r) {
		closed = displ_pv_close(pv);
		return closed < 0 ? closed : r;
	}
	displ_pv_start(pv, now);
	return attach ? wake_all(pv) : 0;
}
