/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/device/displ-scan-test.h"

#define NONE UINT32_MAX

static struct displ_scan_test *test_of(struct displ_scan *scan)
{
	return (struct displ_scan_test *)scan;
}

/* FNV-1a, by words. */
static uint64_t sum_of(const struct displ_scan *scan, uint32_t canvas)
{
	uint64_t sum = 14695981039346656037ull;

	for (uint32_t y = 0; y < scan->size.height; y++) {
		const uint32_t *row =
			(const uint32_t *)(const void *)(scan->canvas[canvas] +
							 (size_t)y * scan->stride);

		for (uint32_t x = 0; x < scan->size.width; x++)
			sum = (sum ^ row[x]) * 1099511628211ull;
	}
	return sum;
}

static int test_show(struct displ_scan *scan, uint32_t head, uint32_t canvas,
		     uint64_t now)
{
	struct displ_scan_test *t = test_of(scan);
	int r = t->fail_show;

	assert(head < scan->heads && canvas < scan->canvases);
	assert(t->head[head].flying == NONE); /* displ-scan.h, invariant 3 */
	t->head[head].shows++;
	t->fail_show = 0;
	if (r)
		return r;
	t->head[head].flying = canvas;
	t->head[head].lands = (now / DISPL_TEST_BLANK + 1) * DISPL_TEST_BLANK;
	t->sum[canvas] = sum_of(scan, canvas);
	if (!t->loses && t->head[head].lands < scan->due)
		scan->due = t->head[head].lands;
	return 0;
}

static bool is_torn(const struct displ_scan_test *t, uint32_t canvas)
{
	return canvas < t->whole && t->sum[canvas] != sum_of(&t->scan, canvas);
}

/* What a person sees from now on: the middle of its canvas. */
static void test_blank(struct displ_scan_test *t, uint32_t head)
{
	const struct displ_scan *scan = &t->scan;
	struct displ_size size = scan->head[head];
	uint32_t left = (scan->size.width - size.width) / 2;
	uint32_t top = (scan->size.height - size.height) / 2;
	uint32_t canvas = t->head[head].flying;

	t->torn += is_torn(t, canvas) + is_torn(t, t->head[head].shown);
	for (uint32_t y = 0; y < size.height; y++)
		memcpy(t->head[head].screen + (size_t)y * size.width,
		       scan->canvas[canvas] + (size_t)(top + y) * scan->stride +
			       (size_t)left * DISPL_PIXEL,
		       (size_t)size.width * DISPL_PIXEL);
	t->head[head].shown = canvas;
	t->head[head].flying = NONE;
}

static int test_look(struct displ_scan *scan, uint64_t now, uint32_t *shown)
{
	struct displ_scan_test *t = test_of(scan);
	int r = t->fail_look;

	t->fail_look = 0;
	if (r)
		return r;
	scan->due = UINT64_MAX;
	*shown = 0;
	for (uint32_t i = 0; !t->loses && i < scan->heads; i++) {
		if (t->head[i].flying == NONE)
			continue;
		if (t->head[i].lands <= now) {
			test_blank(t, i);
			*shown |= 1u << i;
		} else if (t->head[i].lands < scan->due) {
			scan->due = t->head[i].lands;
		}
	}
	return 0;
}

static void test_close(struct displ_scan *scan)
{
	displ_scan_test_close(test_of(scan));
}

static const struct displ_scan_ops ops = {test_show, test_look, test_close};

void displ_scan_test_open(struct displ_scan_test *t, const struct displ_policy *policy,
			  uint32_t canvases)
{
	struct displ_scan *scan = &t->scan;

	*t = (struct displ_scan_test){0};
	scan->ops = &ops;
	scan->heads = policy->heads;
	scan->alpha = policy->alpha;
	scan->size = displ_policy_most(policy);
	scan->stride = scan->size.width * DISPL_PIXEL;
	scan->canvases = canvases;
	t->whole = scan->heads * DISPL_OWN_CANVASES;
	scan->fd = -1;
	scan->due = UINT64_MAX;
	for (uint32_t i = 0; i < canvases; i++) {
		scan->canvas[i] = calloc(scan->size.height, scan->stride);
		assert(scan->canvas[i]);
	}
	for (uint32_t i = 0; i < scan->heads; i++) {
		scan->head[i] = policy->head[i].size;
		t->head[i].flying = t->head[i].shown = NONE;
		t->head[i].screen =
			calloc((size_t)scan->head[i].width * scan->head[i].height,
			       DISPL_PIXEL);
		assert(t->head[i].screen);
	}
}

void displ_scan_test_close(struct displ_scan_test *t)
{
	for (uint32_t i = 0; i < t->scan.canvases; i++)
		free(t->scan.canvas[i]);
	for (uint32_t i = 0; i < t->scan.heads; i++)
		free(t->head[i].screen);
}

uint32_t displ_scan_test_pixel(const struct displ_scan_test *t, uint32_t head,
			       uint32_t x, uint32_t y)
{
	return t->head[head].screen[(size_t)y * t->scan.head[head].width + x] &
	       0xffffff;
}
