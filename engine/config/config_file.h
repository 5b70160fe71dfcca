/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <rte_cfgfile.h>

#include "tern_error.h"

#define TERN_CONFIG_FILE_SIZE_MAX (1u << 20)

/** Bytes of a line that rte_cfgfile reads whole, its newline apart. */
#define TERN_CONFIG_LINE_MAX (CFG_NAME_LEN + CFG_VALUE_LEN + 2)

enum config_line_kind {
	CONFIG_LINE_END,
	CONFIG_LINE_SECTION,
	CONFIG_LINE_ENTRY,
};

/**
 * A place in the text of a configuration file.
 *
 * rte_cfgfile does the reading, but keeps no line numbers and passes over what it does not
 * understand. The text is therefore walked once before it sees it, to refuse every such line,
 * and once more beside its result, to know where each entry stands.
 */
struct config_lines {
	const char *name; /* of the file, for messages */
	const char *text;
	size_t size, at;
	unsigned int line; /* the one read last, counted from 1 */
	bool in_section;
};

/**
 * Step to the next section or entry, over blank lines and comments.
 *
 * @param kind  what was found; CONFIG_LINE_END after the last line
 * @return 0; -EINVAL: the line is neither, or is one that rte_cfgfile would cut or skip
 *
 * Context: one thread at a time. Borrows all arguments.
 */
int tern_config_lines_next(struct config_lines *lines, enum config_line_kind *kind,
			   struct tern_error *error);

/** Where a message stands: `file:line: `. Context: any thread. Borrows all arguments. */
void tern_config_lines_where(const struct config_lines *lines, char *text, size_t size);

/**
 * Read a whole file, a pipe included.
 *
 * @param text  set to the content; free() it
 * @return 0; negative errno of the failed call; -EINVAL: larger than 1 MiB, or blank
 *
 * Context: any thread. Borrows `path` and `error`, yields `*text`.
 */
int tern_config_file_read(const char *path, char **text, size_t *size, struct tern_error *error);

/**
 * Parse the text of a file whose lines were found good.
 *
 * @param cfgfile  rte_cfgfile_close() it
 * @return 0; negative errno
 *
 * Context: any thread. Borrows `text` and `error`, yields `*cfgfile`.
 */
int tern_config_file_parse(const char *text, size_t size, struct rte_cfgfile **cfgfile,
			   struct tern_error *error);

#endif
