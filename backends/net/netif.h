/* SPDX-License-Identifier: MIT */
/*
 * The wire of Xen's PV network protocol (xen/io/netif.h), decoded.
 *
 * Pure: entries that were copied off a ring go in, one by one; a packet, as pieces of
 * the client's pages, comes out. It knows no ring and no grant, and looks at no frame:
 * what the bytes of a packet say is net-frame.h's, and whether its offloads are allowed
 * is the core's.
 *
 * A packet of the transmit ring is a request, the extras that its EXTRA_INFO announces,
 * and further requests as long as MORE_DATA does. The first request's size is that of
 * the whole packet; what its own page holds of it is what the others leave.
 *
 * Invariants:
 *  1. what is NETIF_WHOLE is sound: each piece lies in its page, the pieces are as long
 *     as the packet says, none of them is empty, there are at most NETIF_SLOTS_MAX, and
 *     the packet is no shorter than an Ethernet header;
 *  2. each entry belongs to exactly one verdict that is not NETIF_MORE, and
 *     packet->entries of that verdict are the entries that it is of: so each is
 *     answered once, whatever the client writes;
 *  3. no more than NETIF_ENTRIES_MAX entries wait for their packet's end. Of a longer
 *     one each further entry is bad by itself, until its last (XSA-39, XSA-423);
 *  4. of a bad one nothing is kept but what its next entry is: however long it is,
 *     nothing is counted, and nothing comes round (T-NET-1).
 *
 * An empty piece is answered as any other, and left out (XSA-448).
 */
#ifndef XDD_NETIF_H
#define XDD_NETIF_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/net/net-frame.h"
#include "policy/ids.h"

#define NETIF_TX_ENTRY	  12 /* bytes of an entry of the transmit ring */
#define NETIF_RX_ENTRY	  8
#define NETIF_TX_RESPONSE 4
#define NETIF_SLOTS_MAX	  18 /* XEN_NETIF_NR_SLOTS_MIN: requests of a packet */
#define NETIF_EXTRAS_MAX  4  /* one of each type */
/* With the one that is too many. */
#define NETIF_ENTRIES_MAX (NETIF_SLOTS_MAX + NETIF_EXTRAS_MAX + 1)

/* NETTXF_*, of a request's flags. */
#define NETIF_TX_CSUM_BLANK	1
#define NETIF_TX_DATA_VALIDATED 2
#define NETIF_TX_MORE_DATA	4
#define NETIF_TX_EXTRA_INFO	8

/* NETRXF_*, of an answer's. */
#define NETIF_RX_DATA_VALIDATED 1
#define NETIF_RX_CSUM_BLANK	2
#define NETIF_RX_MORE_DATA	4
#define NETIF_RX_EXTRA_INFO	8

/* XEN_NETIF_EXTRA_*, and the flag that one more follows. */
enum netif_extra {
	NETIF_EXTRA_GSO = 1,
	NETIF_EXTRA_MCAST_ADD,
	NETIF_EXTRA_MCAST_DEL,
	NETIF_EXTRA_HASH,
};
#define NETIF_EXTRA_MORE 1

/* XEN_NETIF_GSO_TYPE_* */
enum netif_gso { NETIF_GSO_NONE, NETIF_GSO_TCPV4, NETIF_GSO_TCPV6 };

/* NETIF_RSP_*; of a receive answer, what is not negative is a length. */
enum netif_rsp {
	NETIF_DROPPED = -2,
	NETIF_ERROR = -1,
	NETIF_OKAY = 0,
	NETIF_NULL = 1, /* the entry of an extra */
};

enum netif_verdict {
	NETIF_MORE,  /* the packet goes on */
	NETIF_WHOLE, /* to be sent */
	NETIF_ORDER, /* no packet: packet->order and packet->mac */
	NETIF_BAD,   /* answer NETIF_ERROR */
};

/* A part of one page of the client's. */
struct netif_piece {
	struct gref ref;
	uint16_t offset, size; /* offset + size <= XEN_PAGE_BYTES, size > 0 */
};

/* Of one entry, what its answer needs. */
struct netif_entry {
	uint16_t id;
	bool extra; /* answered by netif_encode_null() */
};

struct netif_packet {
	struct netif_entry entry[NETIF_ENTRIES_MAX]; /* in ring order */
	unsigned entries;
	/* NETIF_WHOLE */
	struct netif_piece piece[NETIF_SLOTS_MAX];
	unsigned pieces;
	uint32_t size; /* bytes */
	bool csum_blank;
	enum netif_gso gso;
	uint16_t gso_size; /* bytes of payload a segment; 0 without */
	/* NETIF_ORDER: NETIF_EXTRA_MCAST_ADD or DEL of this group */
	enum netif_extra order;
	uint8_t mac[NET_MAC];
};

/* What it has of a packet; all zero before the first entry of a ring. */
struct netif_reader {
	struct netif_packet packet; /* of the last verdict */
	bool within;		    /* a packet has begun and not ended */
	bool extra_next, data_next; /* what its next entry is; extras come first */
	bool bad;	   /* its next entries are bad, too (invariants 3, 4) */
	unsigned requests; /* of them, empty ones too */
	uint32_t others;   /* bytes of those behind the first */
	uint32_t had;	   /* extras, a bit a type */
	struct netif_piece first;
};

/* One more @entry (NETIF_TX_ENTRY private bytes). Of a verdict that is not NETIF_MORE
 * reader->packet holds until the next call. */
enum netif_verdict netif_read(struct netif_reader *reader, const uint8_t *entry);

/* Of a request that is not looked at. */
uint16_t netif_tx_id(const uint8_t *entry);
/* The answer to one request, into NETIF_TX_RESPONSE bytes. */
void netif_encode_tx(uint16_t id, enum netif_rsp status, uint8_t *out);
/* And to an extra. */
void netif_encode_null(uint8_t *out);

/* A buffer that the client posted: NETIF_RX_ENTRY private bytes. */
void netif_decode_rx(const uint8_t *entry, uint16_t *id, struct gref *ref);
/* Its answer: @status is a length, or an enum netif_rsp. */
void netif_encode_rx(uint16_t id, uint16_t offset, uint16_t flags, int16_t status,
		     uint8_t *out);
/* In place of the second answer of a packet whose first has NETIF_RX_EXTRA_INFO;
 * @more: one more of these follows. */
void netif_encode_gso(enum netif_gso gso, uint16_t gso_size, bool more, uint8_t *out);
void netif_encode_hash(uint8_t type, uint8_t algorithm, uint32_t value, uint8_t *out);

#endif
