/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Options that argp adds to each program. */
static const char *const common_options[] = {"help", "usage", "version", NULL};

void app_argument_fail(const struct argp_state *state, const char *format, ...)
{
	va_list args;
	char *message, *shown = NULL;
	va_start(args, format);
	int length = vasprintf(&message, format, args);
	va_end(args);
	if (length >= 0) {
		size_t size = TERN_PLAIN_MAX((size_t)length);
		shown = malloc(size);
		if (shown)
			tern_plain_text(shown, size, message);
		free(message);
	}
	argp_error(state, "%s", shown ? shown : "no memory for the message");
	free(shown);
}

static bool text_is_plain(const char *text)
{
	char shown[TERN_PLAIN_CHAR_MAX];
	for (size_t left = strlen(text); left;) {
		size_t taken = tern_plain_char(TERN_PLAIN_TEXT, text, left, shown);
		if (shown[0] == '\\' && *text != '\\')
			return false;
		text += taken;
		left -= taken;
	}
	return true;
}

/* How many options the name may be short for; 1 where it is one in full. */
static unsigned names_match(const struct argp *argp, const char *name, size_t length)
{
	const struct argp_option *option = argp->options;
	unsigned count = 0;
	for (; option && (option->name || option->key || option->doc || option->group); option++) {
		if (!option->name || strncmp(option->name, name, length) != 0)
			continue;
		if (!option->name[length])
			return 1;
		count++;
	}
	for (const char *const *common = common_options; *common; common++)
		count += strncmp(*common, name, length) == 0;
	return count;
}

static bool takes_value(const struct argp *argp, char letter)
{
	const struct argp_option *option = argp->options;
	for (; option && (option->name || option->key || option->doc || option->group); option++)
		if (option->key == letter)
			return option->arg != NULL;
	return false;
}

/* Whether argp can read it as an option, so that it does not repeat it in a message. */
static bool option_is_known(const struct argp *argp, const char *argument)
{
	if (argument[1] == '-')
		return names_match(argp, argument + 2, strcspn(argument + 2, "=")) == 1;
	for (const char *letter = argument + 1; *letter; letter++) {
		if (takes_value(argp, *letter))
			return true; /* the rest is its value */
		if (*letter <= ' ' || *letter > '~')
			return false;
	}
	return true;
}

error_t app_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		bool option = argv[i][0] == '-' && argv[i][1];
		if (!option && flags & ARGP_IN_ORDER)
			break; /* the rest is another parser's */
		if (option && !text_is_plain(argv[i]) && !option_is_known(argp, argv[i]))
			exit(app_fail(APP_USAGE, argv[0],
				      "\"%s\" is no option; \"%s --help\" lists them", argv[i],
				      argv[0]));
	}
	return argp_parse(argp, argc, argv, flags, NULL, input);
}
