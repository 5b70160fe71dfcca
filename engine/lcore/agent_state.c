/* SPDX-License-Identifier: Apache-2.0 */

/* Builds with debug_states have it: each move of an agent against the table, on whoever runs it. */
#include "agent_state.h"

#include "tern_plain.h"

#include <stdio.h>
#include <stdlib.h>

#define STATE_NAME(name) [TERN_##name] = #name
#define EVENT_NAME(name, text) [TERN_ON_##name] = #name,
#define MOVE(from, event, to, text) {TERN_##from, TERN_ON_##event, TERN_##to},

static const char *const state_names[] = {STATE_NAME(IDLE), STATE_NAME(REST),	STATE_NAME(READY),
					  STATE_NAME(NEW),  STATE_NAME(PAUSED), STATE_NAME(ENDING),
					  STATE_NAME(DEAD)};
_Static_assert(sizeof(state_names) == TERN_STATUSES * sizeof(char *), "a name for each state");

static const char *const event_names[] = {TERN_AGENT_EVENTS(EVENT_NAME)};

static const struct {
	enum tern_status from;
	enum tern_agent_event event;
	enum tern_status to;
} moves[] = {TERN_AGENT_MOVES(MOVE)};

static bool is_listed(enum tern_status from, enum tern_agent_event event, enum tern_status to)
{
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (moves[i].from == from && moves[i].event == event && moves[i].to == to)
			return true;
	return false;
}

/* A slot in which nobody has lived is all zeros. */
static enum tern_status state_of(const struct tern_agent *agent)
{
	return agent->lcore ? (enum tern_status)agent->status : TERN_DEAD;
}

/* Each lcore and thread may be in the midst of a line of its own: this one goes out whole. */
static void report(const struct tern_agent *agent, const char *what, const char *to)
{
	const struct tern_behaviour *behaviour = agent->behaviour;
	const char *name = behaviour && behaviour->name ? behaviour->name : "?";
	char shown[TERN_PLAIN_MAX(TERN_NAME_MAX)];
	fprintf(stderr, "tern: agent \"%s\" 0.%u.%u is %s, flags %#x: impossible: %s%s\n",
		tern_plain_text(shown, sizeof(shown), name), tern_address_slot(agent->address),
		tern_address_generation(agent->address), state_names[state_of(agent)], agent->flags,
		what, to);
}

void tern_agent_check_move(const struct tern_agent *agent, enum tern_agent_event event,
			   enum tern_status to)
{
	char target[16];
	if (is_listed(state_of(agent), event, to))
		return;
	snprintf(target, sizeof(target), " to %s", state_names[to]);
	report(agent, event_names[event], target);
	abort();
}

void tern_agent_refuse_step(const struct tern_agent *agent, const char *step)
{
	report(agent, step, "");
	abort();
}
