/* SPDX-License-Identifier: MIT */
/*
 * systemd.generator(7): turns each /etc/xdd/NAME.policy into an instance.
 *
 * It adds to the installed templates what only the policy knows: which back
 * end, which user, which Resource, how much memory. It starts nothing, and
 * touches nothing but the directory it is given. Invariants:
 *  1. each *.policy file, whatever is in it, leaves a trace: at least a keeper,
 *     which refuses the same text with all the reasons in its journal, so that
 *     a bad policy stands in `systemctl --failed`;
 *  2. no back end is wanted for a policy that is not good;
 *  3. one bad file does not keep the others from their instances.
 *
 * usage: xdd-generator NORMAL [EARLY LATE [POLICIES]]
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/displ/displ-policy.h"
#include "backends/displ/displ-resource.h"
#include "backends/snd/snd-policy.h"
#include "common/file.h"
#include "common/log.h"
#include "policy/class.h"
#include "systemd/resource.h"
#include "systemd/unit-name.h"

#define POLICIES "/etc/xdd"
#define SUFFIX	 ".policy"
#define PAGE_KIB 4
#define RING_KIB (PAGE_KIB + 256) /* a page of a ring, and what its entries need */
#define BASE_KIB (32 * 1024)	  /* code, buffers and the kernel's share of them */

struct generator {
	const char *out;
	const char *policies;
	struct log log;
	bool failed;
	/* Every good policy's client; what "Isolation = domain" depends on. */
	bool one_client;
	struct policy client;
	char guest_type[8]; /* of this domain: PV, PVH, HVM; or "" */
};

static void complain(struct generator *g, const char *path, const char *what)
{
	log_line(&g->log, LOG_LEVEL_ERROR, "%s: %s: %s", path, what, strerror(errno));
	g->failed = true;
}

static FILE *create(struct generator *g, const char *dir, const char *file)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", g->out, dir);
	if (mkdir(path, 0755) && errno != EEXIST)
		complain(g, path, "cannot be made");
	snprintf(path, sizeof(path), "%s/%s/%s", g->out, dir, file);
	f = fopen(path, "wxe");
	if (!f)
		complain(g, path, "cannot be written");
	return f;
}

