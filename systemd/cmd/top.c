/* SPDX-License-Identifier: MIT */
/* xddctl top: what each instance does now, again and again; see xddctl(8). */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/number.h"
#include "systemd/cmd/commands.h"
#include "systemd/cmd/rates.h"
#include "systemd/cmd/screen.h"

#define ROW "%-16s %-8s %-6s %7s %7s %7s %5s %7s %7s"

struct top {
	uint64_t interval, count; /* 0: until told */
	char **names;		  /* or none: all */
	int n;

	struct screen screen;
	struct set last, now;
	uint64_t last_at, now_at;
};

static bool wanted(const struct top *top, const char *name)
{
	for (int i = 0; i < top->n; i++) {
		if (!strcmp(top->names[i], name))
			return true;
	}
	return !top->n;
}

static void put_instance(struct top *top, const struct instance *now)
{
	static const struct numbers none;
	const struct instance *last = set_find(&top->last, now->name);
	char operations[8] = "-", bytes[8] = "-", errors[8] = "-", busy[8] = "-";
	char client[24] = "-", half[12], most[12];
	struct rates rates;

	rates_between(last ? &last->numbers : &none, &now->numbers,
		      top->now_at - top->last_at, &rates);
	if (rates.known) {
		rates_short(rates.operations, operations);
		rates_short(rates.bytes, bytes);
		rates_short(rates.errors, errors);
	}
	if (now->numbers.there)
		rates_short(rates.busy, busy);
	if (now->account.present && now->account.domid != ENTRY_NO_CLIENT)
		snprintf(client, sizeof(client), "d%" PRIu64, now->account.domid);
	screen_line(&top->screen, ROW, now->name, state_name(now->state), client,
		    operations, bytes, errors, busy, rates_latency(rates.half, half),
		    rates_latency(rates.most, most));
}

static void draw(struct top *top)
{
	unsigned serving = 0, problems = 0;

	for (unsigned i = 0; i < top->now.count; i++) {
		serving += top->now.instance[i].state == STATE_SERVING;
		problems += top->now.instance[i].problems;
	}
	screen_begin(&top->screen);
	screen_line(&top->screen, "xddctl: %u instances, %u serving, %u problems%s",
		    top->now.count, serving, problems,
		    problems ? ": xddctl list says which" : "");
	screen_line(&top->screen, ROW, "NAME", "STATE", "CLIENT", "OP/S", "BYTE/S",
		    "ERRORS", "BUSY", "HALF", "99%");
	for (unsigned i = 0; i < top->now.count; i++) {
		if (wanted(top, top->now.instance[i].name))
			put_instance(top, &top->now.instance[i]);
	}
	screen_end(&top->screen);
}

static int turn(struct top *top)
{
	struct set_wish wish = {.parts = SET_ACCOUNTS | SET_NUMBERS, .last = &top->now};
	struct set next;
	int err = set_read(&next, &wish);

	if (err)
		return err;
	set_free(&top->last);
	top->last = top->now;
	top->now = next;
	top->last_at = top->now_at;
	top->now_at = clock_now();
	return 0;
}

/* Without a terminal the first view has rates; with one it is there at once. */
static int show(struct top *top)
{
	int err = turn(top);

	if (!err && top->screen.terminal)
		draw(top);
	for (uint64_t i = 0; !err && (!top->count || i < top->count); i++) {
		if (!screen_wait(&top->screen, (unsigned)top->interval))
			break;
		err = turn(top);
		if (!err)
			draw(top);
	}
	return err;
}

static bool take_number(const char *text, uint64_t least, uint64_t max, uint64_t *out)
{
	return number_parse(text, strlen(text), max, out) && *out >= least;
}

static bool take_options(struct top *top, int argc, char **argv)
{
	static const struct option options[] = {
		{"interval", required_argument, NULL, 'i'},
		{"count", required_argument, NULL, 'c'},
		{NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'i' && take_number(optarg, 1, 3600, &top->interval))
			continue;
		if (c == 'c' && take_number(optarg, 1, UINT32_MAX, &top->count))
			continue;
		return false;
	}
	top->names = argv + optind;
	top->n = argc - optind;
	return true;
}

int top_main(int argc, char **argv)
{
	static struct top top = {.interval = 2};
	struct set_wish wish = {.parts = 0};
	int err, status;

	if (!take_options(&top, argc, argv))
		return ctl_say(CTL_USAGE,
			       "top: --interval is 1 to 3600 seconds, --count "
			       "how many views");
	status = ctl_read(&top.now, &wish); /* says what is missing */
	if (status)
		return status;
	set_free(&top.now);
	screen_open(&top.screen);
	err = show(&top);
	screen_close(&top.screen);
	set_free(&top.last);
	set_free(&top.now);
	return err ? ctl_say(CTL_USAGE, "the policies are gone: %s", strerror(-err))
		   : CTL_DONE;
}
