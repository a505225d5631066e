/* SPDX-License-Identifier: MIT */
/*
 * policy/parse.c, key.c, text.c and section.c: the grammar of Format = 1.
 *
 * Most cases change one line of a good policy and say which error must come
 * of it: its line, what it says and what it allows. A case without an error
 * says that the change is accepted.
 */
#include "tests/unit/policy_fixture.h"

/* The example of xdd.policy(5), a line a string: good[0] is line 1. */
static const char *const good[] = {
	"Format = 1",
	"",
	"[Backend]",
	"Class = blk",
	"Door = pv",
	"Resource = /dev/mapper/ivi",
	"ReadOnly = no",
	"Isolation = process",
	"[Client]",
	"Domain = 3",
	"Tag = ivi",
	"Device = xvda",
	"[Memory]",
	"Mode = map",
	"ClientPages = both",
	"Exclusive = yes",
	"RingPages = 16",
	"DataPages = 1056",
	"GrantRefs = 8-32767",
	"[Limits]",
	"InFlight = 128",
	"Operations = 50000/s burst 1000",
	"Bytes = 200M/s burst 4M",
	"Events = 20000/s",
	"[Audit]",
	"Level = decisions",
	"Full = drop-oldest",
	"[Block]",
	"Discard = no",
};

/* The good policy with line @at (from 1; 0: none) replaced. */
static size_t edit(unsigned at, const char *with)
{
	size_t len = 0;

	for (unsigned i = 0; i < COUNT(good); i++)
		len += (size_t)sprintf(text + len, "%s\n",
				       i + 1 == at ? with : good[i]);
	return len;
}

static void all_keys(void **state)
{
	(void)state;
	assert_int_equal(parse(text, edit(0, NULL)), 0);
	assert_int_equal(errors.count, 0);
	assert_string_equal(policy.name, "ivi_disk");
	assert_int_equal(policy.class, POLICY_BLK);
	assert_int_equal(policy.door, POLICY_PV);
	assert_string_equal(policy.resource, "/dev/mapper/ivi");
	assert_false(policy.read_only);
	assert_int_equal(policy.isolation, POLICY_PROCESS);
	assert_false(policy.any_domain);
	assert_int_equal(policy.domain.v, 3);
	assert_string_equal(policy.tag, "ivi");
	assert_string_equal(policy.device, "xvda");
	assert_int_equal(policy.mode, POLICY_MAP);
	assert_int_equal(policy.client_pages, POLICY_BOTH);
	assert_true(policy.exclusive);
	assert_int_equal(policy.ring_pages, 16);
	assert_int_equal(policy.data_pages, 1056);
	assert_int_equal(policy.first_ref.v, 8);
	assert_int_equal(policy.last_ref.v, 32767);
	assert_int_equal(policy.in_flight, 128);
	assert_int_equal(policy.operations.per_second, 50000);
	assert_int_equal(policy.operations.burst, 1000);
	assert_int_equal(policy.bytes.per_second, 200000000);
	assert_int_equal(policy.bytes.burst, 4000000);
	assert_int_equal(policy.events.per_second, 20000);
	assert_int_equal(policy.events.burst, 2000);
	assert_int_equal(policy.audit_level, POLICY_AUDIT_DECISIONS);
	assert_int_equal(policy.audit_full, POLICY_FULL_DROP_OLDEST);
}

/* Each value knows the line that set it: the key's own name stands there. */
static void lines_of_keys(void **state)
{
	(void)state;
	assert_int_equal(parse(text, edit(0, NULL)), 0);
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		const char *name = policy_key_name(key), *dot = strchr(name, '.');

		if (key == POLICY_KEY_POOL_PAGES) /* never beside DataPages */
			continue;
		name = dot ? dot + 1 : name;
		assert_int_not_equal(policy.line[key], 0);
		assert_memory_equal(good[policy.line[key] - 1], name, strlen(name));
	}
}

