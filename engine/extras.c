/* SPDX-License-Identifier: Apache-2.0 */
#include "extras.h"

#include <string.h>

#include <rte_ring_elem.h>

#include "engine.h"

static struct tern_extras *carve(struct tern_lcore *lcore)
{
	struct tern_extras *extras =
		tern_span_take(&lcore->span, sizeof(struct tern_extras), TERN_LINE);
	if (extras && lcore->trace_every) {
		extras->hops = tern_span_take(&lcore->span,
					      TERN_HOPS * sizeof(struct tern_histogram), TERN_LINE);
		if (!extras->hops)
			return NULL;
	}
	return extras;
}

/* Extras that ended anywhere come back to whoever spawns next: no lcore runs dry for another. */
struct tern_extras *tern_extras_take(struct tern_lcore *lcore)
{
	struct tern_extras *extras;
	tern_pools_lock(lcore->engine);
	int code = rte_ring_dequeue_elem(lcore->engine->extras_ring, &extras, sizeof(void *));
	tern_pools_unlock(lcore->engine);
	if (code != 0)
		return carve(lcore);
	struct tern_histogram *hops = extras->hops;
	tern_extras_set_name(extras, "");
	/* The observer may still look at the life before (observer.c). */
	tern_store(&extras->slice_ticks, 0);
	tern_store(&extras->rate_interval, 0);
	memset(&extras->rate_burst, 0, sizeof(*extras) - offsetof(struct tern_extras, rate_burst));
	extras->hops = hops;
	if (hops)
		memset(hops, 0, TERN_HOPS * sizeof(*hops));
	return extras;
}

void tern_extras_put(struct tern_lcore *lcore, struct tern_extras *extras)
{
	if (extras->keys)
		tern_iso_drop(&lcore->heap, extras->keys);
	extras->keys = NULL;
	tern_pools_lock(lcore->engine);
	rte_ring_enqueue_elem(lcore->engine->extras_ring, &extras, sizeof(void *));
	tern_pools_unlock(lcore->engine);
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
