/* SPDX-License-Identifier: MIT */
/* Policies and audit logs of one driver domain: see witness-instance.h. */
#include "xenbus/cmd/witness-instance.h"

#include <dirent.h>
#include <errno.h>
#include <sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

#define SUFFIX	  ".policy"
#define HEADS_MAX (256 * 1024)

static const char *cannot(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static const char *cannot(const char *fmt, ...)
{
	static char text[PATH_MAX + 256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return text;
}

static struct instance *find(struct instances *all, const char *name)
{
	for (unsigned i = 0; i < all->n; i++) {
		if (!strcmp(all->at[i]->name, name))
			return all->at[i];
	}
	return NULL;
}

/* NULL: there are too many. */
static struct instance *add(struct instances *all, const char *name, size_t len)
{
	struct instance *new;

	if (all->n == INSTANCES_MAX)
		return NULL;
	new = calloc(1, sizeof(*new));
	if (!new)
		abort();
	snprintf(new->name, sizeof(new->name), "%.*s", (int)len, name);
	new->client = RECORD_NONE;
	return all->at[all->n++] = new;
}

static void parse_policy(struct instance *i, const char *text, size_t len)
{
	static struct policy_errors errors;

	SHA256Data((const uint8_t *)text, len, i->digest);
	if (!policy_name_ok(i->name))
		snprintf(i->why, sizeof(i->why), "its name is none of an instance");
	else if (policy_parse(i->name, text, len, &i->policy, &errors))
		snprintf(i->why, sizeof(i->why), "line %u: %s", errors.error[0].line,
			 errors.error[0].what);
	else
		i->class = class_info(i->policy.class, i->policy.door);
}

static void read_policy(struct instance *i)
{
	static char text[POLICY_TEXT_MAX + 1];
	ssize_t len = file_read(i->path, text, sizeof(text));

	if (len < 0)
		snprintf(i->why, sizeof(i->why), "it cannot be read: %s",
			 strerror((int)-len));
	else
		parse_policy(i, text, (size_t)len);
}

static bool is_policy(const char *name, size_t *len)
{
	size_t all = strlen(name), suffix = strlen(SUFFIX);

	*len = all > suffix ? all - suffix : 0;
	return name[0] != '.' && *len && !strcmp(name + *len, SUFFIX);
}

static bool is_folder(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	return name[0] != '.' &&
	       snprintf(path, sizeof(path), "%s/%s", dir, name) < PATH_MAX &&
	       !stat(path, &st) && S_ISDIR(st.st_mode);
}

static const char *read_policies(struct instances *all, const char *dir)
{
	DIR *folder = opendir(dir);
	const struct dirent *entry;
	struct instance *i;
	size_t len;

	if (!folder)
		return cannot("the policies in %s cannot be read: %s", dir,
			      strerror(errno));
	while ((entry = readdir(folder))) {
		if (!is_policy(entry->d_name, &len))
			continue;
		i = add(all, entry->d_name, len);
		if (!i || snprintf(i->path, PATH_MAX, "%s/%s", dir, entry->d_name) >=
				  PATH_MAX)
			break;
		read_policy(i);
	}
	closedir(folder);
	if (entry)
		return cannot("%s holds more than one driver domain has", dir);
	return all->n ? NULL
		      : cannot("%s holds no file NAME.policy: name the folder that "
			       "was copied from the driver domain's /etc/xdd",
			       dir);
}

/* Logs of no policy. */
static const char *read_strays(struct instances *all, const char *dir)
{
	DIR *folder = opendir(dir);
	const struct dirent *entry;

	if (!folder)
		return cannot("the audit logs in %s cannot be read: %s", dir,
			      strerror(errno));
	while ((entry = readdir(folder))) {
		if (!is_folder(dir, entry->d_name) || find(all, entry->d_name))
			continue;
		if (!add(all, entry->d_name, strlen(entry->d_name)))
			break;
	}
	closedir(folder);
	return entry ? cannot("%s holds more than one driver domain has", dir) : NULL;
}

static const char *take_head(struct instances *all, char *line)
{
	char *space = strchr(line, ' ');
	struct chain_head head;
	struct instance *i;

	if (!space || !chain_head_parse(space + 1, &head))
		return "no NAME SEQ:HASH";
	*space = '\0';
	i = find(all, line);
	if (!i)
		return "no instance has this name";
	snprintf(i->head, sizeof(i->head), "%s", space + 1);
	return NULL;
}

static const char *read_heads(struct instances *all, const char *path)
{
	static char text[HEADS_MAX + 1];
	ssize_t len = file_read(path, text, HEADS_MAX);
	const char *why = NULL;
	unsigned number = 0;
	char *rest = text, *line;

	if (len < 0)
		return cannot("the heads in %s cannot be read: %s", path,
			      strerror((int)-len));
	text[len] = '\0';
	while (!why && (line = strsep(&rest, "\n"))) {
		number++;
		if (*line && *line != '#')
			why = take_head(all, line);
	}
	return why ? cannot("%s:%u: %s", path, number, why) : NULL;
}

static void read_log(struct instance *i, const char *dir)
{
	struct chain_head head;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, i->name);
	record_read(&i->log, path, chain_head_parse(i->head, &head) ? &head : NULL);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct instance *const *)a)->name,
		      (*(struct instance *const *)b)->name);
}

const char *instances_read(struct instances *out, const char *policies,
			   const char *audit, const char *heads)
{
	const char *why;

	out->n = 0;
	why = read_policies(out, policies);
	if (!why)
		why = read_strays(out, audit);
	if (!why && heads)
		why = read_heads(out, heads);
	if (why) {
		instances_free(out);
		return why;
	}
	qsort(out->at, out->n, sizeof(*out->at), by_name);
	for (unsigned i = 0; i < out->n; i++)
		read_log(out->at[i], audit);
	return NULL;
}

void instances_free(struct instances *instances)
{
	for (unsigned i = 0; i < instances->n; i++) {
		record_free(&instances->at[i]->log);
		free(instances->at[i]);
	}
	instances->n = 0;
}

bool instance_is_sound(const struct instance *instance)
{
	return instance->class && instance->log.state == RECORD_GOOD;
}
