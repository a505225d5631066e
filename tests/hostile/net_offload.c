/* SPDX-License-Identifier: MIT */
/* T-NET-1 on the PV door: what is to be cut or summed, and cannot be. */
#include "tests/hostile/net.h"

static void t_net_1_gso(void **state)
{
	struct netfront_packet packet;

	(void)state;
	up(&conf);
	for (unsigned type = 0; type <= UINT8_MAX; type++) {
		for (unsigned kind = 0; kind < 4; kind++) {
			bool six = kind & 1, udp = kind & 2;

			make(kind, 900, &packet);
			packet.gso_size = 100;
			packet.gso = (uint8_t)type;
			if (!type)
				continue; /* has no extra at all */
			if (!udp && type == (six ? 2u : 1u))
				packet_passes(&packet);
			else
				packet_fails(&packet);
		}
	}
	/* No size, no payload, headers that end nowhere. */
	for (unsigned six = 0; six <= 1; six++) {
		make(4 + six, 900, &packet);
		packet.gso_size = 0;
		packet_fails(&packet);
		make(4 + six, 0, &packet);
		packet_fails(&packet);
		for (unsigned words = 0; words < 16; words++) {
			uint32_t header = (six ? 54 : 34) + words * 4;

			make(4 + six, 40, &packet);
			sent[(six ? 54 : 34) + 12] = (uint8_t)(words << 4);
			if (words >= 5 && header < packet.size)
				packet_passes(&packet);
			else
				packet_fails(&packet);
		}
		/* IP's own header, and its version. */
		for (unsigned first = 0; first <= UINT8_MAX; first++) {
			make(4 + six, 900, &packet);
			sent[14] = (uint8_t)first;
			if (six ? first >> 4 == 6 : first == 0x45)
				packet_passes(&packet);
			else if (!six && first >> 4 == 4 && (first & 15) > 5)
				continue; /* options: what TCP says there is any byte's
					   */
			else
				packet_fails(&packet);
		}
	}
	/* What is no IP at all. */
	make(4, 900, &packet);
	sent[12] = 0x88;
	packet_fails(&packet);
	down();
	tally("T-NET-1", done, "packets to be cut");
}

static void t_net_1_blank_sums(void **state)
{
	struct netfront_packet packet;

	(void)state;
	up(&conf);
	/* Each protocol; TCP and UDP alone have such a sum. */
	for (unsigned six = 0; six <= 1; six++) {
		for (unsigned protocol = 0; protocol <= UINT8_MAX; protocol++) {
			make(six, 100, &packet);
			sent[six ? 20 : 23] = (uint8_t)protocol;
			if (protocol == 6 || protocol == 17)
				packet_passes(&packet);
			else if (six && (protocol == 0 || protocol == 43 ||
					 protocol == 44 || protocol == 60))
				continue; /* a header whose next is any byte's */
			else
				packet_fails(&packet);
		}
	}
	/* Fragments, of the first on. */
	for (unsigned fragment = 1; fragment <= UINT16_MAX; fragment += 1021) {
		make(2, 100, &packet);
		sent[20] = (uint8_t)(fragment >> 8);
		sent[21] = (uint8_t)fragment;
		if (fragment & 0x3fff)
			packet_fails(&packet);
		else
			packet_passes(&packet);
	}
	/* Cut short anywhere: never beyond its end. */
	for (unsigned kind = 0; kind < 4; kind++) {
		uint32_t l4 = kind & 1 ? 54 : 34;

		for (uint32_t size = NET_HEADER; size < l4 + 20; size++) {
			make(kind, 100, &packet);
			packet.size = size;
			packet_fails(&packet);
		}
	}
	down();
	tally("T-NET-1", done, "blank sums");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(t_net_1_gso),
		TEST(t_net_1_blank_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
