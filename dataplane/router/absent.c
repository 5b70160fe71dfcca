/* SPDX-License-Identifier: Apache-2.0 */
#include "absent.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_common.h>

#define ABSENT_DEFAULT 65536u
#define PASSED_MAX 64u /* at once, for one whose time is up */

int tern_absent_init(struct tern_absent *absent, const struct tern_table_options *like,
		     uint32_t wanted, uint32_t expected, struct tern_error *error)
{
	uint32_t max = wanted ? wanted : ABSENT_DEFAULT;
	/* One more: the new one comes before the oldest goes. */
	struct tern_table_options options = {.routes_max = max + 1ull,
					     .routes_expected = expected,
					     .seed = like->seed,
					     .quiet = like->quiet,
					     .kernel = like->kernel,
					     .page_bytes_max = like->page_bytes_max};
	*absent = (struct tern_absent){.max = max};
	absent->ring = calloc(max, sizeof(*absent->ring));
	if (!absent->ring)
		return tern_error_set(error, -ENOMEM, "router: no memory for %u missing ids", max);
	return tern_table_create(&absent->table, &options, error);
}

void tern_absent_fini(struct tern_absent *absent)
{
	if (absent->table)
		tern_table_destroy(absent->table);
	free(absent->ring);
}

static uint32_t next_place(const struct tern_absent *absent)
{
	return (uint32_t)(absent->next % absent->max);
}

int tern_absent_put(struct tern_absent *absent, const struct tern_route *known)
{
	uint32_t place = next_place(absent);
	struct tern_id *id = &absent->ring[place];
	struct tern_route route = *known;
	route.address = place + 1;
	int code = tern_table_put(absent->table, &route, true);
	if (code != 0)
		return code;
	/* The id that was written there a round ago goes, if it was not noted anew since. */
	if (absent->next >= absent->max && (id->high != known->id.high || id->low != known->id.low))
		tern_table_remove(absent->table, *id, place + 1);
	*id = known->id;
	absent->next++;
	return 0;
}

/* Whether the next one would drive out one whose time is not up. */
static bool is_full(const struct tern_absent *absent, uint64_t now)
{
	uint32_t place = next_place(absent);
	struct tern_route oldest;
	return absent->next >= absent->max &&
	       tern_absent_find(absent, absent->ring[place], &oldest) &&
	       oldest.address == place + 1 && oldest.expires_ns > now;
}

int tern_absent_keep(struct tern_absent *absent, const struct tern_route *known, uint64_t now)
{
	struct tern_route route = *known, held;
	/* Not all stay for the same time: who does not go yet has another turn in the next round.
	 */
	for (uint32_t passed = 0; passed < PASSED_MAX && is_full(absent, now); passed++)
		absent->next++;
	if (!is_full(absent, now))
		return tern_absent_put(absent, known);
	if (!tern_absent_find(absent, known->id, &held))
		return -ENOSPC;
	/* It has a place, and keeps its turn there: at that, its time is looked at anew. */
	route.address = held.address;
	return tern_table_put(absent->table, &route, true);
}

bool tern_absent_remove(struct tern_absent *absent, struct tern_id id)
{
	return tern_table_remove(absent->table, id, TERN_ADDRESS_NONE) == 0;
}

uint64_t tern_absent_held(const struct tern_absent *absent)
{
	struct tern_table_stats stats;
	tern_table_look(absent->table, &stats);
	return stats.bytes + RTE_MIN(absent->next, absent->max) * sizeof(struct tern_id);
}

uint64_t tern_absent_bytes(uint32_t max)
{
	return tern_table_bytes(max, max, 1) + max * sizeof(struct tern_id);
}
