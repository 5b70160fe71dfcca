/* SPDX-License-Identifier: Apache-2.0 */

/* Concurrency Kit's ck_ht: it keeps where keys are, not the keys. */
#include <stdlib.h>
#include <string.h>

#include <ck_ht.h>
#include <rte_common.h>

#include "capabilities/counter.h"
#include "lookup_body.h"

struct ck {
	ck_ht_t map;
	struct ck_malloc allocator;
	struct tern_id *keys; /* by value */
	bool has_map;
};

/* Memory with its region before it. */
static void *take(size_t size, bool huge)
{
	struct tern_region region;
	if (!lookup_reserve(&region, size + TERN_LINE, huge))
		return NULL;
	_Static_assert(sizeof(region) <= TERN_LINE, "a region fits before what lies in it");
	memcpy(region.base, &region, sizeof(region));
	return region.base + TERN_LINE;
}

static void *take_huge(size_t size)
{
	return take(size, true);
}

static void *take_small(size_t size)
{
	return take(size, false);
}

static void give(void *memory, size_t size, bool defer)
{
	struct tern_region region;
	(void)size;
	(void)defer; /* it never grows beside a reader */
	memcpy(&region, (unsigned char *)memory - TERN_LINE, sizeof(region));
	tern_region_release(&region);
}

/* Made for twice the ids: at half of its entries it would grow. */
static uint64_t bytes(const struct lookup_space *space)
{
	return rte_align64pow2(2ull * space->ids) * sizeof(ck_ht_entry_t) +
	       space->ids * sizeof(struct tern_id);
}

static void destroy(void *table)
{
	struct ck *ck = table;
	if (ck->has_map)
		ck_ht_destroy(&ck->map);
	if (ck->keys)
		give(ck->keys, 0, false);
	free(ck);
}

static void *create(const struct lookup_space *space)
{
	struct ck *ck = calloc(1, sizeof(*ck));
	if (!ck)
		return NULL;
	ck->allocator =
		(struct ck_malloc){.malloc = space->huge ? take_huge : take_small, .free = give};
	ck->keys = take((space->ids + 1ull) * sizeof(struct tern_id), space->huge);
	ck->has_map = ck->keys && ck_ht_init(&ck->map, CK_HT_MODE_BYTESTRING, NULL, &ck->allocator,
					     2ull * space->ids, 1);
	if (ck->has_map)
		return ck;
	destroy(ck);
	return NULL;
}

static bool put(void *table, const struct tern_id *id, uint64_t value)
{
	struct ck *ck = table;
	struct tern_id *key = &ck->keys[value];
	ck_ht_hash_t hash;
	ck_ht_entry_t entry;
	/* Known: a reader may be comparing it. */
	if (key->high != id->high || key->low != id->low)
		*key = *id;
	ck_ht_hash(&hash, &ck->map, key, sizeof(*key));
	ck_ht_entry_set(&entry, hash, key, sizeof(*key), (void *)(uintptr_t)value);
	return ck_ht_set_spmc(&ck->map, hash, &entry);
}

static void take_out(void *table, const struct tern_id *id)
{
	struct ck *ck = table;
	ck_ht_hash_t hash;
	ck_ht_entry_t entry;
	ck_ht_hash(&hash, &ck->map, id, sizeof(*id));
	ck_ht_entry_key_set(&entry, id, sizeof(*id));
	ck_ht_remove_spmc(&ck->map, hash, &entry);
}

static inline uint64_t find(const void *table, const struct tern_id *id)
{
	ck_ht_t *map = (ck_ht_t *)(uintptr_t)table; /* readers write nothing */
	ck_ht_hash_t hash;
	ck_ht_entry_t entry;
	ck_ht_hash(&hash, map, id, sizeof(*id));
	ck_ht_entry_key_set(&entry, id, sizeof(*id));
	return ck_ht_get_spmc(map, hash, &entry) ? (uintptr_t)ck_ht_entry_value(&entry) : 0;
}

/* It has no lookup of many: one by one, then too. */
static uint64_t single(const void *table, const struct tern_id *ids, uint32_t count, uint32_t batch)
{
	const struct ck *ck = table;
	(void)batch;
	return lookup_each(&ck->map, ids, count, find);
}

static uint64_t chain(const void *table, const struct tern_id *ids, uint32_t count, uint32_t batch)
{
	const struct ck *ck = table;
	(void)batch;
	return lookup_chained(&ck->map, ids, count, find);
}

static uint64_t copy_lists(const void *table, const struct tern_id *ids, uint32_t count,
			   const struct lookup_lists *lists, tern_address *copy)
{
	const struct ck *ck = table;
	return lookup_copied(&ck->map, ids, count, lists, copy, find);
}

const struct lookup_contender lookup_ck_ht = {
	.name = "ck_ht",
	.bytes = bytes,
	.create = create,
	.destroy = destroy,
	.put = put,
	.remove = take_out,
	.bodies = {single, chain, single},
	.copy = copy_lists,
};