/* Those below 2 are the console's and xenstore's: errors has the row. */
static void lowest_reference(void **state)
{
	(void)state;
	assert_int_equal(parse(text, edit(19, "GrantRefs = 2-32767")), 0);
	assert_int_equal(policy.first_ref.v, 2);
}

/* [utest->req~policy-narrow-defaults~1] */
static void defaults(void **state)
{
	(void)state;
	assert_int_equal(parse(minimal, sizeof(minimal) - 1), 0);
	assert_int_equal(policy.door, POLICY_PV);
	assert_true(policy.read_only);
	assert_int_equal(policy.isolation, POLICY_PROCESS);
	assert_string_equal(policy.tag, "");
	assert_int_equal(policy.mode, POLICY_MAP);
	assert_int_equal(policy.client_pages, POLICY_WRITABLE);
	assert_true(policy.exclusive);
	assert_int_equal(policy.ring_pages, 1);
	assert_int_equal(policy.data_pages, 352);
	assert_int_equal(policy.first_ref.v, 8);
	assert_int_equal(policy.last_ref.v, 32767);
	assert_int_equal(policy.operations.burst, 1);
	assert_int_equal(policy.bytes.burst, 500);
	assert_int_equal(policy.events.burst, 9);
	assert_int_equal(policy.audit_level, POLICY_AUDIT_DECISIONS);
	assert_int_equal(policy.audit_full, POLICY_FULL_DROP_OLDEST);
	assert_int_equal(policy.line[POLICY_KEY_DOOR], 0);
	assert_int_equal(policy.line[POLICY_KEY_DEVICE], 7);
}

/* What depends on the class, the door and the mode. */
static void derived_defaults(void **state)
{
	static const struct {
		const char *backend, *memory;
		enum policy_mode mode;
		enum policy_pages pages;
		uint32_t rings, data;
	} cases[] = {
		{"Class=blk", "", POLICY_MAP, POLICY_WRITABLE, 1, 352},
		{"Class=blk\nReadOnly=no", "", POLICY_MAP, POLICY_BOTH, 1, 352},
		{"Class=blk\nReadOnly=yes", "ClientPages=both", POLICY_MAP, POLICY_BOTH,
		 1, 352},
		{"Class=net", "", POLICY_COPY, POLICY_BOTH, 2, 1024},
		{"Class=net", "Mode=map", POLICY_MAP, POLICY_BOTH, 2, 1024},
		{"Class=net", "Mode=grant", POLICY_GRANT, POLICY_BOTH, 2, 1024},
		{"Class=snd", "", POLICY_MAP, POLICY_READABLE, 2, 65},
		{"Class=displ", "", POLICY_MAP, POLICY_READABLE, 2, 4054},
		{"Class=can", "", POLICY_COPY, POLICY_BOTH, 2, 0},
		{"Class=blk\nDoor=virtio", "", POLICY_POOL, POLICY_BOTH, 1, 1024},
		{"Class=blk\nDoor=virtio", "PoolPages=16384", POLICY_POOL, POLICY_BOTH,
		 1, 16384},
		{"Class=blk\nDoor=virtio", "Mode=grant\nDataPages=9", POLICY_GRANT,
		 POLICY_BOTH, 4, 9},
		{"Class=displ\nDoor=virtio", "", POLICY_POOL, POLICY_BOTH, 1, 1024},
		{"Class=net\nDoor=virtio", "Mode=grant", POLICY_GRANT, POLICY_BOTH, 10,
		 1024},
		{"Class=can\nDoor=virtio", "Mode=grant", POLICY_GRANT, POLICY_BOTH, 10,
		 64},
		{"Class=can\nDoor=virtio", "", POLICY_POOL, POLICY_BOTH, 1, 1024},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		int len = sprintf(text,
				  "Format=1\n[Backend]\n%s\nResource=x\n[Memory]\n%s\n"
				  "[Client]\nDomain=1\nDevice=0\n[Limits]\nInFlight=1\n"
				  "Operations=1/s\nBytes=1/s\nEvents=1/s\n",
				  cases[i].backend, cases[i].memory);

		assert_int_equal(parse(text, (size_t)len), 0);
		assert_int_equal(policy.mode, cases[i].mode);
		assert_int_equal(policy.client_pages, cases[i].pages);
		assert_int_equal(policy.ring_pages, cases[i].rings);
		assert_int_equal(policy.data_pages, cases[i].data);
	}
}

