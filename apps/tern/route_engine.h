/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROUTE_ENGINE_H
#define ROUTE_ENGINE_H

#include "tern_inspect.h"

#include <stdbool.h>

/** Which engine a person means: what is not given does not matter. */
struct engine_choice {
	bool pid_given, number_given;
	pid_t pid;
	uint32_t number;
};

/**
 * Find the one engine that is meant.
 *
 * @param program  borrows; as the person typed it, to show how one of several is picked
 * @param engine   yields it
 * @return an exit code: APP_OK; APP_USAGE: several are meant; APP_PERMISSION: only those of other
 *         users are; APP_UNAVAILABLE: none is. A message is written.
 */
int engine_choose(const char *program, const struct engine_choice *choice,
		  struct tern_inspect_engine *engine);

#endif
