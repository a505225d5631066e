/* SPDX-License-Identifier: MIT */
/* backends/net/net.c: which frames of others are the client's, and how they wait. */
#include "tests/unit/net_scene.h"

static void expect_filtered(uint64_t n)
{
	expect_none();
	assert_int_equal(scene.net.stats.filtered, n);
	assert_int_equal(scene.net.stats.unfit, 0);
}

/* -- Whose it is ------------------------------------------------------------ */

static void hears_its_own(void **state)
{
	const struct net_in *in;

	(void)state;
	scene_up();
	assert_true(scene.link.carrier);
	assert_int_equal(scene.link.allowed, ALL_UNDONE);
	hear(to_me(60, 1));
	hear(to_me(1514, 2));
	to_me(60, 1);
	expect_frame(0, scene.frame, 60);
	to_me(1514, 2);
	expect_frame(0, scene.frame, 1514);
	expect_none();
	assert_int_equal(scene.net.stats.received, 2);
	assert_int_equal(scene.net.stats.received_bytes, 1574);
	/* What the link said of it stays beside it. */
	net_frames_tcp(scene.frame, false, 100, 3);
	net_frames_turn(scene.frame);
	net_link_test_hear(
		&scene.link, scene.frame,
		&(struct net_link_frame){
			.size = 154,
			.validated = true,
			.offload = {.sum = true, .start = 34, .offset = 16}});
	in = net_next(&scene.net, 0);
	assert_non_null(in);
	assert_true(in->validated && in->offload.sum);
	net_give(&scene.net, net_take(&scene.net, 0));
}

static void others_are_filtered(void **state)
{
	uint32_t size;

	(void)state;
	assert_true(net_vlans_parse("untagged 5", &scene.policy.rules.vlans));
	scene_up();
	/* To another station, as a bridge floods it. */
	to_me(60, 1);
	scene.frame[5] = 8;
	hear(60);
	expect_filtered(1);
	/* On a VLAN of others; on its own. */
	size = net_frames_tag(scene.frame, to_me(60, 1), 0x8100, 6);
	hear(size);
	expect_filtered(2);
	size = net_frames_tag(scene.frame, to_me(60, 1), 0x8100, 5);
	hear(size);
	expect_frame(0, scene.frame, size);
	size = net_frames_tag(scene.frame, to_me(60, 1), 0x88a8, 5);
	hear(size);
	expect_filtered(3);
	/* Groups are heard by who does not choose. */
	to_me(60, 1);
	net_frames_to_group(scene.frame, 3);
	hear(60);
	expect_frame(0, scene.frame, 60);
	net_frames_to_all(scene.frame);
	hear(60);
	expect_frame(0, scene.frame, 60);
}

/* -- Groups ------------------------------------------------------------------ */

static void to_group(uint8_t group)
{
	to_me(60, group);
	net_frames_to_group(scene.frame, group);
}

static void assert_hears_group(uint8_t group, bool hears)
{
	to_group(group);
	hear(60);
	if (hears)
		expect_frame(0, scene.frame, 60);
	expect_none();
}

static bool join(uint8_t group)
{
	to_group(group);
	return net_join(&scene.net, scene.frame);
}

static void leave(uint8_t group)
{
	to_group(group);
	net_leave(&scene.net, scene.frame);
}

static void groups(void **state)
{
	(void)state;
	scene.client.groups = true;
	scene_up();
	assert_hears_group(1, false);
	assert_int_equal(scene.net.stats.filtered, 1);
	assert_true(join(1) && join(2) && join(3) && join(2));
	assert_int_equal(scene.net.groups, 3);
	for (uint8_t group = 1; group <= 4; group++)
		assert_hears_group(group, group < 4);
	leave(1);
	leave(4); /* which it never joined */
	for (uint8_t group = 1; group <= 4; group++)
		assert_hears_group(group, group == 2 || group == 3);
	leave(2);
	assert_hears_group(2, false);
	assert_hears_group(3, true);
	/* All hear a broadcast, and each its own. */
	to_me(60, 1);
	net_frames_to_all(scene.frame);
	hear(60);
	expect_frame(0, scene.frame, 60);
	hear(to_me(60, 1));
	expect_frame(0, scene.frame, 60);
}

/* Who does not choose joins and leaves for nothing. */
static void groups_of_who_hears_all(void **state)
{
	(void)state;
	scene_up();
	assert_hears_group(1, true);
	assert_true(join(1));
	leave(1);
	assert_hears_group(1, true);
}

