/* SPDX-License-Identifier: MIT */
/* xenbus/store.h. */
#include <string.h>

#include "tests/contract/contract.h"

static int key_bytes(struct contract *c, const char *name, const char *value,
		     size_t len)
{
	return c->granter->ops->key(c->granter, name, value, len);
}

static int key(struct contract *c, const char *name, const char *value)
{
	return key_bytes(c, name, value, value ? strlen(value) : 0);
}

static int read_front(struct contract *c, const char *name, char *value)
{
	int r = store_read(c->store, STORE_FRONT, name, value, STORE_VALUE_MAX + 1);

	return r;
}

static void reads_what_is_there(struct contract *c)
{
	char value[STORE_VALUE_MAX + 1], text[STORE_VALUE_MAX + 1];

	CHECK(c, !key(c, "protocol", NULL));
	CHECK(c, read_front(c, "protocol", value) == STORE_ABSENT);
	CHECK(c, !key(c, "protocol", "x86_64-abi"));
	CHECK(c, read_front(c, "protocol", value) == STORE_OK);
	CHECK(c, !strcmp(value, "x86_64-abi"));
	CHECK(c, !key(c, "protocol", ""));
	CHECK(c, read_front(c, "protocol", value) == STORE_OK && !value[0]);
	memset(text, 'v', STORE_VALUE_MAX);
	text[STORE_VALUE_MAX] = '\0';
	CHECK(c, !key(c, "protocol", text));
	CHECK(c, read_front(c, "protocol", value) == STORE_OK);
	CHECK(c, !strcmp(value, text));
	CHECK(c, !key(c, "protocol", NULL));
	/* The toolstack's keys. */
	CHECK(c, store_read(c->store, STORE_BACK, "frontend-id", value,
			    sizeof(value)) == STORE_OK);
	CHECK(c, store_read(c->store, STORE_BACK, "nothing", value, sizeof(value)) ==
			 STORE_ABSENT);
}

static void long_values_and_nuls(struct contract *c)
{
	char value[STORE_VALUE_MAX + 1], text[1024];

	memset(text, 'v', sizeof(text));
	CHECK(c, !key_bytes(c, "protocol", text, STORE_VALUE_MAX + 1));
	CHECK(c, read_front(c, "protocol", value) == STORE_TOO_LONG);
	CHECK(c, !key_bytes(c, "protocol", text, sizeof(text)));
	CHECK(c, read_front(c, "protocol", value) == STORE_TOO_LONG);
	CHECK(c, !key_bytes(c, "protocol", "a\0b", 3));
	CHECK(c, read_front(c, "protocol", value) == STORE_TOO_LONG);
	CHECK(c, !key(c, "protocol", NULL));
}

static void writes_what_it_may(struct contract *c)
{
	const char *its = c->policy->door == POLICY_PV ? "sectors" : "pool-pages";
	bool there = false;

	CHECK(c, store_write(c->store, its, "4711") == STORE_OK);
	for (unsigned i = 0; i < 100 && !there; i++) {
		contract_wait(c);
		there = c->granter->ops->back_key(c->granter, its, "4711") == 1;
	}
	CHECK(c, there);
	CHECK(c, store_write(c->store, "frontend-id", "0") == STORE_REFUSED);
	CHECK(c, store_write(c->store, "mode", "w") == STORE_REFUSED);
	CHECK(c, store_write(c->store, "../x", "1") == STORE_REFUSED);
	CHECK(c, store_write(c->store, "", "1") == STORE_REFUSED);
}

static bool front_becomes(struct contract *c, enum store_state want)
{
	struct store_status status;

	for (unsigned i = 0; i < 100; i++) {
		if (store_poll(c->store, &status) < 0)
			return false;
		if (status.present && status.front == want)
			return true;
		contract_wait(c);
	}
	return false;
}

static void status_follows(struct contract *c)
{
	struct store_status status;

	CHECK(c, !key(c, "state", "3"));
	CHECK(c, front_becomes(c, STORE_INITIALISED));
	CHECK(c, store_poll(c->store, &status) == 0);
	CHECK(c, status.online && !status.release && status.generation >= 1);
	CHECK(c, !c->policy->any_domain);
	CHECK(c, status.frontend.v == c->policy->domain.v);
	CHECK(c, !key(c, "state", "99"));
	CHECK(c, front_becomes(c, STORE_UNKNOWN));
	CHECK(c, !key(c, "state", "4"));
	CHECK(c, front_becomes(c, STORE_CONNECTED));
	CHECK(c, !key(c, "state", NULL));
	CHECK(c, front_becomes(c, STORE_UNKNOWN));
	CHECK(c, !key(c, "state", "1"));
	CHECK(c, front_becomes(c, STORE_INITIALISING));
}

const struct contract_test contract_store[] = {
	{"reads_what_is_there", reads_what_is_there, EVERY_MODE},
	{"long_values_and_nuls", long_values_and_nuls, EVERY_MODE},
	{"writes_what_it_may", writes_what_it_may, EVERY_MODE},
	{"status_follows", status_follows, EVERY_MODE},
	{0},
};
