/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_histogram.h"

#include <float.h>
#include <math.h>

#include "counter.h"

static uint64_t bucket_highest(uint32_t bucket)
{
	uint32_t shift = bucket >> TERN_HISTOGRAM_SUB_BITS;
	if (shift == 0)
		return bucket;
	uint64_t sub = bucket & ((1u << TERN_HISTOGRAM_SUB_BITS) - 1);
	shift--;
	return ((sub + (1u << TERN_HISTOGRAM_SUB_BITS) + 1) << shift) - 1;
}

static uint64_t clip_value(const struct tern_histogram *histogram, uint64_t value)
{
	return value > histogram->max ? histogram->max : value;
}

uint64_t tern_histogram_percentile(const struct tern_histogram *histogram, double percentile)
{
	if (histogram->count == 0)
		return 0;
	/* 99.9 % of 1,000 comes out a hair above 999: a hair less keeps whole ranks whole. */
	double share = percentile / 100.0 * (double)histogram->count * (1.0 - 4 * DBL_EPSILON);
	uint64_t rank = (uint64_t)share + ((double)(uint64_t)share < share);
	if (rank == 0)
		return histogram->min;
	uint64_t seen = 0;
	for (uint32_t i = 0; i < TERN_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank)
			return clip_value(histogram, bucket_highest(i));
	}
	return histogram->max;
}

double tern_histogram_mean(const struct tern_histogram *histogram)
{
	return histogram->count ? (double)histogram->sum / (double)histogram->count : 0.0;
}

void tern_histogram_merge(struct tern_histogram *into, const struct tern_histogram *from)
{
	uint64_t count = tern_load(&from->count);
	if (count == 0)
		return;
	uint64_t min = tern_load(&from->min);
	uint64_t max = tern_load(&from->max);
	if (into->count == 0 || min < into->min)
		into->min = min;
	if (max > into->max)
		into->max = max;
	into->count += count;
	into->sum += tern_load(&from->sum);
	for (uint32_t i = 0; i < TERN_HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += tern_load(&from->buckets[i]);
}

static double deviation_of(const struct tern_histogram *histogram)
{
	double mean = tern_histogram_mean(histogram), squares = 0.0;
	for (uint32_t i = 0; i < TERN_HISTOGRAM_BUCKETS; i++) {
		double off = (double)clip_value(histogram, bucket_highest(i)) - mean;
		squares += histogram->buckets[i] * off * off;
	}
	return histogram->count ? sqrt(squares / (double)histogram->count) : 0.0;
}

void tern_histogram_dump(const struct tern_histogram *histogram, double scale, FILE *file)
{
	fprintf(file, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	uint64_t seen = 0;
	for (uint32_t i = 0; i < TERN_HISTOGRAM_BUCKETS; i++) {
		if (histogram->buckets[i] == 0)
			continue;
		seen += histogram->buckets[i];
		double share = (double)seen / (double)histogram->count;
		fprintf(file, "%12.3f %2.12f %10llu",
			scale * (double)clip_value(histogram, bucket_highest(i)), share,
			(unsigned long long)seen);
		if (seen < histogram->count)
			fprintf(file, " %14.2f", 1.0 / (1.0 - share));
		fputc('\n', file);
	}
	fprintf(file, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n",
		scale * tern_histogram_mean(histogram), scale * deviation_of(histogram));
	fprintf(file, "#[Max     = %12.3f, Total count    = %12llu]\n",
		scale * (double)histogram->max, (unsigned long long)histogram->count);
	fprintf(file, "#[Buckets = %12u, SubBuckets     = %12u]\n",
		TERN_HISTOGRAM_BUCKETS >> TERN_HISTOGRAM_SUB_BITS, 1u << TERN_HISTOGRAM_SUB_BITS);
}