struct one_line {
	unsigned at;
	const char *with;
	unsigned line; /* of the error; what NULL: accepted */
	const char *what, *allowed;
};

static void run(const struct one_line *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct one_line *c = &cases[i];
		unsigned got = parse(text, edit(c->at, c->with));

		if (got != !!c->what)
			fail_msg("\"%s\": %u errors, first \"%s\"; \"%s\"", c->with,
				 got, errors.error[0].what, errors.error[0].allowed);
		if (c->what)
			expect(0, c->line, c->what, c->allowed);
	}
}

/* One wrong or unusual value a key. */
static const struct one_line values_cases[] = {
	{1, "Format = 2", 1, "\"2\" is not a value of Format", "1"},
	{1, "Format = 01", 1, "not a value of Format", "1"},
	{4, "Class = block", 4, "\"block\" is not a value of Class", "blk, net"},
	{4, "Class = Blk", 4, "not a value of Class", "blk, net, snd, displ, can"},
	{5, "Door = vhost", 5, "not a value of Door", "pv, virtio"},
	{6, "Resource = /dev/my disk", 6, "not a value of Resource", "without a space"},
	{7, "ReadOnly = true", 7, "\"true\" is not a value of ReadOnly", "yes, no"},
	{7, "ReadOnly = NO", 7, "not a value of ReadOnly", "yes, no"},
	{8, "Isolation = vm", 8, "not a value of Isolation", "process, domain"},
	{8, "Isolation = domain", 0, NULL, NULL},
	{10, "Domain = 0", 10, "\"0\" is not a value of Domain", "1-32751"},
	{10, "Domain = 1", 0, NULL, NULL},
	{10, "Domain = 32751", 0, NULL, NULL},
	{10, "Domain = 32752", 10, "not a value of Domain", "1-32751"},
	{10, "Domain = 65539", 10, "not a value of Domain", "1-32751"},
	{10, "Domain = -1", 10, "not a value of Domain", "any with a Tag"},
	{10, "Domain = +3", 10, "not a value of Domain", ""},
	{10, "Domain = 03", 10, "not a value of Domain", ""},
	{10, "Domain = 0x3", 10, "not a value of Domain", ""},
	{10, "Domain = any", 0, NULL, NULL},
	{10, "Domain = Any", 10, "not a value of Domain", ""},
	{10, "Domain = 3 # the ivi", 10, "a comment needs a line of its own",
	 "1-32751"},
	{11, "Tag = two words", 11, "not a value of Tag", "without a space"},
	{12, "Device = xvda0", 12, "Client.Device: not a device", "xvda"},
	{12, "Device = disk", 12, "Client.Device: not a device", "device number"},
	{12, "Device = 51712", 0, NULL, NULL},
	{12, "Device = abcdefghijklmnopqrstuvwxyz123456", 12, "not a value of Device",
	 "number"},
	{14, "Mode = mmap", 14, "not a value of Mode", "map, copy (Door = pv)"},
	{14, "Mode = copy", 0, NULL, NULL},
	{15, "ClientPages = none", 15, "not a value of ClientPages",
	 "readable, writable, both"},
	{16, "Exclusive = maybe", 16, "not a value of Exclusive", "yes, no"},
	{16, "Exclusive = no", 0, NULL, NULL},
	{17, "RingPages = 0", 17, "not a value of RingPages", "1-1024"},
	{17, "RingPages = 1024", 0, NULL, NULL},
	{17, "RingPages = 1025", 17, "not a value of RingPages", "1-1024"},
	{18, "DataPages = 0", 18, "not a value of DataPages", "1-1048576"},
	{18, "DataPages = 1048576", 0, NULL, NULL},
	{18, "DataPages = 1048577", 18, "not a value of DataPages", "1-1048576"},
	{18, "DataPages = 4294967297", 18, "not a value of DataPages", ""},
	{18, "DataPages = 18446744073709551617", 18, "not a value of DataPages", ""},
	{18, "PoolPages = 4096", 18, "Memory.PoolPages: a key of Mode = pool",
	 "no such line"},
	{19, "GrantRefs = 1-9", 19, "not a value of GrantRefs", "2 <= FIRST <= LAST"},
	{19, "GrantRefs = 8-8", 0, NULL, NULL},
	{19, "GrantRefs = 9-8", 19, "not a value of GrantRefs", "FIRST-LAST"},
	{19, "GrantRefs = 8", 19, "not a value of GrantRefs", "FIRST-LAST"},
	{19, "GrantRefs = 8-", 19, "not a value of GrantRefs", ""},
	{19, "GrantRefs = -8", 19, "not a value of GrantRefs", ""},
	{19, "GrantRefs = 8 - 9", 19, "not a value of GrantRefs", ""},
	{19, "GrantRefs = 8-9-10", 19, "not a value of GrantRefs", ""},
	{19, "GrantRefs = 8-4294967295", 0, NULL, NULL},
	{19, "GrantRefs = 4294967295-4294967295", 0, NULL, NULL},
	{19, "GrantRefs = 8-4294967296", 19, "not a value of GrantRefs", "4294967295"},
	{19, "GrantRefs = 4294967304-4294967305", 19, "not a value of GrantRefs", ""},
	{21, "InFlight = 0", 21, "not a value of InFlight", "1-65535"},
	{21, "InFlight = 65535", 0, NULL, NULL},
	{21, "InFlight = 65536", 21, "not a value of InFlight", "1-65535"},
	{22, "Operations = 50000", 22, "not a value of Operations", "RATE/s"},
	{23, "Bytes = 1.5M/s", 23, "not a value of Bytes", "RATE/s"},
	{24, "Events = 0/s", 24, "not a value of Events", "from 1"},
	{26, "Level = all", 26, "not a value of Level", "changes, decisions"},
	{26, "Level = changes", 0, NULL, NULL},
	{27, "Full = block", 27, "not a value of Full", "drop-oldest, stop"},
	{27, "Full = stop", 0, NULL, NULL},
};

