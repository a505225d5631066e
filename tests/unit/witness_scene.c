/* SPDX-License-Identifier: MIT */
/* A driver domain and what is found of it: see witness_scene.h. */
#include "tests/unit/witness_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sha2.h>

#include "xenbus/cmd/witness-finding.h"
#include "xenbus/cmd/witness-look.h"
#include "xenbus/cmd/witness-store.h"

#define PINS 256

struct scene scene;
struct findings findings;
char folder[32];

static struct {
	unsigned owner, ref, user, pin;
} pin[PINS];
static unsigned pins;
static struct scene_port port[32];

static const char policy_text[] = "Format = 1\n"
				  "\n"
				  "[Backend]\n"
				  "Class = %s\n"
				  "Resource = %s\n"
				  "%s\n"
				  "[Client]\n"
				  "Domain = %u\n"
				  "Device = %s\n"
				  "\n"
				  "[Memory]\n"
				  "RingPages = 2\n"
				  "DataPages = %u\n"
				  "GrantRefs = 8-999\n"
				  "\n"
				  "[Limits]\n"
				  "InFlight = 16\n"
				  "Operations = 1000/s\n"
				  "Bytes = 1M/s\n"
				  "Events = 1000/s\n";

static void path_of(char path[96], const char *kind, const char *name)
{
	snprintf(path, 96, "%s/%s/%s%s", folder, kind, name,
		 *kind == 'e' ? ".policy" : "");
}

static size_t read_all(const char *path, char *text, size_t max)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, max - 1, f);
	fclose(f);
	text[n] = '\0';
	return n;
}

static void write_all(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
}

