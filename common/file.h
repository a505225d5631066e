/* SPDX-License-Identifier: MIT */
/* A small file, read whole into memory that is there. */
#ifndef XDD_FILE_H
#define XDD_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* The first @max bytes of @path at most: give room for one more than there may be, to
 * see what is too long. No NUL is added; a pipe that nobody writes is not waited for.
 * Bytes, or a negative errno. */
ssize_t file_read(const char *path, void *out, size_t max);

#endif
