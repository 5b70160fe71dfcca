/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include "engine/lcore/lcore.h"

/*
 * Latency anatomy: one signal in trace_every carries a fresh stamp and is timed on each hop. A
 * stamp is clock ticks >> 4 in 32 bits. Between drain and handler the drain's delay sits in the
 * slot's sequence, which has no other use there, as a 16-bit float: 5 bits of exponent, 11 of
 * fraction, exact to 0.05 %.
 */
#define FRACTION_BITS 11

static uint16_t delay_pack(uint32_t delay)
{
	if (delay < 1u << FRACTION_BITS)
		return (uint16_t)delay;
	uint32_t exponent = 31u - (uint32_t)__builtin_clz(delay) - FRACTION_BITS;
	uint32_t fraction = delay >> exponent & ((1u << FRACTION_BITS) - 1);
	return (uint16_t)((exponent + 1) << FRACTION_BITS | fraction);
}

static uint32_t delay_unpack(uint16_t packed)
{
	uint32_t exponent = packed >> FRACTION_BITS;
	uint32_t fraction = packed & ((1u << FRACTION_BITS) - 1);
	return exponent ? (fraction | 1u << FRACTION_BITS) << (exponent - 1) : fraction;
}

static uint32_t stamp_now(const struct tern_lcore *lcore)
{
	return (uint32_t)(tern_clock_ticks(lcore->clock) >> 4);
}

static void keep_hop(const struct tern_lcore *lcore, struct tern_agent *agent, enum tern_hop hop,
		     uint32_t stamps)
{
	if (agent->extras && agent->extras->hops)
		tern_histogram_record(&agent->extras->hops[hop],
				      tern_clock_to_ns(lcore->clock, (uint64_t)stamps << 4));
}

void tern_trace_drained(struct tern_lcore *lcore, struct tern_agent *agent,
			struct tern_signal *signal)
{
	uint32_t delay = stamp_now(lcore) - signal->stamp;
	signal->sequence = delay_pack(delay);
	keep_hop(lcore, agent, TERN_HOP_LANE, delay);
}

uint32_t tern_trace_begin(const struct tern_lcore *lcore, struct tern_agent *agent,
			  const struct tern_signal *signal)
{
	uint32_t drained = signal->stamp + delay_unpack(signal->sequence);
	uint32_t now = stamp_now(lcore);
	/* The packed delay is rounded down, so `drained` is never after `now`. */
	keep_hop(lcore, agent, TERN_HOP_QUEUE, now - drained);
	return now;
}

void tern_trace_end(const struct tern_lcore *lcore, struct tern_agent *agent, uint32_t began)
{
	keep_hop(lcore, agent, TERN_HOP_HANDLER, stamp_now(lcore) - began);
}
