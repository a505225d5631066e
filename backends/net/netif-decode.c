/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "backends/net/netif.h"
#include "common/bytes.h"

/* struct netif_tx_request: gref, offset, flags, id, size. */
#define TX_OFFSET 4
#define TX_FLAGS  6
#define TX_ID	  8
#define TX_SIZE	  10

/* struct netif_extra_info: type, flags, then what the type says. */
#define EXTRA_FLAGS    1
#define EXTRA_MAC      2
#define EXTRA_GSO_SIZE 2
#define EXTRA_GSO_TYPE 4
#define EXTRA_HASH     2 /* type, algorithm, value */

static bool in_page(const struct netif_piece *piece)
{
	return piece->offset <= XEN_PAGE_BYTES &&
	       piece->size <= XEN_PAGE_BYTES - piece->offset;
}

static void add_piece(struct netif_packet *packet, const struct netif_piece *piece)
{
	if (piece->size)
		packet->piece[packet->pieces++] = *piece;
}

/* -- Extras ------------------------------------------------------------------ */

static bool read_gso(struct netif_packet *packet, const uint8_t *entry)
{
	uint8_t type = entry[EXTRA_GSO_TYPE];

	if (type != NETIF_GSO_TCPV4 && type != NETIF_GSO_TCPV6)
		return false;
	packet->gso = type;
	packet->gso_size = bytes_get16(entry + EXTRA_GSO_SIZE);
	return packet->gso_size > 0;
}

/* One order a packet, of a group's address. */
static bool read_order(struct netif_packet *packet, enum netif_extra order,
		       const uint8_t *entry)
{
	if (packet->order)
		return false;
	packet->order = order;
	memcpy(packet->mac, entry + EXTRA_MAC, NET_MAC);
	return packet->mac[0] & 1;
}

/* False: there is no such extra, or it cannot be there. */
static bool read_extra(struct netif_reader *reader, const uint8_t *entry)
{
	uint8_t type = entry[0];

	if (type < NETIF_EXTRA_GSO || type > NETIF_EXTRA_HASH)
		return false;
	if (reader->had & 1u << type)
		return false;
	reader->had |= 1u << type;
	switch ((enum netif_extra)type) {
	case NETIF_EXTRA_GSO:
		return read_gso(&reader->packet, entry);
	case NETIF_EXTRA_MCAST_ADD:
	case NETIF_EXTRA_MCAST_DEL:
		return read_order(&reader->packet, type, entry);
	case NETIF_EXTRA_HASH:
		return true; /* the client's own idea of it, which nobody needs */
	}
	return false;
}

/* -- Requests ---------------------------------------------------------------- */

/* Its size is known at the end. */
static void begin(struct netif_reader *reader, const struct netif_piece *piece,
		  uint16_t flags)
{
	*reader = (struct netif_reader){
		.packet =
			{
				.size = piece->size,
				.csum_blank = flags & NETIF_TX_CSUM_BLANK,
			},
		.within = true,
		.extra_next = flags & NETIF_TX_EXTRA_INFO,
		.requests = 1,
		.first = *piece,
	};
}

/* False: it cannot be a part of this packet. The first is the packet's own place, and
 * stands before what comes behind it. */
static bool add(struct netif_reader *reader, const struct netif_piece *piece)
{
	if (!in_page(piece) || ++reader->requests > NETIF_SLOTS_MAX)
		return false;
	if (!reader->packet.pieces)
		reader->packet.pieces = 1;
	add_piece(&reader->packet, piece);
	reader->others += piece->size;
	return reader->others <= reader->packet.size;
}

static bool read_request(struct netif_reader *reader, const uint8_t *entry)
{
	const struct netif_piece piece = {
		.ref = {bytes_get32(entry)},
		.offset = bytes_get16(entry + TX_OFFSET),
		.size = bytes_get16(entry + TX_SIZE),
	};
	uint16_t flags = bytes_get16(entry + TX_FLAGS);
	bool sound = true;

	if (!reader->within)
		begin(reader, &piece, flags);
	else if (!reader->bad) /* invariant 4 */
		sound = add(reader, &piece) && !(flags & NETIF_TX_EXTRA_INFO);
	reader->data_next = flags & NETIF_TX_MORE_DATA;
	return sound;
}

