/* SPDX-License-Identifier: Apache-2.0 */

/* Frames that carry no signals. They need no credit, use the outlet's reserved places and, where
 * the pool has no mbuf, the link's own. link_turn.c calls it at each flush. */
#include "link_inside.h"

#include <string.h>

/* Frames that nobody takes now do not come to an end by more of them. */
static uint32_t count_refused(const struct tern_link *link)
{
	uint32_t count = 0;
	for (uint32_t classes = link->refused; classes; classes &= classes - 1)
		count += link->inflow.of[__builtin_ctz(classes)].count;
	return count;
}

uint64_t tern_link_limit(const struct tern_link *link)
{
	uint32_t refused = count_refused(link);
	return tern_gaps_base(&link->gaps) + link->credit.lent -
	       RTE_MIN(refused, link->credit.lent);
}

void tern_link_header(struct tern_link *link, struct tern_wire_header *header, uint8_t kind,
		      uint16_t length)
{
	uint64_t base = tern_gaps_base(&link->gaps);
	*header = (struct tern_wire_header){.version = TERN_WIRE_VERSION,
					    .kind = kind,
					    .length = length,
					    .from_node = link->config.node,
					    .to_node = link->config.peer,
					    .from_lcore = link->config.lcore,
					    .to_lcore = link->config.peer_lcore,
					    .credit = (uint16_t)(tern_link_limit(link) - base),
					    .session = link->session,
					    .position = link->sent.sent,
					    .ack = base};
}

/* News of the other side's limit are told early, so that it need not stop. */
void tern_link_note_limit(struct tern_link *link)
{
	uint64_t limit = tern_link_limit(link);
	if (limit > link->credit.told &&
	    limit - link->credit.told >= RTE_MAX(link->credit.lent / 4, 1u))
		link->wants |= TERN_LINK_WANT_ACK;
}

void tern_link_told(struct tern_link *link, uint64_t ack, uint64_t limit)
{
	if (ack < link->told)
		return;
	link->told = ack;
	link->credit.told = limit;
	link->wants &= ~(uint32_t)TERN_LINK_WANT_ACK;
	if (ack == tern_gaps_base(&link->gaps))
		link->ack_ns = UINT64_MAX;
}

/* The reserved one is free when nobody else has a reference to it any more. */
static struct rte_mbuf *take_control_mbuf(struct tern_link *link)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(link->config.frames);
	if (mbuf || rte_mbuf_refcnt_read(link->reserved) != 1)
		return mbuf;
	rte_pktmbuf_reset(link->reserved);
	rte_mbuf_refcnt_update(link->reserved, 1);
	return link->reserved;
}

static bool push_control(struct tern_link *link, const struct tern_wire_header *header,
			 const void *body, size_t size)
{
	struct rte_mbuf *mbuf = take_control_mbuf(link);
	if (!mbuf)
		return false;
	char *at = rte_pktmbuf_append(mbuf, header->length);
	memcpy(at, header, sizeof(*header));
	if (size)
		memcpy(at + sizeof(*header), body, size);
	tern_frame_seal(mbuf);
	tern_wrap_put(&link->config.wrap, mbuf, link->config.offloads);
	if (tern_outlet_push(link->config.outlet, mbuf, true))
		return true;
	rte_pktmbuf_free(mbuf);
	return false;
}

bool tern_link_say(struct tern_link *link, uint8_t kind, const void *body, size_t size)
{
	struct tern_wire_header header;
	tern_link_header(link, &header, kind, (uint16_t)(sizeof(header) + size));
	if (!push_control(link, &header, body, size))
		return false;
	link->last_ns = link->now_ns;
	tern_link_told(link, header.ack, header.ack + header.credit);
	return true;
}

