/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-device.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "backends/can/cmd/front-wire.h"

_Static_assert(sizeof(struct xencan_tx_req) == XENCAN_ENTRY &&
		       sizeof(struct xencan_rx_req) == XENCAN_ENTRY &&
		       sizeof(struct xencan_rx_rsp) <= XENCAN_ENTRY &&
		       sizeof(struct xencan_tx_rsp) <= XENCAN_ENTRY,
	       "entries of one size");

/* Ids are the ring's indices: whose answer is due is known without a list. */
static uint16_t id_of(uint32_t index)
{
	return (uint16_t)index;
}

static void post(struct front_device *device)
{
	struct xencan_rx_req slot = {.id = 0};

	while (front_ring_room(&device->rx)) {
		slot.id = htole16(id_of(device->rx.req_prod));
		front_ring_put(&device->rx, &slot);
	}
}

void front_device_init(struct front_device *device, void *tx, void *rx, uint32_t pages)
{
	*device = (struct front_device){.state = XENCAN_STATE_STOPPED};
	front_ring_init(&device->tx, tx, pages);
	front_ring_init(&device->rx, rx, pages);
}

void front_device_want(struct front_device *device, bool started)
{
	device->wanted = started;
	device->restart &= started;
}

void front_device_restart(struct front_device *device)
{
	device->restart = device->wanted;
}

bool front_device_settled(const struct front_device *device)
{
	return device->started == device->wanted && !device->restart &&
	       !device->commands;
}

/* Puts a request; @req is whole but for its id. */
static void ask(struct front_device *device, struct xencan_tx_req *req, canid_t can_id)
{
	uint32_t at = device->tx.req_prod;

	req->id = htole16(id_of(at));
	device->asked[at & (device->tx.entries - 1)] =
		(struct front_asked){id_of(at), req->operation, can_id};
	front_ring_put(&device->tx, req);
}

/* Invariant 2: as many may be out as are kept for them. */
static void command(struct front_device *device)
{
	struct xencan_tx_req req = {.operation = XENCAN_OP_STOP};

	if (device->started == device->wanted && !device->restart)
		return;
	if (device->commands == FRONT_ROOM_KEPT)
		return;
	if (device->wanted)
		req.operation = XENCAN_OP_START;
	ask(device, &req, 0);
	device->commands++;
	device->started = device->wanted;
	device->restart = false;
}

uint32_t front_device_room(const struct front_device *device)
{
	uint32_t kept = FRONT_ROOM_KEPT - device->commands;
	uint32_t room = front_ring_room(&device->tx);

	if (!device->started || device->started != device->wanted || device->broken)
		return 0;
	return room > kept ? room - kept : 0;
}

bool front_device_send(struct front_device *device, const struct canfd_frame *frame)
{
	struct xencan_tx_req req = {.operation = XENCAN_OP_FRAME};

	assert(front_device_room(device));
	if (!front_wire_encode(frame, &req.frame))
		return false;
	ask(device, &req, frame->can_id);
	return true;
}

enum front_ring_status front_device_break(struct front_device *device, const char *why)
{
	if (!device->broken)
		device->broken = why;
	return FRONT_RING_BROKEN;
}

/* An answer's bytes, off the ring, and the index that it answers. */
static enum front_ring_status take(struct front_device *device, struct front_ring *ring,
				   void *entry, uint32_t *index)
{
	enum front_ring_status status;

	if (device->broken)
		return FRONT_RING_BROKEN;
	*index = ring->rsp_cons;
	status = front_ring_take(ring, entry);
	if (status == FRONT_RING_BROKEN)
		return front_device_break(device, "more answers than requests");
	return status;
}

enum front_ring_status front_device_answer(struct front_device *device,
					   struct front_answer *out)
{
	uint8_t entry[XENCAN_ENTRY];
	const struct front_asked *asked;
	struct xencan_tx_rsp rsp;
	uint32_t index;
	enum front_ring_status status = take(device, &device->tx, entry, &index);

	if (status != FRONT_RING_OK)
		return status;
	memcpy(&rsp, entry, sizeof(rsp));
	asked = &device->asked[index & (device->tx.entries - 1)];
	if (le16toh(rsp.id) != asked->id || rsp.operation != asked->operation)
		return front_device_break(device, "an answer to another request than "
						  "the oldest");
	if (rsp.status >= FRONT_STATUSES)
		return front_device_break(device, "a status that is none");
	if (rsp.operation != XENCAN_OP_FRAME)
		device->commands--;
	*out = (struct front_answer){rsp.operation, rsp.status, asked->can_id};
	return FRONT_RING_OK;
}

static enum front_ring_status note_state(struct front_device *device,
					 const struct xencan_rx_state *state)
{
	if (!front_wire_state_name(state->state))
		return front_device_break(device, "a controller state that is none");
	return FRONT_RING_OK;
}

enum front_ring_status front_device_event(struct front_device *device,
					  struct xencan_rx_rsp *out)
{
	uint8_t entry[XENCAN_ENTRY];
	struct xencan_rx_rsp rsp;
	uint32_t index;
	enum front_ring_status status = take(device, &device->rx, entry, &index);

	if (status != FRONT_RING_OK)
		return status;
	memcpy(&rsp, entry, sizeof(rsp));
	if (le16toh(rsp.id) != id_of(index))
		return front_device_break(device, "an answer to another slot than the "
						  "oldest");
	if (rsp.type > XENCAN_RX_LOST)
		return front_device_break(device, "an event of no kind");
	if (rsp.type == XENCAN_RX_STATE)
		status = note_state(device, &rsp.u.state);
	if (status == FRONT_RING_OK)
		*out = rsp;
	return status;
}

bool front_device_publish(struct front_device *device)
{
	bool notify;

	if (device->broken)
		return false;
	command(device);
	post(device);
	notify = front_ring_publish(&device->tx);
	return front_ring_publish(&device->rx) || notify;
}

/* Frames' answers are looked at in batches: half of what is out. Who waits for the
 * answer to START or STOP is woken by the first. */
bool front_device_rest(struct front_device *device)
{
	uint32_t out = front_ring_out(&device->tx);
	uint32_t batch = device->commands || out < 2 ? 1 : out / 2;
	bool more;

	if (device->broken)
		return false;
	more = front_ring_rest(&device->rx, 1);
	return front_ring_rest(&device->tx, batch) || more;
}
