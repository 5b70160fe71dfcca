/* SPDX-License-Identifier: Apache-2.0 */

/* Called by gossip for what leaves and what comes. Never asserts on what was sent. */
#include "payload.h"

#include <errno.h>

#define NODE_MAX 8191u
#define VERSION_ITEM 10u
#define ID_ITEM 16u
#define UPDATE_ITEM 60u

_Static_assert(TERN_PAYLOAD_HEAD + TERN_PAYLOAD_VERSIONS_MAX * VERSION_ITEM <= TERN_PAYLOAD_MAX &&
		       TERN_PAYLOAD_HEAD + TERN_PAYLOAD_IDS_MAX * ID_ITEM <= TERN_PAYLOAD_MAX &&
		       TERN_PAYLOAD_HEAD + TERN_PAYLOAD_UPDATES_MAX * UPDATE_ITEM <=
			       TERN_PAYLOAD_MAX,
	       "all fit");

static void put_number(uint8_t **at, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		*(*at)++ = (uint8_t)(value >> 8 * i);
}

static uint64_t get_number(const uint8_t **at, size_t bytes)
{
	uint64_t value = 0;
	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t) * (*at)++ << 8 * i;
	return value;
}

static void put_id(uint8_t **at, struct tern_id id)
{
	put_number(at, id.high, 8);
	put_number(at, id.low, 8);
}

static struct tern_id get_id(const uint8_t **at)
{
	struct tern_id id;
	id.high = get_number(at, 8);
	id.low = get_number(at, 8);
	return id;
}

static void put_update(uint8_t **at, const struct tern_update *update)
{
	put_id(at, update->id);
	put_number(at, update->address, 8);
	put_number(at, update->version, 8);
	put_number(at, update->base, 8);
	put_number(at, update->first, 8);
	put_number(at, update->left_ns, 8);
	put_number(at, update->origin, 2);
	put_number(at, update->hops, 1);
	put_number(at, update->source, 1);
}

static struct tern_update get_update(const uint8_t **at)
{
	struct tern_update update = {.id = get_id(at)};
	update.address = get_number(at, 8);
	update.version = get_number(at, 8);
	update.base = get_number(at, 8);
	update.first = get_number(at, 8);
	update.left_ns = get_number(at, 8);
	update.origin = (uint16_t)get_number(at, 2);
	update.hops = (uint8_t)get_number(at, 1);
	update.source = (uint8_t)get_number(at, 1);
	return update;
}

static bool is_node(uint32_t node)
{
	return node > 0 && node <= NODE_MAX;
}

/* What lives with the teller, or was written down there, is gossip to whoever hears it. */
static bool is_told_source(uint8_t source)
{
	return source == TERN_ROUTE_GOSSIP || source == TERN_ROUTE_DISCOVERY ||
	       source == TERN_ROUTE_MIGRATION;
}

bool tern_payload_carries(const struct tern_update *update)
{
	return update->version > 0 && update->version <= TERN_VERSION_MAX &&
	       update->first <= update->version && update->base < update->version &&
	       is_node(update->origin) && is_told_source(update->source) &&
	       (!update->address || is_node(tern_address_node(update->address)));
}

static bool is_of_updates(enum tern_payload_kind kind)
{
	return kind == TERN_PAYLOAD_NEWS || kind == TERN_PAYLOAD_PROVIDERS;
}

static size_t item_bytes(enum tern_payload_kind kind)
{
	if (kind == TERN_PAYLOAD_VERSIONS)
		return VERSION_ITEM;
	return is_of_updates(kind) ? UPDATE_ITEM : ID_ITEM;
}

static uint32_t items_max(enum tern_payload_kind kind)
{
	if (kind == TERN_PAYLOAD_ASK)
		return 0;
	if (kind == TERN_PAYLOAD_VERSIONS)
		return TERN_PAYLOAD_VERSIONS_MAX;
	return is_of_updates(kind) ? TERN_PAYLOAD_UPDATES_MAX : TERN_PAYLOAD_IDS_MAX;
}

static void put_items(uint8_t **at, const struct tern_payload *payload)
{
	for (uint32_t i = 0; i < payload->count; i++) {
		if (is_of_updates(payload->kind)) {
			put_update(at, &payload->updates[i]);
		} else if (payload->kind == TERN_PAYLOAD_VERSIONS) {
			put_number(at, payload->versions[i].node, 2);
			put_number(at, payload->versions[i].version, 8);
		} else {
			put_id(at, payload->ids[i]);
		}
	}
}

