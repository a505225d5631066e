/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "policy/class.h"
#include "tests/device/bed.h"

#define BED_TURNS 100000 /* more than a client can ask for while time stands still */

static struct bed *bed_of_slow(struct blk_store *store)
{
	return (struct bed *)((char *)store - offsetof(struct bed, slow));
}

static void slow_submit(struct blk_store *store, struct blk_request *rq)
{
	struct bed *bed = bed_of_slow(store);

	assert(bed->nwaiting < sizeof(bed->waiting) / sizeof(bed->waiting[0]));
	bed->waiting[bed->nwaiting++] = rq;
}

static int64_t slow_size(struct blk_store *store)
{
	return (int64_t)bed_of_slow(store)->bytes;
}

static const struct blk_store_ops slow_ops = {
	.submit = slow_submit,
	.size = slow_size,
};

static struct blk_request *slow_take(struct bed *bed, unsigned i)
{
	struct blk_request *rq = bed->waiting[i];

	assert(i < bed->nwaiting);
	bed->nwaiting--;
	memmove(bed->waiting + i, bed->waiting + i + 1,
		(bed->nwaiting - i) * sizeof(bed->waiting[0]));
	bed->came_home = true;
	return rq;
}

void bed_complete(struct bed *bed, unsigned i)
{
	bed->disk.store.ops->submit(&bed->disk.store, slow_take(bed, i));
}

void bed_fail(struct bed *bed, unsigned i, int error)
{
	blk_finish(slow_take(bed, i), -error);
}

static void bed_policy(struct bed *bed)
{
	const struct bed_conf *conf = &bed->conf;
	struct policy_rate free = {1000000000, 1000000000};
	struct policy_rate much = {1ull << 50, 1ull << 50};

	bed->policy = (struct policy){
		.class = POLICY_BLK,
		.door = conf->door,
		.read_only = conf->read_only,
		.domain = bed->dev.front,
		.mode = conf->mode,
		.client_pages = conf->client_pages ? conf->client_pages : POLICY_BOTH,
		.ring_pages = conf->ring_pages ? conf->ring_pages : 16,
		.data_pages = conf->data_pages ? conf->data_pages : 352,
		.first_ref = {8},
		.last_ref = {LOOPXEN_REFS - 1},
		.in_flight = conf->in_flight ? conf->in_flight : 512,
		.operations = conf->operations.burst ? conf->operations : free,
		.bytes = conf->bytes.burst ? conf->bytes : much,
		.events = free,
	};
	blk_policy_init(&bed->block);
	bed->block.discard = conf->discard;
	bed->block.sector_bytes = conf->sector_bytes;
	if (conf->queues)
		bed->block.queues = conf->queues;
	if (conf->persistent_pages)
		bed->block.persistent_pages = conf->persistent_pages;
}

void bed_init(struct bed *bed, const struct bed_conf *conf)
{
	struct blk_store_conf store;
	int r;

	*bed = (struct bed){.conf = *conf, .dev = {{2}, {3}, NULL, 51712}};
	bed->dev.kind = class_info(POLICY_BLK, conf->door)->kind;
	bed_policy(bed);
	bed->x = loopxen_new();
	loopxen_domain(bed->x, bed->dev.back);
	loopxen_domain(bed->x, bed->dev.front);
	loopxen_attach(bed->x, &bed->dev, conf->mode_key ? conf->mode_key : "w",
		       "disk");
	store = (struct blk_store_conf){
		.read_only = conf->read_only,
		.discard = conf->discard,
		.sector_bytes = conf->sector_bytes,
	};
	r = blk_store_memory_open(&bed->disk.memory, (uint64_t)BED_SECTORS * 512,
				  &store);
	assert(!r);
	bed->slow = (struct blk_store){&slow_ops, bed->disk.store.geometry};
	bed->bytes = (uint64_t)BED_SECTORS * 512;
	log_init(&bed->log, "test");
	bed->log.tokens = 0; /* silent: the tests provoke what it would say */
}

unsigned bed_fini(struct bed *bed)
{
	bed->disk.store.ops->close(&bed->disk.store);
	return loopxen_free(bed->x);
}

/* -- The two doors --------------------------------------------------------------- */

