/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory of roaming agents' mailboxes. A room that an agent has left is clean when every sender has
 * been quiet since: what came late goes back then. It serves another agent before, where an lcore
 * that is not quiet for long would have ever more rooms mapped: then what comes late is returned by
 * that one (mail_ring.h). So beside as many rooms of a kind as agents of it were alive at once
 * there are LEFT_BYTES of it at most. Not at once, because what comes late might then pass on
 * another lcore what the end has sent back to the same sender: it would have to be late by as many
 * lives.
 */
#include "rooms.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "capabilities/quiet.h"
#include "engine/agent/slots.h"
#include "engine/lcore/engine.h"
#include "engine/lcore/room.h"
#include "engine/mail/bounce.h"

/* Rooms are mapped so many bytes at a time, at least. */
#define REGION_BYTES ((size_t)2 << 20)
/* Rooms of a kind that wait for senders to be quiet, and are used before if there are more. */
#define LEFT_BYTES ((size_t)4 << 20)

struct region {
	struct region *next;
	size_t bytes;
};

/* What a room is for good: its size; whether many may take from its ring; whether it counts. */
#define PLAIN 0u
#define DROPS 1u
#define EXACT 2u
#define KINDS 3u

static uint32_t kind_of(uint8_t class, uint8_t policy, bool exact)
{
	return KINDS * class + (policy == TERN_POLICY_DROP_OLDEST ? DROPS : exact ? EXACT : PLAIN);
}

/* A class holds the capacities up to 2^class - 1: what a ring of 2^class places takes. */
static uint8_t class_of(uint32_t capacity)
{
	return (uint8_t)(32 - __builtin_clz(capacity));
}

static uint32_t class_capacity(uint8_t class)
{
	uint32_t most = (1u << class) - 1;
	return most < TERN_MAIL_RING_CAPACITY_MAX ? most : TERN_MAIL_RING_CAPACITY_MAX;
}

static size_t class_bytes(uint8_t class)
{
	size_t bytes =
		offsetof(struct tern_room, ring) + tern_mail_ring_bytes(class_capacity(class));
	return (bytes + TERN_LINE - 1) & ~(size_t)(TERN_LINE - 1);
}

size_t tern_room_bytes(const struct tern_room *room)
{
	return class_bytes(tern_load(&room->class));
}

/* Map more rooms. Under the pool lock: seldom, at spawns alone. */
static bool map_region(struct tern_engine *engine, uint32_t kind)
{
	size_t room = class_bytes((uint8_t)(kind / KINDS)), head = TERN_PAGE_4K;
	size_t count = room < REGION_BYTES ? REGION_BYTES / room : 1, bytes = head + count * room;
	unsigned char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	struct region *region = (void *)memory;
	*region = (struct region){.next = engine->room_regions, .bytes = bytes};
	engine->room_regions = region;
	tern_count(&engine->room_bytes, bytes);
	while (count--) {
		struct tern_room *made = (void *)(memory + head + count * room);
		made->next = engine->rooms_left[kind].clean;
		engine->rooms_left[kind].clean = made;
	}
	return true;
}

/* The room that was left longest ago. Under the pool lock. */
static struct tern_room *take_left(struct tern_rooms *rooms)
{
	struct tern_room *room = rooms->first;
	tern_store(&rooms->first, room->next);
	rooms->left--;
	return room;
}

static struct tern_room *take_room(struct tern_engine *engine, uint32_t kind)
{
	struct tern_rooms *rooms = &engine->rooms_left[kind];
	struct tern_room *room = NULL;
	tern_pools_lock(engine);
	bool many = rooms->left * class_bytes((uint8_t)(kind / KINDS)) >= LEFT_BYTES;
	if (rooms->clean || (!many && map_region(engine, kind))) {
		room = rooms->clean;
		rooms->clean = room->next;
	} else if (rooms->first) {
		room = take_left(rooms);
	}
	tern_pools_unlock(engine);
	return room;
}

/* A thread has no turns of its own to look in. */
static struct tern_lcore *owner_of(struct tern_lcore *lcore)
{
	return lcore->is_thread ? lcore->engine->lcores : lcore;
}

/* Have an lcore look at it when all are quiet. */
static void look_later(struct tern_lcore *lcore, uint64_t token)
{
	struct tern_lcore *there = owner_of(lcore);
	if (!tern_load(&there->roaming.graves))
		tern_store(&there->roaming.graves, token);
}

/* The lcore looks after the lock was held here, or has been told to: it clears `graves` first. */
static void leave_room(struct tern_lcore *lcore, struct tern_room *room)
{
	struct tern_engine *engine = lcore->engine;
	struct tern_rooms *rooms =
		&engine->rooms_left[kind_of(room->class, room->policy, room->exact)];
	tern_store(&lcore->rooms[room->slot], NULL);
	uint64_t token = rte_rcu_qsbr_start(engine->quiet);
	room->token = token;
	room->left_by = owner_of(lcore)->index;
	room->next = NULL;
	tern_pools_lock(engine);
	if (rooms->first)
		rooms->last->next = room;
	else
		tern_store(&rooms->first, room);
	rooms->last = room;
	rooms->left++;
	tern_pools_unlock(engine); /* from here on it may be another agent's */
	look_later(lcore, token);
}

