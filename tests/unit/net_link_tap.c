/* SPDX-License-Identifier: MIT */
/* backends/net/net-link-tap.c, on real taps: opening them, and frames to the host. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/needs.h"
#include "tests/unit/net_link_scene.h"

static uint8_t got[ROOM];
static struct virtio_net_hdr header;

/* -- Opening ---------------------------------------------------------------------- */

static void names(void **state)
{
	static const char *const bad[] = {"",	 ".",	"..",	 "a/b",
					  "a:b", "a b", "tap%d", "abcdefghijklmnop"};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(open_link(bad[i], 1), -EINVAL);
	assert_null(t.link);
}

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Each way to fail, and nothing is left open. */
static void opening_fails(void **state)
{
	unsigned before = descriptors();
	int held;

	(void)state;
	assert_int_equal(open_link(TAP, 1), -ENODEV);
	assert_int_equal(if_nametoindex(TAP), 0); /* and was not made */
	assert_int_equal(open_link("lo", 1), -EPERM);
	host_make(TAP, IFF_TUN);
	assert_int_equal(open_link(TAP, 1), -EPERM);
	host_remove(TAP);
	host_make(TAP, ONE);
	held = host_hold(TAP, ONE);
	assert_int_equal(open_link(TAP, 1), -EBUSY);
	close(held);
	host_remove(TAP);
	host_make(TAP, MANY);
	held = host_hold(TAP, MANY);
	if (host_tells_queues(TAP)) {
		assert_int_equal(open_link(TAP, 1), -EBUSY);
		assert_int_equal(open_link(TAP, 3), -EBUSY);
	}
	close(held);
	host_remove(TAP);
	held = host_hold(TAP, MANY); /* not to stay */
	assert_int_equal(open_link(TAP, 1), -ENODEV);
	close(held);
	assert_int_equal(descriptors(), before);
	assert_null(t.link);
}

static int open_without_capability(void)
{
	host_drop_capabilities();
	return -open_link(TAP, 2);
}

static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void no_capability_is_needed(void **state)
{
	(void)state;
	assert_int_equal(in_child(open_without_capability), ENODEV);
	host_make(TAP, MANY);
	assert_int_equal(in_child(open_without_capability), 0);
	host_remove(TAP);
	host_make(TAP, ONE);
	assert_int_equal(in_child(open_without_capability), 0);
}

static void another_users(void **state)
{
	(void)state;
	if (!host_is_root())
		needs_skip("there is no other user here");
	host_give_to(TAP, ONE, 12345);
	assert_int_equal(in_child(open_without_capability), EPERM);
}

static void queues(void **state)
{
	static const struct {
		int flags;
		unsigned wanted, has;
	} rows[] = {
		{ONE, 1, 1}, {ONE, 4, 1}, {MANY, 1, 1}, {MANY, 4, 4}, {MANY, 16, 16}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		host_make(TAP, rows[i].flags);
		assert_int_equal(open_link(TAP, rows[i].wanted), 0);
		assert_int_equal(t.link->queues, rows[i].has);
		net_link_close(t.link);
		host_remove(TAP);
	}
	t.link = NULL;
}

/* What another left is not there, nor anybody. */
static void begins_anew(void **state)
{
	int other, bytes = 12;

	(void)state;
	ready(ONE, 1);
	assert_int_equal(net_link_offloads(t.link, ALL), 0);
	net_link_close(t.link);
	t.link = NULL;
	loop_fini(&t.loop);
	other = host_hold(TAP, ONE | IFF_VNET_HDR);
	assert_int_equal(ioctl(other, TUNSETVNETHDRSZ, &bytes), 0);
	close(other);
	assert_int_equal(loop_init(&t.loop, 256), 0);
	assert_int_equal(open_link(TAP, 1), 0);
	assert_int_equal(loop_seal(&t.loop), 0);
	assert_false(host_has_carrier(TAP));
	assert_int_equal(net_link_carrier(t.link, true), 0);
	assert_true(host_has_carrier(TAP));
	net_link_more(t.link, 0);
	assert_true(host_send(t.host, &cut, tcp(PAYLOAD, 1), TCP + 20 + PAYLOAD));
	hear(5);
	assert_int_equal(t.heard[0]->offload.gso, NET_GSO_NONE);
	assert_int_equal(t.heard[0]->size, TCP + 20 + 1000);
}

