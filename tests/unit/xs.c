/* SPDX-License-Identifier: MIT */
/*
 * The xenstore wire protocol: framing at every split, answers to nobody,
 * deadlines, storms, and a connection that is lost.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "xenbus/xs.h"

static struct xs xs;
static struct xs_request one, two;
static unsigned dones, events;
static int last_err;
static char last_value[8192], last_token[64];

static void done(struct xs_request *request)
{
	dones++;
	last_err = request->err;
	memcpy(last_value, request->value, request->len + 1);
	assert_false(request->busy);
}

static void event(struct xs *x, const char *token)
{
	assert_ptr_equal(x, &xs);
	events++;
	strncpy(last_token, token, sizeof(last_token) - 1);
}

static int setup(void **state)
{
	(void)state;
	xs_init(&xs, event);
	memset(&one, 0, sizeof(one));
	memset(&two, 0, sizeof(two));
	one.done = two.done = done;
	dones = events = 0;
	last_err = 1;
	return 0;
}

/* What goes out, all of it; its request id. */
static uint32_t flush(uint64_t now)
{
	struct xs_message m;
	const char *out;
	size_t n = xs_output(&xs, now, &out);

	assert_true(n >= sizeof(m.header) && n <= sizeof(m));
	memcpy(&m, out, n);
	assert_int_equal(n, sizeof(m.header) + m.header.len);
	xs_wrote(&xs, (int64_t)n);
	return m.header.id;
}

static size_t build(char *out, uint32_t type, uint32_t id, const char *payload,
		    size_t len)
{
	struct xs_header h = {type, id, 0, (uint32_t)len};

	memcpy(out, &h, sizeof(h));
	memcpy(out + sizeof(h), payload, len);
	return sizeof(h) + len;
}

static int answer(uint32_t type, uint32_t id, const char *payload)
{
	char bytes[8192];
	size_t n = build(bytes, type, id, payload, strlen(payload));

	return xs_input(&xs, bytes, n);
}

static void test_split(void **state)
{
	char bytes[256];

	(void)state;
	for (size_t at = 0; at < 64; at++) {
		size_t n, first;
		uint32_t id;

		setup(NULL);
		assert_true(xs_send(&xs, &one, XS_TYPE_READ, 100, "a/b", NULL));
		id = flush(1);
		n = build(bytes, XS_TYPE_EVENT, 0, "path\0token", 11);
		n += build(bytes + n, XS_TYPE_READ, id, "value", 5);
		first = at < n ? at : n;
		assert_int_equal(xs_input(&xs, bytes, first), 0);
		assert_int_equal(xs_input(&xs, bytes + first, n - first), 0);
		assert_int_equal(dones, 1);
		assert_int_equal(last_err, 0);
		assert_string_equal(last_value, "value");
		assert_int_equal(events, 1);
		assert_string_equal(last_token, "token");
	}
}

static void test_bytewise(void **state)
{
	char bytes[64];
	const char *out;
	size_t n, total = 0;

	(void)state;
	assert_true(xs_send(&xs, &one, XS_TYPE_WRITE, 100, "key", "v"));
	while ((n = xs_output(&xs, 1, &out))) {
		bytes[total++] = *out;
		xs_wrote(&xs, 1);
	}
	assert_int_equal(total, sizeof(struct xs_header) + 5);
	assert_memory_equal(bytes + sizeof(struct xs_header), "key\0v", 5);
	n = build(bytes, XS_TYPE_WRITE, xs.last_id, "OK", 3);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(xs_input(&xs, bytes + i, 1), 0);
	assert_int_equal(dones, 1);
	assert_int_equal(last_err, 0);
}

/* [utest->req~xenstored-is-bounded~1] */
static void test_oversize(void **state)
{
	struct xs_header h = {XS_TYPE_READ, 1, 0, XS_PAYLOAD_MAX + 1};
	char big[XS_PAYLOAD_MAX] = "";

	(void)state;
	assert_int_equal(xs_input(&xs, (char *)&h, sizeof(h)), -EBADMSG);
	xs_reset(&xs);
	h.len = UINT32_MAX;
	assert_int_equal(xs_input(&xs, (char *)&h, sizeof(h)), -EBADMSG);
	xs_reset(&xs);
	h.len = XS_PAYLOAD_MAX; /* just fits */
	assert_int_equal(xs_input(&xs, (char *)&h, sizeof(h)), 0);
	assert_int_equal(xs_input(&xs, big, sizeof(big)), 0);
	memset(big, 'x', sizeof(big));
	big[XS_REQUEST_MAX] = '\0';
	assert_false(xs_send(&xs, &one, XS_TYPE_READ, 1, big, NULL));
	assert_false(one.busy);
	big[XS_REQUEST_MAX - 1] = '\0';
	assert_false(xs_send(&xs, &one, XS_TYPE_WRITE, 1, big, "v"));
	assert_true(xs_send(&xs, &one, XS_TYPE_READ, 1, big, NULL));
}

