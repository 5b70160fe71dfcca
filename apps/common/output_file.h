/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_OUTPUT_FILE_H
#define APP_OUTPUT_FILE_H

#include "tern_error.h"

#include <stdio.h>

/**
 * A file that appears under its name complete or not at all.
 *
 * The bytes go to a file without a name in the same folder (to one with a temporary name where the
 * file system has no nameless files), which takes its name when it is committed. What is no
 * regular file (a pipe, a device) is written directly.
 */
struct output_file {
	FILE *file;	 /* write here; NULL outside create and commit */
	char *name;	 /* for messages */
	char *path;	 /* where it will appear; NULL if written directly */
	char *temporary; /* the name it has meanwhile; NULL if none */
};

/**
 * Open an output file.
 *
 * @param output  out: the caller's memory; end it with output_file_commit() or _abandon()
 * @param path    borrows; "-" is standard output
 * @return 0 or a negative errno; the message is in `error`
 *
 * Context: any one thread, as all functions here.
 */
int output_file_create(struct output_file *output, const char *path, struct tern_error *error);

/**
 * Flush, give the file its name (replacing what has it), close.
 *
 * @return 0 or a negative errno, then nothing is left behind; `output` is finished either way
 */
int output_file_commit(struct output_file *output, struct tern_error *error);

/** Close and leave nothing behind. */
void output_file_abandon(struct output_file *output);

#endif