size_t tern_payload_write(const struct tern_payload *payload, uint8_t bytes[TERN_PAYLOAD_MAX])
{
	bool provides = payload->kind == TERN_PAYLOAD_PROVIDERS;
	uint8_t *at = bytes;
	put_number(&at, TERN_PAYLOAD_VERSION, 1);
	put_number(&at, payload->kind, 1);
	put_number(&at, payload->count, 2);
	put_number(&at, payload->node, 2);
	put_number(&at, payload->part, 2);
	put_number(&at, payload->number, 4);
	put_number(&at, payload->last, 1);
	put_number(&at, 0, 3);
	put_number(&at, provides ? payload->capability.high : payload->above, 8);
	put_number(&at, provides ? payload->capability.low : payload->complete, 8);
	put_items(&at, payload);
	return (size_t)(at - bytes);
}

/* By node, each once. */
static bool get_versions(const uint8_t **at, struct tern_payload *payload)
{
	uint32_t before = 0;
	for (uint32_t i = 0; i < payload->count; i++) {
		uint16_t node = (uint16_t)get_number(at, 2);
		uint64_t version = get_number(at, 8);
		if (!is_node(node) || node <= before || version == 0 || version > TERN_VERSION_MAX)
			return false;
		payload->versions[i] =
			(struct tern_payload_version){.node = node, .version = version};
		before = node;
	}
	return true;
}

static bool get_items(const uint8_t **at, struct tern_payload *payload)
{
	if (payload->kind == TERN_PAYLOAD_VERSIONS)
		return get_versions(at, payload);
	for (uint32_t i = 0; i < payload->count; i++) {
		if (!is_of_updates(payload->kind)) {
			payload->ids[i] = get_id(at);
			continue;
		}
		payload->updates[i] = get_update(at);
		if (!tern_payload_carries(&payload->updates[i]))
			return false;
	}
	return true;
}

/* What a kind does not use is 0. */
static bool is_news_head(const struct tern_payload *head)
{
	bool told = head->number != 0;
	return head->above <= TERN_VERSION_MAX && head->complete <= TERN_VERSION_MAX &&
	       head->part < TERN_PAYLOAD_PARTS_MAX && (told ? is_node(head->node) : !head->node) &&
	       (told || (!head->part && !head->last && !head->above && !head->complete)) &&
	       (head->count > 0 || (told && head->last));
}

static bool is_head(const struct tern_payload *head)
{
	bool counts = head->count > 0;
	bool telling = head->node || head->part || head->number;
	bool words = head->above || head->complete;
	switch (head->kind) {
	case TERN_PAYLOAD_NEWS:
		return is_news_head(head);
	case TERN_PAYLOAD_ASK:
		return is_node(head->node) && !head->part && !head->number && !head->last &&
		       head->above <= TERN_VERSION_MAX && !head->complete;
	case TERN_PAYLOAD_PROVIDERS:
		return !telling;
	default:
		return counts && !telling && !head->last && !words;
	}
}

static int get_head(const uint8_t **at, struct tern_payload *head)
{
	if (get_number(at, 1) != TERN_PAYLOAD_VERSION)
		return -EPROTO;
	uint64_t kind = get_number(at, 1);
	if (kind < TERN_PAYLOAD_VERSIONS || kind >= TERN_PAYLOAD_KINDS)
		return -EBADMSG;
	head->kind = (enum tern_payload_kind)kind;
	head->count = (uint16_t)get_number(at, 2);
	head->node = (uint16_t)get_number(at, 2);
	head->part = (uint16_t)get_number(at, 2);
	head->number = (uint32_t)get_number(at, 4);
	uint64_t last = get_number(at, 1), reserved = get_number(at, 3);
	uint64_t words[2] = {get_number(at, 8)};
	words[1] = get_number(at, 8);
	head->last = last != 0;
	if (head->kind == TERN_PAYLOAD_PROVIDERS)
		head->capability = (struct tern_id){.high = words[0], .low = words[1]};
	else
		head->above = words[0], head->complete = words[1];
	return last > 1 || reserved || head->count > items_max(head->kind) || !is_head(head)
		       ? -EBADMSG
		       : 0;
}

int tern_payload_read(struct tern_payload *payload, const uint8_t *bytes, size_t size)
{
	struct tern_payload read = {.count = 0};
	const uint8_t *at = bytes;
	if (size < TERN_PAYLOAD_HEAD || size > TERN_PAYLOAD_MAX)
		return -EBADMSG;
	int code = get_head(&at, &read);
	if (code != 0)
		return code;
	if (size != TERN_PAYLOAD_HEAD + read.count * item_bytes(read.kind) ||
	    !get_items(&at, &read))
		return -EBADMSG;
	*payload = read;
	return 0;
}