/* -- The packet -------------------------------------------------------------- */

/* The first one's piece is known, and takes its place. */
static bool place_first(struct netif_reader *reader)
{
	struct netif_packet *packet = &reader->packet;

	reader->first.size = (uint16_t)(packet->size - reader->others);
	if (!in_page(&reader->first))
		return false;
	if (!packet->pieces)
		packet->pieces = 1;
	packet->piece[0] = reader->first;
	if (reader->first.size)
		return true;
	packet->pieces--;
	memmove(packet->piece, packet->piece + 1,
		packet->pieces * sizeof(packet->piece[0]));
	return true;
}

static enum netif_verdict end(struct netif_reader *reader)
{
	const struct netif_packet *packet = &reader->packet;

	reader->within = false;
	if (reader->bad)
		return NETIF_BAD;
	if (packet->order)
		return reader->requests == 1 ? NETIF_ORDER : NETIF_BAD;
	if (packet->size < NET_HEADER || !place_first(reader))
		return NETIF_BAD;
	return NETIF_WHOLE;
}

enum netif_verdict netif_read(struct netif_reader *reader, const uint8_t *entry)
{
	struct netif_packet *packet = &reader->packet;
	bool extra = reader->within && reader->extra_next, sound;

	/* Of a bad one all before this entry were answered. */
	if (reader->within && reader->bad)
		packet->entries = 0;
	if (extra) {
		sound = read_extra(reader, entry);
		reader->extra_next = entry[EXTRA_FLAGS] & NETIF_EXTRA_MORE;
	} else {
		sound = read_request(reader, entry);
	}
	if (!sound)
		reader->bad = true;
	assert(packet->entries < NETIF_ENTRIES_MAX);
	packet->entry[packet->entries++] = (struct netif_entry){
		.id = extra ? 0 : bytes_get16(entry + TX_ID),
		.extra = extra,
	};
	if (!reader->extra_next && !reader->data_next)
		return end(reader);
	return reader->bad ? NETIF_BAD : NETIF_MORE;
}

/* -- Answers ----------------------------------------------------------------- */

uint16_t netif_tx_id(const uint8_t *entry)
{
	return bytes_get16(entry + TX_ID);
}

void netif_encode_tx(uint16_t id, enum netif_rsp status, uint8_t *out)
{
	bytes_put16(out, id);
	bytes_put16(out + 2, (uint16_t)status);
}

void netif_encode_null(uint8_t *out)
{
	netif_encode_tx(0, NETIF_NULL, out);
}

void netif_decode_rx(const uint8_t *entry, uint16_t *id, struct gref *ref)
{
	*id = bytes_get16(entry);
	ref->v = bytes_get32(entry + 4);
}

void netif_encode_rx(uint16_t id, uint16_t offset, uint16_t flags, int16_t status,
		     uint8_t *out)
{
	bytes_put16(out, id);
	bytes_put16(out + 2, offset);
	bytes_put16(out + 4, flags);
	bytes_put16(out + 6, (uint16_t)status);
}

void netif_encode_hash(uint8_t type, uint8_t algorithm, uint32_t value, uint8_t *out)
{
	out[0] = NETIF_EXTRA_HASH;
	out[EXTRA_FLAGS] = 0;
	out[EXTRA_HASH] = type;
	out[EXTRA_HASH + 1] = algorithm;
	/* Its first byte is the least: that of a number on Arm and x86. */
	bytes_put32(out + EXTRA_HASH + 2, value);
}

void netif_encode_gso(enum netif_gso gso, uint16_t gso_size, bool more, uint8_t *out)
{
	memset(out, 0, NETIF_RX_ENTRY);
	out[0] = NETIF_EXTRA_GSO;
	out[EXTRA_FLAGS] = more ? NETIF_EXTRA_MORE : 0;
	bytes_put16(out + EXTRA_GSO_SIZE, gso_size);
	out[EXTRA_GSO_TYPE] = (uint8_t)gso;
}