/* [utest->req~xenstored-is-bounded~1] */
static void test_strangers(void **state)
{
	uint32_t id;

	(void)state;
	assert_int_equal(answer(XS_TYPE_READ, 77, "x"), 0); /* nobody asked */
	assert_true(xs_send(&xs, &one, XS_TYPE_READ, 100, "a", NULL));
	assert_int_equal(answer(XS_TYPE_READ, 1, "x"), 0); /* not sent yet */
	id = flush(1);
	assert_int_equal(answer(XS_TYPE_READ, id + 1, "x"), 0);
	assert_int_equal(answer(XS_TYPE_WRITE, id, "x"), 0);
	assert_int_equal(answer(XS_TYPE_READ, 0, "x"), 0); /* only for a WATCH */
	assert_int_equal(answer(99, id, "x"), 0);
	assert_int_equal(dones, 0);
	assert_int_equal(answer(XS_TYPE_READ, id, "x"), 0);
	assert_int_equal(dones, 1);
	assert_true(xs_send(&xs, &one, XS_TYPE_WATCH, 100, "a", "t"));
	flush(1);
	assert_int_equal(answer(XS_TYPE_WATCH, 0, "OK"), 0); /* the kernel's own */
	assert_int_equal(dones, 2);
}

static void test_errors(void **state)
{
	static const struct {
		const char *name;
		int err;
	} rows[] = {
		{"ENOENT", -ENOENT}, {"EACCES", -EACCES}, {"EQUOTA", -EIO}, {"", -EIO}};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_true(xs_send(&xs, &one, XS_TYPE_READ, 100, "a", NULL));
		answer(XS_TYPE_ERROR, flush(1), rows[i].name);
		assert_int_equal(last_err, rows[i].err);
	}
	assert_true(xs_send(&xs, &one, XS_TYPE_WATCH, 100, "a", "t"));
	flush(1); /* a WATCH that the kernel refuses fails in its write */
	setup(NULL);
	assert_true(xs_send(&xs, &one, XS_TYPE_WATCH, 100, "a", "t"));
	xs_output(&xs, 1, &(const char *){NULL});
	xs_wrote(&xs, -EEXIST);
	assert_int_equal(last_err, -EEXIST);
}

/* One at a time, in order; a late answer is taken for what it is.
 * [utest->req~xenstored-is-not-waited-for~1] */
static void test_late(void **state)
{
	const char *out;
	uint32_t id;

	(void)state;
	assert_true(xs_send(&xs, &one, XS_TYPE_READ, 100, "a", NULL));
	assert_true(xs_send(&xs, &two, XS_TYPE_READ, 300, "b", NULL));
	id = flush(1);
	assert_int_equal(xs_output(&xs, 2, &out), 0);
	xs_tick(&xs, 99);
	assert_int_equal(dones, 0);
	xs_tick(&xs, 100);
	assert_int_equal(dones, 1);
	assert_int_equal(last_err, -ETIMEDOUT);
	assert_int_equal(xs_output(&xs, 101, &out), 0); /* still owed */
	assert_false(xs_stuck(&xs, 1 + XS_STUCK_NS));
	assert_true(xs_stuck(&xs, 2 + XS_STUCK_NS));
	assert_int_equal(answer(XS_TYPE_READ, id, "late"), 0);
	assert_int_equal(dones, 1);
	id = flush(102);
	assert_int_equal(answer(XS_TYPE_READ, id, "b's"), 0);
	assert_string_equal(last_value, "b's");
}

static void test_cancel(void **state)
{
	uint32_t id;

	(void)state;
	assert_true(xs_send(&xs, &one, XS_TYPE_READ, 100, "a", NULL));
	id = flush(1);
	xs_cancel(&xs, &one);
	xs_cancel(&xs, &one);
	assert_true(xs_send(&xs, &one, XS_TYPE_READ, 100, "b", NULL));
	assert_int_equal(answer(XS_TYPE_READ, id, "a's"), 0);
	assert_int_equal(dones, 0);
	assert_int_equal(answer(XS_TYPE_READ, flush(1), "b's"), 0);
	assert_string_equal(last_value, "b's");
}

static void again(struct xs_request *request)
{
	dones++;
	assert_int_equal(request->err, -ECONNRESET);
	assert_true(xs_send(&xs, request, XS_TYPE_READ, 100, "a", NULL));
}

static void test_reset(void **state)
{
	(void)state;
	one.done = again;
	assert_true(xs_send(&xs, &one, XS_TYPE_READ, 100, "a", NULL));
	assert_true(xs_send(&xs, &two, XS_TYPE_READ, 100, "b", NULL));
	flush(1);
	xs_input(&xs, "part", 4);
	xs_reset(&xs);
	assert_int_equal(dones, 2);
	assert_true(one.busy);
	assert_false(two.busy);
	assert_int_equal(answer(XS_TYPE_EVENT, 0, "x"), 0); /* no token: no event */
	assert_int_equal(events, 0);
}

static void test_storm(void **state)
{
	char bytes[64];
	size_t n = build(bytes, XS_TYPE_EVENT, 0, "p\0t", 4);

	(void)state;
	for (unsigned i = 0; i < 1000000; i++)
		assert_int_equal(xs_input(&xs, bytes, n), 0);
	assert_int_equal(events, 1000000);
	n = build(bytes, XS_TYPE_EVENT, 0, "no end", 6);
	assert_int_equal(xs_input(&xs, bytes, n), 0);
	assert_int_equal(events, 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_split, setup),
		cmocka_unit_test_setup(test_bytewise, setup),
		cmocka_unit_test_setup(test_oversize, setup),
		cmocka_unit_test_setup(test_strangers, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_late, setup),
		cmocka_unit_test_setup(test_cancel, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_storm, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
