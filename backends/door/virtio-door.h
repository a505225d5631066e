/* SPDX-License-Identifier: MIT */
/*
 * The virtio door of any class: what it says and reads in xenstore, its control page,
 * its event channel, its memory, and the device behind them. virtio-msg-xen.md.
 *
 * Not the device's life (xenbus/life.h) and not the event loop. Invariants:
 *  1. all that the driver granted by key is mapped at connect and unmapped after the
 *     last slot came home; a pool does not change in between;
 *  2. at most one event a turn to the driver;
 *  3. a detach leaves the journal as it is: a successor goes on with it.
 */
#ifndef XDD_VIRTIO_DOOR_H
#define XDD_VIRTIO_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/door/keys.h"
#include "backends/door/virtio-device.h"
#include "backends/door/virtio-memory.h"
#include "backends/door/virtio-msg.h"

struct virtio_door;

/* All of it outlives the door. */
struct virtio_door_conf {
	const struct virtio_class *class;
	const struct policy *policy; /* may change in place */
	struct keys keys;
	void *owner; /* device.conf.owner */
	uint32_t queues;
	uint32_t posted; /* as in struct virtio_device_conf */
	uint16_t queue_size;
	/* Nothing is mapped, the port is unbound. */
	void (*detached)(struct virtio_door *door);
};

enum virtio_door_state { VIRTIO_DOOR_DOWN, VIRTIO_DOOR_UP, VIRTIO_DOOR_STOPPING };

struct virtio_door {
	struct virtio_door_conf conf;
	enum virtio_door_state state;
	struct virtio_memory memory;
	struct virtio_device device;
	struct virtio_msg msg;
	struct grants_map page;
	struct evport port;
	uint64_t notifies;
	int error; /* our environment failed */
};

/* Before sealing. 0 or a negative errno; -EINVAL: DataPages holds no request. */
int virtio_door_init(struct virtio_door *door, const struct virtio_door_conf *conf);
/* Detached. */
void virtio_door_fini(struct virtio_door *door);

/* As struct host_door has them. */
int virtio_door_offer(struct virtio_door *door);
int virtio_door_connect(struct virtio_door *door, bool attach, uint64_t now);
void virtio_door_detach(struct virtio_door *door);
int virtio_door_turn(struct virtio_door *door, uint64_t now);
uint64_t virtio_door_due(const struct virtio_door *door);
bool virtio_door_arm(struct virtio_door *door);
bool virtio_door_pending(const struct virtio_door *door);

#endif
