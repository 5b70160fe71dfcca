/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FINISH_H
#define FINISH_H

#include "lcore.h"

/*
 * Ending in good order: the agent takes no new signal, handles those on their way to it, and
 * ends when its mailbox is empty after a turn that left nothing in any lane, or when the time is
 * up.
 */

/** Let an agent finish by a time in clock ticks. Runs on its home lcore. */
void tern_finish_start(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t by);

/** Look which finishing agents are through. Returns how many. */
unsigned tern_finish_check(struct tern_lcore *lcore);

/** Forget an agent that ends. */
void tern_finish_forget(struct tern_lcore *lcore, struct tern_agent *agent);

#endif
