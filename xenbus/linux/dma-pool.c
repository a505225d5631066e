// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory by pool: pages that are granted once, in which the virtqueues live and through
 * which every buffer goes. The back end sees nothing else of the client.
 *
 * It is not swiotlb: what it holds belongs to one device and one back end, so a buffer may
 * lie where an older one of the same device lay, and the rest of a page shows what that
 * back end has had before. Nothing that was never meant for it gets in.
 *
 * Invariants:
 *  1. the pool's pages hold nothing but what was mapped for, or allocated to, this device;
 *     they begin as zeros;
 *  2. a buffer that the device writes is filled with ones before: what it leaves unwritten
 *     is no older buffer's content, and in no class means success (see orphans.c);
 *  3. what is mapped is found by `origin` alone, which is the client's; bytes that are not
 *     all of one mapped buffer's are not moved;
 *  4. nothing lies across the end of a run: each is a chunk of its own in `free`, from
 *     which what is taken is taken whole;
 *  5. nothing here sleeps, but for the opening and the closing;
 *  6. what is spare is neither in `free` nor anybody's, and a mapping that finds no
 *     room in `free` looks there again with all that was spare.
 *
 * Spares are there for what comes most: a page of data, and a header, a status and a table
 * of descriptors with it. They spare a client some 600 of the 24,000 instructions that such
 * a request costs it.
 */
#include <linux/genalloc.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <uapi/linux/virtio_ring.h>

#include "xdd-virtio.h"

#define XDD_BASE	(1ULL << 32)	/* section 5 of the page */
#define XDD_GRANULE	256
#define XDD_SECTOR	512		/* a back end may read straight from a disk */
#define XDD_SHARE	128		/* mappings that a full request may need */

static size_t xdd_pool_bytes(const struct xdd_pool *pool)
{
	return (size_t)pool->pages << XEN_PAGE_SHIFT;
}

static struct xdd_pool *xdd_pool_of(struct device *dev)
{
	struct xdd_device *xd = dev_get_drvdata(dev);

	return &xd->pool;
}

/* A granule, or a page; NULL: of another size. */
static struct xdd_spares *xdd_spares_of(struct xdd_pool *pool, size_t bytes)
{
	if (bytes <= XDD_GRANULE)
		return &pool->small;
	return bytes == XEN_PAGE_SIZE ? &pool->page : NULL;
}

static u8 *xdd_spare_take(struct xdd_pool *pool, size_t bytes)
{
	struct xdd_spares *spares = xdd_spares_of(pool, bytes);
	unsigned long flags;
	u8 *at = NULL;

	if (!spares)
		return NULL;
	spin_lock_irqsave(&pool->lock, flags);
	if (spares->count)
		at = spares->at[--spares->count];
	spin_unlock_irqrestore(&pool->lock, flags);
	return at;
}

/* False: there is no place for it. */
static bool xdd_spare_give(struct xdd_pool *pool, u8 *at, size_t bytes)
{
	struct xdd_spares *spares = xdd_spares_of(pool, bytes);
	unsigned long flags;
	bool kept;

	if (!spares)
		return false;
	spin_lock_irqsave(&pool->lock, flags);
	kept = spares->count < XDD_SPARES;
	if (kept)
		spares->at[spares->count++] = at;
	spin_unlock_irqrestore(&pool->lock, flags);
	return kept;
}

/* All that is spare goes back to `free`; false: nothing was. */
static bool xdd_spares_return(struct xdd_pool *pool)
{
	static const size_t sizes[] = { XDD_GRANULE, XEN_PAGE_SIZE };
	bool any = false;
	unsigned int i;
	u8 *at;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		while ((at = xdd_spare_take(pool, sizes[i]))) {
			gen_pool_free(pool->free, (unsigned long)at, sizes[i]);
			any = true;
		}
	}
	return any;
}

static u8 *xdd_pool_search(struct xdd_pool *pool, size_t bytes)
{
	struct genpool_data_align data = { .align = XDD_GRANULE };

	if (bytes >= XEN_PAGE_SIZE)
		data.align = XEN_PAGE_SIZE;
	else if (bytes >= XDD_SECTOR)
		data.align = XDD_SECTOR;
	return (u8 *)gen_pool_alloc_algo(pool->free, bytes, gen_pool_first_fit_align,
					 &data);
}

