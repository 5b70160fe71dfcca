/* SPDX-License-Identifier: Apache-2.0 */

/* What links have for the engine: signals, what became of those sent, sessions. */
#include "node.h"

#include <stdlib.h>

#include "engine/agent/life.h"
#include "engine/mail/remote.h"
#include "engine/lcore/room.h"
#include "engine/mail/bounce.h"
#include "engine/mail/control.h"
#include "engine/mail/inbox.h"
#include "engine/mail/outbox.h"

/*
 * No function of an agent runs from here: a link is in the middle of a frame, and an agent that
 * fails does not come back. So what is for this lcore waits in the agent's mailbox.
 */
static bool queue_signal(struct tern_lcore *lcore, uint64_t entry, struct tern_signal *signal)
{
	uint32_t route = tern_dir_route(entry);
	if (route == lcore->roam_route)
		return tern_inbox_send(lcore, signal) == 0;
	if (tern_outbox_is_own(lcore, route))
		return tern_life_deliver(lcore, signal, true);
	return tern_outbox_try_lane(lcore, route, signal);
}

static bool is_for_living(const struct tern_lcore *lcore, const struct tern_signal *signal,
			  uint64_t *entry)
{
	if (signal->to_slot >= lcore->slots)
		return false;
	*entry = tern_dir_load(lcore, signal->to_slot);
	tern_address to = tern_lcore_address_of(lcore, signal->to_slot, signal->to_generation);
	return tern_dir_alive(*entry, to) && !(*entry & TERN_DIR_CLOSED);
}

/* What a sender of this node gets back; who has ended meanwhile loses it. */
static void take_returned(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	uint64_t entry;
	if (is_for_living(lcore, signal, &entry)) {
		tern_lcore_return(lcore, signal, false);
	} else {
		tern_lcore_owe(lcore, 1);
		tern_signal_lose(lcore, signal);
	}
}

/* What a later version says in other types is not for this one. */
void tern_node_control(struct tern_lcore *lcore, struct tern_node_link *link,
		       struct tern_signal *signal)
{
	if (signal->type == TERN_CONTROL_PRESSURE)
		tern_node_take_pressure(lcore, link, signal);
	else if (signal->type == TERN_CONTROL_GOSSIP)
		tern_node_gossip_take(link, signal);
	else if (signal->type == TERN_CONTROL_PING || signal->type == TERN_CONTROL_PONG)
		tern_node_ping_control(lcore, link, signal);
	tern_signal_discard(lcore, signal);
}

/* Counted as accepted before it is queued, since whoever takes it settles it. */
static bool deliver_signal(void *owner, struct tern_link *from, struct tern_signal *signal,
			   uint64_t key)
{
	struct tern_node_link *link = owner;
	struct tern_lcore *lcore = link->lcore;
	uint64_t entry;
	(void)from;
	(void)key;
	if (tern_unlikely(signal->type > TERN_TYPE_MAX)) {
		tern_node_control(lcore, link, signal);
		return true;
	}
	signal->stamp = lcore->turn.stamp;
	signal->sequence = 0;
	if (tern_unlikely(signal->kind & TERN_KIND_RETURNED)) {
		take_returned(lcore, signal);
	} else if (tern_unlikely(!is_for_living(lcore, signal, &entry))) {
		tern_lcore_owe(lcore, 1);
		tern_life_bounce(lcore, signal, false);
	} else {
		tern_lcore_owe(lcore, 1);
		if (!queue_signal(lcore, entry, signal)) {
			tern_lcore_owe(lcore, -1ull);
			return false;
		}
		if (tern_unlikely(tern_dir_load(lcore, signal->to_slot) & TERN_DIR_PRESSED))
			tern_node_tell_pressed(lcore, link,
					       tern_lcore_address_of(lcore, signal->to_slot,
								     signal->to_generation));
	}
	tern_count(&lcore->stats.remote_in, 1);
	return true;
}

static void settle_signals(void *owner, struct tern_link *from, uint64_t count)
{
	struct tern_node_link *link = owner;
	(void)from;
	tern_count(&link->lcore->stats.remote_out, count);
	tern_lcore_settle(link->lcore, count);
}

