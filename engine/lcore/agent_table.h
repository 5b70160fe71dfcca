/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_TABLE_H
#define AGENT_TABLE_H

/*
 * What an agent can be, and what moves it on: one table, from which come the checks of debug_states
 * builds (agent_state.c), docs/agent-states.svg and the model's moves (scripts/agent-states).
 */

/** Where an agent is in its life. Home lcore writes (the spawner before anyone knows it). */
enum tern_status {
	TERN_IDLE,   /* started, mailbox empty: signals run in place */
	TERN_REST,   /* as idle, but its signals always go through the mailbox */
	TERN_READY,  /* among the ready agents, or being run from its mailbox */
	TERN_NEW,    /* not started yet */
	TERN_PAUSED, /* signals queue up */
	TERN_ENDING, /* among the ready agents, to end there */
	TERN_DEAD,   /* nobody lives in the slot */
};
#define TERN_STATUSES 7

/** EVENT(NAME, what happens): tern_agent_on_NAME() of agent_state.h, in small letters. */
#define TERN_AGENT_EVENTS(EVENT)                             \
	EVENT(SPAWN, "it is made in a free slot")            \
	EVENT(UNDO, "its spawn failed")                      \
	EVENT(BOOT, "the engine's own, of an lcore")         \
	EVENT(ADOPT, "it has nothing to start")              \
	EVENT(START, "on_start is about to run")             \
	EVENT(QUEUE, "it is put among the ready agents")     \
	EVENT(RUN, "it is about to be run")                  \
	EVENT(SETTLE, "it ran, and what waits was seen")     \
	EVENT(PAUSE, "it takes nothing from its mailbox")    \
	EVENT(RESUME, "it goes on")                          \
	EVENT(END, "it is to end, its mailbox is sent back") \
	EVENT(ENDED, "on_stop ran, watchers were told")

/* clang-format off */

/**
 * MOVE(state, event, state after it, what that means). What is not listed is impossible. Where two
 * rows differ in the state after alone, the flags decide: at rest is REST for an agent that is SHY,
 * else IDLE; it is READY where it is LISTED, or more waits for it.
 */
#define TERN_AGENT_MOVES(MOVE) \
	MOVE(DEAD,   SPAWN,  NEW,    "nobody knows it yet") \
	MOVE(NEW,    UNDO,   DEAD,   "nobody knew it") \
	MOVE(DEAD,   BOOT,   IDLE,   "it lives as long as the engine") \
	MOVE(NEW,    ADOPT,  IDLE,   "at rest at once") \
	MOVE(NEW,    ADOPT,  REST,   "at rest at once") \
	MOVE(NEW,    START,  IDLE,   "nothing waits") \
	MOVE(NEW,    START,  REST,   "nothing waits, or it roams") \
	MOVE(NEW,    START,  READY,  "signals came first") \
	MOVE(ENDING, START,  ENDING, "told to end before: on_stop needs an on_start") \
	MOVE(IDLE,   QUEUE,  READY,  "something waits") \
	MOVE(REST,   QUEUE,  READY,  "something waits") \
	MOVE(READY,  QUEUE,  READY,  "it ran, and more waits") \
	MOVE(NEW,    QUEUE,  NEW,    "its first run starts it") \
	MOVE(PAUSED, QUEUE,  PAUSED, "it roams: run to see what is asked of it") \
	MOVE(ENDING, QUEUE,  ENDING, "to end in its turn") \
	MOVE(IDLE,   RUN,    READY,  "just started") \
	MOVE(REST,   RUN,    READY,  "just started, or it roams") \
	MOVE(READY,  RUN,    READY,  "its turn") \
	MOVE(NEW,    RUN,    NEW,    "it roams: started in this run") \
	MOVE(PAUSED, RUN,    PAUSED, "it roams: only asked of") \
	MOVE(ENDING, RUN,    ENDING, "its last") \
	MOVE(READY,  SETTLE, READY,  "more waits") \
	MOVE(READY,  SETTLE, IDLE,   "nothing waits") \
	MOVE(READY,  SETTLE, REST,   "nothing waits") \
	MOVE(IDLE,   PAUSE,  PAUSED, "timers stand still") \
	MOVE(REST,   PAUSE,  PAUSED, "timers stand still") \
	MOVE(READY,  PAUSE,  PAUSED, "what waits stays") \
	MOVE(PAUSED, RESUME, IDLE,   "woken where anything waits") \
	MOVE(PAUSED, RESUME, REST,   "woken where anything waits") \
	MOVE(PAUSED, RESUME, READY,  "it was queued all the time") \
	MOVE(NEW,    END,    ENDING, "started late, to be stopped") \
	MOVE(IDLE,   END,    ENDING, "queued to end") \
	MOVE(REST,   END,    ENDING, "queued to end") \
	MOVE(READY,  END,    ENDING, "first in its queue, where the policy can") \
	MOVE(PAUSED, END,    ENDING, "queued to end") \
	MOVE(ENDING, ENDED,  DEAD,   "the slot goes to its next generation")