/* @who wants the unit @wanted, which is installed as @template. */
static void want(struct generator *g, const char *who, const char *wanted,
		 const char *template)
{
	char path[PATH_MAX], target[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.wants", g->out, who);
	if (mkdir(path, 0755) && errno != EEXIST)
		complain(g, path, "cannot be made");
	snprintf(path, sizeof(path), "%s/%s.wants/%s", g->out, who, wanted);
	snprintf(target, sizeof(target), UNIT_DIR "/%s", template);
	if (symlink(target, path) && errno != EEXIST)
		complain(g, path, "cannot be written");
}

/* What a good policy file says. */
struct loaded {
	struct policy policy;	   /* without a name: there is none of it */
	struct displ_policy displ; /* @more's paths lie there */
	struct resource_more more;
};

struct instance {
	char name[UNIT_NAME_MAX]; /* escaped */
	char user[UNIT_USER_MAX + 1];
	char target[UNIT_NAME_MAX + 32];
	const struct policy *policy; /* NULL: it is not good */
	struct resource_more more;
};

/* The unit ROLE@NAME.service, wanted by its instance, with what it needs.
 * [impl->req~memory-is-bounded~1] */
static void service(struct generator *g, const struct instance *instance,
		    const char *role, const char *unit, const char *lines, bool bounded,
		    uint64_t bytes)
{
	char name[UNIT_NAME_MAX + 64], dir[UNIT_NAME_MAX + 80], template[64];
	const struct policy *policy = instance->policy;
	FILE *f;

	snprintf(name, sizeof(name), "xdd-%s@%s.service", role, instance->name);
	snprintf(dir, sizeof(dir), "%s.d", name);
	snprintf(template, sizeof(template), "xdd-%s@.service", role);
	want(g, instance->target, name, template);
	f = create(g, dir, "50-instance.conf");
	if (!f)
		return;
	fprintf(f, "# Made by xdd-generator from %s/%s" SUFFIX "\n[Unit]\n%s",
		g->policies, policy ? policy->name : instance->name, unit);
	fprintf(f, "[Service]\nUser=%s\n%s", instance->user, lines);
	if (*g->guest_type)
		fprintf(f, "Environment=XDD_GUEST_TYPE=%s\n", g->guest_type);
	if (bounded)
		fprintf(f, "MemoryMax=%" PRIu64 "K\n",
			BASE_KIB + (uint64_t)PAGE_KIB * policy->data_pages +
				RING_KIB * policy->ring_pages + bytes / 1024);
	if (fclose(f))
		complain(g, dir, "cannot be written");
}

/* [impl->req~no-keeper-no-back-end~1] */
static void process_units(struct generator *g, const struct instance *instance)
{
	const char *class =
		class_info(instance->policy->class, instance->policy->door)->name;
	char wants[UNIT_NAME_MAX + 64];
	struct resource resource;

	resource_lines(instance->policy, &instance->more, &resource);
	snprintf(wants, sizeof(wants), "Wants=xdd-%s@%s.service\n", class,
		 instance->name);
	service(g, instance, "keeper", wants, "", true, 0);
	service(g, instance, class, resource.unit, resource.service,
		!resource.in_memory, resource.bytes);
}

static void domain_units(struct generator *g, const struct instance *instance)
{
	struct resource_more more = instance->more;
	struct resource resource;
	char role[32];

	more.mixed = false;
	resource_lines(instance->policy, &more, &resource);
	snprintf(role, sizeof(role), "%s-domain",
		 class_info(instance->policy->class, instance->policy->door)->name);
	service(g, instance, role, resource.unit, resource.service, !resource.in_memory,
		resource.bytes);
}

/* @loaded: NULL, if it is not good. [impl->req~wrong-policy-starts-nothing~1] */
static void instance_units(struct generator *g, const char *name,
			   const struct loaded *loaded)
{
	const struct policy *policy = loaded ? &loaded->policy : NULL;
	struct instance instance = {.policy = policy};

	if (loaded)
		instance.more = loaded->more;

	unit_escape(name, instance.name);
	unit_user(name, instance.user);
	snprintf(instance.target, sizeof(instance.target), "xdd@%s.target",
		 instance.name);
	want(g, "multi-user.target", "xdd.target", "xdd.target");
	want(g, "xdd.target", instance.target, "xdd@.target");
	if (!policy)
		service(g, &instance, "keeper", "", "", false, 0);
	else if (policy->isolation == POLICY_DOMAIN)
		domain_units(g, &instance);
	else
		process_units(g, &instance);
}

/* -- Who lends ------------------------------------------------------------- */

/* The card of which this instance has a lease; or NULL. */
static const char *leased_card(const struct loaded *l)
{
	const char *resource = l->policy.resource;

	if (!l->policy.name[0] || l->policy.class != POLICY_DISPL ||
	    displ_resource_of(resource) != DISPL_RESOURCE_LEASE)
		return NULL;
	return displ_resource_path(resource);
}

static bool is_leased(const struct loaded *l, const char *card)
{
	return leased_card(l) && !strcmp(leased_card(l), card);
}

static bool is_first_of_card(const struct loaded *loaded, int i)
{
	const char *card = leased_card(&loaded[i]);

	for (int k = 0; card && k < i; k++) {
		if (is_leased(&loaded[k], card))
			return false;
	}
	return card;
}

/* Those that it lends to: it wants them back when it is there again, as a keeper does.
 */
static void lessee_lines(FILE *f, const struct loaded *l)
{
	const struct policy *policy = &l->policy;
	const char *domain = policy->isolation == POLICY_DOMAIN ? "-domain" : "";

	fprintf(f,
		"[Unit]\nWants=xdd-displ%s@%s.service\n[Service]\n"
		"RuntimeDirectory=xdd-lease/%s\nBindPaths=-/run/xdd-lease/%s\n",
		domain, policy->name, policy->name, policy->name);
}

/* The lessor of @first's card, for that and those of @n policies from there on which
 * have it, too. The units of these bring it. */
static void lessor_unit(struct generator *g, const struct loaded *first, int n)
{
	const char *card = leased_card(first);
	char name[UNIT_NAME_MAX], dir[UNIT_NAME_MAX + 32], user[UNIT_USER_MAX + 1];
	struct resource resource;
	FILE *f;

	unit_escape(card, name);
	unit_user(first->policy.resource, user);
	snprintf(dir, sizeof(dir), "xdd-lease@%s.service.d", name);
	f = create(g, dir, "50-instances.conf");
	if (!f)
		return;
	resource_card(card, &resource);
	fprintf(f, "# Made by xdd-generator from %s\n[Unit]\n%s[Service]\nUser=%s\n%s",
		g->policies, resource.unit, user, resource.service);
	for (int i = 0; i < n; i++) {
		if (is_leased(&first[i], card))
			lessee_lines(f, &first[i]);
	}
	fprintf(f, "[Service]\nEnvironment=\"XDD_INSTANCES=");
	for (int i = 0; i < n; i++) {
		if (is_leased(&first[i], card))
			fprintf(f, "%s%s", i ? " " : "", first[i].policy.name);
	}
	fprintf(f, "\"\n");
	if (fclose(f))
		complain(g, dir, "cannot be written");
}

/* -- Policies -------------------------------------------------------------- */

_Static_assert(sizeof(((struct resource_more *)0)->plug) / sizeof(char *) ==
		       DISPL_HEADS_MAX,
	       "one for each connector");

/* What is wrong in it is the back end's to say. */
static void load_section(struct loaded *l, const char *text, size_t len)
{
	struct snd_policy sound;

	l->more = (struct resource_more){0};
	l->more.mixed = snd_policy_read(&l->policy, text, len, &sound) && sound.mixed;
	if (!displ_policy_read(&l->policy, text, len, &l->displ))
		return;
	l->more.read[0] = l->displ.gone;
	l->more.read[1] = l->displ.edid;
	for (uint32_t i = 0; i < l->displ.heads; i++)
		l->more.plug[i] = l->displ.head[i].name;
	l->more.bytes = displ_policy_bytes(&l->displ, l->policy.door);
}

/* True with *@out complete; else every reason is in the log. */
static bool load(struct generator *g, const char *name, struct loaded *out)
{
	static struct policy_errors errors;
	static char text[POLICY_TEXT_MAX + 1]; /* one more: too long to the parser */
	char path[PATH_MAX];
	unsigned n = 0;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%s" SUFFIX, g->policies, name);
	errors.count = 0;
	len = file_read(path, text, sizeof(text));
	if (len < 0) {
		errno = (int)-len;
		complain(g, path, "cannot be read");
	} else if (!policy_name_ok(name))
		log_line(
			&g->log, LOG_LEVEL_ERROR,
			"%s: not a name for an instance, allowed: 1 to %d of [a-z0-9_]",
			path, POLICY_NAME_MAX);
	else
		n = policy_parse(name, text, (size_t)len, &out->policy, &errors);
	for (unsigned i = 0; i < n && i < POLICY_ERRORS_MAX; i++)
		log_line(&g->log, LOG_LEVEL_ERROR, "%s:%u: %s, allowed: %s", path,
			 errors.error[i].line, errors.error[i].what,
			 errors.error[i].allowed);
	if (len < 0 || !policy_name_ok(name) || n)
		return false;
	load_section(out, text, (size_t)len);
	return true;
}

static int is_policy(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), suffix = strlen(SUFFIX);

	return entry->d_name[0] != '.' && len > suffix &&
	       !strcmp(entry->d_name + len - suffix, SUFFIX);
}

