/* SPDX-License-Identifier: MIT */
/* The virtio door of a network device: UDP that is to be cut (USO). */
#include "tests/device/net-virtio-cases.h"

/* UDP to be cut, to a link that can, and from it to who takes both versions of it. */
static void cuts_udp(void **state)
{
	struct net_front_header header = {.flags = NET_FRONT_NEEDS_CSUM,
					  .gso = 5,
					  .gso_size = 1000,
					  .start = 54,
					  .offset = 6};
	struct net_link_frame like = {.offload = {.sum = true,
						  .start = 54,
						  .offset = 6,
						  .gso = NET_GSO_UDP,
						  .gso_size = 1000,
						  .header = 62}};
	static const uint64_t refuses[] = {0, NET_FRONT_F_GUEST_USO4,
					   NET_FRONT_F_GUEST_USO6};

	(void)state;
	up();
	like.size = net_frames_udp(frame, true, 5000, 1);
	ask(&header, like.size);
	assert_left(like.size, &like.offload);
	down();
	for (unsigned i = 0; i < 3; i++) {
		up_without(refuses[i]);
		assert_int_equal(bed.link.allowed & NET_LINK_USO, i ? 0 : NET_LINK_USO);
		assert_true(net_front_post(&bed.vfront, 0, 17, 4096));
		net_front_push(&bed.vfront);
		net_frames_udp(frame, true, 5000, 1);
		net_frames_turn(frame);
		net_link_test_hear(&bed.link, frame, &like);
		run();
		assert_int_equal(bed.net.stats.unfit, i != 0);
		if (i) {
			assert_nothing_came(0);
		} else {
			assert_came(0, like.size, &header);
			assert_int_equal(header.gso, 5);
			assert_int_equal(header.gso_size, 1000);
			assert_int_equal(header.header, 62);
			assert_int_equal(header.offset, 6);
		}
		down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		every_memory(cuts_udp),
	};

	return cmocka_run_group_tests_name("net_virtio_uso", tests, NULL, NULL);
}
