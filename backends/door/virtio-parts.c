/* SPDX-License-Identifier: MIT */
#include "backends/door/virtio-parts.h"

#include <assert.h>

#include "common/shared.h"

/* A walk over one of the two runs of bytes. */
struct walk {
	const struct iovec *part, *end;
	uint64_t skip;
};

static struct walk walk_begin(const struct virtio_parts *parts, bool writable,
			      uint64_t at)
{
	const struct iovec *first = parts->part + (writable ? parts->readable : 0);

	return (struct walk){
		first, first + (writable ? parts->writable : parts->readable), at};
}

/* The next bytes, @max at most; none at the end. */
static struct iovec walk_next(struct walk *w, uint64_t max)
{
	struct iovec v;

	while (w->part < w->end && w->skip >= w->part->iov_len)
		w->skip -= (w->part++)->iov_len;
	if (w->part == w->end)
		return (struct iovec){0};
	v.iov_base = (uint8_t *)w->part->iov_base + w->skip;
	v.iov_len = w->part->iov_len - w->skip;
	if (v.iov_len > max)
		v.iov_len = max;
	w->skip += v.iov_len;
	return v;
}

static uint64_t sum(const struct iovec *part, uint32_t n)
{
	uint64_t bytes = 0;

	while (n--)
		bytes += (part++)->iov_len;
	return bytes;
}

void virtio_parts_sum(struct virtio_parts *parts)
{
	parts->bytes[0] = sum(parts->part, parts->readable);
	parts->bytes[1] = sum(parts->part + parts->readable, parts->writable);
}

void virtio_parts_read(const struct virtio_parts *parts, uint64_t at, void *dst,
		       size_t n)
{
	struct walk w = walk_begin(parts, false, at);
	uint8_t *to = dst;

	while (n) {
		struct iovec v = walk_next(&w, n);

		assert(v.iov_len);
		shared_copy_in(to, v.iov_base, v.iov_len);
		to += v.iov_len;
		n -= v.iov_len;
	}
}

void virtio_parts_write(const struct virtio_parts *parts, uint64_t at, const void *src,
			size_t n)
{
	struct walk w = walk_begin(parts, true, at);
	const uint8_t *from = src;

	while (n) {
		struct iovec v = walk_next(&w, n);

		assert(v.iov_len);
		shared_copy_out(v.iov_base, from, v.iov_len);
		from += v.iov_len;
		n -= v.iov_len;
	}
}

uint32_t virtio_parts_cut(const struct virtio_parts *parts, bool writable, uint64_t at,
			  uint64_t n, uint32_t piece, struct iovec *out, uint32_t max)
{
	struct walk w = walk_begin(parts, writable, at);
	uint32_t count = 0;

	while (n && count < max) {
		struct iovec v = walk_next(&w, n < piece ? n : piece);

		assert(v.iov_len);
		out[count++] = v;
		n -= v.iov_len;
	}
	return n ? 0 : count;
}
