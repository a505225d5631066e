/* SPDX-License-Identifier: MIT */
/* Of the fuzz target net_pv, what is about netif's control ring. */
#ifndef XDD_TEST_FUZZ_NET_CONTROL_H
#define XDD_TEST_FUZZ_NET_CONTROL_H

#include "tests/device/net-bed.h"

/* A page of the client's, which requests name. */
struct fuzz_named {
	uint8_t *page;
	struct gref ref;
};

void fuzz_control_name(struct fuzz_named *named, struct net_bed *bed);
/* A request, and the words that its page holds, all by @byte. */
void fuzz_control_ask(struct net_bed *bed, const struct fuzz_named *named,
		      uint8_t (*byte)(void));
/* What must hold whatever was asked. */
void fuzz_control_check(const struct net_bed *bed);
/* The client takes its answers: each is one of its requests', in order. */
void fuzz_control_collect(struct net_bed *bed);
/* Each was answered. */
void fuzz_control_settled(const struct net_bed *bed);

#endif
