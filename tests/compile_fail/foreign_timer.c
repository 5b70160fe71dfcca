/* SPDX-License-Identifier: Apache-2.0 */
// tool: clang-thread-safety
// expect: calling function 'tern_timer_start' requires holding agent 'other'
/* Goal: only an agent's own functions start its timers. */
#include "tern_signal.h"

struct state {
	struct tern_agent *other;
	struct tern_timer timer;
};

TERN_HANDLER(, on_tick)
{
	struct state *mine = state;
#ifdef TERN_FIXED
	tern_timer_start(self, &mine->timer, 1000, 0, 1);
#else
	struct tern_agent *other = mine->other;
	tern_timer_start(other, &mine->timer, 1000, 0, 1);
#endif
}
