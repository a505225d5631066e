/* SPDX-License-Identifier: MIT */
/* What was seen and judged, on standard output: a line for each thing that is not
 * explained, or one JSON object; its form is in xdd-witness(8). All of it is ASCII. */
#ifndef XDD_WITNESS_REPORT_H
#define XDD_WITNESS_REPORT_H

#include "xenbus/cmd/witness-judge.h"

void report_lines(const struct scene *scene, const struct findings *findings);
void report_json(const struct scene *scene, const struct findings *findings);

#endif
