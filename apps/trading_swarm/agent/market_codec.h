/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MARKET_CODEC_H
#define MARKET_CODEC_H

#include <stdbool.h>

#include "format/itch.h"
#include "swarm_signals.h"

/**
 * Pack what a book needs of a message into 40 bytes.
 *
 * @param message  borrows
 * @param market   out: all but released_ns and number, if true is returned
 * @return false: the message is of no concern to a book
 *
 * Context: any thread.
 */
bool market_encode(const struct itch_message *message, struct swarm_market *market);

/** Unpack the fields that a book set reads; others are 0. Context: any thread. Borrows `market`. */
void market_decode(const struct swarm_market *market, struct itch_message *message);

#endif
