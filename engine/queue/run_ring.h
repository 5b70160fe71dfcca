/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUN_RING_H
#define RUN_RING_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capabilities/counter.h"

/*
 * The run queue of one lcore: agents to run, first in, first out, 256 at most. One producer, the
 * lcore that owns it; many consumers, the owner and thieves. A thief looks at the oldest entry
 * before it decides to take it, which is what the rings of DPDK and ck do not offer.
 *
 * Entries lie between two positions of 64 bits, which never wrap, so that a ticket (the position
 * of an entry that was looked at) means the same entry for ever and the CAS on it has no ABA.
 *
 * The owner writes the entry, then moves `tail` with release (W1); a consumer reads `tail` with
 * acquire (R1), then the entry. W1-R1 forbids that a consumer sees the position before the entry,
 * or before what the owner did to the agent; without it, it reads the entry of 256 positions ago.
 *
 * A consumer reads the entry, then moves `head` by CAS with release (W2); the owner reads `head`
 * with acquire (R2) before it fills the place again. W2-R2 forbids that the owner's next entry
 * overtakes the read of the old one. Later CASes of others keep the release sequence, so R2 is
 * after the reads of all positions below the one it sees. Hence a taken entry is the one that was
 * read: had the place been filled again before, `head` had moved and the CAS failed. Where the
 * CAS fails the entry may be of any lap, and is not handed out.
 *
 * A consumer reads `head` with acquire (R3) before `tail`. W2-R3 forbids that it sees a head moved
 * by somebody who saw a newer tail than it does itself: head would be beyond tail, and the ring
 * would look very full. A head older than the tail is harmless: the CAS fails.
 *
 * Lock-free: a CAS fails only because another consumer took an entry. A push waits for nobody; a
 * consumer that stops anywhere holds up nobody.
 *
 * Lines: `tail` is the owner's, thieves that look read it; `head` moves with whoever takes. The
 * owner reads `head` only when it has used up the places of the last reading.
 */
#define TERN_RUN_RING_SIZE 256u

struct tern_run_ring {
	/* owner writes */
	alignas(TERN_LINE) uint64_t tail; /* position of the next push */
	uint64_t limit;			  /* owner's own: tail may rise to here without R2 */
	/* whoever takes writes, by CAS */
	alignas(TERN_LINE) uint64_t head; /* position of the oldest entry */
	/* owner writes */
	alignas(TERN_LINE) uint64_t entries[TERN_RUN_RING_SIZE];
};
_Static_assert((TERN_RUN_RING_SIZE & (TERN_RUN_RING_SIZE - 1)) == 0, "a power of two");
_Static_assert(offsetof(struct tern_run_ring, head) == TERN_LINE &&
		       offsetof(struct tern_run_ring, entries) == 2 * TERN_LINE,
	       "the owner's line, the takers' line, the entries");

/** An entry: an agent's slot and the clock's stamp of when it was woken. */
static inline uint64_t tern_run_entry(uint32_t slot, uint32_t stamp)
{
	return (uint64_t)stamp << 32 | slot;
}

static inline uint32_t tern_run_entry_slot(uint64_t entry)
{
	return (uint32_t)entry;
}

static inline uint32_t tern_run_entry_stamp(uint64_t entry)
{
	return (uint32_t)(entry >> 32);
}

/** Make a ring empty. Context: before any other lcore knows it. */
static inline void tern_run_ring_init(struct tern_run_ring *ring)
{
	*ring = (struct tern_run_ring){.limit = TERN_RUN_RING_SIZE};
}

/** Append an entry (W1). False: 256 are in it. Context: owner. */
static inline bool tern_run_ring_push(struct tern_run_ring *ring, uint64_t entry)
{
	uint64_t tail = tern_load(&ring->tail);
	if (tern_unlikely(tail == ring->limit)) {
		uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE); /* R2 */
		ring->limit = head + TERN_RUN_RING_SIZE;
		if (tail == ring->limit)
			return false;
	}
	tern_store(&ring->entries[tail % TERN_RUN_RING_SIZE], entry);
	__atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}

/**
 * Look at the oldest entry without taking it.
 *
 * What is seen is sure only once tern_run_ring_take() has said so: until then somebody else may
 * take it.
 *
 * @param ticket  yields what to take it by
 * @param entry   yields the entry
 * @return false: the ring is empty; nothing is yielded
 *
 * Context: owner and thieves. Wait-free; writes nothing shared.
 */
static inline bool tern_run_ring_peek(const struct tern_run_ring *ring, uint64_t *ticket,
				      uint64_t *entry)
{
	uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE); /* R3 */
	uint64_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE); /* R1 */
	if (head == tail)
		return false;
	*entry = tern_load(&ring->entries[head % TERN_RUN_RING_SIZE]);
	*ticket = head;
	return true;
}

/**
 * Take the entry that was looked at (W2). False: somebody else took it.
 *
 * Context: owner and thieves. Wait-free: one CAS.
 */
static inline bool tern_run_ring_take(struct tern_run_ring *ring, uint64_t ticket)
{
	return __atomic_compare_exchange_n(&ring->head, &ticket, ticket + 1, false,
					   __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/**
 * Take the oldest entry. False: the ring is empty; nothing is yielded.
 *
 * Context: owner and thieves. Lock-free: one CAS where nobody else takes at the same time.
 */
static inline bool tern_run_ring_pop(struct tern_run_ring *ring, uint64_t *entry)
{
	uint64_t ticket, seen;
	do {
		if (!tern_run_ring_peek(ring, &ticket, &seen))
			return false;
	} while (!tern_run_ring_take(ring, ticket));
	*entry = seen;
	return true;
}

/**
 * Entries in the ring, 0 to 256. Any thread. To the owner it is exact but for what is taken during
 * the call; to others it is a hint.
 */
static inline uint32_t tern_run_ring_count(const struct tern_run_ring *ring)
{
	uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE); /* R3 */
	uint64_t count = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) - head;
	return count < TERN_RUN_RING_SIZE ? (uint32_t)count : TERN_RUN_RING_SIZE;
}

#endif
