/* SPDX-License-Identifier: MIT */
/* xdd-canfront: a client's PV CAN device as an ordinary CAN interface; see
 * xdd-canfront(8). For client VMs, without privileges. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "backends/can/cmd/front-options.h"
#include "backends/can/cmd/front-say.h"
#include "backends/can/cmd/front.h"
#include "common/clock.h"
#include "xenbus/xs.h"

#define EXIT_FAILED  1
#define EXIT_COMMAND 2
/* To stop, to close, and for xenstored to take the last word. */
#define END_NS (FRONT_STOP_NS + FRONT_CLOSE_NS + 2 * CLOCK_SECOND)

enum { POLL_SIGNALS = FRONT_POLLS, POLLS };

static struct front front;

static int open_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* True: we are to end. */
static bool took_signal(int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo != SIGUSR1)
		return true;
	front_traffic_report(&front.traffic, &front.log);
	return false;
}

/* Until something comes, or is due. */
static void wait_for(struct pollfd polls[POLLS], int signals)
{
	uint64_t due = front_due(&front), now = clock_now();
	uint64_t ns = due > now ? due - now : 0;
	struct timespec ts = {(time_t)(ns / CLOCK_SECOND), (long)(ns % CLOCK_SECOND)};

	front_polls(&front, polls);
	polls[POLL_SIGNALS] = (struct pollfd){signals, POLLIN, 0};
	if (ppoll(polls, POLLS, due == UINT64_MAX ? NULL : &ts, NULL) >= 0)
		return;
	for (unsigned i = 0; i < POLLS; i++)
		polls[i].revents = 0;
}

static void run(int signals)
{
	struct pollfd polls[POLLS];
	uint64_t end = UINT64_MAX;

	while (!front_ended(&front) && clock_now() < end) {
		wait_for(polls, signals);
		if (polls[POLL_SIGNALS].revents && took_signal(signals)) {
			if (front.ending) /* again: at once */
				return;
			front_end(&front, clock_now());
			end = clock_now() + END_NS;
		}
		front_turn(&front, polls, clock_now());
	}
}

int main(int argc, char **argv)
{
	struct front_options options;
	char why[256];
	int signals;

	if (!front_options_read(argc, argv, &options, why, sizeof(why))) {
		fprintf(stderr, "xdd-canfront: %s\n", why);
		return EXIT_COMMAND;
	}
	if (options.help) {
		fputs(front_options_help, stdout);
		return 0;
	}
	signals = open_signals();
	if (signals < 0 || !front_open(&front, &options, xs_open))
		return EXIT_FAILED;
	run(signals);
	front_traffic_report(&front.traffic, &front.log);
	front_close(&front);
	return front.failed ? EXIT_FAILED : 0;
}