static bool same_client(const struct policy *a, const struct policy *b)
{
	return a->any_domain == b->any_domain && a->domain.v == b->domain.v &&
	       !strcmp(a->tag, b->tag);
}

/* First look: do all policies name the same client? */
static void note_client(struct generator *g, const struct policy *policy)
{
	if (!g->client.name[0])
		g->client = *policy;
	else if (!same_client(&g->client, policy))
		g->one_client = false;
}

/* Second look: Isolation = domain is for a domain of one client alone.
 * [impl->req~domain-isolation-is-for-one-client~1] */
static bool fits_domain(struct generator *g, const struct policy *policy)
{
	if (policy->isolation != POLICY_DOMAIN || g->one_client)
		return true;
	log_line(&g->log, LOG_LEVEL_ERROR,
		 "%s/%s" SUFFIX ":%u: Isolation = domain, and not all policies of this "
		 "domain name the same client",
		 g->policies, policy->name, policy->line[POLICY_KEY_ISOLATION]);
	return false;
}

static void generate(struct generator *g, struct dirent **files, int n)
{
	struct loaded *loaded = calloc((size_t)n, sizeof(*loaded));

	if (!loaded) {
		complain(g, g->policies, "cannot be held");
		return;
	}
	for (int i = 0; i < n; i++) {
		char *name = files[i]->d_name;

		name[strlen(name) - strlen(SUFFIX)] = '\0';
		if (load(g, name, &loaded[i]))
			note_client(g, &loaded[i].policy);
		else
			loaded[i].policy.name[0] = '\0';
	}
	for (int i = 0; i < n; i++) {
		struct policy *policy = &loaded[i].policy;
		bool good = policy->name[0] && fits_domain(g, policy);

		instance_units(g, files[i]->d_name, good ? &loaded[i] : NULL);
		if (!good)
			policy->name[0] = '\0';
	}
	for (int i = 0; i < n; i++) {
		if (is_first_of_card(loaded, i))
			lessor_unit(g, &loaded[i], n - i);
	}
	free(loaded);
}

/* systemd runs generators before there is a journal. */
static void log_to_kernel(void)
{
	int fd;

	if (!getenv("SYSTEMD_SCOPE"))
		return;
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
}

/* Back ends see no /sys, and a PV domain has a hazard that they avoid. */
static void find_guest_type(struct generator *g)
{
	FILE *f = fopen("/sys/hypervisor/guest_type", "re");

	if (f && fscanf(f, "%7[A-Z]", g->guest_type) != 1)
		g->guest_type[0] = '\0';
	if (f)
		fclose(f);
}

int main(int argc, char **argv)
{
	struct generator g = {.policies = POLICIES, .one_client = true};
	struct dirent **files;
	int n;

	if (argc < 2 || argc > 5) {
		fprintf(stderr,
			"usage: xdd-generator NORMAL [EARLY LATE [POLICIES]]\n");
		return 2;
	}
	g.out = argv[1];
	if (argc == 5)
		g.policies = argv[4];
	log_to_kernel();
	log_init(&g.log, "xdd-generator");
	g.log.burst = 0;
	find_guest_type(&g);

	n = scandir(g.policies, &files, is_policy, alphasort);
	if (n < 0 && errno == ENOENT)
		return 0; /* installed, not configured */
	if (n < 0)
		complain(&g, g.policies, "cannot be read");
	if (n > 0)
		generate(&g, files, n);
	for (int i = 0; i < n; i++)
		free(files[i]);
	if (n >= 0)
		free(files);
	return g.failed;
}
