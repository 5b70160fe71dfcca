/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_H
#define APP_H

#include "tern_plain.h"

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Exit codes of all programs. */
enum app_exit {
	APP_OK = 0,
	APP_FOUND = 1,	      /* a check found something */
	APP_USAGE = 2,	      /* the command line is wrong */
	APP_INPUT = 66,	      /* an input file is unreadable, empty, cut or corrupt */
	APP_UNAVAILABLE = 69, /* memory, an output or a service is not to be had */
	APP_PERMISSION = 77,  /* the system forbids it */
	APP_CONFIG = 78,      /* the configuration is wrong */
};

/**
 * Print `program: message` and a newline to standard error. The message is made plain
 * (tern_plain.h), whatever a person, a file or another process put in.
 *
 * @param code     an enum app_exit
 * @param program  borrows; as the person typed it, for example "tern feed"
 * @return `code`, so that a failing command ends in one line
 *
 * Context: any thread.
 */
int app_fail(enum app_exit code, const char *program, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** The same for a message of the library, which is plain already. */
int app_fail_error(enum app_exit code, const char *program, const struct tern_error *error);

/**
 * Say what is wrong with an argument, made plain, and leave with APP_USAGE: argp_error() with text
 * from outside.
 *
 * Context: an argp parser, in the main thread. Borrows all arguments.
 */
void app_argument_fail(const struct argp_state *state, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * argp_parse() that never repeats an argument which is not plain: what names no option is refused
 * here with APP_USAGE, before argp would.
 *
 * @param flags  of argp
 * @param input  as for argp_parse()
 *
 * Context: the main thread. Borrows all arguments.
 */
error_t app_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);

/** Print a text of any length made plain. Context: any thread. Borrows. */
void app_plain_print(const char *text, FILE *file);

/**
 * Flush standard output and say so if any write to it failed (full disk, closed pipe).
 *
 * @param code  what the program would return otherwise
 * @return `code`, or APP_UNAVAILABLE after a message
 *
 * Context: the main thread, at the end of a command.
 */
int app_stdout_finish(int code, const char *program);

/**
 * Read a whole decimal number: digits only, no sign, no blank.
 *
 * @param text   borrows
 * @param value  written if true is returned
 * @return true if the text is a number in min..max
 *
 * Context: any thread.
 */
bool app_number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value);

#endif