/* Of no session yet, or of one that is not this link's. */
static bool say_outside(struct tern_link *link, uint8_t kind, uint64_t session,
			const struct tern_wire_hello *hello)
{
	struct tern_wire_header header;
	size_t size = hello ? sizeof(*hello) : 0;
	tern_link_header(link, &header, kind, (uint16_t)(sizeof(header) + size));
	header.session = session;
	header.position = session != 0;
	header.ack = 1;
	header.credit = (uint16_t)link->credit.lent;
	return push_control(link, &header, hello, size);
}

static struct tern_wire_hello offer_of(const struct tern_link *link, uint64_t nonce,
				       uint64_t your_nonce)
{
	const struct tern_link_config *config = &link->config;
	return (struct tern_wire_hello){
		.nonce = nonce,
		.your_nonce = your_nonce,
		.incarnation = config->incarnation,
		.cluster = config->cluster,
		.heartbeat_us = (uint32_t)RTE_MAX(config->heartbeat_ns / 1000, (uint64_t)1),
		.dead_us = (uint32_t)RTE_MIN(config->dead_ns / 1000, (uint64_t)UINT32_MAX),
		.frame_max = config->frame_max,
		.credit_max = config->credit_max,
		.lcores = config->lcores};
}

/* Asked again after twice the time, up to when a silent node counts as dead. */
static void say_hello(struct tern_link *link)
{
	struct tern_wire_hello hello = offer_of(link, link->nonce, 0);
	if (link->nonce == 0 || link->now_ns < link->hello_ns ||
	    !say_outside(link, TERN_WIRE_HELLO, 0, &hello))
		return;
	link->hello_sent_ns = link->now_ns;
	link->hello_times++;
	link->hello_ns = link->now_ns + link->hello_wait_ns;
	link->hello_wait_ns = RTE_MIN(2 * link->hello_wait_ns,
				      RTE_MAX(link->config.dead_ns, link->config.heartbeat_ns));
}

static void say_welcome(struct tern_link *link)
{
	for (uint32_t i = 0; i < link->grants.count; i++) {
		struct tern_grant *grant = &link->grants.of[i];
		struct tern_wire_hello hello = offer_of(link, grant->own_nonce, grant->hello.nonce);
		if (!grant->is_due || !say_outside(link, TERN_WIRE_WELCOME, grant->session, &hello))
			continue;
		grant->is_due = false;
		if (grant->times++ == 0)
			grant->sent_ns = link->now_ns;
	}
}

static void say_naks(struct tern_link *link)
{
	union tern_link_ranges body;
	uint64_t retry_ns = tern_rtt_retry(&link->rtt);
	while (tern_gaps_due(&link->gaps, retry_ns) <= link->now_ns) {
		memset(&body.ranges, 0, sizeof(body.ranges));
		body.ranges.count = tern_gaps_ask(&link->gaps, link->now_ns, retry_ns,
						  body.ranges.range, TERN_WIRE_RANGES_MAX);
		tern_count(&link->stats.naks_sent, 1);
		tern_count(&link->stats.ranges_sent, body.ranges.count);
		if (!tern_link_say(link, TERN_WIRE_NAK, &body, tern_link_ranges_size(&body)))
			return;
	}
}

void tern_link_control(struct tern_link *link)
{
	if (link->wants & TERN_LINK_WANT_RESET &&
	    say_outside(link, TERN_WIRE_RESET, link->unknown, NULL))
		link->wants &= ~(uint32_t)TERN_LINK_WANT_RESET;
	say_hello(link);
	say_welcome(link);
	if (!link->is_open)
		return;
	if (link->gaps.missing.count)
		say_naks(link);
	if (link->wants & TERN_LINK_WANT_HEARTBEAT &&
	    tern_link_say(link, TERN_WIRE_HEARTBEAT, NULL, 0))
		link->wants &= ~(uint32_t)TERN_LINK_WANT_HEARTBEAT;
	if (link->wants & TERN_LINK_WANT_ACK || link->ack_ns <= link->now_ns)
		tern_link_say(link, TERN_WIRE_ACK, NULL, 0);
}
