/* SPDX-License-Identifier: MIT */
/*
 * The nodes of a device, against what libxl 4.17 writes (libxl_device.c:
 * libxl__device_generic_add, libxl_disk.c: device_disk_add, libxl_nic.c,
 * libxl_vdispl.c), with the differences that plan.h names and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/net/net-policy.h"
#include "policy/policy.h"
#include "xenbus/cmd/plan.h"

static struct policy policy;
static struct policy_errors errors;
static struct plan plan;
static char text[2048];

/* Of class @class, device and more of [Client] as @client. */
static struct plan_input input(const char *class, const char *client, const char *rest)
{
	int len = snprintf(text, sizeof(text),
			   "Format = 1\n[Backend]\nClass = %s\nResource = /dev/null\n"
			   "[Client]\n%s\n[Limits]\nInFlight = 1\nOperations = 1/s\n"
			   "Bytes = 1/s\nEvents = 1/s\n%s",
			   class, client, rest);

	if (policy_parse("ivi_disk", text, (size_t)len, &policy, &errors))
		fail_msg("line %u: %s", errors.error[0].line, errors.error[0].what);
	return (struct plan_input){
		.policy = &policy,
		.text = text,
		.text_len = (size_t)len,
		.back = {2},
		.front = {5},
	};
}

/* One node as a line: who (owner, reader or -), path, value; ? for parents. */
static const char *line(const struct plan_node *node)
{
	static char out[600];
	char reader[8] = "-";

	if (node->perms.reader != TREE_NO_READER)
		snprintf(reader, sizeof(reader), "%d", node->perms.reader);
	snprintf(out, sizeof(out), "%s%u %s %s = %s", node->parent ? "?" : "",
		 node->perms.owner.v, reader, node->path, node->value);
	return out;
}

#define FRONT "/local/domain/5/device/vbd/51712"
#define BACK  "/local/domain/2/backend/vbd/5/51712"
#define COPY  "/libxl/5/device/vbd/51712"

static const char *const disk[] = {
	"?0 - /libxl/5 = ",
	"?0 - /libxl/5/device = ",
	"?0 - /libxl/5/device/vbd = ",
	"0 - " COPY " = ",
	"0 - " COPY "/frontend = " FRONT,
	"0 - " COPY "/backend = " BACK,
	"0 - " COPY "/frontend-id = 5",
	"0 - " COPY "/online = 1",
	"0 - " COPY "/params = ivi",
	"0 - " COPY "/removable = 0",
	"0 - " COPY "/bootable = 1",
	"0 - " COPY "/dev = xvda",
	"0 - " COPY "/type = phy",
	"0 - " COPY "/mode = w",
	"0 - " COPY "/device-type = disk",
	"0 - " COPY "/discard-enable = 1",
	"0 - " COPY "/specification = xen",
	"0 - " COPY "/xdd-attach = ivi_disk",
	"0 - " COPY "/state = 1",
	"?0 5 /local/domain/5/device = ",
	"?0 5 /local/domain/5/device/vbd = ",
	"5 2 " FRONT " = ",
	"5 2 " FRONT "/backend = " BACK,
	"5 2 " FRONT "/backend-id = 2",
	"5 2 " FRONT "/virtual-device = 51712",
	"5 2 " FRONT "/device-type = disk",
	"5 2 " FRONT "/trusted = 1",
	"5 2 " FRONT "/state = 1",
	"?0 2 /local/domain/2/backend = ",
	"?0 2 /local/domain/2/backend/vbd = ",
	"?0 2 /local/domain/2/backend/vbd/5 = ",
	"2 5 " BACK " = ",
	"2 5 " BACK "/frontend = " FRONT,
	"2 5 " BACK "/frontend-id = 5",
	"2 5 " BACK "/online = 1",
	"2 5 " BACK "/params = ivi",
	"2 5 " BACK "/removable = 0",
	"2 5 " BACK "/bootable = 1",
	"2 5 " BACK "/dev = xvda",
	"2 5 " BACK "/type = phy",
	"2 5 " BACK "/mode = w",
	"2 5 " BACK "/device-type = disk",
	"2 5 " BACK "/discard-enable = 1",
	"2 5 " BACK "/specification = xen",
	"2 5 " BACK "/xdd-attach = ivi_disk",
	"2 5 " BACK "/state = 1",
};

