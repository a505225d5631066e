/* SPDX-License-Identifier: MIT */
/*
 * xddctl list and prometheus, as a user sees them: what they make of the witnesses of
 * an instance, of those that contradict each other, and of those that lie.
 */
#include "ctl_scene.h"

#include <sha2.h>
#include <sys/stat.h>

#define SERVING "StatusText=serving d3 xvda, generation 1"
#define NUMBERS                                                                        \
	"{\"seq\":5,\"who\":\"disk d3 xvda\",\"pid\":4711,\"state\":\"connected\","    \
	"\"requests\":12,\"errors\":1,\"busy\":2,\"read_us\":[0,3,0,1],\"end\":5}"

static void is_plain(void)
{
	for (const char *c = output; *c; c++) {
		if (*c != '\n' && (*c < ' ' || *c > '~'))
			fail_msg("%02x in what is printed", (unsigned char)*c);
	}
}

/* A log up to where its client is connected, under the policy that is there. */
static void log_connected(const char *name)
{
	char path[256], digest[65] = "", members[256];

	snprintf(path, sizeof(path), "%s/etc/xdd/%s.policy", scene_dir, name);
	assert_non_null(SHA256File(path, digest));
	snprintf(members, sizeof(members),
		 "\"instance\":\"%s\",\"class\":\"blk\",\"policy\":\"%s\",\"boot\":"
		 "\"b\"",
		 name, digest);
	scene_log(name, "start", members);
	scene_log(name, "device", "\"text\":\"backend/vbd/3/51712, generation 1\"");
	scene_log(name, "connect", "\"text\":\"back end, pid 4711\"");
	scene_log(name, "state", "\"present\":1,\"online\":1,\"back\":2,\"front\":3");
	scene_log(name, "state", "\"present\":1,\"online\":1,\"back\":4,\"front\":4");
}

static int fresh(void **state)
{
	(void)state;
	if (shell("rm -rf etc/xdd/* var/log/xdd/* run/xdd-stats/* calls do && "
		  "mkdir var/log/xdd/disk run/xdd-stats/disk"))
		return -1;
	scene_policy("disk", "16");
	log_connected("disk");
	scene_numbers("disk", NUMBERS);
	scene_show(
		scene_unit("keeper@disk", "active", SERVING),
		scene_unit("blk@disk", "active", "StatusText=disk d3 xvda: connected"));
	return 0;
}

static void serves(void **state)
{
	(void)state;
	assert_int_equal(ctl("list"), 0);
	is_plain();
	says("disk             blk    pv      d3 (tag ivi)     xvda     serving   20");
	says_not("!");
	assert_int_equal(ctl("list --json"), 0);
	says("\"state\":\"serving\"");
	says("\"domid\":3,\"tag\":\"ivi\"");
	says("\"counts\":{\"requests\":12,\"errors\":1,\"busy\":2}");
	says("\"latency_us\":{\"read\":[0,3,0,1,0");
	says("\"problems\":[]");
	says("\"refused\":0,");
	assert_int_equal(ctl("list --json disk"), 0);
	assert_int_equal(ctl("list nobody"), 2);
	says("nobody: no such instance");
}

