/* SPDX-License-Identifier: MIT */
/* The files of one device: see target.h. */
#include "xenbus/cmd/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ATTACH ".attach"
#define POLICY ".policy"

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len > tail && !strcmp(text + len - tail, end);
}

/* @path with the end @from in place of @to, or as it is. */
static bool exchange(const char *path, const char *from, const char *to,
		     char out[PATH_MAX])
{
	size_t len = strlen(path) - strlen(from);

	return snprintf(out, PATH_MAX, "%.*s%s", (int)len, path, to) < PATH_MAX;
}

static int read_text(const char *path, char text[POLICY_TEXT_MAX + 1], size_t *len)
{
	FILE *file = fopen(path, "re");
	int err = 0;

	if (!file)
		return -errno;
	*len = fread(text, 1, POLICY_TEXT_MAX + 1, file);
	if (ferror(file))
		err = -EIO;
	fclose(file);
	return err;
}

static bool read_conf(struct target *t, struct report *report)
{
	static struct policy_errors errors;
	size_t len = 0;
	int err = read_text(t->path, t->loaded.text, &len);

	if (err) {
		report_error(report, t->path, 0,
			     "cannot be read: %s; write it, or name both domains: "
			     "--backend DOMAIN --client DOMAIN FILE.policy",
			     strerror(-err));
		return false;
	}
	conf_parse(t->loaded.text, len, &t->conf, &errors);
	for (unsigned i = 0; i < errors.count && i < POLICY_ERRORS_MAX; i++)
		report_error(report, t->path, errors.error[i].line, "%s; allowed: %s",
			     errors.error[i].what, errors.error[i].allowed);
	return !errors.count;
}

/* From @what to the paths of both files. */
static bool find_files(const char *what, const struct target_options *options,
		       struct target *t)
{
	const char *dir = options->directory ? options->directory : TARGET_DIRECTORY;

	if (ends_with(what, POLICY))
		return snprintf(t->policy, PATH_MAX, "%s", what) < PATH_MAX &&
		       exchange(what, POLICY, ATTACH, t->path);
	if (ends_with(what, ATTACH))
		return snprintf(t->path, PATH_MAX, "%s", what) < PATH_MAX &&
		       exchange(what, ATTACH, POLICY, t->policy);
	return policy_name_ok(what) &&
	       snprintf(t->path, PATH_MAX, "%s/%s" ATTACH, dir, what) < PATH_MAX &&
	       snprintf(t->policy, PATH_MAX, "%s/%s" POLICY, dir, what) < PATH_MAX;
}

static bool set_domain(const char *option, char out[CONF_DOMAIN_MAX + 1],
		       struct report *report)
{
	if (!option)
		return true;
	if (*option && strlen(option) <= CONF_DOMAIN_MAX && !strpbrk(option, " /")) {
		strcpy(out, option);
		return true;
	}
	report_error(report, "command line", 0,
		     "\"%.40s\" is no domain's name or number", option);
	return false;
}

bool target_read(const char *what, const struct target_options *options,
		 struct target *t, struct report *report)
{
	bool named = options->backend && options->client;

	memset(&t->conf, 0, sizeof(t->conf));
	if (!find_files(what, options, t)) {
		report_error(report, what, 0,
			     "not a name for a device; allowed: NAME with 1 to 31 of "
			     "a-z, 0-9 and _, or the path of a NAME.policy or a "
			     "NAME.attach");
		return false;
	}
	if ((!named || !access(t->path, F_OK)) && !read_conf(t, report))
		return false;
	if (t->conf.policy[0] && !ends_with(what, POLICY))
		strcpy(t->policy, t->conf.policy);
	return set_domain(options->backend, t->conf.backend, report) &&
	       set_domain(options->client, t->conf.client, report) &&
	       load(t->policy, &t->loaded, report);
}