static void a_disk_whole(void **state)
{
	struct plan_input in =
		input("blk\nReadOnly = no", "Domain = any\nTag = ivi\nDevice = xvda",
		      "[Block]\nDiscard = yes\n");

	(void)state;
	plan_make(&in, &plan);
	for (unsigned i = 0; i < plan.n && i < sizeof(disk) / sizeof(*disk); i++)
		assert_string_equal(line(&plan.node[i]), disk[i]);
	assert_int_equal(plan.n, sizeof(disk) / sizeof(*disk));
}

static const char *value_of(const char *path)
{
	for (unsigned i = 0; i < plan.n; i++) {
		if (!strcmp(plan.node[i].path, path))
			return plan.node[i].value;
	}
	return NULL;
}

static void is(const char *dir, const char *key, const char *value)
{
	char path[256];
	const char *got;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	got = value_of(path);
	if (!value) {
		assert_null(got);
		return;
	}
	if (!got)
		fail_msg("no %s", path);
	assert_string_equal(got, value);
}

#define VFRONT "/local/domain/5/device/vmsg_blk/7"
#define VBACK  "/local/domain/2/backend/vmsg_blk/5/7"

/* After the copy, which has what the back end's directory has. */
static const char *const virtio_disk[] = {
	"?0 5 /local/domain/5/device = ",
	"?0 5 /local/domain/5/device/vmsg_blk = ",
	"5 2 " VFRONT " = ",
	"5 2 " VFRONT "/backend = " VBACK,
	"5 2 " VFRONT "/backend-id = 2",
	"5 2 " VFRONT "/state = 1",
	"?0 2 /local/domain/2/backend = ",
	"?0 2 /local/domain/2/backend/vmsg_blk = ",
	"?0 2 /local/domain/2/backend/vmsg_blk/5 = ",
	"2 5 " VBACK " = ",
	"2 5 " VBACK "/frontend = " VFRONT,
	"2 5 " VBACK "/frontend-id = 5",
	"2 5 " VBACK "/online = 1",
	"2 5 " VBACK "/params = ivi",
	"2 5 " VBACK "/dev = 7",
	"2 5 " VBACK "/type = phy",
	"2 5 " VBACK "/mode = r",
	"2 5 " VBACK "/device-type = disk",
	"2 5 " VBACK "/discard-enable = 0",
	"2 5 " VBACK "/xdd-attach = ivi_disk",
	"2 5 " VBACK "/state = 1",
};

static void a_virtio_disk(void **state)
{
	struct plan_input in =
		input("blk\nDoor = virtio", "Domain = any\nTag = ivi\nDevice = 7", "");
	const unsigned n = sizeof(virtio_disk) / sizeof(*virtio_disk);

	(void)state;
	plan_make(&in, &plan);
	assert_int_equal(plan.n, 16 + n); /* 3 parents, itself and 12 keys */
	for (unsigned i = 0; i < n; i++)
		assert_string_equal(line(&plan.node[16 + i]), virtio_disk[i]);
}

/* What the policy alone decides of a disk. */
static void disks(void **state)
{
	struct plan_input in = input("blk", "Domain = 5\nDevice = xvdb", "");

	(void)state;
	plan_make(&in, &plan);
	is("/local/domain/2/backend/vbd/5/51728", "mode", "r");
	is("/local/domain/2/backend/vbd/5/51728", "discard-enable", "0");
	is("/local/domain/2/backend/vbd/5/51728", "params", "ivi_disk");
	in = input("blk", "Domain = 5\nDevice = xvdb", "[Block]\nDiscard = yes\n");
	plan_make(&in, &plan);
	is("/local/domain/2/backend/vbd/5/51728", "discard-enable", "0");
	in = input("blk\nReadOnly = no", "Domain = 5\nDevice = xvdb", "");
	plan_make(&in, &plan);
	is("/local/domain/2/backend/vbd/5/51728", "discard-enable", "0");
}

