/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FINISH_H
#define FINISH_H

#include <stdbool.h>
#include <stdint.h>

#include "tern_address.h"

struct tern_agent;
struct tern_lcore;

/*
 * Ending in good order: the agent takes no new signal, handles those on their way to it, and
 * ends when its mailbox is empty after a turn that left nothing in any lane, or after as many turns
 * as the longest lane takes, or when the time is up. Asked like a stop (ask.h): the time is in the
 * slot's reserve, the list goes through it.
 */

/** Ask an agent to finish by a time in clock ticks; the earliest counts. False: it is gone. */
bool tern_finish_ask(struct tern_lcore *lcore, tern_address agent, uint64_t by);

/** Let an agent finish that was asked to. Runs on its home lcore. */
void tern_finish_start(struct tern_lcore *lcore, struct tern_agent *agent);

/** Look which finishing agents are through, some in each turn. Returns how many. */
unsigned tern_finish_check(struct tern_lcore *lcore);

/** Forget an agent that ends. */
void tern_finish_forget(struct tern_lcore *lcore, struct tern_agent *agent);

#endif
