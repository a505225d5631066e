/* SPDX-License-Identifier: MIT */
/*
 * A driver domain for the tests of xdd-witness, domain 1: policies and logs in a
 * folder, written as its keepers write them, what Xen shows, and what the judge says of
 * it all.
 *
 * As it begins, c2_disk serves domain 2 (two pages of a ring and three of data, of
 * which one is read alone; one event channel), c3_sound domain 3 (nothing yet; its data
 * is only to be read), and all is explained.
 */
#ifndef XDD_WITNESS_SCENE_TEST_H
#define XDD_WITNESS_SCENE_TEST_H

#include "grant-mem/audit.h"
#include "xenbus/cmd/witness-judge.h"

#define TESTED 1 /* the driver domain */

extern struct scene scene;
extern struct findings findings;
extern char folder[]; /* etc/NAME.policy, log/NAME/audit.log */

/* cmocka's set-up and tear-down of a test. */
int scene_begin(void **state);
int scene_end(void **state);

/* Xen shows a page of @owner that @user has pinned so often. */
void pinned(unsigned owner, unsigned ref, unsigned user, unsigned writable,
	    unsigned readable);
void port_to(unsigned port, unsigned remote, unsigned remote_port);
void port_offered(unsigned port, unsigned remote);
/* A line of an instance's log. */
void logged(const char *instance, const char *event, const char *members);
/* A policy's text with @to in place of @from; @from NULL: as it was. The log stays. */
void edited(const char *instance, const char *from, const char *to);
/* The folder's file is written anew with its chain as a forger makes it. */
void forged(const char *instance, const char *from, const char *to);
void shell_in_folder(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Reads the folder and judges; @given: heads, "NAME SEQ:HASH" lines, or NULL. */
void judged(const char *given);
/* The judge said this alone: "kind client refs", a comma between several; "": nothing.
 */
void finds(const char *all);
/* What it said of the first is in words. */
void in_words(const char *text);

#endif