static u8 *xdd_pool_take(struct xdd_pool *pool, size_t bytes)
{
	u8 *at = xdd_spare_take(pool, bytes);

	if (!at)
		at = xdd_pool_search(pool, bytes);
	/* Invariant 6. */
	if (!at && xdd_spares_return(pool))
		at = xdd_pool_search(pool, bytes);
	return at;
}

static void xdd_pool_give(struct xdd_pool *pool, u8 *at, size_t bytes)
{
	if (!xdd_spare_give(pool, at, bytes))
		gen_pool_free(pool->free, (unsigned long)at, bytes);
}

/* Where in the pool a device's address is; NULL: nowhere. */
static u8 *xdd_pool_at(const struct xdd_pool *pool, dma_addr_t address, size_t bytes)
{
	u64 offset = address - XDD_BASE;

	if (WARN_ON_ONCE(offset >= xdd_pool_bytes(pool) ||
			 bytes > xdd_pool_bytes(pool) - offset))
		return NULL;
	return pool->start + offset;
}

/* What is mapped there, if a buffer begins with that granule. */
static struct xdd_origin *xdd_pool_origin(const struct xdd_pool *pool, const u8 *at)
{
	return &pool->origin[(at - pool->start) / XDD_GRANULE];
}

/* Where these bytes came from; NULL: no buffer has them all. */
static u8 *xdd_pool_source(const struct xdd_pool *pool, const u8 *at, size_t bytes)
{
	const struct xdd_origin *origin = xdd_pool_origin(pool, at);
	size_t offset;

	while (!origin->from && origin > pool->origin)
		origin--;
	offset = at - pool->start - (origin - pool->origin) * XDD_GRANULE;
	if (!origin->from || offset >= origin->bytes || bytes > origin->bytes - offset)
		return NULL;
	return origin->from + offset;
}

/* Copies a mapped range, or the part of it that is given; invariant 3. */
static void xdd_pool_copy(struct xdd_pool *pool, dma_addr_t address, size_t bytes,
			  bool to_device)
{
	u8 *at = xdd_pool_at(pool, address, bytes), *from;

	if (!at || !bytes)
		return;
	from = xdd_pool_source(pool, at, bytes);
	if (WARN_ON_ONCE(!from))
		return;
	if (to_device)
		memcpy(at, from, bytes);
	else
		memcpy(from, at, bytes);
}

static dma_addr_t xdd_pool_map_page(struct device *dev, struct page *page,
				    unsigned long offset, size_t bytes,
				    enum dma_data_direction dir, unsigned long attrs)
{
	struct xdd_device *xd = dev_get_drvdata(dev);
	struct xdd_pool *pool = &xd->pool;
	u8 *from = page_address(page) + offset;
	u8 *at = xdd_pool_take(pool, bytes);

	if (!at) {
		atomic_long_inc(&xd->count.failed);
		return DMA_MAPPING_ERROR;
	}
	*xdd_pool_origin(pool, at) = (struct xdd_origin){ from, bytes };
	if (dir == DMA_FROM_DEVICE)
		memset(at, 0xff, bytes);
	else if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		memcpy(at, from, bytes);
	xdd_count_buffer(xd);
	return XDD_BASE + (at - pool->start);
}

static void xdd_pool_unmap_page(struct device *dev, dma_addr_t address, size_t bytes,
				enum dma_data_direction dir, unsigned long attrs)
{
	struct xdd_device *xd = dev_get_drvdata(dev);
	struct xdd_pool *pool = &xd->pool;
	u8 *at = xdd_pool_at(pool, address, bytes);
	struct xdd_origin *origin;

