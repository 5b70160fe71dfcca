/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROOMS_H
#define ROOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tern_agent;
struct tern_engine;
struct tern_lcore;
struct tern_room;

/** Make a room for a roaming agent about to be spawned. 0; -ENOMEM. Any lcore or thread. */
int tern_room_make(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t capacity);

/** Bytes of a room. */
size_t tern_room_bytes(const struct tern_room *room);

/** Give a room back whose agent was never known to anybody. */
void tern_room_put(struct tern_lcore *lcore, struct tern_room *room);

/** Unmap all rooms. */
void tern_rooms_fini(struct tern_engine *engine);

/** Give up the room and the slot of a roaming agent that ended. */
void tern_roaming_bury(struct tern_lcore *lcore, struct tern_agent *agent);

/** Return what came late to rooms that no sender knows any more; `all`: that there are. */
void tern_roaming_graves(struct tern_lcore *lcore, bool all);

#endif
