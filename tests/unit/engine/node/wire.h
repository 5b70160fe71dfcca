/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_BETWEEN_H
#define WIRE_BETWEEN_H

#include <string.h>

#include "dataplane/port/port.h"

/*
 * A wire between two ports, for engines that one thread polls: what one sends, the other receives,
 * unless the wire is cut. As net_ring does, it hands over the sender's own frames.
 */
#define WIRE_QUEUES 4u
#define WIRE_DEPTH 1024u

struct wire_queue {
	struct rte_mbuf *frames[WIRE_DEPTH];
	uint32_t head, count;
};

struct wire_end {
	struct tern_port port;
	struct wire_end *other;
	struct wire_queue arrived[WIRE_QUEUES];
	bool is_cut;	     /* what is sent from here is lost */
	uint32_t lose_every; /* one frame in so many that are sent from here is lost; 0: none */
	uint64_t sent, lost;
};

static inline uint16_t wire_receive(struct tern_port *port, uint16_t queue,
				    struct rte_mbuf **frames, uint16_t count)
{
	struct wire_queue *arrived = &((struct wire_end *)port)->arrived[queue];
	uint16_t taken = 0;
	for (; taken < count && arrived->count; taken++, arrived->count--)
		frames[taken] = arrived->frames[arrived->head++ % WIRE_DEPTH];
	return taken;
}

static inline uint16_t wire_send(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
				 uint16_t count)
{
	struct wire_end *end = (struct wire_end *)port;
	for (uint16_t i = 0; i < count; i++) {
		struct wire_queue *to = &end->other->arrived[queue % end->other->port.queues];
		bool lost = end->is_cut || to->count == WIRE_DEPTH ||
			    (end->lose_every && ++end->sent % end->lose_every == 0);
		end->lost += lost;
		if (lost)
			rte_pktmbuf_free(frames[i]);
		else
			to->frames[(to->head + to->count++) % WIRE_DEPTH] = frames[i];
	}
	return count;
}

static inline bool wire_is_up(struct tern_port *port)
{
	(void)port;
	return true;
}

static inline void wire_destroy(struct tern_port *port)
{
	(void)port;
}

/** Join two ends, of so many queues each. */
static inline void wire_join(struct wire_end ends[2], const uint16_t queues[2])
{
	static const struct tern_port_ops ops = {.rx_burst = wire_receive,
						 .tx_burst = wire_send,
						 .is_up = wire_is_up,
						 .destroy = wire_destroy};
	memset(ends, 0, 2 * sizeof(*ends));
	for (unsigned i = 0; i < 2; i++) {
		ends[i].port = (struct tern_port){.ops = &ops,
						  .queues = queues[i],
						  .frame_max = 1500,
						  .mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)},
						  .name = "wire"};
		ends[i].other = &ends[1 - i];
	}
}

/** Lose what has not been received. */
static inline void wire_drain(struct wire_end ends[2])
{
	struct rte_mbuf *frame;
	for (unsigned i = 0; i < 2; i++)
		for (uint16_t queue = 0; queue < WIRE_QUEUES; queue++)
			while (wire_receive(&ends[i].port, queue, &frame, 1))
				rte_pktmbuf_free(frame);
}

#endif
