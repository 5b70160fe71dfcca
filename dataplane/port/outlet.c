/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include <string.h>

unsigned tern_outlet_flush(struct tern_outlet *outlet)
{
	uint16_t taken;
	if (!outlet->count)
		return 0;
	taken = tern_port_tx(outlet->port, outlet->queue, outlet->frames, outlet->count);
	outlet->sent += taken;
	outlet->count = (uint16_t)(outlet->count - taken);
	if (outlet->count) {
		outlet->refused++;
		memmove(outlet->frames, outlet->frames + taken,
			outlet->count * sizeof(outlet->frames[0]));
	}
	return outlet->count;
}

bool tern_outlet_push(struct tern_outlet *outlet, struct rte_mbuf *frame, bool is_control)
{
	unsigned places = TERN_OUTLET_FRAMES - (is_control ? 0 : TERN_OUTLET_RESERVE);
	if (outlet->count >= places && tern_outlet_flush(outlet) >= places)
		return false;
	outlet->frames[outlet->count++] = frame;
	return true;
}

void tern_outlet_drop(struct tern_outlet *outlet)
{
	for (uint16_t i = 0; i < outlet->count; i++)
		rte_pktmbuf_free(outlet->frames[i]);
	outlet->count = 0;
}
