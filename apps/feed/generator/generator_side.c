/* SPDX-License-Identifier: Apache-2.0 */
#include "generator_side.h"

#include <string.h>

static bool better(const struct generator_side *side, uint32_t price, uint32_t than)
{
	return side->ask ? price < than : price > than;
}

void generator_side_insert(struct generator_side *side, const struct generator_order *order)
{
	uint32_t at = 0;
	while (at < side->count && better(side, order->price, side->orders[at].price))
		at++;
	memmove(&side->orders[at + 1], &side->orders[at],
		(side->count - at) * sizeof(side->orders[0]));
	side->orders[at] = *order;
	side->count++;
}

void generator_side_remove(struct generator_side *side, uint32_t index)
{
	side->count--;
	memmove(&side->orders[index], &side->orders[index + 1],
		(side->count - index) * sizeof(side->orders[0]));
}
