/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_H
#define AGENT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

#include "capabilities/counter.h"
#include "engine/queue/mailbox.h"
#include "tern_agent.h"
#include "tern_engine.h"

struct tern_lcore;
struct tern_extras;

/** Where an agent is in its life. Home lcore writes (the spawner before anyone knows it). */
enum tern_status {
	TERN_IDLE,   /* started, mailbox empty: signals run in place */
	TERN_REST,   /* as idle, but its signals always go through the mailbox */
	TERN_READY,  /* among the ready agents, or being run from its mailbox */
	TERN_NEW,    /* not started yet */
	TERN_PAUSED, /* signals queue up */
	TERN_ENDING, /* among the ready agents, to end there */
	TERN_DEAD,
};

#define TERN_AGENT_LISTED 1u	    /* among the ready agents */
#define TERN_AGENT_OVER 2u	    /* above high water, low water not reached since */
#define TERN_AGENT_TOLD_OVER 4u	    /* and its on_event knows */
#define TERN_AGENT_STARTED 8u	    /* on_start ran */
#define TERN_AGENT_SHY 16u	    /* rests as TERN_REST: low, with a slice, with a rate */
#define TERN_AGENT_PERMIT 32u	    /* counts for max_concurrent */
#define TERN_AGENT_WAITING 64u	    /* listed, and waits for a permit */
#define TERN_AGENT_FINISHING 128u   /* handles what it has, then ends */
#define TERN_AGENT_FIBER 256u	    /* extras->fiber runs it */
#define TERN_AGENT_FDS 512u	    /* has waited for a file descriptor */
#define TERN_AGENT_FAILED 1024u	    /* tern_life_fail() */
#define TERN_AGENT_ROAMING 4096u    /* any lcore may run it, or it has such a ring: roaming.h */
#define TERN_AGENT_ADMITTED 8192u   /* roaming, and among the policy's for its run ring */
#define TERN_AGENT_PARKED 16384u    /* its timers are in no wheel: it moves */
#define TERN_AGENT_DUE 32768u	    /* something is due to it: due.h */
#define TERN_AGENT_TELLING 131072u  /* on_error or on_stop runs */
#define TERN_AGENT_TIED 65536u	    /* had timers, or waited for room, when its last run ended */
#define TERN_AGENT_MUTE 2048u	    /* failed while it was told of its end: not called again */
#define TERN_AGENT_OFFERS 262144u   /* is, or was, in a set of those who offer a capability */
#define TERN_AGENT_MARKED 524288u   /* an end waits for signals in its mailbox: watch.c */
#define TERN_AGENT_SHORT 1048576u   /* refuses, or waits, for want of mailbox memory: policy.c */
#define TERN_AGENT_REFUSED 2097152u /* is to be told when others take signals again: waiter.h */
#define TERN_AGENT_STAYS 4194304u   /* has a ring like one that roams, and stays where it is */
#define TERN_AGENT_EXACT 8388608u   /* its bound is exact: counted in its room */

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
	uint8_t status;		     /* enum tern_status; any thread reads */
	uint8_t policy;		     /* enum tern_policy */
	uint8_t end_why;	     /* enum tern_end, while ENDING */
	int8_t priority;	     /* enum tern_priority */
	uint32_t flags;		     /* TERN_AGENT_* */

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

static inline void tern_agent_set_status(struct tern_agent *agent, enum tern_status status)
{
	__atomic_store_n(&agent->status, (uint8_t)status, __ATOMIC_RELEASE);
}

/**
 * What an agent is doing, as whoever brings it a signal reads it: before its address. At any moment
 * another lcore's agent may take the slot of one that has ended here; then the address read after
 * the status of the new one is the new one's, too.
 */
static inline uint8_t tern_agent_status_first(const struct tern_agent *agent)
{
	return __atomic_load_n(&agent->status, __ATOMIC_ACQUIRE);
}

/** What an agent is while it has nothing to do. */
static inline enum tern_status tern_agent_resting(const struct tern_agent *agent)
{
	return agent->flags & TERN_AGENT_SHY ? TERN_REST : TERN_IDLE;
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

/** What only some agents need: a name, a bound, a slice, a rate, a key index, histograms. By slot:
 * extras.h. */
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
	uint32_t capacity;
	uint32_t key_offset;
	uint32_t key_length;
	uint32_t keys_mask;
	tern_iso *keys;		     /* conflate: uint32_t[keys_mask + 1], see keys.c */
	struct tern_histogram *hops; /* TERN_HOPS, NULL without tracing */
};

#endif
