/* SPDX-License-Identifier: MIT */
/*
 * Which class reads which section: what xdd-policy needs of the back ends.
 * A class without an entry here is checked for the form of its section only.
 */
#ifndef XDD_CLASSES_H
#define XDD_CLASSES_H

#include "policy/policy.h"

/* Room for the largest class's own struct. */
#define CLASSES_OUT_MAX 4096

struct classes_section {
	const struct policy_section_key *keys; /* NULL: no back end of this class yet */
	size_t out_size;		       /* of the struct that the keys fill */
	/* What does not go together with the generic sections. */
	void (*fit)(const struct policy *policy, const void *out,
		    struct policy_errors *errors);
};

const struct classes_section *classes_section(enum policy_class class);

#endif
