/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_plain.h"

#include <stdio.h>

int tern_error_vset(struct tern_error *error, int code, const char *format, va_list args)
{
	char text[sizeof(error->text)];

	if (!error)
		return code;
	vsnprintf(text, sizeof(text), format, args);
	tern_plain_text(error->text, sizeof(error->text), text);
	return code;
}

int tern_error_set(struct tern_error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tern_error_vset(error, code, format, args);
	va_end(args);
	return code;
}
