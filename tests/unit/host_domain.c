/* SPDX-License-Identifier: MIT */
/*
 * The keeper's parts inside a back end: each verb of the seam, asked through a
 * client whose other end is in this process, against the kernel and the
 * xenstored of the keeper's tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "backends/host-domain.h"
#include "common/clock.h"
#include "grant-mem/grants-keeper.h"
#include "tests/unit/keeper-world.h"
#include "xenbus/evtchn-keeper.h"
#include "xenbus/store-keeper.h"

#define COPY_POLICY                                                                    \
	"Format = 1\n[Backend]\nClass = blk\nResource = null:1M\nReadOnly = no\n"      \
	"[Client]\nDomain = 3\nDevice = xvda\n[Memory]\n"                              \
	"Mode = copy\nRingPages = 4\nDataPages = 16\nGrantRefs = 8-1000\n[Limits]\n"   \
	"InFlight = 32\nOperations = 1000/s\nBytes = 1M/s\nEvents = 1000/s\n"

static struct domain domain;
static struct client client;
static struct grants_keeper grants_keeper;
static struct evtchn_keeper evtchn_keeper;
static struct store_keeper store_keeper;
static struct grants *grants;
static struct evtchn *evtchn;
static struct store *store;

/* In place of keeper-xenbus.c's: the xenstored of the tests needs no file. */
short keeper_xenbus(struct keeper *k)
{
	(void)k;
	world_pump();
	return POLLIN;
}

