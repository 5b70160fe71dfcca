/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void app_plain_print(const char *text, FILE *file)
{
	char shown[TERN_PLAIN_CHAR_MAX];
	for (size_t left = strlen(text); left;) {
		size_t taken = tern_plain_char(TERN_PLAIN_TEXT, text, left, shown);
		fputs(shown, file);
		text += taken;
		left -= taken;
	}
}

/* NULL without memory. */
static char *message_make(const char *format, va_list args)
{
	char *message;
	return vasprintf(&message, format, args) < 0 ? NULL : message;
}

int app_fail(enum app_exit code, const char *program, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *message = message_make(format, args);
	va_end(args);
	flockfile(stderr);
	fprintf(stderr, "%s: ", program);
	app_plain_print(message ? message : "no memory for the message", stderr);
	putc('\n', stderr);
	funlockfile(stderr);
	free(message);
	return (int)code;
}

int app_fail_error(enum app_exit code, const char *program, const struct tern_error *error)
{
	fprintf(stderr, "%s: %s\n", program, error->text);
	return (int)code;
}

int app_stdout_finish(int code, const char *program)
{
	int failed = ferror(stdout);
	errno = 0;
	if (fflush(stdout) == 0 && !failed)
		return code;
	return app_fail(APP_UNAVAILABLE, program, "standard output cannot be written: %s",
			errno ? strerror(errno) : "an earlier write failed");
}

bool app_number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	if (errno || *end || number < min || number > max)
		return false;
	*value = number;
	return true;
}
