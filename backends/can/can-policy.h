/* SPDX-License-Identifier: MIT */
/*
 * The section [Can] of a policy: what only a bus knows. Pure: a table for
 * policy_parse_section(). Defaults are the narrow ones: a client neither hears nor
 * sends what it was not given.
 *
 * What all classes have holds here so: Resource is the bus (can-bus.h); Operations
 * are frames to be sent, and Bytes what these occupy on the wire, a byte being eight
 * bit times (can_wire_bytes()); InFlight are frames that were given to the bus and not
 * seen on it.
 */
#ifndef XDD_CAN_POLICY_H
#define XDD_CAN_POLICY_H

#include "backends/can/can-rules.h"
#include "policy/policy.h"

#define CAN_POLICY_QUEUE_MIN 16
#define CAN_POLICY_QUEUE_MAX 8192

enum can_overflow { CAN_DROP_OLDEST, CAN_DROP_NEWEST };

/* Beside it, ReceiveRate is policy.receive: it may change while a client is served. */
struct can_policy {
	struct can_rules transmit;  /* Transmit; default none */
	struct can_rules receive;   /* Receive; default none */
	bool listen_only;	    /* ListenOnly; default no */
	bool fd;		    /* FD; default no */
	bool errors;		    /* Errors: bus errors are told, default no */
	uint32_t receive_queue;	    /* ReceiveQueue, 16 to 8192; default 512 */
	enum can_overflow overflow; /* Overflow; default drop-oldest */
	/* Shown to the client, and nothing else; 0: not known. */
	uint32_t bitrate, data_bitrate;		  /* bit/s */
	uint32_t sample_point, data_sample_point; /* thousandths */
};

extern const struct policy_section_key can_policy_keys[];

/* What does not go together, or not with the generic sections, to @errors: Transmit
 * with ListenOnly = yes, for one. */
void can_policy_fit(const struct policy *policy, const void *can,
		    struct policy_errors *errors);
/* The defaults, to parse over. */
void can_policy_init(struct can_policy *policy);

#endif
