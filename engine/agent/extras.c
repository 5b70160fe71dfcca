/* SPDX-License-Identifier: Apache-2.0 */
#include "extras.h"

#include <string.h>

#include "engine/lcore/engine.h"

/*
 * Those of a slot that has had some are not fresh, but what was in them counts no more. Without any
 * nothing is read here: a page that is read before it is written costs a second fault, and an
 * interrupt of all other lcores.
 */
static void clear_hops(const struct tern_engine *engine, struct tern_extras *extras, uint32_t slot)
{
	if (!engine->hops)
		return;
	if (extras->hops)
		memset(extras->hops, 0, TERN_HOPS * sizeof(*extras->hops));
	else
		tern_store(&extras->hops, &engine->hops[(size_t)slot * TERN_HOPS]);
}

struct tern_extras *tern_extras_take(struct tern_lcore *lcore, uint32_t slot)
{
	struct tern_extras *extras = &lcore->engine->extras[slot];
	tern_extras_set_name(extras, "");
	/* Others may still look at the life before (observer.c, stats.c): these are stored whole.
	 */
	tern_store(&extras->slice_ticks, 0);
	tern_store(&extras->rate_interval, 0);
	tern_store(&extras->stack_bytes, 0);
	extras->rate_burst = extras->rate_tat = 0;
	extras->fiber = NULL;
	extras->weight = 1;
	extras->rate = extras->capacity = extras->key_offset = extras->key_length = 0;
	extras->keys_mask = 0;
	clear_hops(lcore->engine, extras, slot);
	return extras;
}

void tern_extras_put(struct tern_lcore *lcore, struct tern_extras *extras)
{
	if (extras->keys)
		tern_iso_drop(&lcore->heap, extras->keys);
	extras->keys = NULL;
}

void tern_extras_set_name(struct tern_extras *extras, const char *name)
{
	uint64_t words[TERN_NAME_MAX / 8] = {0};
	memcpy(words, name, strnlen(name, TERN_NAME_MAX - 1));
	for (size_t i = 0; i < TERN_NAME_MAX / 8; i++)
		tern_store(&extras->name[i], words[i]);
}

void tern_extras_name(const struct tern_extras *extras, char *name)
{
	for (size_t i = 0; i < TERN_NAME_MAX / 8; i++) {
		uint64_t word = tern_load(&extras->name[i]);
		memcpy(name + 8 * i, &word, sizeof(word));
	}
	name[TERN_NAME_MAX - 1] = '\0';
}
