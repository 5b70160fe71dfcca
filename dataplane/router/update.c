/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_update.h"

enum tern_update_order tern_update_order(const struct tern_update *held,
					 const struct tern_update *update)
{
	if (update->version < held->version)
		return TERN_UPDATE_OLDER;
	if (update->version > held->version)
		return update->origin == held->origin || update->base >= held->version
			       ? TERN_UPDATE_NEWER
			       : TERN_UPDATE_CONCURRENT;
	return update->origin == held->origin ? TERN_UPDATE_SAME : TERN_UPDATE_CONCURRENT;
}

/* Gone is the highest address. */
static uint64_t rank_of(const struct tern_update *update)
{
	return update->address ? update->address : UINT64_MAX;
}

enum tern_resolution tern_update_resolve(const struct tern_update *held,
					 const struct tern_update *update)
{
	if (update->version != held->version)
		return update->version > held->version ? TERN_RESOLUTION_ACCEPT
						       : TERN_RESOLUTION_REJECT;
	if (update->address != held->address)
		return rank_of(update) > rank_of(held) ? TERN_RESOLUTION_ACCEPT
						       : TERN_RESOLUTION_REJECT;
	return TERN_RESOLUTION_MERGE;
}

/* Not said is the longest. */
static uint64_t longer_left(uint64_t a, uint64_t b)
{
	return a - 1 > b - 1 ? a : b;
}

/*
 * First a total order over version and address, whose greater one is taken; among equal ones the
 * least or the greatest of each other member. Both are joins, and so is one after the other.
 */
struct tern_update tern_update_join(const struct tern_update *a, const struct tern_update *b)
{
	enum tern_resolution resolution = tern_update_resolve(a, b);
	struct tern_update joined = resolution == TERN_RESOLUTION_ACCEPT ? *b : *a;
	if (resolution == TERN_RESOLUTION_MERGE) {
		joined.base = a->base > b->base ? a->base : b->base;
		joined.origin = a->origin > b->origin ? a->origin : b->origin;
		joined.first = a->first > b->first ? a->first : b->first;
		joined.left_ns = longer_left(a->left_ns, b->left_ns);
		joined.hops = a->hops < b->hops ? a->hops : b->hops;
		joined.source = a->source < b->source ? a->source : b->source;
	}
	return joined;
}
