/* SPDX-License-Identifier: MIT */
/* What xdd-witness takes from xenstore: whose client an instance's is, who was joined
 * by the toolstack, what a driver domain calls its own. On the tree of attach_world.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/attach_world.h"
#include "xenbus/cmd/witness-store.h"

static struct scene scene;
static struct instance disk, net;

static void instance(struct instance *i, enum policy_class class, const char *device,
		     const char *tag)
{
	*i = (struct instance){.class = class_info(class, POLICY_PV)};
	i->policy.class = class;
	i->policy.any_domain = true;
	strcpy(i->policy.device, device);
	strcpy(i->policy.tag, tag);
	i->log.client = RECORD_NONE;
	scene.instances.at[scene.instances.n++] = i;
}

static int begin(void **state)
{
	(void)state;
	world_reset();
	world_xl_domain(1, "drv");
	world_xl_domain(2, "c2");
	world_xl_domain(3, "c3");
	scene = (struct scene){.domain = {1}};
	instance(&disk, POLICY_BLK, "xvda", "ivi");
	instance(&net, POLICY_NET, "0", "ivi");
	return 0;
}

/* As xl records it. */
static void device(unsigned front, unsigned back, const char *kind, unsigned id,
		   const char *key, const char *tag)
{
	char path[128], value[128];

	snprintf(path, sizeof(path), "/libxl/%u/device/%s/%u/backend", front, kind, id);
	snprintf(value, sizeof(value), "/local/domain/%u/backend/%s/%u/%u", back, kind,
		 front, id);
	world_write(path, value);
	snprintf(path, sizeof(path), "/libxl/%u/device/%s/%u/%s", front, kind, id, key);
	world_write(path, tag);
}

static void read_all(void)
{
	const char *why = store_read(&world.tree, &scene);

	if (why)
		fail_msg("%s", why);
}

static void test_clients(void **state)
{
	(void)state;
	device(2, 1, "vbd", 51712, "params", "ivi");
	device(3, 1, "vif", 0, "vifname", "ivi");
	read_all();
	assert_int_equal(disk.client, 2);
	assert_int_equal(net.client, 3);
	assert_int_equal(scene.devices, 2);
	/* and again, when it has been taken away */
	world_remove("/libxl/2/device/vbd");
	read_all();
	assert_int_equal(disk.client, RECORD_NONE);
	assert_int_equal(scene.devices, 1);
}

/* Not its device, not its kind, not its tag, not this driver domain's. */
static void test_others(void **state)
{
	(void)state;
	device(2, 1, "vbd", 51728, "params", "ivi");
	device(2, 1, "vbd3", 51712, "params", "ivi");
	device(3, 1, "vbd", 51712, "params", "other");
	device(4, 2, "vbd", 51712, "params", "ivi");
	device(5, 1, "vbd", 51712, "vifname", "ivi");
	read_all();
	assert_int_equal(disk.client, RECORD_NONE);
	assert_int_equal(scene.devices, 5);
}

/* What the driver domain itself says of its clients is nothing. */
static void test_own_word(void **state)
{
	(void)state;
	world_write("/local/domain/1/backend/vbd/2/51712/params", "ivi");
	world_write("/local/domain/1/backend/vbd/2/51712/frontend-id", "2");
	world_write("/libxl/2/device/vbd/51712/backend",
		    "/local/domain/0/backend/vbd/2/51712");
	world_write("/libxl/2/device/vbd/51712/params", "ivi");
	read_all();
	assert_int_equal(disk.client, RECORD_NONE);
}

static void test_numbers(void **state)
{
	(void)state;
	disk.policy.any_domain = false;
	disk.policy.domain.v = 3;
	disk.policy.tag[0] = '\0';
	net.policy.any_domain = false;
	net.policy.domain.v = 2;
	device(3, 1, "vif", 0, "vifname", "ivi");
	read_all();
	assert_int_equal(disk.client, 3);
	assert_int_equal(net.client, RECORD_NONE); /* its tag is another's */
	device(2, 1, "vif", 0, "vifname", "ivi");
	read_all();
	assert_int_equal(net.client, 2);
}

