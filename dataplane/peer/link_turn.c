/* SPDX-License-Identifier: Apache-2.0 */

/* What a link does of its own accord. The turn calls tern_link_flush() at its end, and
 * tern_link_poll() when that is due. */
#include "link_inside.h"

#include <string.h>

#include <rte_ether.h>

static void complete_frame(struct tern_link *link, struct tern_sent_frame *frame, uint64_t position)
{
	struct rte_mbuf *mbuf = frame->mbuf;
	struct tern_wire_header *header = rte_pktmbuf_mtod(mbuf, struct tern_wire_header *);
	tern_link_header(link, header, TERN_WIRE_DATA, header->length);
	header->position = position;
	tern_frame_seal(mbuf);
	tern_wrap_put(&link->config.wrap, mbuf, link->config.offloads);
	frame->offset = mbuf->data_off;
	frame->bytes = mbuf->data_len;
}

/* The driver gets a reference of its own; ours stays until the frame is acknowledged. */
static bool push_data(struct tern_link *link, struct rte_mbuf *mbuf)
{
	if (!tern_outlet_push(link->config.outlet, mbuf, false)) {
		rte_pktmbuf_free(mbuf);
		return false;
	}
	link->last_ns = link->now_ns;
	link->progress_ns = link->now_ns;
	return true;
}

/* A frame that the outlet refuses stays complete: it leaves with what it acknowledges now. */
static void send_new(struct tern_link *link)
{
	while (link->sent.sent < link->sent.next && link->sent.sent < link->limit) {
		uint64_t position = link->sent.sent;
		struct tern_sent_frame *frame = tern_sent_at(&link->sent, position);
		if (frame->offset == 0)
			complete_frame(link, frame, position);
		const struct tern_wire_header *header =
			(const void *)((const char *)frame->mbuf->buf_addr + frame->offset +
				       link->config.wrap.size);
		uint64_t ack = header->ack, limit = ack + header->credit;
		rte_mbuf_refcnt_update(frame->mbuf, 1);
		if (!push_data(link, frame->mbuf))
			return;
		tern_sent_note(&link->sent, position, link->now_ns);
		tern_link_told(link, ack, limit);
		tern_count(&link->stats.frames_sent, 1);
	}
}

/* The peer may be elsewhere by now: a frame that left before then has its old MAC in it. */
static bool is_well_addressed(const struct tern_link *link, const unsigned char *bytes)
{
	return memcmp(bytes, link->config.wrap.bytes, 2 * RTE_ETHER_ADDR_LEN) == 0;
}

/*
 * Nobody else's: the same mbuf again, to where the peer is now. Else a driver may hold it: another
 * one with the same bytes, or none until it has let go of one that goes elsewhere.
 */
static struct rte_mbuf *copy_frame(struct tern_link *link, const struct tern_sent_frame *frame)
{
	struct rte_mbuf *mbuf = frame->mbuf;
	unsigned char *bytes = (unsigned char *)mbuf->buf_addr + frame->offset;
	if (rte_mbuf_refcnt_read(mbuf) == 1) {
		if (!is_well_addressed(link, bytes))
			memcpy(bytes, link->config.wrap.bytes, 2 * RTE_ETHER_ADDR_LEN);
		rte_mbuf_refcnt_update(mbuf, 1);
	} else {
		mbuf = is_well_addressed(link, bytes) ? rte_pktmbuf_clone(mbuf, link->config.frames)
						      : NULL;
	}
	if (!mbuf)
		return NULL;
	mbuf->data_off = frame->offset;
	mbuf->data_len = frame->bytes;
	mbuf->pkt_len = frame->bytes;
	return mbuf;
}

static void send_lost(struct tern_link *link)
{
	uint64_t position;
	while ((position = tern_sent_lost(&link->sent)) != 0) {
		struct rte_mbuf *mbuf = copy_frame(link, tern_sent_at(&link->sent, position));
		if (!mbuf || !push_data(link, mbuf))
			return;
		tern_sent_note(&link->sent, position, link->now_ns);
		tern_count(&link->stats.retransmitted, 1);
	}
}

static void publish_state(struct tern_link *link)
{
	struct tern_link_stats *stats = &link->stats;
	tern_store(&stats->is_open, link->is_open);
	tern_store(&stats->session, link->session);
	tern_store(&stats->srtt_ns, link->rtt.srtt_ns);
	tern_store(&stats->under_way, link->sent.sent - link->sent.acked);
	tern_store(&stats->held, (uint64_t)link->inflow.count);
	tern_store(&stats->credit, link->limit - RTE_MIN(link->limit, link->sent.acked));
	tern_store(&stats->peer_lcores, link->peer_lcores);
}

