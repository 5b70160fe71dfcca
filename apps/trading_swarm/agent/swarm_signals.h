/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SIGNALS_H
#define SWARM_SIGNALS_H

#include <stdint.h>

#include "tern_slot.h"

/*
 * All signals of the swarm: who sends what to whom. Prices are in 1/10000 dollar, times in ns on
 * the engine's clock. `released_ns` is when the market message behind it was due, not when it was
 * sent, so that delay anywhere on the way counts.
 */

#define SWARM_BOOKS_MAX 64u
#define SWARM_STRATEGIES_MAX 64u

/** Symbols a strategy follows at most: its conflating mailbox has a place for each. */
#define SWARM_FOLLOWED_MAX 3072u

/** Orders that a strategy has working at most; bounds everything that waits behind it. */
#define SWARM_WORKING_MAX 16u

enum swarm_signal {
	SWARM_BLOCK,	 /* reader -> feed: an iso, struct feed_block */
	SWARM_GO,	 /* reader -> feed: start the clock */
	SWARM_LAST,	 /* reader -> feed: no block follows */
	SWARM_HALT,	 /* reader -> feed: end now, drop what is not released */
	SWARM_FED,	 /* feed -> reader: everything is released */
	SWARM_PUMP,	 /* feed -> itself: go on */
	SWARM_MARKET,	 /* feed -> book: swarm_market */
	SWARM_RESTART,	 /* feed -> book: new session, empty the books */
	SWARM_TOP,	 /* book -> strategy: swarm_top, conflated by symbol */
	SWARM_REFERENCE, /* book -> risk: swarm_reference */
	SWARM_ORDER,	 /* strategy -> risk -> executor: swarm_order */
	SWARM_MATCH,	 /* executor -> book: swarm_match */
	SWARM_MATCHED,	 /* book -> executor: swarm_matched */
	SWARM_REPORT,	 /* executor -> risk -> strategy: swarm_report */
	SWARM_END,	 /* follows the last signal of its sender, down the chain and back */
	SWARM_DONE,	 /* strategy -> reader: all reports are in */
};

enum swarm_side { SWARM_BUY, SWARM_SELL };

/** What a book needs of an ITCH message. */
struct swarm_market {
	uint64_t released_ns;
	uint64_t reference;
	union {
		uint64_t new_reference; /* U */
		char stock[8];		/* A, F, R, H */
	};
	uint32_t shares;
	uint32_t price;
	uint32_t number; /* of the message in the feed, low half */
	uint16_t locate;
	char type;
	char code; /* side of A and F, trading state of H */
};

/** The best prices of a symbol; 0 where a side is empty. */
struct swarm_top {
	uint64_t locate; /* the key for conflation */
	uint64_t released_ns;
	uint32_t bid;
	uint32_t ask;
	uint32_t bid_shares;
	uint32_t ask_shares;
};

struct swarm_reference {
	uint32_t price;
	uint16_t locate;
};

/** A limit order that is filled at once, as far as the best price allows, or cancelled. */
struct swarm_order {
	uint64_t id;
	uint64_t released_ns;
	uint32_t shares;
	uint32_t price;
	uint16_t locate;
	uint8_t side;
	uint8_t strategy;
};

struct swarm_match {
	uint32_t handle; /* the executor's, comes back */
	uint32_t shares;
	uint32_t price;
	uint16_t locate;
	uint8_t side;
};

struct swarm_matched {
	uint32_t handle;
	uint32_t shares; /* available within the limit, up to those asked for */
	uint32_t price;
	uint8_t rejected; /* the symbol is halted, or nobody is on the other side */
};

/* How an order ended: X(constant, name, text) */
#define SWARM_OUTCOMES(X)                                              \
	X(FILLED, filled, "filled completely")                         \
	X(PARTLY, partly_filled, "filled in part, the rest cancelled") \
	X(MISSED, missed, "cancelled: the price had moved away")       \
	X(REJECTED, rejected, "rejected: symbol halted or side empty") \
	X(REFUSED, refused, "refused by risk")

#define SWARM_OUTCOME_CONSTANT(constant, name, text) SWARM_##constant,
enum swarm_outcome { SWARM_OUTCOMES(SWARM_OUTCOME_CONSTANT) SWARM_OUTCOME_LIMIT };

struct swarm_report {
	uint64_t id; /* of the order; the key, so that reports are never conflated */
	uint32_t ordered;
	uint32_t filled;
	uint32_t price;
	uint16_t locate;
	uint8_t side;
	uint8_t strategy;
	uint8_t outcome;
};

/** Of SWARM_END and SWARM_DONE. */
struct swarm_end {
	uint64_t sender; /* the key */
};

_Static_assert(sizeof(struct swarm_market) == TERN_INLINE_MAX, "a market message fits exactly");
_Static_assert(sizeof(struct swarm_top) <= TERN_INLINE_MAX, "by value");
_Static_assert(sizeof(struct swarm_order) <= TERN_INLINE_MAX, "by value");
_Static_assert(sizeof(struct swarm_report) <= TERN_INLINE_MAX, "by value");

#endif
