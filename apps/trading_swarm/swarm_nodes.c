/* SPDX-License-Identifier: Apache-2.0 */

/* Two processes: how their agents get to know each other, and how a loss is noticed. */
#include "swarm.h"

#include "tern_node.h"

#include <errno.h>
#include <time.h>

#define AWAIT_S 60

static uint32_t other_node(const struct swarm *swarm)
{
	return 3 - swarm->partner->node;
}

static time_t now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* The time that waiting may go on. Returns 0 or what has ended it. */
static int wait_on(struct swarm *swarm, time_t deadline)
{
	if (swarm->phase == SWARM_STARTS && swarm->signal_number) {
		raise(swarm->signal_number); /* pending again: main() has it from there */
		return -EINTR;
	}
	if (now_s() > deadline)
		return -ETIMEDOUT;
	swarm_step(swarm);
	return 0;
}

int swarm_await_word(struct swarm *swarm, enum partner_word word)
{
	const time_t deadline = now_s() + AWAIT_S;
	while (partner_peek(swarm->partner) == 0) {
		int code = wait_on(swarm, deadline);
		if (code < 0)
			return code;
	}
	int heard = partner_hear(swarm->partner);
	if (heard < 0 || heard == (int)word)
		return heard < 0 ? heard : 0;
	return heard == PARTNER_QUIT ? -ECANCELED : -EPROTO;
}

/* Who lives there is known there: of each address one side has the right one. */
static int hear_addresses(struct swarm *swarm)
{
	tern_address reader;
	int code = partner_receive(swarm->partner, &reader, sizeof(reader));
	for (uint32_t i = 0; code == 0 && i < swarm->member_count; i++) {
		struct swarm_member *member = &swarm->members[i];
		tern_address address;
		code = partner_receive(swarm->partner, &address, sizeof(address));
		if (code == 0 && member->node == other_node(swarm))
			member->address = address;
	}
	if (code == 0 && swarm->partner->node == 2)
		swarm->reader = reader;
	return code;
}

static int tell_addresses(struct swarm *swarm)
{
	int code = partner_say(swarm->partner, PARTNER_MEET);
	if (code == 0)
		code = partner_send(swarm->partner, &swarm->reader, sizeof(swarm->reader));
	for (uint32_t i = 0; code == 0 && i < swarm->member_count; i++)
		code = partner_send(swarm->partner, &swarm->members[i].address,
				    sizeof(swarm->members[i].address));
	return code;
}

int swarm_meet(struct swarm *swarm)
{
	int code = tell_addresses(swarm);
	if (code == 0 && swarm->partner->node == 1)
		code = swarm_await_word(swarm, PARTNER_MEET);
	return code == 0 ? hear_addresses(swarm) : code;
}

int swarm_connect(struct swarm *swarm)
{
	const time_t deadline = now_s() + AWAIT_S;
	int code = 0;
	while (code == 0 && !tern_node_connected(swarm->engine, other_node(swarm))) {
		int word = partner_peek(swarm->partner);
		code = word < 0 || word == PARTNER_QUIT ? swarm_await_word(swarm, PARTNER_READY)
							: wait_on(swarm, deadline);
	}
	if (code == 0)
		code = partner_say(swarm->partner, PARTNER_READY);
	if (code == 0)
		code = swarm_await_word(swarm, PARTNER_READY);
	swarm->phase = SWARM_RUNS;
	return code;
}

static uint64_t count_returned(const struct swarm *swarm)
{
	uint64_t count = 0;
	for (uint32_t i = 0; i <= tern_engine_lcores(swarm->engine); i++) {
		struct tern_lcore_stats stats;
		tern_lcore_stats(swarm->engine, i, &stats);
		count += stats.returned + stats.lost;
	}
	return count;
}

void swarm_watch_partner(struct swarm *swarm)
{
	struct tern_peer peer;
	if (swarm->phase != SWARM_RUNS || swarm->lost)
		return;
	if (partner_peek(swarm->partner) < 0)
		swarm->lost = -EPIPE;
	swarm->returned_count = count_returned(swarm);
	tern_node_peers(swarm->engine, &peer, 1);
	if (!swarm->lost && (peer.lost || swarm->returned_count))
		swarm->lost = -ECONNRESET;
}

int swarm_settle(struct swarm *swarm)
{
	const time_t deadline = now_s() + AWAIT_S;
	struct tern_peer peer = {.under_way = 1};
	while (!swarm->lost && peer.under_way && now_s() <= deadline) {
		swarm_step(swarm);
		tern_node_peers(swarm->engine, &peer, 1);
	}
	swarm->phase = SWARM_LEAVES;
	return swarm->lost;
}
