/* SPDX-License-Identifier: MIT */
/*
 * The section [Sound] of a policy: what only sound knows. Pure: a table for
 * policy_parse_section(). Defaults are the narrow ones: there is no stream that is not
 * named, and none that records without Capture = yes, a microphone being what it is.
 *
 * A stream of the client is bound to a line here by where it stands in its device
 * (PCM and stream number), never by a key that the client can write, such as sndif's
 * unique-id; the device itself is bound to the policy by Domain and Device.
 *
 * What all classes have holds here so: Resource is where PCMs are (snd-host.h);
 * Operations are requests, Bytes the samples of these both ways.
 */
#ifndef XDD_SND_POLICY_H
#define XDD_SND_POLICY_H

#include "backends/snd/snd-host.h"
#include "policy/policy.h"

#define SND_STREAMS_MAX 8
#define SND_NAME_MAX	63
#define SND_ADDRESS_MAX 255 /* of a PCM, of a stream of it */
#define SND_BUFFER_MIN	4096
#define SND_BUFFER_MAX	1048576 /* bytes: a map's pages */
#define SND_PERIOD_MIN	16	/* frames */
#define SND_PERIOD_MAX	65536
#define SND_VOLUME_MIN	(-144000)
#define SND_LATENCY_MIN 2 /* ms */
#define SND_LATENCY_MAX 500

struct snd_policy_stream {
	bool named;	    /* else there is no such key */
	uint8_t pcm, index; /* vsnd/N/PCM/INDEX */
	bool capture;
	char name[SND_NAME_MAX + 1]; /* of the host's PCM */
};

struct snd_policy {
	/* Stream0 to Stream7 = PCM/INDEX playback|capture NAME; one at least, and no
	 * gap. With virtio the number is the stream's. */
	struct snd_policy_stream stream[SND_STREAMS_MAX];
	uint32_t streams;
	bool capture;		   /* Capture; default no */
	uint64_t formats;	   /* Formats: a list of sndif.h's names; default all */
	struct snd_range rate;	   /* Rates: Hz, MIN-MAX or one; default
				      5512-192000 */
	struct snd_range channels; /* Channels: MIN-MAX or one; default 1-8 */
	uint32_t buffer;	   /* Buffer: bytes, at most; default 65536 */
	uint32_t period;	   /* Period: frames, at least; default 64 */
	int32_t volume;	  /* Volume: dB, at most, "-6" or "-6.5"; default 0; here
			     in thousandths */
	uint32_t latency; /* Latency: ms that lie ahead in the host's PCM, at
			     most; default 20 */
	bool mixed;	  /* Mixed: its PCMs may mix, by memory that other back
			     ends write, such as dmix; default no */
};

extern const struct policy_section_key snd_policy_keys[];

/* What does not go together, or not with the generic sections, to @errors: a capture
 * stream without Capture = yes, two streams of one address, RingPages that do not hold
 * two pages a stream, ClientPages that cannot work, Mode = copy, no stream at all or a
 * gap in their numbers, a Resource that is no sound's, Mixed = yes where nothing mixes
 * or with Isolation = domain; with "file:" a name that is no file's, and one that two
 * streams have. It looks at no default. */
void snd_policy_fit(const struct policy *policy, const void *snd,
		    struct policy_errors *errors);
/* The defaults, to parse over. */
void snd_policy_init(struct snd_policy *policy);
/* The section alone, for who plays nothing: of @policy's @text, defaults filled in.
 * False: it is of another class, or has errors, which are its back end's to say. */
bool snd_policy_read(const struct policy *policy, const char *text, size_t len,
		     struct snd_policy *out);
/* By its name the PCM is hardware, which has one user each way. */
bool snd_policy_hardware(const struct snd_policy_stream *stream);

#endif
