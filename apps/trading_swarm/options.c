/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "app.h"
#include "generator/generator.h"
#include "node/pair.h"
#include "options_text.h"
#include "agent/swarm_signals.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX UINT64_C(1000000000000)
#define DEPTH_MAX 10000

static uint64_t number(struct argp_state *state, const char *option, const char *text, uint64_t min,
		       uint64_t max)
{
	uint64_t value = min;
	if (!app_number_parse(text, min, max, &value))
		app_argument_fail(state, "%s is '%s', needs a number from %llu to %llu", option,
				  text, (unsigned long long)min, (unsigned long long)max);
	return value;
}

static void set_speed(struct argp_state *state, struct options *options, const char *text)
{
	if (!pace_parse_speed(&options->pace, text))
		app_argument_fail(state,
				  "--speed is '%s', needs max or a factor such as 1x, 10x or 0.5x",
				  text);
}

static void set_limit(struct argp_state *state, struct options *options, const char *text)
{
	struct tern_error error;
	if (risk_limits_set(&options->limits, text, &error) < 0)
		argp_error(state, "--limit: %s", error.text);
}

static error_t parse_feed(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case OPTION_FEED:
		options->feed_path = text;
		return 0;
	case OPTION_PORT:
		options->port = (uint16_t)number(state, "--port", text, 1, UINT16_MAX);
		return 0;
	case OPTION_MESSAGES:
		options->message_max = number(state, "--messages", text, 1, MESSAGES_MAX);
		return 0;
	case OPTION_SYMBOLS:
		options->symbol_count =
			(uint32_t)number(state, "--symbols", text, 1, GENERATOR_SYMBOLS_MAX);
		return 0;
	case OPTION_SEED:
		options->seed = number(state, "--seed", text, 0, UINT64_MAX);
		return 0;
	case OPTION_SPEED:
		set_speed(state, options, text);
		return 0;
	case OPTION_RATE:
		options->rate = number(state, "--rate", text, 1, PACE_RATE_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_swarm(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case OPTION_BOOKS:
		options->book_count = (uint32_t)number(state, "--books", text, 1, SWARM_BOOKS_MAX);
		return 0;
	case OPTION_STRATEGIES:
		options->strategy_count =
			(uint32_t)number(state, "--strategies", text, 1, SWARM_STRATEGIES_MAX);
		return 0;
	case OPTION_NODES:
		options->node_count = (uint32_t)number(state, "--nodes", text, 1, 2);
		return 0;
	case OPTION_FAULT:
		options->fault = text;
		return 0;
	case OPTION_LIMIT:
		set_limit(state, options, text);
		return 0;
	case OPTION_JSON:
		options->json = true;
		return 0;
	case OPTION_BOOKS_OUT:
		options->books_path = text;
		return 0;
	case OPTION_DEPTH:
		options->depth = (uint32_t)number(state, "--depth", text, 1, DEPTH_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_engine(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case OPTION_LCORES:
		options->lcores = text;
		return 0;
	case OPTION_TRACE_EVERY:
		options->trace_every =
			(uint32_t)number(state, "--trace-every", text, 0, UINT32_MAX);
		options->trace_given = true;
		return 0;
	case OPTION_CONFIG:
		options->config_path = text;
		return 0;
	case 'o':
		options->settings[options->setting_count++] = text;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void check_together(struct argp_state *state, struct options *options)
{
	if (options->feed_path && options->symbol_count)
		argp_error(state, "--symbols is for the generator, but --feed is given: leave one "
				  "of them out");
	if (!options->feed_path && options->port)
		argp_error(state, "--port is for a capture, but --feed is not given");
	if (options->json && options->books_path && strcmp(options->books_path, "-") == 0)
		argp_error(state, "--json and --books-out=- both go to standard output: give "
				  "--books-out a file");
	if (options->fault && options->node_count == 1)
		argp_error(state, "--fault is for the way between two nodes, but --nodes 2 is not "
				  "given");
	if (options->rate) {
		options->pace.kind = PACE_RATE;
		options->pace.rate = options->rate;
	}
	if (!options->feed_path && !options->message_max)
		options->message_max = OPTIONS_MESSAGES;
	if (!options->symbol_count)
		options->symbol_count = OPTIONS_SYMBOLS;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	if (key == ARGP_KEY_ARG)
		app_argument_fail(state,
				  "'%s' is one argument too many, needs none: a feed is given "
				  "with --feed %s",
				  text, text);
	if (key == ARGP_KEY_END)
		check_together(state, state->input);
	error_t code = parse_feed(key, text, state);
	if (code == ARGP_ERR_UNKNOWN)
		code = parse_swarm(key, text, state);
	if (code == ARGP_ERR_UNKNOWN)
		code = parse_engine(key, text, state);
	return code;
}

int options_parse(struct options *options, int argc, char **argv)
{
	const struct argp argp = {
		.options = options_list, .parser = parse_option, .doc = options_doc};
	*options = (struct options){
		.pace = {.kind = PACE_RATE, .rate = OPTIONS_RATE},
		.seed = 1,
		.book_count = OPTIONS_BOOKS,
		.strategy_count = OPTIONS_STRATEGIES,
		.node_count = 1,
		.depth = OPTIONS_DEPTH,
	};
	risk_limits_init(&options->limits);
	options->settings = calloc((size_t)argc + 1, sizeof(*options->settings));
	if (!options->settings)
		return -ENOMEM;
	app_parse(&argp, argc, argv, 0, options);
	return 0;
}

void options_fini(struct options *options)
{
	free(options->settings);
	options->settings = NULL;
}

static void set_defaults(const struct options *options, struct tern_config *config)
{
	tern_config_init(config);
	config->idle = TERN_IDLE_PAUSE; /* sleeping would show in every latency */
	config->seed = options->seed;
	config->trace_every = OPTIONS_TRACE_EVERY;
	config->max_agents = 1024;
	config->max_threads = 1;
	config->block_mib = 40;	   /* the feed is read ahead in blocks */
	config->data_depth = 4096; /* rides out an lcore that loses its CPU for a while */
	if (options->node_count == 2)
		config->dead_us = 3000000; /* likewise: a node that waits for a CPU is not lost */
}

int options_configure(const struct options *options, struct tern_config *config,
		      struct tern_error *error)
{
	char setting[1024]; /* longer texts than any key takes are cut, and refused */
	int code = 0;
	set_defaults(options, config);
	if (options->config_path)
		code = tern_config_load(config, options->config_path, error);
	for (size_t i = 0; code == 0 && i < options->setting_count; i++)
		code = tern_config_set(config, options->settings[i], error);
	if (code == 0 && options->lcores) {
		snprintf(setting, sizeof(setting), "engine.lcores=%s", options->lcores);
		code = tern_config_set(config, setting, error);
	}
	if (code == 0 && options->node_count == 2)
		code = pair_check(config, error);
	if (code == 0 && options->fault) {
		snprintf(setting, sizeof(setting), "node.fault=%s", options->fault);
		code = tern_config_set(config, setting, error);
	}
	if (options->trace_given)
		config->trace_every = options->trace_every;
	return code == 0 ? tern_config_check(config, error) : code;
}
