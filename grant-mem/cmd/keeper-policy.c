/* SPDX-License-Identifier: MIT */
/*
 * A keeper's policy: read whole, checked whole, then swapped. What was wrong
 * is told as file:line, all of it at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "grant-mem/cmd/keeper.h"

static char text[POLICY_TEXT_MAX + 1];
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

/* What the grammar allows and this program does not. */
static const char *misfit(const struct keeper *k, const struct policy *p,
			  uint32_t *device)
{
	if (p->isolation != k->isolation)
		return k->isolation == POLICY_PROCESS
			       ? "Isolation = domain has no keeper: use the unit "
				 "xdd-CLASS-domain"
			       : "Isolation = process has one: use the unit xdd-CLASS";
	if (p->data_pages > MAPS_SLOTS - p->ring_pages)
		return "RingPages and DataPages are more than a keeper can hold, 65536";
	if (!class_device_id(p->class, p->device, device))
		return "Device is no device of this class";
	return NULL;
}

static int seal_text(size_t len)
{
	int fd = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 &&
	    (write(fd, text, len) != (ssize_t)len ||
	     fcntl(fd, F_ADD_SEALS,
		   F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))) {
		close(fd);
		fd = -1;
	}
	return fd;
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
	k->class = class_info(policy->class);
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

int keeper_policy_load(struct keeper *k, bool reload)
{
	static struct policy policy;
	char path[512];
	const char *why;
	uint32_t device;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s.policy", k->policy_dir, k->name);
	len = read_text(path);
	if (len < 0 || len > POLICY_TEXT_MAX) {
		fprintf(stderr, "%s:0: %s\n", path,
			len < 0 ? "cannot be read" : "longer than 65536 bytes");
		return -EINVAL;
	}
	errors.count = 0;
	if (policy_parse(k->name, text, (size_t)len, &policy, &errors)) {
		tell(path);
		return -EINVAL;
	}
	why = misfit(k, &policy, &device);
	if (!why && reload && policy_needs_restart(&k->policy, &policy))
		why = "this change needs a restart of the back end's and keeper's "
		      "units";
	if (why) {
		fprintf(stderr, "%s:0: %s\n", path, why);
		return -EINVAL;
	}
	fd = seal_text((size_t)len);
	if (fd < 0)
		return -ENOMEM;
	if (reload && revokes(k, policy))
		keeper_revoke(k, "the policy was narrowed", false);
	k->device_id = device;
	swap(k, &policy, fd, (size_t)len);
	return 0;
}
