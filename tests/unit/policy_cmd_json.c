/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy --json as a program sees it: one object of one shape, whatever becomes of
 * the command, and what each command has in it.
 *
 * The environment names the program under test, XDD_POLICY, and dtc, DTC.
 */
#include "policy_cmd_dt.h"

#include <jansson.h>

static json_t *object; /* of the last run */

static int drop(void **state)
{
	json_decref(object);
	object = NULL;
	return clean(state);
}

/* Its exit status. @err: what stands on standard error, "" nothing. */
static int run_and_parse(const char *args, const char *err)
{
	int status = shell("$MESON_EXE_WRAPPER \"$XDD_POLICY\" %s 2>.err", args);
	json_error_t error;

	json_decref(object);
	object = json_loads(output, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s: %s:\n%s", args, error.text, output);
	for (const char *c = output; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
	assert_int_equal(shell("cat .err"), 0);
	if (*err)
		says(err);
	else
		assert_string_equal(output, "");
	return status;
}

static int run(const char *args)
{
	return run_and_parse(args, "");
}

/* "result.keys.3": a member, or an element by its number. */
static const json_t *at(const char *path)
{
	const json_t *value = object;
	char name[64];

	while (*path) {
		size_t len = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name))
					     : json_object_get(value, name);
		path += len + (path[len] == '.');
	}
	return value;
}

/* What stands at @path, its members in their order; "'" is a quote. */
static void has(const char *path, const char *expected)
{
	char *text = json_dumps(at(path), JSON_COMPACT | JSON_ENCODE_ANY);

	if (!text)
		fail_msg("nothing is at %s", path);
	for (char *c = text; *c; c++)
		*c = *c == '"' ? '\'' : *c;
	if (strcmp(text, expected))
		fail_msg("%s is\n%s\nnot\n%s", path, text, expected);
	free(text);
}

/* -- The shape ------------------------------------------------------------- */

static const struct {
	const char *args;
	int status;
	const char *err;
} shape_cases[] = {
	{"check --json .", 2, ""}, /* a device of two */
	{"check maps.policy --json --json", 0, ""},
	{"check --json --maptrack 1 .", 2, ""},
	{"check --json", 2, ""},
	{"check --json --maptrack 0 .", 2, ""},
	{"check --json --nonsense .", 2, "unrecognized option"},
	{"check --json gone.policy", 2, ""},
	{"show --json maps.policy", 0, ""},
	{"show --json gone.policy", 2, ""},
	{"show --json", 2, ""},
	{"explain --json maps.policy may serve domain 2", 0, ""},
	{"explain maps.policy may serve domain 3 --json", 1, ""},
	{"explain --json maps.policy may fly", 2, ""},
	{"explain --json . may serve domain 2", 2, ""},
	{"explain --json", 2, ""},
	{"diff --json . .", 0, ""},
	{"diff --json maps.policy .", 2, ""},
	{"diff --json .", 2, ""},
	{"dt --json .", 0, ""},
	{"dt --json --client maps=domU5 .", 2, ""},
	{"dt --json --verify gone.dtb .", 2, ""},
	{"dt --json --xen 3.4 .", 2, ""},
	{"dt --json", 2, ""},
	{"learn --json maps.policy gone", 2, ""},
	{"learn --json", 2, ""},
	{"xl --json maps.policy", 0, ""},
	{"xl --json .", 2, ""},
	{"xl --json", 2, ""},
	{"report --json -o report.html maps.policy", 0, ""},
	{"report --json .", 2, ""},
};

/* The members, in their order; the status is the exit status. */
static void one_shape(void **state)
{
	static const char *const members[] = {"command", "status", "findings",
					      "result"};
	char command[16];

	(void)state;
	for (unsigned i = 0; i < COUNT(shape_cases); i++) {
		const char *args = shape_cases[i].args, *name;
		int status = run_and_parse(args, shape_cases[i].err);
		const json_t *value;
		unsigned n = 0;
		void *iter;

		if (status != shape_cases[i].status)
			fail_msg("%s: exit %d", args, status);
		for (iter = json_object_iter(object); iter;
		     iter = json_object_iter_next(object, iter))
			assert_string_equal(json_object_iter_key(iter), members[n++]);
		assert_int_equal(n, COUNT(members));
		assert_int_equal(json_integer_value(at("status")), status);
		snprintf(command, sizeof(command), "%.*s", (int)strcspn(args, " "),
			 args);
		assert_string_equal(json_string_value(at("command")), command);
		value = at("findings");
		assert_true(json_is_array(value));
		assert_true(status != 2 || json_array_size(value));
		value = at("result");
		name = json_is_null(value) ? "null" : "object";
		if (status != 2 && strcmp(name, "object"))
			fail_msg("%s: no result", args);
	}
}

