/* SPDX-License-Identifier: MIT */
/* A ring in a page, and Xen's own macros as its front end: for the tests of
 * backends/door/pv-ring.c. Each file has one. */
#ifndef XDD_TEST_PV_RING_SCENE_H
#define XDD_TEST_PV_RING_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The barriers that the header wants from its user. */
#define mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>

#include "backends/door/pv-ring.h"

struct toy_request {
	uint64_t id;
	uint8_t rest[104];
};

struct toy_response {
	uint64_t id;
	int16_t status;
};

DEFINE_RING_TYPES(toy, struct toy_request, struct toy_response);

static _Alignas(4096) uint8_t page[4096 * 16];
static struct toy_sring *const shared = (struct toy_sring *)page;
static struct toy_front_ring front;
static struct pv_ring ring;

static inline int fresh(void **state)
{
	(void)state;
	memset(page, 0xa5, sizeof(page));
	SHARED_RING_INIT(shared);
	FRONT_RING_INIT(&front, shared, 4096);
	assert_int_equal(pv_ring_init(&ring, page, 4096, 112, false), PV_RING_OK);
	return 0;
}

static inline void ask(uint64_t id)
{
	RING_GET_REQUEST(&front, front.req_prod_pvt)->id = id;
	front.req_prod_pvt++;
}

static inline bool push(void)
{
	int notify;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front, notify);
	return notify;
}

static inline void answer(uint64_t id)
{
	struct toy_response rsp = {id, 0};
	uint8_t bytes[16] = {0};

	memcpy(bytes, &rsp.id, 8);
	pv_ring_put(&ring, bytes, sizeof(bytes));
}

static inline uint64_t take(void)
{
	struct toy_request rq = {0};

	assert_int_equal(pv_ring_take(&ring, &rq), PV_RING_OK);
	return rq.id;
}

#endif
