/* SPDX-License-Identifier: MIT */
/*
 * All that xdd-witness has seen and been told of one driver domain, for the judge: what
 * Xen shows, what the toolstack has recorded where no domain can write, and the
 * instances.
 */
#ifndef XDD_WITNESS_SCENE_H
#define XDD_WITNESS_SCENE_H

#include "xenbus/cmd/witness-instance.h"
#include "xenbus/cmd/witness-usage.h"

#define SCENE_DEVICES 4096
#define SCENE_NAMED   1024
#define SCENE_PORTS   131072 /* the most that a domain of Xen can have */

enum port_state { PORT_UNBOUND, PORT_INTERDOMAIN, PORT_OTHER };

/* An event channel of the driver domain that is in use. */
struct scene_port {
	struct evport port;
	enum port_state state; /* PORT_OTHER: Xen's own, or an interrupt */
	struct domid remote;
	struct evport remote_port; /* PORT_INTERDOMAIN */
};

/* A device that the toolstack made between two domains. */
struct scene_device {
	struct domid front, back;
};

/* A port of the driver domain with a purpose that is known: its xenstore, its console,
 * a front end of its own. */
struct scene_named {
	struct evport port;
	struct domid remote;
};

struct scene {
	struct domid domain;
	const char *name; /* as it was called */
	unsigned pins;	  /* that one mapping of a page makes: 2 in a PV domain */
	struct usage usage;
	bool saw_ports;
	struct scene_port *port;
	unsigned ports;
	struct scene_device device[SCENE_DEVICES];
	unsigned devices;
	struct scene_named named[SCENE_NAMED];
	unsigned nameds;
	struct instances instances;
	const char *boot; /* the driver domain's boot id, or NULL: the newest log's */
	bool accept_dropped; /* by the policy alone what a full log has dropped */
};

#endif