	if (!at)
		return;
	origin = xdd_pool_origin(pool, at);
	if (WARN_ON_ONCE(!origin->from || origin->bytes != bytes))
		return;
	if (dir != DMA_TO_DEVICE && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		memcpy(origin->from, at, bytes);
	origin->from = NULL;
	xdd_pool_give(pool, at, bytes);
	atomic_long_dec(&xd->count.buffers);
}

static void xdd_pool_sync_for_cpu(struct device *dev, dma_addr_t address, size_t bytes,
				  enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		xdd_pool_copy(xdd_pool_of(dev), address, bytes, false);
}

static void xdd_pool_sync_for_device(struct device *dev, dma_addr_t address, size_t bytes,
				     enum dma_data_direction dir)
{
	if (dir != DMA_FROM_DEVICE)
		xdd_pool_copy(xdd_pool_of(dev), address, bytes, true);
}

static void xdd_pool_unmap_sg(struct device *dev, struct scatterlist *list, int count,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i)
		xdd_pool_unmap_page(dev, sg_dma_address(sg), sg_dma_len(sg), dir, attrs);
}

static int xdd_pool_map_sg(struct device *dev, struct scatterlist *list, int count,
			   enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i) {
		sg->dma_address = xdd_pool_map_page(dev, sg_page(sg), sg->offset,
						    sg->length, dir, attrs);
		if (sg->dma_address == DMA_MAPPING_ERROR) {
			xdd_pool_unmap_sg(dev, list, i, dir,
					  attrs | DMA_ATTR_SKIP_CPU_SYNC);
			return -ENOMEM;
		}
		sg_dma_len(sg) = sg->length;
	}
	return count;
}

static void xdd_pool_sync_sg_for_cpu(struct device *dev, struct scatterlist *list,
				     int count, enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i)
		xdd_pool_sync_for_cpu(dev, sg_dma_address(sg), sg_dma_len(sg), dir);
}

static void xdd_pool_sync_sg_for_device(struct device *dev, struct scatterlist *list,
					int count, enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i)
		xdd_pool_sync_for_device(dev, sg_dma_address(sg), sg_dma_len(sg), dir);
}

static void *xdd_pool_alloc(struct device *dev, size_t bytes, dma_addr_t *address,
			    gfp_t gfp, unsigned long attrs)
{
	struct xdd_pool *pool = xdd_pool_of(dev);
	u8 *at = xdd_pool_take(pool, PAGE_ALIGN(bytes));

	if (!at)
		return NULL;
	memset(at, 0, PAGE_ALIGN(bytes));
	*address = XDD_BASE + (at - pool->start);
	return at;
}

static void xdd_pool_free(struct device *dev, size_t bytes, void *at, dma_addr_t address,
			  unsigned long attrs)
{
	xdd_pool_give(xdd_pool_of(dev), at, PAGE_ALIGN(bytes));
}

static int xdd_pool_supported(struct device *dev, u64 mask)
{
	return mask == DMA_BIT_MASK(64);
}

/*
 * A driver that cuts its requests by this, as virtio_blk does, fits the pool with as many
 * pieces as its device allows, up to XDD_SHARE. A larger one is mapped if there is room.
 */
static size_t xdd_pool_max_mapping(struct device *dev)
{
	size_t share = xdd_pool_bytes(xdd_pool_of(dev)) / XDD_SHARE;

	return max_t(size_t, round_down(share, PAGE_SIZE), PAGE_SIZE);
}

static const struct dma_map_ops xdd_pool_ops = {
	.alloc = xdd_pool_alloc,
	.free = xdd_pool_free,
	.map_page = xdd_pool_map_page,
	.unmap_page = xdd_pool_unmap_page,
	.map_sg = xdd_pool_map_sg,
	.unmap_sg = xdd_pool_unmap_sg,
	.sync_single_for_cpu = xdd_pool_sync_for_cpu,
	.sync_single_for_device = xdd_pool_sync_for_device,
	.sync_sg_for_cpu = xdd_pool_sync_sg_for_cpu,
	.sync_sg_for_device = xdd_pool_sync_sg_for_device,
	.dma_supported = xdd_pool_supported,
	.max_mapping_size = xdd_pool_max_mapping,
};

static int xdd_pool_grant(struct xdd_device *xd)
{
	struct xdd_pool *pool = &xd->pool;
	grant_ref_t *first = pool->first;
	unsigned int i, run;
	int r;

	for (i = 0; i < pool->pages; i++) {
		if (i % XDD_POOL_RUN == 0) {
			/* A run that is not to be had leaves whole ones behind. */
			run = min_t(unsigned int, pool->pages - i, XDD_POOL_RUN);
			first = &pool->first[i / XDD_POOL_RUN];
			r = gnttab_alloc_grant_reference_seq(run, first);
			if (r)
				return r;
		}
		gnttab_grant_foreign_access_ref(*first + i % XDD_POOL_RUN, xd->backend_id,
						xdd_frame(pool->start +
							  i * XEN_PAGE_SIZE), 0);
		pool->granted++;
		atomic_long_inc(&xd->count.pool_pages);
	}
	return 0;
}

