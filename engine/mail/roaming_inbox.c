/* SPDX-License-Identifier: Apache-2.0 */

/* An inbox that senders of all lcores put signals in: its ring. */
#include "ask.h"
#include "bounce.h"
#include "engine/lcore/asked.h"
#include "engine/lcore/reader.h"
#include "engine/lcore/room.h"
#include "engine/schedule/roaming.h"
#include "inbox.h"

static bool is_to_living(const struct tern_lcore *lcore, const struct tern_signal *signal)
{
	return tern_dir_alive(tern_dir_load(lcore, signal->to_slot),
			      tern_address_make(0, signal->to_slot, signal->to_generation));
}

/* At a full mailbox: the policy's answer. Returns whether a place may have come free. */
static bool make_room(struct tern_lcore *lcore, struct tern_room *room,
		      const struct tern_signal *signal)
{
	struct tern_signal oldest;
	/* What is left then is reported as undelivered. */
	if (tern_engine_state(lcore->engine) == TERN_ENGINE_ENDING)
		return false;
	if (tern_load(&room->policy) == TERN_POLICY_EVICT) {
		tern_address to = tern_address_make(0, signal->to_slot, signal->to_generation);
		tern_ask(lcore, to, TERN_ASK_EVICT);
		return false;
	}
	if (tern_load(&room->policy) != TERN_POLICY_DROP_OLDEST ||
	    !tern_roam_drop_oldest(&room->roam, &oldest))
		return false;
	if (tern_unlikely(!is_to_living(lcore, &oldest))) {
		tern_life_bounce(lcore, &oldest, false);
		return true;
	}
	tern_signal_discard(lcore, &oldest);
	__atomic_fetch_add(&room->dropped, 1, __ATOMIC_RELAXED);
	tern_count(&lcore->stats.dropped, 1);
	tern_lcore_settle(lcore, 1);
	return true;
}

/* By CAS, so that only the agent that was meant is marked, not who lives in its slot by now. */
static void press_agent(struct tern_lcore *lcore, struct tern_room *room, tern_address to)
{
	uint64_t *entry = &lcore->directory[tern_address_slot(to)], seen = tern_load(entry);
	if (!tern_policy_refuses(tern_load(&room->policy)))
		return;
	do {
		if (seen & TERN_DIR_PRESSED || !tern_dir_alive(seen, to))
			return;
	} while (!__atomic_compare_exchange_n(entry, &seen, seen | TERN_DIR_PRESSED, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	__atomic_fetch_add(&room->pressured, 1, __ATOMIC_RELAXED);
}

/*
 * Apart, because the agent's line, which its lcore writes for each signal, is one that a sender
 * does without while few wait. What goes from ring to mailbox meanwhile counts twice: pressed
 * early, never late.
 */
static __attribute__((noinline)) void
look_for_high(struct tern_lcore *lcore, struct tern_room *room, tern_address to, uint32_t waiting)
{
	if (!room->exact)
		waiting += tern_load(&lcore->agents[tern_address_slot(to)].mailbox.queued);
	if (waiting >= tern_load(&room->high_water))
		press_agent(lcore, room, to);
}

/* Take a place within an exact bound, which counts what has left the ring and is not taken up. */
static bool enter_exact(struct tern_room *room, uint32_t *waiting)
{
	*waiting = 0;
	if (tern_likely(!room->exact))
		return true;
	*waiting = __atomic_add_fetch(&room->waiting, 1, __ATOMIC_RELAXED);
	if (*waiting <= tern_load(&room->capacity))
		return true;
	tern_room_leave(room);
	return false;
}

/* The agent may end at any moment here: then its room takes the signal for it, or there is none. */
static int put_in_ring(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	tern_address to = tern_address_make(0, signal->to_slot, signal->to_generation);
	uint32_t count, waiting;
	if (!is_to_living(lcore, signal))
		return -ESRCH;
	struct tern_room *room = tern_room_of(lcore, signal->to_slot);
	if (tern_unlikely(!room))
		return -ESRCH;
	if (!enter_exact(room, &waiting))
		return -EAGAIN;
	for (uint32_t i = 0; tern_roam_put(&room->roam, signal, &count) != 0; i++) {
		int code = i > tern_load(&room->capacity) || !make_room(lcore, room, signal)
				   ? -EAGAIN
				   : 0;
		if (code == 0 && !is_to_living(lcore, signal))
			code = -ESRCH;
		if (code != 0) {
			tern_room_leave(room);
			return code;
		}
	}
	/* Before the wake: the run that follows finds the mark, and clears it when it may. */
	if (tern_unlikely(room->exact || count >= tern_load(&room->calm)))
		look_for_high(lcore, room, to, room->exact ? waiting : count);
	if (tern_roam_wake_after_put(&room->roam))
		tern_roaming_schedule(lcore, room);
	return 0;
}

/* An lcore is quiet between turns only; a thread is, but here. */
int tern_roaming_send(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	if (tern_likely(!lcore->is_thread))
		return put_in_ring(lcore, signal);
	tern_reader_enter(lcore);
	int code = put_in_ring(lcore, signal);
	tern_reader_leave(lcore);
	return code;
}
