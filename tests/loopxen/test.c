/* SPDX-License-Identifier: MIT */
/* loopxen itself: it must be strict, or what is proven on it is not. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/loopxen/loopxen-world.h"

#define BACK  ((struct domid){2})
#define FRONT ((struct domid){3})

static struct loopxen *x;
static struct policy policy;
static struct loopxen_back *back;
static const struct loopxen_device dev = {{2}, {3}, "vbd", 51712};

static int setup(void **state)
{
	(void)state;
	policy = (struct policy){
		.class = POLICY_BLK,
		.domain = FRONT,
		.mode = POLICY_MAP,
		.client_pages = POLICY_BOTH,
		.ring_pages = 1,
		.data_pages = 16,
		.first_ref = {8},
		.last_ref = {8191},
	};
	x = loopxen_new();
	loopxen_domain(x, BACK);
	loopxen_domain(x, FRONT);
	loopxen_attach(x, &dev, "w", "disk");
	back = loopxen_back_new(x, &policy, &dev);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loopxen_free(x);
	return 0;
}

/* True if @act ends in @sig, in a child. */
static bool dies(void (*act)(void *), void *arg, int sig)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		/* cmocka's own handler of faults would speak for us. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		act(arg);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == sig;
}

static void write_byte(void *p)
{
	*(volatile uint8_t *)p = 1;
}

static void read_byte(void *p)
{
	uint8_t v = *(volatile uint8_t *)p;

	(void)v;
}

static void read_only_maps_fault(void **state)
{
	struct gref ref = loopxen_grant(x, FRONT, loopxen_page(x, FRONT), BACK, true);
	struct grants_map map;
	void *addr;

	(void)state;
	assert_int_equal(grants_map(&back->grants, &ref, 1, true, &map), GRANTS_BAD);
	assert_int_equal(grants_map(&back->grants, &ref, 1, false, &map), GRANTS_OK);
	addr = map.addr;
	assert_false(dies(read_byte, addr, SIGSEGV));
	assert_true(dies(write_byte, addr, SIGSEGV));
	assert_false(loopxen_revoke(x, FRONT, ref));
	assert_int_equal(grants_unmap(&back->grants, &map), GRANTS_OK);
	assert_null(map.addr);
	assert_true(dies(read_byte, addr, SIGSEGV));
	assert_true(loopxen_revoke(x, FRONT, ref));
}

static void map_twice_in_a_call(void *arg)
{
	struct gref refs[2] = {*(struct gref *)arg, *(struct gref *)arg};
	struct grants_map map;

	grants_map(&back->grants, refs, 2, true, &map);
}

static void unmap_twice(void *arg)
{
	struct gref *ref = arg;
	struct grants_map map, again;

	grants_map(&back->grants, ref, 1, true, &map);
	again = map;
	grants_unmap(&back->grants, &map);
	grants_unmap(&back->grants, &again);
}

static void our_own_mistakes_abort(void **state)
{
	struct gref ref = loopxen_grant(x, FRONT, loopxen_page(x, FRONT), BACK, false);

	(void)state;
	assert_true(dies(map_twice_in_a_call, &ref, SIGABRT));
	assert_true(dies(unmap_twice, &ref, SIGABRT));
}

static void policy_is_asked(void **state)
{
	struct gref refs[20];
	struct grants_map map, more;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		refs[i] = loopxen_grant(x, FRONT, loopxen_page(x, FRONT), BACK, false);
	assert_int_equal(grants_map(&back->grants, refs, 17, true, &map),
			 GRANTS_REFUSED);
	assert_int_equal(grants_map(&back->grants, refs, 16, true, &map), GRANTS_OK);
	assert_int_equal(loopxen_back_pages(back), 16);
	assert_int_equal(loopxen_back_holds(back), 16);
	assert_int_equal(grants_map(&back->grants, refs + 16, 1, true, &more),
			 GRANTS_REFUSED);
	grants_unmap(&back->grants, &map);
	policy.last_ref = (struct gref){refs[0].v};
	assert_int_equal(grants_map(&back->grants, refs + 1, 1, true, &map),
			 GRANTS_REFUSED);
	policy.client_pages = POLICY_READABLE;
	assert_int_equal(grants_map(&back->grants, refs, 1, true, &map),
			 GRANTS_REFUSED);
}

static void events_mask_and_coalesce(void **state)
{
	struct evport theirs = loopxen_port(x, FRONT, BACK), ours, port;
	char path[128], text[8];

	(void)state;
	snprintf(text, sizeof(text), "%u", theirs.v);
	assert_int_equal(evtchn_bind(&back->evtchn, "event-channel", &ours),
			 EVTCHN_ABSENT);
	loopxen_path(&dev, STORE_FRONT, "event-channel", path, sizeof(path));
	loopxen_write(x, FRONT, path, text);
	assert_int_equal(evtchn_bind(&back->evtchn, "state", &ours), EVTCHN_REFUSED);
	assert_int_equal(evtchn_bind(&back->evtchn, "event-channel", &ours), EVTCHN_OK);
	assert_int_equal(loopxen_back_holds(back), 1);
	assert_int_equal(evtchn_pending(&back->evtchn, &port), 1); /* at the bind */
	loopxen_notify(x, FRONT, theirs);
	loopxen_notify(x, FRONT, theirs);
	assert_int_equal(evtchn_pending(&back->evtchn, &port), 0); /* masked */
	evtchn_unmask(&back->evtchn, ours);
	assert_int_equal(evtchn_pending(&back->evtchn, &port), 1);
	evtchn_unmask(&back->evtchn, ours);
	assert_int_equal(evtchn_pending(&back->evtchn, &port), 0); /* coalesced */
	assert_false(loopxen_fired(x, FRONT, theirs));
	evtchn_notify(&back->evtchn, ours);
	assert_true(loopxen_fired(x, FRONT, theirs));
	/* A dead back end's port can be bound again by the next one. */
	loopxen_back_kill(back);
	back = loopxen_back_new(x, &policy, &dev);
	assert_int_equal(evtchn_bind(&back->evtchn, "event-channel", &ours), EVTCHN_OK);
	assert_int_equal(evtchn_unbind(&back->evtchn, ours), EVTCHN_OK);
}

