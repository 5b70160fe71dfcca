/* SPDX-License-Identifier: Apache-2.0 */

/* Peers, and what leaves for them and when. Called by whoever moves payloads between nodes. */
#include "gossip_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "capabilities/lines.h"

#define NS_PER_MS 1000000ull
/* Changes that come together leave together: so many times in an interval of comparisons. */
#define PUSHES 8u

static void set_places(struct tern_gossip *gossip)
{
	for (uint32_t i = 0; i < TERN_GOSSIP_TELLINGS; i++)
		gossip->tellings[i].peer = TERN_GOSSIP_NOBODY;
}

int tern_gossip_create(struct tern_gossip **gossip, struct tern_engine *engine, uint32_t peers_max,
		       struct tern_error *error)
{
	const struct tern_router_config *config = &engine->config.router;
	if (config->node == 0)
		return tern_error_set(error, -EINVAL,
				      "gossip: this node has no number; set router.node");
	if (peers_max == 0 || peers_max > TERN_NODE_MAX)
		return tern_error_set(error, -EINVAL, "gossip: %u peers; 1 to %u", peers_max,
				      TERN_NODE_MAX);
	struct tern_gossip *made = tern_lines_make(RTE_ALIGN(sizeof(*made), TERN_LINE));
	if (!made)
		return tern_error_set(error, -ENOMEM, "gossip: no memory");
	*made = (struct tern_gossip){.engine = engine,
				     .router = engine->router,
				     .questions = engine->questions,
				     .tell_ns = config->tell_ms * NS_PER_MS,
				     .compare_ns = config->compare_ms * NS_PER_MS,
				     .node = (uint16_t)config->node,
				     .peers_max = peers_max};
	set_places(made);
	made->places = calloc(TERN_NODE_MAX + 1, sizeof(*made->places));
	made->peers = calloc(peers_max, sizeof(*made->peers));
	if (!made->places || !made->peers) {
		tern_gossip_destroy(made);
		return tern_error_set(error, -ENOMEM, "gossip: no memory for %u peers", peers_max);
	}
	*gossip = made;
	return 0;
}

void tern_gossip_destroy(struct tern_gossip *gossip)
{
	free(gossip->places);
	free(gossip->peers);
	free(gossip);
}

int tern_gossip_add(struct tern_gossip *gossip, uint16_t peer, uint64_t now)
{
	uint32_t place = 0;
	if (peer == 0 || peer > TERN_NODE_MAX || peer == gossip->node)
		return -EINVAL;
	if (gossip->places[peer])
		return -EEXIST;
	while (place < gossip->peers_max && gossip->peers[place].node)
		place++;
	if (place == gossip->peers_max)
		return -ENOSPC;
	gossip->peers[place] = (struct gossip_peer){.node = peer,
						    .asked = tern_load(&gossip->questions->asked),
						    .tell_at = now,
						    .compare_at = now};
	gossip->places[peer] = (uint16_t)(place + 1);
	gossip->due = now;
	return 0;
}

/* Nothing of it is left in any place: another may have its place next. */
int tern_gossip_remove(struct tern_gossip *gossip, uint16_t peer)
{
	if (peer > TERN_NODE_MAX || gossip->places[peer] == 0)
		return -ENOENT;
	uint32_t place = gossip->places[peer] - 1u;
	for (uint64_t i = gossip->letter_first; i < gossip->letter_end; i++)
		if (gossip->letters[i % TERN_GOSSIP_OUTBOX].peer == place)
			gossip->letters[i % TERN_GOSSIP_OUTBOX].peer = TERN_GOSSIP_NOBODY;
	for (uint32_t i = 0; i < TERN_GOSSIP_TELLINGS; i++)
		if (gossip->tellings[i].peer == place)
			gossip->tellings[i].peer = TERN_GOSSIP_NOBODY;
	for (uint32_t i = 0; i < TERN_GOSSIP_ASKS; i++)
		if (gossip->asks[i].peer == place)
			gossip->asks[i].node = 0;
	for (uint32_t i = 0; i < TERN_GOSSIP_RECEPTIONS; i++)
		if (gossip->receptions[i].peer == peer)
			gossip->receptions[i] = (struct gossip_reception){0};
	tern_gossip_forget_members(gossip, peer);
	gossip->places[peer] = 0;
	gossip->peers[place] = (struct gossip_peer){0};
	return 0;
}

