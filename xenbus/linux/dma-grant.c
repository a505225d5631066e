// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory by grant: each buffer is granted for its transfer, with addresses as Linux's
 * grant-dma-ops has them: bit 63, the reference from bit 12, the offset in its page.
 *
 * It hides nothing: a grant is a page, and what else lies in the pages of a buffer can be
 * read by the back end meanwhile (and written, if the buffer can be). With a pool nothing
 * of that is so; this way is for systems that have weighed it.
 *
 * Invariants:
 *  1. a buffer that the device only reads is granted read-only;
 *  2. a buffer that the back end kept is the last: nothing is granted to it afterwards,
 *     and the kernel keeps page and reference until it lets go;
 *  3. what is granted is in `granted`, so what a driver forgets is ended all the same;
 *  4. nothing here sleeps but alloc and free.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <xen/page.h>

#include "xdd-virtio.h"

#define XDD_GRANTED	(1ULL << 63)
#define XDD_MOST	SZ_64K	/* in one mapping: references in sequence are scarce */

static u64 xdd_grant_address(grant_ref_t first, unsigned long offset)
{
	return XDD_GRANTED | (u64)first << XEN_PAGE_SHIFT | offset;
}

static grant_ref_t xdd_grant_first(dma_addr_t address)
{
	return (address & ~XDD_GRANTED) >> XEN_PAGE_SHIFT;
}

static int xdd_grant_note(struct xdd_device *xd, grant_ref_t first, unsigned int pages)
{
	unsigned long flags;
	void *old;

	xa_lock_irqsave(&xd->granted, flags);
	old = __xa_store(&xd->granted, first, xa_mk_value(pages), GFP_ATOMIC);
	xa_unlock_irqrestore(&xd->granted, flags);
	return xa_err(old);
}

/* The pages of the run that begins with @first; 0: there is none. */
static unsigned int xdd_grant_forget(struct xdd_device *xd, grant_ref_t first)
{
	unsigned long flags;
	void *was;

	xa_lock_irqsave(&xd->granted, flags);
	was = __xa_erase(&xd->granted, first);
	xa_unlock_irqrestore(&xd->granted, flags);
	return was ? xa_to_value(was) : 0;
}

/* 0 and the first of a run of references, for pages that follow each other. */
static int xdd_grant_begin(struct xdd_device *xd, const u8 *start, unsigned int pages,
			   bool readonly, grant_ref_t *first)
{
	unsigned int i;
	int r;

	if (READ_ONCE(xd->broken))
		return -EIO;
	r = gnttab_alloc_grant_reference_seq(pages, first);
	if (r)
		return r;
	r = xdd_grant_note(xd, *first, pages);
	if (r) {
		gnttab_free_grant_reference_seq(*first, pages);
		return r;
	}
	for (i = 0; i < pages; i++)
		gnttab_grant_foreign_access_ref(*first + i, xd->backend_id,
						xdd_frame(start + i * XEN_PAGE_SIZE),
						readonly);
	return 0;
}

/* Ends a run, and returns its pages. */
static unsigned int xdd_grant_end(struct xdd_device *xd, grant_ref_t first)
{
	unsigned int i, kept = 0, pages = xdd_grant_forget(xd, first);

	if (WARN_ON_ONCE(!pages))
		return 0;
	for (i = 0; i < pages; i++)
		if (!xdd_end_grant(xd, first + i))
			kept++;
	if (kept && !READ_ONCE(xd->broken)) {
		WRITE_ONCE(xd->broken, true);
		dev_err(&xd->xdev->dev, "the back end kept a buffer: it gets no more\n");
	}
	return pages;
}

static dma_addr_t xdd_grant_map_page(struct device *dev, struct page *page,
				     unsigned long offset, size_t bytes,
				     enum dma_data_direction dir, unsigned long attrs)
{
	struct xdd_device *xd = dev_get_drvdata(dev);
	const u8 *start = page_address(page) + offset;
	unsigned long in_page = (unsigned long)start & ~XEN_PAGE_MASK;
	unsigned int pages = XEN_PFN_UP(in_page + bytes);
	grant_ref_t first;

