/* SPDX-License-Identifier: MIT */
/*
 * A host's network for tests of the tap: a namespace of its own, taps in it, and a
 * packet socket at each one's other side.
 *
 * What goes wrong fails the test that asked.
 */
#ifndef XDD_TEST_NET_LINK_HOST_H
#define XDD_TEST_NET_LINK_HOST_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* NULL, or why there can be none: to be skipped. */
const char *host_enter(void);
/* The caller is root of the machine: users other than itself exist. */
bool host_is_root(void);
/* Have no capability from now on. */
void host_drop_capabilities(void);

/* A persistent interface of these IFF_ flags; it is this user's. */
void host_make(const char *name, int flags);
void host_give_to(const char *name, int flags, unsigned uid);
/* It need not be there. */
void host_remove(const char *name);
/* A queue of it, as another program would hold it; a negative errno. */
int host_hold(const char *name, int flags);
/* The kernel says how many of its queues are held. */
bool host_tells_queues(const char *name);
void host_up(const char *name, bool up);
/* If so, what is sent to it arrives from now on. */
bool host_has_carrier(const char *name);

/* A packet socket at @name, with a header of virtio before each frame. */
int host_listen(const char *name);
/* Through that: true if the interface took it. */
bool host_send(int fd, const struct virtio_net_hdr *header, const void *bytes,
	       size_t size);
/* The oldest frame that was sent by us, or -1 after a while: its bytes. */
ssize_t host_hear(int fd, struct virtio_net_hdr *header, void *bytes, size_t size);

#endif
