/* SPDX-License-Identifier: MIT */
#include "tests/hostile/door.h"

#include "common/clock.h"

#define UNNAMED 16 /* pages at the end of the client's memory */
#define SECTOR	8000

const struct bed_conf door_confs[DOORS] = {
	{.door = POLICY_VIRTIO, .mode = POLICY_POOL, .data_pages = 1024},
	{.door = POLICY_VIRTIO,
	 .mode = POLICY_POOL,
	 .data_pages = 1024,
	 .virtio.plain = true},
	{.door = POLICY_VIRTIO, .mode = POLICY_GRANT, .virtio.grant = true},
	{.door = POLICY_VIRTIO,
	 .mode = POLICY_GRANT,
	 .virtio.grant = true,
	 .virtio.plain = true},
};

struct door_blocks door;

static uint16_t token;
static unsigned told; /* events, before what is being listened to */

static struct vfront *front(void)
{
	return &bed.vfront;
}

struct virtio_driver *door_driver(void)
{
	return &bed.vfront.driver;
}

uint32_t door_status(void)
{
	return bed.virtio.door.device.status;
}

void door_run(void)
{
	assert_int_equal(bed_run(&bed), 0);
}

static uint8_t *unnamed(void)
{
	return front()->pool.at + front()->pool.bytes - UNNAMED * 4096;
}

static void blocks(void)
{
	struct driver_pool *pool = &front()->pool;

	door.header = driver_pool_get(pool, 64, 64);
	door.data = driver_pool_get(pool, DOOR_BYTES, 4096);
	door.status = driver_pool_get(pool, 64, 64);
	assert_non_null(door.status.at);
}

/* -- Up -------------------------------------------------------------------------- */

static void begin(const struct bed_conf *conf)
{
	bed_init(&bed, conf);
	memset(bed_disk(&bed, 0), 0x99, (size_t)BED_SECTORS * 512);
	assert_int_equal(bed_start(&bed), 0);
	memset(&door, 0, sizeof(door));
	token = 0;
}

void door_up(struct bed_conf conf)
{
	begin(&conf);
	assert_int_equal(bed_connect(&bed, false), 0);
	memset(unnamed(), 0xa5, UNNAMED * 4096);
	blocks();
	door_listen();
}

void door_features(struct bed_conf conf)
{
	struct driver_pool *pool = &front()->pool;

	begin(&conf);
	assert_int_equal(bed_connect(&bed, false), 0);
	memset(unnamed(), 0xa5, UNNAMED * 4096);
	driver_pool_init(pool, pool->at, pool->bytes, pool->base);
	assert_true(virtio_driver_begin(door_driver(), ~conf.virtio.refuses,
					&front()->features));
	blocks();
	door_listen();
}

/* -- Messages -------------------------------------------------------------------- */

void door_put(uint8_t id, const void *payload, unsigned n)
{
	uint8_t m[DRIVER_MESSAGE] = {0, id};

	le_put(m + 4, 2, ++token | 0x8000u);
	le_put(m + 6, 2, DRIVER_HEADER + n);
	if (n)
		memcpy(m + DRIVER_HEADER, payload, n);
	assert_true(virtio_driver_put(door_driver(), m, DRIVER_HEADER + n));
}

void door_put_words(uint8_t id, const uint32_t *words, unsigned n)
{
	uint8_t payload[DRIVER_PAYLOAD];

	for (unsigned i = 0; i < n; i++)
		le_put(payload + 4 * i, 4, words[i]);
	door_put(id, payload, 4 * n);
}

void door_put_queue(uint32_t index, uint32_t size, const uint64_t area[3])
{
	uint8_t payload[40] = {0};

	le_put(payload, 4, index);
	le_put(payload + 8, 4, size);
	for (unsigned i = 0; i < 3; i++)
		le_put(payload + 16 + 8 * i, 8, area[i]);
	door_put(DRIVER_SET_VQUEUE, payload, sizeof(payload));
}

void door_step(unsigned i)
{
	static const uint32_t words[DOOR_STEPS][4] = {
		{0}, {1}, {3}, {0, 2, 1u << 6, 0x103}, {11}, {0}, {15}, {0}, {0}, {15},
	};
	uint64_t area[3] = {door.data.addr, door.data.addr + 4096,
			    door.data.addr + 8192};

	if (i == 5 || i == 8)
		door_put_queue(0, 8, area);
	else if (i == 3)
		door_put_words(DRIVER_SET_DRIVER_FEATURES, words[i], 4);
	else if (i == 7)
		door_put_words(DRIVER_RESET_VQUEUE, words[i], 1);
	else
		door_put_words(DRIVER_SET_DEVICE_STATUS, words[i], 1);
}

bool door_answered(uint8_t id, uint8_t payload[DRIVER_PAYLOAD])
{
	uint8_t m[DRIVER_MESSAGE];

	while (virtio_driver_take(door_driver(), m)) {
		if (m[0] != DRIVER_ANSWER) {
			door_driver()->events++;
			door_driver()->event_status = (uint32_t)le_get(m + 8, 4);
			continue;
		}
		assert_int_equal(m[1], id);
		memcpy(payload, m + DRIVER_HEADER, DRIVER_PAYLOAD);
		return true;
	}
	return false;
}

/* -- Chains ---------------------------------------------------------------------- */

