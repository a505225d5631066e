/* SPDX-License-Identifier: MIT */
/* T-NET-1 on the PV door: where a packet is cut, and chains of extras. */
#include "tests/hostile/net.h"

#define LONGEST 200 /* entries of one that is bad */

/* -- Raw entries
 * ------------------------------------------------------------------------ */

static bool kinds[LONGEST]; /* is an extra */
static unsigned nraw;

static void raw_request(uint16_t flags, uint16_t offset, uint16_t size)
{
	struct gref ref;
	struct netfront_tx_req req = {
		.flags = flags,
		.offset = offset,
		.size = size,
		.id = (uint16_t)(0x4000 + nraw),
	};

	assert_true(nraw < LONGEST);
	memset(netfront_page(&bed.front, queue(), &ref), 0x42, PAGE);
	req.gref = ref.v;
	kinds[nraw++] = false;
	netfront_raw(queue(), &req, false, true);
}

static void raw_extra(uint8_t type, uint8_t flags, uint16_t gso_size, uint8_t gso_type)
{
	struct netfront_extra extra = {
		.type = type, .flags = flags, .u.gso = {gso_size, gso_type, 0, 0}};

	assert_true(nraw < LONGEST);
	kinds[nraw++] = true;
	netfront_raw(queue(), &extra, true, true);
}

/* All that was raw is answered as what is none. */
static void raw_fails(void)
{
	behind();
	for (unsigned i = 0; i < nraw; i++) {
		int status = 1;

		assert_true(netfront_done(&bed.front, 0, &status));
		if (!kinds[i])
			assert_int_equal(status, RSP_ERROR);
	}
	end();
	nraw = 0;
}

/* -- Where a packet is cut
 * ---------------------------------------------------------------- */

static void t_net_1_header_split_at_each_byte(void **state)
{
	(void)state;
	up(&conf);
	for (unsigned kind = 0; kind < 8; kind++) {
		for (uint32_t at = 0; at <= 128; at++) {
			uint32_t piece[3] = {at};
			struct netfront_packet packet;
			uint32_t size = make(kind, 900, &packet);

			piece[1] = size - at;
			packet.piece = piece;
			packet.pieces = 2;
			packet_passes(&packet);
			/* And once more, so many bytes later. */
			piece[1] = at % 23;
			piece[2] = size - piece[0] - piece[1];
			packet.pieces = 3;
			packet_passes(&packet);
		}
	}
	down();
	tally("T-NET-1", done, "headers cut in two and three");
}

static void t_net_1_empty_pieces(void **state)
{
	(void)state;
	up(&conf);
	for (unsigned n = 2; n <= NETIF_SLOTS_MAX; n++) {
		for (unsigned empty = 0; empty < n; empty++) {
			uint32_t piece[NETIF_SLOTS_MAX], left;
			struct netfront_packet packet;
			unsigned last = empty == n - 1 ? n - 2 : n - 1;

			left = make(n % 8, 600, &packet);
			for (unsigned i = 0; i < n; i++) {
				piece[i] = i == empty ? 0 : i == last ? left : 20;
				left -= piece[i];
			}
			packet.piece = piece;
			packet.pieces = n;
			packet_passes(&packet);
			/* All are, but one. */
			memset(piece, 0, sizeof(piece));
			piece[empty] = packet.size;
			packet_passes(&packet);
			/* All are. */
			piece[empty] = 0;
			packet.size = 0;
			packet_fails(&packet);
		}
	}
	down();
	tally("T-NET-1", done, "packets with empty pieces");
}

static void t_net_1_slots(void **state)
{
	(void)state;
	up(&conf);
	for (unsigned n = 1; n <= 100; n++) {
		before();
		raw_request(n > 1 ? NETTXF_MORE : 0, 0, (uint16_t)n);
		for (unsigned i = 1; i < n; i++)
			raw_request(i + 1 < n ? NETTXF_MORE : 0, (uint16_t)i, 1);
		if (n >= NET_HEADER && n <= NETIF_SLOTS_MAX) {
			/* 0x42...: a frame of somebody else's. */
			behind();
			for (unsigned i = 0; i < n; i++)
				assert_done(0, RSP_DROPPED);
			end();
			nraw = 0;
			continue;
		}
		raw_fails();
	}
	down();
	tally("T-NET-1", done, "numbers of slots of one byte");
}

