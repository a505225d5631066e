/* SPDX-License-Identifier: MIT */
/*
 * What a keeper finds in xenstore, on a socket: one device's two directories, as
 * the scene has them. The wire is xen/io/xs_wire.h's, a message a packet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/bench-parts/scene.h"
#include "xenbus/xs.h"

struct said {
	struct xs_header header;
	char payload[XS_REQUEST_MAX + 1];
};

static void say(struct scene *s, const struct xs_header *to, unsigned type,
		const char *value, size_t len)
{
	struct said m = {.header = *to};

	m.header.type = type;
	m.header.len = (uint32_t)len;
	memcpy(m.payload, value, len);
	if (send(s->store, &m, sizeof(m.header) + len, MSG_NOSIGNAL) < 0)
		scene_die("the keeper is gone");
}

void scene_store_fire(struct scene *s)
{
	say(s, &(struct xs_header){0}, XS_TYPE_EVENT, "b\0w", 4);
}

static void front_path(const struct scene *s, char *out, size_t size)
{
	snprintf(out, size, "/local/domain/%d/device/%s/%s", SCENE_CLIENT, s->conf.kind,
		 s->conf.device);
}

/* How @path goes on below the directory @dir, or NULL. */
static const char *below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) || path[n] != '/' ? NULL : path + n + 1;
}

static const char *front_value(const struct scene *s, const char *key)
{
	const struct scene_key *k = s->conf.front;
	static char state[4];

	snprintf(state, sizeof(state), "%d", s->front_state);
	if (!strcmp(key, "state"))
		return state;
	while (k->key && strcmp(k->key, key))
		k++;
	return k->value;
}

static const char *back_value(const struct scene *s, const char *key)
{
	static char front[64], state[4];
	const struct scene_key keys[] = {
		{"frontend", front}, {"frontend-id", "2"}, {"online", "1"},
		{"state", state},    {"mode", "w"},	   {NULL, NULL},
	};
	const struct scene_key *k = keys;

	front_path(s, front, sizeof(front));
	snprintf(state, sizeof(state), "%d", s->back_state);
	while (k->key && strcmp(k->key, key))
		k++;
	return k->value;
}

/* The value, or NULL; the key below the back end's directory in *@own, or NULL. */
static const char *find(const struct scene *s, const char *path, const char **own)
{
	char front[64], back[64];
	const char *key;

	front_path(s, front, sizeof(front));
	snprintf(back, sizeof(back), "backend/%s/%d/%s", s->conf.kind, SCENE_CLIENT,
		 s->conf.device);
	*own = below(path, back);
	key = below(path, front);
	if (*own)
		return back_value(s, *own);
	if (key)
		return front_value(s, key);
	return strcmp(path, "domid") ? NULL : "1";
}

void scene_store_answer(struct scene *s)
{
	struct said m;
	ssize_t n = recv(s->store, &m, sizeof(m) - 1, 0);
	const char *own, *value;
	bool fire;

	if (n < (ssize_t)sizeof(m.header))
		scene_die("the keeper is gone");
	((char *)&m)[n] = '\0';
	value = find(s, m.payload, &own);
	fire = m.header.type == XS_TYPE_WATCH;
	if (m.header.type == XS_TYPE_WRITE && own && !strcmp(own, "state")) {
		s->back_state = (unsigned)atoi(m.payload + strlen(m.payload) + 1);
		fire = true;
	}
	if (m.header.type != XS_TYPE_READ)
		say(s, &m.header, m.header.type, "OK", 3);
	else if (value)
		say(s, &m.header, m.header.type, value, strlen(value));
	else
		say(s, &m.header, XS_TYPE_ERROR, "ENOENT", 7);
	if (fire)
		scene_store_fire(s);
}
