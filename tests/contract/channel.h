/* SPDX-License-Identifier: MIT */
/*
 * How the suite's driver, in the driver domain, tells a program in a client VM
 * what to do: a line each way in the device's own two directories, each with
 * the command's number first. The driver reads and writes them through seam A,
 * so it stands where a back end stands and needs nothing else.
 *
 *   back end   CHANNEL_COMMAND  "7 grant 2 1"
 *   front end  CHANNEL_ANSWER   "7 0 8 9"	number, result, what it gives back
 *
 * Results are those of struct granter_ops. The commands:
 *
 *   grant N READ-ONLY			gives N references
 *   revoke REF
 *   fill REF OFFSET LEN BYTE
 *   holds REF OFFSET LEN BYTE
 *   port				gives a port
 *   close PORT, send PORT, fired PORT
 *   key KEY BYTExTIMES...		a value as runs: 1024 bytes fit a line
 *   remove KEY
 *   back KEY VALUE
 *   quit
 */
#ifndef XDD_CONTRACT_CHANNEL_H
#define XDD_CONTRACT_CHANNEL_H

#define CHANNEL_COMMAND "xdd-reason" /* a key that back ends may write */
#define CHANNEL_ANSWER	"cmd-answer"
#define CHANNEL_LINE	256 /* with its NUL; STORE_VALUE_MAX + 1 */

#endif
