/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has which MAC, and when to ask again. Called by whoever polls a port over IP, on that lcore:
 * at the start, for each frame of ARP or neighbour discovery, and when something is due.
 */
#include "neighbour.h"

#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_ether.h>

#include "ethernet.h"
#include "resolver.h"

void tern_neighbours_init(struct tern_neighbours *neighbours, const struct tern_endpoint *own,
			  struct tern_neighbour *peers, uint32_t capacity)
{
	*neighbours = (struct tern_neighbours){
		.resolver = own->carrier == TERN_CARRIER_IPV6 ? &tern_nd : &tern_arp,
		.own = *own,
		.peers = peers,
		.capacity = capacity,
		.due_ns = UINT64_MAX,
	};
}

static bool neighbour_is_address(const struct tern_neighbours *neighbours, const uint8_t *one,
				 const uint8_t *other)
{
	return memcmp(one, other, neighbours->resolver->address_size) == 0;
}

static bool neighbour_find(const struct tern_neighbours *neighbours, const uint8_t *address,
			   uint32_t *index)
{
	for (uint32_t i = 0; i < neighbours->count; i++) {
		if (neighbour_is_address(neighbours, neighbours->peers[i].address, address)) {
			*index = i;
			return true;
		}
	}
	return false;
}

int tern_neighbours_add(struct tern_neighbours *neighbours, const uint8_t *address,
			const uint8_t *mac, uint32_t *index)
{
	if (!neighbours->resolver->is_host(address) || (mac && !tern_mac_is_station(mac)) ||
	    neighbour_is_address(neighbours, address, neighbours->own.address))
		return -EINVAL;
	if (neighbour_find(neighbours, address, index))
		return -EEXIST;
	if (neighbours->count == neighbours->capacity)
		return -ENOSPC;
	*index = neighbours->count++;
	struct tern_neighbour *peer = &neighbours->peers[*index];
	*peer = (struct tern_neighbour){.state = TERN_NEIGHBOUR_ASKED};
	memcpy(peer->address, address, neighbours->resolver->address_size);
	if (mac) {
		peer->state = TERN_NEIGHBOUR_STATIC;
		peer->due_ns = UINT64_MAX;
		memcpy(peer->mac, mac, sizeof(peer->mac));
	}
	neighbours->due_ns = RTE_MIN(neighbours->due_ns, peer->due_ns);
	return 0;
}

const uint8_t *tern_neighbours_mac(const struct tern_neighbours *neighbours, uint32_t index)
{
	const struct tern_neighbour *peer = &neighbours->peers[index];
	return peer->state == TERN_NEIGHBOUR_ASKED ? NULL : peer->mac;
}

static void neighbour_set(struct tern_neighbours *neighbours, struct tern_neighbour *peer,
			  enum tern_neighbour_state state, uint64_t due_ns)
{
	peer->state = (uint8_t)state;
	peer->tries = 0;
	peer->due_ns = due_ns;
	neighbours->due_ns = RTE_MIN(neighbours->due_ns, due_ns);
}

void tern_neighbours_doubt(struct tern_neighbours *neighbours, uint32_t index, uint64_t now_ns)
{
	struct tern_neighbour *peer = &neighbours->peers[index];
	if (peer->state == TERN_NEIGHBOUR_KNOWN || peer->state == TERN_NEIGHBOUR_STALE)
		neighbour_set(neighbours, peer, TERN_NEIGHBOUR_ASKED, now_ns);
}

/* Ask a peer that is due, and say when again. */
static bool neighbour_ask(struct tern_neighbours *neighbours, struct tern_neighbour *peer,
			  uint64_t now_ns, struct rte_mbuf *frame)
{
	bool is_stale = peer->state == TERN_NEIGHBOUR_STALE || peer->state == TERN_NEIGHBOUR_KNOWN;
	bool is_silent = is_stale && peer->tries >= TERN_NEIGHBOUR_PROBES;
	if (!neighbours->resolver->ask(&neighbours->own, peer->address,
				       is_stale && !is_silent ? peer->mac : NULL, frame))
		return false;
	if (is_silent)
		peer->tries = 0;
	peer->state = is_stale && !is_silent ? TERN_NEIGHBOUR_STALE : TERN_NEIGHBOUR_ASKED;
	uint64_t wait_ns = (uint64_t)TERN_NEIGHBOUR_RETRY_NS_MIN << RTE_MIN(peer->tries, 30u);
	peer->due_ns = now_ns + RTE_MIN(wait_ns, (uint64_t)TERN_NEIGHBOUR_RETRY_NS_MAX);
	if (peer->tries < UINT8_MAX)
		peer->tries++;
	return true;
}

