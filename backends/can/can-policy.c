/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/can/can-policy.h"
#include "policy/text.h"

#define BITRATE_MAX	 1000000
#define DATA_BITRATE_MAX 20000000
#define SAMPLE_POINT_MAX 999

void can_policy_init(struct can_policy *policy)
{
	*policy = (struct can_policy){.receive_queue = 512};
}

static const char *set_rules(struct can_rules *out, const char *value)
{
	return can_rules_parse(value, out) ? NULL : CAN_RULES_ALLOWED;
}

static const char *set_transmit(void *out, const char *value)
{
	return set_rules(&((struct can_policy *)out)->transmit, value);
}

static const char *set_receive(void *out, const char *value)
{
	return set_rules(&((struct can_policy *)out)->receive, value);
}

static const char *set_listen_only(void *out, const char *value)
{
	return policy_set_bool(value, &((struct can_policy *)out)->listen_only);
}

static const char *set_fd(void *out, const char *value)
{
	return policy_set_bool(value, &((struct can_policy *)out)->fd);
}

static const char *set_errors(void *out, const char *value)
{
	return policy_set_bool(value, &((struct can_policy *)out)->errors);
}

static const char *set_receive_queue(void *out, const char *value)
{
	struct can_policy *policy = out;

	return policy_value_uint32(value, CAN_POLICY_QUEUE_MIN, CAN_POLICY_QUEUE_MAX,
				   &policy->receive_queue)
		       ? NULL
		       : "16-8192 frames";
}

static const char *set_overflow(void *out, const char *value)
{
	static const char *const names[] = {
		[CAN_DROP_OLDEST] = "drop-oldest",
		[CAN_DROP_NEWEST] = "drop-newest",
	};
	struct can_policy *policy = out;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(value, names[i])) {
			policy->overflow = (enum can_overflow)i;
			return NULL;
		}
	}
	return "drop-oldest, drop-newest";
}

static const char *set_bitrate(void *out, const char *value)
{
	struct can_policy *policy = out;

	return policy_value_uint32(value, 1, BITRATE_MAX, &policy->bitrate)
		       ? NULL
		       : "1-1000000 bit/s; shown to the client, it sets nothing";
}

static const char *set_data_bitrate(void *out, const char *value)
{
	struct can_policy *policy = out;

	return policy_value_uint32(value, 1, DATA_BITRATE_MAX, &policy->data_bitrate)
		       ? NULL
		       : "1-20000000 bit/s; shown to the client, it sets nothing";
}

static const char *set_point(uint32_t *out, const char *value)
{
	return policy_value_uint32(value, 1, SAMPLE_POINT_MAX, out)
		       ? NULL
		       : "1-999 thousandths of a bit; shown to the client, it sets "
			 "nothing";
}

static const char *set_sample_point(void *out, const char *value)
{
	return set_point(&((struct can_policy *)out)->sample_point, value);
}

static const char *set_data_sample_point(void *out, const char *value)
{
	return set_point(&((struct can_policy *)out)->data_sample_point, value);
}

const struct policy_section_key can_policy_keys[] = {
	{"Transmit", false, set_transmit},
	{"Receive", false, set_receive},
	{"ListenOnly", false, set_listen_only},
	{"FD", false, set_fd},
	{"Errors", false, set_errors},
	{"ReceiveRate", false, policy_set_read},
	{"ReceiveQueue", false, set_receive_queue},
	{"Overflow", false, set_overflow},
	{"Bitrate", false, set_bitrate},
	{"DataBitrate", false, set_data_bitrate},
	{"SamplePoint", false, set_sample_point},
	{"DataSamplePoint", false, set_data_sample_point},
	{NULL, false, NULL},
};

void can_policy_fit(const struct policy *policy, const void *can,
		    struct policy_errors *errors)
{
	const struct can_policy *p = can;

	(void)policy;
	if (p->listen_only && p->transmit.n)
		text_error(errors, 0, "ListenOnly = no, or Transmit = none",
			   "Can.Transmit with Can.ListenOnly = yes: who only listens "
			   "sends nothing");
	if (!p->fd && p->data_bitrate)
		text_error(errors, 0, "FD = yes, or no DataBitrate",
			   "Can.DataBitrate without Can.FD = yes: it is that of FD "
			   "frames");
	if (!p->fd && p->data_sample_point)
		text_error(errors, 0, "FD = yes, or no DataSamplePoint",
			   "Can.DataSamplePoint without Can.FD = yes: it is that of FD "
			   "frames");
}
