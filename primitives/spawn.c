/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_spawn.h"

#include <errno.h>

#include "engine/agent/answer.h"
#include "engine/agent/extras.h"
#include "engine/agent/life.h"
#include "engine/agent/registry.h"
#include "engine/agent/routing.h"
#include "engine/agent/slots.h"
#include "engine/agent/watch.h"
#include "engine/fiber/fiber.h"
#include "engine/lcore/agent_state.h"
#include "engine/lcore/asked.h"
#include "engine/lcore/engine.h"
#include "engine/lcore/fiber_state.h"
#include "engine/lcore/room.h"
#include "engine/mail/ask.h"
#include "engine/mail/keys.h"
#include "engine/observer/rebalance.h"
#include "engine/schedule/ready.h"
#include "engine/schedule/roaming.h"
#include "engine/turn/rooms.h"

#define SLICE_US_MAX 1000000u
#define RATE_MAX 1000000000u
#define WEIGHT_MAX 1000u
#define STACK_BYTES ((size_t)64 << 10)

/* What spawn options come to, checked and with the defaults filled in. */
struct spec {
	const char *name;
	uint32_t lcore;
	uint32_t capacity;
	uint32_t high_water;
	uint32_t low_water;
	const struct tern_spawn_options *options;
};

/* Whether its mailbox is a ring of its own, which senders fill. */
static bool wants_ring(const struct tern_spawn_options *options)
{
	return options->roaming || options->exact;
}

static uint32_t pick_lcore(struct tern_lcore *lcore, const struct tern_spawn_options *options)
{
	if (options->lcore != TERN_LCORE_ANY)
		return options->lcore;
	if (options->roaming)
		return tern_roaming_place(lcore);
	if (!lcore->is_thread)
		return lcore->index;
	return lcore->spawns.home_turn++ % lcore->engine->lcore_count;
}

static void fill_water(const struct tern_config *config, const struct tern_spawn_options *options,
		       struct spec *spec)
{
	bool own = options->capacity != 0;
	spec->capacity = own ? options->capacity : config->capacity;
	uint32_t high = own ? spec->capacity - spec->capacity / 5 : config->high_water;
	spec->high_water = options->high_water ? options->high_water : high;
	uint32_t low = own || options->high_water ? spec->high_water / 4 : config->low_water;
	spec->low_water = options->low_water ? options->low_water : low;
}

static bool in_range(const struct spec *spec)
{
	const struct tern_spawn_options *options = spec->options;
	bool keyed = options->policy == TERN_POLICY_CONFLATE;
	bool key = options->key_length >= 1 && options->key_length <= 8 &&
		   options->key_offset <= TERN_INLINE_MAX - options->key_length;
	return spec->capacity <= 1u << 24 && spec->high_water <= spec->capacity &&
	       spec->low_water < spec->high_water && options->policy <= TERN_POLICY_BLOCK &&
	       options->priority >= TERN_PRIORITY_LOW &&
	       options->priority <= TERN_PRIORITY_CRITICAL && options->preempt <= TERN_PREEMPT_NO &&
	       options->slice_us <= SLICE_US_MAX && options->rate <= RATE_MAX &&
	       options->rate_burst <= RATE_MAX && options->weight <= WEIGHT_MAX &&
	       (!keyed || (key && spec->capacity <= TERN_CONFLATE_MAX && !options->roaming)) &&
	       (!options->exact || options->policy == TERN_POLICY_REFUSE ||
		options->policy == TERN_POLICY_BLOCK) &&
	       (!spec->name ||
		(spec->name[0] && strnlen(spec->name, TERN_NAME_MAX) < TERN_NAME_MAX));
}

static bool keeps_rates(const struct tern_lcore *lcore, uint32_t index)
{
	return tern_ready_keeps_rates(&lcore->engine->lcores[index]);
}

static int check_options(struct tern_lcore *lcore, const struct tern_spawn_options *options,
			 struct spec *spec)
{
	static const struct tern_spawn_options defaults = TERN_SPAWN_DEFAULTS;
	bool given = options;
	options = given ? options : &defaults;
	*spec = (struct spec){
		.name = options->name, .lcore = pick_lcore(lcore, options), .options = options};
	fill_water(&lcore->engine->config, options, spec);
	if (spec->lcore >= lcore->engine->lcore_count)
		return -ENODEV;
	/* The defaults were checked with the configuration. */
	if (given && (!in_range(spec) || (options->rate && !keeps_rates(lcore, spec->lcore))))
		return -EINVAL;
	if (tern_unlikely(tern_engine_state(lcore->engine) != TERN_ENGINE_RUNNING))
		return -ESHUTDOWN;
	return 0;
}

