/* SPDX-License-Identifier: Apache-2.0 */
#include "injector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tern_injector_init(struct tern_injector *fault, uint64_t seed, uint32_t held_max,
		       struct rte_mempool *pool)
{
	struct tern_injector_held *held = calloc(held_max, sizeof(*held));
	if (!held)
		return -ENOMEM;
	*fault = (struct tern_injector){.rng = tern_rng_stream(seed, 0),
					.held = held,
					.held_max = held_max,
					.next_after = UINT64_MAX,
					.pool = pool};
	return 0;
}

void tern_injector_fini(struct tern_injector *fault)
{
	for (uint32_t i = 0; i < fault->held_count; i++)
		rte_pktmbuf_free(fault->held[i].frame);
	free(fault->held);
	*fault = (struct tern_injector){0};
}

static void fault_switch(struct tern_injector *fault)
{
	fault->is_on = fault->rule_count || fault->held_count;
}

void tern_injector_set(struct tern_injector *fault, enum tern_fault_way way,
		       const struct tern_fault_rule *rules, unsigned count)
{
	fault->rule_count = 0;
	for (unsigned i = 0; i < count && fault->rule_count < TERN_FAULT_RULES; i++)
		if (rules[i].way == TERN_FAULT_EITHER || rules[i].way == way)
			fault->rules[fault->rule_count++] = tern_fault_rule_complete(&rules[i]);
	fault_switch(fault);
}

