/* SPDX-License-Identifier: MIT */
/*
 * A virtio-gpu driver on the bed, by its verbs: what tests of the door share. Written
 * from Linux's header alone: it shares no line with what it is set against.
 */
#ifndef XDD_TEST_DISPL_VIRTIO_CASES_H
#define XDD_TEST_DISPL_VIRTIO_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/virtio_gpu.h>

#include "common/clock.h"
#include "tests/device/displ-bed.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define WIDTH  128 /* of a head */
#define HEIGHT 96
#define PIXELS (WIDTH * HEIGHT)
#define BYTES  (PIXELS * 4)
#define FORMAT VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM

#define GPU_ANSWER_MAX 2048

extern struct displ_bed bed;
/* The door failed, and a verb waits: who goes on is to be up when it returns. Or NULL.
 */
extern void (*gpu_failed)(void);

/* A rect, and the whole of a head. */
#define RECT(x, y, w, h) (&(struct virtio_gpu_rect){x, y, w, h})
#define ALL		 RECT(0, 0, WIDTH, HEIGHT)

struct gpu_answer {
	struct virtio_gpu_ctrl_hdr hdr;
	uint8_t behind[GPU_ANSWER_MAX];
	uint32_t len; /* all of it, says the device */
};

/* Heads of WIDTH x HEIGHT, whatever conf says. */
void gpu_up(const struct displ_bed_conf *conf);
void gpu_down(void);

/* @n bytes with @room behind them; not waited for. Chains are numbered. */
void gpu_send(unsigned queue, const void *bytes, uint32_t n, uint32_t room);
/* The next that came back; false: none, while time stands still. */
bool gpu_back(unsigned queue, uint32_t room, struct gpu_answer *out);
/* Of the control queue, until it is answered, which must be the only one; time passes
 * if it must. Fence and context must be echoed. Its type. @out: or NULL. */
uint32_t gpu_ask(void *bytes, uint32_t n, uint32_t room, struct gpu_answer *out);

/* The same by verb. */
uint32_t gpu_create(uint32_t id, uint32_t format, uint32_t width, uint32_t height);
uint32_t gpu_unref(uint32_t id);
/* @block in entries of @piece bytes. */
uint32_t gpu_attach(uint32_t id, const struct driver_block *block, uint32_t piece);
uint32_t gpu_detach(uint32_t id);
uint32_t gpu_transfer(uint32_t id, const struct virtio_gpu_rect *rect, uint64_t offset);
uint32_t gpu_set(uint32_t head, uint32_t id, const struct virtio_gpu_rect *rect);
uint32_t gpu_flush(uint32_t id, const struct virtio_gpu_rect *rect);
/* With a fence, not waited for. */
void gpu_send_flush(uint32_t id, const struct virtio_gpu_rect *rect, bool fence);
/* On the cursor's queue; @id: or 0. Not waited for, or answered at once. */
void gpu_send_cursor(uint32_t head, uint32_t id, uint32_t x, uint32_t y, bool update);
void gpu_cursor(uint32_t head, uint32_t id, uint32_t x, uint32_t y, bool update);

struct driver_block gpu_block(uint32_t bytes);
void gpu_fill(const struct driver_block *block, uint32_t pixel);
/* Resource @id, of a whole head, backed, each pixel @pixel, transferred. Its memory. */
struct driver_block gpu_picture(uint32_t id, uint32_t pixel);
/* It is shown on head 0, and has landed. */
void gpu_show(uint32_t id);
uint32_t gpu_pixel(uint32_t head, uint32_t x, uint32_t y);

#endif