static int make_keys(struct tern_lcore *lcore, struct tern_extras *extras, const struct spec *spec)
{
	uint32_t entries = tern_keys_entries(spec->capacity);
	extras->keys = tern_iso_create(&lcore->heap, entries * sizeof(uint32_t));
	if (!extras->keys)
		return -ENOMEM;
	memset(tern_iso_data(extras->keys), 0, entries * sizeof(uint32_t));
	extras->keys_mask = entries - 1;
	extras->key_offset = spec->options->key_offset;
	extras->key_length = spec->options->key_length;
	return 0;
}

static bool wants_extras(const struct tern_behaviour *behaviour,
			 const struct tern_spawn_options *options)
{
	bool bounded =
		options->policy != TERN_POLICY_REFUSE && options->policy != TERN_POLICY_BLOCK;
	return options->name || bounded || options->slice_us || options->rate ||
	       options->weight > 1 || behaviour->fiber;
}

static void fill_extras(const struct tern_lcore *lcore, const struct spec *spec,
			struct tern_extras *extras)
{
	const struct tern_spawn_options *options = spec->options;
	uint32_t burst = options->rate_burst ? options->rate_burst : options->rate / 1000;
	tern_extras_set_name(extras, spec->name ? spec->name : "");
	extras->capacity = spec->capacity;
	tern_store(&extras->slice_ticks,
		   tern_clock_from_ns(lcore->clock, options->slice_us * 1000ull));
	extras->weight = options->weight ? options->weight : 1;
	extras->rate = options->rate;
	/* Rounded up: never above the rate. */
	tern_store(&extras->rate_interval,
		   options->rate ? (lcore->clock->hz + options->rate - 1) / options->rate : 0);
	extras->rate_burst = burst ? burst : 1;
}

/* Most agents need no extras: no name, the default policy, no tracing. */
static int make_extras(struct tern_lcore *lcore, uint32_t slot,
		       const struct tern_behaviour *behaviour, const struct spec *spec,
		       struct tern_extras **extras)
{
	*extras = NULL;
	if (!lcore->trace_every && !wants_extras(behaviour, spec->options))
		return 0;
	struct tern_extras *made = tern_extras_take(lcore, slot);
	fill_extras(lcore, spec, made);
	if (spec->options->policy == TERN_POLICY_CONFLATE && make_keys(lcore, made, spec) != 0) {
		tern_extras_put(lcore, made);
		return -ENOMEM;
	}
	*extras = made;
	return 0;
}

/* Low agents wait for others; a slice and a rate are kept run by run. */
static bool is_shy(const struct tern_spawn_options *options)
{
	return options->priority == TERN_PRIORITY_LOW || options->slice_us || options->rate ||
	       wants_ring(options);
}

static uint32_t traits_of(const struct tern_spawn_options *options)
{
	uint32_t traits = is_shy(options) ? TERN_AGENT_SHY : 0;
	if (wants_ring(options))
		traits |= TERN_AGENT_ROAMING;
	if (options->exact)
		traits |= TERN_AGENT_EXACT;
	if (options->exact && !options->roaming)
		traits |= TERN_AGENT_STAYS;
	return traits;
}

/* Fields that other threads may read at any time are stored whole. */
static void fill_agent(struct tern_lcore *lcore, uint32_t slot,
		       const struct tern_behaviour *behaviour, void *state, const struct spec *spec)
{
	struct tern_agent *agent = &lcore->agents[slot];
	if (agent->address == TERN_ADDRESS_NONE)
		tern_store(&agent->address,
			   tern_lcore_address_of(lcore, slot, lcore->engine->first_generation));
	agent->handler = behaviour->handler;
	agent->state = state;
	tern_store(&agent->signals_in, 0);
	tern_store(&agent->signals_out, 0);
	tern_store(&agent->mailbox.queued, 0);
	agent->mailbox.head = agent->mailbox.tail = TERN_CELL_NONE;
	agent->mailbox.returned = 0;
	tern_agent_on_spawn(agent, traits_of(spec->options));
	agent->policy = (uint8_t)spec->options->policy;
	agent->priority = (int8_t)spec->options->priority;
	tern_store(&agent->behaviour, behaviour);
	agent->timers = NULL;
	agent->high_water = spec->high_water;
	agent->low_water = spec->low_water;
}

