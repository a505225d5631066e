/* SPDX-License-Identifier: MIT */
#include "backends/can/can-bus.h"

static struct null {
	struct can_bus bus;
	uint64_t now; /* of the last turn */
} null;

static void null_send(struct can_bus *bus, const struct canfd_frame *frame)
{
	const struct canfd_frame copy = *frame;

	bus->sent++;
	bus->user->written(bus, 0);
	bus->received++;
	bus->user->heard(bus, &copy, true, ((const struct null *)bus)->now);
}

static void null_drop(struct can_bus *bus)
{
	(void)bus;
}

static void null_turn(struct can_bus *bus, uint64_t now)
{
	((struct null *)bus)->now = now;
}

static void null_close(struct can_bus *bus)
{
	(void)bus;
}

static const struct can_bus_ops null_ops = {
	.send = null_send,
	.drop = null_drop,
	.turn = null_turn,
	.close = null_close,
};

int can_bus_null_open(struct can_bus **out, const struct can_bus_conf *conf)
{
	null = (struct null){
		.bus = {.ops = &null_ops,
			.fd = conf->fd,
			.echo = true,
			.due = UINT64_MAX},
	};
	*out = &null.bus;
	return 0;
}
