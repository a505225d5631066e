/* SPDX-License-Identifier: MIT */
/* The processor that we run on. */
#ifndef XDD_CPU_H
#define XDD_CPU_H

/* The calling thread stays on the processor that it is on: for who needs that what the
 * kernel queues by processor keeps its order (netif_rx(), of virtual interfaces). One
 * that was given a single one, by systemd's CPUAffinity= say, has that. Before the
 * process is sealed. 0 or a negative errno. */
int cpu_stay(void);

#endif