static bool is_preemptible(const struct tern_lcore *lcore, const struct tern_spawn_options *options)
{
	return options->preempt == TERN_PREEMPT_AS_ENGINE ? lcore->engine->config.preempt
							  : options->preempt == TERN_PREEMPT_YES;
}

static int make_fiber(struct tern_lcore *lcore, struct tern_agent *agent,
		      const struct tern_spawn_options *options)
{
	size_t size = options->stack_bytes ? options->stack_bytes : STACK_BYTES;
	bool preemptible = is_preemptible(lcore, options);
	if (preemptible)
		size += tern_preempt_stack_room();
	/* Nobody asked for more than there is. */
	if (options->preempt == TERN_PREEMPT_AS_ENGINE && size > TERN_STACK_SIZE_MAX)
		size = TERN_STACK_SIZE_MAX;
	int code = tern_fiber_make(lcore, agent, size);
	if (code == 0)
		agent->extras->fiber->preemptible = preemptible;
	return code;
}

static void unmake_agent(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_room *room = tern_room_of(lcore, tern_address_slot(agent->address));
	if (agent->flags & TERN_AGENT_FIBER)
		tern_fiber_end(lcore, agent);
	if (room)
		tern_room_put(lcore, room);
	tern_agent_on_undo(agent);
	tern_watch_cancel(lcore, tern_address_slot(agent->address));
	if (agent->extras)
		tern_extras_put(lcore, agent->extras);
	tern_store(&agent->extras, NULL);
	tern_slots_allow(lcore);
	tern_slots_put(lcore, agent);
}

/* Ids are drawn ahead, so that the table's lines for one are here when they are needed. */
static struct tern_next_id take_id(struct tern_lcore *lcore)
{
	struct tern_next_id *place = &lcore->spawns.ids[lcore->spawns.next_id++ % TERN_IDS_AHEAD];
	struct tern_next_id next = *place;
	tern_engine_draw_id(lcore, place);
	return next;
}

/*
 * Release: who finds the slot inhabited, by an acquire, finds the agent complete: who looks from
 * outside (stats.c, observer.c), who looks it up (routing.h), and who ends it at a stop (end.c).
 */
static void make_known(struct tern_lcore *lcore, uint32_t slot, const struct spec *spec)
{
	uint32_t generation = tern_address_generation(lcore->agents[slot].address);
	uint32_t express = spec->options->priority == TERN_PRIORITY_CRITICAL;
	uint64_t blocks = spec->options->policy == TERN_POLICY_BLOCK ? TERN_DIR_BLOCKS : 0;
	tern_ask_open(lcore, slot, generation);
	tern_watch_open(lcore, slot, generation);
	uint32_t route = 2 * spec->lcore + express;
	if (wants_ring(spec->options)) {
		route = lcore->roam_route;
		tern_store(&lcore->engine->roaming, true);
	}
	__atomic_store_n(&lcore->directory[slot], tern_dir_make(generation, route) | blocks,
			 __ATOMIC_RELEASE);
}

static int make_agent(struct tern_agent *self, const struct tern_behaviour *behaviour, void *state,
		      const struct spec *spec, tern_address *address)
{
	struct tern_lcore *lcore = self->lcore;
	struct tern_next_id next = take_id(lcore);
	struct tern_extras *extras;
	uint32_t slot = tern_slots_take(lcore);
	if (tern_unlikely(slot == TERN_SLOT_NONE))
		return -EAGAIN;
	struct tern_agent *agent = &lcore->agents[slot];
	fill_agent(lcore, slot, behaviour, state, spec);
	tern_store(&agent->lcore, &lcore->engine->lcores[spec->lcore]);
	tern_agent_set_id(agent, next.id);
	int code = make_extras(lcore, slot, behaviour, spec, &extras);
	tern_store(&agent->extras, extras);
	if (tern_unlikely(code == 0 && behaviour->fiber))
		code = make_fiber(lcore, agent, spec->options);
	if (tern_unlikely(code == 0 && wants_ring(spec->options)))
		code = tern_room_make(lcore, agent, spec->capacity);
	make_known(lcore, slot, spec);
	if (tern_unlikely(code == 0 && spec->options->watch))
		code = tern_watch_for(lcore, self->address, agent->address);
	/* Last: who finds it by id or name finds it alive. */
	if (tern_likely(code == 0))
		code = tern_engine_register(lcore, agent, spec->name, next.hash);
	if (tern_unlikely(code != 0)) {
		unmake_agent(lcore, agent);
		return code;
	}
	tern_count(&lcore->stats.spawned, 1);
	*address = agent->address;
	return 0;
}

