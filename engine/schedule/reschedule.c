/* SPDX-License-Identifier: Apache-2.0 */
#include "reschedule.h"

#include <errno.h>
#include <sys/mman.h>

#include "engine/lcore/agent_state.h"
#include "engine/lcore/engine.h"
#include "ready.h"

static void *reserve_bytes(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static size_t order_bytes(const struct tern_lcore *lcore)
{
	return (size_t)lcore->slots * sizeof(struct tern_order_entry);
}

static bool needs_order(uint32_t schedule)
{
	return schedule == TERN_SCHEDULE_FAIR_SHARE || schedule == TERN_SCHEDULE_RATE;
}

int tern_reschedule_prepare(const struct tern_lcore *lcore, uint32_t schedule,
			    const struct tern_scheduler *custom, struct tern_reschedule *change)
{
	*change = (struct tern_reschedule){.policy = &tern_ready_policies[schedule],
					   .era = lcore->engine->era};
	if (needs_order(schedule) && !lcore->ready.order.entries)
		return (change->entries = reserve_bytes(order_bytes(lcore))) ? 0 : -ENOMEM;
	if (schedule != TERN_SCHEDULE_CUSTOM)
		return 0;
	change->custom = custom;
	change->custom_bytes = custom->bytes ? custom->bytes(lcore->slots) : 0;
	if (change->custom_bytes && !(change->custom_state = reserve_bytes(change->custom_bytes)))
		return -ENOMEM;
	return 0;
}

void tern_reschedule_drop(const struct tern_lcore *lcore, struct tern_reschedule *change)
{
	if (change->entries)
		munmap(change->entries, order_bytes(lcore));
	if (change->custom_state)
		munmap(change->custom_state, change->custom_bytes);
	change->entries = NULL;
	change->custom_state = NULL;
}

/* Entries stay with the lcore: it may come back to a policy that needs them. */
static void adopt_memory(struct tern_ready *ready, const struct tern_reschedule *change)
{
	if (ready->custom_state)
		munmap(ready->custom_state, ready->custom_bytes);
	ready->custom = change->custom;
	ready->custom_state = change->custom_state;
	ready->custom_bytes = change->custom_bytes;
	if (change->entries)
		ready->order.entries = change->entries;
}

void tern_reschedule_use(struct tern_lcore *lcore, const struct tern_reschedule *change)
{
	struct tern_ready *ready = &lcore->ready;
	adopt_memory(ready, change);
	ready->floor = 0;
	ready->era = change->era;
	memset(ready->passed, 0, sizeof(ready->passed));
	lcore->turn.hold &= (uint8_t)~TERN_HOLD_POLICY;
	if (!lcore->is_thread &&
	    (change->policy->queues_all || lcore->engine->config.max_concurrent))
		lcore->turn.hold |= TERN_HOLD_POLICY;
	/* Others ask which it is: tern_ready_keeps_rates(). */
	tern_store(&ready->policy, change->policy);
	if (!ready->custom || !ready->custom->init)
		return;
	tern_fault_beside(lcore->guard.scope, TERN_POLICY_BESIDE);
	ready->custom->init(ready->custom_state, lcore->slots, tern_rng_next(&lcore->rng));
	tern_fault_beside(lcore->guard.scope, NULL);
}

/* Unlisted one by one: a policy of the program's own that names one twice is not believed. */
static bool empty_policy(struct tern_lcore *lcore, struct tern_ready_list *out)
{
	const struct tern_ready *ready = &lcore->ready;
	struct tern_agent *agent;
	uint32_t taken = 0;
	out->head = TERN_SLOT_NONE;
	while (taken < ready->count &&
	       (agent = ready->policy->take ? ready->policy->take(lcore)
					    : ready->policy->pop(lcore)) != NULL) {
		tern_agent_unlist(agent);
		tern_ready_list_push(lcore, out, agent);
		taken++;
	}
	return taken == ready->count;
}

static void fill_policy(struct tern_lcore *lcore, struct tern_ready_list *from)
{
	struct tern_agent *agent;
	while ((agent = tern_ready_list_pop(lcore, from)) != NULL) {
		tern_agent_on_queue(agent);
		lcore->ready.policy->push(lcore, agent);
	}
}

/*
 * Acquire pairs with the release in reschedule_lcore() of policy.c: next_policy is whole. The
 * release pairs with the acquire there: whoever asks next finds what this lcore has left of it.
 */
bool tern_reschedule_take(struct tern_lcore *lcore)
{
	struct tern_ready_list agents;
	if (!__atomic_load_n(&lcore->arrivals.reschedule, __ATOMIC_ACQUIRE))
		return true;
	bool empty = empty_policy(lcore, &agents);
	if (empty)
		tern_reschedule_use(lcore, &lcore->next_policy);
	fill_policy(lcore, &agents);
	if (empty)
		__atomic_store_n(&lcore->arrivals.reschedule, 0, __ATOMIC_RELEASE);
	return empty;
}
