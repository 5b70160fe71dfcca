/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_bounds.h"

#include "app.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int append(struct feed_bounds *bounds, size_t *capacity, uint64_t count)
{
	if (bounds->count == *capacity) {
		size_t grown_capacity = *capacity ? *capacity * 2 : 1024;
		uint64_t *grown = realloc(bounds->counts, grown_capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		bounds->counts = grown;
		*capacity = grown_capacity;
	}
	bounds->counts[bounds->count++] = count;
	return 0;
}

static int add_line(struct feed_bounds *bounds, size_t *capacity, const char *line,
		    const char *path, struct tern_error *error)
{
	uint64_t least = bounds->count ? bounds->counts[bounds->count - 1] : 0;
	uint64_t count;
	if (!app_number_parse(line, 0, UINT64_MAX, &count))
		return tern_error_set(error, -EINVAL,
				      "%s: line %zu is '%.40s', needs one whole number of messages",
				      path, bounds->count + 1, line);
	if (count < least)
		return tern_error_set(error, -EINVAL,
				      "%s: line %zu is %" PRIu64 ", needs %" PRIu64
				      " or more: sort it with sort -n",
				      path, bounds->count + 1, count, least);
	if (append(bounds, capacity, count) < 0)
		return tern_error_set(error, -ENOMEM, "%s: not enough memory", path);
	return 0;
}

static int read_lines(struct feed_bounds *bounds, FILE *file, const char *path,
		      struct tern_error *error)
{
	char *line = NULL;
	size_t line_size = 0;
	size_t capacity = 0;
	int code = 0;
	errno = 0;
	while (code == 0 && getline(&line, &line_size, file) >= 0) {
		line[strcspn(line, "\r\n")] = 0;
		code = add_line(bounds, &capacity, line, path, error);
	}
	free(line);
	if (code == 0 && ferror(file)) {
		code = errno ? -errno : -EIO;
		tern_error_set(error, code, "%s: cannot be read: %s", path, strerror(-code));
	}
	if (code == 0 && bounds->count == 0)
		code = tern_error_set(error, -ENODATA,
				      "%s: empty: needs one number of messages on each line", path);
	return code;
}

int feed_bounds_load(struct feed_bounds *bounds, const char *path, struct tern_error *error)
{
	struct feed_bounds loaded = {.counts = NULL};
	FILE *file = fopen(path, "r");
	if (!file) {
		int code = -errno;
		return tern_error_set(error, code, "%s: cannot be opened: %s", path,
				      strerror(-code));
	}
	int code = read_lines(&loaded, file, path, error);
	fclose(file);
	if (code < 0)
		feed_bounds_fini(&loaded);
	else
		*bounds = loaded;
	return code;
}

void feed_bounds_fini(struct feed_bounds *bounds)
{
	free(bounds->counts);
	bounds->counts = NULL;
	bounds->count = 0;
}
