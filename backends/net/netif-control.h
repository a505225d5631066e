/* SPDX-License-Identifier: MIT */
/*
 * The control ring of Xen's PV network protocol (xen/io/netif.h), decoded, and the hash
 * that a client sets up by it: which of its queues a frame to it comes in.
 *
 * Pure: entries that were copied off a ring go in, and bytes that were copied out of
 * the client's page; answers and hashes come out. It knows no ring and no grant. Of
 * static grants it has the wire alone: what is mapped is net-pv-static.h's.
 *
 * Invariants:
 *  1. whatever is asked, in whatever order: algorithm is one there is, flags are types
 *     there are, size <= NETIF_MAPPING_MAX, and each entry of the mapping is below the
 *     client's number of queues. So a queue that comes out is one of the client's;
 *  2. a range of the mapping is checked without a sum that could wrap (XSA-270), before
 *     it is known how many bytes are fetched for it;
 *  3. what is refused changes nothing: the key and the mapping are as before.
 *
 * What the specification leaves open:
 *  - fields that it says are 0 are not looked at, as netback does not;
 *  - SET_HASH_ALGORITHM changes the algorithm alone: flags, key and mapping wait for
 * it;
 *  - a table of which more entries are set than there can be is BUFFER_OVERFLOW, one
 * that does not lie in the client's is INVALID_PARAMETER.
 */
#ifndef XDD_NETIF_CONTROL_H
#define XDD_NETIF_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/net/net-frame.h"
#include "policy/ids.h"

#define NETIF_CONTROL_ENTRY    16 /* bytes of an entry of the ring */
#define NETIF_CONTROL_RESPONSE 12
#define NETIF_KEY_MAX	       40 /* bytes */
#define NETIF_MAPPING_MAX      128
#define NETIF_GREF	       8   /* bytes of an entry of a list */
#define NETIF_GREFS_MAX	       512 /* of them, in a page */

/* XEN_NETIF_CTRL_TYPE_* */
enum netif_control_type {
	NETIF_GET_HASH_FLAGS = 1,
	NETIF_SET_HASH_FLAGS,
	NETIF_SET_HASH_KEY,
	NETIF_GET_HASH_MAPPING_SIZE,
	NETIF_SET_HASH_MAPPING_SIZE,
	NETIF_SET_HASH_MAPPING,
	NETIF_SET_HASH_ALGORITHM,
	NETIF_GET_GREF_MAPPING_SIZE,
	NETIF_ADD_GREF_MAPPING,
	NETIF_DEL_GREF_MAPPING,
};

/* XEN_NETIF_CTRL_STATUS_* */
enum netif_control_status {
	NETIF_CONTROL_SUCCESS,
	NETIF_CONTROL_NOT_SUPPORTED,
	NETIF_CONTROL_INVALID,
	NETIF_CONTROL_OVERFLOW,
};

/* XEN_NETIF_CTRL_HASH_ALGORITHM_* */
enum netif_algorithm { NETIF_HASH_NONE, NETIF_HASH_TOEPLITZ };

/* _XEN_NETIF_CTRL_HASH_TYPE_*; of flags the bits. */
enum netif_hash_type {
	NETIF_HASH_IPV4,
	NETIF_HASH_IPV4_TCP,
	NETIF_HASH_IPV6,
	NETIF_HASH_IPV6_TCP,
	NETIF_HASH_TYPES,
};

struct netif_control {
	uint16_t id, type; /* any */
	uint32_t data[3];
};

/* Of a list of references to keep mapped, or to let go of. */
struct netif_gref {
	struct gref ref;
	uint16_t flags, status;
};
#define NETIF_GREF_READONLY 1

struct netif_hash {
	unsigned queues; /* of the client */
	enum netif_algorithm algorithm;
	uint32_t flags;
	uint8_t key[NETIF_KEY_MAX];
	uint32_t size; /* of the mapping; 0: modular */
	uint32_t mapping[NETIF_MAPPING_MAX];
};

/* NETIF_CONTROL_ENTRY private bytes. */
void netif_control_decode(const uint8_t *entry, struct netif_control *out);
/* The answer to @request, into NETIF_CONTROL_RESPONSE bytes. */
void netif_control_encode(const struct netif_control *request,
			  enum netif_control_status status, uint32_t data,
			  uint8_t *out);
/* NETIF_GREF private bytes. */
void netif_gref_decode(const uint8_t *bytes, struct netif_gref *out);
void netif_gref_encode(const struct netif_gref *gref, uint8_t *out);

/* No hash: the client's queues are filled as the back end likes. */
void netif_hash_init(struct netif_hash *hash, unsigned queues);
/* It is one of those that are about the hash. */
bool netif_hash_is_asked(const struct netif_control *request);
/* One of those. *@data is the answer's. NETIF_CONTROL_SUCCESS and *@needs not 0: it is
 * done when so many bytes of the page that request->data[0] names have been read, by
 * netif_hash_take(). */
enum netif_control_status netif_hash_ask(struct netif_hash *hash,
					 const struct netif_control *request,
					 uint32_t *data, uint32_t *needs);
/* The same @request, whose bytes are there. */
enum netif_control_status netif_hash_take(struct netif_hash *hash,
					  const struct netif_control *request,
					  const uint8_t *bytes);
/* True: frames are hashed, and this one has such a hash. */
bool netif_hash_frame(const struct netif_hash *hash, const struct net_frame *frame,
		      enum netif_hash_type *type, uint32_t *value);
/* The queue that a frame with this hash comes in. */
unsigned netif_hash_queue(const struct netif_hash *hash, uint32_t value);

/* The Toeplitz hash of @size bytes by a key of NETIF_KEY_MAX bytes, behind which there
 * are zeros. */
uint32_t netif_toeplitz(const uint8_t *key, const uint8_t *bytes, uint32_t size);

#endif
