/* SPDX-License-Identifier: Apache-2.0 */
#include "json_text.h"

#include "tern_plain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *app_json_string(const char *text)
{
	char shown[TERN_PLAIN_CHAR_MAX], *quoted = NULL;
	size_t size;
	FILE *file = open_memstream(&quoted, &size);
	if (!file)
		return NULL;
	putc('"', file);
	for (size_t left = strlen(text); left;) {
		size_t taken = tern_plain_char(TERN_PLAIN_JSON, text, left, shown);
		fputs(shown, file);
		text += taken;
		left -= taken;
	}
	putc('"', file);
	json_t *string = fclose(file) == 0 ? json_loads(quoted, JSON_DECODE_ANY, NULL) : NULL;
	free(quoted);
	return string;
}

/* Quotes, backslashes and C0 are the serializer's work; what is left stands in strings. */
static void print_plain(const char *text)
{
	char shown[TERN_PLAIN_CHAR_MAX];
	for (size_t left = strlen(text); left;) {
		size_t taken = strspn(text, "\n\"\\");
		if (taken) {
			fwrite(text, taken, 1, stdout);
		} else {
			taken = tern_plain_char(TERN_PLAIN_JSON, text, left, shown);
			fputs(shown, stdout);
		}
		text += taken;
		left -= taken;
	}
}

int app_json_print(json_t *value, size_t flags)
{
	char *text = value ? json_dumps(value, flags) : NULL;
	json_decref(value);
	if (!text)
		return -ENOMEM;
	print_plain(text);
	free(text);
	return ferror(stdout) ? -EIO : 0;
}
