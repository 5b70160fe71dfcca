/* SPDX-License-Identifier: Apache-2.0 */
#include "executor_agent.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int executor_agent_init(struct executor_agent *executor, uint32_t working_max)
{
	memset(executor, 0, sizeof(*executor));
	executor->working_max = working_max;
	executor->orders = calloc(working_max, sizeof(*executor->orders));
	executor->free_handles = calloc(working_max, sizeof(*executor->free_handles));
	if (!executor->orders || !executor->free_handles)
		return -ENOMEM;
	while (executor->free_count < working_max) {
		executor->free_handles[executor->free_count] = executor->free_count;
		executor->free_count++;
	}
	return outbox_make(&executor->outbox, working_max + 1);
}

void executor_agent_fini(struct executor_agent *executor)
{
	outbox_free(&executor->outbox);
	free(executor->orders);
	free(executor->free_handles);
	executor->orders = NULL;
	executor->free_handles = NULL;
}

static void on_order(struct tern_agent *self, struct executor_agent *executor,
		     const struct swarm_order *order) TERN_OWNS(self)
{
	uint64_t now = tern_now(self);
	tern_histogram_record(&executor->tick_to_trade,
			      now > order->released_ns ? now - order->released_ns : 0);
	assert(executor->free_count > 0);
	uint32_t handle = executor->free_handles[--executor->free_count];
	executor->orders[handle] = *order;
	executor->accepted_count++;
	const struct swarm_match match = {.handle = handle,
					  .shares = order->shares,
					  .price = order->price,
					  .locate = order->locate,
					  .side = order->side};
	tern_address book = executor->books[order->locate % executor->book_count];
	outbox_send(self, &executor->outbox, book, SWARM_MATCH, &match, sizeof(match));
}

static enum swarm_outcome outcome_of(const struct swarm_order *order,
				     const struct swarm_matched *matched)
{
	if (matched->rejected)
		return SWARM_REJECTED;
	if (matched->shares == 0)
		return SWARM_MISSED;
	return matched->shares == order->shares ? SWARM_FILLED : SWARM_PARTLY;
}

static void end_if_idle(struct tern_agent *self, struct executor_agent *executor) TERN_OWNS(self)
{
	const struct swarm_end end = {.sender = tern_self(self)};
	if (executor->ending && executor->free_count == executor->working_max)
		outbox_send(self, &executor->outbox, executor->risk, SWARM_END, &end, sizeof(end));
}

static void on_matched(struct tern_agent *self, struct executor_agent *executor,
		       const struct swarm_matched *matched) TERN_OWNS(self)
{
	const struct swarm_order *order = &executor->orders[matched->handle];
	const struct swarm_report report = {.id = order->id,
					    .ordered = order->shares,
					    .filled = matched->shares,
					    .price = matched->price,
					    .locate = order->locate,
					    .side = order->side,
					    .strategy = order->strategy,
					    .outcome = (uint8_t)outcome_of(order, matched)};
	executor->outcomes[report.outcome]++;
	executor->turnover += (uint64_t)report.filled * report.price;
	if (order->side == SWARM_BUY)
		executor->bought_shares += report.filled;
	else
		executor->sold_shares += report.filled;
	executor->free_handles[executor->free_count++] = matched->handle;
	outbox_send(self, &executor->outbox, executor->risk, SWARM_REPORT, &report, sizeof(report));
	end_if_idle(self, executor);
}

TERN_HANDLER(static, executor_handler)
{
	struct executor_agent *executor = state;
	switch (tern_signal_type(signal)) {
	case SWARM_ORDER:
		on_order(self, executor, tern_signal_data(signal));
		break;
	case SWARM_MATCHED:
		on_matched(self, executor, tern_signal_data(signal));
		break;
	case SWARM_END:
		executor->ending = true;
		end_if_idle(self, executor);
		break;
	default:
		break;
	}
}

static void executor_event(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self)
{
	struct executor_agent *executor = state;
	tern_outbox_event(self, &executor->outbox, event);
}

const struct tern_behaviour executor_agent_behaviour = {
	.name = "executor", .handler = executor_handler, .on_event = executor_event};
