/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROAMING_H
#define ROAMING_H

#include <stdbool.h>
#include <stdint.h>

struct tern_agent;
struct tern_asked;
struct tern_lcore;
struct tern_room;

/** Agents of one run ring that the policy holds at a time. */
#define TERN_ROAMING_ADMITTED 1
/** The same while it holds pinned ones, too, to weigh them against. */
#define TERN_ROAMING_BESIDE 4
/** Runs of the LIFO slot in a row before the others have their turn. */
#define TERN_LIFO_RUNS 3
/** Every so many refills look at the global queue first. */
#define TERN_GLOBAL_EVERY 61

/** Have a roaming agent run for the first time. Context: who made it, once it is known. */
void tern_roaming_start(struct tern_lcore *lcore, struct tern_agent *agent);

/** Have a roaming agent run, because something was left for it. Any lcore or thread. */
void tern_roaming_wake(struct tern_lcore *lcore, struct tern_agent *agent);

/** Have an agent run that is at rest, pinned or roaming. Context: the lcore that it is tied to. */
void tern_ready_wake(struct tern_lcore *lcore, struct tern_agent *agent);

/** Take the agents woken by others, and give the policy its share of those that wait. */
void tern_roaming_admit(struct tern_lcore *lcore);

/** The agent of the LIFO slot, if it is to run next; NULL. */
struct tern_agent *tern_roaming_lifo(struct tern_lcore *lcore);

/** Queue an agent that is in the caller's hands, here. */
void tern_roaming_queue(struct tern_lcore *lcore, struct tern_agent *agent);

/** Hand an agent that is in the caller's hands to the lcore that ran it last. */
void tern_roaming_hand(struct tern_agent *agent, struct tern_asked *asked);

/** Whether nothing but its lanes ties an agent to the lcore that ran it last. */
bool tern_roaming_is_loose(const struct tern_agent *agent);

/** The same, but for some of the flags that tie it. */
bool tern_roaming_is_loose_but_for(const struct tern_agent *agent, uint32_t ignored);

/** Whether an lcore may run an agent: one with a rate only where rates are kept. Any thread. */
bool tern_roaming_suits(const struct tern_lcore *lcore, const struct tern_agent *agent);

/** Whether what the agent sent has passed the lanes of the lcore that ran it last. */
bool tern_roaming_may_move(const struct tern_lcore *lcore, const struct tern_agent *agent);

/** Have whoever lives in a room run, that has been woken. Any lcore or thread. */
void tern_roaming_schedule(struct tern_lcore *lcore, const struct tern_room *room);

#endif
