/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/contract/contract.h"

#define WAIT_MS 20

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
	bool copy = c->policy->mode == POLICY_COPY;
	unsigned failed = 0;

	for (; test->name; test++) {
		if (!(copy ? test->copy : test->map))
			continue;
		c->failed = NULL;
		test->run(c);
		printf("%s - %s (%s)%s%s\n", c->failed ? "not ok" : "ok", test->name,
		       copy ? "copy" : "map", c->failed ? ": " : "",
		       c->failed ? c->failed : "");
		fflush(stdout);
		failed += c->failed != NULL;
	}
	return failed;
}

unsigned contract_run(struct contract *c)
{
	unsigned failed = run_list(c, contract_grants);

	failed += run_list(c, contract_evtchn);
	return failed + run_list(c, contract_store);
}
