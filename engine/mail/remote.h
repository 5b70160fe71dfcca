/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_H
#define REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/lcore/lcore.h"

/**
 * The way to other nodes, for the rooms below the one that knows it (node/). An engine without a
 * network has none.
 */
struct tern_remote {
	/**
	 * Take a signal for another node. Counts nothing. Consumes the block where it returns 0.
	 *
	 * @return 0; -EHOSTUNREACH: no such node, or no connection to it; -EBUSY: the receiver
	 *         refuses; -EAGAIN: the connection takes no more now
	 */
	int (*send)(struct tern_lcore *lcore, tern_address to, const struct tern_signal *signal);
	/** Send what a thread could not by itself: TERN_CONTROL_FORWARD has come to this lcore. */
	void (*forward)(struct tern_lcore *lcore, const struct tern_signal *carrier);
	/** Whether a receiver on another node that refused takes signals again, or is lost. */
	bool (*takes)(const struct tern_lcore *lcore, tern_address to);
	/** Send a signal back that came from another node, or count it as lost. */
	void (*give_back)(struct tern_lcore *lcore, tern_address to,
			  const struct tern_signal *signal);
};

/** Whether an address is another node's, which a network may lead to. */
static inline bool tern_lcore_is_remote(const struct tern_lcore *lcore, tern_address address)
{
	return lcore->remote && tern_lcore_place(lcore, address) >= TERN_AGENTS_MAX &&
	       tern_address_node(address) != 0;
}

#endif
