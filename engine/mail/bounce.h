/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include <stdbool.h>

#include "tern_address.h"

struct tern_engine;
struct tern_lcore;
struct tern_signal;

/** Report a signal nobody will handle any more, and free its block. */
void tern_engine_undelivered(struct tern_lcore *lcore, struct tern_signal *signal);

/**
 * Send a signal back where it came from; drop it where that is dead too.
 *
 * @param had_cell  it lay in a cell of this lcore, which is free now
 */
void tern_life_bounce(struct tern_lcore *lcore, const struct tern_signal *signal, bool had_cell);

/** Make a signal one that comes back to its sender, from a receiver that did not handle it. */
void tern_signal_turn_back(struct tern_signal *signal, tern_address receiver);

/** Free the block of a signal nobody will handle. */
void tern_signal_discard(struct tern_lcore *lcore, struct tern_signal *signal);

/** Nobody can be told of a signal that came back: free its block, and count it as lost. */
void tern_signal_lose(struct tern_lcore *lcore, const struct tern_signal *signal);

/** Count a signal that nobody handles any more, and keep who it is for. Any lcore. */
void tern_engine_list_undelivered(struct tern_engine *engine, const struct tern_signal *signal);

#endif
