/* SPDX-License-Identifier: MIT */
/*
 * xddctl probe: the back end's own unit starts the probe and then the back end again,
 * whatever the probe does; and what it says is what the probe said to its end.
 */
#include "ctl_scene.h"

#define WAITS "StatusText=waiting for the device in backend/vbd"
#define SUMS  "{\"refused\":2,\"allowed\":0,\"skipped\":1}\n"
#define TRIES                                                                          \
	"{\"name\":\"open-mem\",\"result\":\"refused\",\"detail\":\"EPERM\"}\n"        \
	"{\"name\":\"x\\u001b\",\"result\":\"skipped\",\"detail\":\"no client\"}\n"

/* What systemctl does: it keeps the drop-in that it saw, and the probe prints. */
static void probe_prints(const char *said, int status)
{
	char text[256];

	scene_file("printed", said);
	snprintf(text, sizeof(text),
		 "drop=$XDD_ROOT/run/systemd/system/xdd-blk@disk.service.d\n"
		 "if [ \"$1\" = start ] && [ -d $drop ]; then\n"
		 "	cat $drop/* >$XDD_ROOT/seen\n"
		 "	cp $XDD_ROOT/printed $XDD_ROOT/run/xdd-probe.disk\n"
		 "	exit %d\nfi\n",
		 status);
	scene_file("do", text);
}

static int fresh(void **state)
{
	(void)state;
	if (shell("rm -rf etc/xdd/* var/log/xdd/disk/* run/systemd/system/* calls seen "
		  "do && touch calls"))
		return -1;
	scene_policy("disk", "16");
	scene_log("disk", "start", "\"instance\":\"disk\",\"class\":\"blk\"");
	scene_show(scene_unit("keeper@disk", "active", WAITS),
		   scene_unit("blk@disk", "active", ""));
	return 0;
}

#define START "start -- xdd-blk@disk.service\n"
#define AROUND                                                                         \
	"stop -- xdd-blk@disk.service\ndaemon-reload\n" START                          \
	"daemon-reload\nreset-failed -- xdd-blk@disk.service\n" START

/* The drop-in has gone, and the back end is there again. */
static void is_as_before(const char *want)
{
	assert_int_equal(shell("cat calls; : >calls"), 0);
	assert_string_equal(output, want);
	assert_int_equal(
		shell("find run/systemd/system run/xdd-probe.disk 2>/dev/null"), 1);
	assert_string_equal(output, "run/systemd/system\n");
}

static void refused(void **state)
{
	(void)state;
	probe_prints(TRIES SUMS, 0);
	assert_int_equal(ctl("probe disk"), 0);
	says("refused  open-mem  (EPERM)\n");
	says("skipped  x\\x1b  (no client)\n");
	says("disk: 2 refused, 0 allowed, 1 skipped\n");
	is_as_before(AROUND);
	assert_int_equal(shell("cat seen"), 0);
	says("Type=oneshot\n");
	says("xdd-enter --class blk disk -- ");
	says("xdd-probe --sealed --json\n");
	assert_int_equal(ctl("probe --json disk"), 0);
	says("{\"refused\":2,\"allowed\":0,\"skipped\":1}\n");
	is_as_before(AROUND);
	/* one that did not run is not started */
	scene_show(scene_unit("keeper@disk", "active", WAITS),
		   scene_unit("blk@disk", "inactive", ""));
	assert_int_equal(ctl("probe disk"), 0);
	is_as_before("daemon-reload\n" START
		     "daemon-reload\nreset-failed -- xdd-blk@disk.service\n");
}

static void allowed(void **state)
{
	static const struct {
		const char *said, *says;
		int status;
	} rows[] = {
		{"{\"name\":\"open-mem\",\"result\":\"allowed\",\"detail\":\"done\"}\n"
		 "{\"refused\":2,\"allowed\":1,\"skipped\":0}\n",
		 "ALLOWED  open-mem  (done)\n", 1},
		{"{\"refused\":2,\"allowed\":1,\"skipped\":0}\n",
		 "1 things that a back end must not be able to do", 0},
		{TRIES, "the probe did not come to its end", 1},
		{"", "the probe did not come to its end", 0},
		{"garbage\n[]\n{\"allowed\":\"0\"}\n",
		 "the probe did not come to its end", 0},
		{"{\"lost\":\"gone\"}\n" SUMS, "its keeper hung up", 2},
		{"{\"lost\":\"gone\"}\n" SUMS, "its keeper hung up", 0},
		{SUMS, "its keeper hung up on the way, or the probe failed", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		probe_prints(rows[i].said, rows[i].status);
		assert_int_equal(ctl("probe disk"), 1);
		says(rows[i].says);
		is_as_before(AROUND);
	}
}

/* One that came before its back end had gone. */
static void not_late_either(void **state)
{
	(void)state;
	scene_file("do", "[ \"$1\" = stop ] && " SCENE_LOG "disk "
			 "state '\"present\":1,\"online\":1,\"back\":4,\"front\":4'\n");
	assert_int_equal(ctl("probe disk"), 1);
	says("its client is connected");
	is_as_before("stop -- xdd-blk@disk.service\n" START);
}

/* Not where a client would lose its device, nor where nothing stands between. */
static void not_tried(void **state)
{
	(void)state;
	probe_prints(SUMS, 0);
	scene_log("disk", "state", "\"present\":1,\"online\":1,\"back\":4,\"front\":4");
	assert_int_equal(ctl("probe disk"), 1);
	says("its client is connected");
	is_as_before("");
	scene_log("disk", "state", "\"present\":0,\"online\":0,\"back\":0,\"front\":0");
	scene_show(scene_unit("keeper@disk", "failed", ""), NULL);
	assert_int_equal(ctl("probe disk"), 1);
	says("its keeper does not run");
	scene_policy("disk", "none");
	assert_int_equal(ctl("probe disk"), 1);
	says("no good policy");
	is_as_before("");
	assert_int_equal(ctl("probe"), 2);
	assert_int_equal(ctl("probe nobody"), 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(refused, fresh),
		cmocka_unit_test_setup(allowed, fresh),
		cmocka_unit_test_setup(not_tried, fresh),
		cmocka_unit_test_setup(not_late_either, fresh),
	};

	if (argc > 1)
		return scene_main(argc, argv);
	return cmocka_run_group_tests(tests, scene_make, scene_unmake);
}
