/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "crew.h"
#include "swarm.h"

#include "tern_node.h"

#define SUMMARY_CHECKS 18

struct summary_hop {
	uint64_t count;
	uint64_t p50_ns;
	uint64_t p99_ns;
};

struct summary_agent {
	uint32_t node; /* 0: there is one process */
	struct tern_agent_stats stats;
	uint16_t cpu;
	struct summary_hop hops[TERN_HOPS];
};

struct summary_lcore {
	uint32_t node;
	uint32_t index;
	struct tern_lcore_stats stats;
	uint16_t cpu;
};

/** Two counts that must agree. */
struct summary_check {
	const char *text;
	uint64_t left;
	uint64_t right;
};

#define SUMMARY_NODES 2u

/** Everything a run has to say. */
struct summary {
	const struct options *options;
	const struct tern_config *config;
	const char *format; /* of the file; NULL: generated */
	int signal_number;
	bool finished; /* all agents came to their end */
	double seconds;

	uint64_t message_count; /* released by the feed handler */
	uint64_t informative_count;
	uint64_t discarded_count;
	uint64_t stall_count;
	const uint64_t *types;		/* by letter */
	struct feed_counters anomalies; /* of the source, and of books */
	uint64_t conflated_count;
	struct crew *crew;

	uint64_t outcomes[SWARM_OUTCOME_LIMIT];
	const uint64_t *refused; /* by enum risk_limit */
	uint64_t bought_shares;
	uint64_t sold_shares;
	uint64_t turnover; /* 1/10000 dollar */

	const struct tern_histogram *tick_to_trade; /* NULL: the pace was max */
	const struct tern_histogram *late;

	struct summary_agent *agents;
	uint32_t agent_count;
	struct summary_lcore *lcores;
	uint32_t lcore_count;
	struct tern_memory memory;	       /* of both processes, where there are two */
	struct tern_peer peers[SUMMARY_NODES]; /* how node 1 sees node 2, and the other way round */
	uint32_t peer_count;		       /* 0: there is one process */
	struct tern_stop_report stop;
	struct tern_stop_report other_stop; /* of node 2; all zero where there is none */

	struct summary_check checks[SUMMARY_CHECKS];
	uint32_t check_count;
};

/**
 * Read what is gone once the engine is stopped: statistics, anatomy, memory. Of agents that live
 * in another process there is nothing yet.
 *
 * @param summary  out: end it with summary_fini(); borrows from the swarm
 * @return 0 or -ENOMEM
 *
 * Context: the main thread, after swarm_run().
 */
int summary_begin(struct summary *summary, const struct swarm *swarm);

/**
 * Send what node 2 has to say, and take it in at node 1.
 *
 * Both have begun their summary and stopped their engine; node 2 has called crew_count().
 *
 * @return 0; -ENOMEM, and as partner_receive()
 */
int summary_send(const struct summary *summary, struct partner *partner);
int summary_receive(struct summary *summary, struct partner *partner);

/**
 * Read all counters and compare those that must agree. Where the crew lives in this process it is
 * counted here.
 *
 * @param reader    borrows
 * @param finished  as swarm_run() found it
 *
 * Context: the main thread, after swarm_stop().
 */
void summary_finish(struct summary *summary, const struct swarm *swarm, const struct reader *reader,
		    bool finished);

/** Free what summary_begin() allocated. */
void summary_fini(struct summary *summary);

/** Whether every check holds and the engine stopped clean. */
bool summary_holds(const struct summary *summary);

/** Fill in the checks; part of summary_finish(). */
void summary_check(struct summary *summary, const struct swarm *swarm, const struct reader *reader);

/** Print it for a person, or as one JSON object. Returns 0, -ENOMEM or -EIO. */
int summary_print(const struct summary *summary);
int summary_print_json(const struct summary *summary);

#endif
