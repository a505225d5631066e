/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "backends/net/netif-control.h"
#include "common/bytes.h"

#define ALL_TYPES ((1u << NETIF_HASH_TYPES) - 1)

/* -- The wire ---------------------------------------------------------------- */

void netif_control_decode(const uint8_t *entry, struct netif_control *out)
{
	out->id = bytes_get16(entry);
	out->type = bytes_get16(entry + 2);
	for (unsigned i = 0; i < 3; i++)
		out->data[i] = bytes_get32(entry + 4 + 4 * (size_t)i);
}

void netif_control_encode(const struct netif_control *request,
			  enum netif_control_status status, uint32_t data, uint8_t *out)
{
	bytes_put16(out, request->id);
	bytes_put16(out + 2, request->type);
	bytes_put32(out + 4, status);
	bytes_put32(out + 8, data);
}

void netif_gref_decode(const uint8_t *bytes, struct netif_gref *out)
{
	out->ref.v = bytes_get32(bytes);
	out->flags = bytes_get16(bytes + 4);
	out->status = bytes_get16(bytes + 6);
}

void netif_gref_encode(const struct netif_gref *gref, uint8_t *out)
{
	bytes_put32(out, gref->ref.v);
	bytes_put16(out + 4, gref->flags);
	bytes_put16(out + 6, gref->status);
}

/* -- Requests ---------------------------------------------------------------- */

void netif_hash_init(struct netif_hash *hash, unsigned queues)
{
	*hash = (struct netif_hash){.queues = queues};
}

bool netif_hash_is_asked(const struct netif_control *request)
{
	return request->type >= NETIF_GET_HASH_FLAGS &&
	       request->type <= NETIF_SET_HASH_ALGORITHM;
}

static enum netif_control_status set_algorithm(struct netif_hash *hash,
					       uint32_t algorithm)
{
	if (algorithm != NETIF_HASH_NONE && algorithm != NETIF_HASH_TOEPLITZ)
		return NETIF_CONTROL_INVALID;
	hash->algorithm = algorithm;
	return NETIF_CONTROL_SUCCESS;
}

static enum netif_control_status set_flags(struct netif_hash *hash, uint32_t flags)
{
	if (hash->algorithm == NETIF_HASH_NONE)
		return NETIF_CONTROL_NOT_SUPPORTED;
	if (flags & ~ALL_TYPES)
		return NETIF_CONTROL_INVALID;
	hash->flags = flags;
	return NETIF_CONTROL_SUCCESS;
}

static enum netif_control_status get_flags(const struct netif_hash *hash,
					   uint32_t *data)
{
	if (hash->algorithm == NETIF_HASH_NONE)
		return NETIF_CONTROL_NOT_SUPPORTED;
	*data = ALL_TYPES;
	return NETIF_CONTROL_SUCCESS;
}

static enum netif_control_status set_size(struct netif_hash *hash, uint32_t size)
{
	if (size > NETIF_MAPPING_MAX)
		return NETIF_CONTROL_INVALID;
	hash->size = size;
	memset(hash->mapping, 0, sizeof(hash->mapping));
	return NETIF_CONTROL_SUCCESS;
}

/* An empty one needs no page, and clears the key. */
static enum netif_control_status ask_key(struct netif_hash *hash, uint32_t size,
					 uint32_t *needs)
{
	if (size > NETIF_KEY_MAX)
		return NETIF_CONTROL_OVERFLOW;
	if (!size)
		memset(hash->key, 0, sizeof(hash->key));
	*needs = size;
	return NETIF_CONTROL_SUCCESS;
}

/* Invariant 2. */
static enum netif_control_status ask_mapping(const struct netif_hash *hash,
					     uint32_t entries, uint32_t offset,
					     uint32_t *needs)
{
	if (entries > NETIF_MAPPING_MAX)
		return NETIF_CONTROL_OVERFLOW;
	if (offset > hash->size || entries > hash->size - offset)
		return NETIF_CONTROL_INVALID;
	*needs = entries * (uint32_t)sizeof(hash->mapping[0]);
	return NETIF_CONTROL_SUCCESS;
}

