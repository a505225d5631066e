/* SPDX-License-Identifier: MIT */
/* backends/door/virtio-parts.c: two runs of bytes, however they are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/door/virtio-parts.h"

#define BYTES 24 /* of each of the two runs */

static uint8_t memory[2 * VIRTIO_PARTS_MAX];
static struct virtio_parts parts;

/* Both runs cut into pieces of @readable and @writable bytes; each byte is its own
 * place. The pieces are no neighbours. */
static void cut(unsigned readable, unsigned writable)
{
	unsigned n = 0;

	memset(&parts, 0, sizeof(parts));
	for (unsigned i = 0; i < sizeof(memory); i++)
		memory[i] = 0xee;
	for (unsigned run = 0; run < 2; run++) {
		unsigned step = run ? writable : readable;

		for (unsigned at = 0; at < BYTES; at += step, n++) {
			unsigned len = BYTES - at < step ? BYTES - at : step;
			uint8_t *to = memory + run * 128 + 2 * at;

			for (unsigned i = 0; i < len; i++)
				to[i] = (uint8_t)(run * 100 + at + i);
			parts.part[n] = (struct iovec){to, len};
			parts.readable += (uint16_t)!run;
			parts.writable += (uint16_t)run;
		}
	}
	virtio_parts_sum(&parts);
}

static void sums(void **state)
{
	(void)state;
	for (unsigned r = 1; r <= BYTES; r++) {
		for (unsigned w = 1; w <= BYTES; w++) {
			cut(r, w);
			assert_true(virtio_parts_readable(&parts) == BYTES);
			assert_true(virtio_parts_room(&parts) == BYTES);
		}
	}
	parts.readable = parts.writable = 0;
	virtio_parts_sum(&parts);
	assert_true(!virtio_parts_readable(&parts) && !virtio_parts_room(&parts));
}

/* 256 parts of nearly 2^32 bytes: no sum wraps. */
static void sums_of_large_parts(void **state)
{
	(void)state;
	memset(&parts, 0, sizeof(parts));
	parts.writable = VIRTIO_PARTS_MAX;
	for (unsigned i = 0; i < VIRTIO_PARTS_MAX; i++)
		parts.part[i] = (struct iovec){memory, UINT32_MAX};
	virtio_parts_sum(&parts);
	assert_true(virtio_parts_room(&parts) ==
		    (uint64_t)VIRTIO_PARTS_MAX * UINT32_MAX);
}

static void reads_from_anywhere(void **state)
{
	uint8_t got[BYTES + 2];

	(void)state;
	for (unsigned step = 1; step <= BYTES; step++) {
		cut(step, 5);
		for (unsigned at = 0; at <= BYTES; at++) {
			for (unsigned n = 0; n <= BYTES - at; n++) {
				memset(got, 0xdd, sizeof(got));
				virtio_parts_read(&parts, at, got, n);
				for (unsigned i = 0; i < n; i++)
					assert_int_equal(got[i], at + i);
				assert_int_equal(got[n], 0xdd);
			}
		}
	}
}

static void writes_to_anywhere(void **state)
{
	uint8_t with[BYTES], back[BYTES];

	(void)state;
	memset(with, 0x55, sizeof(with));
	for (unsigned step = 1; step <= BYTES; step++) {
		for (unsigned at = 0; at <= BYTES; at++) {
			for (unsigned n = 0; n <= BYTES - at; n++) {
				cut(3, step);
				virtio_parts_write(&parts, at, with, n);
				parts.readable = 0; /* read what was written */
				memmove(parts.part, parts.part + BYTES / 3,
					parts.writable * sizeof(parts.part[0]));
				parts.readable = parts.writable;
				virtio_parts_read(&parts, 0, back, BYTES);
				for (unsigned i = 0; i < BYTES; i++)
					assert_int_equal(back[i], i >= at && i < at + n
									  ? 0x55
									  : 100 + i);
				assert_int_equal(memory[0], 0);
			}
		}
	}
}

/* Pieces that are no longer than they may be, and all of it, or nothing. */
static void cuts(void **state)
{
	struct iovec out[BYTES + 1];

	(void)state;
	for (unsigned step = 1; step <= BYTES; step++) {
		for (uint32_t piece = 1; piece <= BYTES; piece++) {
			for (unsigned at = 0; at < BYTES; at++) {
				unsigned n = BYTES - at, sum = 0;
				uint32_t count;

				cut(7, step);
				count = virtio_parts_cut(&parts, true, at, n, piece,
							 out, BYTES);
				assert_true(count);
				for (uint32_t i = 0; i < count; i++) {
					assert_true(out[i].iov_len &&
						    out[i].iov_len <= piece);
					assert_int_equal(*(uint8_t *)out[i].iov_base,
							 100 + at + sum);
					sum += (unsigned)out[i].iov_len;
				}
				assert_int_equal(sum, n);
				out[count - 1].iov_len = 99;
				assert_int_equal(virtio_parts_cut(&parts, true, at, n,
								  piece, out,
								  count - 1),
						 0);
				assert_int_equal(out[count - 1].iov_len, 99);
			}
		}
	}
	assert_int_equal(virtio_parts_cut(&parts, false, 0, 0, 1, out, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),
		cmocka_unit_test(sums_of_large_parts),
		cmocka_unit_test(reads_from_anywhere),
		cmocka_unit_test(writes_to_anywhere),
		cmocka_unit_test(cuts),
	};

	return cmocka_run_group_tests_name("virtio_parts", tests, NULL, NULL);
}
