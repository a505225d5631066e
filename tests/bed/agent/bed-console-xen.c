/* SPDX-License-Identifier: MIT */
/*
 * bed-console - what Xen's console has said so far, without a xenstore, which xl needs.
 * On the Arm machine those that Xen has started are heard there too: "DOM1: ...".
 *
 * usage: bed-console
 */
#include <stdio.h>

#include <xenctrl.h>

int main(void)
{
	static char text[65536];
	unsigned int got;
	uint32_t at = 0;
	xc_interface *xen = xc_interface_open(NULL, NULL, 0);

	if (!xen) {
		fprintf(stderr, "bed-console: only in the control domain\n");
		return 2;
	}
	do {
		got = sizeof(text);
		if (xc_readconsolering(xen, text, &got, 0, 1, &at)) {
			perror("bed-console: Xen's console");
			return 1;
		}
	} while (got && fwrite(text, 1, got, stdout) == got);
	return fflush(stdout) ? 1 : 0;
}
