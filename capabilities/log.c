/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include "tern_plain.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>

/* One key=value pair of the caller's fields, in place. */
struct field {
	const char *key;
	size_t key_length; /* 0: text that belongs to no key */
	const char *value;
	size_t value_length;
	bool quoted;
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static size_t key_length(const char *text)
{
	size_t length = 0;

	while (isalnum((unsigned char)text[length]) ||
	       (text[length] && strchr("_.-", text[length])))
		length++;
	return text[length] == '=' ? length : 0;
}

/* True at the end of the text and where a blank is followed by the next key=. */
static bool field_ends(const char *text)
{
	return !*text || (*text == ' ' && key_length(text + 1));
}

/*
 * A value is not escaped by its caller, so that it may hold quotes and blanks itself: it ends
 * only where the text ends or the next key= begins.
 */
static const char *field_next(const char *text, struct field *field)
{
	field->key = text;
	field->key_length = key_length(text);
	if (field->key_length)
		text += field->key_length + 1;
	field->quoted = *text == '"';
	field->value = text += field->quoted;
	while (*text && !(field->quoted ? *text == '"' && field_ends(text + 1) : field_ends(text)))
		text++;
	field->value_length = (size_t)(text - field->value);
	text += field->quoted && *text;
	return text + (*text == ' ');
}

static size_t digits(const char **at, const char *end)
{
	const char *start = *at;

	while (*at < end && isdigit((unsigned char)**at))
		(*at)++;
	return (size_t)(*at - start);
}

/* The number grammar of RFC 8259, section 6. */
static bool is_number(const char *at, size_t length)
{
	const char *end = at + length;

	at += at < end && *at == '-';
	bool zero = at < end && *at == '0';
	size_t count = digits(&at, end);
	if (!count || (zero && count > 1))
		return false;
	if (at < end && *at == '.' && (at++, !digits(&at, end)))
		return false;
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		at += at < end && (*at == '+' || *at == '-');
		if (!digits(&at, end))
			return false;
	}
	return at == end;
}

static bool is_literal(const struct field *field)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < RTE_DIM(words); i++)
		if (field->value_length == strlen(words[i]) &&
		    !memcmp(field->value, words[i], field->value_length))
			return true;
	return is_number(field->value, field->value_length);
}

/* A JSON string, in both formats: no value can forge a line, a field or a terminal command. */
static void string_write(FILE *line, const char *text, size_t length)
{
	char shown[TERN_PLAIN_CHAR_MAX];

	putc_unlocked('"', line);
	while (length) {
		size_t taken = tern_plain_char(TERN_PLAIN_JSON, text, length, shown);
		fputs_unlocked(shown, line);
		text += taken;
		length -= taken;
	}
	putc_unlocked('"', line);
}

/* A bare value stays bare in text as long as it is one printable word. */
static bool is_bare(const struct field *field)
{
	if (field->quoted || !field->value_length)
		return false;
	for (size_t i = 0; i < field->value_length; i++)
		if (field->value[i] <= ' ' || field->value[i] > '~' ||
		    strchr("\"\\", field->value[i]))
			return false;
	return true;
}

static void field_write(FILE *line, const struct field *field, bool json)
{
	const char *key = field->key_length ? field->key : "text";
	int length = field->key_length ? (int)field->key_length : 4;

	fprintf(line, json ? ",\"%.*s\":" : " %.*s=", length, key);
	if (json ? !field->quoted && is_literal(field) : is_bare(field))
		fwrite_unlocked(field->value, field->value_length, 1, line);
	else
		string_write(line, field->value, field->value_length);
}

static void head_write(FILE *line, bool json, int level, const char *event)
{
	struct timespec now;
	struct tm tm;
	char seconds[32];
	const char *name = level_names[RTE_MIN(RTE_MAX(level, 0), 3)];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(line,
		json ? "{\"time\":\"%s.%06ldZ\",\"level\":\"%s\",\"event\":"
		     : "%s.%06ldZ level=%s event=",
		seconds, now.tv_nsec / 1000, name);
	string_write(line, event, strlen(event));
}

static void line_write(FILE *line, bool json, int level, const char *event, const char *fields)
{
	struct field field;

	head_write(line, json, level, event);
	while (*fields) {
		fields = field_next(fields, &field);
		field_write(line, &field, json);
	}
	fputs(json ? "}\n" : "\n", line);
}

void tern_log_write(const struct tern_log *log, int level, const char *event, const char *format,
		    ...)
{
	char *fields = NULL, *text = NULL;
	size_t size = 0;

	if (level > log->level)
		return;
	if (format) {
		va_list args;
		va_start(args, format);
		int length = vasprintf(&fields, format, args);
		va_end(args);
		if (length < 0)
			return;
	}
	FILE *line = open_memstream(&text, &size);
	if (line) {
		line_write(line, log->json, level, event, fields ? fields : "");
		if (fclose(line) == 0) {
			fwrite(text, size, 1, log->file);
			fflush(log->file);
		}
		free(text);
	}
	free(fields);
}
