/* SPDX-License-Identifier: MIT */
/* See front-xen.h. */
#include "tests/hostile/front-xen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/evtchn.h>
#include <xen/gntalloc.h>
#include <xenstore.h>

#define PAGE	4096u
#define TICK_NS 5000000
#define HEADER	64

struct evil us;

static struct xs_handle *xs;
static int gntalloc, evtchn;

uint64_t evil_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void tick(void)
{
	nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
}

void evil_check(bool passed, const char *name)
{
	printf("%s - %s\n", passed ? "ok" : "not ok", name);
	fflush(stdout);
	us.failed |= !passed;
}

/* -- xenstore ---------------------------------------------------------------- */

static char *read_key(const char *dir, const char *key)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return xs_read(xs, XBT_NULL, path, NULL);
}

static uint64_t read_number(const char *dir, const char *key)
{
	char *text = read_key(dir, key);
	uint64_t n = text ? strtoull(text, NULL, 10) : 0;

	free(text);
	return n;
}

void evil_key(const char *key, const char *value, size_t len)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", us.front, key);
	if (value)
		xs_write(xs, XBT_NULL, path, value, (unsigned)len);
	else
		xs_rm(xs, XBT_NULL, path);
}

void evil_number(const char *key, unsigned value)
{
	char text[16];

	evil_key(key, text, (size_t)snprintf(text, sizeof(text), "%u", value));
}

unsigned evil_back_state(void)
{
	return (unsigned)read_number(us.back, "state");
}

bool evil_back_has(const char *key)
{
	char *text = read_key(us.back, key);
	bool has = text && text[0];

	free(text);
	return has;
}

bool evil_wait(unsigned state)
{
	for (uint64_t end = evil_ms() + WAIT_MS; evil_ms() < end;
	     tick(), tick(), tick()) {
		if (evil_back_state() == state)
			return true;
	}
	fprintf(stderr, "the back end is in state %u, not %u\n", evil_back_state(),
		state);
	return false;
}

/* -- Pages, events ------------------------------------------------------------- */

struct page evil_page(unsigned to, bool read_only)
{
	struct ioctl_gntalloc_alloc_gref alloc = {
		.domid = (uint16_t)to,
		.flags = read_only ? 0 : GNTALLOC_FLAG_WRITABLE,
		.count = 1,
	};
	struct page page = {0};
	void *at;

	if (ioctl(gntalloc, IOCTL_GNTALLOC_ALLOC_GREF, &alloc) < 0)
		return page;
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, gntalloc,
		  (off_t)alloc.index);
	if (at == MAP_FAILED)
		return page;
	page = (struct page){at, alloc.gref_ids[0], alloc.index};
	memset(at, 0, PAGE);
	return page;
}

void evil_notify(void)
{
	struct ioctl_evtchn_notify notify = {.port = us.port};

	ioctl(evtchn, IOCTL_EVTCHN_NOTIFY, &notify);
}

static bool fresh_port(void)
{
	struct ioctl_evtchn_bind_unbound_port bind = {.remote_domain = us.backend};
	struct ioctl_evtchn_unbind unbind = {.port = us.port};
	int port;

	if (us.port)
		ioctl(evtchn, IOCTL_EVTCHN_UNBIND, &unbind);
	port = ioctl(evtchn, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind);
	us.port = port > 0 ? (unsigned)port : 0;
	return port > 0;
}

/* -- The life of a front end ----------------------------------------------------- */

bool evil_open(const char *device)
{
	xs = xs_open(0);
	gntalloc = open("/dev/xen/gntalloc", O_RDWR);
	evtchn = open("/dev/xen/evtchn", O_RDWR | O_NONBLOCK);
	if (!xs || gntalloc < 0 || evtchn < 0) {
		fprintf(stderr, "xenstore or /dev/xen: %s\n", strerror(errno));
		return false;
	}
	snprintf(us.front, sizeof(us.front), "device/vbd/%s", device);
	for (uint64_t end = evil_ms() + WAIT_MS; !us.back && evil_ms() < end; tick())
		us.back = read_key(us.front, "backend");
	if (!us.back) {
		fprintf(stderr, "no %s\n", us.front);
		return false;
	}
	us.backend = (unsigned)read_number(us.front, "backend-id");
	return true;
}

bool evil_offer(void)
{
	if (!us.ring.at)
		us.ring = evil_page(us.backend, false);
	if (!us.ring.at || !fresh_port())
		return false;
	memset(us.ring.at, 0, PAGE);
	evil_header()[1] = evil_header()[3] = 1;
	us.req_prod = us.rsp_cons = 0;
	evil_key("ring-page-order", NULL, 0);
	evil_key("multi-queue-num-queues", NULL, 0);
	evil_key("protocol", NULL, 0);
	evil_key("feature-persistent", "0", 1);
	evil_number("ring-ref", us.ring.ref);
	evil_number("event-channel", us.port);
	return true;
}

bool evil_heal(void)
{
	for (unsigned i = 0; i < 3; i++) {
		evil_number("state", 6);
		if (evil_back_state() != 6 && !evil_wait(6))
			continue;
		evil_number("state", 1);
		if (evil_wait(2))
			return true;
	}
	return false;
}

bool evil_connect(void)
{
	if (!evil_heal() || !evil_offer())
		return false;
	us.sectors = read_number(us.back, "sectors");
	evil_number("state", 3);
	if (!us.sectors || !evil_wait(4))
		return false;
	evil_number("state", 4);
	return true;
}

/* -- The ring -------------------------------------------------------------------- */

uint32_t *evil_header(void)
{
	return (uint32_t *)(void *)us.ring.at;
}

static uint8_t *slot(uint32_t i)
{
	return us.ring.at + HEADER + (size_t)(i % ENTRIES) * ENTRY;
}

uint8_t *evil_entry(uint8_t op, uint64_t id)
{
	uint8_t *e = slot(us.req_prod++);

	memset(e, 0, ENTRY);
	e[0] = op;
	memcpy(e + 8, &id, 8);
	return e;
}

uint8_t *evil_rw(uint8_t op, uint64_t sector, const struct page *page, unsigned n)
{
	uint8_t *e = evil_entry(op, 7);

	e[1] = (uint8_t)n;
	memcpy(e + 16, &sector, 8);
	for (unsigned i = 0; i < n && i < 11; i++) {
		memcpy(e + 24 + i * 8, &page->ref, 4);
		e[24 + i * 8 + 5] = 7;
	}
	return e;
}

void evil_push(void)
{
	__atomic_store_n(&evil_header()[0], us.req_prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	evil_notify();
}

int evil_answer(void)
{
	int16_t status;

	for (uint64_t end = evil_ms() + WAIT_MS; evil_ms() < end; tick()) {
		if (__atomic_load_n(&evil_header()[2], __ATOMIC_ACQUIRE) == us.rsp_cons)
			continue;
		memcpy(&status, slot(us.rsp_cons++) + 10, 2);
		return status;
	}
	return 99;
}

bool evil_serves(void)
{
	static struct page page;

	if (!page.at)
		page = evil_page(us.backend, false);
	if (!page.at)
		return false;
	memset(page.at, 0x42, PAGE);
	evil_rw(WRITE, 8, &page, 1);
	evil_push();
	if (evil_answer())
		return false;
	memset(page.at, 0, PAGE);
	evil_rw(READ, 8, &page, 1);
	evil_push();
	return !evil_answer() && page.at[0] == 0x42 && page.at[PAGE - 1] == 0x42;
}
