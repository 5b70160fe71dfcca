/* SPDX-License-Identifier: Apache-2.0 */

/* How sessions begin and end. link_input.c and link_turn.c call it. */
#include "link_inside.h"

static uint64_t draw_number(struct tern_link *link)
{
	uint64_t number;
	do
		number = tern_rng_next(&link->rng);
	while (number == 0);
	return number;
}

void tern_link_ask(struct tern_link *link, uint64_t at_ns)
{
	link->nonce = draw_number(link);
	link->hello_ns = at_ns;
	link->hello_wait_ns = link->config.heartbeat_ns;
	link->hello_times = 0;
}

static void begin_sending(struct tern_link *link, const struct tern_wire_header *header)
{
	for (unsigned i = 0; i < TERN_WIRE_CLASSES; i++)
		link->out[i].last = 0;
	link->limit = header->ack + header->credit;
	link->last_ns = link->now_ns;
	link->progress_ns = link->now_ns;
	link->backoff = 0;
	link->rtt = (struct tern_rtt){0};
	tern_congestion_init(&link->congestion, link->config.congestion_ns,
			     link->config.congestion_off_ns, link->config.window_max);
}

static void begin_receiving(struct tern_link *link)
{
	tern_gaps_init(&link->gaps, link->gaps.missing.at, link->gaps.missing.max);
	link->credit.told = tern_link_limit(link);
	link->told = 1;
	link->ack_ns = UINT64_MAX;
}

/* A session begins, on what the other side offered. */
static void open_session(struct tern_link *link, const struct tern_wire_header *header,
			 const struct tern_wire_hello *offer)
{
	uint64_t beat_ns = (uint64_t)offer->dead_us * 1000 / 4;
	link->session = header->session;
	link->frame_max = (uint16_t)RTE_MIN(link->config.frame_max, offer->frame_max);
	link->peer_credit_max = offer->credit_max;
	link->peer_lcores = offer->lcores;
	link->beat_ns = RTE_MAX(RTE_MIN(link->config.heartbeat_ns, beat_ns),
				(uint64_t)TERN_LINK_BEAT_MIN_NS);
	link->opened_ns = link->now_ns;
	link->polled_ns = link->now_ns;
	link->stalled_ns = link->now_ns;
	tern_store(link->config.heard_ns, link->now_ns);
	begin_sending(link, header);
	begin_receiving(link);
	link->wants = TERN_LINK_WANT_HEARTBEAT;
	link->is_confirmed = false;
	link->is_open = true;
	tern_count(&link->stats.sessions, 1);
	link->config.ops->opened(link->config.owner, link);
	tern_link_relieve(link);
}

enum tern_drop tern_link_hello(struct tern_link *link, const struct tern_frame *frame)
{
	const struct tern_wire_hello *hello = frame->body.hello;
	if (tern_link_asks(link))
		return TERN_DROP_STATE;
	if (hello->cluster != link->config.cluster)
		return TERN_DROP_CLUSTER;
	if (link->is_open && hello->nonce == link->peer_nonce)
		return TERN_DROP_STALE;
	struct tern_grant *grant = tern_grants_by_nonce(&link->grants, hello->nonce);
	if (grant)
		grant->is_due = true;
	else
		tern_grants_add(&link->grants, hello, draw_number(link), draw_number(link));
	return TERN_DROP_NONE;
}

enum tern_drop tern_link_welcome(struct tern_link *link, const struct tern_frame *frame)
{
	const struct tern_wire_hello *welcome = frame->body.hello;
	if (!tern_link_asks(link))
		return TERN_DROP_STATE;
	if (welcome->cluster != link->config.cluster)
		return TERN_DROP_CLUSTER;
	if (link->nonce == 0 || welcome->your_nonce != link->nonce)
		return TERN_DROP_NONCE;
	if (frame->header->credit > welcome->credit_max)
		return TERN_DROP_CREDIT_LIE;
	if (frame->header->ack != 1)
		return TERN_DROP_ACK_LIE;
	uint64_t asked_ns = link->hello_times == 1 ? link->hello_sent_ns : 0;
	link->nonce = 0;
	link->peer_nonce = welcome->nonce;
	open_session(link, frame->header, welcome);
	if (asked_ns)
		tern_rtt_sample(&link->rtt, link->now_ns - asked_ns);
	return TERN_DROP_NONE;
}

