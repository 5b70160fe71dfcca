/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_GENERATOR_SIDE_H
#define FEED_GENERATOR_SIDE_H

#include "generator.h"

#define GENERATOR_DEPTH_MAX 128

/** The resting orders of one side of a symbol in the order of execution, the next one last. */
struct generator_side {
	struct generator_order orders[GENERATOR_DEPTH_MAX];
	uint32_t count;
	bool ask;
};

/** Add an order behind all of its price; the side is not full. Borrows `order`. */
void generator_side_insert(struct generator_side *side, const struct generator_order *order);

/** Remove the order at an index below count. */
void generator_side_remove(struct generator_side *side, uint32_t index);

#endif
