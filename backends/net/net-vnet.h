/* SPDX-License-Identifier: MIT */
/*
 * The header that stands before a frame where its offloads go along: virtio-net's, in
 * little-endian. A tap speaks it, and so does the virtio door, behind whose header two
 * bytes more stand.
 *
 * Pure. What is put was checked (net_offload_check()). What is read is as it stands
 * there; what is taken, of a host that is trusted, is checked as far as a frame and its
 * header can contradict each other. Whether the frame is what it is to be cut as, who
 * made it has to know: nothing is read of it but the length of a TCP header.
 *
 * Source: linux/virtio_net.h; virtio 1.2, 5.1.6.
 */
#ifndef XDD_NET_VNET_H
#define XDD_NET_VNET_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/net/net-frame.h"

/* struct virtio_net_hdr: linux/virtio_net.h meets backends/door/virtio.h in files that
 * need both. */
struct net_vnet_header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

#define NET_VNET_BYTES sizeof(struct net_vnet_header)

/* @validated: its sum is right, or was never on a wire. */
void net_vnet_put(const struct net_offload *offload, bool validated,
		  struct net_vnet_header *out);
/* What it says, unchecked: of a sum where one is to be made, of a cut where one is.
 * False, with nothing written: no such cut is known, ECN's are not. */
bool net_vnet_read(const struct net_vnet_header *header, struct net_offload *out);
/* Of a frame of @size bytes. *@validated as above. False, with nothing written: the two
 * contradict each other, or it is to be cut as what is neither TCP nor UDP. */
bool net_vnet_take(const struct net_vnet_header *header, const uint8_t *bytes,
		   uint32_t size, struct net_offload *offload, bool *validated);

#endif
