/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TABLE_SIZE_H
#define TABLE_SIZE_H

#include "tern_table.h"

/**
 * Bytes that a table of several shards hardly ever exceeds: as tern_table_bytes(), which is their
 * mean, and four standard deviations. For one shard the two are the same.
 */
uint64_t tern_table_bytes_most(uint64_t routes, uint64_t records, uint32_t shards);

/** Routes that a table may be made for: shards get unequal shares. */
static inline uint64_t tern_table_routes_most(uint32_t shards)
{
	return (uint64_t)shards * (TERN_TABLE_SHARD_ROUTES_MAX / 16 * 15);
}

#endif
