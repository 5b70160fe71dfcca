/* SPDX-License-Identifier: Apache-2.0 */
#include "absent.h"

#include <errno.h>
#include <stdlib.h>

#define ABSENT_DEFAULT 65536u

int tern_absent_init(struct tern_absent *absent, const struct tern_table_options *like,
		     uint32_t wanted, struct tern_error *error)
{
	uint32_t max = wanted ? wanted : ABSENT_DEFAULT;
	struct tern_table_options options = {.routes_max = max,
					     .routes_expected = wanted,
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

/* The id that was written there a round ago goes, if it has not been noted anew since. */
static void evict_absent(struct tern_absent *absent, uint32_t place)
{
	if (absent->next >= absent->max)
		tern_table_remove(absent->table, absent->ring[place], place + 1);
}

int tern_absent_put(struct tern_absent *absent, const struct tern_route *known)
{
	uint32_t place = (uint32_t)(absent->next % absent->max);
	struct tern_route route = *known;
	route.address = place + 1;
	evict_absent(absent, place);
	int code = tern_table_put(absent->table, &route, true);
	if (code != 0)
		return code;
	absent->ring[place] = known->id;
	absent->next++;
	return 0;
}

bool tern_absent_remove(struct tern_absent *absent, struct tern_id id)
{
	return tern_table_remove(absent->table, id, TERN_ADDRESS_NONE) == 0;
}

uint64_t tern_absent_bytes(uint32_t max)
{
	return tern_table_bytes(max, max, 1) + max * sizeof(struct tern_id);
}
