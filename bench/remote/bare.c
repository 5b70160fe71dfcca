/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What DPDK alone does on a port of the same kind: frames there and back, frames one way. Its
 * calls are made directly, with bursts of 32, on the threads of the lcores.
 */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "dataplane/port/frames.h"
#include "party.h"

#define BURST 32
#define PING_BYTES 64
#define HEADER_BYTES 14
#define SPINS 4096		   /* between looks at the clock */
#define PATIENCE_PS 2000000000000u /* 2 s without a frame: some were lost */

/* Frames come from a cache of the thread, as in any program of DPDK's. */
struct bare_thread {
	bool entered;
};

static struct bare_thread enter_thread(void)
{
	struct bare_thread thread = {.entered = rte_lcore_id() == LCORE_ID_ANY &&
						tern_frames_thread_enter() == 0};
	return thread;
}

static void leave_thread(struct bare_thread thread)
{
	if (thread.entered)
		tern_frames_thread_leave();
}

/* To all, of an EtherType for local experiments that Tern does not use. */
static const unsigned char header[HEADER_BYTES] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2,
						   0,	 0,    0,    0,	   9,	 0x88, 0xB6};

static void write_frame(struct rte_mbuf *frame, uint32_t length)
{
	memcpy(rte_pktmbuf_mtod(frame, void *), header, sizeof(header));
	frame->data_len = (uint16_t)length;
	frame->pkt_len = length;
}

/* The kernel's interfaces carry what others send, too. */
static bool is_ours(const struct rte_mbuf *frame)
{
	return memcmp(rte_pktmbuf_mtod(frame, const unsigned char *) + 12, header + 12, 2) == 0;
}

static void send_frame(const struct party_side *side, struct rte_mbuf *frame)
{
	while (rte_eth_tx_burst(side->bare_id, 0, &frame, 1) == 0)
		;
}

static bool is_late(const struct party_side *side, uint64_t since)
{
	return bench_to_ps(&side->bench, rte_rdtsc() - since) > PATIENCE_PS;
}

/* NULL: none has come for long. */
static struct rte_mbuf *receive_frame(const struct party_side *side)
{
	struct rte_mbuf *frame;
	uint64_t since = rte_rdtsc();
	for (uint32_t spins = 1;; spins++) {
		if (rte_eth_rx_burst(side->bare_id, 0, &frame, 1) == 1) {
			if (is_ours(frame))
				return frame;
			rte_pktmbuf_free(frame);
		}
		if (spins % SPINS == 0 && is_late(side, since))
			return NULL;
	}
}

static struct rte_mbuf *make_frame(const struct party_side *side, uint32_t length)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(side->frames);
	if (!frame)
		bench_die("no free frame for bare DPDK");
	write_frame(frame, length);
	return frame;
}

void party_bare_ping(struct party_side *side, struct tern_histogram *ps, uint32_t trips)
{
	struct bare_thread thread = enter_thread();
	struct rte_mbuf *frame = make_frame(side, PING_BYTES);
	uint64_t before = rte_rdtsc();
	for (uint32_t i = 0; i < trips; i++) {
		send_frame(side, frame);
		frame = receive_frame(side);
		if (!frame)
			bench_die("bare DPDK: a frame did not come back");
		uint64_t now = rte_rdtsc();
		if (i) /* the first waits for the far side to begin */
			tern_histogram_record(ps, bench_to_ps(&side->bench, now - before));
		before = now;
	}
	rte_pktmbuf_free(frame);
	leave_thread(thread);
}

void party_bare_echo(struct party_side *side, struct party_told told)
{
	struct bare_thread thread = enter_thread();
	for (uint32_t i = 0; i < told.count; i++) {
		struct rte_mbuf *frame = receive_frame(side);
		if (!frame)
			break;
		send_frame(side, frame);
	}
	leave_thread(thread);
}

static void send_burst(const struct party_side *side, uint32_t count, uint32_t length)
{
	struct rte_mbuf *frames[BURST];
	while (rte_pktmbuf_alloc_bulk(side->frames, frames, count) != 0)
		;
	for (uint32_t i = 0; i < count; i++)
		write_frame(frames[i], length);
	for (uint32_t sent = 0; sent < count;)
		sent += rte_eth_tx_burst(side->bare_id, 0, frames + sent, (uint16_t)(count - sent));
}

uint64_t party_bare_send(struct party_side *side, struct party_told told)
{
	struct bare_thread thread = enter_thread();
	uint64_t from = rte_rdtsc();
	for (uint32_t left = told.count; left;) {
		uint32_t count = left < BURST ? left : BURST;
		send_burst(side, count, told.length);
		left -= count;
	}
	leave_thread(thread);
	return from;
}

/* Frees what came; returns how many were ours. */
static uint32_t take_burst(const struct party_side *side, uint32_t length)
{
	struct rte_mbuf *frames[BURST];
	uint16_t count = rte_eth_rx_burst(side->bare_id, 0, frames, BURST);
	uint32_t ours = 0;
	for (uint16_t i = 0; i < count; i++)
		ours += is_ours(frames[i]) && frames[i]->pkt_len == length;
	rte_pktmbuf_free_bulk(frames, count);
	return ours;
}

void party_bare_sink(struct party_side *side, struct party_told told)
{
	struct bare_thread thread = enter_thread();
	struct party_shared *shared = side->shared;
	uint32_t received = 0;
	uint64_t last = rte_rdtsc();
	for (uint32_t spins = 1; received < told.count; spins++) {
		uint32_t came = take_burst(side, told.length);
		received += came;
		if (spins % SPINS && !came)
			continue;
		if (came)
			last = rte_rdtsc();
		else if (is_late(side, last))
			break;
	}
	shared->received = received;
	shared->to = last;
	leave_thread(thread);
}
