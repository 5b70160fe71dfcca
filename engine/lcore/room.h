/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROOM_H
#define ROOM_H

#include "lcore.h"
#include "engine/queue/mail_ring.h"

/*
 * Roaming agents: any lcore may run them, one at a time. Senders put signals in the agent's own
 * ring (mail_ring.h); who finds it idle hands it to the lcore that ran it last, by that lcore's
 * list of woken agents (Treiber push, taken as a whole). There it waits in the run ring of its
 * priority, where idle lcores may steal it, or among the policy's agents, where they may not:
 *
 *   run ring   low and normal agents that nothing ties to the lcore
 *   policy     those of the run ring whose turn is near, high and critical ones, and those tied
 *   global     what found the run ring full
 *
 * An agent is tied to its lcore by what it has there: signals in its mailbox, armed timers, file
 * descriptors waited for, a wait for a receiver, a finish under way, a suspension by the timer
 * signal. What it sent ties it until the lanes have passed it on (passage.h).
 *
 * What a sender reads is in memory that is only ever a room again, of the next agent at once: a
 * late signal finds the ring, and comes back to its sender from there (mail_ring.h, "Lives"). A
 * slot is not bound to a room, and is free at once, too. So who looks at a room of an agent that is
 * not in its own hands may find none, or that of the next one.
 */
struct tern_room {
	/* constant while the agent lives; senders, late ones, too, read all but low_water */
	alignas(TERN_LINE) uint32_t capacity;
	uint32_t high_water;
	uint32_t low_water;
	uint32_t calm; /* with fewer in the ring it is below high water, whatever its mailbox has */
	uint32_t slot;
	uint8_t policy; /* enum tern_policy */
	uint8_t class;	/* of its size: rooms.c */
	bool made;	/* its ring is */
	bool exact;	/* constant from then on: `waiting` is kept */

	/* who runs the agent writes, others read */
	alignas(TERN_LINE) uint64_t note; /* that must be passed before it moves: passage.h */
	struct tern_room *next;		  /* of those in which nobody lives */
	uint64_t token;			  /* left: no sender knows it when this is quiet */
	uint32_t left_by;		  /* left: the lcore that sends back what comes late */
	uint64_t sent_before;		  /* its signals_out when its last run ended */
	bool tied; /* since its last run: its lcore may touch it at rest, too */

	/* senders write, seldom */
	alignas(TERN_LINE) uint64_t pressured;
	uint64_t dropped;
	uint32_t waiting; /* accepted and not taken up, over all lives; its lcore writes, too */

	struct tern_mail_ring ring;
};

static inline bool tern_is_roaming(const struct tern_agent *agent)
{
	return agent->flags & TERN_AGENT_ROAMING;
}

/** The room of a roaming agent; NULL: none lives in the slot any more. */
static inline struct tern_room *tern_room_of(const struct tern_lcore *lcore, uint32_t slot)
{
	return __atomic_load_n(&lcore->rooms[slot], __ATOMIC_ACQUIRE);
}

/** A signal has been taken up, or goes back, that counts where the room's bound is exact. */
static inline void tern_room_leave(struct tern_room *room)
{
	if (tern_unlikely(room->exact))
		__atomic_fetch_sub(&room->waiting, 1, __ATOMIC_RELAXED);
}

#endif
