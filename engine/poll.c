/* SPDX-License-Identifier: Apache-2.0 */

/* Lcores that the program polls: polled mode. */
#include "engine/lcore/engine.h"
#include "engine/lcore/poller.h"
#include "engine/observer/observer.h"
#include "engine/turn/lcore_turn.h"

unsigned tern_lcore_poll(struct tern_lcore *lcore)
{
	if (tern_engine_is_foreign(lcore->engine) || !tern_poll_begin(&lcore->loop.polled_by))
		return 0;
	struct tern_lcore *outer = tern_lcore_enter(lcore);
	tern_observer_poll(lcore->engine);
	unsigned work = tern_lcore_turn_polled(lcore);
	tern_lcore_enter(outer);
	tern_poll_end(&lcore->loop.polled_by);
	return work;
}
