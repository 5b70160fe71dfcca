/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "tern_config.h"

#include "app.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <rte_common.h>

/* What the command line asks for. */
struct request {
	const char *path;
	const char **settings; /* in their order, to be applied after the file */
	size_t setting_count;
	bool path_needed;
};

static const struct argp_option options[] = {
	{"set", 's', "KEY=VALUE", 0, "Set SECTION.KEY to VALUE after the file; may be repeated", 0},
	{0},
};

static error_t parse_key(int key, char *arg, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 's':
		request->settings[request->setting_count++] = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (request->path)
			argp_usage(state);
		request->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (request->path_needed && !request->path)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

#define EXIT_STATUS                                \
	"Exit status:\n"                           \
	"  0   done\n"                             \
	"  2   wrong command line\n"               \
	"  66  FILE is absent or cannot be read\n" \
	"  69  output cannot be written\n"         \
	"  77  FILE may not be read\n"             \
	"  78  the configuration is refused\n"

static const struct argp check_argp = {
	.options = options,
	.parser = parse_key,
	.args_doc = "FILE",
	.doc = "Read a configuration, check it against this machine, and print what is in effect: "
	       "every key, defaults and the list of lcores filled in, and how many signals may "
	       "wait "
	       "for an agent."
	       "\v"
	       "FILE is INI: sections, key=value, comments after ; or #. A line that is refused is "
	       "named with its number, the value met and the values allowed; nothing is printed to "
	       "standard output then.\n"
	       "\n" EXIT_STATUS "\n"
	       "Examples:\n"
	       "  tern config check tern.ini\n"
	       "  tern config check --set engine.lcores=2-5 tern.ini\n",
};

static const struct argp show_argp = {
	.options = options,
	.parser = parse_key,
	.args_doc = "[FILE]",
	.doc = "Print a configuration, each key with what it accepts: the defaults, then FILE, "
	       "then "
	       "the settings."
	       "\v"
	       "Each value is checked by itself, not against this machine; the output is a "
	       "configuration file, made for one machine or another.\n"
	       "\n" EXIT_STATUS "\n"
	       "Examples:\n"
	       "  tern config show > tern.ini\n"
	       "  tern config show --set log.format=json tern.ini\n",
};

static int refuse(int rc, const struct tern_error *error, const char *program)
{
	bool content = rc == -EINVAL || rc == -ENODEV;
	enum app_exit code = content ? APP_CONFIG : rc == -EACCES ? APP_PERMISSION : APP_INPUT;

	return (int)app_fail_error(rc == -ENOMEM ? APP_UNAVAILABLE : code, program, error);
}

static int request_print(const struct request *request, const char *program)
{
	struct tern_config config;
	struct tern_error error = {""};
	int rc = 0;

	tern_config_init(&config);
	if (request->path)
		rc = tern_config_load(&config, request->path, &error);
	for (size_t i = 0; rc == 0 && i < request->setting_count; i++)
		rc = tern_config_set(&config, request->settings[i], &error);
	if (rc == 0 && request->path_needed)
		rc = tern_config_check(&config, &error);
	if (rc < 0)
		return refuse(rc, &error, program);
	tern_config_dump(&config, stdout); /* a failed write is seen at exit */
	if (request->path_needed)
		tern_config_dump_bounds(&config, stdout);
	return APP_OK;
}

static int config_print(const struct argp *argp, int argc, char **argv, bool check)
{
	struct request request = {.path_needed = check};
	int rc;

	request.settings = calloc((size_t)argc, sizeof(*request.settings));
	if (!request.settings)
		return (int)app_fail(APP_UNAVAILABLE, argv[0], "no memory");
	app_parse(argp, argc, argv, 0, &request);
	rc = request_print(&request, argv[0]);
	free(request.settings);
	return rc;
}

static int check_command(int argc, char **argv)
{
	return config_print(&check_argp, argc, argv, true);
}

static int show_command(int argc, char **argv)
{
	return config_print(&show_argp, argc, argv, false);
}

static const struct command commands[] = {
	{"check", "tern config check", check_command, "Check a file and print what is in effect"},
	{"show", "tern config show", show_command, "Print the defaults or a file, with all keys"},
};

static const struct command_set set = {
	.commands = commands,
	.count = RTE_DIM(commands),
	.doc = "Check or print a configuration of Tern.\v",
};

int config_command(int argc, char **argv)
{
	return command_set_run(&set, argc, argv);
}
