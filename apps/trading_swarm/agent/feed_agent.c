/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_agent.h"

#include "market_codec.h"
#include "tern_signal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64	    /* messages released per activation */
#define TIMER_NS 4000	    /* waits up to this long go by signals to itself */
#define TIMER_EARLY_NS 2000 /* timers are set that much early, as they may be late */
#define RETRY_NS 2000

int feed_agent_init(struct feed_agent *feed)
{
	memset(feed, 0, sizeof(*feed));
	return outbox_make(&feed->outbox, 2 * SWARM_BOOKS_MAX + 1);
}

void feed_agent_fini(struct feed_agent *feed)
{
	outbox_free(&feed->outbox);
}

/* Come back after a while: exactly one timer or signal to itself is under way then. */
static void come_back(struct tern_agent *self, struct feed_agent *feed, uint64_t delay_ns)
	TERN_OWNS(self)
{
	if (feed->waiting)
		return;
	feed->waiting = true;
	if (delay_ns <= TIMER_NS &&
	    tern_signal_bytes(self, tern_self(self), SWARM_PUMP, NULL, 0) == 0)
		return;
	delay_ns = delay_ns > TIMER_NS ? delay_ns - TIMER_EARLY_NS : delay_ns;
	tern_timer_start(self, &feed->timer, delay_ns, 0, SWARM_PUMP);
}

static void broadcast(struct tern_agent *self, struct feed_agent *feed, uint16_t type)
	TERN_OWNS(self)
{
	const struct swarm_end end = {.sender = tern_self(self)};
	for (uint32_t i = 0; i < feed->book_count; i++)
		outbox_send(self, &feed->outbox, feed->books[i], type, &end, sizeof(end));
}

static void end_feed(struct tern_agent *self, struct feed_agent *feed) TERN_OWNS(self)
{
	const struct swarm_end end = {.sender = tern_self(self)};
	feed->ended = true;
	feed->end_ns = tern_now(self);
	broadcast(self, feed, SWARM_END);
	outbox_send(self, &feed->outbox, feed->reader, SWARM_FED, &end, sizeof(end));
}

static const struct feed_record *peek(struct feed_agent *feed)
{
	return feed->first ? &feed_block_iso(feed->first)->records[feed->record] : NULL;
}

static void drop_block(struct tern_agent *self, struct feed_agent *feed) TERN_OWNS(self)
{
	tern_iso *done = feed->first;
	feed->first = feed_block_iso(done)->next;
	feed->record = 0;
	tern_iso_drop(tern_heap(self), done);
}

static void advance(struct tern_agent *self, struct feed_agent *feed) TERN_OWNS(self)
{
	feed->read_count++;
	feed->restart_sent = false;
	feed->stalled = false;
	if (++feed->record == feed_block_iso(feed->first)->count)
		drop_block(self, feed);
}

/* Time stamps that are absent or run backwards do not: such a message is due with the one before.
 */
static uint64_t due_ns(struct feed_agent *feed, const struct feed_record *record)
{
	if (feed->first_timestamp_ns == 0)
		feed->first_timestamp_ns = record->timestamp_ns;
	uint64_t elapsed = 0;
	if (record->timestamp_ns > feed->first_timestamp_ns)
		elapsed = record->timestamp_ns - feed->first_timestamp_ns;
	uint64_t due = feed->start_ns + pace_due_ns(&feed->pace, feed->read_count, elapsed);
	if (due > feed->last_due_ns)
		feed->last_due_ns = due;
	return feed->last_due_ns;
}

static bool send_market(struct tern_agent *self, struct feed_agent *feed,
			const struct feed_record *record, uint64_t released_ns) TERN_OWNS(self)
{
	struct itch_message message;
	struct swarm_market market;
	itch_decode(record->bytes, record->length, &message);
	if (!market_encode(&message, &market)) {
		feed->informative_count++;
	} else {
		market.released_ns = released_ns;
		market.number = (uint32_t)feed->read_count + 1;
		tern_address book = feed->books[market.locate % feed->book_count];
		if (tern_signal_bytes(self, book, SWARM_MARKET, &market, sizeof(market)) != 0)
			return false;
		feed->routed_count++;
	}
	feed->types[(uint8_t)message.type]++;
	return true;
}