bool tern_link_open_granted(struct tern_link *link, const struct tern_wire_header *header)
{
	struct tern_grant *found = tern_grants_by_session(&link->grants, header->session);
	if (!found || header->ack != 1 || header->credit > found->hello.credit_max)
		return false;
	struct tern_grant grant = tern_grants_take(&link->grants, found);
	if (link->is_open)
		tern_link_end(link, TERN_LINK_RESET);
	link->peer_nonce = grant.hello.nonce;
	open_session(link, header, &grant.hello);
	if (grant.times == 1)
		tern_rtt_sample(&link->rtt, link->now_ns - grant.sent_ns);
	return true;
}

static void give_back(struct tern_link *link, const struct tern_wire_entry *fixed,
		      const void *payload, struct tern_block *block, enum tern_fate fate)
{
	struct tern_signal signal;
	tern_parcel_undo(&signal, fixed, payload, block);
	link->config.ops->give_back(link->config.owner, link, &signal, fate);
}

/* All signals of a frame that is complete but for its headers. A fragment counts at the last. */
static void give_frame_back(struct tern_link *link, const struct tern_wire_header *header,
			    struct rte_mbuf *mbuf, enum tern_fate fate)
{
	const struct tern_stage_private *private = tern_stage_private(mbuf);
	struct tern_frame frame = {.header = header, .body.data = (const void *)(header + 1)};
	struct tern_entry entry;
	uint32_t block = 0;
	tern_entry_first(&frame, &entry);
	for (uint32_t left = frame.body.data->count;; tern_entry_next(&entry)) {
		uint32_t kind = entry.fixed->kind;
		bool has_block = kind == TERN_KIND_ISO || kind == TERN_KIND_VAL;
		if (!has_block)
			give_back(link, entry.fixed, entry.payload, NULL, fate);
		else if (block < private->count)
			give_back(link, entry.fixed, NULL, private->blocks[block++], fate);
		if (--left == 0)
			break;
	}
	rte_pktmbuf_free(mbuf);
}

/* Where a frame's header lies, whatever a receiver in this process made of the mbuf. */
static const struct tern_wire_header *header_of(const struct tern_link *link,
						const struct tern_sent_frame *sent)
{
	uint16_t offset = sent->offset ? (uint16_t)(sent->offset + link->config.wrap.size)
				       : sent->mbuf->data_off;
	return (const void *)((const char *)sent->mbuf->buf_addr + offset);
}

static void give_all_back(struct tern_link *link)
{
	tern_link_close_stages(link);
	while (tern_sent_kept(&link->sent)) {
		bool has_left = link->sent.acked < link->sent.sent;
		struct tern_sent_frame sent = tern_sent_pop(&link->sent);
		give_frame_back(link, header_of(link, &sent), sent.mbuf,
				has_left ? TERN_FATE_UNKNOWN : TERN_FATE_NOT_SENT);
	}
	for (uint32_t cuts = link->cuts; cuts; cuts &= cuts - 1) {
		struct tern_parcel *cut = &link->out[__builtin_ctz(cuts)].cut;
		struct tern_block *block = cut->block;
		cut->block = NULL;
		give_back(link, &cut->fixed, NULL, block, TERN_FATE_NOT_SENT);
	}
	link->cuts = 0;
	tern_sent_init(&link->sent, link->sent.frames, link->sent.mask + 1);
}

static void drop_mbuf(struct rte_mbuf *mbuf)
{
	rte_pktmbuf_free(mbuf);
}

void tern_link_end(struct tern_link *link, enum tern_link_end why)
{
	uint64_t acknowledged = link->sent.acked;
	link->is_open = false;
	link->session = 0;
	link->wants &= TERN_LINK_WANT_RESET;
	tern_inflow_end(&link->inflow, tern_gaps_base(&link->gaps), drop_mbuf);
	tern_link_drop_parts(link);
	give_all_back(link);
	if (tern_link_asks(link) && why != TERN_LINK_CLOSED)
		tern_link_ask(link, link->now_ns + link->config.heartbeat_ns);
	link->config.ops->closed(link->config.owner, link, why, acknowledged);
}