static void too_many_groups(void **state)
{
	(void)state;
	scene.client.groups = true;
	scene_up();
	for (unsigned i = 0; i < NET_GROUPS_MAX; i++)
		assert_true(join((uint8_t)i));
	assert_hears_group(NET_GROUPS_MAX, false);
	assert_true(join(5));
	assert_false(join(NET_GROUPS_MAX));
	assert_hears_group(NET_GROUPS_MAX, true);
	assert_hears_group(200, true);
	/* It cannot be known any more which it left. */
	leave(5);
	assert_hears_group(5, true);
	/* The next client begins anew. */
	assert_int_equal(net_disconnect(&scene.net), 0);
	scene_connect();
	assert_hears_group(6, false);
}

/* Who chooses may hear all after all, and still knows its own. */
static void all_groups(void **state)
{
	(void)state;
	scene.client.groups = true;
	scene_up();
	assert_true(join(1));
	net_hear_groups(&scene.net, true);
	assert_hears_group(9, true);
	net_hear_groups(&scene.net, false);
	assert_hears_group(9, false);
	assert_hears_group(1, true);
	for (unsigned i = 0; i <= NET_GROUPS_MAX; i++)
		join((uint8_t)i);
	assert_hears_group(200, true);
	net_leave_all(&scene.net);
	assert_hears_group(200, false);
	assert_hears_group(1, false);
	assert_true(join(1));
}

/* -- VLANs ------------------------------------------------------------------- */

static void assert_hears_vlan(uint16_t type, uint16_t vlan, bool hears)
{
	uint32_t size = net_frames_tag(scene.frame, to_me(60, vlan), type, vlan);

	hear(size);
	if (hears)
		expect_frame(0, scene.frame, size);
	expect_none();
}

static void vlans(void **state)
{
	(void)state;
	assert_true(net_vlans_parse("any", &scene.policy.rules.vlans));
	scene.client.vlans = true;
	scene_up();
	assert_hears_vlan(0x8100, 0, true);
	assert_hears_vlan(0x8100, 64, false);
	net_hear_vlan(&scene.net, 64, true);
	net_hear_vlan(&scene.net, 4095, true);
	for (uint16_t vlan = 1; vlan < 4096; vlan++)
		assert_hears_vlan(0x8100, vlan, vlan == 64 || vlan == 4095);
	assert_hears_vlan(0x88a8, 64, true);
	assert_hears_vlan(0x88a8, 65, false);
	net_hear_vlan(&scene.net, 64, false);
	assert_hears_vlan(0x8100, 64, false);
	hear(to_me(60, 1));
	expect_frame(0, scene.frame, 60);
	/* The next client begins anew; who does not choose hears all. */
	assert_int_equal(net_disconnect(&scene.net), 0);
	scene_connect();
	assert_hears_vlan(0x8100, 4095, false);
	assert_int_equal(net_disconnect(&scene.net), 0);
	scene.client.vlans = false;
	scene_connect();
	assert_hears_vlan(0x8100, 64, true);
}

/* What it chooses does not widen what its policy lets it hear. */
static void vlans_only_narrow(void **state)
{
	(void)state;
	assert_true(net_vlans_parse("5", &scene.policy.rules.vlans));
	scene.client.vlans = true;
	scene_up();
	net_hear_vlan(&scene.net, 6, true);
	assert_hears_vlan(0x8100, 6, false);
	assert_hears_vlan(0x8100, 5, false);
	net_hear_vlan(&scene.net, 5, true);
	assert_hears_vlan(0x8100, 5, true);
}

/* Frames come in so many of its queues as it says. */
static void spread(void **state)
{
	(void)state;
	scene.client.queues = 4;
	scene_open(8);
	scene_connect();
	to_me(60, 1);
	for (unsigned queues = 1; queues <= 4; queues++) {
		net_spread(&scene.net, queues);
		for (unsigned queue = 0; queue < 8; queue++) {
			net_link_test_hear(
				&scene.link, scene.frame,
				&(struct net_link_frame){.queue = queue, .size = 60});
			expect_frame(queue % queues, scene.frame, 60);
		}
	}
	assert_int_equal(net_disconnect(&scene.net), 0);
	scene_connect();
	net_link_test_hear(&scene.link, scene.frame,
			   &(struct net_link_frame){.queue = 3, .size = 60});
	expect_frame(3, scene.frame, 60);
}

/* -- What it can take ------------------------------------------------------- */

static const struct {
	struct net_offload offload;
	unsigned needs;
} undone[] = {
	{{0}, 0},
	{{.sum = true, .start = 34, .offset = 16}, NET_LINK_CSUM},
	{{.sum = true, .start = 34, .offset = 16, .gso = NET_GSO_TCPV4},
	 NET_LINK_CSUM | NET_LINK_TSO4},
	{{.gso = NET_GSO_TCPV4}, NET_LINK_TSO4},
	{{.sum = true, .start = 54, .offset = 16, .gso = NET_GSO_TCPV6},
	 NET_LINK_CSUM | NET_LINK_TSO6},
	{{.sum = true, .start = 34, .offset = 6, .gso = NET_GSO_UDP},
	 NET_LINK_CSUM | NET_LINK_USO},
};

