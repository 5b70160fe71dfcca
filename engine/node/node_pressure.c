/* SPDX-License-Identifier: Apache-2.0 */

/* Whom senders on other nodes may not reach now, and telling them so. */
#include "node.h"

#include "engine/mail/control.h"

/* Payload of TERN_CONTROL_PRESSURE. */
struct pressure {
	tern_address agent;
	uint64_t on;
};
_Static_assert(sizeof(struct pressure) <= TERN_INLINE_MAX, "it travels by value");

bool tern_node_send_control(struct tern_lcore *lcore, struct tern_node_link *link, uint16_t type,
			    const void *payload, size_t size)
{
	struct tern_signal signal = {
		.type = type, .kind = (uint8_t)size, .from = tern_lcore_address(lcore)};
	memcpy(signal.payload.bytes, payload, size);
	if (tern_link_send(link->link, &signal, 0) != 0)
		return false;
	tern_lcore_owe(lcore, 1);
	tern_node_touch(lcore->net, link);
	return true;
}

static bool send_pressure(struct tern_lcore *lcore, struct tern_node_link *link, tern_address agent,
			  bool on)
{
	const struct pressure pressure = {.agent = agent, .on = on};
	return tern_node_send_control(lcore, link, TERN_CONTROL_PRESSURE, &pressure,
				      sizeof(pressure));
}

void tern_node_tell_pressed(struct tern_lcore *lcore, struct tern_node_link *link,
			    tern_address agent)
{
	struct tern_pressed *told = &lcore->net->told;
	if (!tern_pressed_add(told, agent, link->number))
		return;
	if (!send_pressure(lcore, link, agent, true))
		tern_pressed_remove(told, agent, link->number);
}

static bool refuses_still(const struct tern_lcore *lcore, tern_address agent)
{
	uint64_t entry = tern_dir_load(lcore, tern_address_slot(agent));
	return tern_dir_alive(entry, agent) && entry & TERN_DIR_PRESSED;
}

void tern_node_look_pressed(struct tern_lcore *lcore, uint32_t most)
{
	struct tern_node_lcore *net = lcore->net;
	most = most < net->told.count ? most : net->told.count;
	for (; most && net->told.count; most--) {
		struct tern_pressed_entry next = tern_pressed_next(&net->told);
		if (!refuses_still(lcore, next.agent) &&
		    send_pressure(lcore, net->links[next.link], next.agent, false))
			tern_pressed_remove(&net->told, next.agent, next.link);
	}
}

void tern_node_take_pressure(struct tern_lcore *lcore, const struct tern_node_link *link,
			     const struct tern_signal *signal)
{
	struct tern_pressed *refusing = &lcore->net->refusing;
	struct pressure pressure;
	memcpy(&pressure, signal->payload.bytes, sizeof(pressure));
	if (signal->kind != sizeof(pressure) ||
	    tern_address_node(pressure.agent) != link->peer->node)
		return;
	if (pressure.on)
		tern_pressed_add(refusing, pressure.agent, link->number);
	else
		tern_pressed_remove(refusing, pressure.agent, link->number);
}
