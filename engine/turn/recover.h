/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECOVER_H
#define RECOVER_H

#include <stdbool.h>

struct tern_engine;
struct tern_error;
struct tern_lcore;

/*
 * What an lcore does after an agent's fault: the agent fails, and the next turn begins. A fault
 * leaves by a jump to the loop, so nothing that must survive it may live in locals of the turn:
 * positions of lanes, what is counted and what is in hand are members of the lcore.
 */

/** Take part in the process's handling of faults. 0; negative errno. */
int tern_recover_install(struct tern_engine *engine, struct tern_error *error);
void tern_recover_remove(struct tern_engine *engine);

/** From now on this thread runs all lcores, and recovers for them. */
void tern_recover_by_poller(struct tern_engine *engine);

/** This thread is about to run an lcore that may be another's. False: faults are not contained. */
bool tern_recover_here(struct tern_lcore *lcore);

/** Prepare this thread to run an lcore whose agents may fail. */
void tern_recover_enter(struct tern_lcore *lcore);
void tern_recover_leave(struct tern_lcore *lcore);

/** Put an lcore in order after a fault, and fail the agent that ran. Runs the agent. */
void tern_recover_from(struct tern_lcore *lcore);

#endif