/* The link was told what it may leave undone, and what it leaves beyond is dropped. */
static void no_more_than_it_takes(void **state)
{
	uint64_t unfit = 0;

	(void)state;
	scene_open(1);
	for (unsigned takes = 0; takes <= ALL_UNDONE; takes++) {
		scene.client.offloads = takes;
		scene_connect();
		assert_int_equal(scene.link.allowed, takes);
		for (unsigned i = 0; i < COUNT(undone); i++) {
			struct net_link_frame like = {.size = 1000,
						      .offload = undone[i].offload};

			to_me(1000, i);
			net_link_test_hear(&scene.link, scene.frame, &like);
			if (undone[i].needs & ~takes)
				assert_int_equal(scene.net.stats.unfit, ++unfit);
			else
				expect_frame(0, scene.frame, 1000);
			expect_none();
		}
		assert_int_equal(net_disconnect(&scene.net), 0);
	}
	assert_int_equal(scene.net.stats.filtered, 0);
}

/* It is not asked of a link what that does not have. */
static void no_more_than_the_link_has(void **state)
{
	(void)state;
	scene_open(1);
	scene.link.link.offloads = NET_LINK_CSUM;
	scene_connect();
	assert_int_equal(scene.link.allowed, NET_LINK_CSUM);
}

static void frame_max(void **state)
{
	(void)state;
	scene.client.frame_max = 4096;
	scene_up();
	hear(to_me(4096, 1));
	expect_frame(0, scene.frame, 4096);
	hear(to_me(4097, 1));
	expect_none();
	assert_int_equal(scene.net.stats.unfit, 1);
	/* A slot for each, as if nothing had been. */
	for (unsigned i = 0; i < 100; i++)
		hear(to_me(4097, 1));
	hear(to_me(4096, 1));
	expect_frame(0, scene.frame, 4096);
}

/* -- How it waits ------------------------------------------------------------ */

/* Enough waits: the rest waits at the host, and comes once there is room, in order. */
static void backlog(void **state)
{
	(void)state;
	scene.policy.backlog = 10000;
	scene_up();
	for (unsigned i = 0; i < 20; i++)
		hear(to_me(1500, i));
	assert_int_equal(scene.net.inbox.bytes, 10500);
	assert_int_equal(scene.link.waiting[0].n, 13);
	assert_int_equal(scene.link.starved & 1, 1);
	/* Nothing is asked for while nothing was taken. */
	turn_at(scene.now);
	assert_int_equal(scene.link.starved & 1, 1);
	assert_int_equal(net_due(&scene.net), UINT64_MAX);
	for (unsigned i = 0; i < 20; i++) {
		to_me(1500, i);
		expect_frame(0, scene.frame, 1500);
		turn_at(scene.now);
		assert_true(scene.net.inbox.bytes <= 10500);
	}
	expect_none();
	assert_int_equal(scene.link.waiting[0].n, 0);
	hear(to_me(60, 1));
	expect_frame(0, scene.frame, 60);
}

/* All was taken, and nothing else happens: a turn is due that lets the host go on. */
static void room_is_a_reason_for_a_turn(void **state)
{
	(void)state;
	scene.policy.backlog = 3000;
	scene_up();
	for (unsigned i = 0; i < 4; i++)
		hear(to_me(1500, i));
	turn_at(scene.now);
	assert_int_equal(scene.link.waiting[0].n, 2);
	for (unsigned i = 0; i < 2; i++) {
		to_me(1500, i);
		expect_frame(0, scene.frame, 1500);
	}
	assert_true(net_due(&scene.net) <= scene.now);
	turn_at(scene.now);
	assert_int_equal(scene.link.waiting[0].n, 0);
	assert_int_equal(net_due(&scene.net), UINT64_MAX);
}

/* Slots that run out are as a backlog that is full. */
static void slots_run_out(void **state)
{
	(void)state;
	scene.policy.backlog = NET_BACKLOG_MAX;
	scene_up();
	for (unsigned i = 0; i < SCENE_SLOTS + 3; i++)
		hear(to_me(60, i));
	assert_int_equal(scene.link.waiting[0].n, 3);
	for (unsigned i = 0; i < SCENE_SLOTS + 3; i++) {
		to_me(60, i);
		expect_frame(0, scene.frame, 60);
		turn_at(scene.now);
	}
	expect_none();
}

