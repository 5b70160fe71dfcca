/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "agent/pace.h"
#include "agent/risk_limits.h"
#include "tern_config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the command line asks for. */
struct options {
	const char *feed_path; /* NULL: the generator */
	uint16_t port;	       /* UDP port of a capture; 0: all */
	struct pace pace;
	uint64_t rate;	       /* given with --rate; 0: not given */
	uint64_t message_max;  /* 0: not given */
	uint32_t symbol_count; /* of the generator; 0: not given */
	uint64_t seed;
	uint32_t book_count;
	uint32_t strategy_count;
	uint32_t node_count; /* processes: 1 or 2 */
	const char *fault;   /* on the way between them; NULL: none */
	struct risk_limits limits;
	const char *books_path; /* NULL: none */
	uint32_t depth;		/* levels of each side in that file */
	bool json;

	/* of the engine, in the order in which they count */
	const char *config_path;
	const char **settings;
	size_t setting_count;
	const char *lcores;
	uint32_t trace_every;
	bool trace_given;
};

/**
 * Read the command line; on a wrong one, say so and leave with APP_USAGE.
 *
 * @param options  out: borrows from argv; end it with options_fini()
 * @return 0 or -ENOMEM
 *
 * Context: the main thread.
 */
int options_parse(struct options *options, int argc, char **argv);

/** Free what options_parse() allocated. */
void options_fini(struct options *options);

/**
 * Make the engine's configuration: the swarm's defaults, the file, the settings, the options; and
 * check it against this machine.
 *
 * @return 0, or what tern_config_load(), tern_config_set() and tern_config_check() return
 *
 * Context: the main thread. Borrows all arguments.
 */
int options_configure(const struct options *options, struct tern_config *config,
		      struct tern_error *error);

#endif
