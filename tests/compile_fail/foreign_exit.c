/* SPDX-License-Identifier: Apache-2.0 */
// tool: clang-thread-safety
// expect: calling function 'tern_exit' requires holding agent 'agent'
/* Goal: an agent is ended from outside through tern_agent_stop(). */
#include "tern_signal.h"

int end(struct tern_agent *self, struct tern_agent *agent);

int end(struct tern_agent *self, struct tern_agent *agent)
{
#ifdef TERN_FIXED
	return tern_agent_stop(self, tern_self(agent));
#else
	tern_exit(agent, 0);
	return self != agent;
#endif
}
