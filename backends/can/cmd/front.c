/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/can/cmd/front-say.h"
#include "common/cpu.h"

#define PAGE_ORDER_MAX 3

static struct front *front_of(struct front_life *life)
{
	return (struct front *)((char *)life - offsetof(struct front, life));
}

static void write_number(struct front *f, const char *key, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%" PRIu32, number);
	front_store_write(&f->store, key, text);
}

/* -- What the life asks for ------------------------------------------------ */

static uint32_t ring_order(const struct front *f)
{
	uint32_t most = f->store.offered.page_order, order;

	most = most < PAGE_ORDER_MAX ? most : PAGE_ORDER_MAX;
	if (f->options->ring_pages == FRONT_PAGES_AUTO)
		return most;
	order = (uint32_t)__builtin_ctz(f->options->ring_pages);
	return order < most ? order : most;
}

/* All of them each time: what an earlier connection left would be believed. */
static void write_keys(struct front *f, uint32_t order)
{
	static const char *const rings[] = {"tx-ring-ref", "rx-ring-ref"};
	const struct front_grant *grant = &f->grant;
	char key[32];

	write_number(f, "version", XENCAN_VERSION);
	write_number(f, "ring-page-order", order);
	for (unsigned i = 0; i < 2; i++) {
		if (!order)
			write_number(f, rings[i], grant->ref[i][0]);
		for (uint32_t k = 0; k < 1u << order; k++) {
			snprintf(key, sizeof(key), "%s%" PRIu32, rings[i], k);
			write_number(f, key, grant->ref[i][k]);
		}
	}
	write_number(f, "event-channel", f->port.v);
	write_number(f, "late-ack", f->options->late_ack && f->store.offered.late_ack);
	write_number(f, "receive-own", 0);
}

/* Pages that were granted to a back end are kept for its next connection, and only
 * more of them are granted anew: one that connects again and again, and never lets go
 * of what it mapped, would have all of our memory in the end. Another device has its
 * own, and so has a domain that was restored: of what it had granted nothing is left.
 */
static int have_rings(struct front *f, struct domid domain, uint32_t pages)
{
	int r = 0;

	if (f->grant.domain.v != domain.v || f->grant.pages < pages ||
	    f->granted != f->life.look.generation) {
		front_xen_revoke(f->xen, &f->grant);
		r = front_xen_grant(f->xen, domain, pages, &f->grant);
		f->granted = f->life.look.generation;
	}
	return r ? r : front_xen_bind(f->xen, domain, &f->port);
}

static int offer(struct front_life *life)
{
	struct front *f = front_of(life);
	uint32_t order = ring_order(f);
	int r;

	if (!f->store.offered.understood) {
		log_line(&f->log, LOG_LEVEL_ERROR,
			 "the back end in domain %u does not speak version %d of the "
			 "protocol: a newer xdd-canfront, or an older back end",
			 life->look.backend, XENCAN_VERSION);
		return -EPROTONOSUPPORT;
	}
	r = have_rings(f, (struct domid){life->look.backend}, 1u << order);
	if (r) {
		front_say_grant(&f->log, r, life->look.backend);
		return r;
	}
	front_device_init(&f->traffic.device, f->grant.page[0], f->grant.page[1],
			  1u << order);
	/* The slots are there before anybody looks; nobody is to be told. */
	(void)front_device_publish(&f->traffic.device);
	write_keys(f, order);
	return 0;
}

static void connected(struct front_life *life)
{
	struct front *f = front_of(life);
	const struct front_offer *offered = &f->store.offered;

	front_traffic_begin(&f->traffic, offered->fd);
	front_device_want(&f->traffic.device, f->link.state == FRONT_LINK_UP);
	front_say_connected(f);
	f->more = true;
}

static void drop(struct front_life *life)
{
	struct front *f = front_of(life);

	if (f->traffic.connected && f->traffic.device.broken)
		log_line(&f->traffic.log, LOG_LEVEL_ERROR,
			 "the back end broke the protocol: %s; connecting anew",
			 f->traffic.device.broken);
	else if (f->traffic.connected)
		log_line(&f->traffic.log, LOG_LEVEL_NOTICE, "disconnected");
	front_traffic_end(&f->traffic);
	front_xen_unbind(f->xen, f->port);
	f->port.v = 0;
}

static void write_state(struct front_life *life, enum store_state state)
{
	write_number(front_of(life), "state", state);
}

static const struct front_life_ops life_ops = {
	.offer = offer,
	.connected = connected,
	.drop = drop,
	.write = write_state,
};

/* -- The interface --------------------------------------------------------- */

/* A socket on the interface as it is now. */
static int open_socket(struct front *f)
{
	int fd;

	front_can_close(&f->traffic.can);
	f->socket_index = 0;
	if (f->link.state != FRONT_LINK_UP && f->link.state != FRONT_LINK_DOWN)
		return -ENODEV;
	fd = front_link_socket(&f->link);
	if (fd < 0)
		return fd;
	front_can_init(&f->traffic.can, fd, f->link.fd_frames);
	f->socket_index = f->link.index;
	return 0;
}

static void look_at_link(struct front *f)
{
	enum front_link_state before = f->link.state;
	int r = 0;

	front_link_look(&f->link);
	f->traffic.can_err = 0;
	if (f->link.index != f->socket_index ||
	    f->link.fd_frames != f->traffic.can.fd_frames)
		r = open_socket(f);
	if (r && r != -ENODEV)
		front_say_socket(&f->log, r);
	if (f->traffic.connected)
		front_device_want(&f->traffic.device,
				  f->link.state == FRONT_LINK_UP && !f->ending);
	if (before != f->link.state)
		front_say_link(&f->log, &f->link);
}

/* -- Turns ----------------------------------------------------------------- */

