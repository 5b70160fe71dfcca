/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ABSENT_H
#define ABSENT_H

#include "tern_table.h"

/** Of them, at most. */
#define TERN_ABSENT_MAX (1u << 27)

/**
 * Ids known to be missing, each for a while: a table of them, and a ring of their order. Most stay
 * for the same time, so the oldest is the first to go, whether its time is up or its place is
 * needed. One that was a route keeps its version and steadiness: old news of it is known as such.
 *
 * In the table an id's "address" is its place in the ring, counted from 1, and `updated_ns` the
 * address that it had; TERN_ADDRESS_NONE: none, or it has gone.
 *
 * Context: one writer at a time; tern_absent_find() as tern_table_find().
 */
struct tern_absent {
	struct tern_table *table;
	struct tern_id *ring;
	uint32_t max;
	uint64_t next; /* place to write, counted on and on */
};

/**
 * @param like      seed, quiet variable, kernel and pages of its table
 * @param wanted    ids; 0: 65,536
 * @param expected  of them, those that there is memory for at once
 * @return 0; as tern_table_create()
 */
int tern_absent_init(struct tern_absent *absent, const struct tern_table_options *like,
		     uint32_t wanted, uint32_t expected, struct tern_error *error);
void tern_absent_fini(struct tern_absent *absent);

/** What is known of a missing id: version, steadiness, and until when. False: nothing. */
static inline bool tern_absent_find(const struct tern_absent *absent, struct tern_id id,
				    struct tern_route *known)
{
	return tern_table_route(absent->table, id, known);
}

/**
 * Note that an id is missing until `known->expires_ns`. The oldest gives way.
 *
 * @return 0; -ENOSPC, -ENOMEM: it is not noted, and all is as before
 */
int tern_absent_put(struct tern_absent *absent, const struct tern_route *known);

/**
 * As tern_absent_put(), but nobody gives way whose time is not up.
 *
 * @return also -ENOSPC: the oldest one's is not
 */
int tern_absent_keep(struct tern_absent *absent, const struct tern_route *known, uint64_t now);

/** It is not missing any more. Returns whether it was. */
bool tern_absent_remove(struct tern_absent *absent, struct tern_id id);

/** Bytes held, of the ring what has been written to. */
uint64_t tern_absent_held(const struct tern_absent *absent);

/** Bytes for so many of them. */
uint64_t tern_absent_bytes(uint32_t max);

#endif
