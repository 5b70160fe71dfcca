/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_H
#define AGENT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

#include "agent_table.h"
#include "capabilities/counter.h"
#include "engine/queue/mailbox.h"
#include "tern_agent.h"
#include "tern_engine.h"

struct tern_lcore;
struct tern_extras;

/** One agent: two lines, 128 bytes. Line 0 is what a signal touches. */
struct TERN_CAPABILITY("agent") tern_agent {
	/* home lcore writes */
	alignas(TERN_LINE) void (*handler)(struct tern_agent *, void *, struct tern_signal *);
	void *state;
	struct tern_lcore *lcore;
	union {
		tern_address address;
		uint32_t address_low; /* its generation is in here: one load of half the size */
	};
	uint64_t signals_in;
	struct tern_mailbox mailbox; /* in the home lcore's cells */
	const uint8_t status;	     /* enum tern_status; any thread reads; agent_state.h writes */
	uint8_t policy;		     /* enum tern_policy */
	uint8_t end_why;	     /* enum tern_end, while ENDING */
	int8_t priority;	     /* enum tern_priority */
	const uint32_t flags;	     /* TERN_AGENT_*; agent_state.h writes */

	alignas(TERN_LINE) const struct tern_behaviour *behaviour;
	uint64_t signals_out;
	struct tern_timer *timers;  /* armed */
	struct tern_extras *extras; /* NULL for a plain agent */
	struct tern_id id;
	union {
		struct {
			uint32_t high_water;
			uint32_t low_water;
		};
		int64_t result; /* while ENDING: given to tern_exit() */
	};
	uint32_t ready_next; /* slot of the next agent in its list of ready ones */
};
_Static_assert(sizeof(struct tern_agent) == 128, "an agent is two lines");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "address_low is the low half");
_Static_assert(offsetof(struct tern_agent, behaviour) == TERN_LINE, "line 0 is the signal's");

/**
 * What an agent is doing, as whoever brings it a signal reads it: before its address. At any moment
 * another lcore's agent may take the slot of one that has ended here; then the address read after
 * the status of the new one is the new one's, too.
 */
static inline uint8_t tern_agent_status_first(const struct tern_agent *agent)
{
	return __atomic_load_n(&agent->status, __ATOMIC_ACQUIRE);
}

/*
 * An id is read by any thread. Release and acquire: who reads the id of a slot's next life also
 * finds, on a second look, that the life it asked about is over.
 */
static inline void tern_agent_set_id(struct tern_agent *agent, struct tern_id id)
{
	__atomic_store_n(&agent->id.high, id.high, __ATOMIC_RELEASE);
	__atomic_store_n(&agent->id.low, id.low, __ATOMIC_RELEASE);
}

static inline struct tern_id tern_agent_load_id(const struct tern_agent *agent)
{
	return (struct tern_id){.high = __atomic_load_n(&agent->id.high, __ATOMIC_ACQUIRE),
				.low = __atomic_load_n(&agent->id.low, __ATOMIC_ACQUIRE)};
}

#define TERN_NAME_MAX 64

/** What only some agents need: a name, a bound, a slice, a rate, a weight, a key index, histograms.
 * By slot: extras.h. */
struct tern_extras {
	/* Words, so that readers see no torn byte. */
	alignas(TERN_LINE) uint64_t name[TERN_NAME_MAX / 8];

	uint64_t slice_ticks;	  /* 0: the lcore's */
	uint64_t rate_interval;	  /* ticks per signal; 0: no limit */
	uint64_t rate_burst;	  /* signals */
	uint64_t rate_tat;	  /* see ready_policies.c */
	struct tern_fiber *fiber; /* NULL: it is a handler */
	uint32_t stack_bytes;	  /* of its fiber */
	uint32_t rate;		  /* signals a second */
	uint32_t weight;	  /* of its share: 1 or more */
	uint32_t capacity;
	uint32_t key_offset;
	uint32_t key_length;
	uint32_t keys_mask;
	tern_iso *keys;		     /* conflate: uint32_t[keys_mask + 1], see keys.c */
	struct tern_histogram *hops; /* TERN_HOPS, NULL without tracing */
};

#endif