static bool bed_virtio(const struct bed *bed)
{
	return bed->conf.door == POLICY_VIRTIO;
}

static bool bed_is_down(const struct bed *bed)
{
	return bed_virtio(bed) ? bed->virtio.door.state == VIRTIO_DOOR_DOWN
			       : bed->pv.state == BLK_PV_DOWN;
}

static uint64_t bed_due(const struct bed *bed)
{
	return bed_virtio(bed) ? virtio_door_due(&bed->virtio.door)
			       : blk_pv_due(&bed->pv);
}

static bool bed_arm(struct bed *bed)
{
	return bed_virtio(bed) ? virtio_door_arm(&bed->virtio.door)
			       : blk_pv_arm(&bed->pv);
}

static void bed_fini_door(struct bed *bed)
{
	if (bed_virtio(bed))
		blk_virtio_fini(&bed->virtio);
	else
		blk_pv_fini(&bed->pv);
}

static void bed_left(struct virtio_door *door)
{
	const struct blk_virtio *v = door->conf.owner;
	struct bed *bed = v->conf.owner;

	bed->detached++;
}

static int bed_init_virtio(struct bed *bed, const struct keys *keys)
{
	struct blk_virtio_conf conf = {
		.policy = &bed->policy,
		.block = &bed->block,
		.blk = &bed->blk,
		.keys = *keys,
		.owner = bed,
		.detached = bed_left,
	};

	return blk_virtio_init(&bed->virtio, &conf);
}

static void bed_broken(struct blk_pv *pv, const char *why)
{
	struct bed *bed = pv->conf.owner;

	bed->broken++;
	bed->why = why;
	blk_pv_detach(pv);
}

static void bed_detached(struct blk_pv *pv)
{
	struct bed *bed = pv->conf.owner;

	bed->detached++;
}

static int bed_init_pv(struct bed *bed, const struct keys *keys)
{
	struct blk_pv_conf conf = {
		.policy = &bed->policy,
		.block = &bed->block,
		.blk = &bed->blk,
		.keys = *keys,
		.owner = bed,
		.broken = bed_broken,
		.detached = bed_detached,
	};

	return blk_pv_init(&bed->pv, &conf);
}

int bed_start_quiet(struct bed *bed)
{
	struct keys keys = {.log = &bed->log};
	int r;

	blk_init(&bed->blk, bed->conf.slow ? &bed->slow : &bed->disk.store);
	blk_resize(&bed->blk); /* as one that is opened finds it */
	bed->back = loopxen_back_new(bed->x, &bed->policy, &bed->dev);
	keys.grants = &bed->back->grants;
	keys.evtchn = &bed->back->evtchn;
	keys.store = &bed->back->store;
	bed->came_home = false;
	bed->nwaiting = 0;
	r = bed_virtio(bed) ? bed_init_virtio(bed, &keys) : bed_init_pv(bed, &keys);
	if (r)
		loopxen_back_free(bed->back);
	return r;
}

int bed_start(struct bed *bed)
{
	int r = bed_start_quiet(bed);

	if (r)
		return r;
	r = bed_virtio(bed) ? blk_virtio_offer(&bed->virtio) : blk_pv_offer(&bed->pv);
	if (r) {
		bed_fini_door(bed);
		loopxen_back_kill(bed->back);
	}
	return r;
}

void bed_kill(struct bed *bed)
{
	loopxen_back_kill(bed->back);
	/* It is not detached, and never will be. */
	bed->pv.error = bed->virtio.door.error = -EIO;
	bed_fini_door(bed);
}

static bool bed_let_run(void *owner)
{
	return bed_run(owner) >= 0;
}

static int bed_connect_virtio(struct bed *bed, bool attach)
{
	int r;

	if (!attach) {
		bed->vfront.run = bed_let_run;
		bed->vfront.owner = bed;
		vfront_connect(&bed->vfront, bed->x, &bed->dev, &bed->conf.virtio);
	}
	r = blk_virtio_connect(&bed->virtio, attach, loopxen_now(bed->x));
	if (r)
		return r;
	vfront_state(&bed->vfront, STORE_CONNECTED);
	r = bed_run(bed);
	if (!r && !attach && !vfront_ready(&bed->vfront))
		r = -EPROTO;
	return r;
}