/* What only one of the witnesses says does not make it so. */
static void states(void **state)
{
	static const struct {
		const char *keeper, *status, *back_end, *state;
		int exit;
	} rows[] = {
		{"active", SERVING, "active", "serving", 0},
		{"active",
		 "StatusText=waiting for the back end of d3 xvda, generation 1",
		 "active", "waiting", 0},
		{"active", "StatusText=waiting for xenstore", "active", "waiting", 0},
		{"active", SERVING, "inactive", "drained", 0},
		{"active", SERVING, "activating", "starting", 0},
		{"activating", "", "active", "starting", 0},
		{"inactive", "", "inactive", "stopped", 0},
		{"active", SERVING, "failed", "failed", 1},
		{"failed", "", "inactive", "failed", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char want[32];

		scene_show(scene_unit("keeper@disk", rows[i].keeper, rows[i].status),
			   scene_unit("blk@disk", rows[i].back_end, ""));
		snprintf(want, sizeof(want), "\"state\":\"%s\"", rows[i].state);
		assert_int_equal(ctl("list --json"), rows[i].exit);
		says(want);
	}
	scene_show("", NULL);
	assert_int_equal(ctl("list"), 0);
	says("  tag ivi          xvda     stopped   -  ");
	scene_show(scene_unit("keeper@disk", "active", SERVING),
		   scene_unit("blk@disk", "active", ""));
	scene_log("disk", "state", "\"present\":1,\"online\":1,\"back\":5,\"front\":5");
	assert_int_equal(ctl("list"), 0);
	says("d3 (tag ivi)     xvda     waiting   -");
	scene_log("disk", "stop", "\"connected\":1");
	assert_int_equal(ctl("list"), 0);
	says("  tag ivi          xvda ");
}

/* What has to be told. */
static void problems(void **state)
{
	(void)state;
	scene_log("disk", "refused", "\"text\":\"map: Memory.GrantRefs, line 12\"");
	assert_int_equal(ctl("list --json"), 0);
	says("\"refused\":1,");
	says("\"last_refusal\":\"map: Memory.GrantRefs, line 12\"");

	scene_policy("disk", "17");
	assert_int_equal(ctl("list"), 1);
	says("! disk.policy is not what is in force: xddctl reload disk");
	scene_policy("disk", "none");
	assert_int_equal(ctl("list"), 1);
	says("! disk.policy:10: ");
	says(": the one before stays in force");
	assert_int_equal(shell("rm etc/xdd/disk.policy"), 0);
	assert_int_equal(ctl("list"), 1);
	says("! it has no policy file, and runs on");
	scene_policy("disk", "16");

	assert_int_equal(
		shell("sed -i '3s/front\\|text/other/' var/log/xdd/disk/audit.log"), 0);
	assert_int_equal(ctl("list"), 1);
	says("chain is broken");
	scene_file("etc/xdd/Odd-name.policy", "");
	assert_int_equal(ctl("list"), 1);
	says("! Odd-name.policy:0: not a name for an instance");
	scene_show(scene_unit("keeper@disk", "active", SERVING),
		   scene_unit("net@disk", "active", "Odd=1\nNeedDaemonReload=yes"));
	assert_int_equal(ctl("list"), 1);
	says("systemd could not be asked");
	scene_show(scene_unit("keeper@disk", "active", SERVING),
		   scene_unit("net@disk", "active", "NeedDaemonReload=yes"));
	assert_int_equal(ctl("list"), 1);
	says("! xdd-net@disk runs, and the policy is for xdd-blk@disk");
	says("! the files of xdd-net@disk have changed: systemctl daemon-reload");
}

/* A back end that was taken over: what it writes reaches neither terminal nor other
 * names, and what has not the form is not shown. */
static void liars(void **state)
{
	static const char *const frames[] = {
		"",
		"[]",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\"}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"end\":2}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"a\":-1,\"end\":"
		"1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"a\":1.5,\"end\":"
		"1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"A\":1,\"end\":1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"\":1,\"end\":1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"a\\\"} "
		"1\":1,\"end\":1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"a\":{},\"end\":"
		"1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"a\":1,\"a\":1,"
		"\"end\":1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"a_us\":[-1],"
		"\"end\":1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"_us\":[1],"
		"\"end\":1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"list\":[1],"
		"\"end\":1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\",\"a_us\":[0,0,0,0,"
		"0,0,0,0,"
		"0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],\"end\":1}",
		"{\"seq\":1,\"who\":\"a\",\"pid\":1,\"state\":\"b\","
		"\"abcdefghijklmnopqrstuvwxyzabcdef\":1,\"end\":1}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		scene_numbers("disk", frames[i]);
		if (ctl("list --json") != 1)
			fail_msg("%s", frames[i]);
		says("the numbers of its back end are not shown: ");
		says("\"back_ends_word\":null");
	}
	scene_numbers("disk", "{\"seq\":1,\"who\":\"\\u001b[2J\",\"pid\":99,"
			      "\"state\":\"\\u009b\",\"a\":1,\"end\":1}");
	scene_show(scene_unit("keeper@disk", "active", SERVING),
		   scene_unit("blk@disk", "active", "StatusText=\033[2J\xc2\x9b"));
	assert_int_equal(ctl("list --json"), 1);
	is_plain();
	says("are of process 99, and that is 4711");
	says("\"who\":\"?[2J\"");
	says("\"status\":\"?[2J??\"");
}

/* Its file is in a directory of its user's. */
static void files(void **state)
{
	static const char *const make[] = {
		"ln -s /etc/passwd stats",
		"mkfifo stats",
		"mkdir stats",
		": >stats",
		"ln -s ../good stats",
		"cp ../good stats && echo >>stats",
		"cp ../good stats && truncate -s 1G stats",
	};

	(void)state;
	assert_int_equal(shell("cp run/xdd-stats/disk/stats run/xdd-stats/good"), 0);
	for (size_t i = 0; i < sizeof(make) / sizeof(*make); i++) {
		assert_int_equal(
			shell("cd run/xdd-stats/disk && rm -rf stats && %s", make[i]),
			0);
		assert_int_equal(ctl("list"), 1);
		says("! the numbers of its back end are not shown");
	}
	assert_int_equal(shell("rm -r run/xdd-stats/disk && mkdir elsewhere && "
			       "ln -s ../../elsewhere run/xdd-stats/disk"),
			 0);
	scene_numbers("disk", NUMBERS);
	assert_int_equal(ctl("list"), 1);
	says("! the numbers of its back end are not shown");
	assert_int_equal(shell("rm -r run/xdd-stats/disk"), 0);
	assert_int_equal(ctl("list --json"), 0);
	says("\"back_ends_word\":null");
}

/* Each line has the form, a family stands in one place, and buckets add up. */
static void prometheus(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(shell("mkdir var/log/xdd/other run/xdd-stats/other"), 0);
	scene_policy("other", "8");
	scene_numbers("other",
		      "{\"seq\":5,\"who\":\"o\",\"pid\":1,\"state\":\"connected\","
		      "\"requests\":7,\"of_its_own\":1,\"end\":5}");
	assert_int_equal(ctl("prometheus xdd.prom"), 0);
	assert_string_equal(output, "");
	strcat(strcpy(output, scene_dir), "/xdd.prom");
	assert_int_equal(stat(output, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(shell("cat xdd.prom; ls xdd.prom.* 2>/dev/null"), 2);
	says("xdd_serving{instance=\"disk\"} 1\nxdd_serving{instance=\"other\"} 0\n");
	says("xdd_state{instance=\"disk\",state=\"serving\"} 1\n");
	says("xdd_client_domid{instance=\"disk\"} 3\n");
	says("# TYPE xdd_back_end_requests_total counter\n"
	     "xdd_back_end_requests_total{instance=\"disk\"} 12\n"
	     "xdd_back_end_requests_total{instance=\"other\"} 7\n#");
	says("xdd_back_end_of_its_own_total{instance=\"other\"} 1\n");
	says("# TYPE xdd_back_end_busy gauge\nxdd_back_end_busy{instance=\"disk\"} "
	     "2\n");
	says("latency_seconds_bucket{instance=\"disk\",of=\"read\",le=\"0.000001\"} "
	     "0\n");
	says("latency_seconds_bucket{instance=\"disk\",of=\"read\",le=\"0.000002\"} "
	     "3\n");
	says("latency_seconds_bucket{instance=\"disk\",of=\"read\",le=\"0.000008\"} "
	     "4\n");
	says("latency_seconds_bucket{instance=\"disk\",of=\"read\",le=\"+Inf\"} 4\n");
	assert_int_equal(shell("! grep -vE '^(# (HELP|TYPE) xdd_[a-z_]+ "
			       ".*|xdd_[a-z_]+\\{[a-z]+=\"[^\"]*\""
			       "(,[a-z]+=\"[^\"]*\")*\\} [0-9]+)$' xdd.prom"),
			 0);
	assert_int_equal(
		shell("sed '/^#/d; s/{.*//' xdd.prom | uniq | sort | uniq -d | "
		      "grep ."),
		1);
	assert_int_equal(shell("sed '/^#/d; s/ [0-9]*$//' xdd.prom | sort | uniq -d | "
			       "grep ."),
			 1);
	assert_int_equal(ctl("prometheus nowhere/xdd.prom"), 1);
	says("cannot be written");
	assert_int_equal(ctl("prometheus -"), 0);
	says("xdd_serving{instance=\"disk\"} 1\n");
	assert_int_equal(ctl("prometheus"), 2);
}

/* No terminal: so many views, and then the end. */
static void top(void **state)
{
	(void)state;
	assert_int_equal(ctl("top --interval 1 --count 2"), 0);
	is_plain();
	says("xddctl: 1 instances, 1 serving, 0 problems\nNAME ");
	says("disk             serving  d3           0       0       0     2");
	assert_non_null(strstr(strstr(output, "\n\n"), "1 serving"));
	assert_int_equal(ctl("top --interval 1 --count 1 nobody"), 0);
	says_not("disk ");
	/* and when nobody reads */
	assert_int_equal(ctl("top --interval 1 | head -n 1"), 0);
	assert_int_equal(ctl("top --interval 0"), 2);
	assert_int_equal(ctl("top --count x"), 2);
	assert_int_equal(ctl("top --what"), 2);
}

static void usage(void **state)
{
	(void)state;
	assert_int_equal(ctl(""), 2);
	assert_int_equal(ctl("list --what"), 2);
	assert_int_equal(ctl("--help"), 0);
	says("usage: xddctl list");
	assert_int_equal(shell("mv etc/xdd etc/away"), 0);
	assert_int_equal(ctl("list disk"), 1);
	says("it has no policy file");
	scene_show("", NULL);
	assert_int_equal(ctl("list"), 2);
	says("to be run in a driver domain");
	assert_int_equal(shell("mv etc/away etc/xdd && rm etc/xdd/*"), 0);
	assert_int_equal(ctl("list"), 0);
	says("there is no policy in /etc/xdd");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(serves, fresh),
		cmocka_unit_test_setup(states, fresh),
		cmocka_unit_test_setup(problems, fresh),
		cmocka_unit_test_setup(liars, fresh),
		cmocka_unit_test_setup(files, fresh),
		cmocka_unit_test_setup(prometheus, fresh),
		cmocka_unit_test_setup(top, fresh),
		cmocka_unit_test_setup(usage, fresh),
	};

	if (argc > 1)
		return scene_main(argc, argv);
	return cmocka_run_group_tests(tests, scene_make, scene_unmake);
}
