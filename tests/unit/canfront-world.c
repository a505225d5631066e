/* SPDX-License-Identifier: MIT */
#include "tests/unit/canfront-world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/program.h"

#define NODES 64
#define STEP  50

struct world world;

static struct node {
	char path[160], value[300];
	bool there;
} nodes[NODES];
static char watched[NODES][160];

/* -- front-link.c ---------------------------------------------------------- */

int front_link_open(struct front_link *link, const char *name)
{
	*link = (struct front_link){.fd = world.link_event[0]};
	snprintf(link->name, sizeof(link->name), "%s", name);
	front_link_look(link);
	return 0;
}

void front_link_close(struct front_link *link)
{
	(void)link;
}

void front_link_look(struct front_link *link)
{
	char byte;

	while (recv(world.link_event[0], &byte, 1, MSG_DONTWAIT) == 1)
		;
	link->state = world.link;
	link->index = world.link == FRONT_LINK_ABSENT ? 0 : world.link_index;
	link->fd_frames = world.link_fd;
}

int front_link_socket(const struct front_link *link)
{
	int pair[2];

	(void)link;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	if (world.wire >= 0)
		close(world.wire);
	world.wire = pair[1];
	return pair[0];
}

/* -- front-xen.c ----------------------------------------------------------- */

int front_xen_open(struct front_xen **out, const char **node)
{
	*out = (struct front_xen *)&world;
	*node = NULL;
	return 0;
}

void front_xen_close(struct front_xen *xen)
{
	(void)xen;
}

int front_xen_fd(const struct front_xen *xen)
{
	(void)xen;
	return world.event[0];
}

int front_xen_grant(struct front_xen *xen, struct domid domain, uint32_t pages,
		    struct front_grant *out)
{
	(void)xen;
	assert_int_equal(domain.v, 1);
	if (world.xen_errno)
		return world.xen_errno;
	*out = (struct front_grant){.domain = domain, .pages = pages};
	world.pages = pages;
	for (unsigned i = 0; i < 2; i++) {
		world.page[i] = mmap(NULL, pages * FRONT_PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		out->page[i] = world.page[i];
		for (uint32_t k = 0; k < pages; k++)
			out->ref[i][k] = 100 * (i + 1) + k;
	}
	world.grants++;
	world.granted += 2 * pages;
	return 0;
}

/* Whoever looks at them afterwards crashes. */
void front_xen_revoke(struct front_xen *xen, struct front_grant *grant)
{
	(void)xen;
	if (!grant->pages)
		return;
	assert_int_equal(world.grants, 1);
	for (unsigned i = 0; i < 2; i++)
		munmap(grant->page[i], grant->pages * FRONT_PAGE);
	*grant = (struct front_grant){.pages = 0};
	world.grants--;
}

int front_xen_bind(struct front_xen *xen, struct domid domain, struct evport *out)
{
	(void)xen;
	assert_int_equal(domain.v, 1);
	assert_int_equal(world.ports, 0);
	world.ports++;
	out->v = 77;
	return 0;
}

void front_xen_unbind(struct front_xen *xen, struct evport port)
{
	(void)xen;
	assert_int_equal(port.v, 77);
	world.ports--;
}

bool front_xen_event(struct front_xen *xen)
{
	char byte;

	(void)xen;
	assert_int_equal(recv(world.event[0], &byte, 1, MSG_DONTWAIT), 1);
	return !world.evtchn_fails;
}

void front_xen_notify(struct front_xen *xen, struct evport port)
{
	(void)xen;
	assert_int_equal(port.v, 77);
	world.notified++;
}

/* -- xenstored ------------------------------------------------------------- */

static struct node *find(const char *path)
{
	for (unsigned i = 0; i < NODES; i++) {
		if (nodes[i].there && !strcmp(nodes[i].path, path))
			return &nodes[i];
	}
	return NULL;
}

static void reply(uint32_t type, uint32_t id, const char *payload, size_t len)
{
	struct xs_header header = {type, id, 0, (uint32_t)len};
	char bytes[sizeof(header) + 512];

	if (world.store < 0)
		return;
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), payload, len);
	(void)!write(world.store, bytes, sizeof(header) + len);
}

static void fire(const char *path)
{
	char payload[400];

	for (unsigned i = 0; i < world.watches; i++) {
		size_t n = strlen(watched[i]);

		if (strncmp(path, watched[i], n) || (path[n] && path[n] != '/'))
			continue;
		n = (size_t)sprintf(payload, "%s%c%s", path, 0, "token") + 1;
		reply(XS_TYPE_EVENT, 0, payload, n);
	}
}

