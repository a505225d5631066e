/* SPDX-License-Identifier: MIT */
/*
 * The real xdd-enter and the real xdd-probe, against a keeper that this test
 * plays: memory files stand for gntdev, everything else is what it is. What
 * needs Xen, a client or the unit is skipped by the probe, and said so.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "grant-mem/wire.h"
#include "policy/decide.h"

#define COPY_BYTES 65536
#define MAPS_MAX   64
#define OUTPUT_MAX 65536

static const char policy_text[] =
	"Format = 1\n\n[Backend]\nClass = blk\nDoor = pv\nResource = null:1M\n\n"
	"[Client]\nDomain = 3\nDevice = xvda\n\n"
	"[Memory]\nMode = map\nClientPages = writable\nDataPages = 300\n"
	"GrantRefs = 8-32767\n\n"
	"[Limits]\nInFlight = 1\nOperations = 1/s burst 1\nBytes = 1M/s burst 1M\n"
	"Events = 10/s burst 10\n";

static struct {
	char folder[64], path[108];
	int listener;
	int fds[WIRE_FD_COUNT];
	struct policy policy;
	struct policy_usage usage;
	uint32_t pages[MAPS_MAX]; /* by id, from 1; 0: none */
	enum wire_result hello;	  /* what to answer */
	unsigned late;		  /* connections to hang up on first */
	pid_t pid;		  /* of the back end */
	unsigned descriptors;	  /* that the back end sent */
	struct wire_hello said;
	char output[OUTPUT_MAX];
	size_t output_len;
} keeper;

static const char *enter, *probe;

static int memory_file(const char *name, const void *bytes, size_t len, int seals)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	if (bytes)
		assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static int set_up(void **state)
{
	static struct policy_errors errors;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char proc[64];

	(void)state;
	memset(&keeper, 0, sizeof(keeper));
	strcpy(keeper.folder, "/tmp/xdd-enter-XXXXXX");
	assert_non_null(mkdtemp(keeper.folder));
	snprintf(keeper.path, sizeof(keeper.path), "%s/keeper", keeper.folder);
	strcpy(addr.sun_path, keeper.path);
	keeper.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(keeper.listener, (void *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(keeper.listener, 1), 0);
	if (policy_parse("t_disk", policy_text, sizeof(policy_text) - 1, &keeper.policy,
			 &errors))
		fail_msg("%s: %s", errors.error[0].what, errors.error[0].allowed);
	keeper.fds[WIRE_FD_GNTDEV_RW] = memory_file("gntdev", NULL, 1 << 20, 0);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", keeper.fds[WIRE_FD_GNTDEV_RW]);
	keeper.fds[WIRE_FD_GNTDEV_RO] = open(proc, O_RDONLY | O_CLOEXEC);
	keeper.fds[WIRE_FD_COPY] = memory_file(
		"copy", NULL, COPY_BYTES, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	keeper.fds[WIRE_FD_POLICY] =
		memory_file("policy", policy_text, sizeof(policy_text) - 1,
			    F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < WIRE_FD_COUNT; i++)
		close(keeper.fds[i]);
	close(keeper.listener);
	unlink(keeper.path);
	rmdir(keeper.folder);
	return 0;
}

static void reply(int fd, struct wire_message *m, enum wire_result result, size_t body,
		  const int *fds, size_t nfds)
{
	char control[CMSG_SPACE(sizeof(keeper.fds))] = {0};
	struct iovec iov = {m, sizeof(m->header) + body};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	m->header.result = (uint16_t)result;
	if (nfds) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, nfds * sizeof(int));
	}
	assert_true(sendmsg(fd, &msg, MSG_NOSIGNAL) > 0);
}

static void serve_hello(int fd, struct wire_message *m)
{
	keeper.said = m->hello;
	if (keeper.hello != WIRE_OK) {
		reply(fd, m, keeper.hello, 0, NULL, 0);
		return;
	}
	m->welcome = (struct wire_welcome){
		.version = 1,
		.copy_bytes = COPY_BYTES,
		.policy_bytes = sizeof(policy_text) - 1,
	};
	reply(fd, m, WIRE_OK, sizeof(m->welcome), keeper.fds, WIRE_FD_COUNT);
}

