/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_NODE_H
#define TERN_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "tern_engine.h"

/*
 * An engine as a node of a cluster: tern_config's [node]. An agent of another node is sent to by
 * its address as one of this node is; docs/peers.md says what holds across the network.
 */

/** What is known of another node of the cluster. */
struct tern_peer {
	uint32_t node;
	uint32_t lcores;      /**< that it has; 0: never connected */
	uint32_t links_open;  /**< lcores of both nodes that are connected, in pairs */
	uint32_t links;	      /**< pairs that there are to be; 0: never connected */
	uint64_t lost;	      /**< connections that ended */
	uint64_t quiet_ns;    /**< since it was heard of; UINT64_MAX: never */
	uint64_t srtt_ns;     /**< smoothed round trip of its frames, the mean of its links */
	uint64_t signals_out; /**< taken for it */
	uint64_t signals_in;
	uint64_t frames_out; /**< of signals, each once */
	uint64_t frames_in;
	uint64_t retransmitted; /**< frames sent again */
	uint64_t duplicates;	/**< frames that came again */
	uint64_t under_way;	/**< frames that it has not acknowledged */
	uint64_t held;		/**< frames from it that wait for one before them, or for a place */
};

/** This node's number; 0: the engine has no network. Any thread. */
TERN_API uint32_t tern_node_id(const struct tern_engine *engine);

/** Whether the lcores of this engine are connected to another node, all of them. Any thread. */
TERN_API bool tern_node_connected(const struct tern_engine *engine, uint32_t node);

/**
 * Look at the other nodes of the cluster, rising by number. What its lcores count is read while
 * they go on.
 *
 * @param peers  yields up to `max` of them; NULL where max is 0
 * @return how many other nodes there are
 *
 * Context: any thread, until the engine is stopped.
 */
TERN_API uint32_t tern_node_peers(const struct tern_engine *engine, struct tern_peer *peers,
				  uint32_t max);

#endif
