/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: what a client and the toolstack write into xenstore, as a disk
 * reads it: its life, its PV door, and loopxen under them.
 *
 * Each byte is a step (steps[]) and takes the bytes it needs: a key of either
 * directory becomes anything, a process is killed, a device goes and comes.
 * Whatever the values:
 *  1. none of them ends the process;
 *  2. a door that came up is what the keys say, and the keys are what the
 *     protocol allows;
 *  3. a device that is gone holds nothing, and the next one is served.
 */
#include "tests/fuzz/client.h"
#include "tests/hostile/stage.h"

#include <assert.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX    100 /* more say nothing new, and take long */
#define RESTARTS_MAX 4

static struct client client;
static const uint8_t *at, *end; /* what is left of the input */
static unsigned restarts;

static const struct {
	enum store_side side;
	const char *key;
} keys[] = {
	{STORE_FRONT, "state"},
	{STORE_FRONT, "protocol"},
	{STORE_FRONT, "ring-ref"},
	{STORE_FRONT, "ring-ref0"},
	{STORE_FRONT, "ring-ref1"},
	{STORE_FRONT, "event-channel"},
	{STORE_FRONT, "ring-page-order"},
	{STORE_FRONT, "num-ring-pages"},
	{STORE_FRONT, "multi-queue-num-queues"},
	{STORE_FRONT, "feature-persistent"},
	{STORE_FRONT, "queue-0/ring-ref"},
	{STORE_FRONT, "queue-0/ring-ref0"},
	{STORE_FRONT, "queue-0/ring-ref1"},
	{STORE_FRONT, "queue-0/event-channel"},
	{STORE_FRONT, "queue-1/ring-ref"},
	{STORE_FRONT, "queue-1/ring-ref0"},
	{STORE_FRONT, "queue-1/ring-ref1"},
	{STORE_FRONT, "queue-1/event-channel"},
	{STORE_BACK, "state"},
	{STORE_BACK, "online"},
	{STORE_BACK, "mode"},
	{STORE_BACK, "params"},
	{STORE_BACK, "discard-enable"},
	{STORE_BACK, "frontend-id"},
	{STORE_BACK, "frontend"},
	{STORE_BACK, "sectors"},
};

static const char *const words[] = {
	"",
	"x86_64-abi",
	"x86_32-abi",
	"arm-abi",
	"w",
	"r",
	"w!",
	"disk",
	"4294967295",
	"4294967296",
	"18446744073709551616",
	"01",
	"-1",
	"1 ",
	"0x1",
	"+1",
};

static uint8_t byte(void)
{
	return at < end ? *at++ : 0;
}

/* -- What the keys say, read by other code than the door's ---------------------- */

static const char *front_value(const char *key)
{
	char path[160];

	loopxen_path(&bed.dev, STORE_FRONT, key, path, sizeof(path));
	return loopxen_read(bed.x, bed.dev.front, path);
}

/* A decimal number as snprintf() would write it, or @otherwise if there is none. */
static uint64_t said(const char *key, uint64_t otherwise)
{
	const char *value = front_value(key);
	uint64_t number = value ? strtoull(value, NULL, 10) : otherwise;
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	assert(!value || !strcmp(value, text));
	return number;
}

/* Invariant 2. */
static void check_queue(unsigned i, unsigned pages, bool numbered)
{
	char key[40], name[16];
	const char *queue = bed.pv.queues == 1 ? "" : i ? "queue-1/" : "queue-0/";

	assert(bed.pv.queue[i].ring_map.pages == pages);
	for (unsigned k = 0; k < pages; k++) {
		snprintf(name, sizeof(name), numbered ? "ring-ref%u" : "ring-ref", k);
		snprintf(key, sizeof(key), "%s%s", queue, name);
		assert(loopxen_mapped(bed.x, bed.dev.front,
				      (struct gref){(uint32_t)said(key, 0)}));
	}
	snprintf(key, sizeof(key), "%sevent-channel", queue);
	assert(front_value(key) && said(key, 0) < LOOPXEN_PORTS);
}