static void store_rights(void **state)
{
	char path[128], value[STORE_VALUE_MAX + 1], huge[400];
	struct store_status status;

	(void)state;
	loopxen_path(&dev, STORE_BACK, "mode", path, sizeof(path));
	assert_false(loopxen_write(x, FRONT, path, "w"));
	assert_string_equal(loopxen_read(x, FRONT, path), "w");
	assert_null(loopxen_read(x, (struct domid){0}, "/nowhere"));
	assert_int_equal(store_write(&back->store, "mode", "w"), STORE_REFUSED);
	assert_int_equal(store_write(&back->store, "sectors", "8"), STORE_OK);
	assert_int_equal(store_read(&back->store, STORE_BACK, "sectors", value, 256),
			 STORE_OK);
	assert_string_equal(value, "8");
	memset(huge, 'a', sizeof(huge));
	loopxen_path(&dev, STORE_FRONT, "protocol", path, sizeof(path));
	loopxen_write_bytes(x, FRONT, path, huge, sizeof(huge));
	assert_int_equal(store_read(&back->store, STORE_FRONT, "protocol", value, 256),
			 STORE_TOO_LONG);
	loopxen_write_bytes(x, FRONT, path, "a\0b", 3);
	assert_int_equal(store_read(&back->store, STORE_FRONT, "protocol", value, 256),
			 STORE_TOO_LONG);
	assert_int_equal(store_poll(&back->store, &status), 1);
	assert_true(status.present && status.online && status.generation == 1);
	assert_int_equal(store_poll(&back->store, &status), 0);
	assert_int_equal(store_remove(&back->store), STORE_OK);
	assert_int_equal(store_poll(&back->store, &status), 1);
	assert_false(status.present);
	assert_int_equal(store_write(&back->store, "state", "6"), STORE_OK);
	assert_int_equal(store_poll(&back->store, &status), 0); /* still gone */
}

static void watches_coalesce(void **state)
{
	char path[128];

	(void)state;
	loopxen_path(&dev, STORE_FRONT, NULL, path, sizeof(path));
	assert_true(loopxen_watch(x, path));
	assert_false(loopxen_watch(x, path));
	loopxen_path(&dev, STORE_FRONT, "state", path, sizeof(path));
	for (int i = 0; i < 1000; i++)
		loopxen_write(x, FRONT, path, i % 2 ? "4" : "6");
	loopxen_path(&dev, STORE_FRONT, NULL, path, sizeof(path));
	assert_true(loopxen_watch(x, path));
	assert_false(loopxen_watch(x, path));
}

static void death_with_maps_live(void **state)
{
	uint8_t *page = loopxen_page(x, FRONT);
	struct gref ref = loopxen_grant(x, FRONT, page, BACK, false);
	struct grants_map map, more;

	(void)state;
	page[0] = 42;
	assert_int_equal(grants_map(&back->grants, &ref, 1, true, &map), GRANTS_OK);
	loopxen_destroy(x, FRONT);
	assert_int_equal(((uint8_t *)map.addr)[0], 42); /* the page outlives it */
	assert_int_equal(grants_map(&back->grants, &ref, 1, true, &more), GRANTS_BAD);
	assert_int_equal(grants_unmap(&back->grants, &map), GRANTS_OK);
}

static void faults_come_when_asked(void **state)
{
	struct gref ref = loopxen_grant(x, FRONT, loopxen_page(x, FRONT), BACK, false);
	struct grants_map map;

	(void)state;
	loopxen_fail(x, LOOPXEN_MAP, 1, -EIO);
	assert_int_equal(grants_map(&back->grants, &ref, 1, true, &map), GRANTS_OK);
	grants_unmap(&back->grants, &map);
	assert_int_equal(grants_map(&back->grants, &ref, 1, true, &map), -EIO);
	assert_int_equal(grants_map(&back->grants, &ref, 1, true, &map), GRANTS_OK);
	grants_unmap(&back->grants, &map);
	loopxen_fail(x, LOOPXEN_MAP, 0, -EIO);
	assert_true(loopxen_fail_left(x, LOOPXEN_MAP));
}

static void leaks_are_told(void **state)
{
	struct gref ref = loopxen_grant(x, FRONT, loopxen_page(x, FRONT), BACK, false);
	struct grants_map map;

	assert_int_equal(grants_map(&back->grants, &ref, 1, true, &map), GRANTS_OK);
	assert_int_equal(loopxen_free(x), 1);
	setup(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(read_only_maps_fault), TEST(our_own_mistakes_abort),
		TEST(policy_is_asked),	    TEST(events_mask_and_coalesce),
		TEST(store_rights),	    TEST(watches_coalesce),
		TEST(death_with_maps_live), TEST(faults_come_when_asked),
		TEST(leaks_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
