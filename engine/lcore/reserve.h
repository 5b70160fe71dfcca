/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RESERVE_H
#define RESERVE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "capabilities/counter.h"
#include "engine/queue/ends.h"

/** Lists that an agent's slot can be in, once each. */
enum tern_slot_lists {
	TERN_SLOTS_FINISHING,
	TERN_SLOTS_SHORT,
	TERN_SLOTS_RETRYING,
	TERN_SLOT_LISTS,
};

/** An agent of whose refusals some found no entry: waiter.c. */
enum tern_retry { TERN_RETRY_NONE, TERN_RETRY_LATER, TERN_RETRY_DUE };

struct tern_slot_link {
	uint32_t next; /* slot; 0: the last */
	uint32_t previous;
};

/**
 * What control needs of an agent: memory that each slot has from the start, so that no request and
 * nothing told is ever refused for want of it. Mapped, and touched only where it is used: an agent
 * that is never finished, watched or refused costs nothing here. All zero: empty.
 *
 * A slot's number stands for itself in the lists here: 0, an lcore's own, is nobody's.
 */
struct tern_reserve {
	/* any lcore or thread writes */
	alignas(TERN_LINE) uint64_t finish_by; /* finish.c; 0: nobody asked */
	struct tern_end_note *ends_in;	       /* roaming: told, not looked at yet; watch.c */
	uint32_t returned_in;		       /* roaming: cell + 1 that came back last; outbox.c */

	/* the agent's lcore writes */
	uint32_t returned; /* roaming: cell + 1 that came back first, to be told */
	uint32_t returned_last;
	struct tern_slot_link links[TERN_SLOT_LISTS];
	uint32_t finish_turn;	   /* the turn that took its finish up, of those counted */
	struct tern_timer *timers; /* fired, to be handled: timer.c */
	struct tern_timer **timers_last;
	struct tern_note_list ends;   /* to be told: watch.c */
	struct tern_note_list marked; /* behind signals that wait */
	uint32_t fds;		      /* entry + 1 that came ready first, to be handled: fds.c */
	uint32_t fds_last;	      /* entry + 1 */
	uint32_t waiters;	      /* entry + 1 of its last refusal that is not over: waiter.c */
	uint32_t released;	      /* entry + 1 of the last that is over, to be told */
	uint8_t retry;		      /* enum tern_retry */
};

/** A list of slots, oldest first, linked through their reserves. Start from all zero. */
struct tern_slot_list {
	uint32_t head; /* 0: empty */
	uint32_t tail;
	uint32_t count;
};

static inline void tern_slot_list_push(struct tern_slot_list *list, struct tern_reserve *reserves,
				       enum tern_slot_lists which, uint32_t slot)
{
	reserves[slot].links[which] = (struct tern_slot_link){.previous = list->tail};
	if (list->tail)
		reserves[list->tail].links[which].next = slot;
	else
		list->head = slot;
	list->tail = slot;
	list->count++;
}

static inline void tern_slot_list_remove(struct tern_slot_list *list, struct tern_reserve *reserves,
					 enum tern_slot_lists which, uint32_t slot)
{
	struct tern_slot_link link = reserves[slot].links[which];
	if (link.previous)
		reserves[link.previous].links[which].next = link.next;
	else
		list->head = link.next;
	if (link.next)
		reserves[link.next].links[which].previous = link.previous;
	else
		list->tail = link.previous;
	list->count--;
}

#endif