/* clang-format on */

#define TERN_ON_EVENT(name, text) TERN_ON_##name,
enum tern_agent_event { TERN_AGENT_EVENTS(TERN_ON_EVENT) TERN_EVENTS_OF_AGENTS };
#undef TERN_ON_EVENT

/* Traits: given at the spawn, for life. */
#define TERN_AGENT_SHY 16u	  /* rests as TERN_REST: low, with a slice, with a rate */
#define TERN_AGENT_FIBER 256u	  /* extras->fiber runs it */
#define TERN_AGENT_ROAMING 4096u  /* any lcore may run it, or it has such a ring: room.h */
#define TERN_AGENT_STAYS 4194304u /* has a ring like one that roams, and stays where it is */
#define TERN_AGENT_EXACT 8388608u /* its bound is exact: counted in its room */
#define TERN_TRAITS                                                                  \
	(TERN_AGENT_SHY | TERN_AGENT_FIBER | TERN_AGENT_ROAMING | TERN_AGENT_STAYS | \
	 TERN_AGENT_EXACT)

/* Where it waits to be run: enum tern_listing. */
#define TERN_AGENT_LISTED 1u   /* among the ready agents */
#define TERN_AGENT_WAITING 64u /* listed, and waits for a permit */
enum tern_listing {
	TERN_LISTING_NONE = 0,
	TERN_LISTING_POLICY = TERN_AGENT_LISTED,
	TERN_LISTING_PERMIT = TERN_AGENT_LISTED | TERN_AGENT_WAITING,
};
#define TERN_LISTING TERN_LISTING_PERMIT

/* How full its mailbox is, and what its on_event knows of that: enum tern_water. */
#define TERN_AGENT_OVER 2u	/* above high water, low water not reached since */
#define TERN_AGENT_TOLD_OVER 4u /* and its on_event knows */
enum tern_water {
	TERN_WATER_CALM = 0,
	TERN_WATER_RISEN = TERN_AGENT_OVER, /* to be told */
	TERN_WATER_HIGH = TERN_AGENT_OVER | TERN_AGENT_TOLD_OVER,
	TERN_WATER_FALLEN = TERN_AGENT_TOLD_OVER, /* to be told */
};
#define TERN_WATER TERN_WATER_HIGH

/* Whether it is being told of its end: enum tern_telling. */
#define TERN_AGENT_TELLING 131072u /* on_error or on_stop runs */
#define TERN_AGENT_MUTE 2048u	   /* failed while it was told of its end: not called again */
enum tern_telling {
	TERN_TELLING_NOT = 0,
	TERN_TELLING_NOW = TERN_AGENT_TELLING,
	TERN_TELLING_FAILED = TERN_AGENT_TELLING | TERN_AGENT_MUTE,
};
#define TERN_TELLING TERN_TELLING_FAILED

/* Facts, each for itself. */
#define TERN_AGENT_STARTED 8u	    /* on_start ran */
#define TERN_AGENT_PERMIT 32u	    /* counts for max_concurrent */
#define TERN_AGENT_FINISHING 128u   /* handles what it has, then ends */
#define TERN_AGENT_FDS 512u	    /* has waited for a file descriptor */
#define TERN_AGENT_FAILED 1024u	    /* tern_life_fail() */
#define TERN_AGENT_ADMITTED 8192u   /* roaming, and among the policy's for its run ring */
#define TERN_AGENT_PARKED 16384u    /* its timers are in no wheel: it moves */
#define TERN_AGENT_DUE 32768u	    /* something is due to it: due.h */
#define TERN_AGENT_TIED 65536u	    /* had timers, or a wait for a receiver, when its run ended */
#define TERN_AGENT_OFFERS 262144u   /* is, or was, in a set of those who offer a capability */
#define TERN_AGENT_MARKED 524288u   /* an end waits for signals in its mailbox: watch.c */
#define TERN_AGENT_SHORT 1048576u   /* refuses, or waits, for want of mailbox memory: inbox.c */
#define TERN_AGENT_REFUSED 2097152u /* is to be told when others take signals again: waiters.h */
#define TERN_AGENT_ANNOUNCED 16777216u /* the engine's on_start was called: life.c */
#define TERN_AGENT_SEEN_OFF 33554432u  /* the engine's on_stop was called */
#define TERN_AGENT_HOOKED 67108864u    /* the engine is told of its failure, by hooks */
#define TERN_FACTS                                                                       \
	(TERN_AGENT_PERMIT | TERN_AGENT_FINISHING | TERN_AGENT_FDS | TERN_AGENT_FAILED | \
	 TERN_AGENT_ADMITTED | TERN_AGENT_PARKED | TERN_AGENT_DUE | TERN_AGENT_TIED |    \
	 TERN_AGENT_OFFERS | TERN_AGENT_MARKED | TERN_AGENT_SHORT | TERN_AGENT_REFUSED | \
	 TERN_AGENT_ANNOUNCED | TERN_AGENT_SEEN_OFF | TERN_AGENT_HOOKED)

#endif
