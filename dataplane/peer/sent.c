/* SPDX-License-Identifier: Apache-2.0 */

/* Frames by position, until they are acknowledged. The link calls it, on the lcore that owns it. */
#include "sent.h"

#include <rte_common.h>

void tern_sent_init(struct tern_sent *sent, struct tern_sent_frame *memory, uint32_t window)
{
	*sent = (struct tern_sent){.frames = memory,
				   .acked = 1,
				   .sent = 1,
				   .next = 1,
				   .lost_from = 1,
				   .mask = window - 1};
}

uint64_t tern_sent_push(struct tern_sent *sent, struct rte_mbuf *mbuf, uint16_t signals)
{
	*tern_sent_at(sent, sent->next) =
		(struct tern_sent_frame){.mbuf = mbuf, .signals = signals};
	return sent->next++;
}

static void find_frame(struct tern_sent *sent, struct tern_sent_frame *frame)
{
	sent->lost -= frame->is_lost;
	frame->is_lost = false;
}

void tern_sent_note(struct tern_sent *sent, uint64_t position, uint64_t now_ns)
{
	struct tern_sent_frame *frame = tern_sent_at(sent, position);
	if (position == sent->sent) {
		frame->first_ns = now_ns;
		sent->sent++;
	}
	frame->last_ns = now_ns;
	if (frame->times < UINT8_MAX)
		frame->times++;
	find_frame(sent, frame);
}

struct tern_sent_frame tern_sent_pop(struct tern_sent *sent)
{
	struct tern_sent_frame *frame = tern_sent_at(sent, sent->acked);
	find_frame(sent, frame);
	sent->acked++;
	return *frame;
}

void tern_sent_lose(struct tern_sent *sent, uint64_t from, uint64_t to, uint64_t now_ns,
		    uint64_t quiet_ns)
{
	from = RTE_MAX(from, sent->acked);
	to = RTE_MIN(to, sent->sent);
	for (uint64_t position = from; position < to; position++) {
		struct tern_sent_frame *frame = tern_sent_at(sent, position);
		/* The first loss is believed at once: no copy of it can be on its way. */
		if (frame->is_lost || (frame->times > 1 && now_ns - frame->last_ns < quiet_ns))
			continue;
		frame->is_lost = true;
		sent->lost_from = sent->lost ? RTE_MIN(sent->lost_from, position) : position;
		sent->lost++;
	}
}

uint64_t tern_sent_lost(struct tern_sent *sent)
{
	if (sent->lost == 0)
		return 0;
	sent->lost_from = RTE_MAX(sent->lost_from, sent->acked);
	while (!tern_sent_at(sent, sent->lost_from)->is_lost)
		sent->lost_from++;
	return sent->lost_from;
}