static void values(void **state)
{
	(void)state;
	run(values_cases, COUNT(values_cases));
}

/* The form of lines, sections and keys. */
static const struct one_line forms_cases[] = {
	{2, "# any comment; UTF-8: \xc3\xa9\xe2\x82\xac", 0, NULL, NULL},
	{2, "#", 0, NULL, NULL},
	{2, "   ", 0, NULL, NULL},
	{10, "Domain=3", 0, NULL, NULL},
	{10, "Domain   =   3   ", 0, NULL, NULL},
	{9, "[Client]  ", 0, NULL, NULL},
	{27, " Full = stop", 27, "no known form", "from column one"},
	{2, " # indented", 2, "no known form", "# comment"},
	{2, " [Backend]", 2, "no known form", "[Section]"},
	{2, "Door", 2, "no known form", "Key = value"},
	{2, "; Door = pv", 2, "unknown key", "Format"},
	{2, "= pv", 2, "no known form", "Key = value"},
	{11, "Tag =", 11, "a key without a value", "or no such line"},
	{11, "Tag =    ", 11, "a key without a value", "Key = value"},
	{2, "\tx", 2, "a byte that does not belong", "without tabs"},
	{11, "Tag = a\tb", 11, "a byte that does not belong", "printable ASCII"},
	{11, "Tag = ivi\r", 11, "a byte that does not belong", "DOS line ends"},
	{2, "# bell \a", 2, "a byte that does not belong", "UTF-8 in comments"},
	{2, "# del \x7f", 2, "a byte that does not belong", ""},
	{11, "Tag = \xc3\xa9", 11, "a byte that does not belong", "printable ASCII"},
	{2, "\xef\xbb\xbf", 2, "a byte that does not belong", ""},
	{28, "[Block", 28, "unknown section \"[Block\"", "Audit"},
	{28, "[Block] # x", 28, "unknown section \"[Block] # x\"", "Block"},
	{28, "[", 28, "unknown section \"[\"", "Block"},
	{28, "[]", 28, "unknown section \"\"", "Backend"},
	{28, "[Blocks]", 28, "unknown section \"Blocks\"", "Audit, Block"},
	{28, "[block]", 28, "unknown section \"block\"", "Memory"},
	{28, "[Zebra]", 28, "unknown section \"Zebra\"",
	 "Backend, Client, Memory, Limits, Audit, Block, Net, Sound, Display, "
	 "Can"},
	{28, "[Net]", 28, "[Net] does not belong to Class = blk", "Block"},
	{2, "[Block]", 28, "[Block] is given twice, first in line 2", "once"},
	{5, "Class = blk", 5, "Class is given twice, first in line 4", "once"},
	{11, "Tga = ivi", 11, "unknown key \"Tga\"", "Domain, Tag, Device"},
	{11, "tag = ivi", 11, "unknown key \"tag\"", "Domain, Tag, Device"},
	{11, "Tags = ivi", 11, "unknown key \"Tags\"", "Device"},
	{11, "Mode = map", 11, "unknown key \"Mode\"", "Device"},
	{11, "Format = 1", 11, "unknown key \"Format\"", "Device"},
	{11, "Zebra = 1", 11, "unknown key \"Zebra\"", "Domain, Tag, Device"},
	{18, "Datapages = 9", 18, "unknown key \"Datapages\"",
	 "Mode, ClientPages, Exclusive, RingPages, DataPages, PoolPages, GrantRefs"},
	{18, "datapages = 9", 18, "unknown key \"datapages\"", ""},
	{18, "GRANTREFS = 9", 18, "unknown key \"GRANTREFS\"", ""},
	{2, "Class = blk", 2, "unknown key \"Class\"", "Format"},
};