void tern_gossip_post(struct tern_gossip *gossip, uint32_t peer, const struct tern_payload *payload)
{
	if (gossip->letter_end - gossip->letter_first == TERN_GOSSIP_OUTBOX) {
		gossip->stats.crowded++;
		return;
	}
	struct gossip_letter *letter = &gossip->letters[gossip->letter_end++ % TERN_GOSSIP_OUTBOX];
	letter->peer = peer;
	letter->size = (uint16_t)tern_payload_write(payload, letter->bytes);
}

static size_t take_letter(struct tern_gossip *gossip, uint32_t *peer,
			  uint8_t bytes[TERN_PAYLOAD_MAX])
{
	while (gossip->letter_first < gossip->letter_end) {
		const struct gossip_letter *letter =
			&gossip->letters[gossip->letter_first++ % TERN_GOSSIP_OUTBOX];
		if (letter->peer == TERN_GOSSIP_NOBODY)
			continue;
		*peer = letter->peer;
		memcpy(bytes, letter->bytes, letter->size);
		return letter->size;
	}
	return 0;
}

/* Those of one kind that come first among the questions not asked yet. */
static size_t write_questions(struct tern_gossip *gossip, struct gossip_peer *peer,
			      uint8_t bytes[TERN_PAYLOAD_MAX])
{
	struct tern_question questions[TERN_PAYLOAD_IDS_MAX];
	struct tern_payload payload = {.kind = TERN_PAYLOAD_WHO};
	uint32_t count = tern_questions_get(gossip->questions, &peer->asked, questions,
					    TERN_PAYLOAD_IDS_MAX);
	if (count == 0)
		return 0;
	if (questions[0].capability)
		payload.kind = TERN_PAYLOAD_OFFERS;
	for (; payload.count < count; payload.count++) {
		const struct tern_question *question = &questions[payload.count];
		if (question->capability != questions[0].capability)
			break;
		payload.ids[payload.count] = question->id;
		if (question->capability)
			tern_gossip_watch(gossip, question->id);
	}
	peer->asked -= count - payload.count;
	gossip->stats.asked += payload.count;
	return tern_payload_write(&payload, bytes);
}

static void tell_peer(struct tern_gossip *gossip, uint32_t place, uint64_t now)
{
	struct gossip_peer *peer = &gossip->peers[place];
	uint64_t version = tern_router_version(gossip->router, gossip->node);
	bool again = now >= peer->tell_at;
	if (!again && (peer->pushed >= version || now < peer->push_at))
		return;
	peer->push_at = now + gossip->compare_ns / PUSHES;
	if (!tern_gossip_tell(gossip, place, gossip->node, again ? 0 : peer->pushed)) {
		peer->tell_at = again ? peer->push_at : peer->tell_at;
		return;
	}
	peer->pushed = version;
	if (!again)
		return;
	peer->tell_at = now + gossip->tell_ns;
	peer->watched_from = 0;
}

/* This node, and those of which something was heard. */
static uint32_t next_versed(const struct tern_gossip *gossip, uint32_t node)
{
	uint32_t known = tern_router_next_known(gossip->router, node);
	return node <= gossip->node ? RTE_MIN(known, (uint32_t)gossip->node) : known;
}

static size_t write_versions(struct tern_gossip *gossip, struct gossip_peer *peer, uint64_t now,
			     uint8_t bytes[TERN_PAYLOAD_MAX])
{
	struct tern_payload payload = {.kind = TERN_PAYLOAD_VERSIONS};
	const struct tern_router *router = gossip->router;
	if (now >= peer->compare_at) {
		peer->compare_at = now + gossip->compare_ns;
		peer->versions_from = 1;
		peer->compares = true;
	}
	uint32_t node = next_versed(gossip, peer->versions_from);
	while (peer->compares && node <= TERN_NODE_MAX &&
	       payload.count < TERN_PAYLOAD_VERSIONS_MAX) {
		uint64_t version = tern_router_version(router, (uint16_t)node);
		if (version)
			payload.versions[payload.count++] = (struct tern_payload_version){
				.node = (uint16_t)node, .version = version};
		node = next_versed(gossip, node + 1);
	}
	peer->versions_from = node;
	peer->compares = peer->compares && node <= TERN_NODE_MAX;
	return payload.count ? tern_payload_write(&payload, bytes) : 0;
}

static size_t write_watched(struct tern_gossip *gossip, struct gossip_peer *peer,
			    uint8_t bytes[TERN_PAYLOAD_MAX])
{
	struct tern_payload payload = {.kind = TERN_PAYLOAD_OFFERS};
	uint32_t count = RTE_MIN(gossip->watched_count, TERN_GOSSIP_WATCHED);
	while (peer->watched_from < count && payload.count < TERN_PAYLOAD_IDS_MAX)
		payload.ids[payload.count++] = gossip->watched[peer->watched_from++];
	return payload.count ? tern_payload_write(&payload, bytes) : 0;
}

