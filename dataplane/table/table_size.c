/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How large a table would be. Ids are random: of n routes a shard out of s has n/s on average, and
 * the standard deviation of a binomial distribution. Memory comes in steps, so that a shard with a
 * few routes more takes much more, or nothing more: the mean is taken over the shares that shards
 * may have, not at the mean share.
 */
#include "table_size.h"

#include <math.h>

#include <rte_common.h>

#include "capabilities/memory/arena.h"
#include "table_index.h"
#include "table_pool.h"

/* Shares are looked at as far as so many standard deviations, at so many points of each. */
#define DEVIATIONS 6
#define POINTS 8
/* A table takes more than its mean and so many standard deviations once in 30,000. */
#define DEVIATIONS_MOST 4.0

/* Bytes of one shard, and their variance. */
struct size {
	double mean, variance;
};

static uint64_t index_pages(uint64_t count)
{
	return RTE_ALIGN_CEIL(tern_index_bytes(count), TERN_PAGE_4K);
}

/* An index made for some routes that came to have others. While it grows two are held: each put
 * moves four homes. */
static uint64_t index_bytes(uint64_t expected, uint64_t routes)
{
	uint64_t count = tern_index_count(expected), full = tern_index_routes_max(count);
	while (routes > full) {
		uint64_t next = tern_index_count_next(count);
		if (routes - full <= count / 4)
			return index_pages(count) + index_pages(next);
		count = next;
		full = tern_index_routes_max(count);
	}
	return index_pages(count);
}

static uint64_t record_bytes(uint64_t expected, uint64_t records)
{
	(void)expected;
	return tern_pool_bytes(records);
}

/* What `bytes_of` comes to over the shares of one shard among several. */
static struct size share_size(uint64_t count, uint32_t shards,
			      uint64_t (*bytes_of)(uint64_t expected, uint64_t share))
{
	double mean = (double)count / shards, weights = 0, sum = 0, squares = 0;
	double deviation = sqrt(mean * (1 - 1.0 / shards));
	if (shards == 1)
		return (struct size){.mean = (double)bytes_of(count, count)};
	for (int i = -DEVIATIONS * POINTS; i <= DEVIATIONS * POINTS; i++) {
		double away = (double)i / POINTS, share = round(mean + away * deviation);
		double weight = exp(-away * away / 2);
		if (share < 0 || share > (double)count)
			continue;
		double bytes = (double)bytes_of(count / shards, (uint64_t)share);
		weights += weight;
		sum += weight * bytes;
		squares += weight * bytes * bytes;
	}
	double average = sum / weights;
	return (struct size){.mean = average, .variance = squares / weights - average * average};
}

static struct size table_size(uint64_t routes, uint64_t records, uint32_t shards)
{
	struct size index = share_size(routes, shards, index_bytes);
	struct size pool = share_size(records, shards, record_bytes);
	/* A shard with many routes has many records: the two deviate together. */
	double deviation = sqrt(fmax(index.variance, 0)) + sqrt(fmax(pool.variance, 0));
	return (struct size){.mean = shards * (index.mean + pool.mean),
			     .variance = shards * deviation * deviation};
}

uint64_t tern_table_bytes(uint64_t routes, uint64_t records, uint32_t shards)
{
	return (uint64_t)table_size(routes, records, shards).mean;
}

uint64_t tern_table_bytes_most(uint64_t routes, uint64_t records, uint32_t shards)
{
	struct size size = table_size(routes, records, shards);
	return (uint64_t)(size.mean + DEVIATIONS_MOST * sqrt(size.variance));
}
