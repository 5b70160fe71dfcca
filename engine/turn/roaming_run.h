/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROAMING_RUN_H
#define ROAMING_RUN_H

#include <stdbool.h>

struct tern_agent;
struct tern_lcore;

/** Begin to run a roaming agent taken from a queue: it is this lcore's, and asked things done. */
void tern_roaming_begin(struct tern_lcore *lcore, struct tern_agent *agent);

/** Move signals from its ring to its mailbox; returns how many signals it may handle. */
unsigned tern_roaming_fetch(struct tern_lcore *lcore, struct tern_agent *agent, unsigned budget);

/**
 * Let an agent that has just begun go where the rebalance told it to, if nothing ties it: by now
 * what its last run sent has passed more often than at that run's end.
 */
bool tern_roaming_leave(struct tern_lcore *lcore, struct tern_agent *agent);

/** It ran: queue it again, or let it rest. */
void tern_roaming_settle(struct tern_lcore *lcore, struct tern_agent *agent, bool has_work);

#endif
