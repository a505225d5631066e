/* SPDX-License-Identifier: MIT */
/*
 * xdd-attach list: see commands.h and xdd-attach(8). What is shown was written by
 * driver domains and clients: it is text to be made harmless, and no more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "policy/class.h"
#include "xenbus/cmd/commands.h"
#include "xenbus/cmd/states.h"

/* One column, and member of a JSON object. */
struct field {
	const char *head, *member;
	int width;
	bool number; /* in JSON */
};

enum {
	BACKEND,
	BACKEND_NAME,
	CLIENT,
	CLIENT_NAME,
	KIND,
	DEVICE,
	DEVICE_NAME,
	INSTANCE,
	TAG,
	BACK_STATE,
	FRONT_STATE,
	REASON,
	FIELDS,
};

static const struct field fields[FIELDS] = {
	[BACKEND] = {"BACK", "backend", 4, true},
	[BACKEND_NAME] = {"DRIVER", "backend_name", 12, false},
	[CLIENT] = {"FRONT", "client", 5, true},
	[CLIENT_NAME] = {"CLIENT", "client_name", 12, false},
	[KIND] = {"KIND", "kind", 10, false},
	[DEVICE] = {"ID", "device", 6, true},
	[DEVICE_NAME] = {"DEVICE", "device_name", 6, false},
	[INSTANCE] = {"INSTANCE", "instance", 12, false},
	[TAG] = {"TAG", "tag", 12, false},
	[BACK_STATE] = {"BACK END", "back_state", 12, false},
	[FRONT_STATE] = {"FRONT END", "front_state", 12, false},
	[REASON] = {"REASON", "reason", 0, false},
};

struct list {
	struct control *c;
	bool json;
	unsigned rows;
	char value[FIELDS][TREE_VALUE_MAX + 1];
};

static void print_row(const struct list *list)
{
	for (unsigned i = 0; i < FIELDS; i++) {
		const char *value = list->value[i];

		if (i)
			putchar(' ');
		for (int at = 0; *value || at < fields[i].width; at++) {
			unsigned char c = *value ? (unsigned char)*value++ : ' ';

			putchar(c < ' ' || c > '~' ? '?' : c);
		}
	}
	putchar('\n');
}

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void print_object(const struct list *list)
{
	printf("%s\n  {", list->rows ? "," : "");
	for (unsigned i = 0; i < FIELDS; i++) {
		printf("%s\"%s\": ", i ? ", " : "", fields[i].member);
		if (fields[i].number)
			fputs(list->value[i], stdout);
		else
			print_string(list->value[i]);
	}
	putchar('}');
}

static void print_heads(void)
{
	for (unsigned i = 0; i < FIELDS; i++)
		printf("%s%-*s", i ? " " : "", fields[i].width, fields[i].head);
	putchar('\n');
}

static bool is_number(const char *text, uint64_t max)
{
	uint64_t number;

	return number_parse(text, strlen(text), max, &number);
}

static void set(struct list *list, unsigned field, const char *value)
{
	snprintf(list->value[field], sizeof(list->value[field]), "%s", value);
}

static void read_name(struct list *list, unsigned field, const char *domain)
{
	char home[32];

	snprintf(home, sizeof(home), "/local/domain/%.5s", domain);
	tree_read(list->c->tree, home, "name", list->value[field]);
}

static void add_device(struct list *list, const struct class_info *info,
		       const char *client, const char *id)
{
	struct tree *t = list->c->tree;
	char back[TREE_PATH_MAX + 1], front[TREE_PATH_MAX + 1];

	if (!is_number(client, DOMID_LIMIT - 1) || !is_number(id, UINT32_MAX))
		return;
	snprintf(back, sizeof(back), "/local/domain/%.5s/backend/%s/%.5s/%.10s",
		 list->value[BACKEND], info->kind, client, id);
	snprintf(front, sizeof(front), "/local/domain/%.5s/device/%s/%.10s", client,
		 info->kind, id);
	set(list, CLIENT, client);
	read_name(list, CLIENT_NAME, client);
	set(list, KIND, info->kind);
	set(list, DEVICE, id);
	tree_read(t, back, "dev", list->value[DEVICE_NAME]);
	tree_read(t, back, PLAN_MARK, list->value[INSTANCE]);
	tree_read(t, back, info->tag_key, list->value[TAG]);
	set(list, BACK_STATE, states_of(t, back));
	set(list, FRONT_STATE, states_of(t, front));
	tree_read(t, back, "xdd-reason", list->value[REASON]);
	if (list->json)
		print_object(list);
	else if (!list->rows)
		print_heads();
	if (!list->json)
		print_row(list);
	list->rows++;
}

/* The names in @dir, each to @each. */
static void for_each(struct list *list, const char *dir, const struct class_info *info,
		     const char *client,
		     void (*each)(struct list *list, const struct class_info *info,
				  const char *client, const char *name))
{
	char **names;
	unsigned n;

	if (list->c->tree->ops->list(list->c->tree, dir, &names, &n))
		return;
	for (unsigned i = 0; i < n; i++)
		each(list, info, client, names[i]);
	free(names);
}

static void add_client(struct list *list, const struct class_info *info,
		       const char *unused, const char *client)
{
	char dir[TREE_PATH_MAX + 1];

	(void)unused;
	if (!is_number(client, DOMID_LIMIT - 1))
		return;
	snprintf(dir, sizeof(dir), "/local/domain/%.5s/backend/%s/%.5s",
		 list->value[BACKEND], info->kind, client);
	for_each(list, dir, info, client, add_device);
}

static void add_kind(struct list *list, const char *domain,
		     const struct class_info *info)
{
	char dir[TREE_PATH_MAX + 1];

	snprintf(dir, sizeof(dir), "/local/domain/%.5s/backend/%s", domain, info->kind);
	for_each(list, dir, info, NULL, add_client);
}

static void add_domain(struct list *list, const char *domain)
{
	set(list, BACKEND, domain);
	read_name(list, BACKEND_NAME, domain);
	for (unsigned i = POLICY_BLK; i <= POLICY_CAN; i++) {
		for (unsigned door = POLICY_PV; door <= POLICY_VIRTIO; door++)
			add_kind(list, domain, class_info(i, door));
	}
}

/* Every domain's but the control domain's, whose devices are a toolstack's. */
static void add_any(struct list *list, const struct class_info *info,
		    const char *unused, const char *domain)
{
	(void)info;
	(void)unused;
	if (is_number(domain, DOMID_LIMIT - 1) && strcmp(domain, "0"))
		add_domain(list, domain);
}

int list_main(const struct command *command)
{
	static struct list list;
	struct control *c = command->control;
	const char *name = command->options->target.backend;
	struct domid id;
	char domain[8];

	list = (struct list){.c = c, .json = command->options->json};
	if (name && domains_find(c, name, &id)) {
		say_error(c->say, "no domain is called \"%s\"; xl list shows all",
			  name);
		return EXIT_FAILED;
	}
	if (list.json)
		putchar('[');
	if (name) {
		snprintf(domain, sizeof(domain), "%u", id.v);
		add_domain(&list, domain);
	} else {
		for_each(&list, "/local/domain", NULL, NULL, add_any);
	}
	if (list.json)
		printf("%s]\n", list.rows ? "\n" : "");
	return c->tree->dead ? EXIT_FAILED : 0;
}
