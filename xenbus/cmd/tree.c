/* SPDX-License-Identifier: MIT */
/* What is the same for every tree: see tree.h. */
#include "xenbus/cmd/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

bool tree_has(struct tree *t, const char *path)
{
	char value[TREE_VALUE_MAX + 1];
	int r = t->ops->read(t, path, value);

	return !r || r == -EINVAL; /* one of strange value */
}

int tree_read(struct tree *t, const char *dir, const char *key,
	      char value[TREE_VALUE_MAX + 1])
{
	char path[2 * TREE_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	r = t->ops->read(t, path, value);
	if (r)
		value[0] = '\0';
	return r;
}

unsigned tree_number(struct tree *t, const char *dir, const char *key, unsigned max,
		     unsigned otherwise)
{
	char value[TREE_VALUE_MAX + 1];
	uint64_t number;

	if (tree_read(t, dir, key, value) ||
	    !number_parse(value, strlen(value), max, &number))
		return otherwise;
	return (unsigned)number;
}

int tree_prune(struct tree *t, const char *path, unsigned parents)
{
	char at[TREE_PATH_MAX + 1];
	int r;

	snprintf(at, sizeof(at), "%s", path);
	r = t->ops->remove(t, at);
	while ((!r || r == -ENOENT) && parents--) {
		char **names, *slash = strrchr(at, '/');
		unsigned n;

		*slash = '\0';
		r = t->ops->list(t, at, &names, &n);
		if (r)
			continue;
		free(names);
		if (n)
			return 0;
		r = t->ops->remove(t, at);
	}
	return r == -ENOENT ? 0 : r;
}