void door_header(uint32_t type, uint64_t sector)
{
	le_put(door.header.at, 4, type);
	le_put(door.header.at + 4, 4, 0);
	le_put(door.header.at + 8, 8, sector);
	*door.status.at = 0xff;
}

int door_chain(const struct driver_sg *sg, unsigned readable, unsigned writable)
{
	struct driver_queue *q = &front()->queue[0];
	int head = driver_queue_add(q, sg, readable, writable, readable + writable, 7);

	driver_queue_publish(q);
	loopxen_notify(bed.x, bed.dev.front, front()->port);
	return head;
}

int door_ask(bool writes, uint64_t sector, uint32_t bytes)
{
	struct driver_sg sg[3] = {
		{door.header.addr, 16}, {door.data.addr, bytes}, {door.status.addr, 1}};

	door_header(writes, sector);
	return door_chain(sg, 1 + writes, 2 - writes);
}

bool door_done(struct driver_done *done)
{
	return driver_queue_get(&front()->queue[0], done) == DRIVER_GOT;
}

/* -- What must hold -----------------------------------------------------------------
 */

void door_listen(void)
{
	bed.log.tokens = 0;
	bed.log.suppressed = 0;
	bed.log.filled_ns = clock_now();
	virtio_driver_poll(door_driver());
	told = door_driver()->events;
}

void door_is_wrong(const char *what)
{
	struct virtio_driver *d = door_driver();

	if (!(door_status() & DRIVER_S_NEEDS_RESET))
		fail_msg("%s: no reset is needed", what);
	if (bed.log.suppressed != 1)
		fail_msg("%s: said %" PRIu64 " times", what, bed.log.suppressed);
	virtio_driver_poll(d);
	if (d->events == told || !(d->event_status & DRIVER_S_NEEDS_RESET))
		fail_msg("%s: the driver was not told", what);
	for (unsigned i = 0; i < 3; i++) {
		loopxen_notify(bed.x, bed.dev.front, front()->port);
		door_run();
	}
	assert_int_equal(bed.log.suppressed, 1);
	assert_false(virtio_door_pending(&bed.virtio.door));
	assert_false(virtio_door_arm(&bed.virtio.door));
}

void door_is_sound(const char *what)
{
	if (door_status() & DRIVER_S_NEEDS_RESET)
		fail_msg("%s: it needs a reset", what);
}

static void untouched(void)
{
	for (size_t i = 0; i < (size_t)BED_SECTORS * 512; i += 512) {
		if (i / 512 < SECTOR || i / 512 >= SECTOR + 8)
			assert_int_equal(bed_disk(&bed, 0)[i], 0x99);
	}
	for (size_t i = 0; i < UNNAMED * 4096; i++)
		assert_int_equal(unnamed()[i], 0xa5);
}

void door_serves(void)
{
	struct vfront_answer answer;
	uint8_t *at = vfront_add(front(), 0, 200, BLK_VIRTIO_OUT, SECTOR, 4096);

	assert_non_null(at);
	memset(at, 0x42, 4096);
	vfront_push(front());
	door_run();
	assert_true(vfront_answer(front(), &answer));
	assert_int_equal(answer.status, BLK_VIRTIO_OK);
	assert_int_equal(bed_disk(&bed, SECTOR)[4095], 0x42);
	memset(bed_disk(&bed, SECTOR), 0x43, 4096);
	assert_non_null(vfront_add(front(), 0, 201, BLK_VIRTIO_IN, SECTOR, 4096));
	vfront_push(front());
	door_run();
	assert_true(vfront_answer(front(), &answer));
	assert_int_equal(answer.status, BLK_VIRTIO_OK);
	assert_int_equal(answer.len, 4097);
	assert_int_equal(answer.data[0], 0x43);
	assert_int_equal(answer.data[4095], 0x43);
}

/* The indices are the device's again, whatever the driver wrote there. */
static void same_page(struct virtio_driver *d)
{
	uint32_t put;

	for (unsigned i = 0; i < 3; i++) {
		put = le32_acquire(d->page + DRIVER_DEVICE_PUT);
		le32_release(d->page + DRIVER_DEVICE_TAKEN, put);
		loopxen_notify(bed.x, bed.dev.front, front()->port);
		door_run(); /* what did not fit may be put now */
	}
	d->taken = le32_acquire(d->page + DRIVER_DEVICE_PUT);
	le32_release(d->page + DRIVER_DEVICE_TAKEN, d->taken);
	d->put = bed.virtio.door.msg.taken;
	le32_release(d->page + DRIVER_DRIVER_PUT, d->put);
	le32_release(d->page + DRIVER_DRIVER_TAKEN, d->put);
	d->status = 0;
}

void door_recovers(void)
{
	struct driver_pool *pool = &front()->pool;

	same_page(door_driver());
	memset(front()->request, 0, sizeof(front()->request));
	driver_pool_init(pool, pool->at, pool->bytes, pool->base);
	assert_true(vfront_ready(front()));
	assert_int_equal(door_driver()->status, DRIVER_S_ACKNOWLEDGE | DRIVER_S_DRIVER |
							DRIVER_S_FEATURES_OK |
							DRIVER_S_DRIVER_OK);
	blocks();
	door_serves();
	untouched();
	door_listen();
}
