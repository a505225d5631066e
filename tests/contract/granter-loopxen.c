/* SPDX-License-Identifier: MIT */
/* The contract on loopxen: both ends in one process, every mode. */
#include <stdio.h>
#include <string.h>

#include "tests/contract/contract.h"
#include "tests/loopxen/loopxen.h"

#define MAX_GRANTS 4096

struct loop_granter {
	struct granter granter; /* first */
	struct loopxen *x;
	const struct loopxen_device *dev;
	uint8_t *page[MAX_GRANTS]; /* by reference */
};

static struct loop_granter *self(struct granter *g)
{
	return (struct loop_granter *)g;
}

static int loop_grant(struct granter *g, uint32_t n, bool read_only, struct gref *refs)
{
	struct loop_granter *lg = self(g);

	for (uint32_t i = 0; i < n; i++) {
		uint8_t *page = loopxen_page(lg->x, lg->dev->front);

		refs[i] = loopxen_grant(lg->x, lg->dev->front, page, lg->dev->back,
					read_only);
		lg->page[refs[i].v] = page;
	}
	return 0;
}

static int loop_revoke(struct granter *g, struct gref ref)
{
	return loopxen_revoke(self(g)->x, self(g)->dev->front, ref);
}

static int loop_fill(struct granter *g, struct gref ref, uint32_t offset, uint32_t len,
		     uint8_t byte)
{
	memset(self(g)->page[ref.v] + offset, byte, len);
	return 0;
}

static int loop_holds(struct granter *g, struct gref ref, uint32_t offset, uint32_t len,
		      uint8_t byte)
{
	for (uint32_t i = 0; i < len; i++) {
		if (self(g)->page[ref.v][offset + i] != byte)
			return 0;
	}
	return 1;
}

static int loop_port(struct granter *g, uint32_t *out)
{
	*out = loopxen_port(self(g)->x, self(g)->dev->front, self(g)->dev->back).v;
	return 0;
}

static int loop_close(struct granter *g, uint32_t port)
{
	loopxen_close(self(g)->x, self(g)->dev->front, (struct evport){port});
	return 0;
}

static int loop_send(struct granter *g, uint32_t port)
{
	loopxen_notify(self(g)->x, self(g)->dev->front, (struct evport){port});
	return 0;
}

static int loop_fired(struct granter *g, uint32_t port)
{
	return loopxen_fired(self(g)->x, self(g)->dev->front, (struct evport){port});
}

static int loop_key(struct granter *g, const char *key, const char *value, size_t len)
{
	struct loop_granter *lg = self(g);
	char path[160];

	loopxen_path(lg->dev, STORE_FRONT, key, path, sizeof(path));
	if (!value)
		loopxen_rm(lg->x, lg->dev->front, path);
	else
		loopxen_write_bytes(lg->x, lg->dev->front, path, value, len);
	return 0;
}

static int loop_back_key(struct granter *g, const char *key, const char *value)
{
	struct loop_granter *lg = self(g);
	const char *there;
	char path[160];

	loopxen_path(lg->dev, STORE_BACK, key, path, sizeof(path));
	there = loopxen_read(lg->x, lg->dev->front, path);
	return there && !strcmp(there, value);
}

static const struct granter_ops loop_ops = {
	.grant = loop_grant,
	.revoke = loop_revoke,
	.fill = loop_fill,
	.holds = loop_holds,
	.port = loop_port,
	.close = loop_close,
	.send = loop_send,
	.fired = loop_fired,
	.key = loop_key,
	.back_key = loop_back_key,
};

static unsigned run(enum policy_mode mode)
{
	bool virtio = mode == POLICY_POOL || mode == POLICY_GRANT;
	const struct loopxen_device dev = {
		{2}, {3}, virtio ? "vmsg_blk" : "vbd", 51712};
	static struct loop_granter granter;
	struct policy policy = {
		.class = POLICY_BLK,
		.door = virtio ? POLICY_VIRTIO : POLICY_PV,
		.domain = dev.front,
		.mode = mode,
		.client_pages = POLICY_BOTH,
		.ring_pages = mode == POLICY_GRANT ? 4 : 2,
		.data_pages = 16,
		.first_ref = {8},
		.last_ref = {MAX_GRANTS - 1},
	};
	struct loopxen_back *back;
	struct contract contract = {.policy = &policy, .granter = &granter.granter};
	unsigned failed;

	granter = (struct loop_granter){.granter.ops = &loop_ops, .dev = &dev};
	granter.x = loopxen_new();
	loopxen_domain(granter.x, dev.back);
	loopxen_domain(granter.x, dev.front);
	loopxen_attach(granter.x, &dev, "w", "disk");
	back = loopxen_back_new(granter.x, &policy, &dev);
	contract.grants = &back->grants;
	contract.evtchn = &back->evtchn;
	contract.store = &back->store;
	failed = contract_run(&contract);
	if (loopxen_free(granter.x)) {
		puts("not ok - nothing leaked");
		failed++;
	}
	return failed;
}

int main(void)
{
	unsigned failed = 0;

	for (enum policy_mode mode = POLICY_MAP; mode <= POLICY_GRANT; mode++)
		failed += run(mode);
	return failed != 0;
}