/* Each class and door: its kind, the key of its tag, what is generic. */
static const struct {
	const char *class, *kind, *tag;
} classes[] = {
	{"blk", "vbd", "params"},
	{"net", "vif", "vifname"},
	{"snd", "vsnd", "xdd-policy"},
	{"displ", "vdispl", "xdd-policy"},
	{"can", "vcan", "xdd-policy"},
	{"blk\nDoor = virtio", "vmsg_blk", "params"},
	{"net\nDoor = virtio", "vmsg_net", "vifname"},
	{"snd\nDoor = virtio", "vmsg_snd", "xdd-policy"},
	{"displ\nDoor = virtio", "vmsg_displ", "xdd-policy"},
	{"can\nDoor = virtio", "vmsg_can", "xdd-policy"},
};

static void every_class(void **state)
{
	char front[64], back[64], copy[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		struct plan_input in =
			input(classes[i].class, "Domain = 5\nTag = t\nDevice = 3", "");

		plan_make(&in, &plan);
		snprintf(front, sizeof(front), "/local/domain/5/device/%s/3",
			 classes[i].kind);
		snprintf(back, sizeof(back), "/local/domain/2/backend/%s/5/3",
			 classes[i].kind);
		snprintf(copy, sizeof(copy), "/libxl/5/device/%s/3", classes[i].kind);
		is(front, "backend", back);
		is(front, "state", "1");
		is(back, "frontend", front);
		is(back, classes[i].tag, "t");
		is(back, "xdd-attach", "ivi_disk");
		is(copy, "backend", back);
		is(copy, classes[i].tag, "t");
		assert_string_equal(strrchr(plan.node[plan.n - 1].path, '/'), "/state");
	}
}

#define NFRONT "/local/domain/5/device/vif/1"
#define NBACK  "/local/domain/2/backend/vif/5/1"
#define NET                                                                            \
	"[Net]\nMAC = 02:00:00:00:00:0A\nAddresses = any\nBroadcast = yes\nMTU = "     \
	"9000\n"

/* After the copy. The MAC is as the policy has it, in both directories. */
static const char *const network_device[] = {
	"?0 5 /local/domain/5/device = ",
	"?0 5 /local/domain/5/device/vif = ",
	"5 2 " NFRONT " = ",
	"5 2 " NFRONT "/backend = " NBACK,
	"5 2 " NFRONT "/backend-id = 2",
	"5 2 " NFRONT "/handle = 1",
	"5 2 " NFRONT "/mac = 02:00:00:00:00:0A",
	"5 2 " NFRONT "/trusted = 1",
	"2 5 " NFRONT "/mtu = 9000",
	"5 2 " NFRONT "/state = 1",
	"?0 2 /local/domain/2/backend = ",
	"?0 2 /local/domain/2/backend/vif = ",
	"?0 2 /local/domain/2/backend/vif/5 = ",
	"2 5 " NBACK " = ",
	"2 5 " NBACK "/frontend = " NFRONT,
	"2 5 " NBACK "/frontend-id = 5",
	"2 5 " NBACK "/online = 1",
	"2 5 " NBACK "/vifname = ivi_net",
	"2 5 " NBACK "/mac = 02:00:00:00:00:0A",
	"2 5 " NBACK "/mtu = 9000",
	"2 5 " NBACK "/handle = 1",
	"2 5 " NBACK "/type = vif",
	"2 5 " NBACK "/xdd-attach = ivi_disk",
	"2 5 " NBACK "/state = 1",
};