static void set(const char *path, const char *value)
{
	struct node *node = find(path);

	for (unsigned i = 0; !node && i < NODES; i++) {
		if (!nodes[i].there)
			node = &nodes[i];
	}
	assert_non_null(node);
	node->there = value;
	snprintf(node->path, sizeof(node->path), "%s", path);
	snprintf(node->value, sizeof(node->value), "%s", value ? value : "");
	fire(path);
}

const char *world_read(const char *dir, const char *key)
{
	char path[160];
	struct node *node;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	node = find(path);
	return node ? node->value : NULL;
}

void world_write(const char *dir, const char *key, const char *value)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	if (value || find(path))
		set(path, value);
}

void world_remove(const char *dir)
{
	for (unsigned i = 0; i < NODES; i++) {
		if (nodes[i].there && !strncmp(nodes[i].path, dir, strlen(dir)))
			nodes[i].there = false;
	}
	fire(dir);
}

static void handle(const struct xs_header *header, const char *payload)
{
	const char *second = payload + strlen(payload) + 1;
	struct node *node = find(payload);
	char value[300];

	switch (header->type) {
	case XS_TYPE_READ:
		if (node)
			reply(header->type, header->id, node->value,
			      strlen(node->value));
		else
			reply(XS_TYPE_ERROR, header->id, "ENOENT", 7);
		return;
	case XS_TYPE_WATCH:
		assert_in_range(world.watches, 0, 3); /* they do not pile up */
		snprintf(watched[world.watches++], sizeof(watched[0]), "%s", payload);
		reply(header->type, header->id, "OK", 3);
		fire(payload);
		return;
	case XS_TYPE_WRITE:
		snprintf(value, sizeof(value), "%.*s",
			 (int)(header->len - (size_t)(second - payload)), second);
		set(payload, value);
		reply(header->type, header->id, "OK", 3);
		return;
	default:
		fail_msg("request %u", header->type);
	}
}

/* True: there was a request. */
static bool store_turn(void)
{
	struct xs_header header;
	char payload[XS_REQUEST_MAX + 1];

	if (world.store < 0 || world.store_mute ||
	    recv(world.store, &header, sizeof(header), MSG_DONTWAIT) != sizeof(header))
		return false;
	assert_in_range(header.len, 1, XS_REQUEST_MAX);
	assert_int_equal(recv(world.store, payload, header.len, 0), header.len);
	payload[header.len] = '\0';
	handle(&header, payload);
	return true;
}

static int open_store(void)
{
	int pair[2];

	if (world.store_errno)
		return world.store_errno;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	if (world.store >= 0)
		close(world.store);
	world.store = pair[1];
	world.watches = 0;
	world.connections++;
	return pair[0];
}