void tern_link_flush(struct tern_link *link, uint64_t now_ns)
{
	link->now_ns = now_ns;
	if (link->is_open) {
		send_lost(link);
		tern_link_close_stages(link);
		tern_link_cut(link);
		send_new(link);
	}
	tern_link_control(link);
	publish_state(link);
}

static bool has_unsent(const struct tern_link *link)
{
	return link->sent.sent < link->limit &&
	       (link->stages || link->sent.sent < link->sent.next ||
		(link->cuts && tern_sent_kept(&link->sent) < link->config.window_max));
}

static bool has_welcome(const struct tern_link *link)
{
	for (uint32_t i = 0; i < link->grants.count; i++)
		if (link->grants.of[i].is_due)
			return true;
	return false;
}

static uint64_t nak_due(const struct tern_link *link)
{
	return link->gaps.missing.count ? tern_gaps_due(&link->gaps, tern_rtt_retry(&link->rtt))
					: UINT64_MAX;
}

bool tern_link_is_due(const struct tern_link *link)
{
	if (link->wants || has_welcome(link) || (link->nonce && link->hello_ns <= link->now_ns))
		return true;
	return link->is_open && (has_unsent(link) || link->sent.lost ||
				 link->ack_ns <= link->now_ns || nak_due(link) <= link->now_ns);
}

/* Data that nobody acknowledges may have lost its tail; a session that nobody uses may not be one.
 */
static uint64_t probe_due(const struct tern_link *link)
{
	if (link->is_confirmed && !tern_sent_is_under_way(&link->sent))
		return UINT64_MAX;
	uint64_t probe_ns = tern_rtt_probe(&link->rtt);
	uint64_t most_ns = RTE_MAX(probe_ns, link->beat_ns);
	return link->progress_ns + RTE_MIN(probe_ns << link->backoff, most_ns);
}

static void want_heartbeat(struct tern_link *link)
{
	if (probe_due(link) <= link->now_ns) {
		link->progress_ns = link->now_ns;
		link->backoff += link->backoff < TERN_LINK_BACKOFF_MAX;
		tern_count(&link->stats.probes, 1);
		link->wants |= TERN_LINK_WANT_HEARTBEAT;
	}
	if (link->last_ns + link->beat_ns <= link->now_ns)
		link->wants |= TERN_LINK_WANT_HEARTBEAT;
}

/* Time in which this side did not look is no silence of the other. */
static void note_stall(struct tern_link *link)
{
	uint64_t most_ns = RTE_MAX(link->config.dead_ns / 2, 2 * link->beat_ns);
	if (link->now_ns - link->polled_ns > most_ns)
		link->stalled_ns = link->now_ns;
	link->polled_ns = link->now_ns;
}

static uint64_t silent_at(const struct tern_link *link)
{
	uint64_t heard_ns = RTE_MAX(tern_load(link->config.heard_ns), link->opened_ns);
	return RTE_MAX(heard_ns, link->stalled_ns) + link->config.dead_ns;
}

static void retry_refused(struct tern_link *link)
{
	if (link->refused == 0 || link->retry_ns > link->now_ns)
		return;
	if (tern_link_deliver_all(link, link->refused) || !link->is_open)
		return;
	tern_link_drop(link, TERN_DROP_SEQUENCE);
	tern_link_end(link, TERN_LINK_BROKEN);
}

static uint64_t next_due(const struct tern_link *link, uint64_t credit_due)
{
	uint64_t due = link->nonce ? link->hello_ns : UINT64_MAX;
	if (link->refused)
		due = RTE_MIN(due, link->retry_ns);
	if (tern_link_is_due(link) || (link->is_open && link->is_refusing))
		due = RTE_MIN(due, link->now_ns + TERN_LINK_RETRY_NS);
	if (!link->is_open)
		return due;
	due = RTE_MIN(due, RTE_MIN(silent_at(link), credit_due));
	due = RTE_MIN(due, RTE_MIN(nak_due(link), link->ack_ns));
	return RTE_MIN(due, RTE_MIN(probe_due(link), link->last_ns + link->beat_ns));
}

uint64_t tern_link_poll(struct tern_link *link, uint64_t now_ns)
{
	uint64_t credit_due = UINT64_MAX;
	link->now_ns = now_ns;
	if (link->is_open) {
		note_stall(link);
		if (silent_at(link) <= now_ns)
			tern_link_end(link, TERN_LINK_SILENT);
	}
	retry_refused(link);
	if (link->is_open) {
		uint32_t lent = link->credit.lent;
		credit_due = tern_credit_poll(&link->credit, now_ns);
		if (link->credit.lent != lent)
			link->wants |= TERN_LINK_WANT_ACK;
		tern_link_note_limit(link);
		want_heartbeat(link);
		tern_link_relieve(link);
	}
	tern_link_flush(link, now_ns);
	return next_due(link, credit_due);
}
