/* SPDX-License-Identifier: MIT */
/* xdd-attach detach and list, on a xenstore and a Xen in memory. */
#include "attach_scene.h"

/* -- Detach ---------------------------------------------------------------------- */

/* A back end, as a keeper is: Closed, and two seconds later its directory away. */
static void closes(struct world *w)
{
	(void)w;
	if (!world_read(BACK "/online") || strcmp(world_read(BACK "/online"), "0"))
		return;
	if (strcmp(world_read(BACK "/state"), "6"))
		world_write(BACK "/state", "6");
	else
		world_remove(BACK);
}

static void closes_and_forgets(struct world *w)
{
	(void)w;
	world_write(BACK "/state", "6");
}

static void detaches(void **state)
{
	unsigned nodes = world_count();

	(void)state;
	assert_int_equal(attach("root"), 0);
	world.paused = closes;
	assert_int_equal(detach("root"), 0);
	says("asked the back end to close, up to 10 s");
	says("root: is detached");
	assert_null(world_read(FRONT));
	assert_null(world_read(COPY));
	assert_null(world_read("/local/domain/2/backend/vbd"));
	/* What is left of it: the one directory that was not there before. */
	assert_int_equal(world_count(), nodes + 1);
	is("/local/domain/2/backend", "");
	assert_int_equal(detach("root"), EXIT_FAILED);
	says("device xvda of domain 5 is not attached");
	assert_int_equal(attach("root"), 0);
}

/* By virtio: its own kind, so the disk beside it stays. */
static void a_virtio_device(void **state)
{
	(void)state;
	files_write("v.policy", "Format = 1\n[Backend]\nClass = blk\nDoor = virtio\n"
				"Resource = /dev/null\n[Client]\nDomain = 5\n"
				"Device = xvda\n" FILES_TAIL);
	files_write("v.attach", "Format = 1\n[Attach]\nBackend = drv\nClient = ivi\n");
	assert_int_equal(attach("root"), 0);
	assert_int_equal(attach("v"), 0);
	options.force = true;
	assert_int_equal(detach("v"), 0);
	assert_null(world_read("/local/domain/2/backend/vmsg_blk"));
	assert_null(world_read("/local/domain/5/device/vmsg_blk/51712"));
	assert_null(world_read("/libxl/5/device/vmsg_blk/51712"));
	is(BACK "/state", "1");
	is(FRONT "/state", "1");
}

static void in_use(void **state)
{
	(void)state;
	assert_int_equal(attach("root"), 0);
	world_write(FRONT "/state", "4");
	assert_int_equal(detach("root"), EXIT_FAILED);
	says("still in use after 10 s: back end Closing, front end Connected");
	is(BACK "/online", "0");
	is(COPY "/online", "1");
	assert_int_equal(world.now, 10000000000ULL);
	options.force = true;
	assert_int_equal(detach("root"), 0);
	assert_null(world_read(BACK));
	assert_int_equal(world.now, 10000000000ULL);
}

static void left_behind(void **state)
{
	(void)state;
	assert_int_equal(attach("root"), 0);
	world.paused = closes_and_forgets;
	assert_int_equal(detach("root"), 0);
	says("closed, but left its directory");
	assert_null(world_read(BACK));
}

/* Others of the same kind stay. */
static void one_of_two(void **state)
{
	(void)state;
	files_device("two", "Domain = any\nTag = two\nDevice = xvdb", "drv", "ivi");
	assert_int_equal(attach("root"), 0);
	assert_int_equal(attach("two"), 0);
	options.force = true;
	assert_int_equal(detach("root"), 0);
	assert_null(world_read(BACK));
	is("/local/domain/2/backend/vbd/5/51728/params", "two");
	is("/local/domain/5/device/vbd/51728/state", "1");
}

/* The same place, but another policy's device stands there. */
static void another_instance(void **state)
{
	(void)state;
	files_device("other", "Domain = any\nTag = other\nDevice = xvda", "drv", "ivi");
	assert_int_equal(attach("root"), 0);
	assert_int_equal(detach("other"), EXIT_FAILED);
	says("device xvda of domain 5 was attached as \"root\"");
	is(BACK "/online", "1");
	options.force = true;
	assert_int_equal(detach("other"), 0);
	assert_null(world_read(BACK));
}

/* The driver domain is not there, under any name. */
static void without_the_driver_domain(void **state)
{
	(void)state;
	assert_int_equal(attach("root"), 0);
	world_destroy(2, true);
	assert_int_equal(detach("root"), 0);
	assert_null(world_read(FRONT));
	assert_null(world_read(COPY));
}

/* -- List -------------------------------------------------------------------------- */

static char listed[8192];

static int list(const char *backend, bool json)
{
	const struct command command = {&world.control, &options, 0, NULL};
	int saved = dup(STDOUT_FILENO), status;
	FILE *file = tmpfile();
	size_t len;

	assert_non_null(file);
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	options.target.backend = backend;
	options.json = json;
	status = list_main(&command);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	len = fread(listed, 1, sizeof(listed) - 1, file);
	listed[len] = '\0';
	fclose(file);
	return status;
}

static void lists(const char *text)
{
	if (!strstr(listed, text))
		fail_msg("no \"%s\" in:\n%s", text, listed);
}

static void listing(void **state)
{
	(void)state;
	assert_int_equal(list(NULL, false), 0);
	assert_string_equal(listed, "");
	assert_int_equal(list(NULL, true), 0);
	assert_string_equal(listed, "[]\n");
	assert_int_equal(attach("root"), 0);
	world_write(BACK "/state", "4");
	world_write(BACK "/xdd-reason", "a \"b\"\n\033[2J");
	world_write(FRONT "/state", "99");
	world_write("/local/domain/2/backend/vbd/5/x/state", "4");
	assert_int_equal(list(NULL, false), 0);
	lists("DRIVER");
	lists("2    drv          5     ivi          vbd        51712  xvda   root  "
	      "       "
	      "ivi_root     Connected    Unknown      a \"b\"??[2J\n");
	assert_int_equal(list(NULL, true), 0);
	lists("\"backend\": 2, \"backend_name\": \"drv\", \"client\": 5, ");
	lists("\"device\": 51712, \"device_name\": \"xvda\", \"instance\": \"root\"");
	lists("\"reason\": \"a \\u0022b\\u0022\\u000a\\u001b[2J\"}\n]\n");
	assert_int_equal(list("drv", false), 0);
	lists("ivi_root");
	assert_int_equal(list("ivi", false), 0);
	assert_string_equal(listed, "");
	assert_int_equal(list("nobody", false), EXIT_FAILED);
	world_write("/local/domain/2/backend/vmsg_blk/5/7/params", "v");
	world_write("/local/domain/2/backend/vmsg_blk/5/7/state", "2");
	assert_int_equal(list(NULL, false), 0);
	lists("2    drv          5     ivi          vmsg_blk   7                   "
	      "       "
	      "v            InitWait     gone");
	world_remove(FRONT);
	assert_int_equal(list("drv", false), 0);
	lists("Connected    gone");
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(detaches),
		TEST(a_virtio_device),
		TEST(in_use),
		TEST(left_behind),
		TEST(one_of_two),
		TEST(another_instance),
		TEST(without_the_driver_domain),
		TEST(listing),
	};

	return cmocka_run_group_tests(tests, scene_begin, scene_end);
}
