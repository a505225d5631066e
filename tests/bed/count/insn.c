/* SPDX-License-Identifier: MIT */
/*
 * insn.c - counts the instructions that an emulated Arm machine executes.
 *
 * What it is: a plugin for QEMU, built and loaded by `run --count`. It prints the
 * count when a domain of the device tree enters its kernel, and at each bed-mark.
 * Not for x86. With one thread for all CPUs (as `run` asks) the count is exact.
 *
 * Source: the interface is QEMU's plugin API, version 1 (docs/devel/tcg-plugins);
 * Debian has no header of it, so what is used is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*trans)(plugin_id id,
							 struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op,
					      void *counter, uint64_t add);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*exec)(unsigned int vcpu, void *data),
					  int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
void qemu_plugin_outs(const char *text);

enum { PLUGIN_ADD_U64 = 0, PLUGIN_CB_NO_REGS = 0 };

/* A domU's memory, and so its kernel's first instruction, is here: Xen's
 * public/arch-arm.h, GUEST_RAM0_BASE. No other code of this machine is. */
#define KERNEL_ENTRY 0x40000000u
#define MARK	     (0xd503201fu | 100 << 5) /* hint #100 */

EXPORT int qemu_plugin_version = 1;
static uint64_t count;

static void say(unsigned int vcpu, void *what)
{
	char line[96];

	(void)vcpu;
	snprintf(line, sizeof(line), "%s %" PRIu64 "\n", (const char *)what, count);
	qemu_plugin_outs(line);
}

static bool has_mark(const struct qemu_plugin_tb *tb)
{
	uint32_t insn;

	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		memcpy(&insn, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)),
		       sizeof(insn));
		if (insn == MARK)
			return true;
	}
	return false;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, PLUGIN_ADD_U64, &count,
						 qemu_plugin_tb_n_insns(tb));
	if (qemu_plugin_tb_vaddr(tb) == KERNEL_ENTRY)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, say, PLUGIN_CB_NO_REGS,
						     "kernel-entry");
	if (has_mark(tb))
		qemu_plugin_register_vcpu_tb_exec_cb(tb, say, PLUGIN_CB_NO_REGS,
						     "mark");
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info, (void)argc, (void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
