/* SPDX-License-Identifier: Apache-2.0 */

/* Making a table, and freeing it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <rte_common.h>

#include "capabilities/memory/arena.h"
#include "capabilities/lines.h"
#include "capabilities/rng.h"
#include "table_index.h"
#include "table_pool.h"
#include "table_size.h"

#define ROUTES_DEFAULT (1u << 20)

static void set_keys(struct tern_table *table, const uint64_t *seed)
{
	struct tern_table_keys *keys = &table->finder.keys;
	if (seed || getrandom(keys, sizeof(*keys), 0) != sizeof(*keys)) {
		struct tern_rng rng = tern_rng_stream(seed ? seed[0] : (uintptr_t)table, 0);
		struct tern_rng other = tern_rng_stream(seed ? seed[1] : 0, 1);
		uint64_t words[sizeof(*keys) / sizeof(uint64_t)];
		for (size_t i = 0; i < RTE_DIM(words); i++)
			words[i] = tern_rng_next(&rng) ^ tern_rng_next(&other);
		memcpy(keys, words, sizeof(words));
	}
	keys->mix |= 1;
}

static int check_options(const struct tern_table_options *options, struct tern_error *error)
{
	size_t page = options->page_bytes_max;
	uint32_t shards = options->shards ? options->shards : 1;
	if (shards > TERN_TABLE_SHARDS_MAX || (shards & (shards - 1)))
		return tern_error_set(error, -EINVAL,
				      "routing table: %u shards; a power of two up to %u", shards,
				      TERN_TABLE_SHARDS_MAX);
	uint64_t most = tern_table_routes_most(shards);
	if (options->routes_max > most)
		return tern_error_set(error, -EINVAL,
				      "routing table: %llu routes in %u shards; %llu at most, "
				      "more shards hold more",
				      (unsigned long long)options->routes_max, shards,
				      (unsigned long long)most);
	if (options->routes_expected > most)
		return tern_error_set(error, -EINVAL,
				      "routing table: %llu routes expected in %u shards; %llu at "
				      "most",
				      (unsigned long long)options->routes_expected, shards,
				      (unsigned long long)most);
	if (page != 0 && page != TERN_PAGE_4K && page != TERN_PAGE_2M)
		return tern_error_set(error, -EINVAL,
				      "routing table: pages of %zu bytes; %zu, %zu, or 0 for the "
				      "larger where they are to be had",
				      page, TERN_PAGE_4K, TERN_PAGE_2M);
	return 0;
}

/* Ids spread unevenly: eight standard deviations more than the mean. */
static uint64_t share_of(uint64_t routes, uint32_t shards)
{
	uint64_t mean = (routes + shards - 1) / shards, deviation = 1;
	while (deviation * deviation < mean)
		deviation++;
	uint64_t share = shards == 1 ? mean : mean + 8 * deviation + 8;
	return RTE_MIN(share, TERN_TABLE_SHARD_ROUTES_MAX);
}

/* Readers that are not quiet keep records from reuse: writers take others, of address space alone
 * until then. A word has 32 bits for a record's number. */
static uint64_t records_for(uint64_t routes)
{
	uint64_t most = routes + TERN_TABLE_RETIRED_TIMES * routes + TERN_TABLE_RETIRED_MIN;
	return RTE_MIN(most, UINT32_MAX - 1ull);
}

static int init_shard(struct tern_table *table, struct tern_shard *shard, uint64_t expected)
{
	int code = tern_pool_init(shard, records_for(table->shard_routes_max), table->huge_wanted);
	if (code != 0)
		return code;
	shard->index = tern_index_make(tern_index_count(expected), table->huge_wanted);
	return shard->index ? 0 : -ENOMEM;
}

static struct tern_table *allocate_table(uint32_t shards)
{
	struct tern_table *table = tern_lines_make(sizeof(*table));
	struct tern_shard *memory = tern_lines_make(shards * sizeof(*memory));
	if (!table || !memory) {
		free(table);
		free(memory);
		return NULL;
	}
	table->shard_count = shards;
	table->finder.shards = memory;
	table->finder.shard_bits = (shards - 1ull) << TERN_HASH_SHARD_SHIFT;
	return table;
}

int tern_table_create(struct tern_table **table, const struct tern_table_options *options,
		      struct tern_error *error)
{
	uint32_t shards = options->shards ? options->shards : 1;
	uint64_t routes = options->routes_max ? options->routes_max : ROUTES_DEFAULT;
	const struct tern_table_kernel *kernel = tern_table_kernel(options->kernel);
	int code = check_options(options, error);
	if (code != 0)
		return code;
	if (!kernel)
		return tern_error_set(error, -ENOTSUP,
				      "routing table: this CPU has no kernel '%s'; one of %s "
				      "works",
				      options->kernel, tern_table_kernel_name(0));
	struct tern_table *made = allocate_table(shards);
	if (!made)
		return tern_error_set(error, -ENOMEM, "routing table: no memory");
	made->kernel = kernel;
	made->finder.find = kernel->find;
	made->quiet = options->quiet;
	made->huge_wanted = options->page_bytes_max != TERN_PAGE_4K;
	made->shard_routes_max = share_of(routes, shards);
	set_keys(made, options->seed);
	for (uint32_t i = 0; i < shards && code == 0; i++)
		code = init_shard(made, &made->finder.shards[i], options->routes_expected / shards);
	if (code != 0) {
		tern_table_destroy(made);
		return tern_error_set(error, code,
				      "routing table: cannot reserve memory for %llu routes",
				      (unsigned long long)routes);
	}
	*table = made;
	return 0;
}

static void free_index(struct tern_bucket *index)
{
	if (index)
		tern_index_free(tern_index_head(index));
}

void tern_table_destroy(struct tern_table *table)
{
	for (uint32_t i = 0; i < table->shard_count; i++) {
		struct tern_shard *shard = &table->finder.shards[i];
		struct tern_index_head *next;
		for (struct tern_index_head *head = shard->retired_indexes; head; head = next) {
			next = head->retired;
			tern_index_free(head);
		}
		free_index(shard->index);
		free_index(shard->next_index);
		free_index(shard->spare_index);
		tern_region_release(&shard->pool.memory);
	}
	free(table->finder.shards);
	free(table);
}
