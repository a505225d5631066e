/* SPDX-License-Identifier: MIT */
/*
 * virtio-gpu on the wire (virtio 1.3, 5.7, "GPU Device"): its numbers, what commands
 * say, and what answers look like. Pure; all of it is little-endian.
 *
 * Not what a command does (displ-virtio-command.c). 2D alone: of what belongs to blobs,
 * contexts, capability sets and 3D there is no number here, and so no such command.
 *
 * Invariants:
 *  1. a command is decoded from private bytes, first its header, then what is behind
 * it: whoever copies the one and then the other reads each shared byte once;
 *  2. an answer's header echoes the fence, its flag and the context of the command,
 * whatever the answer.
 *
 * A unit test holds layout and numbers against Linux's own header.
 */
#ifndef XDD_DISPL_VIRTIO_WIRE_H
#define XDD_DISPL_VIRTIO_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/displ/displ.h"
#include "backends/door/virtio.h"

#define DISPL_VIRTIO_F_EDID VIRTIO_BIT(1)

/* Its configuration: le32 each. */
#define DISPL_VIRTIO_CONFIG_EVENTS   0 /* that are pending */
#define DISPL_VIRTIO_CONFIG_CLEAR    4 /* the driver writes which of them are not */
#define DISPL_VIRTIO_CONFIG_SCANOUTS 8
#define DISPL_VIRTIO_CONFIG_CAPSETS  12
#define DISPL_VIRTIO_CONFIG_BYTES    16

#define DISPL_VIRTIO_EVENT_DISPLAY 1u /* GET_DISPLAY_INFO has another answer */

enum displ_virtio_type {
	DISPL_VIRTIO_GET_DISPLAY_INFO = 0x0100,
	DISPL_VIRTIO_RESOURCE_CREATE_2D,
	DISPL_VIRTIO_RESOURCE_UNREF,
	DISPL_VIRTIO_SET_SCANOUT,
	DISPL_VIRTIO_RESOURCE_FLUSH,
	DISPL_VIRTIO_TRANSFER_TO_HOST_2D,
	DISPL_VIRTIO_ATTACH_BACKING,
	DISPL_VIRTIO_DETACH_BACKING,
	DISPL_VIRTIO_GET_EDID = 0x010a,
	DISPL_VIRTIO_UPDATE_CURSOR = 0x0300,
	DISPL_VIRTIO_MOVE_CURSOR,
};

enum displ_virtio_answer {
	DISPL_VIRTIO_OK = 0x1100,
	DISPL_VIRTIO_OK_DISPLAY_INFO = 0x1101,
	DISPL_VIRTIO_OK_EDID = 0x1104,
	DISPL_VIRTIO_UNSPEC = 0x1200,
	DISPL_VIRTIO_OUT_OF_MEMORY,
	DISPL_VIRTIO_BAD_SCANOUT,
	DISPL_VIRTIO_BAD_RESOURCE,
	DISPL_VIRTIO_BAD_CONTEXT,
	DISPL_VIRTIO_BAD_PARAMETER,
};

#define DISPL_VIRTIO_FLAG_FENCE 1u

#define DISPL_VIRTIO_HEADER	 24 /* bytes, of a command and of an answer */
#define DISPL_VIRTIO_COMMAND_MAX 56 /* but for a backing's entries behind it */
#define DISPL_VIRTIO_ENTRY	 16 /* le64 address, le32 length, le32 padding */

/* Bytes of answers behind their header. */
#define DISPL_VIRTIO_INFO     (24 * 16) /* a place for each of 16 scan-outs */
#define DISPL_VIRTIO_EDID_MAX 1024
#define DISPL_VIRTIO_EDID     (8 + DISPL_VIRTIO_EDID_MAX)

struct displ_virtio_command {
	uint32_t type, flags, context;
	uint64_t fence;
	/* As far as @type has them. */
	uint32_t resource, scanout;
	struct displ_rect rect;
	struct displ_size size; /* RESOURCE_CREATE_2D */
	uint32_t format;	/* the wire's number */
	uint64_t offset;	/* TRANSFER_TO_HOST_2D: in the backing, bytes */
	uint32_t entries;	/* ATTACH_BACKING */
	int32_t x, y;		/* UPDATE_CURSOR, MOVE_CURSOR */
};

struct displ_virtio_entry {
	uint64_t addr;
	uint32_t len;
};

/* Bytes of a command of @type, header included; 0: there is no such one. */
uint32_t displ_virtio_bytes(uint32_t type);
/* @bytes: DISPL_VIRTIO_HEADER of them. All else in @out is 0. */
void displ_virtio_decode_header(const uint8_t *bytes, struct displ_virtio_command *out);
/* @bytes: as many as the type in @out has, but for the header. */
void displ_virtio_decode(const uint8_t *bytes, struct displ_virtio_command *out);
/* One of a backing. */
struct displ_virtio_entry displ_virtio_decode_entry(const uint8_t *bytes);
/* False: there is no format of this number. */
bool displ_virtio_format(uint32_t wire, enum displ_format *out);

/* DISPL_VIRTIO_HEADER bytes to @out. */
void displ_virtio_encode(const struct displ_virtio_command *command,
			 enum displ_virtio_answer answer, uint8_t *out);
/* Heads side by side; those of @unplugged, bits, are not enabled. DISPL_VIRTIO_INFO
 * bytes to @out. */
void displ_virtio_put_info(const struct displ_policy *policy, uint32_t unplugged,
			   uint8_t *out);
/* The first bytes, at most DISPL_VIRTIO_EDID_MAX of @n; DISPL_VIRTIO_EDID to @out. */
void displ_virtio_put_edid(const uint8_t *edid, uint32_t n, uint8_t *out);

#endif
