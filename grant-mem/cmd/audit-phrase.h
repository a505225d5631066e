/* SPDX-License-Identifier: MIT */
/* What a line of an audit log says, as a person would: a phrase for each kind of event,
 * and for one that is not known its members as they are. */
#ifndef XDD_AUDIT_PHRASE_H
#define XDD_AUDIT_PHRASE_H

#include "grant-mem/cmd/audit-entry.h"

/* To standard output, without a newline; nothing that a terminal would obey. */
void phrase_print(const struct entry *entry);

#endif
