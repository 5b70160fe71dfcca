/* SPDX-License-Identifier: Apache-2.0 */

/* Another scheduling policy on a running engine: asked for by any thread, taken up by each lcore.
 */
#include <errno.h>

#include "engine/lcore/engine.h"
#include "engine/schedule/ready.h"
#include "engine/schedule/reschedule.h"

static int check_change(const struct tern_engine *engine, uint32_t lcore, uint32_t schedule,
			const struct tern_scheduler *custom)
{
	if (tern_engine_is_foreign(engine))
		return -ECHILD;
	if (lcore != TERN_LCORES_ALL && lcore >= engine->lcore_count)
		return -ENODEV;
	if (schedule > TERN_SCHEDULE_CUSTOM)
		return -EINVAL;
	if (schedule == TERN_SCHEDULE_CUSTOM && (!custom || !custom->push || !custom->pop))
		return -EINVAL;
	return tern_engine_state(engine) == TERN_ENGINE_RUNNING ? 0 : -ESHUTDOWN;
}

/* Acquire pairs with the release in tern_reschedule_take(): what the lcore left is found. */
static bool is_asked(const struct tern_lcore *lcore)
{
	return __atomic_load_n(&lcore->arrivals.reschedule, __ATOMIC_ACQUIRE);
}

static int prepare_lcores(struct tern_engine *engine, uint32_t from, uint32_t to, uint32_t schedule,
			  const struct tern_scheduler *custom)
{
	for (uint32_t i = from; i < to; i++)
		if (is_asked(&engine->lcores[i]))
			return -EBUSY;
	engine->era++;
	for (uint32_t i = from; i < to; i++) {
		struct tern_lcore *lcore = &engine->lcores[i];
		int code = tern_reschedule_prepare(lcore, schedule, custom, &lcore->next_policy);
		if (code == 0)
			continue;
		while (i-- > from)
			tern_reschedule_drop(&engine->lcores[i], &engine->lcores[i].next_policy);
		return code;
	}
	return 0;
}

/* Both release: take_news() of lcore_turn.c sees the count, then the word, then the policy. */
static void reschedule_lcore(struct tern_lcore *lcore)
{
	__atomic_store_n(&lcore->arrivals.reschedule, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&lcore->arrivals.news, 1, __ATOMIC_RELEASE);
}

int tern_engine_reschedule(struct tern_engine *engine, uint32_t lcore, enum tern_schedule schedule,
			   const struct tern_scheduler *custom)
{
	uint32_t from = lcore == TERN_LCORES_ALL ? 0 : lcore;
	uint32_t to = lcore == TERN_LCORES_ALL ? engine->lcore_count : lcore + 1;
	custom = custom ? custom : engine->config.scheduler;
	int code = check_change(engine, lcore, schedule, custom);
	if (code != 0)
		return code;
	if (__atomic_exchange_n(&engine->rescheduling, 1, __ATOMIC_ACQUIRE))
		return -EBUSY;
	code = prepare_lcores(engine, from, to, schedule, custom);
	for (uint32_t i = from; code == 0 && i < to; i++)
		reschedule_lcore(&engine->lcores[i]);
	__atomic_store_n(&engine->rescheduling, 0, __ATOMIC_RELEASE);
	return code;
}

bool tern_engine_rescheduled(const struct tern_engine *engine)
{
	for (uint32_t i = 0; i < engine->lcore_count; i++)
		if (is_asked(&engine->lcores[i]))
			return false;
	return true;
}

enum tern_schedule tern_engine_schedule(const struct tern_engine *engine, uint32_t lcore)
{
	const struct tern_ready_policy *policy = tern_load(&engine->lcores[lcore].ready.policy);
	return (enum tern_schedule)(policy - tern_ready_policies);
}
