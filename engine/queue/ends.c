/* SPDX-License-Identifier: Apache-2.0 */
#include "ends.h"

/* Source: C. Wellons, "An easy-to-implement, arena-friendly hash map", 2023, with removal. */
#define BRANCH_BITS 2

static uint64_t hash_of(tern_address agent)
{
	uint64_t mixed = agent * 0x9E3779B97F4A7C15u;
	return mixed ^ mixed >> 32;
}

/* What points to the node of an agent, or where it would be. */
static struct tern_end_note **find_place(struct tern_end_note **place, tern_address agent)
{
	uint64_t hash = hash_of(agent);
	while (*place && (*place)->ended.agent != agent) {
		place = &(*place)->branches[hash % TERN_ENDS_BRANCHES];
		/* Two agents of one hash differ in a bit that comes round. */
		hash = hash >> BRANCH_BITS | hash << (64 - BRANCH_BITS);
	}
	return place;
}

static void put_node(struct tern_end_note **place, struct tern_end_note *node)
{
	*place = node;
	node->place = place;
}

void tern_ends_add(struct tern_ends *ends, struct tern_end_note *note)
{
	struct tern_end_note **place = find_place(&ends->root, note->ended.agent);
	for (uint32_t i = 0; i < TERN_ENDS_BRANCHES; i++)
		note->branches[i] = NULL;
	note->same = note->next = NULL;
	note->place = NULL;
	note->same_last = note;
	note->previous = ends->last;
	if (ends->last)
		ends->last->next = note;
	else
		ends->first = note;
	ends->last = note;
	if (!*place) {
		put_node(place, note);
		return;
	}
	/* Behind those of the same agent: one for each tern_watch(). */
	(*place)->same_last->same = note;
	(*place)->same_last = note;
}

struct tern_end_note *tern_ends_find(const struct tern_ends *ends, tern_address agent)
{
	if (agent == TERN_ADDRESS_NONE)
		return ends->first;
	struct tern_end_note *root = ends->root;
	return *find_place(&root, agent);
}

static struct tern_end_note *leaf_below(struct tern_end_note *node)
{
	for (uint32_t i = 0; i < TERN_ENDS_BRANCHES;) {
		if (!node->branches[i]) {
			i++;
			continue;
		}
		node = node->branches[i];
		i = 0;
	}
	return node;
}

static void take_over(struct tern_end_note *node, struct tern_end_note *heir)
{
	for (uint32_t i = 0; i < TERN_ENDS_BRANCHES; i++) {
		heir->branches[i] = node->branches[i];
		if (heir->branches[i])
			heir->branches[i]->place = &heir->branches[i];
	}
	put_node(node->place, heir);
}

/* A node's place goes to the next of its agent, else to a leaf below, which fits anywhere above. */
static void remove_node(struct tern_end_note *node)
{
	if (node->same) {
		node->same->same_last = node->same_last;
		take_over(node, node->same);
		return;
	}
	struct tern_end_note *leaf = leaf_below(node);
	*leaf->place = NULL;
	if (leaf != node)
		take_over(node, leaf);
}

void tern_ends_remove(struct tern_ends *ends, struct tern_end_note *note)
{
	if (note->previous)
		note->previous->next = note->next;
	else
		ends->first = note->next;
	if (note->next)
		note->next->previous = note->previous;
	else
		ends->last = note->previous;
	remove_node(note);
}