/* A name of a file may be anything, and a finding is as it is without --json. */
static void findings(void **state)
{
	(void)state;
	assert_int_equal(shell("printf 'Format = 2\\n' >\"$(printf '\\033\\377')x\""),
			 0);
	assert_int_equal(run("check --json \"$(printf '\\033\\377')x\" nil"), 2);
	has("findings.0",
	    "{'severity':'error','file':'\\\\x1b\\\\xffx','line':null,"
	    "'text':'not a name for a policy; allowed: NAME.policy with 1 "
	    "to 31 of a-z, 0-9 and _ for NAME'}");
	has("result.shares", "null");
	write_bytes("bad.policy", "Format = 2\n", 11);
	assert_int_equal(run("check --json bad.policy"), 2);
	has("findings.0", "{'severity':'error','file':'bad.policy','line':1,'text':'"
			  "\\'2\\' is not a value of Format; allowed: 1'}");
	assert_int_equal(run("check --json ."), 2); /* sums that would not be whole */
	has("result.shares", "null");
	assert_int_equal(run("show --json"), 2);
	has("findings",
	    "[{'severity':'error','file':null,'line':null,'text':'show takes "
	    "one file, such as /etc/xdd/ivi_disk.policy'}]");
	has("result", "null");
}

/* -- Each command ---------------------------------------------------------- */

static void check(void **state)
{
	(void)state;
	assert_int_equal(run("check --json ."), 2);
	has("findings.0",
	    "{'severity':'error','file':'./maps.policy','line':8,'text':'device xvda "
	    "of "
	    "this client is served by ivi_disk already; give each device to one "
	    "policy'}");
	has("result.instances.0",
	    "{'instance':'ivi_disk','file':'./"
	    "ivi_disk.policy','class':'blk','door':'pv'"
	    ",'client':{'domain':2,'tag':null},'device':'xvda','mode':'map','isolation'"
	    ":'process','resource':'null:1G','read_only':false}");
	has("result.instances.3.client", "{'domain':null,'tag':'radio'}");
	has("result.groups", "[]");
	has("result.recorded", "[]");
	has("result.shown", "[]");
	has("result.shares.0", "{'share':'maptrack entries','option':'maptrack','need':"
			       "41779,'limit':262144}");
	has("result.shares.5",
	    "{'share':'memory (MiB)','option':'memory','need':200,'limit':null}");
	assert_int_equal(run("check --json ivi_disk.policy"), 0);
	has("result.shares", "null");
}

/* Who is joined, who may record, who shows on what. */
static void check_classes(void **state)
{
	static const char link[] = "[Net]\nMAC = 00:16:3e:00:00:01\nAddresses = any\n";

	clean(state);
	write_class("a", "Domain = 3\nDevice = 0", "net\nResource = link:wire", link);
	write_class("b", "Domain = 4\nDevice = 0", "net\nResource = link:wire", link);
	write_class("c", "Domain = 5\nDevice = 0", "displ\nResource = png:/srv",
		    "[Display]\nConnector0 = one 640x480\n[Memory]\nRingPages = 4\n");
	write_class("d", "Domain = 6\nDevice = 0", "snd\nResource = alsa:",
		    "[Sound]\nStream0 = 0/0 capture hw:0,0\nCapture = yes\n"
		    "[Memory]\nClientPages = both\nRingPages = 4\n");
	assert_int_equal(run("check --json ."), 0);
	has("result.groups",
	    "[{'kind':'link','name':'wire','instances':['a','b'],'meaning':'What the "
	    "policy of one lets its client send reaches the other with no kernel "
	    "between.'}]");
	has("result.recorded", "[{'pcm':'hw:0,0','instance':'d'}]");
	has("result.shown",
	    "[{'connector':'one','resource':'png:/srv','instance':'c'}]");
	assert_int_equal(run("show --json a.policy"), 0);
	has("result.group", "{'kind':'link','name':'wire'}");
	has("result.keys.21",
	    "{'line':14,'key':'Net.MAC','value':'00:16:3e:00:00:01'}");
}

static void show(void **state)
{
	(void)state;
	assert_int_equal(run("show --json maps.policy"), 0);
	has("result.instance", "'maps'");
	has("result.file", "'maps.policy'");
	has("result.keys.0", "{'line':1,'key':'Format','value':'1'}");
	has("result.keys.2", "{'line':null,'key':'Backend.Door','value':'pv'}");
	has("result.group", "null");
}

static void explain(void **state)
{
	(void)state;
	assert_int_equal(run("explain --json maps.policy may copy 1 segments to"), 1);
	has("result", "{'instance':'maps','what':'copy 1 segments to','may':false,"
		      "'client_asked':false,'lines':[{'file':'maps.policy','line':null,"
		      "'key':'Memory.Mode','value':'map'}]}");
	assert_int_equal(run("explain --json maps.policy may map 3 writable domain 2"),
			 0);
	has("result.may", "true");
	has("result.client_asked", "true");
	has("result.lines.0.key", "'Client.Domain'");
	has("result.lines.4.key", "'Memory.GrantRefs'");
}

