/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/contract/contract.h"

#define WAIT_MS 20

static sigjmp_buf fault_jump;

static void on_fault(int sig)
{
	(void)sig;
	siglongjmp(fault_jump, 1);
}

bool contract_faults(volatile uint8_t *at, bool write)
{
	struct sigaction act = {.sa_handler = on_fault}, segv, bus;
	volatile bool fault = true;

	sigaction(SIGSEGV, &act, &segv);
	sigaction(SIGBUS, &act, &bus);
	if (!sigsetjmp(fault_jump, 1)) {
		if (write)
			*at = 1;
		else
			(void)*at;
		fault = false;
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return fault;
}

void contract_failed(struct contract *c, const char *file, int line, const char *what)
{
	const char *base = strrchr(file, '/');

	if (c->failed)
		return;
	snprintf(c->text, sizeof(c->text), "%s:%d: %s", base ? base + 1 : file, line,
		 what);
	c->failed = c->text;
}

void contract_wait(struct contract *c)
{
	struct pollfd fds[2] = {
		{.fd = c->evtchn->fd, .events = POLLIN},
		{.fd = c->store->fd, .events = POLLIN},
	};

	if (c->evtchn->fd >= 0 || c->store->fd >= 0)
		poll(fds, 2, WAIT_MS);
}

static unsigned run_list(struct contract *c, const struct contract_test *test)
{
	static const char *const modes[] = {"map", "copy", "pool", "grant"};
	unsigned failed = 0;

	for (; test->name; test++) {
		if (!(test->modes & 1u << c->policy->mode))
			continue;
		c->failed = NULL;
		test->run(c);
		printf("%s - %s (%s)%s%s\n", c->failed ? "not ok" : "ok", test->name,
		       modes[c->policy->mode], c->failed ? ": " : "",
		       c->failed ? c->failed : "");
		fflush(stdout);
		failed += c->failed != NULL;
	}
	return failed;
}

unsigned contract_run(struct contract *c)
{
	unsigned failed;

	c->class = class_info(c->policy->class, c->policy->door);
	failed = run_list(c, contract_grants);
	failed += run_list(c, contract_pool);
	failed += run_list(c, contract_evtchn);
	return failed + run_list(c, contract_store);
}
