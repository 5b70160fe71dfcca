/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "tern_word.h"

#include "app.h"

#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMANDS_MAX 16

struct parse {
	const struct command_set *set;
	int at; /* index of the command in argv */
};

static error_t parse_key(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_ARG: /* the rest belongs to the command */
		parse->at = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Put the list of commands before the closing text of the help. */
static char *help_filter(int key, const char *text, void *input)
{
	const struct parse *parse = input;
	char *out = NULL;
	size_t size = 0;
	FILE *file;

	if (key != ARGP_KEY_HELP_POST_DOC || !parse || !(file = open_memstream(&out, &size)))
		return (char *)(uintptr_t)text;
	fputs("Commands:\n", file);
	for (size_t i = 0; i < parse->set->count; i++)
		fprintf(file, "  %-10s %s\n", parse->set->commands[i].name,
			parse->set->commands[i].summary);
	fprintf(file, "  %-10s %s\n\n%s", "help", "Explain a command", text ? text : "");
	return fclose(file) == 0 ? out : NULL;
}

static const struct command *command_find(const struct command_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->commands[i].name, name) == 0)
			return &set->commands[i];
	return NULL;
}

static int command_unknown(const struct command_set *set, const char *call, const char *name)
{
	const char *names[COMMANDS_MAX];
	size_t count = 0;

	while (count < set->count && count < COMMANDS_MAX) {
		names[count] = set->commands[count].name;
		count++;
	}
	const char *nearest = tern_word_nearest(name, names, count);
	if (nearest)
		return (int)app_fail(APP_USAGE, call, "\"%s\" is no command: did you mean \"%s\"?",
				     name, nearest);
	return (int)app_fail(APP_USAGE, call, "\"%s\" is no command; \"%s --help\" lists them",
			     name, call);
}

int command_set_run(const struct command_set *set, int argc, char **argv)
{
	struct parse parse = {.set = set};
	const struct argp argp = {.parser = parse_key,
				  .args_doc = "COMMAND [ARGUMENT...]",
				  .doc = set->doc,
				  .help_filter = help_filter};
	static char help[] = "--help";

	app_parse(&argp, argc, argv, ARGP_IN_ORDER, &parse);
	argc -= parse.at;
	char **rest = argv + parse.at;
	if (strcmp(rest[0], "help") == 0) { /* help NAME... is NAME... --help */
		memmove(rest, rest + 1, (size_t)(argc - 1) * sizeof(*rest));
		rest[argc - 1] = help;
		return command_set_run(set, argc + parse.at, argv);
	}
	const struct command *command = command_find(set, rest[0]);
	if (!command)
		return command_unknown(set, argv[0], rest[0]);
	rest[0] = (char *)(uintptr_t)command->call;
	return command->run(argc, rest);
}
