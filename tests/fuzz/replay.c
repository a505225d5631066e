/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over files: a corpus as an ordinary test. The same target
 * with -fsanitize=fuzzer in place of this file looks for new ones.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

int main(int argc, char **argv)
{
	static uint8_t data[INPUT_MAX];
	char path[4096];
	const struct dirent *d;
	unsigned files = 0;
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;

	if (!dir) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	while ((d = readdir(dir))) {
		FILE *f;
		size_t n;

		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], d->d_name);
		f = fopen(path, "rb");
		if (!f)
			return 1;
		n = fread(data, 1, sizeof(data), f);
		fclose(f);
		LLVMFuzzerTestOneInput(data, n);
		files++;
	}
	closedir(dir);
	printf("%u files\n", files);
	return files ? 0 : 1;
}