/* An agent at home starts at once where nothing is running; else its lcore is told. */
static void adopt_agent(struct tern_lcore *lcore, const struct spec *spec, tern_address address)
{
	struct tern_agent *agent = &lcore->agents[tern_address_slot(address)];
	if (wants_ring(spec->options))
		tern_roaming_start(lcore, agent);
	else if (spec->lcore != lcore->index)
		tern_ask(lcore, address, TERN_ASK_START);
	else if (agent->behaviour->on_start || agent->behaviour->fiber ||
		 tern_engine_announces(lcore->engine))
		tern_ready_push(lcore, agent);
	else
		tern_agent_on_adopt(agent);
}

/* A handler or a fiber, and only what a fiber can do is asked of one. */
static bool suits_lcore(const struct tern_lcore *lcore, const struct tern_behaviour *behaviour,
			const struct tern_spawn_options *options)
{
	if (!behaviour->fiber)
		return behaviour->handler && !options->stack_bytes &&
		       options->preempt != TERN_PREEMPT_YES;
	return !behaviour->handler && options->stack_bytes <= TERN_STACK_SIZE_MAX &&
	       !(is_preemptible(lcore, options) && lcore->clock->is_virtual);
}

int tern_spawn(struct tern_agent *self, const struct tern_behaviour *behaviour, void *state,
	       const struct tern_spawn_options *options, tern_address *agent)
{
	struct spec spec;
	int code = check_options(self->lcore, options, &spec);
	tern_address made;
	if (tern_unlikely(code != 0 || !suits_lcore(self->lcore, behaviour, spec.options)))
		return code ? code : -EINVAL;
	/* The ids drawn ahead are looked for in the table. */
	if (tern_unlikely(self->lcore->is_thread))
		tern_reader_enter(self->lcore);
	code = make_agent(self, behaviour, state, &spec, &made);
	if (tern_likely(code == 0)) {
		adopt_agent(self->lcore, &spec, made);
		*agent = made;
	}
	if (tern_unlikely(self->lcore->is_thread))
		tern_reader_leave(self->lcore);
	return code;
}

uint32_t tern_spawn_batch(struct tern_agent *self, const struct tern_behaviour *behaviour,
			  void *const *states, uint32_t count,
			  const struct tern_spawn_options *options, tern_address *agents)
{
	for (uint32_t i = 0; i < count; i++) {
		void *state = states ? states[i] : NULL;
		int code = tern_spawn(self, behaviour, state, options, &agents[i]);
		if (code != 0) {
			tern_errno = -code;
			return i;
		}
	}
	return count;
}

int tern_find_id(const struct tern_agent *self, struct tern_id id, tern_address *agent)
{
	tern_address found = tern_routing_find(self, id);
	if (found == TERN_ADDRESS_NONE)
		return -ENOENT;
	*agent = tern_routing_full(self->lcore, found);
	return 0;
}

int tern_find(const struct tern_agent *self, const char *name, tern_address *agent)
{
	return tern_find_id(self, tern_name_id(name), agent);
}

int tern_agent_id(const struct tern_agent *self, tern_address agent, struct tern_id *id)
{
	if (!tern_agent_alive(self, agent))
		return -ESRCH;
	const struct tern_agent *found = &self->lcore->agents[tern_address_slot(agent)];
	struct tern_id read = tern_agent_load_id(found);
	/* It may have ended and been replaced while we read. */
	if (!tern_agent_alive(self, agent))
		return -ESRCH;
	*id = read;
	return 0;
}
