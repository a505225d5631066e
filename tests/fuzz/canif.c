/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: an entry of the transmit ring of any bytes; and an event of any bytes.
 *
 * Whatever comes in, canif-decode.h's invariants hold, what was taken for good is said
 * again as it was said, and an answer is the request's.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/can/canif-decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n--) {
		if (*p++)
			return false;
	}
	return true;
}

/* Invariants 1 and 2. */
static void check_frame(const struct canfd_frame *frame, const uint8_t *entry)
{
	must(!(frame->can_id & CAN_ERR_FLAG));
	must(!(frame->flags & ~(CANFD_FDF | CANFD_BRS | CANFD_ESI)));
	must(frame->len <= 64 && frame->len == entry[14] && !entry[15]);
	must(!memcmp(frame->data, entry + 16, frame->len));
	must(all_zero(frame->data + frame->len, 64u - frame->len));
}

/* As an event it says what the request said; but a remote frame has no data, and an
 * identifier of 11 bits no more. */
static void check_round(const struct canfd_frame *frame, const uint8_t *entry)
{
	const struct can_event event = {.kind = CAN_EVENT_FRAME, .frame = *frame};
	bool extended = frame->can_id & CAN_EFF_FLAG;
	uint8_t out[XENCAN_ENTRY];

	canif_encode_event(&event, out);
	if (extended || !(frame->can_id & CAN_EFF_MASK & ~CAN_SFF_MASK))
		must(!memcmp(out + 8, entry + 8, 8));
	if (frame->can_id & CAN_RTR_FLAG)
		must(all_zero(out + 16, 64));
	else
		must(!memcmp(out + 16, frame->data, 64));
	must(all_zero(out, 8) && all_zero(out + 80, 16));
}

static void check_event(const uint8_t *data, size_t size)
{
	struct can_event event = {.kind = CAN_EVENT_FRAME};
	uint8_t out[XENCAN_ENTRY], kind;

	memset(out, 0xa5, sizeof(out));
	if (!size)
		return;
	kind = data[0] % CAN_EVENT_KINDS;
	data++;
	size--;
	memcpy(&event.frame, data,
	       size < sizeof(event.frame) ? size : sizeof(event.frame));
	event.kind = kind;
	event.lost = event.frame.can_id;
	event.state = (enum can_state)(event.frame.len % 6);
	canif_encode_event(&event, out);
	must(out[0] == 0 && out[1] == 0 && out[2] == kind && all_zero(out + 3, 5));
	must(all_zero(out + 88, 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t entry[XENCAN_ENTRY] = {0}, answer[CANIF_ANSWER];
	enum canif_verdict verdict;
	struct canif_request rq;
	size_t n = size < sizeof(entry) ? size : sizeof(entry);

	memcpy(entry, data, n);
	memset(&rq, 0xa5, sizeof(rq));
	verdict = canif_decode(entry, &rq);
	must((verdict == CANIF_BAD_OPERATION) == (entry[2] > XENCAN_OP_STOP));
	must(rq.id == (entry[0] | entry[1] << 8) && rq.operation == entry[2]);
	if (verdict == CANIF_GOOD && rq.op == CANIF_FRAME) {
		check_frame(&rq.frame, entry);
		check_round(&rq.frame, entry);
	}
	canif_encode(&rq, CAN_INVALID, 1, answer);
	must(!memcmp(answer, entry, 3) && answer[3] == XENCAN_INVALID);
	check_event(data + n, size - n);
	return 0;
}
