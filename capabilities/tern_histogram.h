/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_HISTOGRAM_H
#define TERN_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#include "tern_error.h"

#define TERN_HISTOGRAM_SUB_BITS 5
#define TERN_HISTOGRAM_BUCKETS ((42 - TERN_HISTOGRAM_SUB_BITS + 1) << TERN_HISTOGRAM_SUB_BITS)

/**
 * Counts of values by size, exact below 32, within 3.2 % above, up to 2^42 - 1.
 *
 * Recording is a count of leading zeros and five plain stores; one writer, and readers on other
 * threads see each field whole. Zeroed memory is an empty histogram.
 *
 * Source: log-linear buckets as in HdrHistogram.
 */
struct tern_histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t min; /* of the values recorded; valid while count > 0 */
	uint64_t max;
	uint32_t buckets[TERN_HISTOGRAM_BUCKETS];
};

/** Bucket that a value falls in. */
static inline uint32_t tern_histogram_bucket(uint64_t value)
{
	if (value >= 1ull << 42)
		value = (1ull << 42) - 1;
	if (value < 1u << TERN_HISTOGRAM_SUB_BITS)
		return (uint32_t)value;
	uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - TERN_HISTOGRAM_SUB_BITS;
	return (shift << TERN_HISTOGRAM_SUB_BITS) + (uint32_t)(value >> shift);
}

/** Count one value. Context: the writer's thread. */
static inline void tern_histogram_record(struct tern_histogram *histogram, uint64_t value)
{
	uint32_t *bucket = &histogram->buckets[tern_histogram_bucket(value)];
	if (histogram->count == 0 || value < histogram->min)
		__atomic_store_n(&histogram->min, value, __ATOMIC_RELAXED);
	if (value > histogram->max)
		__atomic_store_n(&histogram->max, value, __ATOMIC_RELAXED);
	__atomic_store_n(&histogram->count, histogram->count + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&histogram->sum, histogram->sum + value, __ATOMIC_RELAXED);
	__atomic_store_n(bucket, *bucket + 1, __ATOMIC_RELAXED);
}

/**
 * Value at or below which a share of the counts lies: the highest value of its bucket, never
 * above the maximum.
 *
 * @param percentile  0 to 100
 * @return 0 when empty
 */
TERN_API uint64_t tern_histogram_percentile(const struct tern_histogram *histogram,
					    double percentile);

/** Mean of the values recorded; 0 when empty. */
TERN_API double tern_histogram_mean(const struct tern_histogram *histogram);

/** Add the counts of `from` to `into`. */
TERN_API void tern_histogram_merge(struct tern_histogram *into, const struct tern_histogram *from);

/**
 * Write the percentile distribution in HdrHistogram's .hgrm text format.
 *
 * @param scale  what a recorded unit counts in the text: 0.001 for ps shown as ns
 */
TERN_API void tern_histogram_dump(const struct tern_histogram *histogram, double scale, FILE *file);

#endif
