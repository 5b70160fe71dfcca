/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RNG_H
#define RNG_H

#include <stdint.h>

/** A seeded generator: the same seed gives the same numbers on every machine. */
struct tern_rng {
	uint64_t state;
};

/** Next 64 random bits. Source: Steele, Lea, Flood, "Fast splittable generators", SplitMix64. */
static inline uint64_t tern_rng_next(struct tern_rng *rng)
{
	uint64_t z = (rng->state += 0x9E3779B97F4A7C15u);
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

/** One of many generators of a seed: streams do not follow one another, as nearby seeds do. */
static inline struct tern_rng tern_rng_stream(uint64_t seed, uint64_t index)
{
	struct tern_rng seeder = {.state = seed}, stream = {.state = ~index};
	stream.state = tern_rng_next(&seeder) ^ tern_rng_next(&stream);
	return stream;
}

#endif
