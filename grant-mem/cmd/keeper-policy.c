/* SPDX-License-Identifier: MIT */
/*
 * A keeper's policy: read whole, checked whole, then swapped. What was wrong
 * is told as file:line, all of it at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "grant-mem/cmd/keeper.h"
#include "policy/text.h"

static char text[POLICY_TEXT_MAX + 1]; /* one too many is told by the parser */
static struct policy_errors errors;

static ssize_t read_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text)),
		err = n < 0 ? -errno : n;

	if (fd >= 0)
		close(fd);
	return err;
}

static void tell(const char *path)
{
	for (unsigned i = 0; i < errors.count && i < POLICY_ERRORS_MAX; i++) {
		const struct policy_error *e = &errors.error[i];

		fprintf(stderr, "%s:%u: %s%s%s\n", path, e->line, e->what,
			e->allowed[0] ? "; allowed: " : "", e->allowed);
	}
}

/* What the grammar allows and this program does not, or not while it runs. */
static void find_misfits(const struct keeper *k, const struct policy *before,
			 const struct policy *now)
{
	bool process = k->isolation == POLICY_PROCESS;

	if (now->isolation != k->isolation)
		text_error(&errors, now->line[POLICY_KEY_ISOLATION],
			   process ? "process" : "domain",
			   process ? "Isolation = domain has no keeper: use the unit "
				     "xdd-CLASS-domain"
				   : "Isolation = process has one: use the unit "
				     "xdd-CLASS");
	if (now->data_pages > MAPS_SLOTS - now->ring_pages)
		text_error(&errors, now->line[policy_data_key(now)],
			   "65536 with RingPages", "more than a keeper can hold");
	if (before && policy_needs_restart(before, now))
		text_error(&errors, 0, "", "this change needs a restart of both units");
}

static int seal_text(size_t len)
{
	int fd = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && write(fd, text, len) == (ssize_t)len &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | KEEPER_SEALS))
		return fd;
	if (fd >= 0)
		close(fd);
	return -ENOMEM;
}

static void swap(struct keeper *k, const struct policy *policy, int fd, size_t len)
{
	SHA2_CTX sha;

	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)text, len);
	SHA256Final(k->digest, &sha);
	if (k->policy_fd >= 0)
		close(k->policy_fd);
	k->policy_fd = fd;
	k->policy_bytes = len;
	k->policy = *policy;
	k->class = class_info(policy->class, policy->door);
	class_device_id(policy->class, policy->device, &k->device_id);
	k->audit.stop = policy->audit_full == POLICY_FULL_STOP;
}

/* Does @now take away what the back end holds, not only what it may add? */
static bool revokes(const struct keeper *k, struct policy now)
{
	const struct policy *before = &k->policy;

	now.in_flight = before->in_flight;
	if (k->maps.usage.ring_pages <= now.ring_pages)
		now.ring_pages = before->ring_pages;
	if (k->maps.usage.data_pages <= now.data_pages)
		now.data_pages = before->data_pages;
	return policy_narrows(before, &now);
}

/* [impl->req~reload-is-whole~1] */
int keeper_policy_load(struct keeper *k, bool reload)
{
	static struct policy policy;
	char path[512];
	ssize_t len;
	int fd = -EINVAL;

	snprintf(path, sizeof(path), "%s/%s.policy", k->policy_dir, k->name);
	len = read_text(path);
	errors.count = 0;
	if (len < 0)
		text_error(&errors, 0, "", "cannot be read: %s", strerror((int)-len));
	else if (!policy_parse(k->name, text, (size_t)len, &policy, &errors))
		find_misfits(k, reload ? &k->policy : NULL, &policy);
	if (!errors.count)
		fd = seal_text((size_t)len);
	tell(path);
	if (fd < 0)
		return fd;
	if (reload && revokes(k, policy))
		keeper_revoke(k, "the policy was narrowed", false);
	swap(k, &policy, fd, (size_t)len);
	return 0;
}
