/* SPDX-License-Identifier: MIT */
/*
 * A dump of Xen 4.17's debug key 'g' in the bed, cut down: domain 1 is a driver domain,
 * 2 and 3 are its clients. The rows of domain 1 in domain 2's table were put in, in the
 * form and with the pins that the bed shows: 0x29 and 0x2a are mapped writable, 0x2b to
 * be read, and 0x1234 has a device's pins, too. fuzz/corpus/witness/recorded is one as
 * it was.
 */
#ifndef XDD_WITNESS_DUMP_H
#define XDD_WITNESS_DUMP_H

#define DUMP_BANNER                                                                    \
	"(XEN)       -------- active --------       -------- shared --------"
#define DUMP_HEADS "(XEN) [ref] localdom mfn      pin          localdom gmfn     flags"
#define DUMP_LINES (sizeof(dump_lines) / sizeof(*dump_lines))

static const char *const dump_lines[] = {
	"(XEN) gnttab_usage_print_all [ key 'g' pressed",
	DUMP_BANNER,
	DUMP_HEADS,
	"(XEN) grant-table for remote d0 (v1)",
	"(XEN)   1 frames (64 max), 1 maptrack frames (1024 max)",
	"(XEN) no active grant table entries",
	DUMP_BANNER,
	DUMP_HEADS,
	"(XEN) grant-table for remote d1 (v1)",
	"(XEN)   1 frames (64 max), 18 maptrack frames (1024 max)",
	"(XEN) [0x000]      0 0x1bd002 0x00000002          0 0x1bd002 0x19",
	"(XEN) [0x001]      0 0x1bd001 0x00000002          0 0x1bd001 0x19",
	DUMP_BANNER,
	DUMP_HEADS,
	"(XEN) grant-table for remote d2 (v1)",
	"(XEN)   2 frames (64 max), 0 maptrack frames (1024 max)",
	"(XEN) [0x000]      0 0x1a7002 0x00000001          0 0x1a7002 0x19",
	"(XEN) [0x029]      1 0x1bc8f7 0x00000002          1 0x1bc8f7 0x19",
	"(XEN) [0x02a]      1 0x1bc8f6 0x00000002          1 0x1bc8f6 0x19",
	"(XEN) [0x02b]      1 0x1bc8f5 0x00000200          1 0x1bc8f5 0x1d",
	"(XEN) [0x1234]      1 0x1bc8f4 0x02010101          1 0x1bc8f4 0x19",
	DUMP_BANNER,
	DUMP_HEADS,
	"(XEN) grant-table for remote d3 (v1)",
	"(XEN)   1 frames (64 max), 0 maptrack frames (1024 max)",
	"(XEN) [0x000]      0 0x197002 0x00000001          0 0x197002 0x19",
	"(XEN) [0x001]      0 0x197001 0x00000001          0 0x197001 0x19",
	"(XEN) gnttab_usage_print_all ] done",
};

#endif
