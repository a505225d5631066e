/* SPDX-License-Identifier: MIT */
/* One policy file: see load.h. */
#include "policy/cmd/load.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "policy/class.h"
#include "policy/cmd/classes.h"

#define SUFFIX ".policy"

/* "/etc/xdd/ivi_disk.policy" becomes "ivi_disk". */
static bool instance_name(const char *path, char name[POLICY_NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t len = strlen(base), suffix = strlen(SUFFIX);

	if (len <= suffix || strcmp(base + len - suffix, SUFFIX))
		return false;
	len -= suffix;
	if (len > POLICY_NAME_MAX)
		return false;
	memcpy(name, base, len);
	name[len] = '\0';
	return policy_name_ok(name);
}

/* By line; what concerns the whole file (line 0) comes last. */
static int by_line(const void *a, const void *b)
{
	unsigned x = ((const struct policy_error *)a)->line - 1;
	unsigned y = ((const struct policy_error *)b)->line - 1;

	return x < y ? -1 : x > y;
}

static void tell(const char *path, struct policy_errors *errors, struct report *report)
{
	unsigned n = errors->count;

	if (n > POLICY_ERRORS_MAX)
		n = POLICY_ERRORS_MAX;
	qsort(errors->error, n, sizeof(errors->error[0]), by_line);
	for (unsigned i = 0; i < n; i++)
		report_error(report, path, errors->error[i].line, "%s; allowed: %s",
			     errors->error[i].what, errors->error[i].allowed);
	if (errors->count > n)
		report_error(report, path, 0,
			     "%u more errors; mend those above and check again",
			     errors->count - n);
}

static void load_section(struct loaded *loaded, struct policy_errors *errors)
{
	_Alignas(max_align_t) char out[CLASSES_OUT_MAX] = {0};
	const struct classes_section *section = classes_section(loaded->policy.class);

	assert(section->out_size <= sizeof(out));
	if (!section->keys)
		return;
	if (!policy_parse_section(
		    loaded->text, loaded->len,
		    class_info(loaded->policy.class, loaded->policy.door)->section,
		    section->keys, out, errors))
		section->fit(&loaded->policy, out, errors);
}

unsigned load_text(const char *name, struct loaded *loaded,
		   struct policy_errors *errors)
{
	if (!policy_parse(name, loaded->text, loaded->len, &loaded->policy, errors))
		load_section(loaded, errors);
	return errors->count;
}

bool load(const char *path, struct loaded *loaded, struct report *report)
{
	static struct policy_errors errors;
	char name[POLICY_NAME_MAX + 1];
	ssize_t len;

	loaded->path = path;
	if (!instance_name(path, name)) {
		report_error(report, path, 0,
			     "not a name for a policy; allowed: NAME.policy with 1 to "
			     "31 of a-z, 0-9 and _ for NAME");
		return false;
	}
	len = file_read(path, loaded->text, sizeof(loaded->text));
	if (len < 0) {
		report_error(report, path, 0, "cannot be read: %s",
			     strerror((int)-len));
		return false;
	}
	loaded->len = (size_t)len;
	load_text(name, loaded, &errors);
	tell(path, &errors, report);
	return !errors.count;
}
