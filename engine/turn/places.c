/* SPDX-License-Identifier: Apache-2.0 */

/* Threads that have left: what they had to send is sent from their places. */
#include "places.h"

#include "engine/lcore/poller.h"
#include "engine/mail/outbox.h"
#include "lcore_turn.h"

/* Acquire pairs with the release of a detach: the place comes as it was left. */
bool tern_place_change(struct tern_engine *engine, uint32_t place, enum tern_thread_place from,
		       enum tern_thread_place to)
{
	uint32_t seen = (uint32_t)from;
	if (!__atomic_compare_exchange_n(&engine->attached[place], &seen, (uint32_t)to, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	if (from == TERN_PLACE_LEAVING)
		__atomic_fetch_sub(&engine->leaving, 1, __ATOMIC_RELAXED);
	return true;
}

static unsigned see_off(struct tern_engine *engine, uint32_t place)
{
	struct tern_lcore *lcore = &engine->lcores[engine->lcore_count + place];
	if (tern_load(&engine->attached[place]) != TERN_PLACE_LEAVING ||
	    !tern_poll_begin(&lcore->loop.polled_by))
		return 0;
	unsigned work = 0;
	/* Again: a thread may have come, whose handlers are its own to run. */
	bool leaving = tern_load(&engine->attached[place]) == TERN_PLACE_LEAVING;
	if (leaving)
		work = tern_lcore_turn(lcore) + tern_lcore_flush(lcore, true);
	if (leaving && work == 0 && !tern_lcore_has_left(lcore))
		tern_place_change(engine, place, TERN_PLACE_LEAVING, TERN_PLACE_FREE);
	tern_poll_end(&lcore->loop.polled_by);
	return work;
}

unsigned tern_threads_see_off(struct tern_engine *engine)
{
	unsigned work = 0;
	for (uint32_t i = 0; i < engine->config.max_threads; i++)
		work += see_off(engine, i);
	return work;
}
