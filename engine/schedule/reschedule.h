/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RESCHEDULE_H
#define RESCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct tern_lcore;
struct tern_reschedule;
struct tern_scheduler;

/*
 * The policy of an lcore: the first one, and another while it runs. Whoever asks for another gets
 * the memory that it takes, and leaves both in lcore->next_policy; the lcore takes them up between
 * two turns, with all agents that are ready.
 */

/**
 * Get the memory of a policy. Context: before the lcore runs, or while arrivals.reschedule is 0.
 *
 * @param schedule  enum tern_schedule
 * @param custom    of TERN_SCHEDULE_CUSTOM: whole. Keeps
 * @return 0; -ENOMEM: nothing was kept
 */
int tern_reschedule_prepare(const struct tern_lcore *lcore, uint32_t schedule,
			    const struct tern_scheduler *custom, struct tern_reschedule *change);

/** Give it back. */
void tern_reschedule_drop(const struct tern_lcore *lcore, struct tern_reschedule *change);

/** Choose by it from now on, and give back the memory of the one before. No agent is ready. */
void tern_reschedule_use(struct tern_lcore *lcore, const struct tern_reschedule *change);

/**
 * Take up the policy that was asked for, if one was. Context: the lcore, between two turns.
 *
 * @return false: the policy before, the program's own, keeps agents to itself, and all is as it was
 */
bool tern_reschedule_take(struct tern_lcore *lcore);

#endif
