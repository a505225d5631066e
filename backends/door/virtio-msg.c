/* SPDX-License-Identifier: MIT */
/* Messages on a control page: see virtio-msg.h. */
#include "backends/door/virtio-msg.h"

#include <string.h>

#include "common/shared.h"

#define HEADER	     8
#define TYPE_ANSWER  1
#define TYPE_BUS     2
#define CONFIG_CHUNK 44 /* VIRTIO_MSG_BYTES - HEADER - 12 */
#define BLOCKS_MAX   12

#define JOURNAL_MAGIC  0x314a5658u /* "XVJ1": this layout */
#define JOURNAL_COPIES 2

/* As it stands on the page, in our own byte order: only we read it. One copy is
 * written while the other one holds, so that whoever dies leaves one whole. */
struct journal {
	uint32_t magic; /* or 0: being written */
	uint32_t number;
	struct virtio_kept kept;
};

_Static_assert(VIRTIO_MSG_JOURNAL + JOURNAL_COPIES * sizeof(struct journal) <=
		       XEN_PAGE_BYTES,
	       "the journal ends with the page");
_Static_assert(sizeof(struct journal) ==
		       5 * 8 + VIRTIO_QUEUES_MAX * sizeof(struct virtio_queue_setup),
	       "nothing of ours fills a gap in it");
_Static_assert(VIRTIO_MSG_DEVICE_SLOTS + VIRTIO_MSG_ENTRIES * VIRTIO_MSG_BYTES ==
		       VIRTIO_MSG_JOURNAL,
	       "and begins after the slots");

/* -- The page ------------------------------------------------------------------ */

static uint8_t *slot_at(const struct virtio_msg *m, uint32_t slots, uint32_t index)
{
	return m->page + slots + index % VIRTIO_MSG_ENTRIES * VIRTIO_MSG_BYTES;
}

static uint8_t *journal_at(const struct virtio_msg *m, uint32_t number)
{
	return m->page + VIRTIO_MSG_JOURNAL +
	       number % JOURNAL_COPIES * sizeof(struct journal);
}

static void journal_write(struct virtio_msg *m)
{
	struct journal journal = {.number = ++m->journal};
	uint8_t *at = journal_at(m, journal.number);

	virtio_device_keep(m->device, &journal.kept);
	/* Before the rest: what is half written does not count. */
	shared_store32(at, 0);
	shared_copy_out(at, &journal, sizeof(journal));
	/* All of it before the word that makes it count; pairs with a successor's
	 * acquire of it. */
	shared_store32_release(at, JOURNAL_MAGIC);
	m->device->changed = false;
}

/* Put m->out. False: the driver has not made room. What was done is written down before
 * it is said: a driver acts on an answer. */
static bool put(struct virtio_msg *m, bool *notify)
{
	uint32_t taken = shared_load32_acquire(m->page + VIRTIO_MSG_DEVICE_TAKEN);

	m->full = m->put - taken >= VIRTIO_MSG_ENTRIES;
	if (m->full)
		return false;
	if (m->device->changed)
		journal_write(m);
	shared_copy_out(slot_at(m, VIRTIO_MSG_DEVICE_SLOTS, m->put), m->out,
			VIRTIO_MSG_BYTES);
	/* The message before the index that covers it; pairs with the driver's
	 * acquire of it. */
	shared_store32_release(m->page + VIRTIO_MSG_DEVICE_PUT, ++m->put);
	*notify = true;
	return true;
}

static void answer_begin(struct virtio_msg *m, uint32_t payload)
{
	memset(m->out, 0, sizeof(m->out));
	m->out[0] = m->in[0] | TYPE_ANSWER;
	m->out[1] = m->in[1];
	memcpy(m->out + 4, m->in + 4, 2); /* the token */
	virtio_put16(m->out + 6, (uint16_t)(HEADER + payload));
}

