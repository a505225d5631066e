/* SPDX-License-Identifier: MIT */
/*
 * backends/displ/lessor-policy.c and lessor-card.c on a made-up card: who gets what of
 * it, who gets nothing, and what becomes of leases.
 */
#include <drm_fourcc.h>
#include <errno.h>
#include <xf86drm.h>

#include "grant-mem/seal.h"
#include "tests/unit/lessor_scene.h"

_Static_assert(SEAL_DRM_MODE_CREATE_LEASE == DRM_IOCTL_MODE_CREATE_LEASE &&
		       SEAL_DRM_MODE_REVOKE_LEASE == DRM_IOCTL_MODE_REVOKE_LEASE,
	       "those of the lessor's door");

static int begin(void **state)
{
	(void)state;
	scene_begin();
	return 0;
}

static int end(void **state)
{
	(void)state;
	lessor_fini(&lessor);
	assert_int_equal(drm_fake.answers, 0);
	return 0;
}

/* Whose connectors those are, and that nothing is had twice. */
static void gets(unsigned which, uint32_t connectors)
{
	const struct lessor_instance *in = &lessor.instance[which];
	uint32_t bits = 0;

	for (uint32_t i = 0; i < in->objects; i += LESSOR_OBJECTS) {
		bits |= 1u << (in->object[i] - DRM_FAKE_CONNECTOR);
		assert_in_range(in->object[i + 1], DRM_FAKE_CRTC, DRM_FAKE_CRTC + 3);
		assert_in_range(in->object[i + 2], DRM_FAKE_PLANE, DRM_FAKE_PLANE + 3);
	}
	assert_int_equal(bits, connectors);
}

static void nothing_twice(void)
{
	bool seen[64] = {false};

	for (unsigned i = 0; i < lessor.instances; i++) {
		const struct lessor_instance *in = &lessor.instance[i];

		for (uint32_t k = 0; k < in->objects; k++) {
			assert_false(seen[in->object[k]]);
			seen[in->object[k]] = true;
		}
	}
}

static void opened(void)
{
	assert_int_equal(lessor_open(&lessor), 0);
	nothing_twice();
}

/* -- Policies -------------------------------------------------------------- */

static void not_good(const char *name, const char *what)
{
	scene_listen();
	scene_add(name);
	scene_heard_of(what);
	assert_int_equal(lessor.instance[lessor.instances - 1].policy.heads, 0);
}

static void policies(void **state)
{
	(void)state;
	scene_lease("good", "Connector0 = HDMI-A-1 1920x1080\n");
	scene_policy("master", "drm:/dev/dri/card0", "Connector0 = DP-1 64x64\n");
	scene_policy("other", "lease:/dev/dri/card9", "Connector0 = DP-1 64x64\n");
	scene_policy("wrong", "disk", "Connector0 = DP-1 64x64\n");
	scene_lease("gap", "Connector1 = DP-1 64x64\n");
	scene_lease("twice", "Connector0 = A 64x64\nConnector1 = A 64x64\n");
	scene_lease("typo", "Conector0 = A 64x64\n");
	scene_listen();
	scene_add("good");
	assert_string_equal(scene_heard(), "");
	assert_int_equal(lessor.instance[0].policy.heads, 1);
	not_good("master", "not a lease of this card");
	not_good("other", "not a lease of this card");
	not_good("wrong", "does not go together");
	not_good("gap", "no good policy of a display");
	not_good("twice", "does not go together");
	not_good("typo", "no good policy of a display");
	not_good("none", "none.policy: No such file");
	scene_listen();
	opened();
	scene_heard();
	gets(0, 1);
	for (unsigned i = 1; i < lessor.instances; i++)
		gets(i, 0);
	while (lessor.instances < LESSOR_INSTANCES_MAX)
		scene_add("good");
	assert_false(lessor_add(&lessor, scene_dir, "good"));
}

/* -- Who gets what --------------------------------------------------------- */

static void three(void)
{
	scene_lease("a", "Connector0 = HDMI-A-1 1920x1080\n");
	scene_lease("b", "Connector0 = DP-1 1920x1080\nConnector1 = HDMI-A-2 64x64\n");
	scene_lease("c", "Connector0 = HDMI-A-3 1920x1080\n");
	scene_add("a");
	scene_add("b");
	scene_add("c");
}

/* [utest->req~nothing-is-lent-twice~1] */
static void to_each_its_own(void **state)
{
	(void)state;
	three();
	opened();
	gets(0, 1);
	gets(1, 6);
	gets(2, 8);
	assert_int_equal(drm_fake.off, 0);
	assert_int_equal(drm_fake.probed, 0);
}

/* The last one can be fed by one CRTC only: the first does without it. */
static void over_all_of_them(void **state)
{
	(void)state;
	three();
	drm_fake.connector[3].possible = 1;
	opened();
	assert_int_equal(lessor.instance[2].object[1], DRM_FAKE_CRTC);
	gets(0, 1);
}

