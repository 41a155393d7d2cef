/*
 * Stands in for libFuzzer, so that its targets and seeds are tried by every
 * compiler: runs the target once on each file of the folders and files named.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int	 files;

static void
run_file(const char *path)
{
	uint8_t	*data = NULL;
	size_t	 size = 0, n;
	FILE	*fp = fopen(path, "rb");

	if (fp == NULL) {
		perror(path);
		exit(1);
	}
	do {
		data = xrealloc(data, size + 4096);
		n = fread(data + size, 1, 4096, fp);
		size += n;
	} while (n > 0);
	fclose(fp);
	/* Exactly as large as it is, so that a sanitizer sees its end. */
	data = xrealloc(data, size > 0 ? size : 1);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	files++;
}

static void
run_path(const char *path)
{
	struct dirent	**entry;
	struct stat	 st;
	char		*file;
	int		 n, i;

	if (stat(path, &st) == -1) {
		perror(path);
		exit(1);
	}
	if (!S_ISDIR(st.st_mode)) {
		run_file(path);
		return;
	}
	n = scandir(path, &entry, NULL, alphasort);
	for (i = 0; i < n; i++) {
		file = xasprintf("%s/%s", path, entry[i]->d_name);
		if (entry[i]->d_name[0] != '.')
			run_path(file);
		free(file);
		free(entry[i]);
	}
	free(entry);
}

int
main(int argc, char *argv[])
{
	int	 i;

	for (i = 1; i < argc; i++)
		run_path(argv[i]);
	printf("%d seeds\n", files);
	return files > 0 ? 0 : 1;
}