static size_t write_for(struct tern_gossip *gossip, uint32_t place, uint64_t now,
			uint8_t bytes[TERN_PAYLOAD_MAX])
{
	struct gossip_peer *peer = &gossip->peers[place];
	size_t size = write_questions(gossip, peer, bytes);
	if (size == 0)
		size = write_versions(gossip, peer, now, bytes);
	if (size == 0)
		size = write_watched(gossip, peer, bytes);
	if (size == 0)
		tell_peer(gossip, place, now);
	return size;
}

static size_t write_ask(struct tern_gossip *gossip, uint32_t *peer, uint8_t bytes[TERN_PAYLOAD_MAX])
{
	for (uint32_t i = 0; i < TERN_GOSSIP_ASKS; i++) {
		struct gossip_ask *ask = &gossip->asks[i];
		if (ask->node == 0 || ask->sent)
			continue;
		const struct tern_payload payload = {
			.kind = TERN_PAYLOAD_ASK, .node = ask->node, .above = ask->above};
		ask->sent = true;
		*peer = ask->peer;
		gossip->stats.reconciled++;
		return tern_payload_write(&payload, bytes);
	}
	return 0;
}

/* The one before which nothing is due stays so until a change, a question or a payload comes. */
static void set_due(struct tern_gossip *gossip, uint64_t version)
{
	uint64_t due = gossip->ends_at;
	for (uint32_t place = 0; place < gossip->peers_max; place++) {
		const struct gossip_peer *peer = &gossip->peers[place];
		if (peer->node == 0)
			continue;
		due = RTE_MIN(due, RTE_MIN(peer->tell_at, peer->compare_at));
		if (peer->pushed < version)
			due = RTE_MIN(due, peer->push_at);
	}
	for (uint32_t i = 0; i < TERN_GOSSIP_TELLINGS; i++)
		if (gossip->tellings[i].peer != TERN_GOSSIP_NOBODY)
			due = 0;
	gossip->due = due;
}

static void tell_ends(struct tern_gossip *gossip, uint64_t now)
{
	if (now >= gossip->ends_at && !tern_router_tell_ends(gossip->router, &gossip->ends))
		gossip->ends_at = now + gossip->compare_ns;
}

/* Each peer in its turn. Where none has anything, it is noted when one will. */
static size_t write_next(struct tern_gossip *gossip, uint64_t now, uint32_t *peer,
			 uint8_t bytes[TERN_PAYLOAD_MAX])
{
	uint64_t asked = tern_load(&gossip->questions->asked);
	uint64_t version = tern_router_version(gossip->router, gossip->node);
	for (uint32_t i = 0; i < gossip->peers_max; i++) {
		uint32_t place = gossip->turn++ % gossip->peers_max;
		size_t size = gossip->peers[place].node ? write_for(gossip, place, now, bytes) : 0;
		*peer = place;
		if (size)
			return size;
	}
	size_t size = tern_gossip_tell_next(gossip, peer, bytes);
	if (size)
		return size;
	tell_ends(gossip, now);
	gossip->asked_seen = asked;
	gossip->version_seen = version;
	set_due(gossip, version);
	return 0;
}

static bool is_idle(const struct tern_gossip *gossip, uint64_t now)
{
	return now < gossip->due && gossip->asked_seen == tern_load(&gossip->questions->asked) &&
	       gossip->version_seen == tern_router_version(gossip->router, gossip->node);
}

size_t tern_gossip_next(struct tern_gossip *gossip, uint64_t now, uint16_t *peer,
			uint8_t bytes[TERN_PAYLOAD_MAX])
{
	uint32_t place = 0;
	size_t size = take_letter(gossip, &place, bytes);
	if (size == 0 && is_idle(gossip, now))
		return 0;
	if (size == 0)
		size = write_ask(gossip, &place, bytes);
	if (size == 0)
		size = write_next(gossip, now, &place, bytes);
	if (size == 0)
		return 0;
	*peer = gossip->peers[place].node;
	gossip->stats.sent++;
	return size;
}

uint64_t tern_gossip_due(const struct tern_gossip *gossip)
{
	return gossip->due;
}

const struct tern_gossip_stats *tern_gossip_stats(const struct tern_gossip *gossip)
{
	return &gossip->stats;
}