static bool held_is_before(const struct tern_injector_held *a, const struct tern_injector_held *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

/* Move what belongs at a place of the heap, or above it, up to where it belongs. */
static void held_sift_up(struct tern_injector *fault, uint32_t place)
{
	struct tern_injector_held held = fault->held[place];
	while (place > 0 && held_is_before(&held, &fault->held[(place - 1) / 2])) {
		fault->held[place] = fault->held[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	fault->held[place] = held;
}

static void held_sift_down(struct tern_injector *fault, uint32_t place)
{
	struct tern_injector_held held = fault->held[place];
	uint32_t below = 2 * place + 1;
	for (; below < fault->held_count; below = 2 * place + 1) {
		if (below + 1 < fault->held_count &&
		    held_is_before(&fault->held[below + 1], &fault->held[below]))
			below++;
		if (!held_is_before(&fault->held[below], &held))
			break;
		fault->held[place] = fault->held[below];
		place = below;
	}
	fault->held[place] = held;
}

static void held_push(struct tern_injector *fault, struct rte_mbuf *frame, uint64_t due_ns,
		      uint64_t after)
{
	if (fault->held_count == fault->held_max) {
		fault->stats.overflowed++;
		rte_pktmbuf_free(frame);
		return;
	}
	fault->held[fault->held_count] = (struct tern_injector_held){
		.frame = frame, .due_ns = due_ns, .order = fault->order++, .after = after};
	if (after < fault->next_after)
		fault->next_after = after;
	held_sift_up(fault, fault->held_count++);
}

/* Reordered frames that have been overtaken by as many as they were to be are due. */
static void held_release_overtaken(struct tern_injector *fault)
{
	if (fault->passed < fault->next_after)
		return;
	fault->next_after = UINT64_MAX;
	for (uint32_t i = 0; i < fault->held_count; i++) {
		struct tern_injector_held *held = &fault->held[i];
		if (held->after <= fault->passed) {
			held->due_ns = 0;
			held->after = UINT64_MAX;
		} else if (held->after < fault->next_after) {
			fault->next_after = held->after;
		}
	}
	for (uint32_t i = fault->held_count / 2; i-- > 0;)
		held_sift_down(fault, i);
}

unsigned tern_injector_due(struct tern_injector *fault, uint64_t now_ns, struct rte_mbuf **out,
			   unsigned max)
{
	unsigned count = 0;
	while (count < max && fault->held_count && fault->held[0].due_ns <= now_ns) {
		out[count++] = fault->held[0].frame;
		fault->held[0] = fault->held[--fault->held_count];
		if (fault->held_count)
			held_sift_down(fault, 0);
	}
	fault_switch(fault);
	return count;
}

/* 0 .. below - 1 */
static uint64_t fault_pick(struct tern_injector *fault, uint64_t below)
{
	return tern_rng_next(&fault->rng) % below;
}

static bool fault_strikes(struct tern_injector *fault, uint32_t rate)
{
	return rate && fault_pick(fault, TERN_FAULT_MILLION) < rate;
}

static void frame_flip_bit(struct rte_mbuf *frame, uint32_t bit)
{
	uint32_t at = bit / 8;
	while (at >= rte_pktmbuf_data_len(frame)) {
		at -= rte_pktmbuf_data_len(frame);
		frame = frame->next;
	}
	*rte_pktmbuf_mtod_offset(frame, uint8_t *, at) ^= (uint8_t)(1u << bit % 8);
}

/* So many bits, no bit twice. */
static void fault_flip_bits(struct tern_injector *fault, struct rte_mbuf *frame, uint32_t count)
{
	uint32_t bits[TERN_FAULT_BITS_MAX], found = 0, size = rte_pktmbuf_pkt_len(frame) * 8;
	while (found < count && found < size) {
		uint32_t bit = (uint32_t)fault_pick(fault, size), i = 0;
		while (i < found && bits[i] != bit)
			i++;
		if (i < found)
			continue;
		bits[found++] = bit;
		frame_flip_bit(frame, bit);
	}
}

static struct rte_mbuf *fault_copy(struct tern_injector *fault, const struct rte_mbuf *frame)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(frame, fault->pool, 0, UINT32_MAX);
	if (!copy)
		fault->stats.uncopied++;
	return copy;
}

/* Others may hold the frame too: what is altered is a copy. */
static struct rte_mbuf *fault_corrupt(struct tern_injector *fault,
				      const struct tern_fault_rule *rule, struct rte_mbuf *frame)
{
	uint32_t bits = 1 + (uint32_t)fault_pick(fault, rule->bits);
	struct rte_mbuf *copy = fault_copy(fault, frame);
	if (!copy)
		return frame;
	fault->stats.corrupted++;
	fault_flip_bits(fault, copy, bits);
	rte_pktmbuf_free(frame);
	return copy;
}

/* Hold a frame back, or put it out. Returns how many came out: 0 or 1. */
static unsigned fault_hold(struct tern_injector *fault, const struct tern_fault_rule *rule,
			   struct rte_mbuf *frame, uint64_t now_ns, struct rte_mbuf **out)
{
	bool is_delayed = fault_strikes(fault, rule->delayed);
	bool is_reordered = fault_strikes(fault, rule->reorder);
	if (is_delayed) {
		uint64_t jitter = rule->jitter_ns ? fault_pick(fault, rule->jitter_ns + 1) : 0;
		fault->stats.delayed++;
		held_push(fault, frame, now_ns + rule->delay_ns + jitter, UINT64_MAX);
	} else if (is_reordered) {
		uint64_t behind = 1 + fault_pick(fault, rule->behind);
		fault->stats.reordered++;
		held_push(fault, frame, now_ns + TERN_FAULT_REORDER_NS, fault->passed + behind);
	} else {
		*out = frame;
		return 1;
	}
	return 0;
}

static unsigned fault_apply(struct tern_injector *fault, const struct tern_fault_rule *rule,
			    struct rte_mbuf *frame, uint64_t now_ns, struct rte_mbuf **out)
{
	struct rte_mbuf *copy = NULL;
	unsigned count;
	fault->stats.seen++;
	if (rule->is_partition || fault_strikes(fault, rule->loss)) {
		fault->stats.partitioned += rule->is_partition;
		fault->stats.lost += !rule->is_partition;
		rte_pktmbuf_free(frame);
		return 0;
	}
	if (fault_strikes(fault, rule->corrupt))
		frame = fault_corrupt(fault, rule, frame);
	if (fault_strikes(fault, rule->duplicate))
		copy = fault_copy(fault, frame);
	count = fault_hold(fault, rule, frame, now_ns, out);
	if (copy) {
		fault->stats.duplicated++;
		count += fault_hold(fault, rule, copy, now_ns, out + count);
	}
	return count;
}

static const struct tern_fault_rule *fault_find_rule(const struct tern_injector *fault,
						     const struct rte_mbuf *frame)
{
	struct tern_label label = tern_label_of(frame);
	for (unsigned i = 0; i < fault->rule_count; i++)
		if (tern_fault_rule_applies(&fault->rules[i], &label))
			return &fault->rules[i];
	return NULL;
}

/* What was due before the frame goes before it, and what it overtakes behind it. */
unsigned tern_injector_pass(struct tern_injector *fault, struct rte_mbuf *frame, uint64_t now_ns,
			    struct rte_mbuf *out[static TERN_FAULT_OUT])
{
	const struct tern_fault_rule *rule = fault_find_rule(fault, frame);
	unsigned count = tern_injector_due(fault, now_ns, out, TERN_FAULT_OUT / 2);
	fault->passed++;
	if (rule)
		count += fault_apply(fault, rule, frame, now_ns, out + count);
	else
		out[count++] = frame;
	held_release_overtaken(fault);
	return count + tern_injector_due(fault, now_ns, out + count, TERN_FAULT_OUT - count);
}
