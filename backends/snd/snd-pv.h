/* SPDX-License-Identifier: MIT */
/*
 * The PV door of a sound device: a ring of requests and a page of events for each
 * stream on one side (sndif.h), the card's streams on the other. One device of one
 * client.
 *
 * Not the device's life (xenbus/life.h), not the event loop, and not the streams' turn:
 * the owner calls snd_card_turn(), then snd_pv_turn(), once a turn of its loop.
 *
 * Invariants:
 *  1. a stream's requests are served one after another, and answered in that order; one
 *     that must wait (a rate, a PCM that plays to its end, xenstore) holds back those
 *     of its own stream alone;
 *  2. each pays one operation before it works, and samples their bytes; whatever the
 *     answer;
 *  3. a client's samples are copied before their request is answered, both ways: its
 *     pages are touched while one of its requests is served, and never else;
 *  4. pages of a playback buffer are mapped readable, but while GET_VOLUME is answered:
 *     if ClientPages lets them be written, and DataPages has room for them twice;
 *  5. what OPEN, CLOSE, TRIGGER and loudness changed is kept (snd-kept.h) before it is
 *     answered;
 *  6. a turn takes no more of a stream than its ring holds; one push of each ring, and
 *     at most one event of what the position has become;
 *  7. a directory is read once, no further than the buffer has pages;
 *  8. nothing allocates after snd_pv_init().
 */
#ifndef XDD_SND_PV_H
#define XDD_SND_PV_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/door/pv-channel.h"
#include "backends/snd/snd-card.h"
#include "backends/snd/snd-kept.h"
#include "backends/snd/sndif.h"
#include "common/histogram.h"
#include "policy/policy.h"
#include "policy/toll.h"

struct snd_pv;

/* All of it outlives the door; @policy may change in place (snd_pv_limits). */
struct snd_pv_conf {
	const struct policy *policy;
	const struct snd_policy *snd_policy;
	struct snd_card *card;
	struct keys keys;
	void *owner;
	/* The client broke a ring: its device fails. Once a connection, as the last act
	 * of a turn; snd_pv_detach() may be called from within. */
	void (*broken)(struct snd_pv *pv, const char *why);
	/* Nothing is mapped, the ports are unbound, no PCM runs. */
	void (*detached)(struct snd_pv *pv);
};

enum snd_pv_state { SND_PV_DOWN, SND_PV_UP, SND_PV_STOPPING };

/* What a request may become. */
enum snd_pv_step {
	SND_PV_IDLE,   /* there is none */
	SND_PV_TAKEN,  /* off the ring, decoded; to pay, then to work */
	SND_PV_WORKED, /* its status is known; what it changed is to be kept */
};

struct snd_pv_stream {
	struct snd_pv *pv;
	struct snd *snd;
	const struct snd_policy_stream *policy;
	uint32_t number;
	struct pv_channel channel; /* open: the client has it */

	/* Of OPEN: the client's buffer, by its pages. */
	struct gref directory;
	struct gref refs[GRANTS_BATCH_MAX];
	uint32_t pages;
	struct grants_map buffer;

	enum snd_pv_step step;
	struct sndif_request rq;
	struct toll_paid paid;
	enum snd_status status;
	uint64_t taken_at; /* monotonic */
	uint64_t told;	   /* the position that the client knows */
	struct snd_keeping kept;
};

struct snd_pv_stats {
	uint64_t requests, answers;
	uint64_t malformed; /* of them: no operation that there is */
	uint64_t errors;    /* answers that were not SND_OK */
	uint64_t reads, writes;
	uint64_t read_bytes, written_bytes;
	uint64_t events; /* of a position */
	uint64_t full;	 /* times that an event found no room, and waited */
	uint64_t pushes, notifies;
	struct histogram latency; /* of WRITE and READ, from taken to answered */
};

struct snd_pv {
	struct snd_pv_conf conf;
	struct snd_pv_stream stream[SND_STREAMS_MAX];
	uint32_t streams;

	enum snd_pv_state state;
	const char *why; /* a ring is broken, or NULL */
	bool told;	 /* conf.broken() was called */
	int error;	 /* our environment failed */

	struct toll toll;
	uint64_t now, due; /* of the last turn, of the next */
	struct snd_pv_stats stats;
};

/* The most bytes of a ring that @policy lets be mapped, its directory beside it. */
uint32_t snd_pv_size_max(const struct policy *policy, const struct snd_policy *snd);

/* Before sealing; the card is open. 0 or a negative errno. */
int snd_pv_init(struct snd_pv *pv, const struct snd_pv_conf *conf);
/* Detached. */
void snd_pv_fini(struct snd_pv *pv);

/* As life_ops.offer: "versions". 0, -EAGAIN or another negative errno. */
int snd_pv_offer(struct snd_pv *pv);
/* As life_ops.connect: map the rings, bind the ports of each stream that policy and
 * client both have. @attach: the rings are live, go on where they stand, with what was
 * kept. 0; positive: the client's doing, logged; -EAGAIN: ask again; another negative
 * errno: our environment. Afterwards the owner unmasks the ports and turns once. */
int snd_pv_connect(struct snd_pv *pv, bool attach, uint64_t now);
/* Take nothing more; conf.detached() follows, now or when what is in the PCMs was
 * played. */
void snd_pv_detach(struct snd_pv *pv);

/* Once a turn of the loop, after snd_card_turn(), whatever woke it. 0, or the negative
 * errno with which our environment failed: the process ends then, and leaves the
 * client's device as it is. */
int snd_pv_turn(struct snd_pv *pv, uint64_t now);
/* Monotonic time at which a turn is due though nothing happened; UINT64_MAX: none. */
uint64_t snd_pv_due(const struct snd_pv *pv);
/* Before a wait, after a turn: have the client wake us by its next request. True if
 * there is one already. */
bool snd_pv_arm(struct snd_pv *pv);
/* A look without that. */
bool snd_pv_pending(const struct snd_pv *pv);
/* The policy's Operations or Bytes changed. */
void snd_pv_limits(struct snd_pv *pv, uint64_t now);

/* For snd-pv-connect.c. */
void snd_pv_start(struct snd_pv *pv, uint64_t now);
/* Let go of all. 0 or a negative errno. */
int snd_pv_close(struct snd_pv *pv);

/* snd-pv-request.c: what a request does. Its status; SND_LATER: it is to be asked
 * again, at snd_due(). pv->error is set if our environment failed. */
enum snd_status snd_pv_work(struct snd_pv_stream *st);
/* OPEN, by what was kept: of an attach. */
enum snd_status snd_pv_reopen(struct snd_pv_stream *st, const struct snd_kept *kept,
			      const struct snd_levels *levels);
/* Whatever its state: close it, and give its buffer back. */
void snd_pv_shut(struct snd_pv_stream *st);

#endif
