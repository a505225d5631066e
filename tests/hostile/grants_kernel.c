/* SPDX-License-Identifier: MIT */
/*
 * T-GNT-1 at the kernel: registrar-xen.c against a gntdev that answers each
 * segment of a batch with each GNTST_* code, and each call with each errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "grant-mem/registrar.h"

/* Of xen/gntdev.h, which is for *-xen.c: the copy call, and its segment. */
struct copy_segment {
	union {
		void *virt;
		struct {
			uint32_t ref;
			uint16_t offset, domid;
		} foreign;
	} source, dest;
	uint16_t len, flags;
	int16_t status;
};

struct copy_call {
	uint32_t count;
	struct copy_segment *segments;
};

#define TYPE_GNTDEV 'G'
#define NR_COPY	    8

int __wrap_ioctl(int fd, unsigned long request, void *arg);

static unsigned fail_at; /* this segment, or from here on if @fail_all */
static bool fail_all;
static int code, error;
static unsigned calls;

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	struct copy_call *copy = arg;

	(void)fd;
	calls++;
	if (error) {
		errno = error;
		return -1;
	}
	assert_int_equal((request >> 8) & 0xff, TYPE_GNTDEV);
	if ((request & 0xff) != NR_COPY)
		return 0;
	for (unsigned i = 0; i < copy->count; i++) {
		bool bad = i == fail_at || (fail_all && i >= fail_at);

		assert_int_equal(copy->segments[i].status, 0);
		copy->segments[i].status = bad ? (int16_t)code : 0;
	}
	return 0;
}

static struct registrar r = {3, 3, 3, 3, {{0, 0}}};

static void t_gnt_1_each_code_of_a_copy(void **state)
{
	static struct wire_seg segs[WIRE_REFS_MAX];
	static uint8_t area[4096];
	int8_t status[WIRE_REFS_MAX];
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < WIRE_REFS_MAX; i++)
		segs[i] = (struct wire_seg){.ref = 8 + i, .len = 8, .to_client = i % 2};
	error = 0;
	/* GNTST_general_error to GNTST_no_space, and codes yet to be invented. */
	for (code = -20; code <= 3; code++) {
		if (!code)
			continue;
		for (unsigned all = 0; all < 2; all++) {
			fail_all = all;
			for (fail_at = 0; fail_at < WIRE_REFS_MAX; fail_at++, done++) {
				memset(status, 0x55, sizeof(status));
				assert_int_equal(registrar_copy(&r, (struct domid){3},
								segs, WIRE_REFS_MAX,
								area, status),
						 0);
				for (unsigned i = 0; i < WIRE_REFS_MAX; i++) {
					bool bad = i == fail_at || (all && i > fail_at);

					assert_int_equal(status[i],
							 bad ? WIRE_BAD : WIRE_OK);
				}
			}
		}
	}
	printf("tally: T-GNT-1 %" PRIu64 " GNTST codes of a copy\n", done);
}

/* A call that fails as a whole says so; no status is taken for good. */
static void t_gnt_1_each_errno(void **state)
{
	struct wire_seg seg = {.ref = 8, .len = 8};
	struct gref ref = {8};
	uint8_t area[8];
	int8_t status = 0x55;
	uint64_t index = 77, done = 0;

	(void)state;
	for (error = 1; error < 134; error++, done += 3) {
		assert_int_equal(
			registrar_copy(&r, (struct domid){3}, &seg, 1, area, &status),
			-error);
		assert_int_equal(status, 0x55);
		assert_int_equal(
			registrar_add(&r, (struct domid){3}, &ref, 1, true, &index),
			-error);
		assert_int_equal(index, 77);
		assert_int_equal(registrar_drop(&r, true, 0, 1, 0), -error);
	}
	printf("tally: T-GNT-1 %" PRIu64 " errnos of gntdev\n", done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_gnt_1_each_code_of_a_copy),
		cmocka_unit_test(t_gnt_1_each_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
