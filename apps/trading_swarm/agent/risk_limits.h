/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RISK_LIMITS_H
#define RISK_LIMITS_H

#include <stdint.h>

#include "tern_error.h"

/*
 * The limits of risk, in the order in which they are checked, once: the constant, the name, the
 * default and the text all come from this list.
 *
 * X(constant, name, default, text)
 */
#define RISK_LIMITS(X)                                                                        \
	X(ORDER_SHARES, order_shares, 300, "shares in one order")                             \
	X(POSITION_SHARES, position_shares, 1000, "shares of a symbol held or on their way")  \
	X(NOTIONAL_USD, notional_usd, 5000000, "dollars held or on their way in all symbols") \
	X(COLLAR_BP, collar_bp, 50, "basis points from the reference price")                  \
	X(OPEN_ORDERS, open_orders, 32, "orders working at once")                             \
	X(ORDERS_PER_S, orders_per_s, 10000, "orders a second, bursts of a tenth of that")

#define RISK_LIMIT_CONSTANT(constant, name, initial, text) RISK_##constant,
enum risk_limit { RISK_LIMITS(RISK_LIMIT_CONSTANT) RISK_LIMIT_COUNT, RISK_PASSED };

#define RISK_LIMIT_MAX 1000000000u

struct risk_limits {
	uint64_t max[RISK_LIMIT_COUNT];
};

/** Name and text of a limit. Context: any thread. */
const char *risk_limit_name(enum risk_limit limit);
const char *risk_limit_text(enum risk_limit limit);

/** Fill in the defaults. Context: any thread. */
void risk_limits_init(struct risk_limits *limits);

/**
 * Set one limit from `name=number`.
 *
 * @return 0; -EINVAL: no such limit, or no number from 0 to RISK_LIMIT_MAX; nothing has changed
 *
 * Context: any thread. Borrows all arguments.
 */
int risk_limits_set(struct risk_limits *limits, const char *assignment, struct tern_error *error);

#endif
