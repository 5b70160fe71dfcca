/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_error.h"

#include <stdarg.h>
#include <stdio.h>

int tern_error_set(struct tern_error *error, int code, const char *format, ...)
{
	if (error) {
		va_list args;
		va_start(args, format);
		vsnprintf(error->text, sizeof(error->text), format, args);
		va_end(args);
	}
	return code;
}