static void a_network_device(void **state)
{
	struct plan_input in =
		input("net", "Domain = any\nTag = ivi_net\nDevice = 1", NET);
	const unsigned n = sizeof(network_device) / sizeof(*network_device);

	(void)state;
	plan_make(&in, &plan);
	assert_int_equal(plan.n, 15 + n); /* 3 parents, itself and 11 keys */
	for (unsigned i = 0; i < n; i++)
		assert_string_equal(line(&plan.node[15 + i]), network_device[i]);
	is("/libxl/5/device/vif/1", "mac", "02:00:00:00:00:0A");
	is("/libxl/5/device/vif/1", "vifname", "ivi_net");
}

/* A policy without MTU: as libxl, the client alone is told what that means. */
static void a_plain_network_device(void **state)
{
	struct plan_input in = input("net", "Domain = 5\nDevice = 1",
				     "[Net]\nMAC = 02:00:00:00:00:0A\n");

	(void)state;
	plan_make(&in, &plan);
	is(NFRONT, "mtu", "1500");
	is(NBACK, "mtu", NULL);
	is(NBACK, "vifname", "ivi_disk");
}

static void a_virtio_network_device(void **state)
{
	struct plan_input in =
		input("net\nDoor = virtio", "Domain = 5\nDevice = 1", NET);

	(void)state;
	plan_make(&in, &plan);
	is("/local/domain/2/backend/vmsg_net/5/1", "mac", "02:00:00:00:00:0A");
	is("/local/domain/2/backend/vmsg_net/5/1", "mtu", "9000");
	is("/local/domain/5/device/vmsg_net/1", "mac", NULL);
}

#define SFRONT "/local/domain/5/device/vsnd/0"
#define SBACK  "/local/domain/2/backend/vsnd/5/0"
#define SOUND                                                                          \
	"[Sound]\nStream0 = 0/0 playback hw:0\nStream1 = 0/1 capture hw:0\n"           \
	"Stream2 = 1/0 playback hw:1\nCapture = yes\nFormats = s16_le, float_be\n"     \
	"Rates = 44100-50000\nChannels = 2-6\nBuffer = 32768\n"

/* The client's half, as libxl has it for vsnd; the driver domain's has none of it. */
static const char *const sound_device[] = {
	"5 2 " SFRONT " = ",
	"5 2 " SFRONT "/backend = " SBACK,
	"5 2 " SFRONT "/backend-id = 2",
	"5 2 " SFRONT "/short-name = ivi_disk",
	"5 2 " SFRONT "/channels-min = 2",
	"5 2 " SFRONT "/channels-max = 6",
	"5 2 " SFRONT "/sample-rates = 44100,48000",
	"5 2 " SFRONT "/sample-formats = s16_le,float_be",
	"5 2 " SFRONT "/buffer-size = 32768",
	"5 2 " SFRONT "/0 = ",
	"5 2 " SFRONT "/0/name = PCM 0",
	"5 2 " SFRONT "/0/0 = ",
	"5 2 " SFRONT "/0/0/type = p",
	"5 2 " SFRONT "/0/0/unique-id = 0",
	"5 2 " SFRONT "/0/1 = ",
	"5 2 " SFRONT "/0/1/type = c",
	"5 2 " SFRONT "/0/1/unique-id = 1",
	"5 2 " SFRONT "/1 = ",
	"5 2 " SFRONT "/1/name = PCM 1",
	"5 2 " SFRONT "/1/0 = ",
	"5 2 " SFRONT "/1/0/type = p",
	"5 2 " SFRONT "/1/0/unique-id = 2",
	"5 2 " SFRONT "/state = 1",
};

static void a_sound_device(void **state)
{
	struct plan_input in = input("snd", "Domain = any\nTag = t\nDevice = 0", SOUND);
	const unsigned n = sizeof(sound_device) / sizeof(*sound_device);
	unsigned at = 0;

	(void)state;
	plan_make(&in, &plan);
	while (strcmp(line(&plan.node[at]), sound_device[0]))
		assert_true(++at < plan.n);
	for (unsigned i = 0; i < n; i++)
		assert_string_equal(line(&plan.node[at + i]), sound_device[i]);
	is(SBACK, "xdd-policy", "t");
	is(SBACK, "short-name", NULL);
}

