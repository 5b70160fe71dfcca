/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_OPTIONS_H
#define ENGINE_OPTIONS_H

#include "route_engine.h"

#include <argp.h>

enum { OPTION_ENGINE_PID = 0x200, OPTION_ENGINE_NUMBER };

/** Rows of an argp_option table by which a person says which engine is meant. */
#define ENGINE_OPTION_ROWS                                                               \
	{"pid", OPTION_ENGINE_PID, "PID", 0, "Ask an engine of this process", 1},        \
	{                                                                                \
		"engine", OPTION_ENGINE_NUMBER, "N", 0, "Ask engine N of its process", 1 \
	}

/** What all these commands end with. */
#define ENGINE_EXIT_STATUS                                              \
	"  2   wrong command line, or several engines to choose from\n" \
	"  69  no engine is there or answers, or it has no network\n"   \
	"  77  the engine is another user's\n"

/** The whole number that an option takes; leaves with a message where it is none. */
uint64_t engine_option_number(const struct argp_state *state, const char *option, const char *text,
			      uint64_t min, uint64_t max);

/** Take an option of ENGINE_OPTION_ROWS. 0; ARGP_ERR_UNKNOWN: it is another. */
error_t engine_option_take(int key, char *arg, struct argp_state *state,
			   struct engine_choice *choice);

/** An engine that is asked. */
struct engine_asked {
	const char *program; /* as the person typed it */
	struct tern_inspect_engine engine;
	struct tern_inspect *inspect;
};

/**
 * Find the engine that is meant, and begin to ask it.
 *
 * @param asked  yields it, to be given to engine_asked_close(); untouched on failure
 * @return an exit code; a message is written where it is not APP_OK
 */
int engine_asked_open(const char *program, const struct engine_choice *choice,
		      struct engine_asked *asked);

void engine_asked_close(struct engine_asked *asked);

/** Say why an engine did not answer. Returns an exit code. */
int engine_asked_refuse(const struct engine_asked *asked, int code, const struct tern_error *error);

#endif
