/* SPDX-License-Identifier: Apache-2.0 */
#include "config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_SHOWN_MAX 160

static const char *name_tail(const char *name)
{
	size_t length = strlen(name);

	return length > NAME_SHOWN_MAX ? name + length - NAME_SHOWN_MAX : name;
}

void tern_config_lines_where(const struct config_lines *lines, char *text, size_t size)
{
	snprintf(text, size, "%s:%u: ", name_tail(lines->name), lines->line);
}

/* `shown` is quoted before `what`; NULL for nothing. */
static int refuse_line(const struct config_lines *lines, const char *shown, size_t length,
		       const char *what, struct tern_error *error)
{
	char where[NAME_SHOWN_MAX + 16];

	tern_config_lines_where(lines, where, sizeof(where));
	if (!shown)
		return tern_error_set(error, -EINVAL, "%s%s", where, what);
	return tern_error_set(error, -EINVAL, "%s\"%.*s\" %s", where,
			      (int)(length < 60 ? length : 60), shown, what);
}

/* Accepts what rte_cfgfile takes as it stands: plain ASCII, any UTF-8 in a comment. */
static int bytes_check(const struct config_lines *lines, const char *text, size_t length,
		       struct tern_error *error)
{
	bool comment = false;

	if (length > TERN_CONFIG_LINE_MAX) {
		char what[80];
		snprintf(what, sizeof(what), "the line is %zu bytes long; allowed: %d", length,
			 TERN_CONFIG_LINE_MAX);
		return refuse_line(lines, NULL, 0, what, error);
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];
		comment |= byte == ';';
		bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
		if (control || (!comment && (byte > 0x7f || byte == '\\'))) {
			char what[96];
			snprintf(what, sizeof(what),
				 "byte 0x%02x in column %zu; allowed: plain ASCII text without "
				 "backslashes",
				 byte, i + 1);
			return refuse_line(lines, NULL, 0, what, error);
		}
	}
	return 0;
}

static void trim_text(const char **text, size_t *length)
{
	while (*length && strchr(" \t", (*text)[*length - 1]))
		--*length;
	for (; *length && strchr(" \t", **text); ++*text)
		--*length;
}

static int section_check(const struct config_lines *lines, const char *text, size_t length,
			 struct tern_error *error)
{
	const char *end = memchr(text, ']', length);

	if (!end)
		return refuse_line(lines, text, length, "lacks its closing ]", error);
	if (end != text + length - 1)
		return refuse_line(lines, text, length, "goes on after its ]", error);
	if (length - 2 >= CFG_NAME_LEN)
		return refuse_line(lines, text, length, "is too long for a section", error);
	return 0;
}

static int entry_check(const struct config_lines *lines, const char *text, size_t length,
		       struct tern_error *error)
{
	const char *equals = memchr(text, '=', length);

	if (!equals)
		return refuse_line(lines, text, length, "is neither [section] nor key=value",
				   error);
	const char *value = equals + 1;
	size_t value_length = length - (size_t)(value - text);
	trim_text(&value, &value_length);
	if (equals == text)
		return refuse_line(lines, text, length, "lacks the key before =", error);
	if (!value_length)
		return refuse_line(lines, text, length, "lacks the value after =", error);
	if (!lines->in_section)
		return refuse_line(lines, text, length, "stands before the first [section]", error);
	if (equals - text >= CFG_NAME_LEN)
		return refuse_line(lines, text, length, "has too long a key; allowed: 63 bytes",
				   error);
	if (value_length >= CFG_VALUE_LEN)
		return refuse_line(lines, text, length, "has too long a value; allowed: 255 bytes",
				   error);
	return 0;
}

/* Cut the next line out, without its newline or CR LF. */
static const char *line_cut(struct config_lines *lines, size_t *length)
{
	const char *text = lines->text + lines->at;
	size_t left = lines->size - lines->at;
	const char *newline = memchr(text, '\n', left);

	*length = newline ? (size_t)(newline - text) : left;
	lines->at += *length + (newline != NULL);
	lines->line++;
	if (*length && text[*length - 1] == '\r')
		--*length;
	return text;
}

int tern_config_lines_next(struct config_lines *lines, enum config_line_kind *kind,
			   struct tern_error *error)
{
	while (lines->at < lines->size) {
		size_t length;
		const char *text = line_cut(lines, &length);
		int rc = bytes_check(lines, text, length, error);
		if (rc < 0)
			return rc;
		const char *comment = memchr(text, ';', length);
		if (comment)
			length = (size_t)(comment - text);
		trim_text(&text, &length);
		if (!length)
			continue;
		bool section = *text == '[';
		rc = section ? section_check(lines, text, length, error)
			     : entry_check(lines, text, length, error);
		if (rc == 0) {
			lines->in_section |= section;
			*kind = section ? CONFIG_LINE_SECTION : CONFIG_LINE_ENTRY;
		}
		return rc;
	}
	*kind = CONFIG_LINE_END;
	return 0;
}

static int read_all(int fd, char *text, size_t size_max, size_t *size)
{
	*size = 0;
	while (*size < size_max) {
		ssize_t count = read(fd, text + *size, size_max - *size);
		if (count == 0)
			return 0;
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		*size += (size_t)count;
	}
	return -EFBIG;
}

int tern_config_file_read(const char *path, char **text, size_t *size, struct tern_error *error)
{
	const char *name = name_tail(path);
	size_t size_max = TERN_CONFIG_FILE_SIZE_MAX + 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return tern_error_set(error, -errno, "%s: cannot open: %m", name);

	char *content = malloc(size_max);
	int rc = content ? read_all(fd, content, size_max, size) : -ENOMEM;
	close(fd);
	if (rc == -EFBIG)
		rc = tern_error_set(error, -EINVAL, "%s: larger than %u bytes; allowed: 1 MiB",
				    name, TERN_CONFIG_FILE_SIZE_MAX);
	else if (rc < 0)
		rc = tern_error_set(error, rc, "%s: cannot read: %s", name, strerror(-rc));
	else if (*size == 0)
		rc = tern_error_set(error, -EINVAL,
				    "%s: empty; `tern config show` prints a whole configuration",
				    name);
	if (rc < 0) {
		free(content);
		return rc;
	}
	*text = content;
	return 0;
}

/* rte_cfgfile reads a path only: it gets one to the very bytes that were checked. */
int tern_config_file_parse(const char *text, size_t size, struct rte_cfgfile **cfgfile,
			   struct tern_error *error)
{
	char path[64];
	struct rte_cfgfile *parsed = NULL;
	int fd = memfd_create("tern-config", MFD_CLOEXEC);

	if (fd < 0)
		return tern_error_set(error, -errno, "configuration: memfd_create: %m");
	if (write(fd, text, size) == (ssize_t)size) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		parsed = rte_cfgfile_load(path, 0);
	}
	close(fd);
	if (!parsed)
		return tern_error_set(error, -ENOMEM,
				      "configuration: not parsed: no memory, or no /proc mounted");
	*cfgfile = parsed;
	return 0;
}