static void serve_map(int fd, struct wire_message *m)
{
	struct gref refs[WIRE_REFS_MAX];
	uint32_t n = m->map.n, id = 1;

	memcpy(refs, m->map.ref, n * sizeof(refs[0]));
	while (id < MAPS_MAX && keeper.pages[id])
		id++;
	assert_true(id < MAPS_MAX);
	if (!policy_may_map(&keeper.policy, &keeper.usage, POLICY_PURPOSE_DATA, refs, n,
			    m->map.writable)
		     .allowed) {
		reply(fd, m, WIRE_REFUSED, 0, NULL, 0);
		return;
	}
	if (n > 1 && refs[0].v == refs[1].v) {
		reply(fd, m, WIRE_BUSY, 0, NULL, 0);
		return;
	}
	policy_charge(&keeper.usage, POLICY_PURPOSE_DATA, n);
	keeper.pages[id] = n;
	m->mapped = (struct wire_mapped){.id = id, .pages = n};
	reply(fd, m, WIRE_OK, sizeof(m->mapped), NULL, 0);
}

static void serve_unmap(int fd, struct wire_message *m)
{
	uint32_t id = m->unmap.id;

	if (!id || id >= MAPS_MAX || !keeper.pages[id]) {
		kill(keeper.pid, SIGKILL); /* as the protocol says */
		return;
	}
	policy_refund(&keeper.usage, POLICY_PURPOSE_DATA, keeper.pages[id]);
	keeper.pages[id] = 0;
	reply(fd, m, WIRE_OK, 0, NULL, 0);
}

static void serve(int fd, struct wire_message *m)
{
	switch (m->header.type) {
	case WIRE_HELLO:
		serve_hello(fd, m);
		break;
	case WIRE_BEGIN:
		memset(&m->begin, 0, sizeof(m->begin));
		reply(fd, m, WIRE_OK, sizeof(m->begin), NULL, 0);
		break;
	case WIRE_MAP:
		serve_map(fd, m);
		break;
	case WIRE_UNMAP:
		serve_unmap(fd, m);
		break;
	case WIRE_MAP_RING:
		reply(fd, m, WIRE_NO_DEVICE, 0, NULL, 0);
		break;
	default:
		reply(fd, m, WIRE_REFUSED, 0, NULL, 0);
		break;
	}
}

/* One message of the back end. False: it is gone. */
static bool serve_one(int fd)
{
	struct wire_message m = {0};
	char control[CMSG_SPACE(16 * sizeof(int))];
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return false;
	if (CMSG_FIRSTHDR(&msg))
		keeper.descriptors++;
	serve(fd, &m);
	return true;
}

static void take_output(int fd)
{
	ssize_t n = read(fd, keeper.output + keeper.output_len,
			 OUTPUT_MAX - 1 - keeper.output_len);

	if (n > 0)
		keeper.output_len += (size_t)n;
	keeper.output[keeper.output_len] = '\0';
}

