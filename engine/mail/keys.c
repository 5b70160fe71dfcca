/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include "engine/lcore/lcore.h"

uint32_t tern_keys_entries(uint32_t capacity)
{
	uint32_t entries = 16;
	while (entries < 2 * capacity)
		entries *= 2;
	return entries;
}

bool tern_keys_applies(const struct tern_extras *extras, const struct tern_signal *signal)
{
	return !(signal->kind & TERN_KIND_RETURNED) &&
	       extras->key_offset + extras->key_length <= tern_signal_size(signal);
}

static uint64_t key_of(const struct tern_extras *extras, const struct tern_signal *signal)
{
	uint64_t key = 0;
	memcpy(&key, signal->payload.bytes + extras->key_offset, extras->key_length);
	return key;
}

static uint32_t home_of(const struct tern_extras *extras, const struct tern_signal *signal)
{
	uint64_t mixed = key_of(extras, signal) ^ (uint64_t)signal->type << 48;
	mixed *= 0x9E3779B97F4A7C15u;
	mixed ^= mixed >> 32;
	return (uint32_t)(mixed * 0xD6E8FEB86659FD93u >> 40) & extras->keys_mask;
}

static bool same_key(const struct tern_extras *extras, const struct tern_signal *a,
		     const struct tern_signal *b)
{
	return a->type == b->type && key_of(extras, a) == key_of(extras, b);
}

static uint32_t *entries_of(const struct tern_extras *extras)
{
	return tern_iso_data(extras->keys);
}

struct tern_signal *tern_keys_find(const struct tern_lcore *lcore, const struct tern_extras *extras,
				   const struct tern_signal *signal)
{
	const uint32_t *entries = entries_of(extras);
	for (uint32_t i = home_of(extras, signal); entries[i]; i = (i + 1) & extras->keys_mask) {
		struct tern_signal *waiting = tern_cells_at(&lcore->mail.cells, entries[i] - 1);
		if (same_key(extras, waiting, signal))
			return waiting;
	}
	return NULL;
}

/* An entry is a cell's number + 1: 0 is a free one. */
void tern_keys_add(const struct tern_lcore *lcore, const struct tern_extras *extras, uint32_t cell)
{
	uint32_t *entries = entries_of(extras);
	uint32_t i = home_of(extras, tern_cells_at(&lcore->mail.cells, cell));
	while (entries[i])
		i = (i + 1) & extras->keys_mask;
	entries[i] = cell + 1;
}

/* Backward-shift deletion: no tombstones, so probes stay short for ever. */
void tern_keys_remove(const struct tern_lcore *lcore, const struct tern_extras *extras,
		      uint32_t cell)
{
	uint32_t *entries = entries_of(extras);
	uint32_t mask = extras->keys_mask;
	uint32_t hole = home_of(extras, tern_cells_at(&lcore->mail.cells, cell));
	while (entries[hole] != cell + 1) {
		if (entries[hole] == 0)
			return;
		hole = (hole + 1) & mask;
	}
	for (uint32_t i = (hole + 1) & mask; entries[i]; i = (i + 1) & mask) {
		uint32_t home = home_of(extras, tern_cells_at(&lcore->mail.cells, entries[i] - 1));
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			entries[hole] = entries[i];
			hole = i;
		}
	}
	entries[hole] = 0;
}