/* [utest->req~policy-refused-by-line~1] */
static void forms(void **state)
{
	(void)state;
	run(forms_cases, COUNT(forms_cases));
	/* Where a key is unknown, each that is known there is named. */
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		const char *name = policy_key_name(key), *dot = strchr(name, '.');
		int len = sprintf(text, "[%.*s]\nZebra = 1\n",
				  dot ? (int)(dot - name) : 0, name);

		parse(dot ? text : text + 3, (size_t)(dot ? len : len - 3));
		expect(0, dot ? 2 : 1, "unknown key \"Zebra\"", dot ? dot + 1 : name);
	}
}

static const struct one_line missing_keys_cases[] = {
	{1, "", 0, "the required key Format is missing", "1"},
	{4, "", 0, "the required key Backend.Class is missing", "blk, net"},
	{6, "", 0, "the required key Backend.Resource is missing", "printable"},
	{10, "", 0, "the required key Client.Domain is missing", "any with a Tag"},
	{12, "", 0, "the required key Client.Device is missing", "xvda"},
	{21, "", 0, "the required key Limits.InFlight is missing", "1-65535"},
	{22, "", 0, "the required key Limits.Operations is missing", "RATE/s"},
	{23, "", 0, "the required key Limits.Bytes is missing", "RATE/s"},
	{24, "", 0, "the required key Limits.Events is missing", "RATE/s"},
	{5, "", 0, NULL, NULL},
	{8, "", 0, NULL, NULL},
	{11, "", 0, NULL, NULL},
	{14, "", 0, NULL, NULL},
	{15, "", 0, NULL, NULL},
	{16, "", 0, NULL, NULL},
	{17, "", 0, NULL, NULL},
	{18, "", 0, NULL, NULL},
	{19, "", 0, NULL, NULL},
	{26, "", 0, NULL, NULL},
	{27, "", 0, NULL, NULL},
};