void world_attach(const char *state)
{
	static const char *const rows[][2] = {
		{"online", "1"},
		{"versions", "1"},
		{"max-ring-page-order", "3"},
		{"feature-fd", "1"},
		{"feature-late-ack", "1"},
		{"feature-transmit", "1"},
		{"transmit-ids", "all"},
		{"receive-ids", "100-1ff"},
		{"bitrate", "500000"},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		world_write(WORLD_BACK, rows[i][0], rows[i][1]);
	world_write(WORLD_BACK, "state", state);
	world_write(WORLD_FRONT, "backend-id", "1");
	world_write(WORLD_FRONT, "state", "1");
	world_write(WORLD_FRONT, "backend", WORLD_BACK);
}

/* -- Time ------------------------------------------------------------------ */

static bool turn(void)
{
	struct pollfd polls[FRONT_POLLS];
	bool moved;

	front_polls(&world.front, polls);
	moved = poll(polls, FRONT_POLLS, 0) > 0;
	moved |= front_due(&world.front) <= world.now;
	front_turn(&world.front, polls, world.now);
	return store_turn() || moved;
}

void world_run(unsigned ms)
{
	for (;;) {
		unsigned n = 0, step = ms < STEP ? ms : STEP;

		while (turn() && !front_ended(&world.front))
			assert_in_range(n++, 0, 5000); /* it comes to rest */
		if (!ms || front_ended(&world.front))
			return;
		ms -= step;
		world.now += step * CLOCK_MS;
	}
}

/* -- The back end ---------------------------------------------------------- */

static uint32_t number(const char *key)
{
	const char *text = world_read(WORLD_FRONT, key);

	return text ? (uint32_t)strtoul(text, NULL, 10) : UINT32_MAX;
}

void world_connect(void)
{
	uint32_t pages = 1u << number("ring-page-order");
	char key[32];

	assert_string_equal(world_read(WORLD_FRONT, "state"), "3");
	assert_int_equal(number("version"), 1);
	assert_int_equal(number("event-channel"), 77);
	assert_int_equal(number("receive-own"), 0);
	assert_in_range(pages, 1, world.pages);
	for (uint32_t k = 0; k < pages; k++) {
		snprintf(key, sizeof(key), "tx-ring-ref%u", k);
		assert_int_equal(number(key), 100 + k);
		snprintf(key, sizeof(key), "rx-ring-ref%u", k);
		assert_int_equal(number(key), 200 + k);
	}
	assert_int_equal(pv_ring_init(&world.tx, world.page[0], pages * FRONT_PAGE,
				      XENCAN_ENTRY, false),
			 PV_RING_OK);
	assert_int_equal(pv_ring_init_posted(&world.rx, world.page[1],
					     pages * FRONT_PAGE, XENCAN_ENTRY, 0,
					     CANIF_SLOT_ID, false),
			 PV_RING_OK);
	world_write(WORLD_BACK, "state", "4");
}

bool world_take(struct canif_request *rq)
{
	uint8_t entry[XENCAN_ENTRY];
	enum pv_ring_status status = pv_ring_take(&world.tx, entry);

	assert_int_not_equal(status, PV_RING_BROKEN);
	if (status == PV_RING_OK)
		assert_int_equal(canif_decode(entry, rq), CANIF_GOOD);
	return status == PV_RING_OK;
}

void world_answer(const struct canif_request *rq, enum can_status status)
{
	uint8_t bytes[CANIF_ANSWER];

	canif_encode(rq, status, 0, bytes);
	pv_ring_put(&world.tx, bytes, sizeof(bytes));
}

unsigned world_serve(enum can_status status)
{
	struct canif_request rq;
	unsigned n = 0;

	for (; world_take(&rq); n++)
		world_answer(&rq, status);
	return n;
}

void world_event(const struct can_event *event)
{
	uint8_t entry[XENCAN_ENTRY];
	uint32_t posted;

	assert_int_equal(pv_ring_posted(&world.rx, &posted), PV_RING_OK);
	canif_encode_event(event, entry);
	pv_ring_fill(&world.rx, entry);
}

void world_push(void)
{
	bool notify = pv_ring_push(&world.tx);

	notify |= pv_ring_push(&world.rx);
	notify |= pv_ring_final_check(&world.tx);
	if (notify)
		(void)!send(world.event[1], "", 1, MSG_DONTWAIT);
}

/* -- Local programs -------------------------------------------------------- */

void world_send(canid_t id, uint8_t flags, uint8_t len)
{
	struct canfd_frame frame = {.can_id = id, .flags = flags, .len = len};
	size_t size = flags & CANFD_FDF ? CANFD_MTU : CAN_MTU;

	memset(frame.data, (int)(id & 0xff), len);
	assert_int_equal(send(world.wire, &frame, size, MSG_DONTWAIT), size);
}

bool world_receive(struct canfd_frame *out)
{
	ssize_t n;

	*out = (struct canfd_frame){.can_id = 0};
	n = recv(world.wire, out, sizeof(*out), MSG_DONTWAIT);
	if (n > 0)
		assert_int_equal(n, out->flags & CANFD_FDF ? CANFD_MTU : CAN_MTU);
	return n > 0;
}

/* -- Begin and end --------------------------------------------------------- */

bool world_start(const char *line)
{
	char text[256] = "xdd-canfront ", *argv[32], why[256];
	int argc = 0;

	memset(nodes, 0, sizeof(nodes));
	world = (struct world){.now = CLOCK_SECOND,
			       .link = FRONT_LINK_UP,
			       .link_fd = true,
			       .link_index = 3,
			       .wire = -1,
			       .store = -1};
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, world.event), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, world.link_event), 0);
	strncat(text, line, sizeof(text) - strlen(text) - 1);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	assert_true(front_options_read(argc, argv, &world.options, why, sizeof(why)));
	return front_open(&world.front, &world.options, open_store);
}

void world_stop(void)
{
	front_close(&world.front);
	assert_int_equal(world.grants, 0);
	close(world.wire);
	close(world.store);
	for (unsigned i = 0; i < 2; i++) {
		close(world.event[i]);
		close(world.link_event[i]);
	}
}

void world_up(const char *line)
{
	struct canif_request rq;

	assert_true(world_start(line));
	world_attach("2");
	world_run(0);
	world_connect();
	world_run(0);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "4");
	assert_true(world_take(&rq));
	assert_int_equal(rq.op, CANIF_START);
	world_answer(&rq, CAN_OK);
	world_event(&(struct can_event){.kind = CAN_EVENT_STATE,
					.state = CAN_STATE_IS_ACTIVE});
	world_push();
	world_run(0);
}
