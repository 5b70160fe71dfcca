/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int app_fail(enum app_exit code, const char *program, const char *format, ...)
{
	va_list args;
	flockfile(stderr);
	fprintf(stderr, "%s: ", program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	putc('\n', stderr);
	funlockfile(stderr);
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
