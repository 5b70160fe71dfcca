/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CREW_H
#define CREW_H

#include "swarm.h"

#define CREW_LOCATES 65536u

/**
 * What books and strategies have counted, summed up by the process that they live in. It holds no
 * pointer, so that it can go to another process of this program.
 */
struct crew {
	uint64_t received_count;
	uint64_t applied_count;
	struct feed_counters anomalies;
	uint64_t symbol_count;
	uint64_t resting_count; /* orders in all books */
	uint64_t top_count;
	uint64_t told_count;
	uint64_t superseded_count;
	uint64_t unfollowed_count;
	uint64_t match_count;

	uint64_t handled_count; /* tops, by strategies */
	uint64_t order_count;
	uint64_t held_count;
	uint64_t report_count;
	uint64_t traded_shares; /* bought and sold */
	uint64_t position_count;
	int64_t profit;			 /* 1/10000 dollar */
	int32_t positions[CREW_LOCATES]; /* shares, by stock locate */
};

/**
 * Sum up.
 *
 * @param crew  out
 *
 * Context: the main thread of the process that has books and strategies, after swarm_stop().
 */
void crew_count(struct crew *crew, const struct swarm *swarm);

#endif
