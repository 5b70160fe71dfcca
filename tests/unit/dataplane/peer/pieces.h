/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIECES_H
#define PIECES_H

/* What the tests of a link's pieces need. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capabilities/rng.h"

#define US 1000ull

/** A generator seeded by TERN_SEED, else by `otherwise`; prints the seed. */
static inline struct tern_rng seeded(uint64_t otherwise)
{
	const char *given = getenv("TERN_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : otherwise;
	print_message("TERN_SEED=%" PRIu64 "\n", seed);
	return (struct tern_rng){.state = seed};
}

static inline uint32_t draw(struct tern_rng *rng, uint32_t below)
{
	return (uint32_t)(tern_rng_next(rng) % below);
}

#endif
