/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <errno.h>

#include "ask.h"
#include "engine.h"
#include "life.h"

tern_address tern_self(const struct tern_agent *self)
{
	return self->address;
}

void *tern_state(const struct tern_agent *self)
{
	return self->state;
}

struct tern_heap *tern_heap(struct tern_agent *self)
{
	return &self->lcore->heap;
}

struct tern_engine *tern_engine_of(const struct tern_agent *self)
{
	return self->lcore->engine;
}

uint32_t tern_lcore_index(const struct tern_agent *self)
{
	return self->lcore->index;
}

uint64_t tern_now(const struct tern_agent *self)
{
	return tern_clock_ns(self->lcore->clock);
}

uint64_t tern_turn_time(const struct tern_agent *self)
{
	const struct tern_clock *clock = self->lcore->clock;
	return tern_clock_to_ns(clock, self->lcore->turn_ticks - clock->base);
}

uint64_t tern_signal_age(const struct tern_agent *self, const struct tern_signal *signal)
{
	const struct tern_clock *clock = self->lcore->clock;
	uint32_t stamps = (uint32_t)(tern_clock_ticks(clock) >> 4) - signal->stamp;
	return tern_clock_to_ns(clock, (uint64_t)stamps << 4);
}

void tern_exit(struct tern_agent *self, int64_t result)
{
	/* A thread ends its agent by detaching. */
	if (tern_address_slot(self->address) >= self->lcore->engine->system_count)
		tern_life_ask_end(self->lcore, self, TERN_END_EXIT, result);
}

bool tern_agent_alive(const struct tern_agent *self, tern_address agent)
{
	uint32_t slot = tern_address_slot(agent);
	return tern_address_node(agent) == 0 && slot < self->lcore->slots &&
	       tern_dir_inhabited(tern_dir_load(self->lcore, slot)) &&
	       tern_dir_alive(tern_dir_load(self->lcore, slot), agent);
}

int tern_agent_stop(struct tern_agent *self, tern_address agent)
{
	if (!tern_agent_alive(self, agent) ||
	    tern_address_slot(agent) < self->lcore->engine->system_count)
		return -ESRCH;
	return tern_ask(self->lcore, agent, TERN_ASK_STOP) ? 0 : -ESRCH;
}
