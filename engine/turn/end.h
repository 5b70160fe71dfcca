/* SPDX-License-Identifier: Apache-2.0 */
#ifndef END_H
#define END_H

struct tern_agent;
struct tern_lcore;

/** End an agent that is not listed: on_stop, timers, mailbox, id, slot. Runs the agent. */
void tern_life_end(struct tern_lcore *lcore, struct tern_agent *agent);

/** End every agent that lives on an lcore. */
void tern_lcore_end_agents(struct tern_lcore *lcore);

#endif