static void check_door(void)
{
	const char *protocol = front_value("protocol");
	const char *keep = front_value("feature-persistent");
	uint64_t order = said("ring-page-order", 99),
		 pages = said("num-ring-pages", 99);
	bool numbered = order != 99 || (pages != 99 && pages > 1);

	assert(!protocol || !strcmp(protocol, "x86_64-abi") ||
	       !strcmp(protocol, "x86_32-abi") || !strcmp(protocol, "arm-abi"));
	assert((bed.pv.abi == BLKIF_ABI_X86_32) ==
	       (protocol && !strcmp(protocol, "x86_32-abi")));
	assert(bed.pv.persistent == (keep && !strcmp(keep, "1")));
	assert(bed.pv.queues == said("multi-queue-num-queues", 1));
	assert(bed.pv.queues >= 1 && bed.pv.queues <= 2);
	assert(order == 99 || order <= 1);
	assert(pages == 99 || pages == 1 || pages == 2);
	assert(order == 99 || pages == 99 || pages == 1u << order);
	if (pages == 99)
		pages = order == 99 ? 1 : 1u << order;
	for (unsigned i = 0; i < bed.pv.queues; i++)
		check_queue(i, (unsigned)pages, numbered);
}

static void turn(void)
{
	bool down = bed.pv.state == BLK_PV_DOWN;

	stage_turn();
	assert(!stage.error);
	if (down && bed.pv.state == BLK_PV_UP)
		check_door();
	assert(bed.pv.state != BLK_PV_DOWN || !loopxen_back_holds(bed.back));
}

/* -- Steps ------------------------------------------------------------------------ */

static void put(const char *value, size_t len)
{
	unsigned i = byte() % COUNT(keys);
	char path[160];

	loopxen_path(&bed.dev, keys[i].side, keys[i].key, path, sizeof(path));
	if (value)
		loopxen_write_bytes(bed.x, (struct domid){0}, path, value, len);
	else
		loopxen_rm(bed.x, (struct domid){0}, path);
}

static void step_bytes(void)
{
	char value[256 + 16];
	size_t len = byte();

	/* Past the longest that a back end reads, too. */
	len += len > 200 ? 16 : 0;
	for (size_t i = 0; i < len; i++)
		value[i] = (char)byte();
	put(value, len);
}

static void step_number(void)
{
	char value[8];

	put(value, (size_t)snprintf(value, sizeof(value), "%u", byte()));
}

static void step_word(void)
{
	const char *value = words[byte() % COUNT(words)];

	put(value, strlen(value));
}

static void step_rm(void)
{
	put(NULL, 0);
}

static void step_state(void)
{
	front_state(&client.queue[0], byte() % (STORE_RECONFIGURED + 2));
}

static void step_sound(void)
{
	front_key(&client.queue[0], "num-ring-pages", NULL);
	client_keys(&client);
	front_state(&client.queue[0], STORE_INITIALISED);
}

static void step_ticks(void)
{
	stage_ticks(byte() % 4);
}

/* The process dies and another finds what is there; its rings may be rewritten. */
static void step_restart(void)
{
	uint8_t i = byte();

	front_header(&client.queue[i & 1])[i >> 1 & 3] += byte();
	if (restarts++ < RESTARTS_MAX)
		stage_restart();
}

static void step_device(void)
{
	stage_remove();
	if (byte() & 1)
		turn();
	stage_attach();
}

static void step_kick(void)
{
	front_kick(&client.queue[byte() & 1]);
}

static void (*const steps[])(void) = {
	step_number, step_word,	   step_bytes,	step_rm,    step_state,
	step_ticks,  step_restart, step_device, step_sound, step_kick,
};

/* -- A run ------------------------------------------------------------------------- */

/* Invariant 3: it is connected, and gone again. */
static void serve(void)
{
	client_close(&client);
	client_open(&client);
	stage_attach();
	turn();
	assert(stage.life.state == LIFE_WAITING);
	step_sound();
	turn();
	assert(stage.life.state == LIFE_CONNECTED && bed.pv.state == BLK_PV_UP);
}

static void leave(void)
{
	stage_remove();
	turn();
	assert(stage.life.state == LIFE_ABSENT && bed.pv.state == BLK_PV_DOWN);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct bed_conf conf = {
		.data_pages = 16,
		.ring_pages = 4,
		.queues = 2,
		.discard = true,
	};

	(void)argc, (void)argv;
	stage_init(&conf);
	bed.log.burst = 1; /* nobody reads it */
	bed.log.per_minute = 0;
	client_init(&client, &bed);
	client_open(&client);
	turn();
	leave();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	at = data;
	end = data + size;
	restarts = 0;
	stage_attach();
	turn();
	for (unsigned n = 0; at < end && n < STEPS_MAX; n++) {
		steps[byte() % COUNT(steps)]();
		if (at < end && *at & 0x80)
			continue;
		turn();
	}
	leave();
	serve();
	leave();
	return 0;
}
