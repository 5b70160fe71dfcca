/* SPDX-License-Identifier: Apache-2.0 */
#include "risk_agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOCATES 65536u
#define SECOND_NS UINT64_C(1000000000)
#define BURST_NS (SECOND_NS / 10)
#define PRICES_PER_USD UINT64_C(10000)

int risk_agent_init(struct risk_agent *risk, uint32_t working_max)
{
	memset(risk, 0, sizeof(*risk));
	risk->tokens = BURST_NS;
	risk->symbols = calloc(LOCATES, sizeof(*risk->symbols));
	if (!risk->symbols)
		return -ENOMEM;
	return outbox_make(&risk->outbox, working_max + SWARM_STRATEGIES_MAX + 1);
}

void risk_agent_fini(struct risk_agent *risk)
{
	outbox_free(&risk->outbox);
	free(risk->symbols);
	risk->symbols = NULL;
}

/* The larger of what a symbol would be worth if all buys, or all sells, under way were filled. */
static uint64_t shares_at_risk(const struct risk_symbol *symbol)
{
	int64_t most = (int64_t)symbol->position + symbol->working_buy;
	int64_t least = (int64_t)symbol->position - symbol->working_sell;
	most = most < 0 ? -most : most;
	least = least < 0 ? -least : least;
	return (uint64_t)(most > least ? most : least);
}

static uint64_t exposure_of(const struct risk_symbol *symbol)
{
	return shares_at_risk(symbol) * symbol->reference;
}

static struct risk_symbol with_order(const struct risk_symbol *symbol,
				     const struct swarm_order *order)
{
	struct risk_symbol then = *symbol;
	if (order->side == SWARM_BUY)
		then.working_buy += order->shares;
	else
		then.working_sell += order->shares;
	return then;
}

static uint64_t distance_bp(uint32_t price, uint32_t reference)
{
	if (reference == 0)
		return UINT64_MAX;
	uint64_t distance = price > reference ? price - reference : reference - price;
	return distance * 10000 / reference;
}

/* A token bucket in time: an order costs a second's share, unused time is saved up to a burst. */
static bool take_token(struct risk_agent *risk, uint64_t now_ns)
{
	uint64_t rate = risk->limits.max[RISK_ORDERS_PER_S];
	uint64_t cost = rate ? SECOND_NS / rate : UINT64_MAX;
	risk->tokens += now_ns - risk->tokens_at_ns;
	risk->tokens_at_ns = now_ns;
	uint64_t most = cost > BURST_NS ? cost : BURST_NS;
	if (risk->tokens > most)
		risk->tokens = most;
	if (risk->tokens < cost)
		return false;
	risk->tokens -= cost;
	return true;
}

/* The first limit that an order breaks, or RISK_PASSED. */
static enum risk_limit check(struct tern_agent *self, struct risk_agent *risk,
			     const struct swarm_order *order) TERN_OWNS(self)
{
	const uint64_t *max = risk->limits.max;
	const struct risk_symbol *symbol = &risk->symbols[order->locate];
	const struct risk_symbol then = with_order(symbol, order);
	const bool grows = shares_at_risk(&then) > shares_at_risk(symbol);
	if (order->shares > max[RISK_ORDER_SHARES])
		return RISK_ORDER_SHARES;
	if (grows && shares_at_risk(&then) > max[RISK_POSITION_SHARES])
		return RISK_POSITION_SHARES;
	if (grows && risk->exposure - exposure_of(symbol) + exposure_of(&then) >
			     max[RISK_NOTIONAL_USD] * PRICES_PER_USD)
		return RISK_NOTIONAL_USD;
	if (distance_bp(order->price, symbol->reference) > max[RISK_COLLAR_BP])
		return RISK_COLLAR_BP;
	if (risk->open_count >= max[RISK_OPEN_ORDERS])
		return RISK_OPEN_ORDERS;
	if (!take_token(risk, tern_turn_time(self)))
		return RISK_ORDERS_PER_S;
	return RISK_PASSED;
}