/* One tag, two clients: it is the one that is served. */
static void test_twice(void **state)
{
	(void)state;
	device(2, 1, "vbd", 51712, "params", "ivi");
	device(3, 1, "vbd", 51712, "params", "ivi");
	disk.log.client = 3;
	read_all();
	assert_int_equal(disk.client, 3);
	disk.log.client = 2;
	read_all();
	assert_int_equal(disk.client, 2);
}

static const char *const bad_backends[] = {
	"",
	"/local/domain/",
	"/local/domain/x/backend",
	"/local/domain/40000/backend",
	"/local/domain/01/backend",
	"/other/domain/1/backend/vbd/2/51712",
	"local/domain/1/backend",
	"/local/domain",
};

static void test_hostile(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(bad_backends) / sizeof(*bad_backends); i++) {
		world_write("/libxl/2/device/vbd/51712/backend", bad_backends[i]);
		world_write("/libxl/2/device/vbd/51712/params", "ivi");
		read_all();
		assert_int_equal(disk.client, RECORD_NONE);
		assert_int_equal(scene.devices, 0);
	}
	world_write("/libxl/nobody/device/vbd/51712/backend",
		    "/local/domain/1/backend/vbd/2/51712");
	world_write("/libxl/2/device/vbd/51712x/backend",
		    "/local/domain/1/backend/vbd/2/51712");
	world_write("/libxl/2/device/vbd/51712x/params", "ivi");
	read_all();
	assert_int_equal(disk.client, RECORD_NONE);
}

static bool is_named(unsigned port, unsigned remote)
{
	for (unsigned i = 0; i < scene.nameds; i++) {
		if (scene.named[i].port.v == port && scene.named[i].remote.v == remote)
			return true;
	}
	return false;
}

/* Its front ends' ports, of devices that the toolstack knows. */
static void test_ports(void **state)
{
	(void)state;
	world_write("/local/domain/1/store/port", "1");
	world_write("/local/domain/1/console/port", "2");
	device(1, 0, "vbd", 51712, "params", "root");
	world_write("/local/domain/1/device/vbd/51712/event-channel", "9");
	world_write("/local/domain/1/device/vbd/51712/ring-ref", "8");
	device(1, 3, "vif", 0, "vifname", "up");
	world_write("/local/domain/1/device/vif/0/queue-0/event-channel-tx", "10");
	world_write("/local/domain/1/device/vif/0/queue-0/event-channel-rx", "011");
	world_write("/local/domain/1/device/vif/0/a/b/c/d/event-channel", "12");
	/* another domain's */
	device(3, 0, "vbd", 51712, "params", "root");
	world_write("/local/domain/3/device/vbd/51712/event-channel", "14");
	/* of a device that it made up */
	world_write("/local/domain/1/device/vbd/99/event-channel", "13");
	read_all();
	assert_true(is_named(1, 0) && is_named(2, 0) && is_named(9, 0));
	assert_true(is_named(10, 3));
	assert_int_equal(scene.nameds, 4);
}

static void test_find(void **state)
{
	struct domid id = {99};

	(void)state;
	assert_int_equal(store_find(&world.tree, "drv", &id), 0);
	assert_int_equal(id.v, 1);
	assert_int_equal(store_find(&world.tree, "7", &id), 0);
	assert_int_equal(id.v, 7);
	assert_int_equal(store_find(&world.tree, "nobody", &id), -ENOENT);
	assert_int_equal(id.v, 7);
	world_xl_domain(4, "drv");
	assert_int_equal(store_find(&world.tree, "drv", &id), -EEXIST);
	/* one that calls itself so */
	world_node("/local/domain/4/name")->perms.owner.v = 4;
	assert_int_equal(store_find(&world.tree, "drv", &id), 0);
	assert_int_equal(id.v, 1);
}

#define TEST(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clients), TEST(test_others), TEST(test_own_word),
		TEST(test_numbers), TEST(test_twice),  TEST(test_hostile),
		TEST(test_ports),   TEST(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
