/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <linux/virtio_net.h>

#include "backends/net/net-vnet.h"

#define GSO_UDP_L4 5 /* linux/virtio_net.h has it since Linux 6.2 */

#define TCP_BYTES 20
#define TCP_WORDS 12 /* where a TCP header says how long it is */
#define TCP_SUM	  16
#define UDP_BYTES 8
#define UDP_SUM	  6

_Static_assert(NET_VNET_BYTES == sizeof(struct virtio_net_hdr), "as a tap is told");

static const uint8_t vnet_gso[] = {
	[NET_GSO_NONE] = VIRTIO_NET_HDR_GSO_NONE,
	[NET_GSO_TCPV4] = VIRTIO_NET_HDR_GSO_TCPV4,
	[NET_GSO_TCPV6] = VIRTIO_NET_HDR_GSO_TCPV6,
	[NET_GSO_UDP] = GSO_UDP_L4,
};

void net_vnet_put(const struct net_offload *offload, bool validated,
		  struct net_vnet_header *out)
{
	*out = (struct net_vnet_header){.gso_type = vnet_gso[offload->gso]};
	if (offload->sum) {
		out->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		out->csum_start = htole16(offload->start);
		out->csum_offset = htole16(offload->offset);
	} else if (validated) {
		out->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	if (offload->gso != NET_GSO_NONE) {
		out->hdr_len = htole16(offload->header);
		out->gso_size = htole16(offload->gso_size);
	}
}

static bool read_gso(const struct net_vnet_header *header, struct net_offload *out)
{
	switch (header->gso_type) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		out->gso = NET_GSO_TCPV4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		out->gso = NET_GSO_TCPV6;
		break;
	case GSO_UDP_L4:
		out->gso = NET_GSO_UDP;
		break;
	default:
		return false;
	}
	out->gso_size = le16toh(header->gso_size);
	return true;
}

bool net_vnet_read(const struct net_vnet_header *header, struct net_offload *out)
{
	struct net_offload offload = {.sum = header->flags &
					     VIRTIO_NET_HDR_F_NEEDS_CSUM};

	if (offload.sum) {
		offload.start = le16toh(header->csum_start);
		offload.offset = le16toh(header->csum_offset);
	}
	if (!read_gso(header, &offload))
		return false;
	*out = offload;
	return true;
}

/* -- Of a trusted host --------------------------------------------------------- */

static bool vnet_sum(uint32_t size, const struct net_offload *offload)
{
	return offload->start >= NET_HEADER &&
	       (uint32_t)offload->start + offload->offset + 2 <= size;
}

/* What is cut has its sum made anew, and that stands in its TCP or UDP header, of which
 * two bytes are known to lie in the frame. */
static bool vnet_cut(const uint8_t *bytes, uint32_t size, struct net_offload *out)
{
	bool udp = out->gso == NET_GSO_UDP;
	uint32_t own = UDP_BYTES, end;

	/* Without a sum: 0. */
	if (out->offset != (udp ? UDP_SUM : TCP_SUM) || !out->gso_size)
		return false;
	if (!udp)
		own = (bytes[out->start + TCP_WORDS] >> 4) * 4u;
	end = out->start + own;
	if (own < (udp ? UDP_BYTES : TCP_BYTES) || end >= size || end > UINT16_MAX)
		return false;
	out->header = (uint16_t)end;
	return true;
}

bool net_vnet_take(const struct net_vnet_header *header, const uint8_t *bytes,
		   uint32_t size, struct net_offload *offload, bool *validated)
{
	struct net_vnet_header plain = *header;
	struct net_offload out;

	plain.gso_type &= (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	if (!net_vnet_read(&plain, &out))
		return false;
	if (out.sum && !vnet_sum(size, &out))
		return false;
	if (out.gso != NET_GSO_NONE && !vnet_cut(bytes, size, &out))
		return false;
	*offload = out;
	*validated = out.sum || header->flags & VIRTIO_NET_HDR_F_DATA_VALID;
	return true;
}
