/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAIR_H
#define PAIR_H

/* Two links, of node 1 and node 2, and a wire between them whose frames the test can take out. */
#include "tests/unit/capabilities/capability_test.h"

#include "dataplane/peer/link.h"
#include "tests/unit/dataplane/mbufs.h"

enum { PAIR_WIRE = 1024, PAIR_FRAME_MAX = 1500, PAIR_WINDOW = 512, PAIR_GOT = 4096 };
#define PAIR_MS 1000000ull

struct pair;

/** One end, and what it was told. */
struct pair_end {
	struct tern_port port;
	struct tern_outlet outlet;
	struct pair *pair;
	struct tern_link *link;
	struct tern_link_config config;
	uint64_t heard_ns;
	uint32_t got[PAIR_GOT]; /* numbers of the signals, in order */
	uint64_t got_ns[PAIR_GOT];
	uint32_t got_count, refuse;
	uint64_t settled;
	uint32_t back, not_sent, opened, closed, relieved;
	enum tern_link_end why;
	uint64_t frames[TERN_WIRE_KINDS]; /* sent */
	uint64_t due_ns;
};

struct pair_frame {
	struct rte_mbuf *mbuf;
	uint64_t at_ns;
	uint8_t to;
};

/** Whether a frame gets lost. */
typedef bool (*pair_loses)(void *context, const struct tern_wire_header *header);

struct pair {
	uint64_t now_ns, latency_ns;
	struct pair_end end[2];
	struct heaps heaps;
	struct pair_frame wire[PAIR_WIRE];
	uint32_t count;
	pair_loses loses;
	void *context;
};

static struct rte_mempool *pair_pool;

static inline uint16_t pair_tx(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			       uint16_t count)
{
	struct pair_end *end = (struct pair_end *)port;
	struct pair *pair = end->pair;
	(void)queue;
	for (uint16_t i = 0; i < count; i++) {
		const struct tern_wire_header *header = rte_pktmbuf_mtod_offset(
			frames[i], const struct tern_wire_header *, end->config.wrap.size);
		end->frames[header->kind]++;
		if (pair->loses && pair->loses(pair->context, header)) {
			rte_pktmbuf_free(frames[i]);
			continue;
		}
		assert_true(pair->count < PAIR_WIRE);
		pair->wire[pair->count++] = (struct pair_frame){
			frames[i], pair->now_ns + pair->latency_ns, end == &pair->end[0]};
	}
	return count;
}

static inline uint16_t pair_rx(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			       uint16_t count)
{
	(void)port;
	(void)queue;
	(void)frames;
	(void)count;
	return 0;
}

static const struct tern_port_ops pair_port = {.rx_burst = pair_rx, .tx_burst = pair_tx};

static inline bool pair_deliver(void *owner, struct tern_link *link, struct tern_signal *signal,
				uint64_t key)
{
	struct pair_end *end = owner;
	uint32_t number;
	(void)link;
	(void)key;
	if (end->refuse)
		return false;
	uint32_t kind = signal->kind & TERN_KIND_MASK;
	bool has_block = kind == TERN_KIND_ISO;
	memcpy(&number, has_block ? tern_iso_data(signal->payload.iso) : signal->payload.bytes,
	       sizeof(number));
	if (has_block)
		tern_iso_drop(end->config.heap, signal->payload.iso);
	assert_true(end->got_count < PAIR_GOT);
	end->got_ns[end->got_count] = end->pair->now_ns;
	end->got[end->got_count++] = number;
	return true;
}

static inline void pair_settle(void *owner, struct tern_link *link, uint64_t count)
{
	(void)link;
	((struct pair_end *)owner)->settled += count;
}

static inline void pair_give_back(void *owner, struct tern_link *link, struct tern_signal *signal,
				  enum tern_fate fate)
{
	struct pair_end *end = owner;
	(void)link;
	if ((signal->kind & TERN_KIND_MASK) == TERN_KIND_ISO)
		tern_iso_drop(end->config.heap, signal->payload.iso);
	end->back++;
	end->not_sent += fate == TERN_FATE_NOT_SENT;
}

