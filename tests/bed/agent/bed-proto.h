/* SPDX-License-Identifier: MIT */
/*
 * bed-proto.h - how a command and its output travel through xenstore.
 *
 * What it is: the names and numbers that bed-on (control domain) and bed-agent
 * (every other domain) share. It is no interface of the project's daemons.
 *
 * One job is one directory, /local/domain/DOMID/bed/JOB:
 *   cmd/0, cmd/1, ...  the command, cut in pieces of BED_CHUNK bytes
 *   go                 the number of pieces; written last, it starts the job
 *   taken              written by the agent when it has seen the job
 *   out/0 ... out/15   the output, a window of BED_WINDOW pieces "SEQ:BYTES"
 *   ack                how many pieces the control domain has consumed
 *   end                "PIECES STATUS", written by the agent at the end
 *
 * 1. Every node belongs to the control domain, the agent is merely allowed to
 *    write taken, out/N and end: a job costs the guest none of its node quota.
 * 2. Piece SEQ lies in out/(SEQ % BED_WINDOW); the agent writes it only when
 *    SEQ < ack + BED_WINDOW, so nothing is overwritten unread.
 * 3. A job whose `go` has vanished is cancelled: the agent kills its processes.
 */
#ifndef BED_PROTO_H
#define BED_PROTO_H

/* Xenstored refuses a guest's node above 2048 bytes, name and all. */
#define BED_CHUNK  1800
#define BED_WINDOW 16
/* bed-on's own failures, apart from any command's status. */
#define BED_BROKEN 255
/* Written by the agent, in its own domain, when it listens. */
#define BED_READY "data/bed-agent"

#endif