/* Behind those that wait; there may be as many as a lost link held. */
static bool keep_back(struct tern_node_lcore *net, const struct tern_signal *back)
{
	struct tern_node_backs *backs = &net->backs;
	if (backs->count == backs->room) {
		uint32_t room = backs->room ? 2 * backs->room : 1024;
		struct tern_signal *signals = realloc(backs->signals, room * sizeof(*signals));
		if (!signals)
			return false;
		backs->signals = signals;
		backs->room = room;
	}
	backs->signals[backs->count++] = *back;
	return true;
}

unsigned tern_node_give_backs(struct tern_lcore *lcore)
{
	struct tern_node_backs *backs = &lcore->net->backs;
	bool ends = tern_engine_state(lcore->engine) == TERN_ENGINE_ENDING;
	unsigned given = 0;
	for (; backs->next < backs->count && (ends || tern_lcore_may_return(lcore)); given++) {
		struct tern_signal *back = &backs->signals[backs->next++];
		if (ends)
			tern_engine_undelivered(lcore, back);
		else
			take_returned(lcore, back);
		tern_lcore_settle(lcore, 1);
	}
	if (backs->next == backs->count)
		backs->next = backs->count = 0;
	return given;
}

/*
 * It goes back as one from a dead address does, marked where it may have been handled. It is told
 * from a turn on, as there are cells for it: settled then.
 */
static void give_signal_back(void *owner, struct tern_link *from, struct tern_signal *signal,
			     enum tern_fate fate)
{
	struct tern_node_link *link = owner;
	struct tern_lcore *lcore = link->lcore;
	struct tern_signal back = *signal;
	(void)from;
	if (signal->type > TERN_TYPE_MAX) {
		tern_signal_discard(lcore, &back);
	} else if (signal->kind & TERN_KIND_RETURNED) {
		tern_signal_discard(lcore, &back);
		tern_count(&lcore->stats.lost, 1);
	} else {
		tern_signal_turn_back(&back, tern_address_make(link->peer->node, signal->to_slot,
							       signal->to_generation));
		back.kind |= fate == TERN_FATE_UNKNOWN ? TERN_KIND_UNKNOWN : TERN_KIND_RETURNED;
		if (keep_back(lcore->net, &back))
			return;
		tern_signal_discard(lcore, &back);
		tern_count(&lcore->stats.lost, 1);
	}
	tern_lcore_settle(lcore, 1);
}

static void link_opened(void *owner, struct tern_link *from)
{
	struct tern_node_link *link = owner;
	struct tern_node_peer *peer = link->peer;
	tern_store(&peer->lcores, tern_link_peer_lcores(from));
	__atomic_fetch_add(&peer->open, 1, __ATOMIC_RELAXED);
	tern_node_gossip_peer(link, true);
	tern_log_write(&link->lcore->engine->log, TERN_LOG_INFO, "connected to a node",
		       "node=%u lcore=%u", peer->node, link->lcore->index);
}

static void link_closed(void *owner, struct tern_link *from, enum tern_link_end why,
			uint64_t acknowledged)
{
	static const char *const words[] = {"silent", "started anew", "left", "closed here",
					    "broke the protocol"};
	struct tern_node_link *link = owner;
	struct tern_node_lcore *net = link->lcore->net;
	(void)from;
	tern_node_gossip_peer(link, false);
	if (link->note)
		tern_node_look_at_note(link, true);
	tern_pressed_forget(&net->refusing, link->number);
	tern_pressed_forget(&net->told, link->number);
	__atomic_fetch_sub(&link->peer->open, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&link->peer->lost, 1, __ATOMIC_RELAXED);
	const bool is_orderly = why == TERN_LINK_LEFT || why == TERN_LINK_CLOSED;
	tern_log_write(&link->lcore->engine->log, is_orderly ? TERN_LOG_INFO : TERN_LOG_WARN,
		       is_orderly ? "connection to a node ended" : "connection to a node lost",
		       "node=%u lcore=%u why=\"%s\" acknowledged=%llu", link->peer->node,
		       link->lcore->index, words[why], (unsigned long long)acknowledged);
}

/* Whoever was refused looks by itself: waiter.c. */
static void link_relieved(void *owner, struct tern_link *from)
{
	(void)owner;
	(void)from;
}

const struct tern_link_ops tern_node_link_ops = {.deliver = deliver_signal,
						 .settle = settle_signals,
						 .give_back = give_signal_back,
						 .opened = link_opened,
						 .closed = link_closed,
						 .relieved = link_relieved};
