/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCORE_TURN_H
#define LCORE_TURN_H

#include <stdbool.h>

struct tern_lcore;

/**
 * Retry what waits for a lane; hand blocks of others over, in batches or `all`. Returns the work
 * done. Runs agents whose signals came back.
 */
unsigned tern_lcore_flush(struct tern_lcore *lcore, bool all);

/** Run one turn; returns the work done. Runs agents. */
unsigned tern_lcore_turn(struct tern_lcore *lcore);

/** Put the agent that was taken from a queue back, or at rest. Runs it. Also after a fault. */
void tern_lcore_put_back(struct tern_lcore *lcore);

/** Count what was handled in place. */
void tern_lcore_settle_in_place(struct tern_lcore *lcore);

/**
 * From here on this thread runs that lcore, NULL: none, so that it stops to in a child that one of
 * its functions forks. Returns the one before.
 */
struct tern_lcore *tern_lcore_enter(struct tern_lcore *lcore);

/** Watch for forks, once in a process. */
void tern_lcore_watch_forks(void);

/** Take the turns of an lcore, up to its end. Context: its own thread. */
void tern_lcore_main(struct tern_lcore *lcore);

/** The same from a thread that is no lcore: it brings the recovery point. */
void tern_lcore_end_polled(struct tern_lcore *lcore);

/** A turn that its thread is not made for: with a fault point of its own. Runs agents. */
unsigned tern_lcore_turn_polled(struct tern_lcore *lcore);

#endif
