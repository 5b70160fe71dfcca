/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_UPDATE_H
#define TERN_UPDATE_H

#include "tern_table.h"

/** No node counts so far; whoever says so does not tell the truth. */
#define TERN_VERSION_MAX (1ull << 62)
/**
 * A node's count follows what it hears up to here. Above, it grows by the node's own changes only,
 * one by one: more of them than anybody makes fit below TERN_VERSION_MAX. So no news, true or not,
 * can bring a node to versions that others refuse.
 */
#define TERN_VERSION_FOLLOWED_MAX (TERN_VERSION_MAX / 2)

/**
 * News of one route, as one node tells another.
 *
 * Every node counts its changes, and sets its count to the highest it has heard of before it counts
 * on (Lamport, "Time, clocks, and the ordering of events in a distributed system", 1978): who knew
 * of a change and makes another gives it a higher version. Of two that did not know of each other
 * either may be the higher; all nodes take the same one.
 */
struct tern_update {
	struct tern_id id;
	tern_address address; /**< TERN_ADDRESS_NONE: the agent has gone */
	uint64_t version;     /**< of this change, by its origin's count; 1 to TERN_VERSION_MAX */
	uint64_t base;	      /**< of the route that the origin knew before, below it; 0: none */
	uint16_t origin;      /**< node that made the change */
	uint8_t hops;	      /**< nodes between the teller and the agent */
	uint8_t source;	      /**< enum tern_route_source */
	/**
	 * Lowest version from which on up to `version` the origin has made no other change: so who
	 * did not hear of one before knows it. 0: not said, as where a third node tells: then what
	 * lies below the first that is heard of an origin is taken to be known.
	 */
	uint64_t first;
	/**
	 * How long the teller still holds it, ns, less what it may take on its way; 0: not said, as
	 * where the origin itself tells. Who hears it from another node holds it no longer: so the
	 * copies of what the origin told last end, however often they are told on.
	 */
	uint64_t left_ns;
};

/** What an update is to what is held. */
enum tern_update_order {
	TERN_UPDATE_NEWER,	/**< its origin knew of what is held, or nothing is */
	TERN_UPDATE_SAME,	/**< the same change, told again */
	TERN_UPDATE_OLDER,	/**< what is held came later */
	TERN_UPDATE_CONCURRENT, /**< neither origin knew of the other's change */
};

/** What becomes of two concurrent ones. */
enum tern_resolution {
	TERN_RESOLUTION_ACCEPT, /**< the update takes the place of what is held */
	TERN_RESOLUTION_REJECT, /**< what is held stays */
	TERN_RESOLUTION_MERGE,	/**< both say the same: the best of both is held */
};

/**
 * Compare an update with what is held. Pure.
 *
 * @param held  version 0: nothing is
 */
TERN_API enum tern_update_order tern_update_order(const struct tern_update *held,
						  const struct tern_update *update);

/**
 * Choose between two of the same id: the higher version; at the same version that of an agent that
 * has gone, then the higher address; of the same both. Pure.
 */
TERN_API enum tern_resolution tern_update_resolve(const struct tern_update *held,
						  const struct tern_update *update);

/**
 * What is held after an update: commutative, associative and idempotent, so that nodes which got
 * the same updates hold the same, in whatever order and however often they came. Pure.
 *
 * Its version is the higher of both. Counting it on at a merge, as is sometimes proposed, would
 * make three nodes that merge in different orders disagree.
 */
TERN_API struct tern_update tern_update_join(const struct tern_update *a,
					     const struct tern_update *b);

#endif
