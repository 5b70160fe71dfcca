/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAIRS_H
#define PAIRS_H

/* Two ends that look for each other's MAC: for the tests of neighbours, ARP and discovery. */
#include <rte_ether.h>

#include "dataplane/frame/neighbour.h"
#include "frames.h"

#define PAIR_FRAMES 63
#define PAIR_PEERS 4
#define PAIR_SECOND UINT64_C(1000000000)

/** One end. */
struct side {
	struct tern_neighbours table;
	struct tern_neighbour peers[PAIR_PEERS];
	struct tern_endpoint end;
	uint32_t other; /* what the other end is called here */
};

struct pair {
	struct rte_mempool *pool;
	struct side a, b;
	uint64_t now_ns;
};

static inline void side_open(struct side *side, const struct tern_endpoint *end,
			     const struct tern_endpoint *other)
{
	side->end = *end;
	tern_neighbours_init(&side->table, end, side->peers, PAIR_PEERS);
	assert_int_equal(tern_neighbours_add(&side->table, other->address, NULL, &side->other), 0);
}

static inline void pair_open(struct pair *pair, struct rte_mempool *pool, enum tern_carrier carrier,
			     uint16_t vlan)
{
	struct tern_endpoint a = frames_endpoint(carrier, vlan, 1);
	struct tern_endpoint b = frames_endpoint(carrier, vlan, 2);
	*pair = (struct pair){.pool = pool, .now_ns = 5 * PAIR_SECOND};
	side_open(&pair->a, &a, &b);
	side_open(&pair->b, &b, &a);
}

/* Call a body with each carrier that has neighbours, without a VLAN and with one. */
static inline void pairs_each(void **state, void (*body)(struct pair *pair))
{
	for (unsigned i = 0; i < 4; i++) {
		struct pair pair;
		pair_open(&pair, *state, i % 2 ? TERN_CARRIER_IPV6 : TERN_CARRIER_IPV4,
			  i < 2 ? 0 : 12);
		body(&pair);
		assert_int_equal(rte_mempool_avail_count(pair.pool), PAIR_FRAMES);
	}
}

static inline void assert_drop(enum tern_drop why, enum tern_drop expected)
{
	if (why != expected)
		fail_msg("dropped as %s, not as %s", tern_drop_name(why), tern_drop_name(expected));
}

static inline struct rte_mbuf *pair_mbuf(struct pair *pair)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pair->pool);
	assert_non_null(mbuf);
	return mbuf;
}

static inline void assert_known(const struct side *side, const uint8_t *mac)
{
	const uint8_t *known = tern_neighbours_mac(&side->table, side->other);
	assert_non_null(known);
	assert_memory_equal(known, mac, 6);
}

/* Hand a frame to a side; its answer goes back to the other. Frees the frame. */
static inline enum tern_drop pair_hand(struct pair *pair, struct side *to, struct side *back,
				       struct rte_mbuf *frame, struct tern_neighbour_news *news)
{
	struct rte_mbuf *answer = pair_mbuf(pair);
	struct tern_frame none;
	struct tern_neighbour_news ignored;
	memset(news, 0x55, sizeof(*news));
	assert_drop(tern_frame_read(&to->end, FRAMES_TO, frame, &none), TERN_DROP_NEIGHBOUR);
	enum tern_drop why = tern_neighbours_read(&to->table, frame, pair->now_ns, answer, news);
	if (why == TERN_DROP_NONE && news->is_answered && back)
		assert_drop(
			tern_neighbours_read(&back->table, answer, pair->now_ns, NULL, &ignored),
			TERN_DROP_NONE);
	else if (why != TERN_DROP_NONE || !news->is_answered)
		assert_int_equal(rte_pktmbuf_pkt_len(answer), 0);
	rte_pktmbuf_free(answer);
	rte_pktmbuf_free(frame);
	return why;
}

/* What a side asks now; NULL: nothing. */
static inline struct rte_mbuf *pair_ask(struct pair *pair, struct side *side)
{
	struct rte_mbuf *frame = pair_mbuf(pair);
	if (tern_neighbours_ask(&side->table, pair->now_ns, frame))
		return frame;
	assert_int_equal(rte_pktmbuf_pkt_len(frame), 0);
	rte_pktmbuf_free(frame);
	return NULL;
}

static inline void pair_meet(struct pair *pair)
{
	struct tern_neighbour_news news;
	struct rte_mbuf *asked = pair_ask(pair, &pair->a);
	assert_non_null(asked);
	assert_null(pair_ask(pair, &pair->a));
	assert_drop(pair_hand(pair, &pair->b, &pair->a, asked, &news), TERN_DROP_NONE);
	assert_true(news.is_answered && news.is_changed);
	assert_int_equal(news.index, pair->b.other);
}

/* A read that must be of no use, and leave the table as it is. */
static inline enum tern_drop pair_judge(struct pair *pair, struct side *side,
					struct rte_mbuf *frame)
{
	struct side before = *side;
	struct tern_neighbour_news news, untouched;
	struct rte_mbuf *answer = pair_mbuf(pair);
	memset(&news, 0x55, sizeof(news));
	memset(&untouched, 0x55, sizeof(untouched));
	enum tern_drop why = tern_neighbours_read(&side->table, frame, pair->now_ns, answer, &news);
	if (why != TERN_DROP_NONE) {
		assert_memory_equal(&before, side, sizeof(before));
		assert_memory_equal(&news, &untouched, sizeof(news));
		assert_int_equal(rte_pktmbuf_pkt_len(answer), 0);
	}
	rte_pktmbuf_free(answer);
	return why;
}

static inline int pair_pool_open(void **state)
{
	*state = mbufs_pool("neighbours", PAIR_FRAMES, 256, 0);
	return 0;
}

static inline int pair_pool_close(void **state)
{
	assert_int_equal(rte_mempool_avail_count(*state), PAIR_FRAMES);
	rte_mempool_free(*state);
	return 0;
}

#endif
