/* SPDX-License-Identifier: MIT */
/* Where what is known of a driver domain does not agree, or is not enough: see
 * assess.h. Pure. */
#ifndef XDD_ASSESS_POINTS_H
#define XDD_ASSESS_POINTS_H

#include "policy/cmd/assess.h"

void assess_find_points(struct assess *a);

#endif
