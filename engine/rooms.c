/* SPDX-License-Identifier: Apache-2.0 */

/* Memory of roaming agents' mailboxes, and when it may be used again. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "capabilities/quiet.h"
#include "engine.h"
#include "life.h"
#include "roaming.h"
#include "slots.h"
#include "watch.h"

/* Rooms are mapped so many bytes at a time, at least. */
#define REGION_BYTES ((size_t)2 << 20)

struct region {
	struct region *next;
	size_t bytes;
};

/* A class holds the capacities up to 2^class - 1: what a ring of 2^class places takes. */
static uint8_t class_of(uint32_t capacity)
{
	return (uint8_t)(32 - __builtin_clz(capacity));
}

static size_t class_bytes(uint8_t class)
{
	uint32_t most = (1u << class) - 1;
	most = most < TERN_ROAM_CAPACITY_MAX ? most : TERN_ROAM_CAPACITY_MAX;
	size_t bytes = offsetof(struct tern_room, roam) + tern_roam_bytes(most);
	return (bytes + TERN_LINE - 1) & ~(size_t)(TERN_LINE - 1);
}

size_t tern_room_bytes(const struct tern_room *room)
{
	return class_bytes(tern_load(&room->class));
}

/* Map more rooms of a class. Under the pool lock: seldom, at spawns alone. */
static bool map_region(struct tern_engine *engine, uint8_t class)
{
	size_t room = class_bytes(class), head = TERN_PAGE_4K;
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
		made->next = engine->free_rooms[class];
		engine->free_rooms[class] = made;
	}
	return true;
}

static struct tern_room *take_room(struct tern_engine *engine, uint8_t class)
{
	tern_pools_lock(engine);
	if (!engine->free_rooms[class] && !map_region(engine, class)) {
		tern_pools_unlock(engine);
		return NULL;
	}
	struct tern_room *room = engine->free_rooms[class];
	engine->free_rooms[class] = room->next;
	tern_pools_unlock(engine);
	return room;
}

void tern_room_put(struct tern_lcore *lcore, struct tern_room *room)
{
	struct tern_engine *engine = lcore->engine;
	tern_store(&lcore->rooms[room->slot], NULL);
	tern_pools_lock(engine);
	room->next = engine->free_rooms[room->class];
	engine->free_rooms[room->class] = room;
	tern_pools_unlock(engine);
}

int tern_room_make(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t capacity)
{
	uint32_t slot = tern_address_slot(agent->address);
	struct tern_room *room = take_room(lcore->engine, class_of(capacity));
	if (!room)
		return -ENOMEM;
	room->capacity = capacity;
	room->high_water = agent->high_water;
	room->low_water = agent->low_water;
	room->slot = slot;
	room->policy = agent->policy;
	room->class = class_of(capacity);
	room->agent = NULL;
	room->exact = agent->flags & TERN_AGENT_EXACT;
	tern_store(&room->waiting, 0);
	room->sent_before = 0;
	tern_store(&room->tied, false);
	tern_store(&room->note, 0);
	tern_store(&room->pressured, 0);
	tern_store(&room->dropped, 0);
	tern_roam_init(&room->roam, capacity,
		       room->policy == TERN_POLICY_DROP_OLDEST ? TERN_ROAM_DROPS : 0);
	tern_store(&lcore->rooms[slot], room);
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

/* Nobody wakes it any more: it stays queued, in no queue. */
void tern_roaming_bury(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_room *room = tern_room_of(lcore, tern_address_slot(agent->address));
	tern_roam_requeue(&room->roam);
	room->agent = agent;
	room->token = rte_rcu_qsbr_start(lcore->engine->quiet);
	room->next = lcore->graves;
	lcore->graves = room;
}

static void return_late(struct tern_lcore *lcore, struct tern_room *room)
{
	struct tern_signal signal;
	while (tern_roam_take(&room->roam, &signal, 1) == 1)
		tern_life_bounce(lcore, &signal, false);
	tern_returned_forget(lcore, room->slot);
	tern_watch_drop_late(lcore, room->slot);
}

void tern_roaming_graves(struct tern_lcore *lcore, bool all)
{
	struct tern_room **link = &lcore->graves;
	while (*link) {
		struct tern_room *room = *link;
		if (!all && !tern_quiet_since(lcore->engine->quiet, room->token)) {
			link = &room->next;
			continue;
		}
		*link = room->next;
		return_late(lcore, room);
		struct tern_agent *agent = room->agent;
		tern_room_put(lcore, room);
		tern_slots_put_unlisted(lcore, agent);
	}
}