/* Play the keeper until @pid ends; its exit status. */
static int play(pid_t pid, int output)
{
	struct pollfd pfd[3] = {
		{.fd = keeper.listener, .events = POLLIN},
		{.fd = -1, .events = POLLIN},
		{.fd = output, .events = POLLIN},
	};
	int status = 0;

	while (!(pfd[2].revents & POLLHUP)) {
		assert_true(poll(pfd, 3, 20000) > 0);
		if (pfd[2].revents)
			take_output(output);
		if (pfd[1].fd >= 0 && pfd[1].revents && !serve_one(pfd[1].fd)) {
			close(pfd[1].fd);
			pfd[1].fd = -1;
		}
		if (pfd[0].revents) { /* one connection at a time */
			pfd[1].fd = accept4(keeper.listener, NULL, NULL, SOCK_CLOEXEC);
			if (keeper.late) {
				keeper.late--;
				close(pfd[1].fd);
				pfd[1].fd = -1;
				continue;
			}
			pfd[0].fd = -1;
		}
	}
	take_output(output);
	if (pfd[1].fd >= 0)
		close(pfd[1].fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run xdd-enter with @args (NULL-terminated), output collected. */
static int run(const char *const *args)
{
	const char *argv[16] = {enter, "--socket", keeper.path};
	int out[2];
	pid_t pid;

	for (int i = 0; args[i]; i++)
		argv[3 + i] = args[i];
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		execv(enter, (char *const *)argv);
		_exit(127);
	}
	close(out[1]);
	keeper.pid = pid;
	int r = play(pid, out[0]);

	close(out[0]);
	return r;
}

static bool says(const char *what)
{
	return strstr(keeper.output, what);
}

/* Everything that needs neither Xen nor unit is refused, and was tried. */
static void assert_refusals(const char *const *names)
{
	bool bad = says("ALLOWED");

	for (int i = 0; names[i]; i++) {
		char line[96];

		snprintf(line, sizeof(line), "refused  %s  ", names[i]);
		if (says(line))
			continue;
		fprintf(stderr, "not refused: %s\n", names[i]);
		bad = true;
	}
	if (bad)
		fputs(keeper.output, stderr);
	assert_false(bad);
}

/* [itest->req~no-grant-call-is-left~1] [itest->req~no-mapping-gains-a-right~1] */
static void test_probe(void **state)
{
	static const char *const refused[] = {
		"gntdev-map",
		"gntdev-grant-copy",
		"gntdev-dmabuf-import",
		"evtchn-bind-interdomain",
		"evtchn-bind-static",
		"privcmd-hypercall",
		"mmap-readable-as-writable",
		"mprotect-write",
		"mremap",
		"policy-write",
		"policy-map-writable",
		"copy-area-shrink",
		"keeper-kill",
		"keeper-own-signal",
		"keeper-ptrace",
		"keeper-limits",
		"keeper-take-descriptor",
		"unshare-user",
		"mount",
		"bpf",
		"reboot",
		"ask-map-outside",
		"ask-map-direction",
		"ask-map-quota",
		"ask-map-twice",
		"ask-copy",

		"ask-read-parent",
		"ask-write-frontend",
		"ask-two-at-once",
		"ask-with-descriptor",
		"ask-second-connection",
		NULL,
	};

	(void)state;
	int r = run((const char *[]){"--class", "blk", "t_disk", "--", probe,
				     "--no-unit", NULL});

	assert_refusals(refused);
	assert_int_equal(r, 0);
	assert_string_equal(keeper.said.class, "blk");
	assert_int_equal(keeper.descriptors, 0);
	assert_int_equal(keeper.usage.data_pages, 0);
}

static const char *const refused_of_taps[] = {
	"tap-node",   "tap-make",      "tap-other",   "tap-persist", "tap-owner",
	"tap-group",  "tap-queue",     "tap-address", "tap-filter",  "tap-steering",
	"tap-header", "tap-namespace", NULL,
};

static const char *const refused_of_sound[] = {
	"sound-node",	     "sound-recorder",
	"sound-volume",	     "sound-controls",
	"sound-control-add", "sound-control-lock",
	"sound-control-tlv", "sound-subdevice",
	"sound-power",	     "sound-timer",
	"sound-sequencer",   "sound-midi",
	"sound-firmware",    NULL,
};

/* [itest->req~sealed-it-serves-only~1] [itest->req~ring-of-operations-is-sealed~1] */
static void test_probe_sealed(void **state)
{
	static const char *const refused[] = {
		"gntdev-map",
		"mprotect-write",
		"mmap-exec",
		"open-gntdev",
		"policy-file-read",
		"create-audit-log",
		"openat",
		"openat2",
		"unlink",
		"rename",
		"chmod",
		"keeper-kill",
		"keeper-take-descriptor",
		"keeper-proc-mem",
		"socket-inet",
		"socket-unix",
		"socket-netlink",
		"socket-packet",
		"fork",
		"exec",
		"clone",
		"memfd",
		"prctl",
		"ring-setup",
		"ring-openat",
		"ring-socket",
		"ring-connect",
		"ring-sendmsg",
		"ring-accept",
		"ring-provide-buffers",
		"ring-unfixed-file",
		"ring-register-buffers",
		"ask-map-outside",
		"ask-map-quota",
		"ask-second-connection",
		"ask-other-keepers",
		"socket-can",
		"bus-filter",
		"bus-other",
		"bus-sendto",
		"abstract-connect",
		"abstract-bind",
		"abstract-sendto",
		NULL,
	};

	(void)state;
	int r = run((const char *[]){"--class", "blk", "t_disk", "--", probe,
				     "--no-unit", "--sealed", NULL});

	assert_refusals(refused);
	assert_refusals(refused_of_taps);
	assert_refusals(refused_of_sound);
	assert_int_equal(r, 0);
	assert_int_equal(keeper.usage.data_pages, 0);
}

static void test_probe_fatal(void **state)
{
	(void)state;
	assert_int_equal(run((const char *[]){"--class", "blk", "t_disk", "--", probe,
					      "--fatal", "ask-unmap-unknown", NULL}),
			 128 + SIGKILL);
	assert_int_equal(run((const char *[]){"--class", "blk", "t_disk", "--", probe,
					      "--fatal", "no-such-try", NULL}),
			 1);
	assert_true(says("there is no try no-such-try"));
}

/* A keeper that still buries the process before us hangs up at first. */
static void test_hung_up_at_first(void **state)
{
	(void)state;
	keeper.late = 2;
	assert_int_equal(run((const char *[]){"--class", "blk", "t_disk", "--",
					      "/bin/true", NULL}),
			 0);
	assert_int_equal(keeper.late, 0);
}

static void test_probe_json(void **state)
{
	(void)state;
	assert_int_equal(run((const char *[]){"--class", "blk", "t_disk", "--", probe,
					      "--no-unit", "--json", NULL}),
			 0);
	assert_true(says("{\"name\":\"gntdev-map\",\"result\":\"refused\","
			 "\"detail\":\"EPERM\","));
	assert_true(says(",\"allowed\":0,\"skipped\":"));
}

/* What the program finds: numbers, names, nothing else open.
 * [itest->req~what-is-handed-over~1] */
static void test_handover(void **state)
{
	(void)state;
	assert_int_equal(
		run((const char *[]){"--class", "blk", "t_disk", "--", "/bin/sh", "-c",
				     "echo $XDD_INSTANCE $XDD_COPY_BYTES;"
				     "test $XDD_PID = $$ && echo mine;"
				     "ls /proc/$$/fd; true",
				     NULL}),
		0);
	assert_string_equal(keeper.output,
			    "t_disk 65536\nmine\n0\n1\n2\n3\n4\n5\n6\n7\n");
}

static void test_class_of_name(void **state)
{
	(void)state;
	assert_int_not_equal(run((const char *[]){"t_disk", "--", probe, NULL}), 0);
	assert_string_equal(keeper.said.class, "probe");
}

static void test_refused(void **state)
{
	(void)state;
	keeper.hello = WIRE_REFUSED;
	assert_int_equal(
		run((const char *[]){"--class", "net", "t_disk", "--", probe, NULL}),
		1);
	assert_true(says("refused class net"));
}

static void test_version(void **state)
{
	(void)state;
	keeper.hello = WIRE_VERSION;
	assert_int_equal(
		run((const char *[]){"--class", "blk", "t_disk", "--", probe, NULL}),
		1);
	assert_true(says("another release"));
}

static void test_bad_usage(void **state)
{
	(void)state;
	assert_int_equal(run((const char *[]){"t_disk", NULL}), 1);
	assert_true(says("usage:"));
	keeper.output_len = 0;
	assert_int_equal(run((const char *[]){"t-disk", "--", probe, NULL}), 1);
	assert_true(says("not a name of an instance"));
	keeper.output_len = 0;
	assert_int_equal(run((const char *[]){"t_disk", "--", "/bin/true", NULL}), 1);
	assert_true(says("--class"));
	keeper.output_len = 0;
	assert_int_equal(run((const char *[]){"t_disk", "--", "/none/xdd-blk", NULL}),
			 1);
	assert_true(says("cannot run /none/xdd-blk"));
}

/* A keeper that comes late is waited for; one that never comes, not for ever. */
static void test_no_keeper(void **state)
{
	(void)state;
	unlink(keeper.path);
	assert_int_equal(
		run((const char *[]){"--class", "blk", "t_disk", "--", probe, NULL}),
		1);
	assert_true(says("waiting for the keeper"));
	assert_true(says("systemctl status xdd-keeper@t_disk"));
}

/* A class program that nobody entered says how it should be started. */
static void test_not_entered(void **state)
{
	char command[256];
	FILE *f;

	(void)state;
	snprintf(command, sizeof(command), "%s 2>&1", probe);
	f = popen(command, "r");
	assert_non_null(f);
	keeper.output_len = fread(keeper.output, 1, OUTPUT_MAX - 1, f);
	assert_int_equal(WEXITSTATUS(pclose(f)), 1);
	assert_true(says("not started by xdd-enter"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_handover),	     TEST(test_probe),
		TEST(test_probe_sealed),     TEST(test_probe_json),
		TEST(test_probe_fatal),	     TEST(test_class_of_name),
		TEST(test_refused),	     TEST(test_version),
		TEST(test_bad_usage),	     TEST(test_no_keeper),
		TEST(test_hung_up_at_first), TEST(test_not_entered),
	};

	if (argc < 3) {
		fprintf(stderr, "usage: %s XDD-ENTER XDD-PROBE\n", argv[0]);
		return 2;
	}
	enter = argv[1];
	probe = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
