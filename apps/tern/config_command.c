/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "config_source.h"

#include "app.h"

#include <argp.h>
#include <stdbool.h>

#include <rte_common.h>

/* What the command line asks for. */
struct request {
	struct config_source source;
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
		request->source.settings[request->source.setting_count++] = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (request->source.path)
			argp_usage(state);
		request->source.path = arg;
		return 0;
	case ARGP_KEY_END:
		if (request->path_needed && !request->source.path)
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

static int request_print(const struct request *request, const char *program)
{
	struct tern_config config;
	struct tern_error error = {""};
	int code = config_source_load(&request->source, &config, program);

	if (code != APP_OK)
		return code;
	int rc = request->path_needed ? tern_config_check(&config, &error) : 0;
	if (rc < 0)
		return config_source_refuse(rc, &error, program);
	tern_config_dump(&config, stdout); /* a failed write is seen at exit */
	if (request->path_needed)
		tern_config_dump_bounds(&config, stdout);
	return APP_OK;
}

static int config_print(const struct argp *argp, int argc, char **argv, bool check)
{
	struct request request = {.path_needed = check};
	int rc;

	if (!config_source_init(&request.source, argc))
		return (int)app_fail(APP_UNAVAILABLE, argv[0], "no memory");
	app_parse(argp, argc, argv, 0, &request);
	rc = request_print(&request, argv[0]);
	config_source_fini(&request.source);
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