/* [utest->req~policy-refused-by-line~1] */
static void missing_keys(void **state)
{
	(void)state;
	run(missing_keys_cases, COUNT(missing_keys_cases));
}

/* Combinations that cannot work. The keys stand on lines 3 (Backend), 8
 * (Client) and 11 (Memory) and after. */
static const struct {
	const char *backend, *client, *memory;
	unsigned line; /* what NULL: accepted */
	const char *what, *allowed;
} conflict_cases[] = {
	{"Class=blk", "Domain=1", "Mode=pool", 11,
	 "Memory.Mode: a Mode of Door = virtio", "map, copy"},
	{"Class=blk", "Domain=1", "Mode=grant", 11, "Memory.Mode", "map, copy"},
	{"Class=net", "Domain=1", "Mode=pool", 11,
	 "Memory.Mode: a Mode of Door = virtio", "copy, grant"},
	{"Class=net", "Domain=1", "Mode=grant", 0, NULL, NULL},
	{"Class=net", "Domain=1", "Mode=grant\nClientPages=writable", 12,
	 "Memory.ClientPages: buffers are read and written", "both"},
	{"Class=can", "Domain=1", "Mode=grant", 11, "Memory.Mode", "map, copy"},
	{"Class=blk\nDoor=virtio", "Domain=1", "Mode=map", 11,
	 "Memory.Mode: a Mode of Door = pv", "pool, grant"},
	{"Class=blk\nDoor=virtio", "Domain=1", "Mode=copy", 11, "Memory.Mode",
	 "pool, grant"},
	{"Class=blk\nDoor=virtio", "Domain=1", "Mode=pool", 0, NULL, NULL},
	{"Class=blk\nDoor=virtio", "Domain=1", "PoolPages=0", 11,
	 "\"0\" is not a value of PoolPages", "1-16384"},
	{"Class=blk\nDoor=virtio", "Domain=1", "PoolPages=16385", 11,
	 "not a value of PoolPages", "1-16384"},
	{"Class=blk\nDoor=virtio", "Domain=1", "PoolPages=1", 0, NULL, NULL},
	{"Class=blk\nDoor=virtio", "Domain=1", "PoolPages=16384", 0, NULL, NULL},
	{"Class=blk\nDoor=virtio", "Domain=1", "Mode=pool\nPoolPages=9", 0, NULL, NULL},
	{"Class=blk\nDoor=virtio", "Domain=1", "DataPages=9", 11,
	 "Memory.DataPages: a pool is bounded by PoolPages", "no such line"},
	{"Class=blk\nDoor=virtio", "Domain=1", "PoolPages=9\nDataPages=9", 12,
	 "Memory.DataPages: a pool is bounded by PoolPages", "no such line"},
	{"Class=blk\nDoor=virtio", "Domain=1", "Mode=grant\nPoolPages=9", 12,
	 "Memory.PoolPages: a key of Mode = pool", "no such line"},
	{"Class=blk", "Domain=1", "PoolPages=9", 11,
	 "Memory.PoolPages: a key of Mode = pool", "no such line"},
	{"Class=blk\nDoor=virtio", "Domain=1", "ClientPages=readable", 11,
	 "Memory.ClientPages: buffers are read and written", "both"},
	{"Class=blk", "Domain=any", "", 8, "Client.Domain: any domain, but no Tag",
	 "Tag = NAME"},
	{"Class=blk", "Domain=any\nTag=x", "", 0, NULL, NULL},
	{"Class=blk\nIsolation=domain", "Domain=any\nTag=x", "", 4,
	 "Backend.Isolation: a domain for one client", "Domain = 1-32751"},
	{"Class=blk\nIsolation=domain", "Domain=9", "", 0, NULL, NULL},
	{"Class=blk\nReadOnly=no", "Domain=1", "ClientPages=readable", 11,
	 "ReadOnly = no reads and writes", "both"},
	{"Class=blk\nReadOnly=no", "Domain=1", "ClientPages=writable", 11,
	 "ReadOnly = no reads and writes", "both"},
	{"Class=blk", "Domain=1", "ClientPages=readable", 11,
	 "to read a disk is to write client pages", "writable, both"},
	{"Class=blk", "Domain=1", "ClientPages=writable", 0, NULL, NULL},
	{"Class=snd", "Domain=1", "ClientPages=writable", 11,
	 "the list of a buffer's pages", "readable, both"},
	{"Class=displ", "Domain=1", "ClientPages=writable", 11,
	 "the list of a buffer's pages", "readable, both"},
	{"Class=snd\nDoor=virtio", "Domain=1", "ClientPages=writable", 11,
	 "Memory.ClientPages: buffers are read and written", "both"},
	{"Class=net\nReadOnly=no", "Domain=1", "ClientPages=readable", 4,
	 "Backend.ReadOnly", "no such line"},
	{"Class=snd", "Domain=1", "ClientPages=both", 0, NULL, NULL},
	{"Class=net", "Domain=1", "ClientPages=writable", 0, NULL, NULL},
	{"Class=can", "Domain=1", "ClientPages=readable", 0, NULL, NULL},
	{"Class=net\nReadOnly=yes", "Domain=1", "", 4,
	 "Backend.ReadOnly: a key of Class = blk", "no such line"},
	{"Class=net", "Domain=1", "RingPages=1", 11, "has two rings", "2-1024"},
	{"Class=net\nDoor=virtio", "Domain=1", "RingPages=1", 0, NULL, NULL},
	{"Class=blk", "Domain=1", "RingPages=1", 0, NULL, NULL},
};

