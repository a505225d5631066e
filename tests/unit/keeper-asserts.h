/* SPDX-License-Identifier: MIT */
/* What the keeper's tests say again and again. */
#ifndef XDD_KEEPER_ASSERTS_H
#define XDD_KEEPER_ASSERTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/keeper-world.h"

#define CALL(type, member) world_call(&m, type, sizeof(m.member), NULL)

static struct wire_message m;

static inline struct wire_message *fresh(void)
{
	memset(&m, 0, sizeof(m));
	return &m;
}

static inline int setup(void **state)
{
	(void)state;
	world_init(WORLD_POLICY);
	world_device();
	world_connect();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	world_fini();
	return 0;
}

static inline int map(uint32_t first, uint32_t n)
{
	fresh()->map.n = n;
	for (uint32_t i = 0; i < n && i < WIRE_REFS_MAX; i++)
		m.map.ref[i].v = first + i;
	return CALL(WIRE_MAP, map);
}

/* Killed, and every request after it finds nobody. */
static inline void assert_killed(void)
{
	assert_int_equal(world.kills, 1);
	assert_int_equal(world.k->peer.fd, -1);
	while (world_receive(&m, NULL) > 0)
		;
	assert_int_equal(world_receive(&m, NULL), 0);
	peer_dead(world.k);
	assert_true(maps_empty(&world.k->maps));
	assert_int_equal(world.k->peer.pidfd, -1);
}

/* Is it in the audit log? */
static inline bool audited(const char *text)
{
	static char log[65536];
	char path[128];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/audit.log", world.dir);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(log, 1, sizeof(log) - 1, f);
	fclose(f);
	log[n] = '\0';
	return strstr(log, text);
}

#define TEST(name, set_up)                                                             \
	cmocka_unit_test_setup_teardown(test_##name, set_up, teardown)

#endif
