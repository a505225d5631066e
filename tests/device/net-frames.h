/* SPDX-License-Identifier: MIT */
/*
 * Ethernet frames of two stations, for tests: the client's, whose address is
 * NET_FRAMES_MINE, and another one's. What stands in a frame follows from a seed.
 *
 * @out has room for all of it. What is returned is the frame's size.
 */
#ifndef XDD_TEST_NET_FRAMES_H
#define XDD_TEST_NET_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#define NET_FRAMES_MINE	 "02:00:00:00:00:02"
#define NET_FRAMES_IP	 "192.0.2.2"
#define NET_FRAMES_IPV6	 "2001:db8::2"
#define NET_FRAMES_TCP	 54 /* bytes before the payload */
#define NET_FRAMES_TCPV6 74
#define NET_FRAMES_ROOM	 66000

/* From the client's station to the other one; no IP. */
uint32_t net_frames_plain(uint8_t *out, uint32_t size, unsigned seed);
/* TCP or UDP with so much payload; no sum of theirs is right. */
uint32_t net_frames_tcp(uint8_t *out, bool ipv6, uint32_t payload, unsigned seed);
uint32_t net_frames_udp(uint8_t *out, bool ipv6, uint32_t payload, unsigned seed);
/* A tag before what is there. */
uint32_t net_frames_tag(uint8_t *out, uint32_t size, uint16_t type, uint16_t vlan);
/* From the other station to the client's. */
void net_frames_turn(uint8_t *frame);
/* To a group, or to all. */
void net_frames_to_group(uint8_t *frame, uint8_t group);
void net_frames_to_all(uint8_t *frame);

#endif
