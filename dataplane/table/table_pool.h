/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TABLE_POOL_H
#define TABLE_POOL_H

#include "table.h"

/* What writers share: the pool of records, and what waits for readers to be quiet.
 * A pool's functions are for who holds the shard's lock, where nothing else is said. */

/** Whether all readers have been quiet since a token was drawn. Any thread. */
bool tern_table_is_quiet(const struct tern_table *table, uint64_t token);

/** Draw a token, after what readers are to be quiet about. Any thread. */
uint64_t tern_table_token(const struct tern_table *table);

/** Reserve what `most` records need. 0; -ENOMEM. Context: creation. */
int tern_pool_init(struct tern_shard *shard, uint64_t most, bool huge_wanted);

/** Bytes that so many records take, come one by one. Any thread. */
uint64_t tern_pool_bytes(uint64_t records);

/** Memory for more, ahead of its need. Returns whether there was any to add. Any one thread. */
bool tern_pool_prepare(struct tern_pool *pool);

/** A record; 0: there is none, or no memory. */
uint32_t tern_record_take(const struct tern_table *table, struct tern_shard *shard);

/** Give one back that no reader has seen. */
void tern_record_put(struct tern_shard *shard, uint32_t record);

/** Give one back as soon as all readers have been quiet. */
void tern_record_retire(const struct tern_table *table, struct tern_shard *shard, uint32_t record);

#endif
