/* SPDX-License-Identifier: MIT */
/*
 * One end of a named link: the other end is another instance's back end, which this one
 * does not trust. Between them is a folder that neither made: a file of memory, which
 * has a ring each way (net-link-ring.h), and two FIFOs to wake each other.
 *
 * Invariants, beside those of net-link.h:
 *  1. nothing that the other does ends this process, or costs it more than a turn of
 *     bounded work a frame or a wake-up, and NAMED_REST between wake-ups that bring
 *     nothing;
 *  2. once it is open the process has no descriptor of the memory: the mapping alone
 *     keeps the file, and with it the lock. A process that can open nothing any more
 *     (grant-mem/seal.h) has no way to make the file shorter, which would end the
 *     other by SIGBUS: no ftruncate, no fallocate, no operation of its io_uring;
 *  3. all of a frame that decides anything is a private copy; what it leaves undone is
 *     checked against that copy (net_offload_check()), as if a client had said it;
 *  4. who is there hears nothing that was put before he was: as the carrier comes and
 *     goes what waits is dropped.
 *
 * A frame is copied when it is sent. What finds no room in the ring is lost (-ENOBUFS),
 * and so is what is for nobody (-ENETDOWN). What the other end does not take undone is
 * done here (net-cut.h); what cannot be is lost (-EOPNOTSUPP), and of a frame that was
 * cut and found no room the rest.
 *
 * The other is woken only if it waits, and in the same system call that ends the turn:
 * a turn's frames are one wake-up.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/net/net-cut.h"
#include "backends/net/net-link-ring.h"
#include "backends/net/net-link.h"
#include "common/shared.h"

#define NAMED_ALL   (NET_LINK_ALL & ~NET_LINK_USO) /* net-cut.h cuts no UDP */
#define NAMED_VAIN  16	    /* wake-ups in a row that bring nothing */
#define NAMED_REST  1000000 /* ns: then so long none is looked for */
#define NAMED_WAKES 64	    /* bytes of a FIFO that are read at once */
/* What one end says of itself in its net_ring_control.takes: that it speaks this
 * layout, whether a client is there, and below that enum net_link_offloads. */
#define NAMED_LAYOUT 0x78640100u
#define NAMED_MASK   0xffffff00u
#define NAMED_THERE  0x80u

#define NAMED_OWN   LOOP_FILE_QUEUE /* the FIFO that wakes this end */
#define NAMED_OTHER ((enum loop_file)(LOOP_FILE_QUEUE + 1))

_Static_assert(NET_LINK_NAMED_BYTES == 2 * NET_RING_AREA, "a ring each way");
_Static_assert(LOOP_QUEUES >= 2, "two files");

struct named {
	struct net_link link;
	struct loop *loop;
	uint8_t *memory;
	struct net_ring_out out;
	struct net_ring_in in;
	unsigned allowed; /* to be left undone of what it hears */
	bool carrier;
	bool starved;	/* no room until net_link_more() */
	bool listening; /* one of listen and rest is busy */
	unsigned vain;
	uint64_t taken; /* out of the ring */
	struct loop_op listen, rest, again, wake;
	bool wake_again; /* what was put since the last is not told of */
	struct iovec iov;
	uint8_t wakes[NAMED_WAKES];
};

#define NAMED_FROM(op, member)                                                         \
	((struct named *)(void *)((char *)(op)-offsetof(struct named, member)))

static struct named *named_of(struct net_link *link)
{
	return (struct named *)link;
}

static struct net_ring_control *control(uint8_t *area)
{
	return (struct net_ring_control *)(void *)area;
}

/* -- Wake-ups to the other --------------------------------------------------------- */

static void named_wake(struct named *named)
{
	named->wake_again = named->wake.busy;
	if (!named->wake.busy)
		loop_write(named->loop, &named->wake, NAMED_OTHER, "", 1);
}

/* A FIFO that is full wakes as well. What was put between the write and this was not
 * told of by it. */
static void named_woke(struct loop_op *op, int res)
{
	struct named *named = NAMED_FROM(op, wake);

	(void)res;
	if (named->wake_again)
		named_wake(named);
}