static void conflicts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(conflict_cases); i++) {
		bool two = strchr(conflict_cases[i].backend, '\n');
		int len = sprintf(text,
				  "Format=1\n[Backend]\n%s\n%s"
				  "Resource=x\n[Client]\nDevice=0\n%s\n%s"
				  "[Memory]\n%s\n[Limits]\nInFlight=1\n"
				  "Operations=1/s\nBytes=1/s\nEvents=1/s\n",
				  conflict_cases[i].backend, two ? "" : "\n",
				  conflict_cases[i].client,
				  strchr(conflict_cases[i].client, '\n') ? "" : "\n",
				  conflict_cases[i].memory);
		unsigned got = parse(text, (size_t)len);

		if (got != !!conflict_cases[i].what)
			fail_msg("case %u: %u errors, first \"%s\"", i, got,
				 errors.error[0].what);
		if (conflict_cases[i].what)
			expect(0, conflict_cases[i].line, conflict_cases[i].what,
			       conflict_cases[i].allowed);
	}
}

/* All at once, each on its line, and nothing judged on a value that is bad. */
static void many_errors(void **state)
{
	static const char bad[] = "Format = 1\n"
				  "[Backend]\n"
				  "Class = floppy\n"
				  "Door = virtio\n"
				  "[Wrong]\n"
				  "Anything = goes\n"
				  "not a line\n"
				  "[Memory]\n"
				  "Mode = map\n"
				  "GrantRefs = 1-2\n"
				  "[Limits]\n"
				  "InFlight = 0\n";

	(void)state;
	assert_int_equal(parse(bad, sizeof(bad) - 1), 11);
	assert_int_equal(errors.count, 11);
	expect(0, 3, "\"floppy\" is not a value of Class", "blk");
	expect(1, 5, "unknown section \"Wrong\"", "Backend");
	expect(2, 7, "no known form", "Key = value");
	expect(3, 10, "not a value of GrantRefs", "FIRST-LAST");
	expect(4, 12, "not a value of InFlight", "1-65535");
	expect(5, 0, "Backend.Resource is missing", "printable");
	expect(6, 0, "Client.Domain is missing", "any");
	expect(7, 0, "Client.Device is missing", "xvda");
	expect(8, 0, "Limits.Operations is missing", "RATE");
	expect(9, 0, "Limits.Bytes is missing", "RATE");
	expect(10, 0, "Limits.Events is missing", "RATE");
}

