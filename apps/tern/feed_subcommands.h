/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_SUBCOMMANDS_H
#define FEED_SUBCOMMANDS_H

#include "app.h"
#include "feed_source.h"

#include <argp.h>

/* The subcommands of `tern feed`: argv[0] is the name for messages, for example "tern feed stat".
 * They return an exit code of app.h and end the process only from within argp. */
int feed_generate_run(int argc, char **argv);
int feed_stat_run(int argc, char **argv);
int feed_book_run(int argc, char **argv);

/**
 * Read an option's number, or end with a usage message.
 *
 * @param option  borrows; its name for the message, for example "--depth"
 */
uint64_t feed_option_number(struct argp_state *state, const char *option, const char *text,
			    uint64_t min, uint64_t max);

/**
 * Print the message of a failed source, with an exit code to match.
 *
 * @param code  a negative errno from feed_source_open() or feed_source_next()
 * @return APP_UNAVAILABLE if memory ran out, else APP_INPUT
 */
int feed_source_fail(const char *program, int code, const struct tern_error *error);

/**
 * Print one warning for each kind of fault that a feed showed.
 *
 * @return APP_FOUND if there was any, else APP_OK
 */
int feed_faults_print(const char *program, const char *path, struct feed_source *source);

#endif
