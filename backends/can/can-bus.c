/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/can/can-bus.h"

int can_bus_open(struct can_bus **out, const char *resource,
		 const struct can_bus_conf *conf)
{
	if (!strcmp(resource, "loopback:"))
		return can_bus_loopback_open(out, conf);
	if (!strcmp(resource, "null:"))
		return can_bus_null_open(out, conf);
	return can_bus_socket_open(out, resource, conf);
}

void can_bus_close(struct can_bus *bus)
{
	bus->ops->close(bus);
}