static int journal_read(struct virtio_msg *m)
{
	struct journal journal[JOURNAL_COPIES], *newest = NULL;

	for (uint32_t i = 0; i < JOURNAL_COPIES; i++) {
		struct journal *j = &journal[i];

		shared_copy_in(j, journal_at(m, i), sizeof(*j));
		if (j->magic == JOURNAL_MAGIC &&
		    (!newest || (int32_t)(j->number - newest->number) > 0))
			newest = j;
	}
	if (!newest) {
		virtio_device_wrong(m->device,
				    "its control page has no journal to go on from");
		return 0;
	}
	m->journal = newest->number;
	return virtio_device_restore(m->device, &newest->kept);
}

int virtio_msg_connect(struct virtio_msg *m, struct virtio_device *device, void *page,
		       bool attach)
{
	*m = (struct virtio_msg){.device = device, .page = page};
	virtio_device_begin(device);
	if (!attach) {
		/* Before anybody says so: who follows then attaches. */
		journal_write(m);
		return 0;
	}
	m->taken = shared_load32(m->page + VIRTIO_MSG_DRIVER_TAKEN);
	m->put = shared_load32(m->page + VIRTIO_MSG_DEVICE_PUT);
	return journal_read(m);
}

/* -- What a driver asks ---------------------------------------------------------- */

static uint32_t arg(const struct virtio_msg *m, unsigned i)
{
	return virtio_le32(m->in + HEADER + 4 * i);
}

static void ret(struct virtio_msg *m, unsigned i, uint32_t v)
{
	virtio_put32(m->out + HEADER + 4 * i, v);
}

static int on_info(struct virtio_msg *m)
{
	answer_begin(m, 24);
	ret(m, 0, m->device->conf.class->id);
	ret(m, 1, VIRTIO_VENDOR);
	ret(m, 2, 64);
	ret(m, 3, m->device->config_bytes);
	ret(m, 4, m->device->conf.queues);
	return 0;
}

static int on_get_features(struct virtio_msg *m)
{
	uint32_t block = arg(m, 0), blocks = arg(m, 1);
	uint64_t features = virtio_device_features(m->device);

	if (!blocks || blocks > BLOCKS_MAX) {
		virtio_device_wrong(m->device, "a number of feature blocks");
		blocks = 0;
	}
	answer_begin(m, 8 + 4 * blocks);
	ret(m, 0, block);
	ret(m, 1, blocks);
	for (uint32_t i = 0; i < blocks && block < 2 && i < 2 - block; i++)
		ret(m, 2 + i, (uint32_t)(features >> 32 * (block + i)));
	return 0;
}

static int on_set_features(struct virtio_msg *m)
{
	uint32_t block = arg(m, 0), blocks = arg(m, 1);

	if (!blocks)
		virtio_device_wrong(m->device, "a number of feature blocks");
	for (uint32_t i = 0; i < blocks; i++) {
		/* The first that is too high stands for all after it. */
		uint32_t at = block > 2 || i > 2 ? 2 : block + i;

		virtio_device_accept(m->device, at, arg(m, 2 + i));
	}
	answer_begin(m, 0);
	return 0;
}

static bool config_fits(const struct virtio_msg *m, uint32_t offset, uint32_t n)
{
	uint32_t bytes = m->device->config_bytes;

	return n && n <= CONFIG_CHUNK && n <= bytes && offset <= bytes - n;
}

static void config_answer(struct virtio_msg *m, uint32_t offset, uint32_t n)
{
	answer_begin(m, 12 + n);
	ret(m, 0, m->device->generation);
	ret(m, 1, offset);
	ret(m, 2, n);
	if (n)
		memcpy(m->out + HEADER + 12, m->device->config + offset, n);
}

static int on_get_config(struct virtio_msg *m)
{
	uint32_t offset = arg(m, 0), n = arg(m, 1);

	if (!config_fits(m, offset, n)) {
		virtio_device_wrong(m->device, "configuration that there is not");
		n = 0;
	}
	config_answer(m, offset, n);
	return 0;
}

