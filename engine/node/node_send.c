/* SPDX-License-Identifier: Apache-2.0 */

/* Signals on their way to other nodes, and back to them. */
#include "node.h"

#include <errno.h>

#include "engine/mail/remote.h"
#include "engine/mail/bounce.h"
#include "engine/mail/control.h"
#include "engine/mail/outbox.h"

/* NULL: no such node, or never connected to it. */
static struct tern_node_link *link_to(const struct tern_node_lcore *net, tern_address to)
{
	uint16_t at = net->node->by_node[tern_address_node(to)];
	return at ? net->to[at - 1] : NULL;
}

static int send_on_link(struct tern_lcore *lcore, struct tern_node_link *link,
			const struct tern_signal *signal)
{
	int code = tern_link_send(link->link, signal, 0);
	if (tern_unlikely(code != 0))
		return code == -ENOTCONN ? -EHOSTUNREACH : -EAGAIN;
	tern_node_touch(lcore->net, link);
	return 0;
}

/*
 * A thread has no link: an lcore sends for it, to which the signal goes in a block. What is refused
 * there comes back to the thread as from a dead address.
 */
static int send_by_lcore(struct tern_lcore *lcore, tern_address to,
			 const struct tern_signal *signal)
{
	uint32_t by = lcore->index % lcore->engine->lcore_count;
	const struct tern_node *node = lcore->engine->node;
	if (!node->by_node[tern_address_node(to)])
		return -EHOSTUNREACH;
	if (tern_load(&node->lcores[by].forwards.count) >= TERN_NODE_FORWARDS / 2 ||
	    !tern_lcore_has_credit(lcore, 2 * by))
		return -EAGAIN;
	tern_iso *iso = tern_iso_create(&lcore->heap, sizeof(struct tern_node_waiting));
	if (!iso)
		return -EAGAIN;
	*(struct tern_node_waiting *)tern_iso_data(iso) =
		(struct tern_node_waiting){.to = to, .signal = *signal};
	struct tern_signal carrier = tern_control_signal(
		lcore, tern_load(&lcore->agents[by].address), TERN_CONTROL_FORWARD, TERN_KIND_ISO);
	carrier.payload.iso = iso;
	tern_lcore_owe(lcore, 1);
	tern_outbox_try_lane(lcore, 2 * by, &carrier); /* it has credit */
	return 0;
}

static int send_remote(struct tern_lcore *lcore, tern_address to, const struct tern_signal *signal)
{
	const struct tern_node_lcore *net = lcore->net;
	if (tern_unlikely(!net))
		return send_by_lcore(lcore, to, signal);
	struct tern_node_link *link = link_to(net, to);
	if (tern_unlikely(!link))
		return -EHOSTUNREACH;
	if (tern_unlikely(net->refusing.count) &&
	    tern_pressed_has(&net->refusing, to, link->number))
		return -EBUSY;
	return send_on_link(lcore, link, signal);
}

/* What came from a thread and finds no way goes back to it as from a dead address. */
static void refuse_forward(struct tern_lcore *lcore, const struct tern_node_waiting *forward)
{
	struct tern_signal back = forward->signal;
	if (back.kind & TERN_KIND_RETURNED) {
		tern_signal_lose(lcore, &back);
		return;
	}
	tern_signal_turn_back(&back, forward->to);
	tern_lcore_return(lcore, &back, false);
	tern_lcore_settle(lcore, 1);
}

/* Returns whether it is done with. */
static bool try_forward(struct tern_lcore *lcore, const struct tern_node_waiting *forward)
{
	int code = lcore->net ? send_remote(lcore, forward->to, &forward->signal) : -EHOSTUNREACH;
	if (code == -EHOSTUNREACH)
		refuse_forward(lcore, forward);
	return code == 0 || code == -EHOSTUNREACH;
}

static bool ring_push(struct tern_node_ring *ring, tern_address to,
		      const struct tern_signal *signal)
{
	if (ring->count == ring->size)
		return false;
	ring->entries[(ring->head + ring->count) % ring->size] =
		(struct tern_node_waiting){.to = to, .signal = *signal};
	tern_store(&ring->count, ring->count + 1);
	return true;
}

/* In order: the first that is not done with holds up those behind it. */
static unsigned ring_send(struct tern_lcore *lcore, struct tern_node_ring *ring,
			  bool (*try_one)(struct tern_lcore *, const struct tern_node_waiting *))
{
	unsigned sent = 0;
	for (; ring->count && try_one(lcore, &ring->entries[ring->head]); sent++) {
		ring->head = (ring->head + 1) % ring->size;
		tern_store(&ring->count, ring->count - 1);
	}
	return sent;
}

/* Behind those that wait: threads are refused before there are too many. */
static void forward_signal(struct tern_lcore *lcore, const struct tern_signal *carrier)
{
	struct tern_node_waiting forward =
		*(struct tern_node_waiting *)tern_iso_data(carrier->payload.iso);
	struct tern_node_ring *forwards = lcore->net ? &lcore->net->forwards : NULL;
	tern_iso_drop(&lcore->heap, carrier->payload.iso);
	tern_control_handled(lcore);
	bool waits = forwards && forwards->count;
	if (!waits && try_forward(lcore, &forward))
		return;
	if (!ring_push(forwards, forward.to, &forward.signal))
		refuse_forward(lcore, &forward);
}

unsigned tern_node_send_forwards(struct tern_lcore *lcore)
{
	return ring_send(lcore, &lcore->net->forwards, try_forward);
}

static bool takes_remote(const struct tern_lcore *lcore, tern_address to)
{
	const struct tern_node_lcore *net = lcore->net;
	uint32_t by = lcore->index % lcore->engine->lcore_count;
	if (!net) /* a thread's */
		return tern_load(&lcore->engine->node->lcores[by].forwards.count) <
		       TERN_NODE_FORWARDS / 2;
	const struct tern_node_link *link = link_to(net, to);
	if (!link)
		return true;
	return tern_link_has_room(link->link) &&
	       !tern_pressed_has(&net->refusing, to, link->number);
}

static bool try_return(struct tern_lcore *lcore, const struct tern_node_waiting *back)
{
	struct tern_node_link *link = link_to(lcore->net, back->to);
	int code = link ? send_on_link(lcore, link, &back->signal) : -EHOSTUNREACH;
	if (code == -EHOSTUNREACH)
		tern_signal_lose(lcore, &back->signal);
	return code != -EAGAIN;
}

unsigned tern_node_send_returns(struct tern_lcore *lcore)
{
	return ring_send(lcore, &lcore->net->returns, try_return);
}

/* Behind those that wait. */
static void give_back_remote(struct tern_lcore *lcore, tern_address to,
			     const struct tern_signal *signal)
{
	struct tern_node_lcore *net = lcore->net;
	const struct tern_node_waiting back = {.to = to, .signal = *signal};
	tern_lcore_owe(lcore, 1);
	bool is_done;
	if (!net)
		is_done = send_by_lcore(lcore, to, signal) == 0;
	else
		is_done = (net->returns.count == 0 && try_return(lcore, &back)) ||
			  ring_push(&net->returns, to, signal);
	if (!is_done)
		tern_signal_lose(lcore, signal);
}

const struct tern_remote tern_node_remote = {.send = send_remote,
					     .forward = forward_signal,
					     .takes = takes_remote,
					     .give_back = give_back_remote};
