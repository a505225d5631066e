/* SPDX-License-Identifier: MIT */
/*
 * What a toolstack lets this disk do, whichever door it has: keys of the back-end
 * directory, where no client can write. The stricter of them and the policy wins.
 *
 * Source: xen/io/blkif.h, "mode" and "discard-enable".
 */
#ifndef XDD_BLK_RIGHTS_H
#define XDD_BLK_RIGHTS_H

#include "backends/blk/blk.h"
#include "backends/door/keys.h"

/* While no request is out. 0, -EAGAIN or another negative errno. */
int blk_rights(const struct keys *k, struct blk *blk);

#endif