void tern_room_put(struct tern_lcore *lcore, struct tern_room *room)
{
	leave_room(lcore, room);
}

/* Its ring is made once: in use, another's late signals may be in it already. */
static int make_ring(struct tern_room *room, uint8_t class, bool drops)
{
	int code = tern_mail_ring_init(&room->ring, class_capacity(class),
				       drops ? TERN_MAIL_RING_DROPS : 0);
	if (code == 0)
		tern_mail_ring_requeue(&room->ring);
	room->made = code == 0;
	return code;
}

/* It takes up what it may handle in a run; a fiber that waits for a type, all that there is. */
static uint32_t calm_of(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	uint32_t most = lcore->engine->config.turn_signals;
	return agent->behaviour->fiber || agent->high_water < most ? 0 : agent->high_water - most;
}

/* Late senders may read what is stored here. */
static void fill_room(const struct tern_lcore *lcore, struct tern_room *room,
		      const struct tern_agent *agent, uint32_t capacity)
{
	tern_store(&room->capacity, capacity);
	tern_store(&room->high_water, agent->high_water);
	tern_store(&room->calm, calm_of(lcore, agent));
	tern_store(&room->slot, tern_address_slot(agent->address));
	tern_store(&room->policy, agent->policy);
	tern_store(&room->class, class_of(capacity));
	room->low_water = agent->low_water;
	room->sent_before = 0;
	tern_store(&room->tied, false);
	tern_store(&room->note, 0);
	tern_store(&room->pressured, 0);
	tern_store(&room->dropped, 0);
	tern_mail_ring_rebound(&room->ring, capacity);
}

int tern_room_make(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t capacity)
{
	uint8_t class = class_of(capacity);
	bool exact = agent->flags & TERN_AGENT_EXACT;
	struct tern_room *room = take_room(lcore->engine, kind_of(class, agent->policy, exact));
	if (!room)
		return -ENOMEM;
	if (!room->made) {
		room->exact = exact;
		make_ring(room, class, agent->policy == TERN_POLICY_DROP_OLDEST);
	}
	fill_room(lcore, room, agent, capacity);
	/* Release: who finds the room finds its ring made (tern_room_of()). */
	__atomic_store_n(&lcore->rooms[room->slot], room, __ATOMIC_RELEASE);
	return 0;
}

void tern_rooms_fini(struct tern_engine *engine)
{
	struct region *next;
	for (struct region *region = engine->room_regions; region; region = next) {
		next = region->next;
		munmap(region, region->bytes);
	}
	engine->room_regions = NULL;
}

static void return_late(struct tern_lcore *lcore, struct tern_room *room)
{
	struct tern_signal signal;
	while (tern_mail_ring_take(&room->ring, &signal, 1) == 1) {
		tern_room_leave(room);
		tern_life_bounce(lcore, &signal, false);
	}
}

/* Nobody wakes it any more: it stays queued, in no queue. */
void tern_roaming_bury(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_room *room = tern_room_of(lcore, tern_address_slot(agent->address));
	if (lcore->roaming.lifo == agent) /* ended by force, with the engine */
		lcore->roaming.lifo = NULL;
	tern_mail_ring_requeue(&room->ring);
	/* From here, so that it comes back behind what has been sent back already. */
	return_late(lcore, room);
	leave_room(lcore, room);
	tern_slots_put_unlisted(lcore, agent);
}

/*
 * A room that was left before all senders were quiet; NULL. With more to come, looks again. Only by
 * who left it: what came late goes back by the way that what came before has gone, and behind it.
 * Another's way could be the shorter one.
 */
static struct tern_room *unearth_room(struct tern_lcore *lcore, struct tern_rooms *rooms, bool all)
{
	struct tern_engine *engine = lcore->engine;
	struct tern_room *room = NULL;
	if (!tern_load(&rooms->first))
		return NULL;
	tern_pools_lock(engine);
	bool own = rooms->first && rooms->first->left_by == lcore->index;
	if (rooms->first && (all || (own && tern_quiet_since(engine->quiet, rooms->first->token))))
		room = take_left(rooms);
	else if (rooms->first)
		look_later(lcore, own ? rooms->first->token : rte_rcu_qsbr_start(engine->quiet));
	tern_pools_unlock(engine);
	return room;
}

void tern_roaming_graves(struct tern_lcore *lcore, bool all)
{
	struct tern_engine *engine = lcore->engine;
	struct tern_room *room;
	if (!all && !tern_quiet_since(engine->quiet, tern_load(&lcore->roaming.graves)))
		return;
	tern_store(&lcore->roaming.graves, 0);
	for (uint32_t kind = 0; kind < TERN_ROOM_KINDS; kind++) {
		struct tern_rooms *rooms = &engine->rooms_left[kind];
		while ((room = unearth_room(lcore, rooms, all)) != NULL) {
			return_late(lcore, room);
			tern_pools_lock(engine);
			room->next = rooms->clean;
			rooms->clean = room;
			tern_pools_unlock(engine);
		}
	}
}
