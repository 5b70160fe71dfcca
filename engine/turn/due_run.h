/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DUE_RUN_H
#define DUE_RUN_H

#include <stdbool.h>

struct tern_agent;
struct tern_lcore;

/**
 * Run an agent on what is due to it, at the begin of a run; of a fiber, all but its timers, which
 * it receives. Runs the agent. Returns signals handled.
 */
unsigned tern_due_run(struct tern_lcore *lcore, struct tern_agent *agent);

/** Whether more is due than one run tells: it comes before what waits in the mailbox. */
bool tern_due_is_first(const struct tern_lcore *lcore, const struct tern_agent *agent);

#endif
