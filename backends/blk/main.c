/* SPDX-License-Identifier: MIT */
/*
 * xdd-blk: one disk of one client. What it adds to the host skeleton: the
 * [Block] section, a store opened from Resource, and the PV door.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/blk/blk-policy.h"
#include "backends/blk/blk-pv.h"
#include "backends/blk/blk-store.h"
#include "backends/blk/blk.h"
#include "backends/host.h"
#include "common/clock.h"

_Static_assert(BLK_QUEUES_MAX <= EVENTS_PORTS, "a port for each queue");

struct disk {
	struct blk_policy block;
	struct blk blk;
	struct blk_pv pv;
	struct blk_store *store;
};

static struct disk *disk_of(struct host *host)
{
	return host->device;
}

static void disk_broken(struct blk_pv *pv, const char *why)
{
	host_broken(pv->conf.owner, why);
}

static void disk_detached(struct blk_pv *pv)
{
	host_detached(pv->conf.owner);
}

/* What to do about a resource that does not open. */
static const char *disk_advice(int err)
{
	switch (-err) {
	case ENOENT:
		return "it does not exist: create it, or correct Resource";
	case EACCES:
	case EPERM:
		return "no access: give its group to it, and daemon-reload so that the "
		       "generator sees it";
	case EAGAIN:
		return "another process serves it writable; each disk is served once";
	case EBUSY:
		return "it is mounted in this domain: unmount it, or say ReadOnly = "
		       "yes";
	case EDOM:
		return "SectorSize is smaller than the disk's own";
	case EINVAL:
		return "it must be a file or block device that is not empty";
	default:
		return "see dmesg";
	}
}

/* In an x86 PV domain the kernel mishandles pages of another domain that are
 * mapped by a process which dies while a disk reads or writes them: "Bad page
 * map", and EIO for whoever gets the page next (seen with 6.1). Copies and the
 * page cache keep foreign pages off the disk; auto-translated domains (PVH,
 * Arm) are not concerned. The unit's generator says what this domain is. */
static bool disk_direct(struct host *host, const struct disk *disk)
{
	const char *type = getenv("XDD_GUEST_TYPE");
	bool hazard = host->policy.mode == POLICY_MAP && type && !strcmp(type, "PV");

	if (hazard && disk->block.cache == BLK_CACHE_DIRECT)
		log_line(&host->log, LOG_LEVEL_WARNING,
			 "Cache = direct with Mode = map in an x86 PV domain: if this "
			 "process is killed under load, the disk may fail until the "
			 "domain reboots; Cache = auto avoids it");
	return disk->block.cache == BLK_CACHE_DIRECT ||
	       (disk->block.cache == BLK_CACHE_AUTO && !hazard);
}

static int disk_open_store(struct host *host, struct disk *disk)
{
	static union blk_store_any any;
	struct blk_store_conf conf = {
		.read_only = host->policy.read_only,
		.discard = disk->block.discard,
		.direct = disk_direct(host, disk),
		.sector_bytes = disk->block.sector_bytes,
	};
	int r = blk_store_open(&any, host->policy.resource, &conf, &host->loop);

	if (r < 0) {
		log_line(&host->log, LOG_LEVEL_ERROR, "Resource %s: %s (%s)",
			 host->policy.resource, strerror(-r), disk_advice(r));
		return r;
	}
	disk->store = &any.store;
	return 0;
}