	if (xdd_grant_begin(xd, start - in_page, pages, dir == DMA_TO_DEVICE, &first)) {
		atomic_long_inc(&xd->count.failed);
		return DMA_MAPPING_ERROR;
	}
	atomic_long_add(pages, &xd->count.buffer_pages);
	xdd_count_buffer(xd);
	return xdd_grant_address(first, in_page);
}

static void xdd_grant_unmap_page(struct device *dev, dma_addr_t address, size_t bytes,
				 enum dma_data_direction dir, unsigned long attrs)
{
	struct xdd_device *xd = dev_get_drvdata(dev);
	unsigned int pages = xdd_grant_end(xd, xdd_grant_first(address));

	atomic_long_sub(pages, &xd->count.buffer_pages);
	atomic_long_dec(&xd->count.buffers);
}

static void xdd_grant_unmap_sg(struct device *dev, struct scatterlist *list, int count,
			       enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i)
		xdd_grant_unmap_page(dev, sg_dma_address(sg), sg_dma_len(sg), dir, attrs);
}

static int xdd_grant_map_sg(struct device *dev, struct scatterlist *list, int count,
			    enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i) {
		sg->dma_address = xdd_grant_map_page(dev, sg_page(sg), sg->offset,
						     sg->length, dir, attrs);
		if (sg->dma_address == DMA_MAPPING_ERROR) {
			xdd_grant_unmap_sg(dev, list, i, dir, attrs);
			return -EIO;
		}
		sg_dma_len(sg) = sg->length;
	}
	return count;
}

static void *xdd_grant_alloc(struct device *dev, size_t bytes, dma_addr_t *address,
			     gfp_t gfp, unsigned long attrs)
{
	struct xdd_device *xd = dev_get_drvdata(dev);
	size_t whole = PAGE_ALIGN(bytes);
	grant_ref_t first;
	void *at;

	at = alloc_pages_exact(whole, gfp | __GFP_ZERO);
	if (!at)
		return NULL;
	if (xdd_grant_begin(xd, at, whole >> XEN_PAGE_SHIFT, false, &first)) {
		free_pages_exact(at, whole);
		return NULL;
	}
	atomic_long_add(whole >> XEN_PAGE_SHIFT, &xd->count.area_pages);
	*address = xdd_grant_address(first, 0);
	return at;
}

static void xdd_grant_free(struct device *dev, size_t bytes, void *at, dma_addr_t address,
			   unsigned long attrs)
{
	struct xdd_device *xd = dev_get_drvdata(dev);
	unsigned int pages = xdd_grant_end(xd, xdd_grant_first(address));

	atomic_long_sub(pages, &xd->count.area_pages);
	free_pages_exact(at, PAGE_ALIGN(bytes));
}

static int xdd_grant_supported(struct device *dev, u64 mask)
{
	return mask == DMA_BIT_MASK(64);
}

static size_t xdd_grant_max_mapping(struct device *dev)
{
	return XDD_MOST;
}

static const struct dma_map_ops xdd_grant_ops = {
	.alloc = xdd_grant_alloc,
	.free = xdd_grant_free,
	.map_page = xdd_grant_map_page,
	.unmap_page = xdd_grant_unmap_page,
	.map_sg = xdd_grant_map_sg,
	.unmap_sg = xdd_grant_unmap_sg,
	.dma_supported = xdd_grant_supported,
	.max_mapping_size = xdd_grant_max_mapping,
};

static int xdd_grant_open(struct xdd_device *xd)
{
	xd->broken = false;
	xa_init_flags(&xd->granted, XA_FLAGS_LOCK_IRQ);
	return 0;
}

static void xdd_grant_close(struct xdd_device *xd)
{
	unsigned long first;
	void *run;

	if (!xa_empty(&xd->granted))
		dev_warn(&xd->xdev->dev, "a driver left something mapped\n");
	xa_for_each(&xd->granted, first, run)
		xdd_grant_end(xd, first);
	xa_destroy(&xd->granted);
	atomic_long_set(&xd->count.buffer_pages, 0);
	atomic_long_set(&xd->count.area_pages, 0);
	atomic_long_set(&xd->count.buffers, 0);
}

const struct xdd_memory xdd_memory_grant = {
	.name = "grant",
	.ops = &xdd_grant_ops,
	.open = xdd_grant_open,
	.close = xdd_grant_close,
};
