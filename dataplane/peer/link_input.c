/* SPDX-License-Identifier: Apache-2.0 */

/* Frames that come in. The turn calls tern_link_input() for each that a port gave. All that can be
 * wrong with a frame is looked at before anything of it counts. */
#include "link_inside.h"

/* Whether what the header says of both directions can be. */
static enum tern_drop judge_header(const struct tern_link *link,
				   const struct tern_wire_header *header)
{
	if (header->ack > link->sent.sent)
		return TERN_DROP_ACK_LIE;
	if (header->credit > link->peer_credit_max)
		return TERN_DROP_CREDIT_LIE;
	uint64_t base = tern_gaps_base(&link->gaps);
	uint32_t most =
		header->kind == TERN_WIRE_DATA ? link->credit.lent : link->config.credit_max + 1u;
	return header->position >= base + most ? TERN_DROP_OUT_OF_WINDOW : TERN_DROP_NONE;
}

/* Only what has left can be missed. */
static enum tern_drop judge_nak(const struct tern_link *link, const struct tern_wire_ranges *ranges)
{
	uint64_t to = ranges->range[ranges->count - 1].to;
	return to > link->sent.sent ? TERN_DROP_NAK_LIE : TERN_DROP_NONE;
}

static void drop_blocks(struct tern_link *link, struct rte_mbuf *mbuf)
{
	struct tern_stage_private *private = tern_stage_private(mbuf);
	for (uint64_t i = 0; i < private->count; i++)
		tern_block_release(link->config.heap, private->blocks[i]);
}

/*
 * Frames below `ack` are done with: their blocks are dropped, their signals settled. They are a
 * sample of the round trip where none of them has left twice: what waited behind one that got lost
 * is acknowledged when that has come, and would count the retries, which SRTT sets, into SRTT.
 */
static void take_ack(struct tern_link *link, uint64_t ack)
{
	uint64_t signals = 0;
	uint32_t frames = (uint32_t)(ack - link->sent.acked);
	struct tern_sent_frame last = {0};
	bool is_sample = frames > 0;
	for (uint32_t i = 0; i < frames; i++) {
		last = tern_sent_pop(&link->sent);
		signals += last.signals;
		is_sample &= last.times == 1;
		drop_blocks(link, last.mbuf);
		rte_pktmbuf_free(last.mbuf);
	}
	if (is_sample) {
		uint64_t rtt_ns = link->now_ns - last.first_ns;
		tern_rtt_sample(&link->rtt, rtt_ns);
		tern_congestion_acknowledge(&link->congestion, frames, rtt_ns, link->rtt.min_ns,
					    link->rtt.srtt_ns, link->now_ns);
	}
	link->progress_ns = link->now_ns;
	link->backoff = 0;
	if (signals)
		link->config.ops->settle(link->config.owner, link, signals);
}

/* An older frame may come later: what it lends counts only if it knows as much. */
static void take_header(struct tern_link *link, const struct tern_wire_header *header)
{
	if (header->ack < link->sent.acked)
		return;
	link->limit = header->ack + header->credit;
	if (header->ack > link->sent.acked)
		take_ack(link, header->ack);
	tern_link_relieve(link);
}

static void note_received(struct tern_link *link, uint64_t position)
{
	tern_credit_use(&link->credit, position, link->now_ns);
	if (link->ack_ns == UINT64_MAX)
		link->ack_ns = link->now_ns + TERN_LINK_ACK_NS;
	tern_count(&link->stats.frames_received, 1);
}

/* Keeps the mbuf where the result is TERN_DROP_NONE. */
static enum tern_drop take_data(struct tern_link *link, const struct tern_frame *frame,
				struct rte_mbuf *mbuf)
{
	const struct tern_wire_header *header = frame->header;
	const struct tern_inflow_frame held = {.mbuf = mbuf,
					       .header = header,
					       .position = header->position,
					       .distance = frame->body.data->distance,
					       .session = (uint32_t)link->stats.sessions};
	uint8_t flow_class = frame->body.data->flow_class;
	uint64_t base = tern_gaps_base(&link->gaps);
	/* The one that all others wait for is always taken: credit may have been taken back since.
	 */
	bool is_full = link->inflow.count >= link->credit.lent && header->position != base;
	if (is_full || link->inflow.free == 0)
		return TERN_DROP_NO_FRAME;
	enum tern_arrival arrival = tern_gaps_arrive(&link->gaps, header->position, link->now_ns,
						     tern_rtt_smoothed(&link->rtt));
	if (arrival == TERN_ARRIVAL_FULL)
		return TERN_DROP_NO_FRAME;
	if (arrival == TERN_ARRIVAL_AGAIN) {
		/* An acknowledgement may have been lost. */
		link->wants |= TERN_LINK_WANT_ACK;
		tern_count(&link->stats.duplicates, 1);
		return TERN_DROP_DUPLICATE;
	}
	tern_inflow_push(&link->inflow, flow_class, &held);
	note_received(link, header->position);
	uint32_t classes = 1u << flow_class;
	if (tern_gaps_base(&link->gaps) > base + 1)
		classes |= link->inflow.classes & ~link->refused;
	if (!tern_link_deliver_all(link, classes)) {
		tern_link_drop(link, TERN_DROP_SEQUENCE);
		tern_link_end(link, TERN_LINK_BROKEN);
	} else {
		tern_link_note_limit(link);
	}
	return TERN_DROP_NONE;
}

