/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-can.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct control {
	_Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint32_t))];
};

void front_can_init(struct front_can *can, int fd, bool fd_frames)
{
	can->fd = fd;
	can->fd_frames = fd_frames;
	can->overflow = 0;
}

void front_can_close(struct front_can *can)
{
	if (can->fd >= 0)
		close(can->fd);
	can->fd = -1;
}

/* The counter only grows, and wraps; it comes with the first frame after a loss. */
static void note_overflow(struct front_can *can, struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	uint32_t now;

	for (; c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL ||
		    c->cmsg_len < CMSG_LEN(sizeof(now)))
			continue;
		memcpy(&now, CMSG_DATA(c), sizeof(now));
		can->dropped += now - can->overflow;
		can->overflow = now;
	}
}

/* What @len bytes are; false: no frame that we know. */
static bool is_frame(struct canfd_frame *frame, unsigned len)
{
	if (len == CANFD_MTU)
		frame->flags |= CANFD_FDF; /* Linux before 5.14 leaves it out */
	else if (len == CAN_MTU)
		frame->flags = 0; /* it has none */
	else
		return false;
	return frame->len <= (len == CAN_MTU ? CAN_MAX_DLEN : CANFD_MAX_DLEN);
}

int front_can_read(struct front_can *can, struct canfd_frame *out, unsigned max)
{
	struct mmsghdr msgs[FRONT_CAN_BATCH] = {{{0}, 0}};
	struct iovec iov[FRONT_CAN_BATCH];
	struct control control[FRONT_CAN_BATCH];
	int got, n = 0;

	assert(max && max <= FRONT_CAN_BATCH);
	for (unsigned i = 0; i < max; i++) {
		iov[i] = (struct iovec){&out[i], sizeof(out[i])};
		msgs[i].msg_hdr = (struct msghdr){
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = &control[i],
			.msg_controllen = sizeof(control[i]),
		};
	}
	got = recvmmsg(can->fd, msgs, max, MSG_DONTWAIT, NULL);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < got; i++) {
		note_overflow(can, &msgs[i].msg_hdr);
		if (msgs[i].msg_hdr.msg_flags & MSG_TRUNC ||
		    !is_frame(&out[i], msgs[i].msg_len))
			continue;
		if (n != i)
			out[n] = out[i];
		n++;
	}
	return n;
}

/* The frame at fault is lost; the rest may pass. */
static bool of_one_frame(int err)
{
	return err == EAGAIN || err == ENOBUFS || err == EINVAL || err == EMSGSIZE;
}

int front_can_write(struct front_can *can, struct canfd_frame *frames, unsigned n)
{
	struct mmsghdr msgs[FRONT_CAN_BATCH] = {{{0}, 0}};
	struct iovec iov[FRONT_CAN_BATCH];
	unsigned at = 0;

	assert(n <= FRONT_CAN_BATCH);
	for (unsigned i = 0; i < n; i++) {
		bool fd = frames[i].flags & CANFD_FDF;

		if (!fd)
			frames[i].flags = 0;
		iov[i] = (struct iovec){&frames[i], fd ? CANFD_MTU : CAN_MTU};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while (at < n) {
		int r = sendmmsg(can->fd, msgs + at, n - at, MSG_DONTWAIT);

		if (r > 0) {
			at += (unsigned)r;
		} else if (errno == EINTR) {
			continue;
		} else if (of_one_frame(errno)) {
			can->unsent++;
			at++;
		} else {
			can->unsent += n - at;
			return -errno;
		}
	}
	return 0;
}
