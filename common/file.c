/* SPDX-License-Identifier: MIT */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

ssize_t file_read(const char *path, void *out, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len = 0, n = 1;

	if (fd < 0)
		return -errno;
	while (n > 0 && (size_t)len < max) {
		n = read(fd, (char *)out + len, max - (size_t)len);
		len += n > 0 ? n : 0;
	}
	n = n < 0 ? -errno : len;
	close(fd);
	return n;
}