void shell_in_folder(const char *fmt, ...)
{
	char command[512];
	int at = snprintf(command, sizeof(command), "cd %s && ", folder);
	va_list args;

	va_start(args, fmt);
	vsnprintf(command + at, sizeof(command) - (size_t)at, fmt, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

void logged(const char *instance, const char *event, const char *members)
{
	struct audit audit;
	char path[96];

	path_of(path, "log", instance);
	assert_int_equal(audit_open(&audit, path, AUDIT_FILE_BYTES, false), 0);
	audit_line(&audit, event, "%s", members);
	assert_int_equal(audit.lost, 0);
	close(audit.fd);
	close(audit.dir);
}

/* As a keeper that has just been started. */
static void started(const char *instance, const char *class, const char *boot)
{
	char path[96], text[8192], digest[65], members[512];

	path_of(path, "etc", instance);
	SHA256Data((uint8_t *)text, read_all(path, text, sizeof(text)), digest);
	snprintf(members, sizeof(members),
		 "\"instance\":\"%s\",\"class\":\"%s\",\"policy\":\"%s\",\"keeper\":"
		 "\"\",\"program\":\"\",\"boot\":\"%s\"",
		 instance, class, digest, boot);
	logged(instance, "start", members);
	logged(instance, "xenstore", "\"domid\":1");
}

static void instance(const char *name, const char *class, const char *resource,
		     unsigned client, const char *device, unsigned data)
{
	char path[96], text[1024];

	path_of(path, "etc", name);
	snprintf(text, sizeof(text), policy_text, class, resource,
		 strcmp(class, "blk") ? "" : "ReadOnly = no\n", client, device, data);
	write_all(path, text);
	shell_in_folder("mkdir log/%s", name);
	started(name, class, "b1");
}

void pinned(unsigned owner, unsigned ref, unsigned user, unsigned writable,
	    unsigned readable)
{
	assert_true(pins < PINS);
	pin[pins].owner = owner;
	pin[pins].ref = ref;
	pin[pins].user = user;
	pin[pins++].pin = writable | readable << 8;
}

static void add_port(struct scene_port new)
{
	assert_true(scene.ports < sizeof(port) / sizeof(*port));
	port[scene.ports++] = new;
}

void port_to(unsigned local, unsigned remote, unsigned remote_port)
{
	add_port((struct scene_port){
		{local}, PORT_INTERDOMAIN, {(uint16_t)remote}, {remote_port}});
}

void port_offered(unsigned local, unsigned remote)
{
	add_port((struct scene_port){{local}, PORT_UNBOUND, {(uint16_t)remote}, {0}});
}

int scene_begin(void **state)
{
	(void)state;
	pins = 0;
	scene = (struct scene){.domain = {TESTED},
			       .name = "drv",
			       .pins = 2,
			       .saw_ports = true,
			       .port = port};
	strcpy(folder, "/tmp/xdd-witness.XXXXXX");
	assert_non_null(mkdtemp(folder));
	shell_in_folder("mkdir etc log");
	instance("c2_disk", "blk", "memory:16M", 2, "xvda", 12);
	instance("c3_sound", "snd", "alsa:", 3, "0", 12);
	logged("c2_disk", "device", "\"text\":\"backend/vbd/2/51712, generation 1\"");
	logged("c2_disk", "connect", "\"text\":\"back end, pid 7\"");
	logged("c2_disk", "map",
	       "\"id\":65536,\"purpose\":\"ring\",\"writable\":1,\"pages\":2,\"refs\":"
	       "\"8-9\",\"line\":0");
	logged("c2_disk", "bind", "\"text\":\"event-channel 5 to 20\"");
	logged("c2_disk", "map",
	       "\"id\":65538,\"purpose\":\"data\",\"writable\":1,\"pages\":2,\"refs\":"
	       "\"40,42\",\"line\":0");
	logged("c2_disk", "map",
	       "\"id\":65540,\"purpose\":\"data\",\"writable\":0,\"pages\":1,\"refs\":"
	       "\"50\",\"line\":0");
	pinned(2, 8, TESTED, 2, 0);
	pinned(2, 9, TESTED, 2, 0);
	pinned(2, 40, TESTED, 2, 0);
	pinned(2, 42, TESTED, 2, 0);
	pinned(2, 50, TESTED, 0, 2);
	port_to(20, 2, 5);
	port_to(30, TESTED, 31);
	return 0;
}

int scene_end(void **state)
{
	(void)state;
	usage_free(&scene.usage);
	instances_free(&scene.instances);
	findings_free(&findings);
	shell_in_folder("rm -rf etc log heads kept; rmdir %s", folder);
	return 0;
}

void edited(const char *name, const char *from, const char *to)
{
	char path[96], text[8192], out[8192], *at;

	path_of(path, "etc", name);
	read_all(path, text, sizeof(text));
	at = strstr(text, from);
	assert_non_null(at);
	snprintf(out, sizeof(out), "%.*s%s%s", (int)(at - text), text, to,
		 at + strlen(from));
	write_all(path, out);
}

void forged(const char *name, const char *from, const char *to)
{
	static char text[AUDIT_FILE_BYTES], line[2048], out[AUDIT_FILE_BYTES];
	char path[96], hash[65], *rest = text, *at, *end = out;

	memset(hash, '0', 64);
	hash[64] = '\0';
	path_of(path, "log", name);
	strcat(path, "/audit.log");
	read_all(path, text, sizeof(text));
	while ((at = strsep(&rest, "\n")) && *at) {
		char *found = strstr(at, from);

		if (found)
			snprintf(line, sizeof(line), "%.*s%s%s", (int)(found - at), at,
				 to, found + strlen(from));
		else
			snprintf(line, sizeof(line), "%s", at);
		at = strstr(line, "\"prev\":\"");
		assert_non_null(at);
		memcpy(at + 8, hash, 64);
		SHA256Data((uint8_t *)line, strlen(line), hash);
		end += sprintf(end, "%s\n", line);
	}
	write_all(path, out);
}

static int by_owner(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	if (x[0] != y[0])
		return x[0] < y[0] ? -1 : 1;
	return x[1] < y[1] ? -1 : x[1] > y[1];
}

/* As Xen prints it, for the parser. */
static void show(void)
{
	static char text[65536];
	char *at = text;
	const char *why;
	unsigned i = 0;

	qsort(pin, pins, sizeof(*pin), by_owner);
	at += sprintf(at, "(XEN) gnttab_usage_print_all [ key 'g' pressed\n");
	for (unsigned owner = 0; owner < 6; owner++) {
		unsigned first = i;

		at += sprintf(
			at,
			"(XEN)       -------- active --------       -------- "
			"shared --------\n(XEN) [ref] localdom mfn      pin       "
			"   localdom gmfn     flags\n(XEN) grant-table for remote "
			"d%u (v1)\n(XEN)   1 frames (64 max), 3 maptrack frames "
			"(1024 max)\n",
			owner);
		for (; i < pins && pin[i].owner == owner; i++)
			at += sprintf(at,
				      "(XEN) [0x%03x]  %5u 0x1bd002 0x%08x      %5u "
				      "0x1bd002 0x19\n",
				      pin[i].ref, pin[i].user, pin[i].pin, pin[i].user);
		if (i == first)
			at += sprintf(at, "(XEN) no active grant table entries\n");
	}
	sprintf(at, "(XEN) gnttab_usage_print_all ] done\n");
	usage_free(&scene.usage);
	why = usage_parse(text, strlen(text), &scene.usage);
	if (why)
		fail_msg("%s", why);
}

void judged(const char *given)
{
	char etc[64], log[64], heads[64];
	const char *why;

	snprintf(etc, sizeof(etc), "%s/etc", folder);
	snprintf(log, sizeof(log), "%s/log", folder);
	snprintf(heads, sizeof(heads), "%s/heads", folder);
	if (given)
		write_all(heads, given);
	instances_free(&scene.instances);
	findings_free(&findings);
	why = instances_read(&scene.instances, etc, log, given ? heads : NULL);
	if (why)
		fail_msg("%s", why);
	store_numbers(&scene);
	show();
	judge(&scene, &findings);
}

void finds(const char *all)
{
	char text[4096], *at = text;

	*at = '\0';
	for (unsigned i = 0; i < findings.n; i++) {
		const struct finding *f = findings.at[i];

		at += sprintf(at, "%s%s", i ? ", " : "", finding_name(f->kind));
		if (f->client != RECORD_NONE)
			at += sprintf(at, " %u", f->client);
		if (*f->refs)
			at += sprintf(at, " %s", f->refs);
		if (f->ports)
			at += sprintf(at, " port %u", f->port[0]);
	}
	assert_string_equal(text, all);
}

void in_words(const char *text)
{
	static char why[FINDING_TEXT];

	assert_true(findings.n);
	finding_why(findings.at[0], why);
	if (!strstr(why, text))
		fail_msg("no \"%s\" in \"%s\"", text, why);
	assert_true(strlen(finding_remedy(findings.at[0]->kind)) > 20);
}