/* -- To the other ------------------------------------------------------------------ */

/* What the other end takes undone; -ENETDOWN: there is none, or nobody at it. */
static int named_other_takes(const struct named *named)
{
	uint32_t takes = shared_load32(&control(named->out.area)->takes);

	if ((takes & NAMED_MASK) != NAMED_LAYOUT || !(takes & NAMED_THERE))
		return -ENETDOWN;
	return takes & NET_LINK_CSUM ? (int)(takes & NAMED_ALL) : 0;
}

/* A frame of two pieces, of which all but the sum is done. */
struct piece {
	const uint8_t *head, *payload;
	uint32_t head_size, payload_size;
};

static void named_sum(struct named *named, const struct piece *piece,
		      const struct net_offload *sum)
{
	uint16_t value =
		net_cut_sum(piece->head + sum->start, piece->head_size - sum->start,
			    piece->payload, piece->payload_size);
	uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

	net_ring_out_write(&named->out, (uint32_t)sum->start + sum->offset, bytes,
			   sizeof(bytes));
}

static int named_put(struct named *named, const struct piece *piece,
		     struct net_offload undone, unsigned takes)
{
	struct net_ring_head head = {.size = piece->head_size + piece->payload_size};

	if (!net_ring_out_room(&named->out, head.size))
		return -ENOBUFS;
	net_ring_out_write(&named->out, 0, piece->head, piece->head_size);
	net_ring_out_write(&named->out, piece->head_size, piece->payload,
			   piece->payload_size);
	if (undone.sum && !(takes & NET_LINK_CSUM)) {
		named_sum(named, piece, &undone);
		undone.sum = false;
	}
	net_vnet_put(&undone, false, &head.offload);
	net_ring_out_push(&named->out, &head);
	if (net_ring_out_wakes(&named->out))
		named_wake(named);
	return 0;
}

static int named_put_cut(struct named *named, const struct net_out *out, unsigned takes)
{
	struct net_offload undone = out->offload;
	struct net_cut cut;
	int r = 0;

	if (!net_cut_begin(&cut, out->bytes, out->size, &out->offload))
		return -EOPNOTSUPP;
	undone.gso = NET_GSO_NONE;
	while (!r && net_cut_next(&cut)) {
		struct piece piece = {cut.head, cut.payload, out->offload.header,
				      cut.payload_size};

		r = named_put(named, &piece, undone, takes);
	}
	return r;
}

static int named_put_out(struct named *named, const struct net_out *out)
{
	struct piece piece = {.head = out->bytes, .head_size = out->size};
	int takes = named_other_takes(named);

	if (takes < 0)
		return takes;
	if (out->size < NET_HEADER || out->size > NET_RING_FRAME_MAX)
		return -EMSGSIZE;
	if (net_link_undone(&out->offload) & ~(NET_LINK_CSUM | (unsigned)takes))
		return named_put_cut(named, out, (unsigned)takes);
	return named_put(named, &piece, out->offload, (unsigned)takes);
}

static void named_send(struct net_link *link, struct net_out *out)
{
	int r;

	assert(out->queue < link->queues);
	r = named_put_out(named_of(link), out);
	if (r) {
		link->stats.lost++;
	} else {
		link->stats.sent++;
		link->stats.sent_bytes += out->size;
	}
	link->user->sent(link, out, r);
}

/* -- From the other ---------------------------------------------------------------- */

/* Into @in, if it is a frame that can be handed on. */
static bool named_fit(struct named *named, const struct net_ring_head *head,
		      struct net_in *in)
{
	struct net_frame frame;

	in->offload = (struct net_offload){0};
	if (head->size > in->room || !net_vnet_read(&head->offload, &in->offload))
		return false;
	net_ring_in_read(&named->in, in->bytes);
	in->size = head->size;
	in->queue = 0;
	in->validated = in->offload.sum;
	if (!in->offload.sum && in->offload.gso == NET_GSO_NONE)
		return true;
	net_frame_parse(in->bytes, in->size, &frame);
	return net_offload_check(&frame, &in->offload);
}

