/* SPDX-License-Identifier: Apache-2.0 */

/* Ids of agents: random for most, the name's for those that have one. */
#include "registry.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "routing.h"
#include "slots.h"

/* FNV-1a over the name, from two starts, each mixed: stable across nodes and releases. */
static uint64_t hash_name(const char *name, uint64_t hash)
{
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		hash = (hash ^ *c) * 0x100000001B3u;
	struct tern_rng mix = {.state = hash};
	return tern_rng_next(&mix);
}

struct tern_id tern_name_id(const char *name)
{
	return (struct tern_id){.high = hash_name(name, 0xCBF29CE484222325u),
				.low = hash_name(name, 0x84222325CBF29CE4u)};
}

static uint64_t digit_value(char digit)
{
	return isdigit((unsigned char)digit) ? (uint64_t)(digit - '0')
					     : (uint64_t)(tolower((unsigned char)digit) - 'a') + 10;
}

/* Dashes are where a UUID has them, all four, or nowhere. */
bool tern_id_read(const char *text, struct tern_id *id)
{
	static const char uuid[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	static const char plain[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	const char *form = strlen(text) == strlen(uuid) ? uuid : plain;
	struct tern_id read = {0};

	for (; *form; form++, text++) {
		bool digit = *form == 'x';
		if (digit ? !isxdigit((unsigned char)*text) : *text != '-')
			return false;
		if (!digit)
			continue;
		read.high = read.high << 4 | read.low >> 60;
		read.low = read.low << 4 | digit_value(*text);
	}
	if (*text)
		return false;
	*id = read;
	return true;
}

/*
 * Drawn at random, but for the slot that the agent will most likely have: who looks the id up can
 * read the directory's line of it at once (routing.h).
 */
void tern_engine_draw_id(struct tern_lcore *lcore, struct tern_next_id *next)
{
	uint64_t low = tern_rng_next(&lcore->rng) << TERN_ADDRESS_SLOT_BITS;
	next->id = (struct tern_id){.high = tern_rng_next(&lcore->rng),
				    .low = low | tern_slots_ahead(lcore, TERN_IDS_AHEAD)};
	next->hash = tern_table_prefetch(lcore->engine->table, next->id);
}

int tern_engine_register(struct tern_lcore *lcore, struct tern_agent *agent, const char *name,
			 uint64_t hash)
{
	struct tern_table *table = lcore->engine->table;
	if (tern_likely(!name))
		return tern_table_add(table, hash, agent->id, tern_routing_bare(agent->address));
	tern_agent_set_id(agent, tern_name_id(name));
	const struct tern_route route = {.id = agent->id,
					 .address = tern_routing_bare(agent->address),
					 .expires_ns = TERN_ROUTE_FOREVER};
	return tern_table_put(table, &route, false);
}

void tern_engine_unregister(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_table_remove(lcore->engine->table, agent->id, tern_routing_bare(agent->address));
	tern_routing_forget(agent);
}
