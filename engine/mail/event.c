/* SPDX-License-Identifier: Apache-2.0 */

/* Telling an agent something, and having it end. */
#include "event.h"

#include "bounce.h"
#include "control.h"
#include "engine/lcore/agent_state.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/roaming.h"
#include "inbox.h"

void tern_life_event(struct tern_lcore *lcore, struct tern_agent *agent,
		     const struct tern_event *event)
{
	const struct tern_behaviour *behaviour = agent->behaviour;
	if (!behaviour || !behaviour->on_event || tern_lcore_is_gone(lcore))
		return;
	tern_store(&lcore->turn.running, tern_address_slot(agent->address));
	behaviour->on_event(agent, agent->state, event);
	tern_lcore_skip_sample(lcore);
}

void tern_life_tell(struct tern_lcore *lcore, struct tern_agent *agent, struct tern_signal *signal,
		    const struct tern_event *event)
{
	struct tern_signal *outer = lcore->hand.signal; /* where a lane to itself is spilled */
	lcore->hand.signal = signal;
	tern_life_event(lcore, agent, event);
	lcore->hand.signal = outer;
	tern_signal_discard(lcore, signal);
	tern_control_handled(lcore);
}

void tern_life_return_mailbox(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_signal signal;
	while (agent->mailbox.queued) {
		tern_inbox_take(lcore, agent, &signal);
		tern_life_bounce(lcore, &signal, true);
	}
}

void tern_life_ask_end(struct tern_lcore *lcore, struct tern_agent *agent, enum tern_end why,
		       int64_t result)
{
	if (agent->status >= TERN_ENDING)
		return;
	/* Before what comes now, which goes back at once; and `result` takes the water marks'
	 * place. */
	tern_life_return_mailbox(lcore, agent);
	agent->end_why = (uint8_t)why;
	agent->result = result;
	tern_agent_on_end(agent);
	tern_ready_wake(lcore, agent);
}
