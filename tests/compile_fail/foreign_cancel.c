/* SPDX-License-Identifier: Apache-2.0 */
// tool: clang-thread-safety
// expect: calling function 'tern_timer_cancel' requires holding agent 'agent'
/* Goal: a helper that is not the agent does not disarm its timers. */
#include "tern_signal.h"

#ifdef TERN_FIXED
bool disarm(struct tern_agent *agent, struct tern_timer *timer) TERN_OWNS(agent);
#else
bool disarm(struct tern_agent *agent, struct tern_timer *timer);
#endif

bool disarm(struct tern_agent *agent, struct tern_timer *timer)
{
	return tern_timer_cancel(agent, timer);
}
