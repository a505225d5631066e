/* SPDX-License-Identifier: MIT */
/*
 * xdd-audit as a user sees it: what it says of a log that the keeper's code wrote, what
 * it exits with, and that nothing of a hostile log reaches a terminal as it is.
 *
 * The program under test is named by the environment: XDD_AUDIT.
 */
#include "program.h"

#include "grant-mem/audit.h"
#include "grant-mem/cmd/audit-sum.h"

static char dir[] = "/tmp/xdd-audit-cmd.XXXXXX";

static int run(const char *args)
{
	return shell("$MESON_EXE_WRAPPER \"$XDD_AUDIT\" %s 2>&1", args);
}

static int set_up(void **state)
{
	struct audit audit;

	(void)state;
	assert_non_null(mkdtemp(dir));
	shell_dir = dir;
	assert_int_equal(shell("mkdir disk"), 0);
	strcat(strcpy(output, dir), "/disk");
	assert_int_equal(audit_open(&audit, output, AUDIT_FILE_BYTES, false), 0);
	audit_line(&audit, "start",
		   "\"instance\":\"%s\",\"class\":\"blk\",\"boot\":\"b1\"", "ivi_disk");
	audit_line(&audit, "device", "\"text\":\"%s\"",
		   "backend/vbd/3/51712, generation 1");
	audit_line(&audit, "map",
		   "\"id\":%u,\"purpose\":\"data\",\"writable\":1,\"pages\":6,"
		   "\"refs\":\"8-13\",\"line\":12",
		   7);
	audit_line(&audit, "unmap", "\"id\":%u", 7);
	/* the next use of that slot; the id before is not its */
	audit_line(&audit, "map", "\"id\":%u,\"pages\":4,\"refs\":\"8-11\"", 65543);
	audit_line(&audit, "unmap", "\"id\":%u", 7);
	audit_line(&audit, "map", "\"id\":%u,\"pages\":3,\"refs\":\"12-14\"", 8);
	audit_line(&audit, "unmap", "\"id\":%u", 65543);
	audit_line(&audit, "map", "\"id\":%u,\"pages\":1,\"refs\":\"15\"", 9);
	audit_line(&audit, "refused", "\"text\":\"map: Memory.GrantRefs, line %u\"",
		   12);
	audit_line(&audit, "refused", "\"text\":\"map: Memory.GrantRefs, line %u\"",
		   13);
	audit_line(&audit, "counted", "\"lines\":%u", 5);
	audit_line(&audit, "copies", "\"segments\":%u,\"bytes\":8192", 3);
	audit_line(&audit, "device", "\"text\":\"%s\"",
		   "backend/vbd/5/51712, generation 2");
	/* what only a taken-over domain would write, and then as it likes */
	audit_line(&audit, "refused", "\"text\":\"%s\"", "\\u001b[2J\xc2\x9b\x7f");
	audit_line(&audit, "odd", "\"a\":%u", 1);
	close(audit.fd);
	close(audit.dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return shell("cd / && rm -rf '%s'", dir);
}

static void is_plain(void)
{
	for (const char *c = output; *c; c++) {
		if (*c != '\n' && (*c < ' ' || *c > '~'))
			fail_msg("%02x in what is printed", (unsigned char)*c);
	}
}

static void verifies(void **state)
{
	char head[80], *at;

	(void)state;
	assert_int_equal(run("verify disk"), 0);
	says("ivi_disk: sound: 16 lines, seq 0 to 15");
	says("no --head");
	says("  its folder is disk, and it says that it is another instance's: see "
	     "whose");
	at = strstr(output, "; head ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "; head %79s", head), 1);
	assert_int_equal(shell("$MESON_EXE_WRAPPER \"$XDD_AUDIT\" verify --head %s "
			       "disk/audit.log",
			       head),
			 0);
	says_not("no --head");
	assert_int_equal(
		shell("mkdir -p cut && head -n 13 disk/audit.log >cut/audit.log && "
		      "$MESON_EXE_WRAPPER \"$XDD_AUDIT\" verify --head %s cut",
		      head),
		1);
	says("cut/audit.log: seq 13 to 15: missing behind the last line");
	assert_int_equal(run("verify cut"), 0);
	assert_int_equal(shell("cp -r disk ivi_disk"), 0);
	assert_int_equal(run("verify ivi_disk"), 0);
	says_not("its folder");
	assert_int_equal(shell("cp disk/audit.log brought"), 0); /* in no folder */
	assert_int_equal(run("verify brought"), 0);
	says_not("its folder");
	assert_int_equal(
		shell("mkdir -p torn && head -c -5 disk/audit.log >torn/audit.log"), 0);
	assert_int_equal(run("verify torn"), 0);
	says("bytes behind the last line are no line");
	assert_int_equal(shell("mkdir -p edit && sed '10s/12/13/' disk/audit.log "
			       ">edit/audit.log"),
			 0);
	assert_int_equal(run("verify edit"), 1);
	says("edit/audit.log:10: seq 9: was changed");
	says("ivi_disk: BROKEN");
	assert_int_equal(run("show --event stop edit"), 1);
	says("its chain is broken");
}

/* What is recorded is what verify takes. */
static void heads(void **state)
{
	char head[80];

	(void)state;
	assert_int_equal(run("head disk"), 0);
	assert_int_equal(sscanf(output, "xdd-audit-head ivi_disk %79s", head), 1);
	assert_int_equal(
		shell("$MESON_EXE_WRAPPER \"$XDD_AUDIT\" verify --head %s disk", head),
		0);
	says_not("no --head");
	assert_int_equal(
		shell("mkdir -p less && head -n 12 disk/audit.log >less/audit.log && "
		      "$MESON_EXE_WRAPPER \"$XDD_AUDIT\" verify --head %s less",
		      head),
		1);
	assert_int_equal(shell("mkdir -p other && sed '9s/9/8/' disk/audit.log "
			       ">other/audit.log"),
			 0);
	assert_int_equal(run("head other disk"), 1);
	says("xdd-audit-head ivi_disk BROKEN\nxdd-audit-head ivi_disk 15:");
}

static void shows(void **state)
{
	(void)state;
	assert_int_equal(run("show disk"), 0);
	is_plain();
	says("map         6 pages, data, writable: 8-13 (id 7, policy line 12)");
	says("refused     \\x1b[2J\\xc2\\x9b\\x7f");
	says("odd         a=1");
	assert_int_equal(run("show --refused --domid 3 disk"), 0);
	says("line 13");
	says("counted     5 more lines in one second");
	says_not("\\x1b");
	says_not("6 pages");
	assert_int_equal(run("show --until 2001 disk"), 0);
	assert_string_equal(output, "");
	assert_int_equal(run("show --since 2001 --instance ivi_disk --event odd disk"),
			 0);
	says("a=1");
	assert_int_equal(run("show --instance other disk"), 0);
	assert_string_equal(output, "");
	assert_int_equal(run("show --json disk"), 0);
	is_plain();
	says("\"text\":\"\\u001B[2J\\u009B\\u007f\"");
}

static void accounts(void **state)
{
	(void)state;
	assert_int_equal(run("account disk"), 0);
	is_plain();
	says("ivi_disk (blk)");
	says("4 maps of 14 pages, at most 7 pages at once");
	says("3 segments, 8192 bytes");
	says("2 x map: Memory.GrantRefs\n");
	assert_int_equal(run("account --json disk"), 0);
	is_plain();
	says("\"pages_at_most\":7,");
	says("\"refused\":3,");
	says("\"map: Memory.GrantRefs\":2");
	says("\"further_reasons\":0");
	says("\"sound\":true");
}

/* Of a folder that the domain has named, and of a reason that was cut inside a letter.
 */
static void odd_names(void **state)
{
	struct audit audit;
	char as[SUM_TEXT - 1] = "";

	(void)state;
	assert_int_equal(shell("mkdir cutreason"), 0);
	strcat(strcpy(output, dir), "/cutreason");
	assert_int_equal(audit_open(&audit, output, AUDIT_FILE_BYTES, false), 0);
	memset(as, 'a', sizeof(as) - 1);
	audit_line(&audit, "refused", "\"text\":\"%s\u00e9\"", as);
	audit_line(&audit, "refused", "\"text\":\"%s\"", "others");
	close(audit.fd);
	close(audit.dir);
	assert_int_equal(run("account --json cutreason"), 0);
	is_plain();
	says("\"refused\":2,");
	says("\"reasons\":{\"others\":1}");
	says("\"further_reasons\":1");
	assert_int_equal(run("verify \"$(printf 'no\\033[2J')\""), 2);
	is_plain();
	says("no\\x1b[2J: there is no audit.log here");
}

static void refuses(void **state)
{
	static const struct {
		const char *args, *says;
	} rows[] = {
		{"", "verify, show, account or head?"},
		{"verify", "which log?"},
		{"verify nowhere", "there is no audit.log here"},
		{"verify /dev/null", "a regular file"},
		{"verify pipe", "a regular file"},
		{"verify large", "larger than"},
		{"verify --head 5:abc disk", "no SEQ:HASH"},
		{"show --since yesterday disk", "a time is UTC"},
		{"show --domid x disk", "a domain's number"},
		{"account", "which log?"},
		{"head", "which log?"},
		{"head --head", "which log?"},
		{"head nowhere", "there is no audit.log here"},
	};

	(void)state;
	assert_int_equal(
		shell("mkfifo pipe && truncate -s 1G large && mkdir -p none && "
		      ": >none/audit.log"),
		0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(run(rows[i].args), 2);
		says(rows[i].says);
	}
	assert_int_equal(run("verify none"), 1);
	says("there is no line");
	assert_int_equal(run("--help"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies),  cmocka_unit_test(heads),
		cmocka_unit_test(shows),     cmocka_unit_test(accounts),
		cmocka_unit_test(odd_names), cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
