/* SPDX-License-Identifier: MIT */
/* A keeper's requests to the kernel, on gntdev and evtchn: see registrar.h. */
#include "grant-mem/registrar.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/evtchn.h>
#include <xen/gntdev.h>

#define GNTDEV	     "/dev/xen/gntdev"
#define EVTCHN	     "/dev/xen/evtchn"
#define DROP_WAIT_MS 2

_Static_assert(XEN_PAGE_BYTES == 4096, "GRANT_COPY's pages");

static int call(int fd, unsigned long request, void *arg)
{
	int n = ioctl(fd, request, arg);

	return n < 0 ? -errno : n;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Both ends are ours: DOMID_SELF needs no xenstore to be known. The end that
 * binds is marked pending by Xen at once, so the other one listens. */
static int open_releases(struct registrar *r)
{
	struct ioctl_evtchn_bind_unbound_port first = {.remote_domain = DOMID_SELF};
	struct ioctl_evtchn_bind_interdomain second = {.remote_domain = DOMID_SELF};
	int fd = open_file(EVTCHN, O_RDWR | O_NONBLOCK), port = fd;

	for (unsigned i = 0; port >= 0 && i < REGISTRAR_PAIRS; i++) {
		port = call(fd, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &first);
		second.remote_port = (unsigned)port;
		r->pair[i].listens = (uint32_t)port;
		if (port >= 0)
			port = call(fd, IOCTL_EVTCHN_BIND_INTERDOMAIN, &second);
		r->pair[i].signals = (uint32_t)port;
	}
	if (port >= 0)
		r->releases = fd;
	else if (fd >= 0)
		close(fd);
	return port < 0 ? port : 0;
}

int registrar_open(struct registrar *r)
{
	int err = r->releases < 0 ? open_releases(r) : 0;
	int rw = err ? err : open_file(GNTDEV, O_RDWR);
	int ro = rw < 0 ? rw : open_file(GNTDEV, O_RDONLY);

	if (ro >= 0) {
		r->rw = rw;
		r->ro = ro;
	} else if (rw >= 0) {
		close(rw);
	}
	return ro < 0 ? ro : 0;
}

int registrar_add(struct registrar *r, struct domid client, const struct gref *refs,
		  uint32_t n, bool writable, uint64_t *index)
{
	static union {
		struct ioctl_gntdev_map_grant_ref op;
		struct {
			struct ioctl_gntdev_map_grant_ref op;
			struct ioctl_gntdev_grant_ref rest[WIRE_REFS_MAX - 1];
		} room;
	} map;
	struct ioctl_gntdev_grant_ref *ref = map.op.refs;
	int err;

	map.op.count = n;
	for (uint32_t i = 0; i < n; i++)
		ref[i] = (struct ioctl_gntdev_grant_ref){client.v, refs[i].v};
	err = call(writable ? r->rw : r->ro, IOCTL_GNTDEV_MAP_GRANT_REF, &map);
	if (!err)
		*index = map.op.index;
	return err;
}

int registrar_drop(struct registrar *r, bool writable, uint64_t index, uint32_t n,
		   unsigned pair)
{
	struct ioctl_gntdev_unmap_notify notify = {index, UNMAP_NOTIFY_SEND_EVENT,
						   r->pair[pair].signals};
	struct ioctl_gntdev_unmap_grant_ref unmap = {.index = index, .count = n};
	struct pollfd released = {.fd = r->releases, .events = POLLIN};
	int fd = writable ? r->rw : r->ro;
	int err = call(fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &notify);

	if (!err)
		err = call(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, &unmap);
	if (!err)
		poll(&released, 1, DROP_WAIT_MS);
	return err;
}

int registrar_dropped(struct registrar *r)
{
	uint32_t port;

	while (read(r->releases, &port, sizeof(port)) == sizeof(port)) {
		for (int i = 0; i < REGISTRAR_PAIRS; i++) {
			if (r->pair[i].listens == port &&
			    write(r->releases, &port, sizeof(port)) == sizeof(port))
				return i;
		}
	}
	return -EAGAIN;
}

int registrar_copy(struct registrar *r, struct domid client,
		   const struct wire_seg *segs, uint32_t n, uint8_t *area,
		   int8_t *status)
{
	static struct gntdev_grant_copy_segment copies[WIRE_REFS_MAX];
	struct ioctl_gntdev_grant_copy op = {.count = n, .segments = copies};
	int err;

	memset(copies, 0, n * sizeof(copies[0]));
	for (uint32_t i = 0; i < n; i++) {
		struct gntdev_grant_copy_segment *c = &copies[i];
		__typeof__(c->source) *ours = segs[i].to_client ? &c->source : &c->dest;
		__typeof__(c->source) *theirs =
			segs[i].to_client ? &c->dest : &c->source;

		ours->virt = area + segs[i].local;
		theirs->foreign.ref = segs[i].ref;
		theirs->foreign.offset = segs[i].offset;
		theirs->foreign.domid = client.v;
		c->len = segs[i].len;
		c->flags = segs[i].to_client ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
	}
	err = call(r->rw, IOCTL_GNTDEV_GRANT_COPY, &op);
	for (uint32_t i = 0; !err && i < n; i++)
		status[i] = copies[i].status == GNTST_okay ? WIRE_OK : WIRE_BAD;
	return err;
}

static int open_events(struct registrar *r, struct domid client)
{
	struct ioctl_evtchn_restrict_domid only = {.domid = client.v};
	int fd, err;

	if (r->events >= 0)
		return 0;
	fd = open_file(EVTCHN, O_RDWR | O_NONBLOCK);
	err = fd < 0 ? fd : call(fd, IOCTL_EVTCHN_RESTRICT_DOMID, &only);
	if (!err)
		r->events = fd; /* invariant 2 */
	else if (fd >= 0)
		close(fd);
	return err;
}

int registrar_bind(struct registrar *r, struct domid client, struct evport remote)
{
	struct ioctl_evtchn_bind_interdomain bind = {client.v, remote.v};
	int err = open_events(r, client);

	return err ? err : call(r->events, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);
}

void registrar_unmask(struct registrar *r, struct evport local)
{
	/* A port that is not masked is left as it is. */
	(void)!write(r->events, &local.v, sizeof(local.v));
}

int registrar_unbind(struct registrar *r, struct evport local)
{
	struct ioctl_evtchn_unbind unbind = {.port = local.v};

	return call(r->events, IOCTL_EVTCHN_UNBIND, &unbind);
}