static inline void pair_opened(void *owner, struct tern_link *link)
{
	(void)link;
	((struct pair_end *)owner)->opened++;
}

static inline void pair_closed(void *owner, struct tern_link *link, enum tern_link_end why,
			       uint64_t acknowledged)
{
	struct pair_end *end = owner;
	(void)link;
	(void)acknowledged;
	end->closed++;
	end->why = why;
}

static inline void pair_relieved(void *owner, struct tern_link *link)
{
	(void)link;
	((struct pair_end *)owner)->relieved++;
}

static const struct tern_link_ops pair_ops = {.deliver = pair_deliver,
					      .settle = pair_settle,
					      .give_back = pair_give_back,
					      .opened = pair_opened,
					      .closed = pair_closed,
					      .relieved = pair_relieved};

/** The link of one end begins, once more too. */
static inline void pair_begin(struct pair *pair, int which)
{
	struct pair_end *end = &pair->end[which];
	end->config.seed++;
	end->config.incarnation++;
	end->heard_ns = 0;
	end->due_ns = pair->now_ns;
	end->link = tern_link_create(&end->config, pair->now_ns);
	assert_non_null(end->link);
}

static inline void pair_init(struct pair *pair, uint64_t latency_ns)
{
	*pair = (struct pair){.now_ns = PAIR_MS, .latency_ns = latency_ns};
	heaps_init(&pair->heaps, 2, 1 << 20);
	for (int i = 0; i < 2; i++) {
		struct pair_end *end = &pair->end[i];
		struct tern_endpoint own = {.mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)}};
		struct tern_endpoint other = {.mac = {2, 0, 0, 0, 0, (uint8_t)(2 - i)}};
		end->port = (struct tern_port){.ops = &pair_port, .queues = 1};
		end->outlet = (struct tern_outlet){.port = &end->port};
		end->pair = pair;
		end->config = (struct tern_link_config){.node = (uint16_t)(i + 1),
							.peer = (uint16_t)(2 - i),
							.lcores = 1,
							.frame_max = PAIR_FRAME_MAX,
							.credit_max = PAIR_WINDOW,
							.window_max = PAIR_WINDOW,
							.cluster = 1,
							.heartbeat_ns = PAIR_MS,
							.dead_ns = 20 * PAIR_MS,
							.seed = (uint64_t)i * 1000,
							.outlet = &end->outlet,
							.frames = pair_pool,
							.heap = &pair->heaps.heap[i],
							.heard_ns = &end->heard_ns,
							.ops = &pair_ops,
							.owner = end};
		tern_wrap_init(&end->config.wrap, &own, &other, 0);
		pair_begin(pair, i);
	}
}

/** The memory of one end goes, and nobody is told. */
static inline void pair_crash(struct pair *pair, int which)
{
	struct pair_end *end = &pair->end[which];
	tern_outlet_flush(&end->outlet);
	tern_link_destroy(end->link, pair->now_ns);
	tern_outlet_drop(&end->outlet);
	end->link = NULL;
}

/** Hand bytes of a Tern frame to an end, as if they had come. */
static inline enum tern_drop pair_input(struct pair *pair, int which, const void *bytes,
					size_t size)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pair_pool);
	struct tern_frame frame;
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)size), bytes, size);
	tern_frame_seal(mbuf);
	enum tern_drop why = tern_frame_check(rte_pktmbuf_mtod(mbuf, void *), size,
					      pair->end[which].config.node, &frame);
	assert_int_equal(why, TERN_DROP_NONE);
	return tern_link_input(pair->end[which].link, &frame, mbuf, pair->now_ns);
}