static int on_set_config(struct virtio_msg *m)
{
	uint32_t offset = arg(m, 1), n = arg(m, 2);

	if (!config_fits(m, offset, n)) {
		virtio_device_wrong(m->device, "configuration that there is not");
		n = 0;
	} else if (!virtio_device_configure(m->device, arg(m, 0), offset,
					    m->in + HEADER + 12, n)) {
		n = 0;
	}
	config_answer(m, offset, n);
	return 0;
}

static int on_get_status(struct virtio_msg *m)
{
	answer_begin(m, 4);
	ret(m, 0, m->device->status);
	return 0;
}

static int on_set_status(struct virtio_msg *m)
{
	uint32_t status = arg(m, 0);

	m->waits = virtio_device_set_status(m->device, status) == VIRTIO_LATER;
	m->reset = -1;
	return on_get_status(m);
}

static int on_get_queue(struct virtio_msg *m)
{
	const struct virtio_device *d = m->device;
	uint32_t index = arg(m, 0);

	answer_begin(m, 40);
	ret(m, 0, index);
	if (index >= d->conf.queues)
		return 0;
	ret(m, 1, d->conf.queue_size);
	ret(m, 2, (uint32_t)d->queue[index].setup.size);
	for (unsigned i = 0; i < 3; i++)
		virtio_put64(m->out + HEADER + 16 + 8 * i,
			     d->queue[index].setup.area[i]);
	return 0;
}

static int on_set_queue(struct virtio_msg *m)
{
	const uint8_t *areas = m->in + HEADER + 16;
	const uint64_t area[3] = {virtio_le64(areas), virtio_le64(areas + 8),
				  virtio_le64(areas + 16)};
	int r = virtio_device_set_queue(m->device, arg(m, 0), arg(m, 2), area);

	answer_begin(m, 0);
	return r;
}

static int on_reset_queue(struct virtio_msg *m)
{
	uint32_t index = arg(m, 0);

	m->waits = virtio_device_reset_queue(m->device, index) == VIRTIO_LATER;
	m->reset = (int32_t)index;
	answer_begin(m, 0);
	return 0;
}

/* @counted: the argument that counts what follows the fixed part, in @unit bytes. */
static const struct call {
	uint8_t bytes, unit;
	int8_t counted;
	int (*handle)(struct virtio_msg *m);
} calls[] = {
	[VIRTIO_MSG_GET_DEVICE_INFO] = {0, 0, -1, on_info},
	[VIRTIO_MSG_GET_DEVICE_FEATURES] = {8, 0, -1, on_get_features},
	[VIRTIO_MSG_SET_DRIVER_FEATURES] = {8, 4, 1, on_set_features},
	[VIRTIO_MSG_GET_CONFIG] = {8, 0, -1, on_get_config},
	[VIRTIO_MSG_SET_CONFIG] = {12, 1, 2, on_set_config},
	[VIRTIO_MSG_GET_DEVICE_STATUS] = {0, 0, -1, on_get_status},
	[VIRTIO_MSG_SET_DEVICE_STATUS] = {4, 0, -1, on_set_status},
	[VIRTIO_MSG_GET_VQUEUE] = {4, 0, -1, on_get_queue},
	[VIRTIO_MSG_SET_VQUEUE] = {40, 0, -1, on_set_queue},
	[VIRTIO_MSG_RESET_VQUEUE] = {4, 0, -1, on_reset_queue},
};

/* -- One message ------------------------------------------------------------------ */

/* What @call's message must be long, by its fixed part and its count. */
static uint32_t call_bytes(const struct virtio_msg *m, const struct call *call)
{
	uint32_t n = call->counted < 0 ? 0 : arg(m, (unsigned)call->counted);

	return n > VIRTIO_MSG_BYTES ? UINT32_MAX
				    : HEADER + call->bytes + n * call->unit;
}

static const struct call *call_of(const struct virtio_msg *m)
{
	uint8_t id = m->in[1];

	if (m->in[0] || id >= sizeof(calls) / sizeof(calls[0]) || !calls[id].handle)
		return NULL;
	return &calls[id];
}