static void named_take(struct named *named, const struct net_ring_head *head)
{
	struct net_link *link = &named->link;
	struct net_in *in = link->user->room(link, 0);

	named->starved = !in;
	if (!in)
		return;
	if (named_fit(named, head, in)) {
		link->stats.received++;
		link->stats.received_bytes += in->size;
		link->user->heard(link, in);
	} else {
		link->stats.unfit++;
		link->user->unused(link, in);
	}
	net_ring_in_pop(&named->in);
	named->taken++;
}

/* Some, and the others in the next turn; false: there are no more. */
static bool named_drain_some(struct named *named)
{
	struct net_ring_head head;

	for (unsigned i = 0; i < NET_LINK_BATCH && !named->starved; i++) {
		switch (net_ring_in_look(&named->in, &head)) {
		case NET_RING_EMPTY:
			if (net_ring_in_wait(&named->in))
				return false;
			break;
		case NET_RING_FRAME:
			named_take(named, &head);
			break;
		case NET_RING_BROKEN:
			named->link.stats.unfit++;
			break;
		}
	}
	return !named->starved;
}

static void named_later(struct named *named, uint64_t ns)
{
	if (!named->again.busy)
		loop_timer(named->loop, &named->again, ns);
}

/* An other that moves its index and puts nothing has us look no more often than one
 * that only wakes. */
static void named_drain(struct named *named)
{
	uint64_t before = named->taken;
	bool more;

	if (!named->carrier || named->starved)
		return;
	more = named_drain_some(named);
	net_ring_in_publish(&named->in);
	if (more)
		named_later(named, named->taken == before ? NAMED_REST : 0);
}

static void named_again(struct loop_op *op, int res)
{
	(void)res;
	named_drain(NAMED_FROM(op, again));
}

static void named_more(struct net_link *link, unsigned queue)
{
	struct named *named = named_of(link);

	assert(queue < link->queues);
	named->starved = false;
	named_drain(named);
}

/* -- Wake-ups from the other ------------------------------------------------------- */

static void named_listen(struct named *named)
{
	named->listening = true;
	named->iov = (struct iovec){named->wakes, sizeof(named->wakes)};
	loop_readv(named->loop, &named->listen, NAMED_OWN, &named->iov, 1, 0);
}

static void named_rested(struct loop_op *op, int res)
{
	struct named *named = NAMED_FROM(op, rest);

	(void)res;
	named_drain(named);
	named_listen(named);
}

static void named_woken(struct loop_op *op, int res)
{
	struct named *named = NAMED_FROM(op, listen);
	uint64_t before = named->taken;

	named_drain(named);
	if (net_ring_out_heal(&named->out))
		named_wake(named);
	if (res > 0 && named->taken != before)
		named->vain = 0;
	else if (named->vain < NAMED_VAIN)
		named->vain++;
	if (named->vain == NAMED_VAIN)
		loop_timer(named->loop, &named->rest, NAMED_REST);
	else
		named_listen(named);
}

/* -- Beside frames ----------------------------------------------------------------- */

static void named_say(struct named *named)
{
	uint32_t takes = NAMED_LAYOUT;

	if (named->carrier)
		takes |= NAMED_THERE | named->allowed;
	shared_store32_release(&control(named->in.area)->takes, takes);
}

static int named_offloads(struct net_link *link, unsigned offloads)
{
	if (offloads && !(offloads & NET_LINK_CSUM))
		return -EINVAL;
	named_of(link)->allowed = offloads & NAMED_ALL;
	named_say(named_of(link));
	return 0;
}

/* Invariant 4. The other is told whenever somebody comes: it may have waited with
 * indices that were none (net-link-ring.h, 3). */
static int named_carrier(struct net_link *link, bool on)
{
	struct named *named = named_of(link);

	if (!on) {
		named->carrier = false;
		named_say(named);
	}
	net_ring_in_discard(&named->in);
	if (!on)
		return 0;
	named->carrier = true;
	named_say(named);
	net_ring_out_heal(&named->out);
	named_wake(named);
	if (!named->listening)
		named_listen(named);
	named_later(named, 0); /* who is told of a frame is there only then */
	return 0;
}

