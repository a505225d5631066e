/* SPDX-License-Identifier: MIT */
/*
 * A compiled device tree: see dt-tree.h. Where the bindings leave a choice
 * this reads as Xen does (xen/common/device-tree.c): compatible in any case of
 * letters, the first cell of a longer property, the first string of a list.
 */
#include "policy/cmd/dt-tree.h"

#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOB_MAX (2u << 20) /* Xen's MAX_FDT_SIZE */

const char *dt_enhanced_name(enum dt_enhanced enhanced)
{
	static const char *const names[] = {"no", "enabled", "legacy", "no-xenstore"};

	return names[enhanced];
}

/* The next string of a list of @len bytes, or NULL where none is terminated. */
static const char *next_string(const char **list, int *len)
{
	const char *string = *list;
	const char *end = *len > 0 ? memchr(string, '\0', (size_t)*len) : NULL;

	if (!end)
		return NULL;
	*len -= (int)(end + 1 - string);
	*list = end + 1;
	return string;
}

static bool compatible(const void *fdt, int node, const char *with)
{
	int len = 0;
	const char *list = fdt_getprop(fdt, node, "compatible", &len), *string;

	while (list && (string = next_string(&list, &len))) {
		if (!strcasecmp(string, with))
			return true;
	}
	return false;
}

static struct dt_cell read_cell(const void *fdt, int node, const char *name)
{
	struct dt_cell cell = {0};
	int len = 0;
	const fdt32_t *value = fdt_getprop(fdt, node, name, &len);

	if (value && len >= (int)sizeof(*value))
		cell = (struct dt_cell){true, fdt32_ld(value)};
	return cell;
}

/* A value that is empty or not terminated counts as "enabled". */
static enum dt_enhanced read_enhanced(const void *fdt, int node)
{
	int len = 0;
	const char *value = fdt_getprop(fdt, node, "xen,enhanced", &len);

	if (!value)
		return DT_PLAIN;
	value = next_string(&value, &len);
	for (unsigned e = DT_ENABLED; value && e <= DT_NO_XENSTORE; e++) {
		if (!strcmp(value, dt_enhanced_name(e)))
			return e;
	}
	return value ? DT_PLAIN : DT_ENABLED;
}

/* What no option can name ends in '?' and so is no node that is meant. */
static void read_name(const void *fdt, int node, char out[DT_NODE_MAX + 1])
{
	int len = 0;
	const char *name = fdt_get_name(fdt, node, &len);

	snprintf(out, DT_NODE_MAX + 1, "%s", name ? name : "?");
	for (char *c = out; *c; c++) {
		if (*c <= ' ' || *c > '~')
			*c = '?';
	}
	if (len > DT_NODE_MAX)
		out[DT_NODE_MAX - 1] = '?';
}

static void add_domain(const void *fdt, int node, struct dt_tree *tree)
{
	struct dt_domain *domain;

	if (!(tree->n & (tree->n - 1))) /* full: 0, 1, 2, 4, ... */
		tree->domain = reallocarray(tree->domain, tree->n ? 2 * tree->n : 1,
					    sizeof(*domain));
	if (!tree->domain)
		abort();
	domain = &tree->domain[tree->n++];
	*domain = (struct dt_domain){
		.enhanced = read_enhanced(fdt, node),
		.grant_version = read_cell(fdt, node, "max_grant_version"),
		.grant_frames = read_cell(fdt, node, "max_grant_frames"),
		.maptrack_frames = read_cell(fdt, node, "max_maptrack_frames"),
		.capabilities = read_cell(fdt, node, "capabilities"),
	};
	read_name(fdt, node, domain->name);
}

/* A boot module of dom0, perhaps in a node of modules; its ramdisk is taken
 * for its kernel, since without a kernel there is none. */
static bool is_dom0(const void *fdt, int node, int depth)
{
	int child;

	if (compatible(fdt, node, "multiboot,module") ||
	    compatible(fdt, node, "xen,multiboot-module"))
		return true;
	if (!depth)
		return false;
	fdt_for_each_subnode(child, fdt, node)
	{
		if (is_dom0(fdt, child, depth - 1))
			return true;
	}
	return false;
}

/* xen,xen-bootargs; or bootargs, where dom0 has its own elsewhere. */
static void read_command_line(const void *fdt, int chosen, struct dt_tree *tree)
{
	int len = 0;
	const char *value = fdt_getprop(fdt, chosen, "xen,xen-bootargs", &len);

	if (!value && fdt_getprop(fdt, chosen, "xen,dom0-bootargs", NULL))
		value = fdt_getprop(fdt, chosen, "bootargs", &len);
	if (!value)
		return;
	tree->command_line = strndup(value, len > 0 ? (size_t)len : 0);
	if (!tree->command_line)
		abort();
}

static const char *read_chosen(const void *fdt, struct dt_tree *tree)
{
	int chosen = fdt_path_offset(fdt, "/chosen"), node;

	if (chosen < 0)
		return "has no node /chosen";
	read_command_line(fdt, chosen, tree);
	fdt_for_each_subnode(node, fdt, chosen)
	{
		if (compatible(fdt, node, "xen,domain"))
			add_domain(fdt, node, tree);
		else
			tree->dom0 = tree->dom0 || is_dom0(fdt, node, 1);
		if (tree->n == DOMID_LIMIT)
			return "has more domains than Xen has domids";
	}
	return tree->n ? NULL : "has no node \"xen,domain\" in /chosen";
}

/* All of @path, one byte more at most than Xen would take; NULL: errno says. */
static void *read_blob(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	void *blob = malloc(BLOB_MAX + 1);

	if (!blob)
		abort();
	if (file) {
		*len = fread(blob, 1, BLOB_MAX + 1, file);
		if (!ferror(file)) {
			fclose(file);
			return blob;
		}
		fclose(file);
		errno = errno ? errno : EIO;
	}
	free(blob);
	return NULL;
}

const char *dt_tree_read(const char *path, struct dt_tree *tree)
{
	size_t len = 0;
	void *blob = read_blob(path, &len);
	const char *wrong = NULL;
	int err;

	*tree = (struct dt_tree){0};
	if (!blob)
		return strerror(errno);
	err = len > BLOB_MAX ? 0 : fdt_check_full(blob, len);
	if (len > BLOB_MAX)
		wrong = "is larger than the 2 MiB that Xen takes";
	else if (err)
		wrong = fdt_strerror(err);
	else
		wrong = read_chosen(blob, tree);
	free(blob);
	return wrong;
}

void dt_tree_free(struct dt_tree *tree)
{
	free(tree->domain);
	free(tree->command_line);
	*tree = (struct dt_tree){0};
}