/* Each queue of the link that starved is asked again. */
static void queues_starve_apart(void **state)
{
	(void)state;
	scene.policy.backlog = 1000;
	scene.client.queues = 2;
	scene_open(5);
	scene_connect();
	assert_int_equal(scene.link.starved & 0x1f, 0);
	to_me(1500, 1);
	for (unsigned queue = 0; queue < 5; queue++)
		net_link_test_hear(
			&scene.link, scene.frame,
			&(struct net_link_frame){.queue = queue, .size = 1500});
	assert_int_equal(scene.link.starved & 0x1f, 0x1e);
	for (unsigned queue = 0; queue < 5; queue++) {
		/* Queue N of the link is queue N modulo its own of the client. */
		assert_int_equal(scene.net.inbox.bytes, 1500);
		assert_false(net_pending(&scene.net, !(queue % 2)));
		expect_frame(queue % 2, scene.frame, 1500);
		turn_at(scene.now);
	}
	expect_none();
}

/* -- Nobody there -------------------------------------------------------------- */

static void nobody_hears_nothing(void **state)
{
	(void)state;
	scene_open(1);
	scene.link.ahead = 4;
	assert_false(scene.link.carrier);
	assert_int_equal(net_turn(&scene.net, scene.now), 0);
	assert_int_equal(scene.link.nreads[0], 0);
	assert_int_equal(net_due(&scene.net), UINT64_MAX);
	scene_connect();
	assert_int_equal(scene.link.nreads[0], 4);
	hear(to_me(60, 1));
	assert_true(net_pending(&scene.net, 0));
	assert_int_equal(net_disconnect(&scene.net), 0);
	expect_none();
	/* Whatever is still to come is nobody's, none of it waits for the next client,
	 * and the room is not lost. */
	scene.link.carrier = true;
	for (unsigned i = 0; i < 6; i++)
		hear(to_me(60, 1));
	expect_none();
	assert_int_equal(scene.net.stats.filtered, 0);
	assert_int_equal(scene.link.waiting[0].n, 0);
	scene_connect();
	expect_none();
	assert_int_equal(scene.link.nreads[0], 4);
	for (unsigned i = 0; i < SCENE_SLOTS - 4; i++)
		assert_non_null(net_inbox_room(&scene.net.inbox));
	assert_null(net_inbox_room(&scene.net.inbox));
}

/* The same of what found no room while its client was there. */
static void a_backlog_is_its_clients(void **state)
{
	(void)state;
	scene.policy.backlog = 10000;
	scene_up();
	for (unsigned i = 0; i < 20; i++)
		hear(to_me(1500, i));
	assert_int_equal(scene.link.waiting[0].n, 13);
	assert_int_equal(net_disconnect(&scene.net), 0);
	assert_int_equal(scene.link.waiting[0].n, 0);
	scene_connect();
	expect_none();
	hear(to_me(60, 1));
	expect_frame(0, scene.frame, 60);
}

static void a_link_that_fails(void **state)
{
	(void)state;
	scene_open(1);
	scene.link.fails = -EIO;
	assert_int_equal(net_connect(&scene.net, &scene.client, scene.now), -EIO);
	assert_false(scene.net.connected);
	scene_connect();
	net_link_test_fail(&scene.link, -ENODEV);
	assert_int_equal(net_turn(&scene.net, scene.now), -ENODEV);
	assert_int_equal(net_turn(&scene.net, scene.now), -ENODEV);
	scene.net.error = 0;
}

static void rooms(void **state)
{
	static uint8_t area[8192];

	(void)state;
	scene_up();
	assert_int_equal(net_room(&scene.policy), 69632);
	scene.policy.offloads = false;
	assert_int_equal(net_room(&scene.policy), 4096);
	scene.policy.mtu = 4096 - 22;
	assert_int_equal(net_room(&scene.policy), 4096);
	scene.policy.mtu = 4096 - 21;
	assert_int_equal(net_room(&scene.policy), 8192);
	net_inbox_fini(&scene.net.inbox);
	assert_int_equal(net_give_room(&scene.net, area, 8191), -EINVAL);
	assert_int_equal(net_give_room(&scene.net, area, 8192), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(hears_its_own),
		scene_test(others_are_filtered),
		scene_test(groups),
		scene_test(groups_of_who_hears_all),
		scene_test(too_many_groups),
		scene_test(all_groups),
		scene_test(vlans),
		scene_test(vlans_only_narrow),
		scene_test(spread),
		scene_test(no_more_than_it_takes),
		scene_test(no_more_than_the_link_has),
		scene_test(frame_max),
		scene_test(backlog),
		scene_test(room_is_a_reason_for_a_turn),
		scene_test(slots_run_out),
		scene_test(queues_starve_apart),
		scene_test(nobody_hears_nothing),
		scene_test(a_backlog_is_its_clients),
		scene_test(a_link_that_fails),
		scene_test(rooms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
