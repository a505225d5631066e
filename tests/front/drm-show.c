/* SPDX-License-Identifier: MIT */
/*
 * Shows pictures on a connector of the first DRM card, by libdrm alone, as a client's
 * program does that has no compositor: what it shows is known pixel for pixel.
 *
 *	xdd-drm-show modes
 *	xdd-drm-show edid CONNECTOR
 *	xdd-drm-show picture CONNECTOR FORMAT SEED SECONDS
 *	xdd-drm-show flips CONNECTOR FORMAT COUNT SECONDS [RATE]
 *	xdd-drm-show crc PIXEL WIDTH HEIGHT
 *
 * CONNECTOR counts from 0; its first mode is taken. FORMAT is DRM's, such as XR24. A
 * picture's line is "SUM WIDTHxHEIGHT CRC", SUM being FNV-1a of what a person sees, 24
 * bits a pixel (xdd-png-sum says the same of a file), CRC what vkms says of it. Flips'
 * is "SUM COUNT EVENTS WORST MEAN CRC CRC ALL LATE": of the last picture; flips,
 *events, and the time from one to the other in microseconds; of both pictures; from the
 *first flip to the last event; events that came more than a frame and a half later.
 *Flips follow each other as their events come, RATE times a second at most (some
 *drivers send an event at once). Both stay for SECONDS behind their line. CRC alone is
 *that of a picture of one colour.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "tests/front/pixel-sum.h"

#define WAIT_MS 5000 /* for an event */

struct format {
	const char *name;
	uint32_t bpp, red, green, blue; /* bits; of each component */
};

static const struct format formats[] = {
	{"XR24", 32, 8, 8, 8}, {"AR24", 32, 8, 8, 8}, {"RG16", 16, 5, 6, 5},
	{"RG24", 24, 8, 8, 8}, {"XR15", 16, 5, 5, 5},
};

struct screen {
	int fd;
	drmModeConnector *connector;
	drmModeModeInfo mode;
	uint32_t crtc;
	const struct format *format;
	struct buffer {
		uint32_t handle, pitch, fb;
		uint64_t bytes;
		uint8_t *map;
		uint64_t sum;
		uint32_t crc;
	} buffer[2];
};

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

/* The first that has connectors. */
static int open_card(drmModeRes **res)
{
	char path[32];

	for (unsigned i = 0; i < 8; i++) {
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%u", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		*res = drmModeGetResources(fd);
		if (*res && (*res)->count_connectors)
			return fd;
		close(fd);
	}
	errno = ENODEV;
	return -1;
}

static bool open_screen(struct screen *s, unsigned nth)
{
	drmModeEncoder *encoder;
	drmModeRes *res;

	s->fd = open_card(&res);
	if (s->fd < 0 || nth >= (unsigned)res->count_connectors)
		return false;
	s->connector = drmModeGetConnector(s->fd, res->connectors[nth]);
	if (!s->connector || !s->connector->count_modes ||
	    !s->connector->count_encoders)
		return false;
	s->mode = s->connector->modes[0];
	encoder = drmModeGetEncoder(s->fd, s->connector->encoders[0]);
	if (!encoder)
		return false;
	/* The first that it may have; each connector of a Xen display has its own. */
	for (int i = 0; i < res->count_crtcs; i++) {
		if (encoder->possible_crtcs & 1u << i) {
			s->crtc = res->crtcs[i];
			return true;
		}
	}
	return false;
}

static const struct format *find_format(const char *name)
{
	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!strcmp(name, formats[i].name))
			return &formats[i];
	}
	return NULL;
}

/* -- Pixels ---------------------------------------------------------------- */

/* Eight bits as a component of @bits has them, and as they are seen then. */
static uint32_t narrow(uint32_t v, uint32_t bits)
{
	return v >> (8 - bits);
}

static uint32_t seen(uint32_t v, uint32_t bits)
{
	return bits == 8 ? v : v << (8 - bits) | v >> (2 * bits - 8);
}

