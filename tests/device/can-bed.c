/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "policy/class.h"
#include "tests/device/can-bed.h"

#define BED_TURNS 100000 /* more than a client can ask for while time stands still */

static void bed_policy(struct can_bed *bed)
{
	const struct can_bed_conf *conf = &bed->conf;
	struct policy_rate free = {1000000000, 1000000000};
	struct policy_rate much = {1ull << 50, 1ull << 50};
	struct can_policy *can = &bed->can_policy;
	bool ok;

	bed->policy = (struct policy){
		.class = POLICY_CAN,
		.door = conf->door,
		.domain = bed->dev.front,
		.mode = conf->mode,
		.client_pages = POLICY_BOTH,
		.ring_pages = conf->ring_pages ? conf->ring_pages : 16,
		.data_pages = conf->data_pages ? conf->data_pages : 1024,
		.first_ref = {8},
		.last_ref = {LOOPXEN_REFS - 1},
		.in_flight = conf->in_flight ? conf->in_flight : 512,
		.operations = conf->operations.burst ? conf->operations : free,
		.bytes = conf->bytes.burst ? conf->bytes : much,
		.events = free,
		.receive = {conf->receive_rate},
	};
	can_policy_init(can);
	ok = can_rules_parse(conf->transmit ? conf->transmit : "all", &can->transmit) &&
	     can_rules_parse(conf->receive ? conf->receive : "all", &can->receive);
	assert(ok);
	can->listen_only = conf->listen_only;
	can->fd = !conf->no_fd;
	can->errors = conf->errors;
	can->receive_queue = conf->receive_queue ? conf->receive_queue : 64;
	can->overflow = conf->overflow;
}

static int bed_bus(struct can_bed *bed)
{
	const struct can_bus_conf conf = {
		.fd = !bed->conf.no_fd,
		.receive = &bed->can_policy.receive,
		.transmit = &bed->can_policy.transmit,
	};

	switch (bed->conf.bus) {
	case CAN_BED_TEST:
		bed->bus = &bed->test.bus;
		can_bus_test_reopen(&bed->test);
		return 0;
	case CAN_BED_LOOPBACK:
		return can_bus_open(&bed->bus, "loopback:", &conf);
	case CAN_BED_NULL:
		break;
	}
	return can_bus_open(&bed->bus, "null:", &conf);
}

/* -- The world ------------------------------------------------------------ */

static bool bed_run_front(void *owner)
{
	return !can_bed_run(owner);
}

void can_bed_init(struct can_bed *bed, const struct can_bed_conf *conf)
{
	memset(bed, 0, sizeof(*bed));
	bed->conf = *conf;
	bed->dev = (struct loopxen_device){{2}, {3}, NULL, 0};
	bed->dev.kind = class_info(POLICY_CAN, conf->door)->kind;
	bed->door = conf->door == POLICY_VIRTIO ? &can_bed_virtio : &can_bed_pv;
	bed_policy(bed);
	bed->x = loopxen_new();
	loopxen_domain(bed->x, bed->dev.back);
	loopxen_domain(bed->x, bed->dev.front);
	loopxen_attach(bed->x, &bed->dev, "w", "can");
	can_bus_test_open(&bed->test, !conf->no_fd, !conf->no_echo);
	bed->test.holds = conf->holds;
	bed->test.mute = conf->mute;
	bed->front = bed->door->front(bed);
	bed->front->x = bed->x;
	bed->front->dev = &bed->dev;
	bed->front->conf = conf->front;
	bed->front->run = bed_run_front;
	bed->front->owner = bed;
	log_init(&bed->log, "test");
	bed->log.tokens = 0; /* silent: the tests provoke what it would say */
}

unsigned can_bed_fini(struct can_bed *bed)
{
	return loopxen_free(bed->x);
}

/* -- A process ------------------------------------------------------------------------
 */

int can_bed_start_quiet(struct can_bed *bed)
{
	const struct can_conf conf = {.policy = &bed->can_policy,
				      .receive = bed->policy.receive,
				      .owner = bed};
	struct can_conf with = conf;
	struct keys keys = {.log = &bed->log};
	int r = bed_bus(bed);

	assert(!r);
	with.bus = bed->bus;
	r = can_init(&bed->can, &with);
	assert(!r);
	bed->back = loopxen_back_new(bed->x, &bed->policy, &bed->dev);
	keys.grants = &bed->back->grants;
	keys.evtchn = &bed->back->evtchn;
	keys.store = &bed->back->store;
	bed->again = false;
	r = bed->door->init(bed, &keys);
	if (r) {
		can_fini(&bed->can);
		loopxen_back_free(bed->back);
	}
	return r;
}

int can_bed_start(struct can_bed *bed)
{
	int r = can_bed_start_quiet(bed);

	if (r)
		return r;
	r = bed->door->offer(bed);
	if (r) {
		bed->door->fini(bed);
		can_fini(&bed->can);
		loopxen_back_kill(bed->back);
	}
	return r;
}

void can_bed_kill(struct can_bed *bed)
{
	loopxen_back_kill(bed->back);
	/* It is not detached, and never will be. */
	bed->door->died(bed);
	bed->door->fini(bed);
	can_fini(&bed->can);
}

int can_bed_follow(struct can_bed *bed)
{
	int r = can_bed_start_quiet(bed);

	return r ? r : can_bed_connect(bed, true);
}