/* What stands in the file of numbers (xdd-blk(8)); the first two for people. */
static void disk_count(struct host *host, struct disk *disk)
{
	static const char *const latency[BLK_OPS] = {"read", "write", "flush",
						     "discard", "barrier"};
	const struct blk_stats *core = &disk->blk.stats;
	const struct blk_pv_stats *door = &disk->pv.stats;
	const struct pgrants *pages = &disk->pv.memory.pgrants;
	const struct {
		const char *name;
		const uint64_t *counter;
	} counters[] = {
		{"requests", &door->requests},
		{"errors", &door->errors},
		{"answers", &door->answers},
		{"malformed", &door->malformed},
		{"refused", &door->refused},
		{"reads", &core->reads},
		{"writes", &core->writes},
		{"flushes", &core->flushes},
		{"discards", &core->discards},
		{"barriers", &core->barriers},
		{"read_bytes", &core->read_bytes},
		{"write_bytes", &core->write_bytes},
		{"discard_bytes", &core->discard_bytes},
		{"pushes", &door->pushes},
		{"notifies", &door->notifies},
		{"polls", &host->spin.spins},
		{"poll_hits", &host->spin.hits},
		{"poll_ns", &host->spin.spent},
		{"page_hits", &pages->hits},
		{"page_misses", &pages->misses},
		{"page_evictions", &pages->evictions},
		{"sectors", &disk->blk.geometry.sectors},
	};

	for (unsigned i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		stats_counter(&host->stats, counters[i].name, counters[i].counter);
	stats_gauge(&host->stats, "queues", &disk->pv.queues);
	stats_gauge(&host->stats, "busy", &disk->pv.busy);
	stats_gauge(&host->stats, "pages", &pages->pages);
	stats_gauge(&host->stats, "pages_kept", &pages->kept);
	for (unsigned i = 0; i < BLK_OPS; i++)
		stats_latency(&host->stats, latency[i], &door->latency[i]);
}

static int disk_open(struct host *host)
{
	static struct policy_errors errors;
	struct disk *disk = disk_of(host);
	struct blk_pv_conf conf = {
		.policy = &host->policy,
		.block = &disk->block,
		.blk = &disk->blk,
		.grants = host->grants,
		.evtchn = host->evtchn,
		.store = host->store,
		.log = &host->log,
		.owner = host,
		.broken = disk_broken,
		.detached = disk_detached,
	};
	int r;

	blk_policy_init(&disk->block);
	if (!policy_parse_section(host->text, host->text_len, "Block", blk_policy_keys,
				  &disk->block, &errors))
		blk_policy_fit(&host->policy, &disk->block, &errors);
	if (errors.count) {
		host_policy_errors(host, &errors);
		return -EINVAL;
	}
	r = disk_open_store(host, disk);
	if (r)
		return r;
	blk_init(&disk->blk, disk->store);
	spin_init(&host->spin, disk->block.spin, clock_now());
	r = blk_pv_init(&disk->pv, &conf);
	disk_count(host, disk);
	if (r)
		log_line(&host->log, LOG_LEVEL_ERROR, "%s",
			 r == -EINVAL
				 ? "DataPages leaves no room for one request of 11 "
				   "pages: raise it"
				 : strerror(-r));
	return r;
}

static int disk_offer(struct host *host)
{
	return blk_pv_offer(&disk_of(host)->pv);
}

static int disk_connect(struct host *host, bool attach)
{
	struct blk_pv *pv = &disk_of(host)->pv;
	int r = blk_pv_connect(pv, attach, clock_now());

	host->ports = r ? 0 : pv->queues;
	for (unsigned i = 0; i < host->ports; i++)
		host->port[i] = pv->queue[i].port;
	return r;
}

static int disk_turn(struct host *host, uint64_t now)
{
	return blk_pv_turn(&disk_of(host)->pv, now);
}

static uint64_t disk_due(struct host *host)
{
	return blk_pv_due(&disk_of(host)->pv);
}

static bool disk_arm(struct host *host)
{
	return blk_pv_arm(&disk_of(host)->pv);
}

static bool disk_pending(const struct host *host)
{
	const struct disk *disk = host->device;

	return blk_pv_pending(&disk->pv);
}

static void disk_detach(struct host *host)
{
	blk_pv_detach(&disk_of(host)->pv);
}

static void disk_limits(struct host *host)
{
	blk_pv_limits(&disk_of(host)->pv, clock_now());
}

/* What was said when the device was offered is kept true until it is gone. */
static int disk_tick(struct host *host, uint64_t now)
{
	struct disk *disk = disk_of(host);
	enum life_state state = host->life.state;
	int r = blk_pv_tick(&disk->pv, now);

	blk_resize(&disk->blk);
	if (!r && (state == LIFE_WAITING || state == LIFE_CONNECTED))
		r = blk_pv_resized(&disk->pv);
	if (r > 0)
		host_repeat(host);
	return r < 0 ? r : 0;
}

static const struct host_class disk_class = {
	.name = "blk",
	.class = POLICY_BLK,
	.open = disk_open,
	.offer = disk_offer,
	.connect = disk_connect,
	.turn = disk_turn,
	.due = disk_due,
	.arm = disk_arm,
	.pending = disk_pending,
	.detach = disk_detach,
	.tick = disk_tick,
	.limits = disk_limits,
};

int main(int argc, char **argv)
{
	static struct disk disk;

	return host_main(argc, argv, &disk_class, &disk);
}