int bed_connect(struct bed *bed, bool attach)
{
	int r;

	if (bed_virtio(bed))
		return bed_connect_virtio(bed, attach);

	if (!attach) {
		front_connect(&bed->front, bed->x, &bed->dev, &bed->conf.front);
		for (unsigned i = 1; i < bed->conf.front.queues; i++)
			front_queue(&bed->queue[i], &bed->front, i);
	}
	r = blk_pv_connect(&bed->pv, attach, loopxen_now(bed->x));
	if (r)
		return r;
	front_state(&bed->front, STORE_CONNECTED);
	return bed_run(bed);
}

void bed_up(struct bed *bed, const struct bed_conf *conf)
{
	int r;

	bed_init(bed, conf);
	r = bed_start(bed);
	assert(!r);
	r = bed_connect(bed, false);
	assert(!r);
}

void bed_detach(struct bed *bed)
{
	if (bed_virtio(bed))
		virtio_door_detach(&bed->virtio.door);
	else
		blk_pv_detach(&bed->pv);
}

void bed_end(struct bed *bed)
{
	assert(bed_is_down(bed));
	bed_fini_door(bed);
	loopxen_back_free(bed->back);
}

bool bed_disconnect(struct bed *bed)
{
	bool clean;

	if (bed_virtio(bed))
		return vfront_disconnect(&bed->vfront);
	clean = front_disconnect(&bed->front);

	for (unsigned i = 1; i < bed->conf.front.queues; i++)
		clean &= front_disconnect(&bed->queue[i]);
	return clean;
}

unsigned bed_down(struct bed *bed)
{
	unsigned leaks = 0;

	if (!bed_is_down(bed)) {
		bed_detach(bed);
		while (bed->nwaiting)
			bed_complete(bed, 0);
		bed_run(bed);
	}
	assert(bed->detached);
	bed_end(bed);
	leaks += !bed_disconnect(bed);
	return leaks + bed_fini(bed);
}

/* What could wake a back end: its ports that fired, into @port, and how many. */
static unsigned bed_fired(struct bed *bed, struct evport port[BLK_QUEUES_MAX])
{
	unsigned n = 0;

	while (n < BLK_QUEUES_MAX && evtchn_pending(&bed->back->evtchn, &port[n]) == 1)
		n++;
	return n;
}

int bed_turn(struct bed *bed)
{
	uint64_t now = loopxen_now(bed->x);
	int r = bed_virtio(bed) ? virtio_door_turn(&bed->virtio.door, now)
				: blk_pv_turn(&bed->pv, now);

	if (!r && bed_due(bed) > now && bed_arm(bed))
		bed->came_home = true;
	return r;
}

int bed_run_now(struct bed *bed)
{
	struct evport port[BLK_QUEUES_MAX];
	unsigned ports, turns = 0;
	int r;

	while (!bed_is_down(bed)) {
		ports = bed_fired(bed, port);
		if (!ports && !bed->came_home && bed_due(bed) > loopxen_now(bed->x))
			break;
		bed->came_home = false;
		assert(turns++ < BED_TURNS);
		r = bed_turn(bed);
		if (r < 0)
			return r;
		while (ports-- && !bed_is_down(bed))
			evtchn_unmask(&bed->back->evtchn, port[ports]);
	}
	return 0;
}

int bed_run(struct bed *bed)
{
	int r;

	for (;;) {
		r = bed_run_now(bed);
		if (r < 0 || bed_due(bed) == UINT64_MAX)
			return r;
		loopxen_advance(bed->x, bed_due(bed) - loopxen_now(bed->x));
	}
}

int16_t bed_ask(struct bed *bed)
{
	struct front_rsp rsp;
	int r;

	front_push(&bed->front);
	r = bed_run(bed);
	assert(!r);
	if (!front_answer(&bed->front, &rsp))
		return 99;
	return front_answer(&bed->front, &rsp) ? 98 : rsp.status;
}

uint8_t *bed_disk(struct bed *bed, uint64_t sector)
{
	return bed->disk.memory.bytes + sector * 512;
}

const char *bed_back_key(struct bed *bed, const char *key)
{
	char path[160];

	loopxen_path(&bed->dev, STORE_BACK, key, path, sizeof(path));
	return loopxen_read(bed->x, bed->dev.front, path);
}
