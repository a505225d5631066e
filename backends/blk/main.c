/* SPDX-License-Identifier: MIT */
/*
 * xdd-blk: one disk of one client. What it adds to the host skeleton: the
 * [Block] section, and a store opened from Resource. Behind which of the two front
 * doors it stands is the policy's Door (blk-door.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/blk/blk-door.h"
#include "backends/blk/blk-policy.h"
#include "backends/blk/blk-store.h"
#include "backends/host.h"
#include "common/clock.h"

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
		return "it is mounted in this domain, or another instance writes to "
		       "it: free it, or say ReadOnly = yes";
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
	bool maps = host->policy.mode == POLICY_MAP || host->policy.mode == POLICY_POOL;
	bool hazard = maps && type && !strcmp(type, "PV");

	if (hazard && disk->block.cache == BLK_CACHE_DIRECT)
		log_line(
			&host->log, LOG_LEVEL_WARNING,
			"Cache = direct with mapped pages in an x86 PV domain: if this "
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

/* What stands in the file of numbers (xdd-blk(8)): the door's first, of which two are
 * for people, then the disk's, then the polling's, then the latencies. */
static void disk_count(struct host *host, struct disk *disk)
{
	const struct blk_stats *core = &disk->blk.stats;
	const struct stats_named counters[] = {
		{"reads", &core->reads},
		{"writes", &core->writes},
		{"flushes", &core->flushes},
		{"discards", &core->discards},
		{"write_zeroes", &core->zeroes},
		{"barriers", &core->barriers},
		{"read_bytes", &core->read_bytes},
		{"write_bytes", &core->write_bytes},
		{"discard_bytes", &core->discard_bytes},
		{"zero_bytes", &core->zero_bytes},
		{"polls", &host->spin.spins},
		{"poll_hits", &host->spin.hits},
		{"poll_ns", &host->spin.spent},
		{"sectors", &disk->blk.geometry.sectors},
	};
	const struct histogram *latency = host->policy.door == POLICY_PV
						  ? disk->pv.stats.latency
						  : disk->virtio.stats.latency;

	host->door->count(host);
	STATS_COUNTERS(&host->stats, counters);
	for (unsigned i = 0; i < BLK_OPS; i++)
		stats_latency(&host->stats, blk_op_name((enum blk_op)i), &latency[i]);
}

static int disk_open(struct host *host)
{
	static const struct host_section section = {"Block", blk_policy_keys,
						    blk_policy_fit};
	struct disk *disk = disk_of(host);
	int r;

	disk->keys = (struct keys){host->store, host->grants, host->evtchn, &host->log};
	blk_policy_init(&disk->block);
	r = host_read_section(host, &section, &disk->block);
	if (!r)
		r = disk_open_store(host, disk);
	if (r)
		return r;
	blk_init(&disk->blk, disk->store);
	spin_init(&host->spin, disk->block.spin, clock_now());
	r = host->door->open(host);
	disk_count(host, disk);
	if (r)
		log_line(&host->log, LOG_LEVEL_ERROR, "%s",
			 r == -EINVAL ? "DataPages leaves no room for one request of "
					"11 pages: raise it"
				      : strerror(-r));
	return r;
}

/* What was said when the device was offered is kept true until it is gone. */
static int disk_tick(struct host *host, uint64_t now)
{
	(void)now;
	blk_resize(&disk_of(host)->blk);
	return 0;
}

static const struct host_class disk_class = {
	.name = "blk",
	.class = POLICY_BLK,
	.door = {&blk_door_pv, &blk_door_virtio},
	.open = disk_open,
	.tick = disk_tick,
};

int main(int argc, char **argv)
{
	static struct disk disk;

	return host_main(argc, argv, &disk_class, &disk);
}
