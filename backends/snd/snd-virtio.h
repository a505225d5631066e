/* SPDX-License-Identifier: MIT */
/*
 * The virtio door of a sound device: virtio-snd (virtio 1.4, 5.14, "Sound Device") on
 * one side, the card's streams on the other.
 *
 * Not the transport and not the queues: those are any class's (virtio-door.h). Not the
 * streams' turn either: the owner calls snd_card_turn(), then snd_virtio_turn(), once a
 * turn of its loop. Here is what an order and a buffer of samples mean, and what they
 * cost.
 *
 * One stream to play and one to record, at most: all that play share a queue, whose
 * answers come in the order of the buffers, so that one that stands still would hold up
 * the others.
 *
 * A buffer to be played goes into its stream's ring behind what is there, and comes
 * back when the PCM has taken it; what it says of latency is what the PCM has then. One
 * to be recorded to comes back full. There is no shared memory: the specification has
 * but a place for it. A pool changes nothing of this: samples are copied.
 *
 * Invariants:
 *  1. orders work one after another, in the order of their queue; one that must wait
 *     (a rate, a PCM that plays to its end, xenstore, RELEASE for the buffers) holds
 *     back the others;
 *  2. each order and each buffer pays one operation, whatever the answer, and a buffer
 *     of a stream that is prepared its bytes;
 *  3. what an order changed is kept (snd-kept.h) before it is answered;
 *  4. buffers of one queue come back in order: played, filled, or, when their stream
 *     was released or they are none, with an error;
 *  5. a chain without room for its answer needs a reset; what is in it does not;
 *  6. who posts no buffer for events misses them: they are a matter of now;
 *  7. nothing allocates after snd_virtio_init().
 *
 * A successor of one that died goes on with what was kept. It drops the oldest buffer
 * of what plays: part of it may have been heard, and nothing is played twice.
 */
#ifndef XDD_SND_VIRTIO_H
#define XDD_SND_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/door/virtio-door.h"
#include "backends/snd/snd-card.h"
#include "backends/snd/snd-kept.h"
#include "backends/snd/snd-virtio-wire.h"
#include "common/histogram.h"
#include "policy/toll.h"

/* Entries of a queue. Linux has 16 buffers out at most; by grant, where there are no
 * indirect tables, each of them takes an entry a page. */
#define SND_VIRTIO_QUEUE_SIZE 256
#define SND_VIRTIO_STREAMS    2

enum snd_virtio_queue {
	SND_VIRTIO_CONTROL,
	SND_VIRTIO_EVENT,
	SND_VIRTIO_TX,
	SND_VIRTIO_RX,
	SND_VIRTIO_QUEUES,
};

struct snd_virtio;

/* All of it outlives the door; @policy may change in place (snd_virtio_limits). */
struct snd_virtio_conf {
	const struct policy *policy;
	const struct snd_policy *snd_policy;
	struct snd_card *card;
	struct keys keys;
	void *owner;
	/* Nothing is mapped, the port is unbound, no PCM runs. */
	void (*detached)(struct snd_virtio *v);
};

struct snd_virtio_stats {
	uint64_t orders;
	uint64_t errors;		    /* of them, answered so */
	uint64_t buffers;		    /* of samples */
	uint64_t malformed;		    /* of both: there are none such */
	uint64_t refused;		    /* of both, that could not be fetched */
	uint64_t flushed;		    /* buffers, of streams that were released */
	uint64_t written_bytes, read_bytes; /* of samples, by the client */
	uint64_t overruns; /* times that the client was late to record */
	uint64_t events;
	uint64_t undelivered;
	/* Of buffers, from being taken to being published. */
	struct histogram latency;
};

/* What slot->request is. */
struct snd_virtio_request {
	struct virtio_slot *slot;
	struct toll_paid paid;
	enum snd_virtio_answer answer; /* or 0: not known yet */

	struct snd_virtio_order order;
	uint32_t behind; /* bytes of its answer behind the status */

	uint32_t bytes; /* of samples */
	bool placed;	/* they are in the ring */
	uint64_t end;	/* then: they were played when the position is here */
};

/* 5.14.6.6.1. What a state may become is moves' in snd-virtio-order.c. */
enum snd_virtio_state {
	SND_VIRTIO_UNSET,
	SND_VIRTIO_SET, /* or released */
	SND_VIRTIO_PREPARED,
	SND_VIRTIO_RUNNING,
	SND_VIRTIO_STOPPED,
	SND_VIRTIO_STATES,
};

