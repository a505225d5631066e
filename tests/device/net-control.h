/* SPDX-License-Identifier: MIT */
/* What the programs about netif's control ring share: requests and their answers. */
#ifndef XDD_TEST_NET_CONTROL_H
#define XDD_TEST_NET_CONTROL_H

#include "tests/device/net-cases.h"

enum { SUCCESS, NOT_SUPPORTED, INVALID, OVERFLOW };
enum {
	GET_FLAGS = 1,
	SET_FLAGS,
	SET_KEY,
	GET_MAPPING_SIZE,
	SET_MAPPING_SIZE,
	SET_MAPPING,
	SET_ALGORITHM,
	GET_GREFS,
	ADD_GREFS,
	DEL_GREFS,
};

/* A page of the client's that requests name. */
static uint8_t *named_page;
static struct gref named;

/* The room of @conf, with a control ring. */
static inline struct net_bed_conf with_control(struct net_bed_conf conf)
{
	conf.front.control = true;
	return conf;
}

static inline void up_control(const struct net_bed_conf *conf)
{
	const struct net_bed_conf with = with_control(*conf);

	up(&with);
	assert_true(bed.pv.control.open);
	named_page = loopxen_page(bed.x, bed.dev.front);
	named = loopxen_grant(bed.x, bed.dev.front, named_page, bed.dev.back, false);
}

/* Not published. */
static inline void ask(uint16_t type, uint32_t d0, uint32_t d1, uint32_t d2)
{
	assert_true(netfront_ask(&bed.front, type, d0, d1, d2));
}

/* The oldest request was answered so. */
static inline uint32_t assert_asked(uint32_t status)
{
	uint32_t got = 99, data = 0;

	assert_true(netfront_asked(&bed.front, &got, &data));
	assert_int_equal(got, status);
	return data;
}

static inline void assert_not_asked(void)
{
	uint32_t status, data;

	assert_false(netfront_asked(&bed.front, &status, &data));
}

/* One request, and its answer's data. */
static inline uint32_t asks(uint16_t type, uint32_t d0, uint32_t d1, uint32_t d2,
			    uint32_t status)
{
	uint32_t data;

	ask(type, d0, d1, d2);
	push_run();
	data = assert_asked(status);
	assert_not_asked();
	return data;
}

/* -- Hashes --------------------------------------------------------------------------
 */

static inline void set_hash(uint32_t flags)
{
	asks(SET_ALGORITHM, 1, 0, 0, SUCCESS);
	asks(SET_FLAGS, flags, 0, 0, SUCCESS);
	for (unsigned i = 0; i < NETIF_KEY_MAX; i++)
		named_page[i] = (uint8_t)(i * 37 + 11);
	asks(SET_KEY, named.v, NETIF_KEY_MAX, 0, SUCCESS);
}

/* The table's entries are those of @table. */
static inline void set_table(const uint32_t *table, uint32_t n)
{
	asks(SET_MAPPING_SIZE, n, 0, 0, SUCCESS);
	memcpy(named_page, table, n * sizeof(*table));
	asks(SET_MAPPING, named.v, n, 0, SUCCESS);
}

/* -- Static grants -------------------------------------------------------------------
 */

/* @n references of slots, from the first on, as a list in the named page. */
static inline void list_grefs(const struct gref *refs, unsigned n, uint16_t flags)
{
	struct netfront_gref *list = (struct netfront_gref *)(void *)named_page;

	for (unsigned i = 0; i < n; i++)
		list[i] = (struct netfront_gref){refs[i].v, flags, 0x7777};
}

static inline unsigned listed_status(unsigned i)
{
	return ((struct netfront_gref *)(void *)named_page)[i].status;
}

/* The pages of all slots, granted. */
static inline void grant_slots(unsigned queue)
{
	struct netfront_queue *q = &bed.front.queue[queue];

	for (unsigned i = 0; i < NETFRONT_RING; i++) {
		if (!q->tx_page[i]) {
			q->tx_page[i] = loopxen_page(bed.x, bed.dev.front);
			q->tx_ref[i] = loopxen_grant(bed.x, bed.dev.front,
						     q->tx_page[i], bed.dev.back, true);
		}
		if (q->rx_page[i])
			continue;
		q->rx_page[i] = loopxen_page(bed.x, bed.dev.front);
		q->rx_ref[i] = loopxen_grant(bed.x, bed.dev.front, q->rx_page[i],
					     bed.dev.back, false);
	}
}

static inline void add_grefs(unsigned queue, const struct gref *refs, unsigned n,
			     uint16_t flags, uint32_t status)
{
	list_grefs(refs, n, flags);
	asks(ADD_GREFS, queue, named.v, n, status);
}

/* How many of these are mapped. */
static inline unsigned mapped(const struct gref *refs, unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += loopxen_mapped(bed.x, bed.dev.front, refs[i]);
	return sum;
}

#endif
