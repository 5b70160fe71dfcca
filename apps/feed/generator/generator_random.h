/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_GENERATOR_RANDOM_H
#define FEED_GENERATOR_RANDOM_H

#include <stdint.h>

/*
 * Seeded random numbers in integers only: the same on every machine. Source: splitmix64, by
 * Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
 */
struct generator_random {
	uint64_t state;
};

static inline uint64_t random_next(struct generator_random *random)
{
	uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

/** Uniform in 0..limit - 1; `limit` is 1 or more. */
static inline uint32_t random_below(struct generator_random *random, uint32_t limit)
{
	return (uint32_t)((random_next(random) >> 32) * limit >> 32);
}

/** Exponential with a mean below 2^38; log2 by bit position and a straight line between powers. */
static inline uint64_t random_exponential(struct generator_random *random, uint64_t mean)
{
	uint32_t uniform = (uint32_t)(random_next(random) >> 32) | 1;
	uint32_t zeros = (uint32_t)__builtin_clz(uniform);
	uint32_t fraction = uniform << zeros << 1; /* 0..1 between the powers, in 1/2^32 */
	uint64_t log2_q16 = ((uint64_t)(zeros + 1) << 16) - (fraction >> 16);
	return mean * (log2_q16 * 45426 >> 16) >> 16; /* ln 2 = 45426 / 65536 */
}

#endif
