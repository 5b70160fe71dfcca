/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_GENERATOR_H
#define FEED_GENERATOR_H

#include "book/book.h"
#include "format/itch.h"

#include <stdbool.h>
#include <stdint.h>

#define GENERATOR_SYMBOLS_MAX 10000

/** Makes a fragment of a trading day as ITCH messages, the same ones for the same options. */
struct generator;

struct generator_options {
	uint64_t seed;
	uint64_t message_count; /* yielded in all, opening and closing messages included */
	uint32_t symbol_count;	/* 1..GENERATOR_SYMBOLS_MAX; stock locates 1 and up */
};

/**
 * Create a generator.
 *
 * The messages open the day (S, R, H, Y, opening crosses Q), trade (A, F, E, C, X, D, U, P), and
 * close it (Q, S). They are consistent: every reference is of a resting order, executions take the
 * best price first and the oldest order there first, books never cross. Time is exponential with
 * bursts of tens of messages within microseconds, about 25 messages/s and symbol, faster if that
 * many messages would not fit into a trading day. With fewer messages than opening and closing
 * take, the sequence is cut off.
 *
 * @param options  borrows
 * @param created  out: owned by the caller, who ends it with generator_destroy()
 * @return 0, -EINVAL if symbol_count is out of range, -ENOMEM
 *
 * Context: any one thread, as all functions here. Nothing but create allocates. Integers only, so
 * that the messages do not depend on the machine.
 */
int generator_create(const struct generator_options *options, struct generator **created);

/**
 * Yield the next message.
 *
 * @param message  written if true is returned
 * @return false when all messages have been yielded
 */
bool generator_next(struct generator *generator, struct itch_message *message);

/** A resting order of the generator, for comparison with a book. */
struct generator_order {
	uint64_t reference;
	uint32_t price;
	uint32_t shares;
};

/**
 * The resting orders of one side of a symbol, worst first, the next to be executed last.
 *
 * @param symbol  0..symbol_count - 1; its stock locate is symbol + 1
 * @param side    enum book_side_index
 * @param count   out: number of orders
 * @return the orders. Yields, valid until the next message
 */
const struct generator_order *generator_orders(const struct generator *generator, uint32_t symbol,
					       enum book_side_index side, uint32_t *count);

/** Free the generator; NULL is fine. Consumes `generator`. */
void generator_destroy(struct generator *generator);

#endif