/* -- To the host ------------------------------------------------------------------ */

static void frames_leave(void **state)
{
	static const size_t sizes[] = {14, 60, 61, 1514};

	(void)state;
	ready(ONE, 1);
	for (unsigned i = 0; i < 4; i++)
		send_plain(i, sizes[i], 0);
	sent(4);
	assert_int_equal(t.res, 0);
	assert_int_equal(t.link->stats.sent, 4);
	assert_int_equal(t.link->stats.sent_bytes, 14 + 60 + 61 + 1514);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(host_hear(t.host, &header, got, sizeof(got)),
				 sizes[i]);
		assert_memory_equal(got, frames[i], sizes[i]);
		assert_int_equal(header.flags, 0);
		assert_int_equal(header.gso_type, 0);
	}
}

/* One call of the kernel takes them all. */
static void many_leave_at_once(void **state)
{
	(void)state;
	ready(ONE, 1);
	for (unsigned i = 0; i < 200; i++)
		send_plain(i, 100, 0);
	turn();
	assert_int_equal(t.sents, 200);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(host_hear(t.host, &header, got, sizeof(got)), 100);
		assert_int_equal(got[15], i);
	}
}

static void offloads_leave(void **state)
{
	(void)state;
	ready(ONE, 1);
	outs[0] = (struct net_out){
		.bytes = tcp(PAYLOAD, 1),
		.size = TCP + 20 + PAYLOAD,
		.offload = {true, TCP, 16, NET_GSO_TCPV4, 1000, TCP + 20},
	};
	net_link_send(t.link, &outs[0]);
	sent(1);
	assert_int_equal(t.res, 0);
	assert_int_equal(host_hear(t.host, &header, got, sizeof(got)),
			 TCP + 20 + PAYLOAD);
	assert_int_equal(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(header.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(header.gso_size, 1000);
	assert_int_equal(header.csum_start, TCP);
	assert_int_equal(header.csum_offset, 16);
}

/* What the host does not take is lost, and that is all. */
static void lost(void **state)
{
	(void)state;
	ready(ONE, 1);
	outs[0] = (struct net_out){
		.bytes = plain(0, 60), .size = 60, .offload = {true, 59, 16}};
	net_link_send(t.link, &outs[0]);
	sent(1);
	assert_int_equal(t.res, -EINVAL);
	host_up(TAP, false);
	send_plain(1, 60, 0);
	sent(2);
	assert_int_equal(t.res, -EIO);
	assert_int_equal(t.link->stats.lost, 2);
	assert_int_equal(t.link->stats.sent, 0);
	host_up(TAP, true);
	send_plain(2, 60, 0);
	sent(3);
	assert_int_equal(t.res, 0);
	assert_int_equal(t.faileds, 0);
}

static void gone(void **state)
{
	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	assert_int_equal(loop_turn(&t.loop, false), 0);
	host_remove(TAP);
	for (int i = 0; i < 100 && !t.faileds; i++)
		turn();
	assert_int_equal(t.faileds, 1);
	assert_true(t.err == -EBADFD || t.err == -ENODEV);
	send_plain(0, 60, 0); /* it is told nothing more */
	net_link_more(t.link, 0);
	assert_int_equal(loop_turn(&t.loop, false), 0);
	assert_int_equal(t.sents, 0);
	assert_int_equal(t.faileds, 1);
}

/* Who sends only finds out as well. */
static void gone_while_sending(void **state)
{
	(void)state;
	ready(ONE, 1);
	host_remove(TAP);
	send_plain(0, 60, 0);
	send_plain(1, 60, 0);
	turn();
	assert_int_equal(t.faileds, 1);
	assert_int_equal(t.sents, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names),
		TEST(opening_fails),
		TEST(no_capability_is_needed),
		TEST(another_users),
		TEST(queues),
		TEST(begins_anew),
		TEST(frames_leave),
		TEST(many_leave_at_once),
		TEST(offloads_leave),
		TEST(lost),
		TEST(gone),
		TEST(gone_while_sending),
	};
	const char *why = needs_io_uring() ? host_enter() : "no io_uring here";

	if (why)
		return needs_skip_all(tests, sizeof(tests) / sizeof(tests[0]), why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
