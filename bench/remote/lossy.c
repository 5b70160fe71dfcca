/* SPDX-License-Identifier: Apache-2.0 */

/* A port that loses one data frame when told to: by the node's lcore, which also sends. */
#include <stdlib.h>

#include "dataplane/fault/label.h"
#include "party.h"

#include "dataplane/port/port.h"

struct lossy_port {
	struct tern_port port;
	struct tern_port *inner;
};

static bool is_armed;

static uint16_t lossy_receive(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			      uint16_t count)
{
	return tern_port_rx(((struct lossy_port *)port)->inner, queue, frames, count);
}

/* One frame is taken for a sent one, in its place in the order. */
static uint16_t lossy_send(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			   uint16_t count)
{
	struct tern_port *inner = ((struct lossy_port *)port)->inner;
	uint16_t at = 0;
	while (is_armed && at < count && tern_label_of(frames[at]).kind != TERN_WIRE_DATA)
		at++;
	if (!is_armed || at == count)
		return tern_port_tx(inner, queue, frames, count);
	uint16_t sent = at ? tern_port_tx(inner, queue, frames, at) : 0;
	if (sent < at)
		return sent;
	rte_pktmbuf_free(frames[at]);
	is_armed = false;
	return (uint16_t)(at + 1);
}

static bool lossy_is_up(struct tern_port *port)
{
	struct tern_port *inner = ((struct lossy_port *)port)->inner;
	return inner->ops->is_up(inner);
}

static void lossy_destroy(struct tern_port *port)
{
	struct tern_port *inner = ((struct lossy_port *)port)->inner;
	inner->ops->destroy(inner);
	free(port);
}

struct tern_port *party_lossy_create(struct tern_port *inner)
{
	static const struct tern_port_ops ops = {.rx_burst = lossy_receive,
						 .tx_burst = lossy_send,
						 .is_up = lossy_is_up,
						 .destroy = lossy_destroy};
	struct lossy_port *lossy = calloc(1, sizeof(*lossy));
	if (!lossy)
		bench_die("no memory for a port");
	lossy->port = *inner;
	lossy->port.ops = &ops;
	lossy->inner = inner;
	return &lossy->port;
}

void party_lossy_arm(void)
{
	is_armed = true;
}
