/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Notes of what has been sent to other nodes. A roaming agent moves to another lcore, which has
 * links of its own, only when all that it sent by this one's has been acknowledged: else what it
 * sends there could arrive first.
 */
#include "node.h"

/* Its position is known when all that was taken is in frames. */
#define NOTE_TO_COME UINT64_MAX

void tern_node_note(struct tern_lcore *lcore)
{
	struct tern_passage *passage = &lcore->roaming.passage;
	struct tern_node_lcore *net = lcore->net;
	if (!tern_passage_is_due(passage))
		return;
	for (uint32_t i = 0; i < net->link_count; i++) {
		struct tern_node_link *link = net->links[i];
		uint64_t next = tern_link_next(link->link);
		if (next && next <= tern_link_acknowledged(link->link))
			continue;
		link->note = next ? next : NOTE_TO_COME;
		passage->elsewhere++;
	}
}

void tern_node_look_at_note(struct tern_node_link *link, bool is_closed)
{
	if (link->note == NOTE_TO_COME && tern_link_next(link->link))
		link->note = tern_link_next(link->link);
	if (!is_closed &&
	    (link->note == NOTE_TO_COME || tern_link_acknowledged(link->link) < link->note))
		return;
	link->note = 0;
	link->lcore->roaming.passage.elsewhere--;
}
