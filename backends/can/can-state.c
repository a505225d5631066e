/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/can/can-state.h"
#include "common/number.h"

#define KEY "controller"

void can_state_init(struct can_state_key *key, const struct keys *keys)
{
	*key = (struct can_state_key){.keys = keys};
}

int can_state_read(const struct can_state_key *key, enum can_state *out)
{
	char value[STORE_VALUE_MAX + 1];
	uint64_t state = CAN_STATE_IS_STOPPED;
	int r = keys_read(key->keys, STORE_BACK, KEY, value);

	if (r < 0)
		return r;
	if (r && !number_parse(value, strlen(value), CAN_STATE_IS_DOWN, &state))
		state = CAN_STATE_IS_STOPPED;
	*out = (enum can_state)state;
	return 0;
}

int can_state_keep(struct can_state_key *key, enum can_state state)
{
	int r;

	if (key->known && key->kept == state)
		return 0;
	r = keys_write_number(key->keys, KEY, state);
	if (r)
		return r;
	key->known = true;
	key->kept = state;
	return 0;
}