/* m->in is a message; 1: m->out is its answer, 0: it has none, or a negative errno. */
static int handle(struct virtio_msg *m)
{
	const struct call *call = call_of(m);
	uint32_t bytes = virtio_le16(m->in + 6);
	uint16_t token = virtio_le16(m->in + 4);
	int r;

	m->messages++;
	if (m->in[0] == TYPE_BUS && m->in[1] == VIRTIO_MSG_BUS_PING && token &&
	    bytes == HEADER + 4) {
		answer_begin(m, 4);
		ret(m, 0, arg(m, 0));
		return 1;
	}
	if (!m->in[0] && m->in[1] == VIRTIO_MSG_EVENT_AVAIL)
		return 0;
	if (!call || !token || virtio_le16(m->in + 2) || bytes > VIRTIO_MSG_BYTES ||
	    bytes != call_bytes(m, call)) {
		virtio_device_wrong(m->device, "a message that is none");
		return 0;
	}
	r = call->handle(m);
	return r < 0 ? r : 1;
}

/* The message was answered, or needs no answer. */
static void take(struct virtio_msg *m)
{
	/* The answer, and the journal, before the request is gone (invariant 2). */
	if (m->device->changed)
		journal_write(m);
	shared_store32_release(m->page + VIRTIO_MSG_DRIVER_TAKEN, ++m->taken);
}

/* How many are there. */
static uint32_t waiting(struct virtio_msg *m)
{
	/* The index before the messages that it covers; pairs with the driver's
	 * release of it. */
	uint32_t n = shared_load32_acquire(m->page + VIRTIO_MSG_DRIVER_PUT) - m->taken;

	if (n <= VIRTIO_MSG_ENTRIES)
		return n;
	virtio_device_wrong(m->device, "more messages than a queue holds");
	m->taken += n;
	shared_store32_release(m->page + VIRTIO_MSG_DRIVER_TAKEN, m->taken);
	return 0;
}

static void say_event(struct virtio_msg *m, bool *notify)
{
	memset(m->in, 0, sizeof(m->in));
	m->in[1] = VIRTIO_MSG_EVENT_CONFIG;
	answer_begin(m, 16);
	m->out[0] = 0;
	ret(m, 0, m->device->status);
	ret(m, 1, m->device->generation);
	m->device->event = !put(m, notify);
	m->full = false;
}

int virtio_msg_turn(struct virtio_msg *m, bool *notify)
{
	uint32_t n;
	int r = 0;

	m->again = false;
	if (m->full && put(m, notify))
		take(m);
	n = m->waits || m->full ? 0 : waiting(m);
	/* Its driver may wait for room. */
	*notify |= n == VIRTIO_MSG_ENTRIES;
	for (; n && !m->waits; n--) {
		shared_copy_in(m->in, slot_at(m, VIRTIO_MSG_DRIVER_SLOTS, m->taken),
			       VIRTIO_MSG_BYTES);
		r = handle(m);
		if (r < 0)
			return r;
		if (m->waits || (r && !put(m, notify)))
			break;
		take(m);
	}
	return 0;
}

void virtio_msg_settle(struct virtio_msg *m, bool *notify)
{
	const struct virtio_device *d = m->device;

	if (m->waits &&
	    (m->reset < 0 ? !d->resetting : !d->queue[m->reset].resetting)) {
		m->waits = false;
		m->again = true;
		if (m->reset < 0)
			ret(m, 0, d->status);
		if (put(m, notify))
			take(m);
	}
	if (d->event && !m->waits && !m->full)
		say_event(m, notify);
	if (d->changed)
		journal_write(m);
}

bool virtio_msg_pending(const struct virtio_msg *m)
{
	return m->page && m->again && !m->waits && !m->full &&
	       shared_load32(m->page + VIRTIO_MSG_DRIVER_PUT) != m->taken;
}