int can_bed_connect(struct can_bed *bed, bool attach)
{
	int r;

	if (!attach)
		bed->front->ops->connect(bed->front);
	r = bed->door->connect(bed, attach, loopxen_now(bed->x));
	if (r)
		return r;
	r = can_bed_run_now(bed);
	if (!r && !attach && !bed->front->ops->ready(bed->front))
		r = -1;
	return r;
}

void can_bed_up(struct can_bed *bed, const struct can_bed_conf *conf)
{
	int r;

	can_bed_init(bed, conf);
	r = can_bed_start(bed);
	assert(!r);
	r = can_bed_connect(bed, false);
	assert(!r);
}

void can_bed_detach(struct can_bed *bed)
{
	bed->door->detach(bed);
}

void can_bed_end(struct can_bed *bed)
{
	assert(bed->door->is_down(bed));
	bed->door->fini(bed);
	can_fini(&bed->can);
	loopxen_back_free(bed->back);
}

void can_bed_reconnect(struct can_bed *bed)
{
	int r;

	assert(bed->door->is_down(bed));
	if (!bed->front->ops->disconnect(bed->front))
		assert(!"nothing of the client's is mapped");
	bed->broken = bed->detached = 0;
	bed->why = NULL;
	r = bed->door->offer(bed);
	assert(!r);
	r = can_bed_connect(bed, false);
	assert(!r);
}

unsigned can_bed_down(struct can_bed *bed)
{
	unsigned leaks = 0;

	if (!bed->door->is_down(bed)) {
		can_bed_detach(bed);
		can_bed_run(bed);
	}
	assert(bed->detached);
	can_bed_end(bed);
	leaks += !bed->front->ops->disconnect(bed->front);
	return leaks + can_bed_fini(bed);
}

/* -- The loop ------------------------------------------------------------- */

static uint64_t bed_due(const struct can_bed *bed)
{
	uint64_t door = bed->door->due(bed), core = can_due(&bed->can);

	return door < core ? door : core;
}

int can_bed_turn(struct can_bed *bed)
{
	uint64_t now = loopxen_now(bed->x);
	int r = can_turn(&bed->can, now);

	if (!r)
		r = bed->door->turn(bed, now);
	if (!r && bed_due(bed) > now && bed->door->arm(bed))
		bed->again = true;
	return r;
}

int can_bed_run_now(struct can_bed *bed)
{
	unsigned turns = 0;

	while (!bed->door->is_down(bed)) {
		struct evport port;
		bool fired = evtchn_pending(&bed->back->evtchn, &port) == 1;
		int r;

		if (!fired && !bed->test.used && !bed->again &&
		    bed_due(bed) > loopxen_now(bed->x))
			break;
		bed->test.used = bed->again = false;
		assert(turns++ < BED_TURNS);
		r = can_bed_turn(bed);
		if (r < 0)
			return r;
		if (fired && !bed->door->is_down(bed))
			evtchn_unmask(&bed->back->evtchn, port);
	}
	return 0;
}

int can_bed_run(struct can_bed *bed)
{
	for (;;) {
		int r = can_bed_run_now(bed);

		if (r < 0 || bed->door->is_down(bed) || bed_due(bed) == UINT64_MAX)
			return r;
		loopxen_advance(bed->x, bed_due(bed) - loopxen_now(bed->x));
	}
}

/* -- The client ----------------------------------------------------------- */

void can_bed_send(struct can_bed *bed, uint16_t id, const struct canfd_frame *frame)
{
	bool room = bed->front->ops->send(bed->front, id, frame);

	assert(room);
	bed->front->ops->push(bed->front);
}

void can_bed_post(struct can_bed *bed, unsigned n)
{
	for (; n; n--) {
		bool room = bed->front->ops->post(bed->front);

		assert(room);
	}
	bed->front->ops->push(bed->front);
}

enum can_status can_bed_control(struct can_bed *bed, bool start)
{
	struct can_front_answer answer;
	bool room = bed->front->ops->control(bed->front, 0xc0de, start);
	int r;

	assert(room);
	bed->front->ops->push(bed->front);
	r = can_bed_run(bed);
	assert(!r);
	room = bed->front->ops->controlled(bed->front, &answer);
	assert(room && answer.id == 0xc0de);
	return answer.status;
}

enum can_status can_bed_ask(struct can_bed *bed, const struct canfd_frame *frame)
{
	struct can_front_answer answer;
	bool answered;
	int r;

	can_bed_send(bed, 0xa5c, frame);
	r = can_bed_run(bed);
	assert(!r);
	answered = can_bed_answer(bed, &answer);
	assert(answered && answer.id == 0xa5c);
	answered = can_bed_answer(bed, &answer);
	assert(!answered);
	return answer.status;
}

bool can_bed_answer(struct can_bed *bed, struct can_front_answer *out)
{
	return bed->front->ops->answer(bed->front, out);
}

bool can_bed_event(struct can_bed *bed, struct can_event *out)
{
	return bed->front->ops->event(bed->front, out);
}

enum can_status can_bed_says(const struct can_bed *bed, enum can_status status)
{
	if (bed->front->ops->words.statuses || status == CAN_OK)
		return status;
	return CAN_FAILED;
}

const char *can_bed_back_key(struct can_bed *bed, const char *key)
{
	char path[160];

	loopxen_path(&bed->dev, STORE_BACK, key, path, sizeof(path));
	return loopxen_read(bed->x, bed->dev.front, path);
}
