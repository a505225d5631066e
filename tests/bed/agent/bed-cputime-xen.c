/* SPDX-License-Identifier: MIT */
/*
 * bed-cputime - the processor time that a domain has had, its hypercalls included, in
 * nanoseconds. xl shows the same in tenths of a second.
 *
 * usage: bed-cputime DOMID
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <xenctrl.h>

int main(int argc, char **argv)
{
	xc_interface *xen = argc == 2 ? xc_interface_open(NULL, NULL, 0) : NULL;
	xc_dominfo_t info;
	uint32_t id;

	if (!xen) {
		fprintf(stderr, "usage: bed-cputime DOMID, in the control domain\n");
		return 2;
	}
	id = (uint32_t)strtoul(argv[1], NULL, 10);
	if (xc_domain_getinfo(xen, id, 1, &info) != 1 || info.domid != id) {
		fprintf(stderr, "bed-cputime: no domain %s\n", argv[1]);
		return 1;
	}
	printf("%" PRIu64 "\n", info.cpu_time);
	return 0;
}
