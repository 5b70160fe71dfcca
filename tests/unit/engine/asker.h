/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASKER_H
#define ASKER_H

/*
 * A sender that is refused, and what it is told: it sends to each of its receivers when the test
 * says so, again when it is told that one takes signals, and keeps the books of both.
 */
#include "roamers.h"

enum { TRY = 1, FLOOD };

struct asker {
	struct probe probe; /* first: on_start and on_stop are the probe's */
	const tern_address *to;
	uint32_t count;	    /* of `to` */
	uint64_t *accepted; /* by receiver; may be NULL */
	bool *owed;	    /* by receiver: refused, and not told since; may be NULL */
	uint64_t sent;
	uint64_t refused;
	uint64_t dead; /* -ESRCH */
	uint64_t tries;
	uint64_t told;
	uint64_t told_all; /* of them, to try all again */
	uint64_t returned;
	uint64_t wrong;	  /* told, and refused all the same */
	tern_address who; /* told last */
	uint64_t queued;  /* there, when it was told */
	bool again;	  /* sends one more when it is told */
};

static inline int asker_send(struct tern_agent *self, struct asker *asker, uint32_t i)
{
	int code = send_number(self, asker->to[i], 1, asker->sent);
	if (code == 0 && asker->accepted)
		asker->accepted[i]++;
	if (asker->owed)
		asker->owed[i] = code == -EAGAIN;
	if (code == 0)
		put(&asker->sent, asker->sent + 1);
	else
		note(code == -ESRCH ? &asker->dead : &asker->refused);
	return code;
}

TERN_HANDLER(static __attribute__((unused)), asker_handle)
{
	struct asker *asker = state;
	uint16_t type = tern_signal_type(signal);
	for (uint32_t i = 0; i < asker->count && (type == TRY || type == FLOOD); i++)
		while (asker_send(self, asker, i) == 0 && type == FLOOD)
			;
	note(&asker->tries);
}

static inline void asker_told(struct tern_agent *self, struct asker *asker, tern_address who)
{
	struct tern_agent_stats stats = {0};
	(void)!tern_agent_stats(tern_engine_of(self), who, &stats);
	asker->queued = stats.queued;
	put(&asker->who, who);
	if (who == TERN_ADDRESS_NONE)
		note(&asker->told_all);
	for (uint32_t i = 0; seen(&asker->again) && i < asker->count; i++) {
		bool named = asker->to[i] == who, owed = !asker->owed || asker->owed[i];
		if ((named || who == TERN_ADDRESS_NONE) && owed)
			asker->wrong += asker_send(self, asker, i) == -EAGAIN && named;
	}
	note(&asker->told);
}

static inline void asker_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct asker *asker = state;
	if (event->kind == TERN_EVENT_RELEASED)
		asker_told(self, asker, event->released);
	if (event->kind == TERN_EVENT_RETURNED)
		note(&asker->returned);
}

static const struct tern_behaviour asker_behaviour
	__attribute__((unused)) = {.name = "asker",
				   .handler = asker_handle,
				   .on_start = probe_start,
				   .on_event = asker_event,
				   .on_stop = probe_stop};

static inline struct asker *make_asker(struct world *world, const tern_address *to, uint32_t count)
{
	struct asker *asker = world_memory(world, sizeof(*asker));
	asker->to = to;
	asker->count = count;
	return asker;
}

/** Tell an asker to try, and let it. */
static inline void ask_to(struct world *world, tern_address agent, struct asker *asker,
			  uint16_t type)
{
	uint64_t tries = seen(&asker->tries);
	UNTIL(world, send_number(world->self, agent, type, 0) == 0);
	UNTIL(world, seen(&asker->tries) == tries + 1);
}

static inline enum tern_agent_state state_of(struct world *world, tern_address agent)
{
	enum tern_agent_state found = TERN_STATE_ENDING;
	(void)!tern_agent_state(world->self, agent, &found);
	return found;
}

static inline void pause_it(struct world *world, tern_address agent)
{
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	UNTIL(world, state_of(world, agent) == TERN_STATE_PAUSED);
}

static inline void resume_it(struct world *world, tern_address agent)
{
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
}

/** A probe that is paused. */
static inline tern_address spawn_paused(struct world *world, struct probe *probe,
					const struct tern_spawn_options *options)
{
	tern_address agent = TERN_ADDRESS_NONE;
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, options, &agent), 0);
	pause_it(world, agent);
	return agent;
}

/** Nobody waits to be told anything, nor is anything kept for anybody. */
static inline void assert_nobody_waits(const struct world *world)
{
	for (uint32_t i = 0; i < world->engine->system_count; i++) {
		const struct tern_waiters *waiters = &world->engine->lcores[i].waiters;
		uint32_t free = 0;
		assert_null(waiters->round);
		assert_int_equal(waiters->count, 0);
		assert_int_equal(waiters->retrying.count, 0);
		for (uint32_t at = waiters->free; at; at = waiters->entries[at - 1].by_agent)
			free++;
		assert_int_equal(free, waiters->fresh);
		for (uint32_t at = 0; at < TERN_WAITER_HEADS; at++)
			assert_int_equal(waiters->heads[at], 0);
	}
}

#endif
