/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a percentile is never below the sample of that rank and at most 3.2 % above it.
 * Method: bucket bounds around every power of two; random samples of all magnitudes beside the
 * same samples sorted; merged halves beside the whole; the dump read back as .hgrm.
 */
#include "capability_test.h"

#include <math.h>

#include "tern_histogram.h"

#define SAMPLES 20000

static struct tern_histogram histogram, half, other_half;
static uint64_t samples[SAMPLES];

static void test_buckets(void **state)
{
	uint32_t before = 0;
	(void)state;
	for (uint64_t value = 0; value < 1 << 16; value++) {
		uint32_t bucket = tern_histogram_bucket(value);
		assert_true(bucket == before || bucket == before + 1);
		before = bucket;
	}
	for (unsigned shift = 16; shift < 64; shift++)
		for (uint64_t value = (1ull << shift) - 3; value <= (1ull << shift) + 3; value++) {
			uint32_t bucket = tern_histogram_bucket(value);
			assert_true(bucket >= before);
			assert_true(bucket < TERN_HISTOGRAM_BUCKETS);
			before = bucket;
		}
	assert_int_equal(tern_histogram_bucket((1ull << 42) - 1), TERN_HISTOGRAM_BUCKETS - 1);
	assert_int_equal(tern_histogram_bucket(UINT64_MAX), TERN_HISTOGRAM_BUCKETS - 1);
}

static void test_empty(void **state)
{
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	assert_int_equal(tern_histogram_percentile(&histogram, 50), 0);
	assert_true(tern_histogram_mean(&histogram) == 0.0);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* All magnitudes below 2^42 alike. */
static void fill(struct tern_rng *rng, struct tern_histogram *into, uint64_t *from, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		from[i] = tern_rng_next(rng) >> (22 + draw(rng, 42));
		tern_histogram_record(into, from[i]);
	}
}

static void expect_percentile(const struct tern_histogram *of, size_t rank, size_t count,
			      double percentile)
{
	uint64_t sample = samples[rank - 1];
	uint64_t met = tern_histogram_percentile(of, percentile);
	if (met < sample || (double)met > (double)sample * 1.032 || met > samples[count - 1])
		fail_msg("percentile %f of %zu: met %llu, sample of rank %zu is %llu", percentile,
			 count, (unsigned long long)met, rank, (unsigned long long)sample);
}

static void test_percentiles(void **state)
{
	static const struct {
		double percentile;
		size_t per_mille_10; /* the same in hundredths of a per cent */
	} asked[] = {{1, 100},	 {10, 1000}, {25, 2500},   {50, 5000},	  {75, 7500},
		     {90, 9000}, {99, 9900}, {99.9, 9990}, {99.99, 9999}, {100, 10000}};
	static const size_t counts[] = {1, 2, 3, 10, 100, 1000, 10000, SAMPLES};
	struct tern_rng rng = test_rng(31);
	(void)state;
	for (size_t c = 0; c < RTE_DIM(counts); c++) {
		size_t count = counts[c];
		memset(&histogram, 0, sizeof(histogram));
		fill(&rng, &histogram, samples, count);
		qsort(samples, count, sizeof(samples[0]), compare);
		assert_int_equal(tern_histogram_percentile(&histogram, 0), samples[0]);
		assert_int_equal(tern_histogram_percentile(&histogram, 100), samples[count - 1]);
		for (size_t i = 0; i < RTE_DIM(asked); i++) {
			size_t rank = (asked[i].per_mille_10 * count + 9999) / 10000;
			expect_percentile(&histogram, rank, count, asked[i].percentile);
		}
	}
}

/* A rank that is a whole number is that rank, whatever binary fractions make of the share. */
static void test_whole_ranks(void **state)
{
	(void)state;
	for (uint64_t count = 1000; count <= 10000; count += 1000) {
		memset(&histogram, 0, sizeof(histogram));
		for (uint64_t i = 1; i <= count; i++)
			tern_histogram_record(&histogram, i <= count * 999 / 1000 ? 1 : 1000);
		assert_int_equal(tern_histogram_percentile(&histogram, 99.9), 1);
		assert_int_equal(tern_histogram_percentile(&histogram, 99.99), 1000);
	}
}