enum netif_control_status netif_hash_ask(struct netif_hash *hash,
					 const struct netif_control *request,
					 uint32_t *data, uint32_t *needs)
{
	*data = *needs = 0;
	switch ((enum netif_control_type)request->type) {
	case NETIF_GET_HASH_FLAGS:
		return get_flags(hash, data);
	case NETIF_SET_HASH_FLAGS:
		return set_flags(hash, request->data[0]);
	case NETIF_SET_HASH_KEY:
		return ask_key(hash, request->data[1], needs);
	case NETIF_GET_HASH_MAPPING_SIZE:
		*data = NETIF_MAPPING_MAX;
		return NETIF_CONTROL_SUCCESS;
	case NETIF_SET_HASH_MAPPING_SIZE:
		return set_size(hash, request->data[0]);
	case NETIF_SET_HASH_MAPPING:
		return ask_mapping(hash, request->data[1], request->data[2], needs);
	case NETIF_SET_HASH_ALGORITHM:
		return set_algorithm(hash, request->data[0]);
	case NETIF_GET_GREF_MAPPING_SIZE:
	case NETIF_ADD_GREF_MAPPING:
	case NETIF_DEL_GREF_MAPPING:
		break;
	}
	return NETIF_CONTROL_NOT_SUPPORTED;
}

/* Invariants 1, 3: all of them, or none. */
static enum netif_control_status take_mapping(struct netif_hash *hash, uint32_t entries,
					      uint32_t offset, const uint8_t *bytes)
{
	for (uint32_t i = 0; i < entries; i++) {
		if (bytes_get32(bytes + 4 * (size_t)i) >= hash->queues)
			return NETIF_CONTROL_INVALID;
	}
	for (uint32_t i = 0; i < entries; i++)
		hash->mapping[offset + i] = bytes_get32(bytes + 4 * (size_t)i);
	return NETIF_CONTROL_SUCCESS;
}

enum netif_control_status netif_hash_take(struct netif_hash *hash,
					  const struct netif_control *request,
					  const uint8_t *bytes)
{
	uint32_t data, needs;
	enum netif_control_status status = netif_hash_ask(hash, request, &data, &needs);

	if (status != NETIF_CONTROL_SUCCESS || !needs)
		return status;
	if (request->type == NETIF_SET_HASH_MAPPING)
		return take_mapping(hash, request->data[1], request->data[2], bytes);
	memset(hash->key, 0, sizeof(hash->key));
	memcpy(hash->key, bytes, needs);
	return NETIF_CONTROL_SUCCESS;
}

/* -- Hashes ------------------------------------------------------------------ */

uint32_t netif_toeplitz(const uint8_t *key, const uint8_t *bytes, uint32_t size)
{
	uint32_t window = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 |
			  (uint32_t)key[2] << 8 | key[3];
	uint32_t hash = 0;

	for (uint32_t i = 0; i < size; i++) {
		uint8_t next = i + 4 < NETIF_KEY_MAX ? key[i + 4] : 0;

		for (int bit = 7; bit >= 0; bit--) {
			if (bytes[i] >> bit & 1)
				hash ^= window;
			window = window << 1 | (next >> bit & 1u);
		}
	}
	return hash;
}

/* The most that the flags ask for, of what the frame has. */
static bool type_of(const struct netif_hash *hash, const struct net_frame *frame,
		    enum netif_hash_type *out)
{
	bool tcp = frame->l4 && frame->l4_protocol == IPPROTO_TCP;

	if (frame->protocol == NET_IPV4)
		*out = NETIF_HASH_IPV4;
	else if (frame->protocol == NET_IPV6)
		*out = NETIF_HASH_IPV6;
	else
		return false;
	if (tcp && hash->flags >> (*out + 1) & 1) {
		(*out)++;
		return true;
	}
	return hash->flags >> *out & 1;
}

bool netif_hash_frame(const struct netif_hash *hash, const struct net_frame *frame,
		      enum netif_hash_type *type, uint32_t *value)
{
	uint8_t bytes[36];
	bool six;
	uint32_t size;

	if (hash->algorithm == NETIF_HASH_NONE || !type_of(hash, frame, type))
		return false;
	/* Both addresses stand side by side, and both ports. */
	six = frame->protocol == NET_IPV6;
	size = six ? 32 : 8;
	memcpy(bytes, frame->bytes + frame->l3 + (six ? 8 : 12), size);
	if (*type == NETIF_HASH_IPV4_TCP || *type == NETIF_HASH_IPV6_TCP) {
		memcpy(bytes + size, frame->bytes + frame->l4, 4);
		size += 4;
	}
	*value = netif_toeplitz(hash->key, bytes, size);
	return true;
}

unsigned netif_hash_queue(const struct netif_hash *hash, uint32_t value)
{
	unsigned queue =
		hash->size ? hash->mapping[value % hash->size] : value % hash->queues;

	assert(queue < hash->queues);
	return queue;
}
