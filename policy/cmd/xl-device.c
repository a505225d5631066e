/* SPDX-License-Identifier: MIT */
/*
 * One device in the words of xl.cfg(5): see xl.h. What libxl of Xen 4.17 makes of them
 * stands in its xl_parse.c and libxl_{disk,nic,vsnd,vdispl}.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/displ/displ-policy.h"
#include "backends/net/net-policy.h"
#include "backends/snd/snd-policy.h"
#include "policy/class.h"
#include "policy/cmd/xl.h"

static const char no_word[] = "xl has no word for it";

bool xl_plain(const char *text)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789._+-/@";

	return *text && !text[strspn(text, fit)];
}

static json_t *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static json_t *text(const char *fmt, ...)
{
	char *made;
	json_t *value;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&made, fmt, args) < 0)
		abort();
	va_end(args);
	value = json_string(made);
	free(made);
	return value;
}

static void set_disk(struct xl_device *device, const char *backend)
{
	const struct policy *policy = &device->entry->policy;

	device->word = XL_DISK;
	device->spec = text("format=raw,vdev=%s,access=%s,backendtype=phy,backend=%s,"
			    "target=%s",
			    policy->device, policy->read_only ? "r" : "w", backend,
			    class_tag(policy));
}

static void set_vif(struct xl_device *device, const char *backend)
{
	const struct set_entry *entry = device->entry;
	struct net_policy net;

	net_policy_init(&net);
	if (policy_parse_section(entry->text, entry->len, "Net", net_policy_keys, &net,
				 &(struct policy_errors){0}))
		return; /* it was checked: not reached */
	device->word = XL_VIF;
	device->spec = text(
		"type=vif,devid=%u,mac=%02x:%02x:%02x:%02x:%02x:%02x,mtu=%u,"
		"backend=%s,vifname=%s",
		device->id, net.mac[0], net.mac[1], net.mac[2], net.mac[3], net.mac[4],
		net.mac[5], net.mtu, backend, class_tag(&entry->policy));
}

/* -- A card ------------------------------------------------------------------ */

/* libxl calls four of them otherwise than sndif.h, in its file and in xenstore, where
 * no client knows them by that. */
static bool xl_knows(enum snd_format format)
{
	return format < SND_FORMAT_F32_LE || format > SND_FORMAT_F64_BE;
}

static void append(char **list, const char *separator, const char *word)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", *list ? *list : "", *list ? separator : "",
		     word) < 0)
		abort();
	free(*list);
	*list = longer;
}

/* @known: those that xl has words for, or those that it has not. */
static char *formats(const struct snd_policy *snd, bool known)
{
	char *list = NULL;

	for (unsigned i = 0; i < SND_FORMATS; i++) {
		if (snd->formats & (1ull << i) && xl_knows(i) == known)
			append(&list, known ? ";" : ", ", snd_format_info(i)->name);
	}
	return list;
}

static char *rates(const struct snd_policy *snd)
{
	char *list = NULL, word[16];

	for (unsigned i = 0; snd_rate(i); i++) {
		if (snd_rate(i) < snd->rate.min || snd_rate(i) > snd->rate.max)
			continue;
		snprintf(word, sizeof(word), "%u", snd_rate(i));
		append(&list, ";", word);
	}
	return list;
}

/* xl counts PCMs of a card, and streams of a PCM, from 0 in the order of its file. */
static bool counts(const struct snd_policy *snd)
{
	unsigned pcms = 0, streams = 0;

	for (uint32_t i = 0; i < snd->streams; i++) {
		const struct snd_policy_stream *stream = &snd->stream[i];

		if (!i || stream->pcm != snd->stream[i - 1].pcm) {
			if (stream->pcm != pcms++)
				return false;
			streams = 0;
		}
		if (stream->index != streams++)
			return false;
	}
	return true;
}

static json_t *card(const char *name, const struct snd_policy *snd, const char *backend)
{
	char *rate = rates(snd), *format = formats(snd, true);
	json_t *array = json_array();

	json_array_append_new(array,
			      text("CARD, backend=%s, short-name=%s, channels-min=%u, "
				   "channels-max=%u, buffer-size=%u%s%s%s%s",
				   backend, name, snd->channels.min, snd->channels.max,
				   snd->buffer, rate ? ", sample-rates=" : "",
				   rate ? rate : "", format ? ", sample-formats=" : "",
				   format ? format : ""));
	for (uint32_t i = 0; i < snd->streams; i++) {
		const struct snd_policy_stream *stream = &snd->stream[i];

		if (!stream->index)
			json_array_append_new(array,
					      text("PCM, name=PCM %u", stream->pcm));
		json_array_append_new(array, text("STREAM, unique-id=%u, type=%s", i,
						  stream->capture ? "c" : "p"));
	}
	free(rate);
	free(format);
	return array;
}

static void set_vsnd(struct xl_device *device, const char *backend)
{
	const struct set_entry *entry = device->entry;
	struct snd_policy snd;

	if (!snd_policy_read(&entry->policy, entry->text, entry->len, &snd))
		return; /* it was checked: not reached */
	if (!counts(&snd)) {
		device->why = "xl numbers PCMs and their streams from 0 in their "
			      "order, and these are others";
		return;
	}
	device->word = XL_VSND;
	device->spec = card(entry->policy.name, &snd, backend);
	device->leaves = formats(&snd, false);
}

/* -- A display --------------------------------------------------------------- */

static void set_vdispl(struct xl_device *device, const char *backend)
{
	const struct set_entry *entry = device->entry;
	char *list = NULL, word[64];
	struct displ_policy displ;

	if (!displ_policy_read(&entry->policy, entry->text, entry->len, &displ))
		return; /* it was checked: not reached */
	for (uint32_t i = 0; i < displ.heads; i++) {
		const struct displ_policy_head *head = &displ.head[i];

		snprintf(word, sizeof(word), "%s:%ux%u", head->name, head->size.width,
			 head->size.height);
		append(&list, ";", word);
		if (!xl_plain(head->name))
			device->why = "an xl.cfg cannot have the name of its connector";
	}
	if (!device->why) {
		device->word = XL_VDISPL;
		device->spec =
			text("backend=%s,be-alloc=0,connectors=%s", backend, list);
	}
	free(list);
}

/* Of a card or a display xl writes no tag: nobody would know whose it is. */
static bool tag_is_lost(const struct policy *policy)
{
	return policy->tag[0] &&
	       !strcmp(class_info(policy->class, policy->door)->tag_key, "xdd-policy");
}

struct xl_device xl_device(const struct set_entry *entry, const char *backend)
{
	static void (*const sets[])(struct xl_device * device, const char *backend) = {
		[POLICY_BLK] = set_disk, [POLICY_NET] = set_vif,
		[POLICY_SND] = set_vsnd, [POLICY_DISPL] = set_vdispl,
		[POLICY_CAN] = NULL,
	};
	const struct policy *policy = &entry->policy;
	struct xl_device device = {.entry = entry, .word = XL_NONE};

	class_device_id(policy->class, policy->device, &device.id);
	if (policy->door == POLICY_VIRTIO || !sets[policy->class])
		device.why = no_word;
	else if (tag_is_lost(policy))
		device.why = "xl writes no tag for it, and its policy goes by one";
	else if (!xl_plain(class_tag(policy)))
		device.why = "an xl.cfg cannot have its tag";
	else
		sets[policy->class](&device, backend);
	return device;
}

void xl_device_free(struct xl_device *device)
{
	json_decref(device->spec);
	free(device->leaves);
}
