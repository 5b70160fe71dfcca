/* SPDX-License-Identifier: Apache-2.0 */

/* Signals into frames with positions. The engine calls tern_link_send() wherever an agent sends. */
#include "link_inside.h"

#include <errno.h>

/* The same sender and receiver, the same class. Source of the factor: Fibonacci hashing, Knuth 6.4
 */
static uint8_t class_of(uint32_t from_slot, uint32_t to_slot)
{
	uint64_t pair = (uint64_t)from_slot << 32 | to_slot;
	return (uint8_t)(pair * 0x9E3779B97F4A7C15u >> 60);
}
_Static_assert(TERN_WIRE_CLASSES == 16, "four bits of the hash");

/* Data frames that may still be opened: those open have no position yet, and need one. */
static bool has_room(const struct tern_link *link)
{
	uint64_t next = link->sent.next + (uint64_t)__builtin_popcount(link->stages);
	uint32_t window =
		RTE_MIN(link->config.window_max, tern_congestion_window(&link->congestion));
	return next < link->limit && next < link->sent.acked + window;
}

static void close_stage(struct tern_link *link, uint8_t flow_class)
{
	struct tern_outflow *out = &link->out[flow_class];
	uint16_t signals = out->stage.signals;
	struct rte_mbuf *mbuf = tern_stage_close(&out->stage, flow_class);
	uint64_t position = tern_sent_push(&link->sent, mbuf, signals);
	uint64_t distance = out->last ? position - out->last : 0;
	struct tern_wire_header *header = rte_pktmbuf_mtod(mbuf, struct tern_wire_header *);
	struct tern_wire_data *data = (void *)(header + 1);
	/* A frame so far back has been received: any distance that leads below the base is right.
	 */
	data->distance = (uint32_t)RTE_MIN(distance, (uint64_t)UINT32_MAX);
	header->position = position;
	out->last = position;
	link->stages &= ~(1u << flow_class);
}

void tern_link_close_stages(struct tern_link *link)
{
	for (uint32_t stages = link->stages; stages; stages &= stages - 1)
		close_stage(link, (uint8_t)__builtin_ctz(stages));
}

static int open_stage(struct tern_link *link, uint8_t flow_class)
{
	if (!has_room(link))
		return -EAGAIN;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(link->config.frames);
	if (!mbuf)
		return -ENOBUFS;
	tern_stage_open(&link->out[flow_class].stage, mbuf, link->frame_max);
	link->stages |= 1u << flow_class;
	return 0;
}

static void cut_class(struct tern_link *link, uint8_t flow_class)
{
	struct tern_outflow *out = &link->out[flow_class];
	while (out->cut.block && open_stage(link, flow_class) == 0) {
		out->cut_at = tern_stage_put_fragment(&out->stage, &out->cut, out->cut_at);
		if (out->cut_at == out->cut.size)
			out->cut.block = NULL;
		close_stage(link, flow_class);
	}
	if (!out->cut.block)
		link->cuts &= ~(1u << flow_class);
}

void tern_link_cut(struct tern_link *link)
{
	for (uint32_t cuts = link->cuts; cuts; cuts &= cuts - 1)
		cut_class(link, (uint8_t)__builtin_ctz(cuts));
}

/* A block larger than a frame waits here while its fragments leave; its class waits behind it. */
static int take_large(struct tern_link *link, uint8_t flow_class, const struct tern_parcel *parcel)
{
	if (!has_room(link))
		return -EAGAIN;
	if (link->stages & 1u << flow_class)
		close_stage(link, flow_class);
	link->out[flow_class].cut = *parcel;
	link->out[flow_class].cut_at = 0;
	link->cuts |= 1u << flow_class;
	cut_class(link, flow_class);
	return 0;
}

static int take_small(struct tern_link *link, uint8_t flow_class, const struct tern_parcel *parcel)
{
	struct tern_stage *stage = &link->out[flow_class].stage;
	bool is_open = link->stages & 1u << flow_class;
	if (!is_open || !tern_stage_takes(stage, parcel)) {
		if (is_open)
			close_stage(link, flow_class);
		int code = open_stage(link, flow_class);
		if (code != 0)
			return code;
	}
	tern_stage_put(stage, parcel);
	return 0;
}

static int take_signal(struct tern_link *link, const struct tern_signal *signal, uint64_t key)
{
	struct tern_parcel parcel;
	if (!link->is_open)
		return -ENOTCONN;
	uint8_t flow_class = class_of(tern_address_slot(signal->from), signal->to_slot);
	if (link->cuts & 1u << flow_class)
		return -EAGAIN;
	if (tern_likely(link->stages & 1u << flow_class && signal->kind <= TERN_INLINE_MAX &&
			!key) &&
	    tern_stage_put_value(&link->out[flow_class].stage, signal))
		return 0;
	tern_parcel_make(&parcel, signal, key);
	size_t bytes = tern_entry_bytes(key, false, parcel.size);
	if (bytes > link->frame_max - TERN_STAGE_HEAD)
		return take_large(link, flow_class, &parcel);
	return take_small(link, flow_class, &parcel);
}

int tern_link_send(struct tern_link *link, const struct tern_signal *signal, uint64_t key)
{
	int code = take_signal(link, signal, key);
	if (tern_likely(code == 0))
		tern_count(&link->stats.signals_sent, 1);
	else
		link->is_refusing = true;
	return code;
}

/* Whether an mbuf can be had is tried, since a pool does not tell it cheaply. */
void tern_link_relieve(struct tern_link *link)
{
	if (!link->is_refusing || !link->is_open || !has_room(link))
		return;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(link->config.frames);
	if (!mbuf)
		return;
	rte_pktmbuf_free(mbuf);
	link->is_refusing = false;
	link->config.ops->relieved(link->config.owner, link);
}