/* What is announced beyond what was lent is not missed yet. */
static void take_announcement(struct tern_link *link, uint64_t next)
{
	uint64_t limit = tern_gaps_base(&link->gaps) + link->credit.lent;
	tern_gaps_announce(&link->gaps, RTE_MIN(next, limit), link->now_ns);
}

static enum tern_drop take_nak(struct tern_link *link, const struct tern_wire_ranges *ranges)
{
	tern_count(&link->stats.naks_received, 1);
	if (ranges->range[0].from < link->sent.acked) {
		/* Who needs it ends the session; who has it since pays no heed. */
		union tern_link_ranges gone = {.ranges.count = 1};
		gone.ranges.range[0] =
			(struct tern_wire_range){ranges->range[0].from, link->sent.acked};
		(void)tern_link_say(link, TERN_WIRE_GONE, &gone, tern_link_ranges_size(&gone));
	}
	for (uint32_t i = 0; i < ranges->count; i++)
		tern_sent_lose(&link->sent, ranges->range[i].from, ranges->range[i].to,
			       link->now_ns, tern_rtt_smoothed(&link->rtt));
	return ranges->range[ranges->count - 1].to <= link->sent.acked ? TERN_DROP_NAK_LIE
								       : TERN_DROP_NONE;
}

static enum tern_drop take_gone(struct tern_link *link, const struct tern_wire_ranges *ranges)
{
	for (uint32_t i = 0; i < ranges->count; i++) {
		if (!tern_gaps_misses(&link->gaps, ranges->range[i].from, ranges->range[i].to))
			continue;
		tern_link_end(link, TERN_LINK_BROKEN);
		break;
	}
	return TERN_DROP_NONE;
}

/* Lcores share the word, so it is not written for each frame. */
static void note_heard(struct tern_link *link)
{
	if (link->now_ns > tern_load(link->config.heard_ns) + link->beat_ns / 8)
		tern_store(link->config.heard_ns, link->now_ns);
}

/* A frame of the session. Keeps the mbuf of a DATA frame where the result is TERN_DROP_NONE. */
static enum tern_drop take_frame(struct tern_link *link, const struct tern_frame *frame,
				 struct rte_mbuf *mbuf)
{
	const struct tern_wire_header *header = frame->header;
	enum tern_drop why = judge_header(link, header);
	if (why == TERN_DROP_NONE && header->kind == TERN_WIRE_NAK)
		why = judge_nak(link, frame->body.ranges);
	if (why != TERN_DROP_NONE)
		return why;
	note_heard(link);
	link->is_confirmed = true;
	take_header(link, header);
	if (header->kind == TERN_WIRE_DATA)
		return take_data(link, frame, mbuf);
	take_announcement(link, header->position);
	if (header->kind == TERN_WIRE_HEARTBEAT)
		link->wants |= TERN_LINK_WANT_ACK;
	if (header->kind == TERN_WIRE_NAK)
		return take_nak(link, frame->body.ranges);
	if (header->kind == TERN_WIRE_GONE)
		return take_gone(link, frame->body.ranges);
	return TERN_DROP_NONE;
}

/* Frames that end a session. */
static enum tern_drop take_end(struct tern_link *link, const struct tern_wire_header *header)
{
	if (!link->is_open || header->session != link->session)
		return TERN_DROP_STALE;
	tern_link_end(link, header->kind == TERN_WIRE_BYE ? TERN_LINK_LEFT : TERN_LINK_RESET);
	return TERN_DROP_NONE;
}

static enum tern_drop take_session(struct tern_link *link, const struct tern_frame *frame,
				   struct rte_mbuf *mbuf)
{
	const struct tern_wire_header *header = frame->header;
	bool is_known = link->is_open && header->session == link->session;
	if (!is_known && !tern_link_open_granted(link, header)) {
		link->unknown = header->session;
		link->wants |= TERN_LINK_WANT_RESET;
		return TERN_DROP_SESSION;
	}
	return take_frame(link, frame, mbuf);
}

static enum tern_drop take_any(struct tern_link *link, const struct tern_frame *frame,
			       struct rte_mbuf *mbuf)
{
	const struct tern_wire_header *header = frame->header;
	if (header->from_node != link->config.peer || header->to_node != link->config.node)
		return TERN_DROP_UNKNOWN_PEER;
	const struct tern_link_config *config = &link->config;
	if (RTE_MAX(header->from_lcore, header->to_lcore) !=
	    RTE_MAX(config->lcore, config->peer_lcore))
		return TERN_DROP_LCORE;
	switch (header->kind) {
	case TERN_WIRE_HELLO:
		return tern_link_hello(link, frame);
	case TERN_WIRE_WELCOME:
		return tern_link_welcome(link, frame);
	case TERN_WIRE_RESET:
	case TERN_WIRE_BYE:
		return take_end(link, header);
	default:
		return take_session(link, frame, mbuf);
	}
}

enum tern_drop tern_link_input(struct tern_link *link, const struct tern_frame *frame,
			       struct rte_mbuf *mbuf, uint64_t now_ns)
{
	uint8_t kind = frame->header->kind;
	link->now_ns = now_ns;
	enum tern_drop why = take_any(link, frame, mbuf);
	if (why != TERN_DROP_NONE)
		tern_link_drop(link, why);
	if (why != TERN_DROP_NONE || kind != TERN_WIRE_DATA)
		rte_pktmbuf_free(mbuf);
	return why;
}