struct snd_virtio_stream {
	struct snd_virtio *v;
	struct snd *snd;
	uint32_t number;
	bool capture;
	enum snd_virtio_state state;
	struct snd_config config; /* but of UNSET */
	uint32_t features;
	struct snd_levels levels;
	uint64_t taken; /* capture: the client has what is before this position */
	bool skips;	/* a successor's: the next buffer was a predecessor's */
	bool fails;	/* an xrun, or a PCM that failed, that was seen */
	bool untold;	/* and that the client does not know of */
	struct snd_keeping kept;
};

struct snd_virtio {
	struct virtio_door door;
	struct snd_virtio_conf conf;
	struct toll toll;
	struct snd_virtio_stream stream[SND_VIRTIO_STREAMS];
	uint32_t streams;
	struct virtio_posted posted[SND_VIRTIO_QUEUES];
	uint64_t now; /* of the last turn */
	bool ending;  /* the door is detached, a PCM plays to its end */
	struct snd_virtio_stats stats;
};

/* The most bytes of a ring. */
uint32_t snd_virtio_size_max(const struct snd_policy *snd);

/* Before sealing; the card is open. 0 or a negative errno; -EINVAL: the policy's
 * memory keys leave no room for an order. */
int snd_virtio_init(struct snd_virtio *v, const struct snd_virtio_conf *conf);
/* Detached. */
void snd_virtio_fini(struct snd_virtio *v);

/* As struct host_class has them. */
int snd_virtio_offer(struct snd_virtio *v);
int snd_virtio_connect(struct snd_virtio *v, bool attach, uint64_t now);
/* conf.detached() follows, now or when what is in the PCMs was played. */
void snd_virtio_detach(struct snd_virtio *v);
/* Once a turn of the loop, after snd_card_turn(). */
int snd_virtio_turn(struct snd_virtio *v, uint64_t now);
/* The card has its own (snd_card_due()). */
uint64_t snd_virtio_due(const struct snd_virtio *v);
bool snd_virtio_arm(struct snd_virtio *v);
bool snd_virtio_pending(const struct snd_virtio *v);
/* The policy's Operations or Bytes changed. */
void snd_virtio_limits(struct snd_virtio *v, uint64_t now);

/* -- Its parts ------------------------------------------------------------------- */

static inline struct snd_virtio *snd_virtio_of(const struct virtio_queue *q)
{
	return q->device->conf.owner;
}

static inline enum snd_virtio_queue snd_virtio_queue_of(const struct virtio_queue *q)
{
	return (enum snd_virtio_queue)(q - q->device->queue);
}

/* The stream of a direction, or NULL. */
struct snd_virtio_stream *snd_virtio_way(struct snd_virtio *v, bool capture);
void snd_virtio_lower_due(struct snd_virtio *v, uint64_t due);
/* What is to be kept of @st: true, or not yet, or our environment failed. */
bool snd_virtio_keep(struct snd_virtio_stream *st);

/* snd-virtio-order.c: orders, once a turn, in order. */
void snd_virtio_serve_orders(struct snd_virtio *v);
/* Go on, by what was kept. */
void snd_virtio_reopen(struct snd_virtio_stream *st, const struct snd_kept *kept);

/* snd-virtio-item.c: what the device has. *@n bytes of the answer behind its status,
 * SND_VIRTIO_BEHIND_MAX at most, are @out. */
#define SND_VIRTIO_BEHIND_MAX                                                          \
	(SND_VIRTIO_CHMAPS * SND_VIRTIO_STREAMS * SND_VIRTIO_ITEM_MAX)
uint32_t snd_virtio_chmap_count(const struct snd_virtio *v);
enum snd_virtio_answer snd_virtio_items(struct snd_virtio *v,
					const struct snd_virtio_request *r,
					uint8_t *out, uint32_t *n);
enum snd_virtio_answer snd_virtio_control(struct snd_virtio *v,
					  const struct snd_virtio_request *r,
					  uint8_t *out, uint32_t *n);

/* snd-virtio-data.c: a fresh buffer of samples, decoded. */
void snd_virtio_decode_data(struct snd_virtio_request *r);
/* Bytes that it has to pay for, as things are. */
uint32_t snd_virtio_cost(const struct snd_virtio_request *r);
/* What was posted to be played, into the ring. */
void snd_virtio_place(struct snd_virtio_stream *st);
/* All buffers that @st has come back with an error. */
void snd_virtio_flush(struct snd_virtio_stream *st);
/* No buffer of @st is with us, or is there to be taken. Else the device's due is when
 * to look again. */
bool snd_virtio_quiet(struct snd_virtio_stream *st);
void snd_virtio_serve_data(struct snd_virtio *v);
/* Must the client tell us of its next buffer? */
bool snd_virtio_hungry(const struct snd_virtio_stream *st);

#endif