static inline void pair_arrive(struct pair *pair, const struct pair_frame *arrived)
{
	struct pair_end *end = &pair->end[arrived->to];
	struct tern_endpoint own = {.mac = {2, 0, 0, 0, 0, (uint8_t)(arrived->to + 1)}};
	struct tern_frame frame;
	enum tern_drop why =
		end->link ? tern_frame_read(&own, end->config.node, arrived->mbuf, &frame)
			  : TERN_DROP_STATE;
	if (why == TERN_DROP_NONE)
		tern_link_input(end->link, &frame, arrived->mbuf, pair->now_ns);
	else
		rte_pktmbuf_free(arrived->mbuf);
}

/* Frames come in the order of their sending; the latency is one for all. */
static inline bool pair_turn(struct pair *pair)
{
	struct pair_frame arrived[PAIR_WIRE];
	uint32_t count = 0;
	while (count < pair->count && pair->wire[count].at_ns <= pair->now_ns)
		count++;
	memcpy(arrived, pair->wire, count * sizeof(arrived[0]));
	pair->count -= count;
	memmove(pair->wire, pair->wire + count, pair->count * sizeof(arrived[0]));
	for (uint32_t i = 0; i < count; i++)
		pair_arrive(pair, &arrived[i]);
	for (int i = 0; i < 2; i++) {
		if (!pair->end[i].link)
			continue;
		pair->end[i].due_ns = tern_link_poll(pair->end[i].link, pair->now_ns);
		tern_outlet_flush(&pair->end[i].outlet);
	}
	return count > 0;
}

/** Let so much time pass, from event to event. */
static inline void pair_run(struct pair *pair, uint64_t ns)
{
	uint64_t end_ns = pair->now_ns + ns;
	for (;;) {
		uint64_t next = pair->count ? pair->wire[0].at_ns : UINT64_MAX;
		pair_turn(pair);
		next = pair->count ? pair->wire[0].at_ns : UINT64_MAX;
		for (int i = 0; i < 2; i++)
			if (pair->end[i].link)
				next = RTE_MIN(next, pair->end[i].due_ns);
		if (next > end_ns)
			break;
		pair->now_ns = RTE_MAX(next, pair->now_ns + 1);
	}
	pair->now_ns = end_ns;
}

static inline void pair_open(struct pair *pair)
{
	pair_run(pair, 5 * PAIR_MS);
	for (int i = 0; i < 2; i++) {
		struct tern_link_stats stats;
		tern_link_stats(pair->end[i].link, &stats);
		assert_true(stats.is_open);
	}
}

/** Send a number from one agent to another. The pair of them decides the flow class. */
static inline int pair_send(struct pair *pair, int which, uint32_t slot, uint32_t number)
{
	struct tern_signal signal = {
		.kind = 4, .to_slot = 1, .from = tern_address_make(0, slot, 0)};
	memcpy(signal.payload.bytes, &number, sizeof(number));
	return tern_link_send(pair->end[which].link, &signal, 0);
}

static inline void pair_flush(struct pair *pair, int which)
{
	tern_link_flush(pair->end[which].link, pair->now_ns);
	tern_outlet_flush(&pair->end[which].outlet);
}

static inline struct tern_link_stats pair_stats(const struct pair *pair, int which)
{
	struct tern_link_stats stats;
	tern_link_stats(pair->end[which].link, &stats);
	return stats;
}

static inline void pair_fini(struct pair *pair)
{
	for (int i = 0; i < 2; i++)
		if (pair->end[i].link)
			pair_crash(pair, i);
	for (uint32_t i = 0; i < pair->count; i++)
		rte_pktmbuf_free(pair->wire[i].mbuf);
	for (int i = 0; i < 2; i++)
		tern_outlet_drop(&pair->end[i].outlet);
	heaps_fini(&pair->heaps);
	assert_int_equal(rte_mempool_in_use_count(pair_pool), 0);
}

static inline int pair_start(void **state)
{
	(void)state;
	mbufs_start();
	pair_pool = mbufs_pool("pair", 4095, PAIR_FRAME_MAX, TERN_LINK_PRIVATE);
	return 0;
}

#endif