/* Put a new state of a symbol in the place of the old, and keep the sum of all exposures. */
static void replace(struct risk_agent *risk, uint16_t locate, const struct risk_symbol *then)
{
	struct risk_symbol *symbol = &risk->symbols[locate];
	risk->exposure += exposure_of(then) - exposure_of(symbol);
	*symbol = *then;
}

static void refuse(struct tern_agent *self, struct risk_agent *risk,
		   const struct swarm_order *order, enum risk_limit limit) TERN_OWNS(self)
{
	const struct swarm_report report = {.id = order->id,
					    .ordered = order->shares,
					    .locate = order->locate,
					    .side = order->side,
					    .strategy = order->strategy,
					    .outcome = SWARM_REFUSED};
	risk->refused[limit]++;
	outbox_send(self, &risk->outbox, risk->strategies[order->strategy], SWARM_REPORT, &report,
		    sizeof(report));
}

static void on_order(struct tern_agent *self, struct risk_agent *risk,
		     const struct swarm_order *order) TERN_OWNS(self)
{
	enum risk_limit limit = check(self, risk, order);
	risk->order_count++;
	if (limit != RISK_PASSED) {
		refuse(self, risk, order, limit);
		return;
	}
	const struct risk_symbol then = with_order(&risk->symbols[order->locate], order);
	replace(risk, order->locate, &then);
	risk->open_count++;
	risk->passed_count++;
	outbox_send(self, &risk->outbox, risk->executor, SWARM_ORDER, order, sizeof(*order));
}

static void on_report(struct tern_agent *self, struct risk_agent *risk,
		      const struct swarm_report *report) TERN_OWNS(self)
{
	struct risk_symbol then = risk->symbols[report->locate];
	if (report->side == SWARM_BUY) {
		then.working_buy -= report->ordered;
		then.position += (int32_t)report->filled;
	} else {
		then.working_sell -= report->ordered;
		then.position -= (int32_t)report->filled;
	}
	replace(risk, report->locate, &then);
	risk->open_count--;
	risk->report_count++;
	outbox_send(self, &risk->outbox, risk->strategies[report->strategy], SWARM_REPORT, report,
		    sizeof(*report));
}

static void on_reference(struct risk_agent *risk, const struct swarm_reference *reference)
{
	struct risk_symbol then = risk->symbols[reference->locate];
	then.reference = reference->price;
	replace(risk, reference->locate, &then);
	risk->reference_count++;
}

/* From every strategy: no order follows. From the executor: no report follows. */
static void on_end(struct tern_agent *self, struct risk_agent *risk, struct tern_signal *signal)
	TERN_OWNS(self)
{
	const struct swarm_end end = {.sender = tern_self(self)};
	if (tern_signal_from(signal) != risk->executor) {
		if (++risk->ended_strategies == risk->strategy_count)
			outbox_send(self, &risk->outbox, risk->executor, SWARM_END, &end,
				    sizeof(end));
		return;
	}
	for (uint32_t i = 0; i < risk->strategy_count; i++)
		outbox_send(self, &risk->outbox, risk->strategies[i], SWARM_END, &end, sizeof(end));
}

TERN_HANDLER(static, risk_handler)
{
	struct risk_agent *risk = state;
	switch (tern_signal_type(signal)) {
	case SWARM_ORDER:
		on_order(self, risk, tern_signal_data(signal));
		break;
	case SWARM_REPORT:
		on_report(self, risk, tern_signal_data(signal));
		break;
	case SWARM_REFERENCE:
		on_reference(risk, tern_signal_data(signal));
		break;
	case SWARM_END:
		on_end(self, risk, signal);
		break;
	default:
		break;
	}
}

static void risk_event(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self)
{
	struct risk_agent *risk = state;
	tern_outbox_event(self, &risk->outbox, event);
}

const struct tern_behaviour risk_agent_behaviour = {
	.name = "risk", .handler = risk_handler, .on_event = risk_event};