/* Returns false where the message must wait: something in front of it, or it itself, was refused.
 */
static bool release(struct tern_agent *self, struct feed_agent *feed,
		    const struct feed_record *record, uint64_t released_ns) TERN_OWNS(self)
{
	if (record->restarted && !feed->restart_sent) {
		broadcast(self, feed, SWARM_RESTART);
		feed->restart_sent = true;
	}
	if (feed->outbox.count)
		return false;
	if (record->anomaly != FEED_OK)
		feed->undecodable_count++;
	else if (!send_market(self, feed, record, released_ns))
		return false;
	return true;
}

/* Release what is due now, up to a batch. Returns ns after which to come back. */
static uint64_t pump_batch(struct tern_agent *self, struct feed_agent *feed) TERN_OWNS(self)
{
	const bool paced = feed->pace.kind != PACE_MAX;
	const struct feed_record *record;
	uint64_t now = tern_now(self);
	for (int i = 0; i < BATCH && (record = peek(feed)) != NULL; i++) {
		uint64_t due = paced ? due_ns(feed, record) : now;
		if (due > now && due > (now = tern_now(self)))
			return due - now;
		if (!release(self, feed, record, due)) {
			feed->stall_count += !feed->stalled;
			feed->stalled = true;
			return RETRY_NS;
		}
		if (paced)
			tern_histogram_record(&feed->late, now - due);
		advance(self, feed);
	}
	return 0;
}

static void pump(struct tern_agent *self, struct feed_agent *feed) TERN_OWNS(self)
{
	if (!feed->running || feed->ended)
		return;
	uint64_t delay_ns = pump_batch(self, feed);
	if (feed->first)
		come_back(self, feed, delay_ns);
	else if (feed->last)
		end_feed(self, feed);
}

static void halt(struct tern_agent *self, struct feed_agent *feed) TERN_OWNS(self)
{
	if (feed->ended)
		return;
	for (; feed->first; drop_block(self, feed))
		feed->discarded_count += feed_block_iso(feed->first)->count - feed->record;
	tern_timer_cancel(self, &feed->timer);
	end_feed(self, feed);
}

static void take_block(struct tern_agent *self, struct feed_agent *feed, tern_iso *iso)
	TERN_OWNS(self)
{
	if (feed->ended) { /* on its way while the feed was halted */
		feed->discarded_count += feed_block_iso(iso)->count;
		tern_iso_drop(tern_heap(self), iso);
		return;
	}
	feed_block_iso(iso)->next = NULL;
	if (feed->first)
		feed_block_iso(feed->newest)->next = iso;
	else
		feed->first = iso;
	feed->newest = iso;
}

TERN_HANDLER(static, feed_handler)
{
	struct feed_agent *feed = state;
	switch (tern_signal_type(signal)) {
	case SWARM_BLOCK:
		if (tern_signal_has_iso(signal))
			take_block(self, feed, tern_signal_take_iso(signal));
		if (!feed->waiting)
			pump(self, feed);
		break;
	case SWARM_GO:
		feed->running = true;
		feed->start_ns = tern_now(self);
		pump(self, feed);
		break;
	case SWARM_LAST:
		feed->last = true;
		if (!feed->waiting)
			pump(self, feed);
		break;
	case SWARM_PUMP:
		feed->waiting = false;
		pump(self, feed);
		break;
	case SWARM_HALT:
		halt(self, feed);
		break;
	default:
		break;
	}
}

static void feed_event(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self)
{
	struct feed_agent *feed = state;
	tern_outbox_event(self, &feed->outbox, event);
}

const struct tern_behaviour feed_agent_behaviour = {
	.name = "feed", .handler = feed_handler, .on_event = feed_event};
