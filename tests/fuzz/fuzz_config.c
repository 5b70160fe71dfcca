/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no file can crash the configuration parser, be taken in part, or be refused without a
 * message; what is taken survives a dump.
 * Method: libFuzzer writes the file to memory and hands in its path.
 */
#include "tern_config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void file_write(int fd, const void *data, size_t size)
{
	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
}

static void dump_reads_back(const struct tern_config *config, int fd, const char *path)
{
	struct tern_config again;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file || tern_config_dump(config, file) != 0 || fclose(file) != 0)
		abort();
	file_write(fd, text, size);
	free(text);
	tern_config_init(&again);
	assert(tern_config_load(&again, path, NULL) == 0);
	assert(memcmp(config, &again, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tern_config config, before;
	struct tern_error error = {""};
	char path[64];
	int fd = memfd_create("fuzz-config", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	file_write(fd, data, size);
	tern_config_init(&config);
	before = config;
	if (tern_config_load(&config, path, &error) == 0) {
		dump_reads_back(&config, fd, path);
	} else {
		assert(error.text[0] && strlen(error.text) < sizeof(error.text) - 1);
		assert(memcmp(&config, &before, sizeof(before)) == 0);
	}
	close(fd);
	return 0;
}