/* Memory stands for gntdev: what the fake opened cannot be mapped. */
static void give_memory(void)
{
	char path[64];
	int fd = memfd_create("gntdev", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	close(client.fds[WIRE_FD_GNTDEV_RW]);
	close(client.fds[WIRE_FD_GNTDEV_RO]);
	client.fds[WIRE_FD_GNTDEV_RW] = fd;
	client.fds[WIRE_FD_GNTDEV_RO] = open(path, O_RDONLY | O_CLOEXEC);
}

static void turns(unsigned n)
{
	while (n--)
		domain_turn(&domain);
}

static void set_up_as(const char *policy)
{
	world_init(policy);
	world_device();
	/* The world's time ran ahead of ours. */
	world.k->device.scan_at = world.k->device.put_at = 0;
	assert_int_equal(domain_connect(&domain, &client, world.k, "blk"), 0);
	give_memory();
	assert_int_equal(grants_keeper_init(&grants_keeper, &client), 0);
	evtchn_keeper_init(&evtchn_keeper, &client);
	store_keeper_init(&store_keeper, &client);
	grants = &grants_keeper.grants;
	evtchn = &evtchn_keeper.evtchn;
	store = &store_keeper.store;
}

/* What this program is for is the keeper's to check, in domain_open(). */
static int set_up(void **state)
{
	(void)state;
	set_up_as(WORLD_POLICY);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	grants_keeper_fini(&grants_keeper);
	evtchn_keeper_fini(&evtchn_keeper);
	client_fini(&client);
	close(domain.fd);
	close(domain.timer);
	world_fini();
	return 0;
}

static void test_begins(void **state)
{
	char text[POLICY_TEXT_MAX];

	(void)state;
	assert_int_equal(client.limits.in_flight, 32);
	assert_int_equal(client_policy(&client, text, sizeof(text)),
			 strlen(WORLD_POLICY));
	assert_memory_equal(text, WORLD_POLICY, strlen(WORLD_POLICY));
	assert_int_equal(world.k->peer.stage, PEER_SERVING);
	turns(3);
	assert_string_equal(world.last_write, "drivers/xdd/test/status=ready");
}

static void test_maps(void **state)
{
	struct gref refs[16];
	struct grants_map map;

	(void)state;
	for (uint32_t i = 0; i < 16; i++)
		refs[i].v = 100 + i;
	assert_int_equal(grants_map(grants, refs, 16, true, &map), GRANTS_OK);
	memset(map.addr, 1, 16 * XEN_PAGE_BYTES);
	assert_int_equal(world.k->maps.usage.data_pages, 16);
	assert_int_equal(grants_unmap(grants, &map), 0);
	assert_int_equal(world.k->maps.usage.data_pages, 0);
	assert_int_equal(grants_map(grants, refs, 1, false, &map), GRANTS_OK);
	assert_int_equal(mprotect(map.addr, XEN_PAGE_BYTES, PROT_READ | PROT_WRITE),
			 -1);
	assert_int_equal(grants_unmap(grants, &map), 0);
}

static void test_refuses(void **state)
{
	struct gref outside = {1001}, low = {7};
	struct grants_map map;

	(void)state;
	assert_int_equal(grants_map(grants, &outside, 1, false, &map), GRANTS_REFUSED);
	assert_int_equal(grants_map(grants, &low, 1, true, &map), GRANTS_REFUSED);
	assert_int_equal(world.added, 0);
	assert_int_equal(world.kills, 0);
}

static void test_maps_ring(void **state)
{
	const char *const keys[] = {"ring-ref0", "ring-ref1"}, *const none[] = {"x"};
	struct grants_map map;

	(void)state;
	assert_int_equal(grants_map_ring(grants, keys, 2, &map), GRANTS_OK);
	assert_int_equal(world.k->maps.usage.ring_pages, 2);
	assert_int_equal(grants_unmap(grants, &map), 0);
	assert_int_equal(grants_map_ring(grants, none, 1, &map), GRANTS_REFUSED);
}

static int set_up_for_copy(void **state)
{
	(void)state;
	set_up_as(COPY_POLICY);
	return 0;
}

static void test_copies(void **state)
{
	struct grants_seg segs[2] = {{.ref = {100}, .len = 512, .local = 4096},
				     {.ref = {99}, .len = 512}};
	struct grants_seg outside = {.ref = {1001}, .len = 512};

	(void)state;
	assert_int_equal(grants_copy(grants, segs, 2), GRANTS_OK);
	assert_int_equal(segs[0].status, GRANTS_OK);
	assert_int_equal(segs[1].status, GRANTS_BAD);
	assert_int_equal(grants->copy_area[4096], 0x5a);
	assert_int_equal(grants->copy_area[4096 + 512], 0);
	assert_int_equal(grants_copy(grants, &outside, 1), GRANTS_REFUSED);
	assert_int_equal(world.copies, 2);
	/* What is counted is on record before it ends. */
	assert_int_not_equal(domain.keeper->audit.copies, 0);
	domain_close(&domain);
	assert_int_equal(domain.keeper->audit.copies, 0);
}

static void test_binds(void **state)
{
	struct evport port, again;

	(void)state;
	assert_int_equal(evtchn_bind(evtchn, "event-channel", &port), EVTCHN_OK);
	assert_true(evtchn->fd >= 0);
	assert_int_equal(evtchn_bind(evtchn, "event-channel", &again), EVTCHN_OK);
	assert_int_equal(port.v, again.v);
	assert_int_equal(world.binds, 1);
	assert_int_equal(evtchn_unbind(evtchn, port), EVTCHN_OK);
	assert_int_equal(world.unbinds, 1);
	assert_int_equal(evtchn_bind(evtchn, "ring-ref", &port), EVTCHN_REFUSED);
}

static void test_reads_and_writes(void **state)
{
	char value[STORE_VALUE_MAX + 1];

	(void)state;
	assert_int_equal(
		store_read(store, STORE_FRONT, "event-channel", value, sizeof(value)),
		STORE_OK);
	assert_string_equal(value, "17");
	assert_int_equal(store_read(store, STORE_BACK, "none", value, sizeof(value)),
			 STORE_ABSENT);
	assert_int_equal(store_write(store, "state", "2"), STORE_OK);
	turns(3);
	assert_string_equal(world.last_write, "backend/vbd/3/51712/state=2");
	assert_int_equal(store_write(store, "frontend", "x"), STORE_REFUSED);
}

static void test_status(void **state)
{
	struct pollfd ready = {.fd = domain.fd, .events = POLLIN};
	struct store_status status;

	(void)state;
	turns(1);
	assert_int_equal(poll(&ready, 1, 0), 1);
	assert_int_equal(store_poll(store, &status), 1);
	assert_true(status.present && status.online && !status.release);
	assert_int_equal(status.front, STORE_INITIALISED);
	assert_int_equal(store_poll(store, &status), 0);
	world_set("/local/domain/3/device/vbd/51712/state", "4");
	world_fire();
	usleep(30000); /* DEVICE_SCAN_NS, and the pause between two snapshots */
	turns(8);
	usleep(15000);
	turns(1);
	assert_int_equal(store_poll(store, &status), 1);
	assert_int_equal(status.front, STORE_CONNECTED);
}

/* The timer turns us when something is due, with nothing readable. */
static void test_timer(void **state)
{
	struct pollfd ready = {.fd = domain.fd, .events = POLLIN};
	struct store_status status;

	(void)state;
	turns(1);
	store_poll(store, &status);
	assert_int_equal(poll(&ready, 1, 0), 0);
	assert_int_equal(poll(&ready, 1, 2000), 1);
}

static void test_xenstored_late(void **state)
{
	char value[STORE_VALUE_MAX + 1];

	(void)state;
	world.silent = true;
	client.timeout_ms = 50;
	assert_int_equal(
		store_read(store, STORE_FRONT, "sectors", value, sizeof(value)),
		-ETIMEDOUT);
}

/* Nobody is killed: the connection ends, and the owner is told to. */
static void test_not_let_go(void **state)
{
	struct gref ref = {100};
	struct store_status status;
	struct grants_map map;

	(void)state;
	assert_int_equal(grants_map(grants, &ref, 1, true, &map), GRANTS_OK);
	world.k->maps.release_ns = CLOCK_MS;
	world_set("backend/vbd/3/51712/frontend", NULL);
	world_fire();
	usleep(30000);
	turns(8);
	usleep(5000);
	turns(1);
	assert_int_equal(world.k->peer.fd, -1);
	assert_int_equal(store_poll(store, &status), -EPIPE);
	assert_int_equal(grants_map(grants, &ref, 1, true, &map), -EPIPE);
	assert_non_null(client.why);
	munmap(map.addr, XEN_PAGE_BYTES);
}

static void test_ends(void **state)
{
	(void)state;
	turns(3);
	domain_close(&domain);
	turns(1);
	assert_string_equal(world.last_write, "drivers/xdd/test/status=dead");
}

static void test_wrong_class(void **state)
{
	(void)state;
	world_init(WORLD_POLICY);
	assert_int_equal(domain_connect(&domain, &client, world.k, "net"), -EINVAL);
	assert_non_null(client.why);
	client_fini(&client);
	close(domain.fd);
	close(domain.timer);
	world_fini();
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begins),
		TEST(maps),
		TEST(refuses),
		TEST(maps_ring),
		cmocka_unit_test_setup_teardown(test_copies, set_up_for_copy,
						tear_down),
		TEST(binds),
		TEST(reads_and_writes),
		TEST(status),
		TEST(timer),
		TEST(xenstored_late),
		TEST(not_let_go),
		TEST(ends),
		cmocka_unit_test(test_wrong_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