/* Eighteen slots of one byte each, and a frame of eighteen bytes that is right. */
static void t_net_1_slots_of_one_byte_pass(void **state)
{
	uint32_t piece[NETIF_SLOTS_MAX];
	struct netfront_packet packet = {
		.bytes = sent, .size = NETIF_SLOTS_MAX, .piece = piece};

	(void)state;
	up(&conf);
	for (unsigned i = 0; i < NETIF_SLOTS_MAX; i++)
		piece[i] = 1;
	packet.pieces = NETIF_SLOTS_MAX;
	net_frames_plain(sent, packet.size, 1);
	packet_passes(&packet);
	down();
	tally("T-NET-1", done, "packets of 18 slots of one byte");
}

/* What the pieces sum up to is not what the first says, or no packet can have. */
static void t_net_1_totals(void **state)
{
	static const uint16_t firsts[] = {0,	1,     13,    14,   4096,
					  4097, 32767, 32768, 65535};
	static const uint16_t others[] = {0,	1,    13,    14,    4095, 4096,
					  4097, 8192, 32767, 32768, 65535};

	(void)state;
	up(&conf);
	for (unsigned f = 0; f < COUNT(firsts); f++) {
		for (unsigned o = 0; o < COUNT(others); o++) {
			for (unsigned n = 2; n <= NETIF_SLOTS_MAX; n++) {
				uint32_t sum = (n - 1u) * others[o];
				bool sound = firsts[f] >= NET_HEADER &&
					     others[o] <= PAGE && sum <= firsts[f] &&
					     firsts[f] - sum <= PAGE;

				if (sound)
					continue;
				before();
				raw_request(NETTXF_MORE, 0, firsts[f]);
				for (unsigned i = 1; i < n; i++)
					raw_request(i + 1 < n ? NETTXF_MORE : 0, 0,
						    others[o]);
				raw_fails();
			}
		}
	}
	down();
	tally("T-NET-1", done, "sizes that do not fit together");
}

static void t_net_1_over_the_page(void **state)
{
	(void)state;
	up(&conf);
	for (uint32_t offset = 0; offset <= UINT16_MAX;
	     offset += offset < 4200 ? 7 : 911) {
		uint16_t room = (uint16_t)(offset < PAGE ? PAGE - offset : 0);

		before();
		raw_request(0, (uint16_t)offset,
			    (uint16_t)(room + 1 < 14 ? 14 : room + 1));
		raw_fails();
		before();
		raw_request(NETTXF_MORE, 0, 4096);
		raw_request(0, (uint16_t)offset, room + 1);
		raw_fails();
	}
	down();
	tally("T-NET-1", done, "pieces over the end of a page");
}

/* -- Extras
 * ------------------------------------------------------------------------------ */

/* Each type, known or not, once and again, with more behind it and without. */
static void t_net_1_extras(void **state)
{
	(void)state;
	up(&conf);
	for (unsigned type = 0; type <= UINT8_MAX; type++) {
		bool gso = type == 1, known = gso || type == 4;

		if (!known && type != 2 && type != 3) {
			before();
			raw_request(NETTXF_EXTRA, 0, 100);
			raw_extra((uint8_t)type, 0, 0, 0);
			raw_fails();
		}
		/* Twice the same. */
		before();
		raw_request(NETTXF_EXTRA, 0, 100);
		raw_extra((uint8_t)type, 1, 100, 1);
		raw_extra((uint8_t)type, 0, 100, 1);
		raw_fails();
		/* Behind one that is right, and with pieces behind. */
		before();
		raw_request(NETTXF_EXTRA | NETTXF_MORE, 0, 100);
		raw_extra(4, 1, 0, 0);
		raw_extra((uint8_t)type, 1, 0, 0);
		raw_extra((uint8_t)(type + 7), 0, 0, 0);
		raw_request(NETTXF_MORE, 0, 10);
		raw_request(0, 0, 10);
		raw_fails();
	}
	down();
	tally("T-NET-1", done, "chains of extras of each type");
}

