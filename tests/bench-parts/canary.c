/* SPDX-License-Identifier: MIT */
/*
 * bench-canary - how noisy this machine is now: two processes wake each other
 * through the kernel, then through a cache line, a quarter of a second each.
 * Prints the 99.9th percentile of each round trip, in microseconds. What is
 * timed beside it counts only if both are small: see tests/bench.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#define ROUNDS_MAX 2000000u
#define SPAN_NS	   (CLOCK_SECOND / 4)

struct canary {
	_Atomic uint32_t ball; /* odd: theirs */
	atomic_bool spin;
	int there, here;
};

static void blocked_wait(int fd)
{
	uint64_t v;

	if (read(fd, &v, sizeof(v)) != sizeof(v))
		_exit(1);
}

static void blocked_wake(int fd)
{
	uint64_t v = 1;

	if (write(fd, &v, sizeof(v)) != sizeof(v))
		_exit(1);
}

/* Until it is killed. */
static _Noreturn void partner(struct canary *c)
{
	bool last = false;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!last) {
		blocked_wait(c->there);
		last = atomic_load(&c->spin); /* set before the wake */
		blocked_wake(c->here);
	}
	for (uint32_t i = 0;; i++) {
		while (atomic_load(&c->ball) != 2 * i + 1)
			;
		atomic_store(&c->ball, 2 * i + 2);
	}
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void say(const char *name, uint64_t *ns, uint32_t n)
{
	qsort(ns, n, sizeof(*ns), by_size);
	printf("%s %.1f\n", name, (double)ns[n - 1 - n / 1000] / 1000);
}

static void blocked(struct canary *c, uint32_t i)
{
	(void)i;
	blocked_wake(c->there);
	blocked_wait(c->here);
}

static void spun(struct canary *c, uint32_t i)
{
	atomic_store(&c->ball, 2 * i + 1);
	while (atomic_load(&c->ball) != 2 * i + 2)
		;
}

static void measure(const char *name, struct canary *c,
		    void (*round)(struct canary *c, uint32_t i))
{
	static uint64_t ns[ROUNDS_MAX];
	uint64_t end = clock_now() + SPAN_NS, from = 0;
	uint32_t n = 0;

	while (n < ROUNDS_MAX && from < end) {
		from = clock_now();
		round(c, n);
		ns[n++] = clock_now() - from;
	}
	say(name, ns, n);
}

int main(void)
{
	struct canary *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (c == MAP_FAILED)
		return 1;
	c->there = eventfd(0, 0);
	c->here = eventfd(0, 0);
	pid = fork();
	if (!pid)
		partner(c);
	measure("wake_p999_us", c, blocked);
	atomic_store(&c->spin, true);
	blocked(c, 0);
	measure("spin_p999_us", c, spun);
	kill(pid, SIGKILL);
	return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}