/* What a driver forgot to unmap is forgotten with the pool: no grant hangs on it. */
static void xdd_pool_forget(struct xdd_device *xd)
{
	struct gen_pool *free = xd->pool.free;
	struct gen_pool_chunk *chunk;

	xdd_spares_return(&xd->pool);
	if (gen_pool_avail(free) != gen_pool_size(free))
		dev_warn(&xd->xdev->dev, "a driver left something mapped\n");
	list_for_each_entry(chunk, &free->chunks, next_chunk)
		bitmap_zero(chunk->bits, (chunk->end_addr - chunk->start_addr + 1) /
						 XDD_GRANULE);
	gen_pool_destroy(free);
	atomic_long_set(&xd->count.buffers, 0);
}

/* The kernel holds on to each page that is still in use, so the pool itself can go. */
static void xdd_pool_close(struct xdd_device *xd)
{
	struct xdd_pool *pool = &xd->pool;
	unsigned int i, kept = 0;

	for (i = 0; i < pool->granted; i++)
		if (!xdd_end_grant(xd, pool->first[i / XDD_POOL_RUN] + i % XDD_POOL_RUN))
			kept++;
	atomic_long_sub(pool->granted, &xd->count.pool_pages);
	if (kept)
		dev_warn(&xd->xdev->dev, "the back end still has %u pages of the pool\n",
			 kept);
	if (pool->free)
		xdd_pool_forget(xd);
	kvfree(pool->origin);
	vfree(pool->start);
	memset(pool, 0, sizeof(*pool));
}

/* Makes the pool's pages ready to be taken, run by run (invariant 4). */
static int xdd_pool_fill(struct xdd_pool *pool)
{
	unsigned int i, run;
	int r = 0;

	for (i = 0; !r && i < pool->pages; i += run) {
		run = min_t(unsigned int, pool->pages - i, XDD_POOL_RUN);
		r = gen_pool_add(pool->free,
				 (unsigned long)pool->start + i * XEN_PAGE_SIZE,
				 run * XEN_PAGE_SIZE, NUMA_NO_NODE);
	}
	return r;
}

static int xdd_pool_open(struct xdd_device *xd)
{
	struct xdd_pool *pool = &xd->pool;
	unsigned int theirs;
	size_t bytes;
	int r = -ENOMEM;

	theirs = xenbus_read_unsigned(xd->backend, "pool-pages", 0);
	pool->pages = min3(theirs, xdd_pool_cap, (unsigned int)XDD_POOL_MAX);
	if (pool->pages < XDD_POOL_MIN) {
		dev_err(&xd->xdev->dev, "a pool of %u pages is too small\n", pool->pages);
		memset(pool, 0, sizeof(*pool));
		return -EINVAL;
	}
	spin_lock_init(&pool->lock);
	bytes = xdd_pool_bytes(pool);
	/* Whole pages of the kernel's: nothing else may lie in what is granted. */
	pool->start = vzalloc(PAGE_ALIGN(bytes));
	pool->origin = kvcalloc(bytes / XDD_GRANULE, sizeof(*pool->origin), GFP_KERNEL);
	pool->free = gen_pool_create(ilog2(XDD_GRANULE), NUMA_NO_NODE);
	if (pool->start && pool->origin && pool->free)
		r = xdd_pool_fill(pool);
	if (!r)
		r = xdd_pool_grant(xd);
	if (r)
		xdd_pool_close(xd);
	return r;
}

const struct xdd_memory xdd_memory_pool = {
	.name = "pool",
	.ops = &xdd_pool_ops,
	.features = 1ULL << VIRTIO_RING_F_INDIRECT_DESC,
	.unwritten_is_ones = true,
	.open = xdd_pool_open,
	.close = xdd_pool_close,
};