/* As many streams as there can be, each with a PCM of its own: they have room. */
static void many_streams(void **state)
{
	char sound[1024] = "[Sound]\n";
	struct plan_input in;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		snprintf(sound + strlen(sound), sizeof(sound) - strlen(sound),
			 "Stream%u = %u/255 playback x\n", i, 248 + i);
	in = input("snd", "Domain = any\nTag = t\nDevice = 0", sound);
	plan_make(&in, &plan);
	is(SFRONT, "255/255/type", "p");
	is(SFRONT, "sample-rates",
	   "5512,8000,11025,16000,22050,32000,44100,48000,64000,88200,96000,176400,"
	   "192000");
}

/* The section that these read is one that the class takes: its keys are spelled so. */
static void the_class_takes_it(void **state)
{
	struct plan_input in = input("net", "Domain = 5\nDevice = 1", NET);
	struct net_policy net;

	(void)state;
	net_policy_init(&net);
	assert_int_equal(policy_parse_section(in.text, in.text_len, "Net",
					      net_policy_keys, &net, &errors),
			 0);
	assert_int_equal(net.mtu, 9000);
	assert_int_equal(net.mac[5], 0x0a);
}

/* What a client may read but not write: the owner is the driver domain. */
static void read_only_keys(void **state)
{
	struct plan_input in = input("displ", "Domain = 5\nDevice = 0", "");

	(void)state;
	plan_make(&in, &plan);
	for (unsigned i = 0; i < plan.n; i++) {
		if (strcmp(plan.node[i].path,
			   "/local/domain/5/device/vdispl/0/be-alloc"))
			continue;
		assert_string_equal(line(&plan.node[i]),
				    "2 5 /local/domain/5/device/vdispl/0/be-alloc = 0");
		return;
	}
	fail_msg("no be-alloc");
}

#define DFRONT "/local/domain/5/device/vdispl/0"

/* As libxl has it for vdispl: what says how large a connector is is not the client's.
 */
static const char *const display_device[] = {
	"5 2 " DFRONT " = ",
	"5 2 " DFRONT "/backend = /local/domain/2/backend/vdispl/5/0",
	"5 2 " DFRONT "/backend-id = 2",
	"2 5 " DFRONT "/be-alloc = 0",
	"5 2 " DFRONT "/0 = ",
	"2 5 " DFRONT "/0/unique-id = HDMI-A-1",
	"2 5 " DFRONT "/0/resolution = 1920x720",
	"5 2 " DFRONT "/1 = ",
	"2 5 " DFRONT "/1/unique-id = DP-2",
	"2 5 " DFRONT "/1/resolution = 800x600",
	"5 2 " DFRONT "/state = 1",
};

static void a_display(void **state)
{
	struct plan_input in = input("displ", "Domain = any\nTag = t\nDevice = 0",
				     "[Display]\nConnector0 = HDMI-A-1 1920x720\n"
				     "Connector1 = DP-2 800x600\n");
	const unsigned n = sizeof(display_device) / sizeof(*display_device);
	unsigned at = 0;

	(void)state;
	plan_make(&in, &plan);
	while (strcmp(line(&plan.node[at]), display_device[0]))
		assert_true(++at < plan.n);
	for (unsigned i = 0; i < n; i++)
		assert_string_equal(line(&plan.node[at + i]), display_device[i]);
	is("/local/domain/2/backend/vdispl/5/0", "xdd-policy", "t");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_whole),
		cmocka_unit_test(disks),
		cmocka_unit_test(every_class),
		cmocka_unit_test(a_network_device),
		cmocka_unit_test(read_only_keys),
		cmocka_unit_test(a_virtio_disk),
		cmocka_unit_test(a_plain_network_device),
		cmocka_unit_test(a_virtio_network_device),
		cmocka_unit_test(a_sound_device),
		cmocka_unit_test(many_streams),
		cmocka_unit_test(a_display),
		cmocka_unit_test(the_class_takes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