static void fill(const struct screen *s, struct buffer *b, unsigned seed)
{
	const struct format *f = s->format;
	uint32_t bytes = f->bpp / 8;

	b->sum = PIXEL_SUM;
	b->crc = 0;
	for (uint32_t y = 0; y < s->mode.vdisplay; y++) {
		for (uint32_t x = 0; x < s->mode.hdisplay; x++) {
			uint32_t red = narrow((x * 7 + seed * 13) & 0xff, f->red);
			uint32_t green = narrow((y * 5 + seed * 29) & 0xff, f->green);
			uint32_t blue = narrow(((x ^ y) + seed * 3) & 0xff, f->blue);
			uint32_t pixel =
				red << (f->green + f->blue) | green << f->blue | blue;

			memcpy(b->map + (size_t)y * b->pitch + (size_t)x * bytes,
			       &pixel, bytes);
			pixel = seen(red, f->red) << 16 | seen(green, f->green) << 8 |
				seen(blue, f->blue);
			pixel_sum(&b->sum, pixel);
			pixel_crc(&b->crc, pixel);
		}
	}
}

static bool make(struct screen *s, struct buffer *b)
{
	uint32_t handles[4] = {0}, pitches[4] = {0}, offsets[4] = {0}, fourcc;
	uint64_t offset;

	if (drmModeCreateDumbBuffer(s->fd, s->mode.hdisplay, s->mode.vdisplay,
				    s->format->bpp, 0, &b->handle, &b->pitch,
				    &b->bytes) ||
	    drmModeMapDumbBuffer(s->fd, b->handle, &offset))
		return false;
	b->map = mmap(NULL, b->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd,
		      (off_t)offset);
	if (b->map == MAP_FAILED)
		return false;
	memcpy(&fourcc, s->format->name, sizeof(fourcc));
	handles[0] = b->handle;
	pitches[0] = b->pitch;
	return !drmModeAddFB2(s->fd, s->mode.hdisplay, s->mode.vdisplay, fourcc,
			      handles, pitches, offsets, &b->fb, 0);
}

static bool show(struct screen *s, const struct buffer *b)
{
	return !drmModeSetCrtc(s->fd, s->crtc, b->fb, 0, 0, &s->connector->connector_id,
			       1, &s->mode);
}

/* -- Verbs ----------------------------------------------------------------- */

static int modes(void)
{
	drmModeRes *res;
	int fd = open_card(&res);

	if (fd < 0)
		return fail("no card");
	for (int i = 0; i < res->count_connectors; i++) {
		drmModeConnector *c = drmModeGetConnector(fd, res->connectors[i]);

		printf("%d %s", i,
		       c && c->connection == DRM_MODE_CONNECTED ? "connected" : "off");
		for (int m = 0; c && m < c->count_modes; m++)
			printf(" %ux%u@%u", c->modes[m].hdisplay, c->modes[m].vdisplay,
			       c->modes[m].vrefresh);
		printf("\n");
	}
	return 0;
}

static int edid(struct screen *s)
{
	drmModeConnector *c = s->connector;

	for (int i = 0; i < c->count_props; i++) {
		drmModePropertyRes *prop = drmModeGetProperty(s->fd, c->props[i]);
		drmModePropertyBlobRes *blob;

		if (!prop || strcmp(prop->name, "EDID"))
			continue;
		blob = drmModeGetPropertyBlob(s->fd, (uint32_t)c->prop_values[i]);
		for (uint32_t k = 0; blob && k < blob->length; k++)
			printf("%02x", ((const uint8_t *)blob->data)[k]);
		printf("\n");
		return !blob;
	}
	return 1;
}