static void named_close(struct net_link *link)
{
	struct named *named = named_of(link);

	if (named->in.area) {
		named->carrier = false;
		named_say(named);
	}
	loop_set_file(named->loop, NAMED_OWN, -1);
	loop_set_file(named->loop, NAMED_OTHER, -1);
	if (named->memory)
		munmap(named->memory, NET_LINK_NAMED_BYTES);
	free(named);
}

static const struct net_link_ops named_ops = {
	.send = named_send,
	.more = named_more,
	.offloads = named_offloads,
	.carrier = named_carrier,
	.close = named_close,
};

/* -- Opening ----------------------------------------------------------------------- */

/* The end that nobody has: 0 or 1. The lock is the open file's, and so the mapping's.
 */
static int named_side(int fd)
{
	for (int side = 0; side < 2; side++) {
		struct flock lock = {
			.l_type = F_WRLCK,
			.l_whence = SEEK_SET,
			.l_start = side,
			.l_len = 1,
		};

		if (!fcntl(fd, F_OFD_SETLK, &lock))
			return side;
		if (errno != EAGAIN && errno != EACCES)
			return -errno;
	}
	return -EBUSY;
}

/* Whole, and with all its pages: one that there is no memory for when it is first
 * touched would end the process. */
static int named_whole(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) && st.st_size == NET_LINK_NAMED_BYTES &&
			       st.st_blocks >= NET_LINK_NAMED_BYTES / 512
		       ? 0
		       : -ERANGE;
}

/* 0 or 1, with the memory mapped and no descriptor of it left (invariant 2). */
static int named_map(struct named *named, int dir)
{
	int fd = openat(dir, "memory", O_RDWR | O_NOFOLLOW | O_CLOEXEC), r;
	void *memory;

	if (fd < 0)
		return -errno;
	r = named_whole(fd);
	if (!r)
		r = named_side(fd);
	if (r >= 0) {
		memory = mmap(NULL, NET_LINK_NAMED_BYTES, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_POPULATE, fd, 0);
		if (memory == MAP_FAILED)
			r = -errno;
		else
			named->memory = memory;
	}
	close(fd);
	return r;
}

/* Open for both, so that it neither waits for the other nor ends with it. */
static int named_fifo(struct named *named, int dir, int side, enum loop_file file)
{
	const char name[] = {'w', 'a', 'k', 'e', (char)('0' + side), '\0'};
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC, fd, r;
	struct stat st;

	/* A read is to wait, a write is not. */
	if (file == NAMED_OTHER)
		flags |= O_NONBLOCK;
	fd = openat(dir, name, flags);
	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) ? -errno : S_ISFIFO(st.st_mode) ? 0 : -ERANGE;
	if (!r)
		r = loop_set_file(named->loop, file, fd);
	close(fd);
	return r;
}

static int named_open_all(struct named *named, int dir)
{
	int side = named_map(named, dir), r;

	if (side < 0)
		return side;
	r = named_fifo(named, dir, side, NAMED_OWN);
	if (!r)
		r = named_fifo(named, dir, !side, NAMED_OTHER);
	if (r)
		return r;
	net_ring_out_begin(&named->out, named->memory + (size_t)side * NET_RING_AREA);
	net_ring_in_begin(&named->in, named->memory + (size_t)!side * NET_RING_AREA);
	named_say(named);
	return 0;
}

int net_link_named_open(struct net_link **out, const char *dir,
			const struct net_link_conf *conf)
{
	struct named *named;
	int fd, r;

	if (conf->queues < 1 || conf->queues > NET_LINK_QUEUES)
		return -EINVAL;
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	named = malloc(sizeof(*named));
	if (!named) {
		close(fd);
		return -ENOMEM;
	}
	*named = (struct named){
		.link = {.ops = &named_ops, .queues = 1, .offloads = NAMED_ALL},
		.loop = conf->loop,
		.starved = true,
		.listen = {.done = named_woken},
		.rest = {.done = named_rested},
		.again = {.done = named_again},
		.wake = {.done = named_woke},
	};
	r = named_open_all(named, fd);
	close(fd);
	if (r) {
		named_close(&named->link);
		return r;
	}
	*out = &named->link;
	return 0;
}