bool tern_neighbours_ask(struct tern_neighbours *neighbours, uint64_t now_ns,
			 struct rte_mbuf *frame)
{
	if (!tern_neighbours_is_due(neighbours, now_ns))
		return false;
	for (uint32_t seen = 0; seen < neighbours->count; seen++) {
		struct tern_neighbour *peer = &neighbours->peers[neighbours->next];
		neighbours->next = (neighbours->next + 1) % neighbours->count;
		if (peer->due_ns <= now_ns)
			return neighbour_ask(neighbours, peer, now_ns, frame);
	}
	uint64_t due_ns = UINT64_MAX;
	for (uint32_t i = 0; i < neighbours->count; i++)
		due_ns = RTE_MIN(due_ns, neighbours->peers[i].due_ns);
	neighbours->due_ns = due_ns;
	return false;
}

bool tern_neighbours_announce(const struct tern_neighbours *neighbours, struct rte_mbuf *frame)
{
	return neighbours->resolver->announce(&neighbours->own, frame);
}

/*
 * Take in what was said of a peer's MAC. Only an answer to a question makes it known; of what came
 * unasked, a new MAC is used at once and asked whether it is right. Returns whether it is a new
 * one.
 */
static bool neighbour_learn(struct tern_neighbours *neighbours, struct tern_neighbour *peer,
			    const struct tern_resolution *said, uint64_t now_ns)
{
	bool is_first = peer->state == TERN_NEIGHBOUR_ASKED;
	bool is_answer = said->is_solicited && peer->tries;
	uint64_t known_ns = now_ns + TERN_NEIGHBOUR_KNOWN_NS;
	if (peer->state == TERN_NEIGHBOUR_STATIC || (is_first && !said->has_mac))
		return false;
	bool is_same = !is_first &&
		       (!said->has_mac || memcmp(peer->mac, said->mac, sizeof(peer->mac)) == 0);
	if (is_same) {
		if (is_answer)
			neighbour_set(neighbours, peer, TERN_NEIGHBOUR_KNOWN, known_ns);
		return false;
	}
	if (!is_first && !said->is_request && !said->is_override) {
		neighbour_set(neighbours, peer, TERN_NEIGHBOUR_STALE, now_ns);
		return false;
	}
	memcpy(peer->mac, said->mac, sizeof(peer->mac));
	if (is_answer)
		neighbour_set(neighbours, peer, TERN_NEIGHBOUR_KNOWN, known_ns);
	else
		neighbour_set(neighbours, peer, TERN_NEIGHBOUR_STALE, now_ns);
	return true;
}

static enum tern_drop neighbour_parse(const struct tern_neighbours *neighbours,
				      struct rte_mbuf *mbuf, struct tern_resolution *said)
{
	const struct tern_endpoint *own = &neighbours->own;
	struct tern_ethernet ethernet;
	enum tern_drop why = tern_ethernet_read(mbuf, own->vlan, &ethernet);
	if (why != TERN_DROP_NONE)
		return why;
	if (ethernet.type != neighbours->resolver->type)
		return TERN_DROP_ETHERTYPE;
	if (!(ethernet.to[0] & RTE_ETHER_GROUP_ADDR) &&
	    memcmp(ethernet.to, own->mac, sizeof(own->mac)) != 0)
		return TERN_DROP_NOT_OURS;
	why = neighbours->resolver->read(own, &ethernet, said);
	if (why != TERN_DROP_NONE)
		return why;
	if (memcmp(ethernet.from, own->mac, sizeof(own->mac)) == 0)
		return TERN_DROP_SOURCE;
	return neighbour_is_address(neighbours, said->address, own->address) ? TERN_DROP_CONFLICT
									     : TERN_DROP_NONE;
}

enum tern_drop tern_neighbours_read(struct tern_neighbours *neighbours, struct rte_mbuf *mbuf,
				    uint64_t now_ns, struct rte_mbuf *answer,
				    struct tern_neighbour_news *news)
{
	struct tern_resolution said;
	struct tern_neighbour_news found = {.is_answered = false};
	enum tern_drop why = neighbour_parse(neighbours, mbuf, &said);
	if (why != TERN_DROP_NONE)
		return why;
	bool is_peer = neighbour_find(neighbours, said.address, &found.index);
	bool is_for_us = said.is_request &&
			 neighbour_is_address(neighbours, said.target, neighbours->own.address);
	if (!is_peer && !is_for_us)
		return TERN_DROP_STRANGER;
	if (is_peer)
		found.is_changed =
			neighbour_learn(neighbours, &neighbours->peers[found.index], &said, now_ns);
	if (is_for_us && answer)
		found.is_answered = neighbours->resolver->answer(&neighbours->own, &said, answer);
	*news = found;
	return TERN_DROP_NONE;
}
