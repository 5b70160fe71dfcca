/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_AGENT_H
#define FEED_AGENT_H

#include "feed_block.h"
#include "outbox.h"
#include "pace.h"
#include "tern_histogram.h"

/**
 * The feed handler: decodes messages when they are due and sends each to the book of its symbol.
 *
 * Problem: a handler must not block its lcore, neither for the time between two messages nor for a
 * receiver that pushes back, and nothing may be lost. Idea: it holds blocks of raw messages that
 * the reader has brought, releases what is due, at most a batch per activation, then waits by a
 * timer, or by a signal to itself where the wait is shorter than a timer is precise. A refused
 * message stays first in line. The due times are fixed in advance (open loop).
 */
struct feed_agent {
	/* the swarm writes these before the first signal */
	_Alignas(64) struct pace pace;
	tern_address books[SWARM_BOOKS_MAX];
	uint32_t book_count;
	tern_address reader;

	/* the agent's own */
	struct tern_outbox outbox; /* RESTART and END to the books, FED to the reader */
	struct tern_timer timer;
	tern_iso *first; /* block being released; NULL: none is here */
	tern_iso *newest;
	uint32_t record; /* next one of it */
	bool running;
	bool waiting; /* a timer or a signal to itself is on its way */
	bool last;    /* the reader sends no more */
	bool restart_sent;
	bool stalled; /* the next message was refused before */
	bool ended;
	uint64_t first_timestamp_ns;
	uint64_t last_due_ns;

	/* counters; others read them once it has ended */
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t read_count;	    /* messages released */
	uint64_t routed_count;	    /* of these, sent to a book */
	uint64_t informative_count; /* of these, of no concern to a book */
	uint64_t undecodable_count; /* of these, named by the source */
	uint64_t discarded_count;   /* not released because of a halt */
	uint64_t stall_count;	    /* messages that a book or lane did not take at once */
	uint64_t types[256];
	struct tern_histogram late; /* ns from due to released; paced feeds only */
};

extern const struct tern_behaviour feed_agent_behaviour;

/** Prepare the state. Returns 0 or -ENOMEM; either way feed_agent_fini() frees what there is. */
int feed_agent_init(struct feed_agent *feed);

/** Free the state's memory. Context: after the agent has ended. */
void feed_agent_fini(struct feed_agent *feed);

#endif