static void diff(void **state)
{
	(void)state;
	assert_int_equal(shell("mkdir new && cp *.policy new && rm new/logs.policy && "
			       "sed s/1G/2G/ maps.policy >new/other.policy && "
			       "sed s/40000/400/ logs.policy >new/logs.policy && "
			       "sed s/1056/10/ ivi_disk.policy >new/ivi_disk.policy && "
			       "rm new/radio.policy"),
			 0);
	assert_int_equal(run("diff --json . new"), 1);
	has("result.more", "true");
	has("result.instances.0", "{'instance':'ivi_disk','change':'changed','holds':'"
				  "reload-drains','keys':[{"
				  "'way':'-','key':'Memory.DataPages','before':'1056','"
				  "now':'10','what':'pages "
				  "of data, at once'}]}");
	has("result.instances.2",
	    "{'instance':'maps','change':'none','holds':null,'keys':[]}");
	has("result.instances.3",
	    "{'instance':'other','change':'new','holds':null,'keys':[]}");
	has("result.instances.4",
	    "{'instance':'radio','change':'gone','holds':null,'keys':[]}");
	assert_int_equal(run("diff --json maps.policy maps.policy"), 0);
	has("result.more", "false");
	shell("sed s/1G/2G/ maps.policy >new/maps.policy");
	assert_int_equal(run("diff --json maps.policy new/maps.policy"), 1);
	has("result.instances.0.holds", "'restart'");
	assert_int_equal(run("diff --json new/ivi_disk.policy ivi_disk.policy"), 1);
	has("result.instances.0.holds", "'reload'");
	shell("rm -r new");
}

static void dt_figures(void **state)
{
	(void)state;
	assert_int_equal(run("dt --json --client logs=logger ."), 0);
	has("result.xen", "'4.17'");
	has("result.driver_domain",
	    "{'domid':1,'node':'domU1','mapped_pages':41779,'maptrack_frames':165,"
	    "'event_channels':115}");
	has("result.clients.1",
	    "{'domid':5,'node':'logger','policies':['logs'],'references':40009,"
	    "'least_grant_frames':79,'grant_frames':79}");
	has("result.clients.2.domid", "null");
	has("result.clients.2.policies", "['radio']");
	has("result.command_line", "{'xsm':'dummy','gnttab_max_frames':79,"
				   "'gnttab_max_maptrack_frames':null}");
	assert_int_equal(run("dt --json --xen 4.18 ."), 0);
	has("result.command_line.gnttab_max_frames", "null");
}

static void dt_verified(void **state)
{
	static const char tree[] =
		"/dts-v1/; / { chosen { xen,xen-bootargs = \"xsm=dummy\"; "
		"m { compatible = \"multiboot,kernel\", \"multiboot,module\"; }; "
		"domD { compatible = \"xen,domain\"; xen,enhanced = \"enabled\"; }; "
		"ivi { compatible = \"xen,domain\"; xen,enhanced = \"enabled\"; }; }; "
		"};";

	(void)state;
	write_bytes("t.dts", tree, strlen(tree));
	assert_int_equal(shell("\"$DTC\" -q -O dtb -o t.dtb t.dts 2>&1"), 0);
	assert_int_equal(run("dt --json --verify t.dtb ivi_disk.policy radio.policy"),
			 0);
	has("result.domains.0",
	    "{'domid':1,'node':'domD','enhanced':'enabled','grant_frames':64,"
	    "'maptrack_frames':1024,'is_driver_domain':true,'policies':[]}");
	has("result.domains.1.policies", "[{'instance':'ivi_disk','tied':false}]");
	has("result.by_tag", "[{'instance':'radio','tied':true}]");
	assert_int_equal(
		run("dt --json --driver-domain 2=ivi --verify t.dtb radio.policy"), 0);
	has("result.domains.1.is_driver_domain", "true");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_shape, four, drop),
		cmocka_unit_test_setup_teardown(findings, four, drop),
		cmocka_unit_test_setup_teardown(check, four, drop),
		cmocka_unit_test_setup_teardown(check_classes, four, drop),
		cmocka_unit_test_setup_teardown(show, four, drop),
		cmocka_unit_test_setup_teardown(explain, four, drop),
		cmocka_unit_test_setup_teardown(diff, four, drop),
		cmocka_unit_test_setup_teardown(dt_figures, four, drop),
		cmocka_unit_test_setup_teardown(dt_verified, four, drop),
	};

	return run_in_directory(dir, "XDD_POLICY", tests, COUNT(tests), clean);
}
