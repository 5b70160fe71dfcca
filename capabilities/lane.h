/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANE_H
#define LANE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "counter.h"
#include "tern_slot.h"

/*
 * A lane: the one-way path between two lcores. Single producer, single consumer, 64-byte slots.
 *
 * A slot is valid when its sequence equals the lap of the position, so that data and flag travel
 * in one cache line: a single signal costs one transfer. The producer writes the slot, then its
 * first word with release (W1); the consumer reads the first word with acquire (R1), then the
 * slot. W1-R1 forbids that the consumer sees the lap before the payload; without it a handler
 * reads the previous lap's bytes.
 *
 * The consumer publishes its position with release (W2) once per batch; the producer reads it
 * with acquire (R2) only when it has used up the credit of the last reading. W2-R2 forbids that
 * the producer overwrites a slot still being read.
 *
 * Lines touched per signal: the slot (moves from producer to consumer); per batch and side, the
 * line of `head`. `tail` and the cached limit live in the producer's own memory, the read
 * position in the consumer's.
 *
 * Depth: a line is cheap to hand over when it has rested since its last use. With 4,096 slots
 * (256 KiB) a lane moves about twice as many signals per second as with 2,048 or fewer, even when
 * no more than 1,024 of them are ever under way; more brings nothing. docs/decisions.md has the
 * measurement.
 *
 * A lap is 16 bits: it wraps after depth x 65,536 signals, and cannot be mistaken, because the
 * slot then holds the lap before, never one 65,536 laps old.
 */
struct tern_lane {
	alignas(TERN_LINE) uint32_t head;  /* consumer writes: positions below it are free again */
	alignas(TERN_LINE) uint32_t depth; /* constant from here on */
	uint32_t shift;
	alignas(TERN_LINE) struct tern_signal slots[];
};

/** Slots that the producer asks for ahead of writing them. */
#define TERN_LANE_AHEAD 8

/** Producer's end. All zero: no lane yet, and full. */
struct tern_lane_out {
	struct tern_signal *slots;
	struct tern_lane *lane;
	uint32_t tail;
	uint32_t limit; /* tail may rise to here without reading `head` */
	uint32_t mask;
	uint16_t lap;
};

/** Consumer's end. */
struct tern_lane_in {
	struct tern_signal *slots;
	struct tern_lane *lane;
	uint32_t head; /* next position to read */
	uint32_t published;
	uint32_t mask;
	uint16_t lap;
	struct tern_signal *stands_on; /* slot before `head`, being handled where it lies */
};

static inline size_t tern_lane_bytes(uint32_t depth)
{
	return sizeof(struct tern_lane) + (size_t)depth * sizeof(struct tern_signal);
}

/** Make a lane in zeroed memory. `depth` is a power of two. */
static inline void tern_lane_init(struct tern_lane *lane, uint32_t depth)
{
	lane->depth = depth;
	lane->shift = (uint32_t)__builtin_ctz(depth);
}

static inline void tern_lane_open_out(struct tern_lane *lane, struct tern_lane_out *out)
{
	*out = (struct tern_lane_out){.slots = lane->slots,
				      .lane = lane,
				      .limit = lane->depth,
				      .mask = lane->depth - 1,
				      .lap = 1};
}

static inline void tern_lane_open_in(struct tern_lane *lane, struct tern_lane_in *in)
{
	*in = (struct tern_lane_in){
		.slots = lane->slots, .lane = lane, .mask = lane->depth - 1, .lap = 1};
}

/** Whether the producer has used up its credit: then tern_lane_refresh() may find more. */
static inline bool tern_lane_spent(const struct tern_lane_out *out)
{
	return out->tail == out->limit;
}

/** Read the consumer's position (R2). Returns whether there is credit now. */
static inline bool tern_lane_refresh(struct tern_lane_out *out)
{
	if (!out->lane)
		return false;
	out->limit = __atomic_load_n(&out->lane->head, __ATOMIC_ACQUIRE) + out->lane->depth;
	return out->tail != out->limit;
}

/** The slot to fill next: everything but its first word. Context: producer, not spent. */
static inline struct tern_signal *tern_lane_slot(struct tern_lane_out *out)
{
	return &out->slots[out->tail & out->mask];
}

/** Hand the filled slot over (W1). */
static inline void tern_lane_push(struct tern_lane_out *out, struct tern_signal *slot,
				  uint16_t type, uint32_t stamp)
{
	uint64_t word = (uint64_t)stamp << 32 | (uint64_t)type << 16 | out->lap;
	uint32_t tail = out->tail + 1, mask = out->mask;
	/* The line last went to the consumer: ask for it before it is to be written. */
	__builtin_prefetch(&out->slots[(tail + TERN_LANE_AHEAD) & mask], 1);
	__atomic_store_n((uint64_t *)(void *)slot, word, __ATOMIC_RELEASE);
	out->tail = tail;
	if ((tail & mask) == 0)
		out->lap++;
}

/** The next slot, or NULL (R1). It stays valid until a publication passes it. */
static inline struct tern_signal *tern_lane_peek(const struct tern_lane_in *in)
{
	struct tern_signal *slot = &in->slots[in->head & in->mask];
	uint64_t word = __atomic_load_n((uint64_t *)(void *)slot, __ATOMIC_ACQUIRE);
	if ((uint16_t)word != in->lap)
		return NULL;
	if (!slot)
		__builtin_unreachable(); /* so that a caller's test for NULL is the one above */
	return slot;
}

/** Step over the slot just peeked. */
static inline void tern_lane_next(struct tern_lane_in *in)
{
	in->head++;
	if ((in->head & in->mask) == 0)
		in->lap++;
}

/** Whether a slot of this lane's memory is being handled where it lies. */
static inline bool tern_lane_in_use(const struct tern_lane_in *in)
{
	return in->stands_on >= in->slots && in->stands_on <= in->slots + in->mask;
}

/** Give the slots read so far back to the producer (W2): none of them is in use any more. */
static inline void tern_lane_publish(struct tern_lane_in *in)
{
	if (in->head == in->published)
		return;
	in->published = in->head;
	__atomic_store_n(&in->lane->head, in->head, __ATOMIC_RELEASE);
}

/** The same, but so that the producer may have `credit` slots under way at most. */
static inline void tern_lane_publish_within(struct tern_lane_in *in, uint32_t credit)
{
	uint32_t depth = in->mask + 1;
	uint32_t to = tern_likely(credit >= depth) ? in->head : in->head - (depth - credit);
	if ((int32_t)(to - in->published) <= 0)
		return;
	in->published = to;
	__atomic_store_n(&in->lane->head, to, __ATOMIC_RELEASE);
}

/**
 * Go on in other memory of the same depth; positions and laps go on, too.
 *
 * Context: one thread has both ends, and the lane is empty.
 */
static inline void tern_lane_move(struct tern_lane_out *out, struct tern_lane_in *in,
				  struct tern_lane *lane)
{
	for (uint32_t i = 0; i < lane->depth; i++)
		lane->slots[i].sequence = (uint16_t)(out->lap - 1);
	out->lane = in->lane = lane;
	out->slots = in->slots = lane->slots;
	in->published = in->head;
	__atomic_store_n(&lane->head, in->head, __ATOMIC_RELEASE);
}

#endif