/* A wrong limit does not hide a conflict elsewhere. */
static void conflict_beside_error(void **state)
{
	(void)state;
	edit(14, "Mode = pool");
	strstr(text, "= 128")[4] = 'x';
	assert_int_equal(parse(text, strlen(text)), 2);
	expect(0, 21, "InFlight", "1-65535");
	expect(1, 14, "Memory.Mode", "map, copy");
}

/* One field, two keys: whichever belongs to Mode is the one that is named. */
static void key_of_data_pages(void **state)
{
	(void)state;
	assert_int_equal(parse(text, edit(0, NULL)), 0);
	assert_int_equal(policy_data_key(&policy), POLICY_KEY_DATA_PAGES);
	policy.mode = POLICY_GRANT;
	assert_int_equal(policy_data_key(&policy), POLICY_KEY_DATA_PAGES);
	policy.mode = POLICY_POOL;
	assert_int_equal(policy_data_key(&policy), POLICY_KEY_POOL_PAGES);
	assert_string_equal(policy_key_name(POLICY_KEY_POOL_PAGES), "Memory.PoolPages");
}

static uint64_t class_sum(unsigned at, const char *with)
{
	assert_int_equal(parse(text, edit(at, with)), 0);
	return policy.class_section;
}

/* Whether a class's section is still what it was, however little was changed, and
 * whatever else was. */
static void class_section_is_known(void **state)
{
	unsigned discard = COUNT(good), level = COUNT(good) - 3;
	uint64_t was = class_sum(0, NULL);

	(void)state;
	assert_int_equal(class_sum(level, "Level = changes"), was);
	assert_int_equal(class_sum(discard, "# none\nDiscard = no"), was);
	assert_int_not_equal(class_sum(discard, "Discard = yes"), was);
	assert_int_not_equal(class_sum(discard, "Discar = dno"), was);
	assert_int_not_equal(class_sum(discard, ""), was);
	assert_int_not_equal(class_sum(discard, "Discard = no\nSync = no"), was);
}

/* [utest->req~policy-refused-by-line~1] */
static void out_untouched_on_error(void **state)
{
	struct policy before;

	(void)state;
	memset(&policy, 0x5a, sizeof(policy));
	before = policy;
	assert_int_equal(parse(text, edit(10, "Domain = 0")), 1);
	assert_memory_equal(&policy, &before, sizeof(before));
}

/* A second call starts from no errors. */
static void errors_start_anew(void **state)
{
	(void)state;
	assert_int_equal(parse("x", 1), 10);
	assert_int_equal(parse(minimal, sizeof(minimal) - 1), 0);
	assert_int_equal(errors.count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys),
		cmocka_unit_test(lines_of_keys),
		cmocka_unit_test(lowest_reference),
		cmocka_unit_test(defaults),
		cmocka_unit_test(derived_defaults),
		cmocka_unit_test(values),
		cmocka_unit_test(forms),
		cmocka_unit_test(missing_keys),
		cmocka_unit_test(conflicts),
		cmocka_unit_test(many_errors),
		cmocka_unit_test(conflict_beside_error),
		cmocka_unit_test(key_of_data_pages),
		cmocka_unit_test(class_section_is_known),
		cmocka_unit_test(out_untouched_on_error),
		cmocka_unit_test(errors_start_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