static int picture(struct screen *s, unsigned seed, unsigned seconds)
{
	if (!make(s, &s->buffer[0]))
		return fail("no buffer");
	fill(s, &s->buffer[0], seed);
	if (!show(s, &s->buffer[0]))
		return fail("not shown");
	printf("%016" PRIx64 " %ux%u 0x%08x\n", s->buffer[0].sum, s->mode.hdisplay,
	       s->mode.vdisplay, s->buffer[0].crc);
	fflush(stdout);
	sleep(seconds);
	return 0;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void flipped(int fd, unsigned sequence, unsigned sec, unsigned usec,
		    void *events)
{
	(void)fd;
	(void)sequence;
	(void)sec;
	(void)usec;
	++*(uint64_t *)events;
}

static void sleep_until(uint64_t us)
{
	struct timespec ts = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int flips(struct screen *s, unsigned count, unsigned seconds, unsigned rate)
{
	drmEventContext context = {.version = 2, .page_flip_handler = flipped};
	const uint64_t frame = 1000000 / (s->mode.vrefresh ? s->mode.vrefresh : 60);
	uint64_t events = 0, worst = 0, sum = 0, late = 0, start;

	for (unsigned i = 0; i < 2; i++) {
		if (!make(s, &s->buffer[i]))
			return fail("no buffer");
		fill(s, &s->buffer[i], 100 + i);
	}
	if (!show(s, &s->buffer[0]))
		return fail("not shown");
	start = now_us();
	for (unsigned i = 1; i <= count; i++) {
		struct pollfd pfd = {s->fd, POLLIN, 0};
		uint64_t begun, took;

		if (rate)
			sleep_until(start + (uint64_t)i * 1000000 / rate);
		begun = now_us();
		if (drmModePageFlip(s->fd, s->crtc, s->buffer[i % 2].fb,
				    DRM_MODE_PAGE_FLIP_EVENT, &events))
			return fail("no flip");
		if (poll(&pfd, 1, WAIT_MS) != 1 || drmHandleEvent(s->fd, &context))
			return fail("no event");
		took = now_us() - begun;
		sum += took;
		late += took > frame + frame / 2;
		if (took > worst)
			worst = took;
	}
	printf("%016" PRIx64 " %u %" PRIu64 " %" PRIu64 " %" PRIu64
	       " 0x%08x 0x%08x %" PRIu64 " %" PRIu64 "\n",
	       s->buffer[count % 2].sum, count, events, worst, count ? sum / count : 0,
	       s->buffer[0].crc, s->buffer[1].crc, now_us() - start, late);
	fflush(stdout);
	sleep(seconds);
	return 0;
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static int colour(const char *pixel, unsigned width, unsigned height)
{
	uint32_t value = (uint32_t)strtoul(pixel, NULL, 16), crc = 0;

	for (uint64_t i = 0; i < (uint64_t)width * height; i++)
		pixel_crc(&crc, value);
	printf("0x%08x\n", crc);
	return 0;
}

int main(int argc, char **argv)
{
	struct screen s = {0};

	if (argc == 2 && !strcmp(argv[1], "modes"))
		return modes();
	if (argc == 5 && !strcmp(argv[1], "crc"))
		return colour(argv[2], number(argv[3]), number(argv[4]));
	if (argc < 3 || !open_screen(&s, number(argv[2])))
		return fail(
			"xdd-drm-show modes | edid N | picture N FORMAT SEED SECONDS "
			"| flips N FORMAT COUNT SECONDS [RATE] | crc PIXEL WIDTH "
			"HEIGHT");
	if (argc == 3 && !strcmp(argv[1], "edid"))
		return edid(&s);
	s.format = argc >= 6 ? find_format(argv[3]) : NULL;
	if (!s.format)
		return fail("no such format");
	if (!strcmp(argv[1], "picture"))
		return picture(&s, number(argv[4]), number(argv[5]));
	if (!strcmp(argv[1], "flips"))
		return flips(&s, number(argv[4]), number(argv[5]),
			     argc > 6 ? number(argv[6]) : 0);
	return fail("no such verb");
}
