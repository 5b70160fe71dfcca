/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"

static bool is_before(const struct tern_order_entry *a, const struct tern_order_entry *b)
{
	return a->key != b->key ? a->key < b->key : (int32_t)(a->sequence - b->sequence) < 0;
}

static void rise_entry(struct tern_order *order, uint32_t place, struct tern_order_entry entry)
{
	while (place && is_before(&entry, &order->entries[(place - 1) / 2])) {
		order->entries[place] = order->entries[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	order->entries[place] = entry;
}

void tern_order_push(struct tern_order *order, uint64_t key, uint32_t slot)
{
	struct tern_order_entry entry = {.key = key, .sequence = order->sequence++, .slot = slot};
	rise_entry(order, order->count++, entry);
}

void tern_order_hurry(struct tern_order *order, uint32_t slot)
{
	for (uint32_t place = 0; place < order->count; place++) {
		struct tern_order_entry entry = order->entries[place];
		if (entry.slot != slot)
			continue;
		entry.key = 0;
		rise_entry(order, place, entry);
		return;
	}
}

uint32_t tern_order_pop(struct tern_order *order)
{
	uint32_t slot = order->entries[0].slot, place = 0, child;
	struct tern_order_entry last = order->entries[--order->count];
	while ((child = 2 * place + 1) < order->count) {
		if (child + 1 < order->count &&
		    is_before(&order->entries[child + 1], &order->entries[child]))
			child++;
		if (!is_before(&order->entries[child], &last))
			break;
		order->entries[place] = order->entries[child];
		place = child;
	}
	order->entries[place] = last;
	return slot;
}