/* A chain that goes on and on, of one type or of all: each of it is answered. */
static void t_net_1_extras_without_end(void **state)
{
	(void)state;
	up(&conf);
	for (unsigned n = 5; n < LONGEST; n += 13) {
		for (unsigned type = 0; type <= 6; type++) {
			before();
			raw_request(NETTXF_EXTRA, 0, 100);
			for (unsigned i = 0; i < n - 1; i++) {
				uint8_t of = (uint8_t)(type == 6 ? i % 6 : type);

				raw_extra(of, i + 2 < n, 1, 1);
			}
			raw_fails();
		}
	}
	/* Its end does not come: what is there is answered, and it costs no turn. */
	raw_request(NETTXF_EXTRA, 0, 100);
	for (unsigned i = 0; i < 150; i++)
		raw_extra(1, 1, 1, 1);
	push_run();
	for (unsigned i = 0; i < nraw; i++)
		assert_true(netfront_done(&bed.front, 0, &(int){0}));
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 200; i++) {
			struct netfront_extra extra = {.type = 1, .flags = 1};

			netfront_raw(queue(), &extra, true, true);
		}
		push_run();
		for (unsigned i = 0; i < 200; i++)
			assert_true(netfront_done(&bed.front, 0, &(int){0}));
	}
	nraw = 0;
	raw_extra(1, 0, 1, 1);
	push_run();
	assert_true(netfront_done(&bed.front, 0, &(int){0}));
	nraw = 0;
	serves();
	down();
	tally("T-NET-1", done, "chains of extras that are too long");
}

/* Orders: with a piece behind, twice, of no group; and flags that no first has. */
static void t_net_1_orders(void **state)
{
	static const uint8_t macs[][6] = {{0}, {2, 0, 0, 0, 0, 1}, {0xfe, 1}};

	(void)state;
	up(&(struct net_bed_conf){.data_pages = 256, .front.groups = true});
	for (unsigned i = 0; i < COUNT(macs); i++) {
		for (uint8_t type = 2; type <= 3; type++) {
			struct netfront_extra extra = {.type = type};

			memcpy(extra.u.mac, macs[i], 6);
			before();
			raw_request(NETTXF_EXTRA, 0, 100);
			kinds[nraw++] = true;
			netfront_raw(queue(), &extra, true, true);
			raw_fails();
		}
	}
	for (uint8_t type = 2; type <= 3; type++) {
		before();
		raw_request(NETTXF_EXTRA | NETTXF_MORE, 0, 100);
		raw_extra(type, 0, 0x0101, 1);
		raw_request(0, 0, 50);
		raw_fails();
		before();
		raw_request(NETTXF_EXTRA, 0, 100);
		raw_extra(2, 1, 0x0101, 1);
		raw_extra(type, 0, 0x0101, 1);
		raw_fails();
	}
	assert_int_equal(bed.net.groups, 0);
	/* An extra that is announced by a later piece. */
	before();
	raw_request(NETTXF_MORE, 0, 100);
	raw_request(NETTXF_EXTRA, 0, 50);
	raw_request(0, 0, 0);
	behind();
	for (unsigned i = 0; i < 3; i++)
		assert_true(netfront_done(&bed.front, 0, &(int){0}));
	end();
	nraw = 0;
	down();
	tally("T-NET-1", done, "orders that cannot be");
}

/* More is said to come, and does not: it is waited for without a turn, and what comes
 * then is taken for it. */
static void t_net_1_more_without_next(void **state)
{
	uint64_t reads;

	(void)state;
	up(&conf);
	for (uint16_t flags = NETTXF_MORE; flags <= 12; flags += 4) {
		put(0, 70, 1);
		raw_request(flags, 0, 100);
		push_run();
		assert_left(70, 1);
		assert_done(0, RSP_OKAY);
		assert_not_done(0);
		reads = shared_hook_reads;
		run();
		assert_true(shared_hook_reads < reads + 3);
		/* Which is sound for neither. */
		if (flags & NETTXF_EXTRA)
			raw_extra(9, 0, 0, 0);
		if (flags & NETTXF_MORE)
			raw_request(0, 0, 5000);
		put(0, 70, 2);
		push_run();
		for (unsigned i = 0; i < nraw; i++) {
			int status;

			assert_true(netfront_done(&bed.front, 0, &status));
			assert_true(kinds[i] || status == RSP_ERROR);
		}
		nraw = 0;
		assert_left(70, 2);
		assert_done(0, RSP_OKAY);
		done++;
	}
	/* Nor does it hold up an end. */
	raw_request(NETTXF_MORE, 0, 100);
	push_run();
	nraw = 0;
	down();
	tally("T-NET-1", done, "packets whose end does not come");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(t_net_1_header_split_at_each_byte),
		TEST(t_net_1_empty_pieces),
		TEST(t_net_1_slots),
		TEST(t_net_1_slots_of_one_byte_pass),
		TEST(t_net_1_totals),
		TEST(t_net_1_over_the_page),
		TEST(t_net_1_extras),
		TEST(t_net_1_extras_without_end),
		TEST(t_net_1_orders),
		TEST(t_net_1_more_without_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
