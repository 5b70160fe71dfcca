/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INSPECT_H
#define INSPECT_H

#include <stdbool.h>

union tern_inspect_reply;
union tern_inspect_request;

struct tern_engine;

/*
 * The inspector: a helper thread that tells others about a running engine (tern_inspect.h). It is
 * a reader of the routing table like an lcore, and quiet but for the moments of an answer. What a
 * client does or leaves undone costs that client its connection, nobody else anything.
 */

/** Start the inspector where the configuration wants one. The engine runs without one, too. */
void tern_inspect_start(struct tern_engine *engine);

/** End its thread. */
void tern_inspect_stop(struct tern_engine *engine);
void tern_inspect_free(struct tern_engine *engine);

/** Make the socket, without a thread. 0 or negative errno. */
int tern_inspect_listen(struct tern_engine *engine);

/**
 * Serve those who ask.
 *
 * @param ms_max  longest wait for somebody; -1: for ever
 * @return false: the inspector shall end
 */
bool tern_inspect_poll(struct tern_engine *engine, int ms_max);

/** Answer a request that is in order. */
void tern_inspect_answer(const struct tern_engine *engine,
			 const union tern_inspect_request *request,
			 union tern_inspect_reply *reply);

#endif