bool front_open(struct front *f, const struct front_options *options,
		int (*open_store)(void))
{
	const char *node = NULL;
	int r;

	*f = (struct front){.options = options};
	log_init(&f->log, "xdd-canfront");
	f->log.burst = 0; /* of what is said once; the rest has a limit of its own */
	f->log.plain = isatty(STDERR_FILENO);
	r = notify_open(&f->notify);
	if (r)
		return front_say_failed(&f->log, "systemd cannot be told", r);
	/* What it sends on a virtual interface keeps its order so: see
	 * can-bus-socket.c. */
	r = cpu_stay();
	if (r)
		return front_say_failed(&f->log, "it cannot stay on one processor", r);
	r = front_link_open(&f->link, options->interface);
	if (r)
		return front_say_failed(&f->log, "rtnetlink cannot be opened", r);
	front_traffic_init(&f->traffic, "xdd-canfront", options->restart_ms);
	f->traffic.verbose = options->verbose;
	if (f->link.state == FRONT_LINK_ABSENT || f->link.state == FRONT_LINK_FOREIGN) {
		front_say_link(&f->log, &f->link);
		return false;
	}
	r = open_socket(f);
	if (r)
		return front_say_socket(&f->log, r);
	r = front_xen_open(&f->xen, &node);
	if (r)
		return front_say_node(&f->log, node, r);
	r = open_store();
	if (r < 0 && r != -EAGAIN)
		return front_say_node(&f->log, "/dev/xen/xenbus", r);
	if (r >= 0)
		close(r);
	front_store_init(&f->store, options->device, open_store);
	front_life_init(&f->life, &life_ops);
	if (f->link.state == FRONT_LINK_DOWN)
		front_say_link(&f->log, &f->link);
	notify_send(&f->notify, "READY=1");
	return true;
}

void front_close(struct front *f)
{
	front_store_close(&f->store);
	front_xen_revoke(f->xen, &f->grant);
	front_xen_close(f->xen);
	front_can_close(&f->traffic.can);
	front_link_close(&f->link);
	notify_close(&f->notify);
}

void front_polls(const struct front *f, struct pollfd polls[FRONT_POLLS])
{
	short store_events;
	int store = front_store_fd(&f->store, &store_events);
	int xen = f->port.v ? front_xen_fd(f->xen) : -1;
	/* An error of a socket that is left alone would be told all the time. */
	int can = front_traffic_reads(&f->traffic) ? f->traffic.can.fd : -1;

	polls[FRONT_POLL_STORE] = (struct pollfd){store, store_events, 0};
	polls[FRONT_POLL_XEN] = (struct pollfd){xen, POLLIN, 0};
	polls[FRONT_POLL_CAN] = (struct pollfd){can, POLLIN, 0};
	polls[FRONT_POLL_LINK] = (struct pollfd){f->link.fd, POLLIN, 0};
}

uint64_t front_due(const struct front *f)
{
	uint64_t due[] = {front_store_due(&f->store), front_life_due(&f->life),
			  front_traffic_due(&f->traffic),
			  f->end_by ? f->end_by : UINT64_MAX};
	uint64_t first = f->more ? 0 : UINT64_MAX;

	for (unsigned i = 0; i < sizeof(due) / sizeof(due[0]); i++)
		first = due[i] < first ? due[i] : first;
	return first;
}

static void turn_store(struct front *f, bool ready, uint64_t now)
{
	struct front_look look;

	/* A look at it is a system call, and frames come all the time. */
	ready |= front_store_due(&f->store) <= now;
	if (ready && front_store_turn(&f->store, now)) {
		look = f->store.seen;
		look.allowed = front_options_allow(f->options, look.backend);
		f->looked = true;
		front_life_update(&f->life, &look, now);
		f->more = true; /* what it wrote goes out at once */
	}
	front_life_tick(&f->life, now);
	if (f->store.write_err)
		front_say_failed(&f->traffic.log, "xenstore refuses a key of ours",
				 f->store.write_err);
	f->store.write_err = 0;
}

static void turn_traffic(struct front *f, bool readable, uint64_t now)
{
	bool notify;

	f->more |= front_traffic_turn(&f->traffic, readable, now, &notify);
	if (notify)
		front_xen_notify(f->xen, f->port);
	if (f->traffic.connected && f->traffic.device.broken)
		front_life_break(&f->life, now);
	if (f->traffic.can_err)
		look_at_link(f);
}

static void turn_end(struct front *f, uint64_t now)
{
	if (!f->end_by)
		return;
	if (f->traffic.connected && !front_device_settled(&f->traffic.device) &&
	    now < f->end_by)
		return;
	f->end_by = 0;
	front_life_end(&f->life, now);
	f->more = true;
}

void front_turn(struct front *f, const struct pollfd polls[FRONT_POLLS], uint64_t now)
{
	f->more = false;
	if (polls[FRONT_POLL_XEN].revents && !front_xen_event(f->xen)) {
		front_say_failed(&f->log, "/dev/xen/evtchn failed", -EIO);
		f->failed = true;
	}
	if (polls[FRONT_POLL_LINK].revents)
		look_at_link(f);
	turn_traffic(f, polls[FRONT_POLL_CAN].revents, now);
	turn_store(f, polls[FRONT_POLL_STORE].revents, now);
	turn_end(f, now);
	front_say_waiting(f);
}

void front_end(struct front *f, uint64_t now)
{
	f->ending = true;
	f->end_by = now + FRONT_STOP_NS;
	if (f->traffic.connected)
		front_device_want(&f->traffic.device, false);
	f->more = true;
}

bool front_ended(const struct front *f)
{
	return f->failed ||
	       (f->life.phase == FRONT_ENDED && front_store_written(&f->store));
}
