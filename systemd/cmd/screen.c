/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "common/clock.h"

#define ENTER "\033[?1049h\033[?25l" /* a screen of its own, no cursor */
#define LEAVE "\033[?25h\033[?1049l"
#define HOME  "\033[H"
#define CLEAR "\033[K" /* to the end of the line */
#define REST  "\033[J" /* to the end of the screen */

static struct termios before;
static bool keys; /* standard input is a terminal, and set */
static int signals = -1;

/* Signals come when they are waited for, so that nothing is half done. */
static void take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void screen_open(struct screen *screen)
{
	struct termios now;

	*screen = (struct screen){.terminal = isatty(STDOUT_FILENO)};
	take_signals();
	if (!screen->terminal)
		return;
	if (isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &before)) {
		now = before;
		now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		keys = !tcsetattr(STDIN_FILENO, TCSANOW, &now);
	}
	fputs(ENTER, stdout);
}

void screen_close(struct screen *screen)
{
	if (screen->terminal)
		fputs(LEAVE, stdout);
	fflush(stdout);
	if (keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	if (signals >= 0)
		close(signals);
}

void screen_begin(struct screen *screen)
{
	struct winsize size;

	screen->line = 0;
	screen->lines = screen->columns = 10000;
	if (!screen->terminal)
		return;
	screen->lines = 24;
	screen->columns = 80;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col) {
		screen->lines = size.ws_row;
		screen->columns = size.ws_col;
	}
	fputs(HOME, stdout);
}

void screen_line(struct screen *screen, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	/* The last line stays free: behind it a terminal moves up. */
	if (screen->line + 1 >= screen->lines)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	printf("%.*s%s\n", (int)screen->columns, line, screen->terminal ? CLEAR : "");
	screen->line++;
}

void screen_end(struct screen *screen)
{
	if (screen->terminal)
		fputs(REST, stdout);
	else
		putchar('\n');
	/* Whoever read this is gone. */
	if (fflush(stdout) || ferror(stdout))
		screen->ended = true;
}

bool screen_wait(struct screen *screen, unsigned seconds)
{
	uint64_t end = clock_now() + seconds * CLOCK_SECOND, now;
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = keys ? STDIN_FILENO : -1, .events = POLLIN}};
	char key;

	while (!screen->ended && (now = clock_now()) < end) {
		if (poll(fds, 2, (int)((end - now) / CLOCK_MS) + 1) < 0 &&
		    errno != EINTR)
			screen->ended = true;
		if (fds[0].revents)
			screen->ended = true;
		if (fds[1].revents &&
		    (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q'))
			screen->ended = true;
	}
	return !screen->ended;
}