/* A card that has not enough, or not that one: who comes later goes without. */
static void who_comes_later(void **state)
{
	(void)state;
	three();
	drm_fake.crtcs = 2;
	scene_listen();
	opened();
	scene_heard_of("b: " /* who */);
	assert_non_null(strstr(scene_said, "beside what others have"));
	gets(0, 1);
	gets(1, 0);
	gets(2, 8);

	end(NULL);
	scene_begin();
	three();
	drm_fake.connectors = 2;
	scene_listen();
	opened();
	scene_heard_of("has no connector HDMI-A-2: it has HDMI-A-1 DP-1\n");
	gets(0, 1);
	gets(1, 0);
	gets(2, 0);

	end(NULL);
	scene_begin();
	scene_lease("b", "Connector0 = DP-1 64x64\nConnector1 = HDMI-A-1 64x64\n");
	scene_lease("c", "Connector0 = DP-1 64x64\n");
	scene_add("a");
	scene_add("b");
	scene_add("c");
	scene_listen();
	opened();
	scene_heard_of("b: Connector1 is HDMI-A-1, which another instance");
	gets(0, 1);
	gets(1, 0);
	gets(2, 2); /* it was never that of the one that got nothing */
}

/* Of each what it shows, not what the others do. */
static void formats(void **state)
{
	(void)state;
	scene_lease("a", "Connector0 = HDMI-A-1 64x64\nAlpha = yes\n");
	scene_lease("b", "Connector0 = DP-1 64x64\n");
	scene_add("a");
	scene_add("b");
	drm_fake.connector[0].possible = drm_fake.connector[1].possible = 3;
	drm_fake.plane[0].possible = drm_fake.plane[1].possible = 3;
	drm_fake.planes = 2;
	drm_fake.plane[1].formats[1] = DRM_FORMAT_ARGB8888;
	opened();
	assert_int_equal(lessor.instance[0].object[2], DRM_FAKE_PLANE + 1);
	assert_int_equal(lessor.instance[1].object[2], DRM_FAKE_PLANE);
}

/* What feeds a connector of nobody's by a CRTC that must be had is off before. */
static void turned_off(void **state)
{
	(void)state;
	scene_lease("a", "Connector0 = HDMI-A-1 1920x1080\n");
	scene_add("a");
	drm_fake.connector[0].possible = 4;
	drm_fake.connector[3].crtc = DRM_FAKE_CRTC + 2;
	opened();
	assert_int_equal(drm_fake.off, 4);
}

static void no_card(void **state)
{
	(void)state;
	three();
	drm_fake.master = false;
	drm_fake.set_master = EBUSY;
	scene_listen();
	assert_int_equal(lessor_open(&lessor), -EBUSY);
	scene_heard_of("fuser -v");
	drm_fake.master = true;
	lessor.card = "/nowhere/card0";
	scene_listen();
	assert_int_equal(lessor_open(&lessor), -ENOENT);
	scene_heard_of("/nowhere/card0: No such file or directory (its module");
}

/* Each call in its turn: nobody has what another one has. */
static void each_call(void **state)
{
	unsigned all;

	(void)state;
	three();
	opened();
	all = drm_fake.calls;
	assert_true(all > 50);
	for (unsigned i = 1; i <= all; i++) {
		end(NULL);
		scene_begin();
		three();
		drm_fake.fail = i;
		drm_fake.error = EIO;
		scene_listen();
		if (!lessor_open(&lessor))
			nothing_twice();
		scene_heard();
	}
}

/* -- Leases ---------------------------------------------------------------- */

static int lent(unsigned which)
{
	int fd = lessor_lend(&lessor, &lessor.instance[which]);

	assert_true(fd >= 0);
	return fd;
}

/* Its successor has it, and others notice nothing. */
static void taken_over(void **state)
{
	const struct drm_fake_lease *lease = drm_fake.lease;
	int fds[3];

	(void)state;
	three();
	opened();
	fds[0] = lent(0);
	fds[1] = lent(1);
	fds[2] = lent(0);
	assert_true(lease[0].revoked && !lease[1].revoked && !lease[2].revoked);
	assert_int_equal(lease[2].objects, 3);
	assert_int_equal(lease[1].objects, 6);
	assert_memory_equal(lease[0].object, lease[2].object, 12);
	assert_int_equal(lessor_lent(&lessor), 2);
	for (unsigned i = 0; i < 3; i++)
		close(fds[i]);
}

/* The kernel gives the number of a lease that is gone to the next one: that one is not
 * taken from who has it. [utest->req~nothing-is-lent-twice~1] */
static void numbers_again(void **state)
{
	int fds[4];

	(void)state;
	three();
	opened();
	fds[0] = lent(0);
	drm_fake_lessee_ends(lessor.instance[0].lessee);
	fds[1] = lent(1);
	assert_int_equal(lessor.instance[1].lessee, 1);
	fds[2] = lent(0);
	assert_int_equal(drm_fake.revoked, 0);
	assert_int_equal(lessor.instance[0].lessee, 2);
	fds[3] = lent(1);
	assert_int_equal(drm_fake.revoked, 1);
	assert_true(drm_fake.lease[1].revoked);
	for (unsigned i = 0; i < 4; i++)
		close(fds[i]);
}

static void lease_that_fails(void **state)
{
	int fd;

	(void)state;
	three();
	opened();
	drm_fake.calls = 0;
	drm_fake.fail = 1;
	drm_fake.error = EACCES;
	assert_int_equal(lessor_lend(&lessor, &lessor.instance[0]), -EACCES);
	assert_int_equal(lessor.instance[0].lessee, 0);
	fd = lent(0);
	assert_int_equal(lessor.instance[0].lessee, 1);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(policies),	       TEST(to_each_its_own),  TEST(over_all_of_them),
		TEST(who_comes_later), TEST(formats),	       TEST(turned_off),
		TEST(no_card),	       TEST(each_call),	       TEST(taken_over),
		TEST(numbers_again),   TEST(lease_that_fails),
	};

	return cmocka_run_group_tests(tests, scene_make, scene_remove);
}
