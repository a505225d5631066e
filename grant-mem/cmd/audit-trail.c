/* SPDX-License-Identifier: MIT */
/* The audit log of one instance, read from its files: see audit-trail.h. */
#include "grant-mem/cmd/audit-trail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 4 /* to open two files that are being rotated */

enum got {
	GOT_LINE,
	GOT_LONG,
	GOT_END,
};

enum {
	OLDER, /* audit.log.1 */
	NEWER,
	FILES,
};

struct files {
	FILE *file[FILES];
	struct stat st[FILES];
};

/* "/var/log/xdd/ivi_disk/audit.log" is of ivi_disk, and so is "ivi_disk.audit". */
static void name_by_path(struct trail *trail)
{
	char full[PATH_MAX], *end, *name;
	bool inside = false;

	if (!realpath(trail->path[NEWER], full) && !realpath(trail->path[OLDER], full))
		snprintf(full, sizeof(full), "%s", trail->path[NEWER]);
	name = strrchr(full, '/');
	if (name && name > full && !strncmp(name, "/audit.log", 10)) {
		*name = '\0';
		name = strrchr(full, '/');
		inside = true;
	}
	name = name ? name + 1 : full;
	end = strchr(name, '.');
	if (end && end > name)
		*end = '\0';
	snprintf(trail->name, sizeof(trail->name), "%.*s", TRAIL_NAME - 1, name);
	snprintf(trail->folder, sizeof(trail->folder), "%s", inside ? trail->name : "");
}

static int set_paths(struct trail *trail, const char *log)
{
	const char *inside = "";
	size_t len = strlen(log);
	struct stat st;

	if (!stat(log, &st) && S_ISDIR(st.st_mode))
		inside = len && log[len - 1] == '/' ? "audit.log" : "/audit.log";
	else if (len > 2 && !strcmp(log + len - 2, ".1"))
		len -= 2;
	if (len + strlen(inside) + 3 > PATH_MAX)
		return -ENAMETOOLONG;
	snprintf(trail->path[NEWER], PATH_MAX, "%.*s%s", (int)len, log, inside);
	snprintf(trail->path[OLDER], PATH_MAX, "%.*s%s.1", (int)len, log, inside);
	name_by_path(trail);
	return 0;
}

static int open_one(const char *path, FILE **file, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err = 0;

	*file = NULL;
	if (fd < 0)
		return -errno;
	if (fstat(fd, st))
		err = -errno;
	else if (!S_ISREG(st->st_mode))
		err = -EINVAL;
	else if (st->st_size > TRAIL_BYTES)
		err = -EFBIG;
	if (!err) {
		*file = fdopen(fd, "r");
		err = *file ? 0 : -errno;
	}
	if (err)
		close(fd);
	return err;
}

static void close_files(struct files *files)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (files->file[i])
			fclose(files->file[i]);
		files->file[i] = NULL;
	}
}

/* The newer one first: what is rotated between the two is then there twice, not in
 * neither. -EAGAIN: that has happened. */
static int open_both(struct trail *trail, struct files *files)
{
	int newer =
		open_one(trail->path[NEWER], &files->file[NEWER], &files->st[NEWER]);
	int older =
		open_one(trail->path[OLDER], &files->file[OLDER], &files->st[OLDER]);
	int err = 0;

	if (newer && (newer != -ENOENT || older == -ENOENT))
		err = newer;
	else if (older && older != -ENOENT)
		err = older;
	else if (!newer && !older &&
		 files->st[NEWER].st_ino == files->st[OLDER].st_ino &&
		 files->st[NEWER].st_dev == files->st[OLDER].st_dev)
		err = -EAGAIN;
	if (err)
		close_files(files);
	return err;
}

/* A line without its newline; *@len is its length, or that of what ends the file with
 * none. */
static enum got get_line(FILE *file, char line[AUDIT_LINE_MAX], size_t *len)
{
	int c;

	for (*len = 0; (c = getc_unlocked(file)) != EOF; ++*len) {
		if (c == '\n')
			return *len < AUDIT_LINE_MAX ? GOT_LINE : GOT_LONG;
		if (*len < AUDIT_LINE_MAX)
			line[*len] = (char)c;
	}
	return GOT_END;
}

static void take_line(struct trail *trail, const char *line, size_t len)
{
	struct entry entry;
	const char *why = entry_read(&entry, line, len);

	if (why) {
		chain_junk(&trail->chain, trail->at, why);
		return;
	}
	trail->at.seq = entry.seq;
	chain_line(&trail->chain, trail->at, &entry);
	if (!strcmp(entry.event, "start") && *entry_text(&entry, "instance")) {
		snprintf(trail->name, sizeof(trail->name), "%.*s", TRAIL_NAME - 1,
			 entry_text(&entry, "instance"));
		trail->strange |= *trail->folder && strcmp(trail->name, trail->folder);
	}
	if (trail->entry)
		trail->entry(trail, &entry);
	entry_fini(&entry);
}

/* Returns how many bytes stand behind the last newline. */
static size_t read_file(struct trail *trail, FILE *file, const char *path)
{
	char line[AUDIT_LINE_MAX];
	enum got got;
	size_t len;

	trail->at = (struct chain_place){.path = path};
	while ((got = get_line(file, line, &len)) != GOT_END) {
		trail->at.line++;
		if (got == GOT_LINE)
			take_line(trail, line, len);
		else
			chain_junk(&trail->chain, trail->at, "it is too long");
	}
	trail->at.line++;
	return len;
}

static void chain_found(struct chain *chain, const struct chain_finding *finding)
{
	struct trail *trail =
		(struct trail *)((char *)chain - offsetof(struct trail, chain));

	trail->findings++;
	if (trail->found)
		trail->found(trail, finding);
}

/* A file becomes the older one when the next line does not fit: one that has been cut
 * at its front is too small for that. */
static bool is_whole(const struct files *files)
{
	return !files->file[OLDER] ||
	       files->st[OLDER].st_size <= AUDIT_FILE_BYTES - AUDIT_LINE_MAX;
}

int trail_read(struct trail *trail, const char *log)
{
	struct files files = {.file = {NULL}};
	int err = set_paths(trail, log);

	if (err)
		return err;
	for (unsigned i = 0; !i || (err == -EAGAIN && i < TRIES); i++)
		err = open_both(trail, &files);
	if (err)
		return err;
	trail->chain = (struct chain){
		.found = chain_found, .head = trail->head, .whole = is_whole(&files)};
	trail->findings = trail->torn = 0;
	for (unsigned i = 0; i < FILES; i++) {
		if (trail->torn) /* only where a file ends may a line not be whole */
			chain_junk(&trail->chain, trail->at, "it has no end");
		trail->torn = 0;
		if (files.file[i])
			trail->torn = read_file(trail, files.file[i], trail->path[i]);
		if (files.file[i] && ferror(files.file[i]))
			err = -EIO;
	}
	if (!err)
		chain_end(&trail->chain);
	close_files(&files);
	return err;
}

const char *trail_why(int err)
{
	static const struct {
		int err;
		const char *what;
	} rows[] = {
		{-ENOENT,
		 "there is no audit.log here: name an instance's directory, such "
		 "as /var/log/xdd/ivi_disk"},
		{-EINVAL, "an audit log is a regular file, and this is none"},
		{-EFBIG, "larger than what any keeper writes: this is no audit log"},
		{-EAGAIN, "it was rotated each time it was opened: try again"},
		{-EACCES, "not readable: become root"},
	};
	const char *what = strerror(-err);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		what = rows[i].err == err ? rows[i].what : what;
	return what;
}