static void test_min_max_mean(void **state)
{
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	for (uint64_t value = 10; value <= 20; value++)
		tern_histogram_record(&histogram, value);
	assert_int_equal(histogram.count, 11);
	assert_int_equal(histogram.min, 10);
	assert_int_equal(histogram.max, 20);
	assert_true(fabs(tern_histogram_mean(&histogram) - 15.0) < 1e-9);
	tern_histogram_record(&histogram, 0);
	assert_int_equal(histogram.min, 0);
}

static void test_merge(void **state)
{
	struct tern_rng rng = test_rng(32);
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	memset(&half, 0, sizeof(half));
	memset(&other_half, 0, sizeof(other_half));
	fill(&rng, &half, samples, SAMPLES / 2);
	fill(&rng, &other_half, samples + SAMPLES / 2, SAMPLES / 2);
	for (size_t i = 0; i < SAMPLES; i++)
		tern_histogram_record(&histogram, samples[i]);
	struct tern_histogram *empty = calloc(1, sizeof(*empty));
	assert_non_null(empty);
	tern_histogram_merge(&half, empty);
	tern_histogram_merge(&half, &other_half);
	assert_memory_equal(&half, &histogram, sizeof(histogram));
	tern_histogram_merge(empty, &histogram);
	assert_memory_equal(empty, &histogram, sizeof(histogram));
	free(empty);
}

/* One line of the distribution; returns how many columns it has. */
static int read_line(const char *line, double *value, double *share, unsigned long long *count)
{
	double inverse = 0;
	int columns = sscanf(line, "%lf %lf %llu %lf", value, share, count, &inverse);
	if (columns == 4)
		assert_true(fabs(inverse * (1 - *share) - 1) < 0.01 || inverse > 1000);
	return columns;
}

static void check_footer(char **line, double scale)
{
	double mean, deviation, max;
	unsigned long long count;
	unsigned buckets, sub_buckets;
	assert_int_equal(sscanf(*line, "#[Mean = %lf, StdDeviation = %lf]", &mean, &deviation), 2);
	assert_true(fabs(mean - scale * tern_histogram_mean(&histogram)) < 0.01);
	*line = strchr(*line, '\n') + 1;
	assert_int_equal(sscanf(*line, "#[Max = %lf, Total count = %llu]", &max, &count), 2);
	assert_true(fabs(max - scale * (double)histogram.max) < 0.01);
	assert_true(count == histogram.count);
	*line = strchr(*line, '\n') + 1;
	assert_int_equal(sscanf(*line, "#[Buckets = %u, SubBuckets = %u]", &buckets, &sub_buckets),
			 2);
	*line = strchr(*line, '\n') + 1;
}

static void check_dump(char *text, double scale)
{
	double value = 0, share = 0, value_before = -1, share_before = 0;
	unsigned long long count = 0, count_before = 0;
	int columns = 4;
	char *line = strstr(text, "\n\n") + 2;
	assert_true(line < strchr(text, '.')); /* one line of header, then an empty one */
	for (; *line != '#'; line = strchr(line, '\n') + 1) {
		assert_int_equal(columns, 4);
		columns = read_line(line, &value, &share, &count);
		assert_true(columns >= 3);
		assert_true(value >= value_before && share > share_before && count > count_before);
		value_before = value;
		share_before = share;
		count_before = count;
	}
	assert_int_equal(columns, 3); /* the last has no inverse */
	assert_true(share == 1.0 && count == SAMPLES);
	assert_true(fabs(value - scale * (double)histogram.max) < 0.01);
	check_footer(&line, scale);
	assert_int_equal(*line, '\0');
}

static void test_dump(void **state)
{
	static const double scales[] = {1.0, 0.001};
	struct tern_rng rng = test_rng(33);
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	fill(&rng, &histogram, samples, SAMPLES);
	for (size_t i = 0; i < RTE_DIM(scales); i++) {
		char *text = NULL;
		size_t size;
		FILE *file = open_memstream(&text, &size);
		tern_histogram_dump(&histogram, scales[i], file);
		fclose(file);
		check_dump(text, scales[i]);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),	     cmocka_unit_test(test_empty),
		cmocka_unit_test(test_percentiles),  cmocka_unit_test(test_whole_ranks),
		cmocka_unit_test(test_min_max_mean), cmocka_unit_test(test_merge),
		cmocka_unit_test(test_dump),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
