/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_command.h"

#include "feed_subcommands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *program;
	int (*run)(int argc, char **argv);
} subcommands[] = {
	{"generate", "tern feed generate", feed_generate_run},
	{"stat", "tern feed stat", feed_stat_run},
	{"book", "tern feed book", feed_book_run},
};

#define SUBCOMMAND_COUNT (sizeof(subcommands) / sizeof(subcommands[0]))

uint64_t feed_option_number(struct argp_state *state, const char *option, const char *text,
			    uint64_t min, uint64_t max)
{
	uint64_t value = min;
	if (!app_number_parse(text, min, max, &value))
		app_argument_fail(state, "%s is '%s', needs a number from %llu to %llu", option,
				  text, (unsigned long long)min, (unsigned long long)max);
	return value;
}

int feed_source_fail(const char *program, int code, const struct tern_error *error)
{
	return app_fail_error(code == -ENOMEM ? APP_UNAVAILABLE : APP_INPUT, program, error);
}

int feed_faults_print(const char *program, const char *path, struct feed_source *source)
{
	const struct feed_counters *counters = feed_source_counters(source);
	const char *place = feed_format_place(feed_source_format(source));
	for (int i = FEED_OK + 1; i < FEED_ANOMALY_LIMIT; i++) {
		const struct feed_anomaly_info *info = feed_anomaly_info((enum feed_anomaly)i);
		if (info->severity == FEED_FAULT && counters->count[i])
			app_fail(APP_FOUND, program, "%s: %s: %llu, first at %s %llu: %s", path,
				 info->name, (unsigned long long)counters->count[i], place,
				 (unsigned long long)counters->first_place[i], info->text);
	}
	return feed_counters_faulty(counters) ? APP_FOUND : APP_OK;
}

struct choice {
	size_t subcommand;
	int position; /* of its name in argv */
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct choice *choice = state->input;
	size_t chosen = 0;
	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "a subcommand is missing, needs generate, stat or book");
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	while (chosen < SUBCOMMAND_COUNT && strcmp(subcommands[chosen].name, text) != 0)
		chosen++;
	if (chosen == SUBCOMMAND_COUNT)
		app_argument_fail(state, "no subcommand '%s', needs generate, stat or book", text);
	*choice = (struct choice){chosen, state->next - 1};
	state->next = state->argc; /* the rest is the subcommand's */
	return 0;
}

int tern_feed_command(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_option,
		.args_doc = "generate|stat|book [OPTION...]",
		.doc = "Make, check and replay market-data files (ITCH 5.0 in BinaryFILE, or in "
		       "MoldUDP64 packets captured as pcap or pcapng).\v"
		       "  generate  make a seeded fragment of a trading day\n"
		       "  stat      count messages, gaps and everything that is wrong\n"
		       "  book      print an order book after given numbers of messages\n\n"
		       "Each has its own --help.",
	};
	struct choice choice = {0, 1};
	char *name = argv[0];
	argp_err_exit_status = APP_USAGE;
	argv[0] = (char[]){"tern feed"};
	error_t error = app_parse(&argp, argc, argv, ARGP_IN_ORDER, &choice);
	argv[0] = name;
	if (error)
		return app_fail(APP_UNAVAILABLE, "tern feed", "%s", strerror(error));
	char program[64];
	snprintf(program, sizeof(program), "%s", subcommands[choice.subcommand].program);
	argv[choice.position] = program;
	return subcommands[choice.subcommand].run(argc - choice.position, argv + choice.position);
}
