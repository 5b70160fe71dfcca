/* SPDX-License-Identifier: Apache-2.0 */
#include "book_agent.h"

#include "market_codec.h"
#include "tern_signal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOCATES 65536u
#define EXPECTED_ORDERS 16384
#define REFERENCE_STEP_BP 5 /* risk hears of the middle when it has moved that far */

int book_agent_init(struct book_agent *agent, uint32_t working_max)
{
	memset(agent, 0, sizeof(*agent));
	agent->views = calloc(LOCATES, sizeof(*agent->views));
	agent->stale_locates = calloc(LOCATES, sizeof(*agent->stale_locates));
	if (!agent->views || !agent->stale_locates)
		return -ENOMEM;
	if (book_set_create(EXPECTED_ORDERS, &agent->set) < 0)
		return -ENOMEM;
	return outbox_make(&agent->outbox, working_max + SWARM_STRATEGIES_MAX);
}

void book_agent_fini(struct book_agent *agent)
{
	outbox_free(&agent->outbox);
	book_set_destroy(agent->set);
	free(agent->views);
	free(agent->stale_locates);
	agent->set = NULL;
	agent->views = NULL;
	agent->stale_locates = NULL;
}

static void end_books(struct tern_agent *self, struct book_agent *agent) TERN_OWNS(self)
{
	const struct swarm_end end = {.sender = tern_self(self)};
	agent->ending = false;
	for (uint32_t i = 0; i < agent->strategy_count; i++)
		outbox_send(self, &agent->outbox, agent->strategies[i], SWARM_END, &end,
			    sizeof(end));
}

/* Tell the strategies what they have not heard, oldest first, as far as the lanes let us. */
static void tell_tops(struct tern_agent *self, struct book_agent *agent) TERN_OWNS(self)
{
	while (agent->stale_count) {
		uint16_t locate = agent->stale_locates[agent->stale_head];
		struct book_view *view = &agent->views[locate];
		tern_address to = agent->strategies[locate % agent->strategy_count];
		if (tern_signal_bytes(self, to, SWARM_TOP, &view->top, sizeof(view->top)) != 0)
			return; /* on_event goes on */
		view->stale = false;
		agent->stale_head = (agent->stale_head + 1) % LOCATES;
		agent->stale_count--;
		agent->told_count++;
	}
	if (agent->ending)
		end_books(self, agent);
}

static void mark_stale(struct book_agent *agent, uint16_t locate)
{
	struct book_view *view = &agent->views[locate];
	if (locate / agent->strategy_count >= SWARM_FOLLOWED_MAX) {
		agent->unfollowed_count++;
		return;
	}
	if (view->stale) {
		agent->superseded_count++;
		return;
	}
	view->stale = true;
	agent->stale_locates[(agent->stale_head + agent->stale_count++) % LOCATES] = locate;
}

static void read_side(const struct book *book, enum book_side_index side, uint32_t *price,
		      uint32_t *shares)
{
	const struct book_level *best = book_best(book, side);
	*price = best ? best->price : 0;
	*shares = !best ? 0 : best->shares > UINT32_MAX ? UINT32_MAX : (uint32_t)best->shares;
}

/* A lost reference does no harm: the next top tries again. */
static void tell_reference(struct tern_agent *self, struct book_agent *agent, uint16_t locate)
	TERN_OWNS(self)
{
	struct book_view *view = &agent->views[locate];
	if (view->top.bid == 0 || view->top.ask == 0)
		return;
	struct swarm_reference reference = {.price = view->top.bid / 2 + view->top.ask / 2,
					    .locate = locate};
	int64_t moved = llabs((int64_t)reference.price - view->reference);
	if (moved * 10000 < (int64_t)view->reference * REFERENCE_STEP_BP)
		return;
	if (tern_signal_bytes(self, agent->risk, SWARM_REFERENCE, &reference, sizeof(reference)) ==
	    0)
		view->reference = reference.price;
}

static void update_top(struct tern_agent *self, struct book_agent *agent, uint16_t locate,
		       uint64_t released_ns) TERN_OWNS(self)
{
	const struct book *book = book_set_get(agent->set, locate);
	struct book_view *view = &agent->views[locate];
	if (!book)
		return;
	struct swarm_top top = {.locate = locate, .released_ns = released_ns};
	read_side(book, BOOK_BID, &top.bid, &top.bid_shares);
	read_side(book, BOOK_ASK, &top.ask, &top.ask_shares);
	if (top.bid == view->top.bid && top.ask == view->top.ask &&
	    top.bid_shares == view->top.bid_shares && top.ask_shares == view->top.ask_shares)
		return;
	view->top = top;
	agent->top_count++;
	mark_stale(agent, locate);
	tell_tops(self, agent);
	tell_reference(self, agent, locate);
}

static void apply_market(struct tern_agent *self, struct book_agent *agent,
			 const struct swarm_market *market) TERN_OWNS(self)
{
	struct itch_message message;
	market_decode(market, &message);
	agent->received_count++;
	enum feed_anomaly anomaly = book_set_apply(agent->set, &message);
	if (anomaly != FEED_OK) {
		feed_counters_add(&agent->anomalies, anomaly, 1, market->number);
		return;
	}
	agent->applied_count++;
	if (market->type == 'H')
		agent->views[market->locate].halted = market->code != 'T';
	else
		update_top(self, agent, market->locate, market->released_ns);
}

/* What the best price of the other side offers. Books belong to the feed: nothing is taken out. */
static void answer_match(struct tern_agent *self, struct book_agent *agent,
			 const struct swarm_match *match) TERN_OWNS(self)
{
	const struct book_view *view = &agent->views[match->locate];
	const bool buys = match->side == SWARM_BUY;
	uint32_t price = buys ? view->top.ask : view->top.bid;
	uint32_t shares = buys ? view->top.ask_shares : view->top.bid_shares;
	struct swarm_matched matched = {
		.handle = match->handle, .price = price, .rejected = view->halted || price == 0};
	bool reaches = buys ? price <= match->price : price >= match->price;
	if (!matched.rejected && reaches)
		matched.shares = shares < match->shares ? shares : match->shares;
	agent->match_count++;
	outbox_send(self, &agent->outbox, agent->executor, SWARM_MATCHED, &matched,
		    sizeof(matched));
}

static void restart(struct book_agent *agent)
{
	book_set_clear(agent->set);
	for (uint32_t i = 0; i < LOCATES; i++) {
		agent->views[i].top = (struct swarm_top){.locate = i};
		agent->views[i].reference = 0;
		agent->views[i].halted = false;
	}
}

TERN_HANDLER(static, book_handler)
{
	struct book_agent *agent = state;
	switch (tern_signal_type(signal)) {
	case SWARM_MARKET:
		apply_market(self, agent, tern_signal_data(signal));
		break;
	case SWARM_MATCH:
		answer_match(self, agent, tern_signal_data(signal));
		break;
	case SWARM_RESTART:
		restart(agent);
		break;
	case SWARM_END:
		agent->ending = true;
		tell_tops(self, agent);
		break;
	default:
		break;
	}
}

static void book_event(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self)
{
	struct book_agent *agent = state;
	tern_outbox_event(self, &agent->outbox, event);
	if (event->kind == TERN_EVENT_RELEASED)
		tell_tops(self, agent);
}

const struct tern_behaviour book_agent_behaviour = {
	.name = "book", .handler = book_handler, .on_event = book_event};
