/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAIR_H
#define PAIR_H

#include "tern_config.h"

/** What two nodes of one machine, 1 and 2, have to know of each other to be connected. */
struct pair {
	char socket[64]; /* of memif; it has no file */
	char secret[24];
};

/** Draw a name and a secret. Returns 0 or a negative errno. Context: before the fork. */
int pair_make(struct pair *pair);

/**
 * Refuse a configuration that two nodes cannot be made of: with [node] keys that the pair sets, or
 * with virtual time.
 *
 * @return 0 or -EINVAL
 *
 * Context: any thread. Borrows all arguments.
 */
int pair_check(const struct tern_config *config, struct tern_error *error);

/**
 * Make one node's configuration out of that for both: half of its lcores, and the way to the other
 * node. Of an odd number of lcores the last has no use; one alone has both nodes, which sleep when
 * idle.
 *
 * @param config   changed
 * @param members  yields a descriptor of the list of nodes, to be closed once the engine runs
 * @return 0 or a negative errno
 *
 * Context: the process that is to be the node.
 */
int pair_configure(const struct pair *pair, uint32_t node, struct tern_config *config,
		   int *members);

#endif
