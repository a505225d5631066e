/* SPDX-License-Identifier: MIT */
#include "xenbus/cmd/plan-display.h"

#include <stdio.h>

#include "backends/displ/displ-policy.h"

void plan_display(const struct plan_input *in,
		  void (*add)(void *owner, const char *key, const char *value,
			      bool ours),
		  void *owner)
{
	struct policy_errors errors = {0};
	struct displ_policy displ;

	displ_policy_init(&displ);
	if (policy_parse_section(in->text, in->text_len, "Display", displ_policy_keys,
				 &displ, &errors))
		return;
	for (uint32_t i = 0; i < displ.heads; i++) {
		const struct displ_size *size = &displ.head[i].size;
		char key[24], value[24];

		snprintf(key, sizeof(key), "%u", i);
		add(owner, key, "", false);
		snprintf(key, sizeof(key), "%u/unique-id", i);
		add(owner, key, displ.head[i].name, true);
		snprintf(key, sizeof(key), "%u/resolution", i);
		snprintf(value, sizeof(value), "%ux%u", size->width, size->height);
		add(owner, key, value, true);
	}
}
