/* SPDX-License-Identifier: MIT */
/*
 * The tree through libxenstore: see tree.h.
 *
 * libxenstore's reading thread does not wake who waits on its descriptor when
 * the connection breaks; xs_check_watch() then says EINVAL, so that whoever
 * waits must ask now and then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "xenbus/cmd/tree.h"

struct tree_xen {
	struct tree tree;
	struct xs_handle *xs;
	xs_transaction_t transaction;
};

static struct tree_xen *xen_of(struct tree *t)
{
	return (struct tree_xen *)((char *)t - offsetof(struct tree_xen, tree));
}

/* What the library says when it lost the connection, not xenstored. */
static int outcome(struct tree *t, bool ok)
{
	int err = errno;

	if (ok)
		return 0;
	if (err == EBADF || err == EPIPE || err == ECONNRESET || err == ENOTCONN)
		t->dead = true;
	return err ? -err : -EIO;
}

static int xen_begin(struct tree *t)
{
	struct tree_xen *x = xen_of(t);

	x->transaction = xs_transaction_start(x->xs);
	return outcome(t, x->transaction != XBT_NULL);
}

static int xen_end(struct tree *t, bool abort)
{
	struct tree_xen *x = xen_of(t);
	xs_transaction_t transaction = x->transaction;

	x->transaction = XBT_NULL;
	return outcome(t, xs_transaction_end(x->xs, transaction, abort));
}

static int xen_read(struct tree *t, const char *path, char value[TREE_VALUE_MAX + 1])
{
	struct tree_xen *x = xen_of(t);
	unsigned len;
	char *got = xs_read(x->xs, x->transaction, path, &len);
	int r = outcome(t, got);

	if (!r && (len > TREE_VALUE_MAX || strlen(got) != len))
		r = -EINVAL;
	if (!r)
		memcpy(value, got, len + 1);
	free(got);
	return r;
}

static int xen_write(struct tree *t, const char *path, const char *value)
{
	struct tree_xen *x = xen_of(t);

	return outcome(t, xs_write(x->xs, x->transaction, path, value,
				   (unsigned)strlen(value)));
}

static int xen_allow(struct tree *t, const char *path, const struct tree_perms *perms)
{
	struct tree_xen *x = xen_of(t);
	struct xs_permissions list[2] = {{perms->owner.v, XS_PERM_NONE}};
	unsigned n = 1;

	if (perms->reader != TREE_NO_READER) {
		list[n].id = (unsigned)perms->reader;
		list[n++].perms = XS_PERM_READ;
	}
	return outcome(t, xs_set_permissions(x->xs, x->transaction, path, list, n));
}

static int xen_remove(struct tree *t, const char *path)
{
	struct tree_xen *x = xen_of(t);

	return outcome(t, xs_rm(x->xs, x->transaction, path));
}

static int xen_list(struct tree *t, const char *path, char ***names, unsigned *n)
{
	struct tree_xen *x = xen_of(t);
	char **got = xs_directory(x->xs, x->transaction, path, n);
	int r = outcome(t, got);

	if (!r)
		*names = got;
	return r;
}

/* The first entry is the owner and what all others may do. */
static int xen_ours(struct tree *t, const char *path)
{
	struct tree_xen *x = xen_of(t);
	unsigned n = 0;
	struct xs_permissions *perms =
		xs_get_permissions(x->xs, x->transaction, path, &n);
	int r = outcome(t, perms), ours = n && !perms[0].id;

	for (unsigned i = 0; i < n; i++) {
		if (perms[i].perms & XS_PERM_WRITE)
			ours = 0;
	}
	free(perms);
	return r ? r : ours;
}

static bool xen_introduced(struct tree *t, struct domid domain)
{
	return xs_is_domain_introduced(xen_of(t)->xs, domain.v);
}

static int xen_watch(struct tree *t, const char *path)
{
	return outcome(t, xs_watch(xen_of(t)->xs, path, "xdd"));
}

static int xen_fired(struct tree *t)
{
	int fired = 0;
	char **event;

	while ((event = xs_check_watch(xen_of(t)->xs))) {
		free(event);
		fired = 1;
	}
	if (errno == EAGAIN)
		return fired;
	t->dead = true;
	return errno ? -errno : -EIO;
}

static void xen_close(struct tree *t)
{
	xs_close(xen_of(t)->xs);
	free(xen_of(t));
}

static const struct tree_ops xen_ops = {
	.begin = xen_begin,
	.end = xen_end,
	.read = xen_read,
	.write = xen_write,
	.allow = xen_allow,
	.remove = xen_remove,
	.list = xen_list,
	.ours = xen_ours,
	.introduced = xen_introduced,
	.watch = xen_watch,
	.fired = xen_fired,
	.close = xen_close,
};

struct tree *tree_open(void)
{
	struct tree_xen *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->tree.ops = &xen_ops;
	x->xs = xs_open(0);
	if (!x->xs) {
		int err = errno;

		free(x);
		errno = err;
		return NULL;
	}
	x->tree.fd = xs_fileno(x->xs);
	return &x->tree;
}
