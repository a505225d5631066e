/* SPDX-License-Identifier: MIT */
/*
 * What the virtio door of every class is to host.c: the verbs of a struct host_door
 * that are virtio_door_*() and no more. host->virtio is the door; a class's open()
 * sets it. Not a class: what it offers, connects and counts of its own is its own.
 */
#ifndef XDD_HOST_VIRTIO_H
#define XDD_HOST_VIRTIO_H

#include "backends/door/virtio-door.h"
#include "backends/host.h"

/* What the door itself counts. */
void host_virtio_count(struct host *host);
/* After the class's connect: @r, and the port that is bound if it is 0. */
int host_virtio_connected(struct host *host, int r);
int host_virtio_turn(struct host *host, uint64_t now);
uint64_t host_virtio_due(struct host *host);
bool host_virtio_arm(struct host *host);
bool host_virtio_pending(const struct host *host);
void host_virtio_detach(struct host *host);

#endif
