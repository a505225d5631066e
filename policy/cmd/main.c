/* SPDX-License-Identifier: MIT */
/* xdd-policy: checks policy files, shows them, and says what they need of a
 * device tree; see xdd-policy(8). */
#include <stddef.h>

#include "common/command.h"
#include "policy/cmd/assess-main.h"
#include "policy/cmd/check.h"
#include "policy/cmd/diff.h"
#include "policy/cmd/dt.h"
#include "policy/cmd/explain.h"
#include "policy/cmd/learn.h"
#include "policy/cmd/show.h"
#include "policy/cmd/xl.h"

static const char help[] =
	"usage: xdd-policy check [OPTION...] FILE|DIR...\n"
	"       xdd-policy show FILE\n"
	"       xdd-policy explain NAME|FILE may WHAT\n"
	"       xdd-policy diff OLD NEW\n"
	"       xdd-policy learn [--spare PERCENT] FILE LOG\n"
	"       xdd-policy xl [OPTION...] NAME|FILE...\n"
	"       xdd-policy dt [OPTION...] NAME|FILE|DIR...\n"
	"       xdd-policy report [OPTION...] -o PAGE DIR\n"
	"\n"
	"check  every error of every file, with line and what is allowed; for a\n"
	"       directory also what its policies may not say together, and what\n"
	"       they need of the driver domain. Exit 0: all is well, 2: it is not.\n"
	"show   the policy with its defaults filled in, and the line of each value.\n"
	"explain  whether it may map, copy, bind or serve, and the line that says\n"
	"       so. Exit 0: it may, 1: it may not.\n"
	"diff   what NEW makes possible (+), takes away (-), or changes (?), and how\n"
	"       it comes to hold. Exit 0: nothing more becomes possible, 1: it may.\n"
	"learn  a tighter policy, from what its instance's audit log says was used.\n"
	"xl     the lines of a client's xl.cfg that give it these devices.\n"
	"dt     without a toolstack: what these policies of one driver domain need of\n"
	"       the device tree and of Xen's command line; with --verify, whether a\n"
	"       compiled tree gives it. Exit 0: it does, 2: it does not.\n"
	"report  one HTML page for an assessor: who may reach what, by which line, "
	"what\n"
	"       was used, and what was refused. Exit 0: written, 1: written, and "
	"sources\n"
	"       do not agree or a wall is missing, 2: not written.\n"
	"\n"
	"All of them:\n"
	"  --json               one JSON object, findings and answer; xdd-policy(8)\n"
	"\n"
	"check, report: what the driver domain has, if not the default:\n"
	"  --maptrack N         maptrack entries, 256 a frame (262144)\n"
	"  --event-channels N   event channels (1023)\n"
	"  --watches N          xenstore watches (128)\n"
	"  --nodes N            xenstore nodes (1000)\n"
	"  --descriptors N      file descriptors of the system (65536)\n"
	"  --memory MIB         memory for the instances (not judged)\n"
	"  --pv                 it is an x86 PV domain: each map is tracked twice\n"
	"\n"
	"learn:\n"
	"  --spare PERCENT      so many more pages than were mapped at once (0)\n"
	"\n"
	"xl: whose devices they are:\n"
	"  --backend DOMAIN     the driver domain (drv)\n"
	"  --client DOMAIN      the client, for what xl cannot attach\n"
	"\n"
	"dt: what is to be, if not the default:\n"
	"  --xen VERSION             4.17 to 4.22 (4.17)\n"
	"  --driver-domain N[=NODE]  the driver domain's domid (1), and its node\n"
	"  --client NAME=NODE        the node that policy NAME's client is\n"
	"  --verify FILE.dtb         judge this tree instead of printing what is "
	"needed\n"
	"\n"
	"report:\n"
	"  -o, --output PAGE         where the page is written; what is there is "
	"replaced\n"
	"  --audit LOG               an instance's audit log; may be given again\n"
	"  --witness FILE            what xdd-witness --json printed\n"
	"  --probe [NAME=]FILE       what xdd-probe printed in the place of NAME; "
	"again\n"
	"\n"
	"The keys are in xdd.policy(5).\n";

static const struct command commands[] = {
	{"check", check_main}, {"show", show_main},	{"explain", explain_main},
	{"diff", diff_main},   {"learn", learn_main},	{"xl", xl_main},
	{"dt", dt_main},       {"report", assess_main}, {NULL, NULL},
};

int main(int argc, char **argv)
{
	return command_main(
		argc, argv, commands, help,
		"xdd-policy: check, show, explain, diff, learn, xl, dt or report? See "
		"xdd-policy --help");
}
