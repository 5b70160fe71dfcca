/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECOND_H
#define SECOND_H

#include "swarm.h"

/**
 * Be node 2 until node 1 has what was counted here: run the books and strategies, then send it, and
 * the books where they are asked for.
 *
 * Nothing is printed where node 1 said that it leaves: it says why.
 *
 * @param config   of this node. Borrows
 * @param partner  node 1. Borrows
 * @return exit code of the process
 *
 * Context: the main thread of the second process, from its beginning.
 */
int second_run(const struct options *options, const struct tern_config *config,
	       struct partner *partner);

#endif
