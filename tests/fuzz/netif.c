/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: entries of a transmit ring of netif, of any bytes.
 *
 * Whatever comes in, netif.h's invariants hold: each entry is of one verdict, what is
 * whole is sound, and the pieces come in the order of their entries.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/net/netif.h"
#include "common/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Invariant 1. */
static void check_whole(const struct netif_packet *packet)
{
	uint32_t bytes = 0;

	must(packet->pieces >= 1 && packet->pieces <= NETIF_SLOTS_MAX);
	for (unsigned i = 0; i < packet->pieces; i++) {
		const struct netif_piece *piece = &packet->piece[i];

		must(piece->size > 0);
		must((uint32_t)piece->offset + piece->size <= XEN_PAGE_BYTES);
		bytes += piece->size;
	}
	must(bytes == packet->size && bytes >= NET_HEADER);
	must((packet->gso == NETIF_GSO_NONE) == (packet->gso_size == 0));
	must(!packet->order);
}

/* Invariant 2: @due entries before @end were not answered. */
static void check_entries(const struct netif_packet *packet, const uint8_t *end,
			  unsigned due)
{
	must(packet->entries == due && due <= NETIF_ENTRIES_MAX);
	for (unsigned i = 0; i < due; i++) {
		const uint8_t *entry = end - (due - i) * NETIF_TX_ENTRY;

		if (!packet->entry[i].extra)
			must(packet->entry[i].id == bytes_get16(entry + 8));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netif_reader reader = {0};
	unsigned due = 0;

	for (; size >= NETIF_TX_ENTRY; size -= NETIF_TX_ENTRY) {
		enum netif_verdict verdict = netif_read(&reader, data);

		data += NETIF_TX_ENTRY;
		due++;
		if (verdict == NETIF_MORE) {
			must(due < NETIF_ENTRIES_MAX); /* invariant 3 */
			continue;
		}
		check_entries(&reader.packet, data, due);
		due = 0;
		if (verdict == NETIF_WHOLE)
			check_whole(&reader.packet);
		if (verdict == NETIF_ORDER)
			must(reader.packet.mac[0] & 1);
	}
	return 0;
}
