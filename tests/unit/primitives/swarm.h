/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_H
#define SWARM_H

/*
 * Agents that do random things to each other, and the books that are kept of every signal: who
 * sent it to whom, and what became of it. Each life has its own seed, so that what one does
 * depends on nothing but what it is sent.
 */
#include "tests/unit/support.h"

enum { PRESENT = 16, LIVES = 160, SIGNALS = 6000, BLOCK = 200, TIMER = 999, THREADS = 2 };

/* What is known of one signal; its number is its place here. */
struct entry {
	uint32_t from; /* lives */
	uint32_t to;
	uint32_t refused;
	uint32_t handled;
	uint32_t returned;
};

struct swarm;

/* One life of an agent, or a thread's way in. */
struct life {
	struct swarm *swarm;
	struct tern_rng rng;
	uint32_t number;
	bool is_thread;
	enum tern_policy policy;
	tern_address address;
	struct tern_timer timer;
	uint32_t started;
	uint32_t stopped;
	uint32_t last[LIVES];	   /* newest number handled, by sender */
	uint32_t last_back[LIVES]; /* newest number that came back, by receiver */
};

struct swarm {
	struct world world;
	struct life lives[LIVES];
	uint32_t born;
	uint32_t present[PRESENT]; /* lives to send to */
	struct entry books[SIGNALS + 1];
	uint32_t numbers;
	uint64_t accepted;
	uint64_t handled;
	uint64_t returned;
	uint64_t broken;
	uint64_t hash; /* polled: of all that happened */
	int64_t budget;
	uint64_t acting; /* functions that are at it now */
};

static void trace(struct swarm *swarm, uint64_t what, uint64_t who, uint64_t number)
{
	struct tern_rng mix = {.state = swarm->hash ^ what << 60 ^ who << 40 ^ number};
	if (swarm->world.polled)
		swarm->hash = tern_rng_next(&mix);
}

static void broken(struct swarm *swarm, const char *how, uint64_t number)
{
	if (note(&swarm->broken) == 0)
		print_message("signal %" PRIu64 ": %s\n", number, how);
}

/* Payloads: the number, then bytes that follow from it. */
static void fill(unsigned char *bytes, size_t size, uint64_t number)
{
	memcpy(bytes, &number, sizeof(number));
	for (size_t i = sizeof(number); i < size; i++)
		bytes[i] = (unsigned char)(number % 5 + i);
}

static bool holds(const unsigned char *bytes, size_t size, uint64_t number)
{
	unsigned char expected[BLOCK];
	fill(expected, size, number);
	return memcmp(bytes, expected, size) == 0;
}

static uint64_t number_in(struct swarm *swarm, const struct tern_signal *signal)
{
	const unsigned char *bytes = tern_signal_data(signal);
	size_t size = tern_signal_size(signal);
	uint64_t number;
	if (tern_signal_tag_of(signal))
		return tern_tag_address(tern_signal_tag_of(signal));
	if (size == 0) {
		bytes = tern_signal_has_iso(signal) ? tern_iso_data(signal->payload.iso)
						    : tern_val_data(signal->payload.val);
		size = BLOCK;
	}
	memcpy(&number, bytes, sizeof(number));
	if (!holds(bytes, size, number))
		broken(swarm, "foreign bytes", number);
	return number <= SIGNALS ? number : 0;
}

static tern_iso *make_block(struct tern_agent *self, uint64_t number)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), BLOCK);
	if (iso)
		fill(tern_iso_data(iso), BLOCK, number);
	return iso;
}

static bool send_iso(struct tern_agent *self, tern_address to, uint64_t number)
{
	tern_iso *iso = make_block(self, number);
	if (!iso)
		return false;
	iso = tern_signal(self, to, 1, iso);
	bool sent = !iso;
	tern_iso_drop(tern_heap(self), iso);
	return sent;
}

static bool send_val(struct tern_agent *self, tern_address to, uint64_t number)
{
	tern_iso *iso = make_block(self, number);
	if (!iso)
		return false;
	const tern_val *val = tern_iso_freeze(iso);
	const tern_val *left = tern_signal(self, to, 2, tern_val_share(val));
	bool sent = !left;
	tern_val_drop(tern_heap(self), left);
	tern_val_drop(tern_heap(self), val);
	return sent;
}

static bool send_form(struct tern_agent *self, struct life *life, tern_address to, uint64_t number)
{
	unsigned char bytes[TERN_INLINE_MAX];
	size_t size = 8 + pick(&life->rng, TERN_INLINE_MAX - 7);
	switch (pick(&life->rng, 5)) {
	case 0:
		return send_iso(self, to, number);
	case 1:
		return send_val(self, to, number);
	case 2:
		return tern_signal(self, to, 3, tern_tag_make(number)) == 0;
	default:
		fill(bytes, size, number);
		return tern_signal_bytes(self, to, (uint16_t)(number % 3), bytes, size) == 0;
	}
}

/* The next number for a signal of this life; 0: the books are full. */
static uint32_t enter(struct life *life, uint32_t to)
{
	struct swarm *swarm = life->swarm;
	uint32_t number = note(&swarm->numbers) + 1;
	if (number > SIGNALS)
		return 0;
	put(&swarm->books[number].from, life->number);
	put(&swarm->books[number].to, to);
	return number;
}

static void send_some(struct tern_agent *self, struct life *life, uint32_t count)
{
	struct swarm *swarm = life->swarm;
	uint32_t to = seen(&swarm->present[pick(&life->rng, PRESENT)]);
	tern_address address = seen(&swarm->lives[to].address);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = enter(life, to);
		if (!number)
			return;
		bool sent = send_form(self, life, address, number);
		trace(swarm, sent, life->number, number);
		if (sent)
			note(&swarm->accepted);
		else
			put(&swarm->books[number].refused, 1);
	}
}

static const struct tern_behaviour life_behaviour;

static void spawn_one(struct tern_agent *self, struct life *parent)
{
	struct swarm *swarm = parent->swarm;
	struct tern_rng *rng = &parent->rng;
	uint32_t number = note(&swarm->born);
	if (number >= LIVES)
		return;
	struct life *life = &swarm->lives[number];
	struct tern_spawn_options options = {
		.lcore = pick(rng, tern_engine_lcores(swarm->world.engine)),
		.policy = (enum tern_policy)pick(rng, TERN_POLICY_EVICT + 1),
		.priority = (enum tern_priority)pick(rng, 2),
		.capacity = 1 + pick(rng, 60),
		.key_offset = 8,
		.key_length = 1 + pick(rng, 4)};
	tern_address address;
	life->swarm = swarm;
	life->number = number;
	life->policy = options.policy;
	life->rng.state = tern_rng_next(rng);
	int code = tern_spawn(self, &life_behaviour, life, &options, &address);
	trace(swarm, 2, parent->number, number);
	if (code != 0) {
		broken(swarm, "not spawned", number);
		return;
	}
	put(&life->address, address);
	put(&swarm->present[pick(rng, PRESENT)], number);
}

static void stop_one(struct tern_agent *self, struct life *life)
{
	struct swarm *swarm = life->swarm;
	struct life *victim = &swarm->lives[seen(&swarm->present[pick(&life->rng, PRESENT)])];
	if (!victim->is_thread)
		(void)tern_agent_stop(self, seen(&victim->address));
	trace(swarm, 3, life->number, victim->number);
}

/* One random thing; few of them end somebody, so that there is somebody left. */
static void act_once(struct tern_agent *self, struct life *life) TERN_OWNS(self);
static void act_once(struct tern_agent *self, struct life *life)
{
	struct swarm *swarm = life->swarm;
	struct tern_rng *rng = &life->rng;
	switch (pick(rng, 24)) {
	case 0:
		spawn_one(self, life);
		break;
	case 1:
		if (pick(rng, 3) == 0)
			stop_one(self, life);
		break;
	case 2:
		if (!life->is_thread && pick(rng, 3) == 0)
			tern_exit(self, 0);
		break;
	case 3:
		send_some(self, life, 20 + pick(rng, 200));
		break;
	case 4:
		tern_timer_start(self, &life->timer, pick(rng, 5000), pick(rng, 2) * 3000, TIMER);
		break;
	case 5:
		tern_timer_cancel(self, &life->timer);
		break;
	case 6:
	case 7:
		if (swarm->world.polled)
			tern_engine_advance(swarm->world.engine, pick(rng, 4000));
		break;
	default:
		send_some(self, life, 1 + pick(rng, 4));
	}
}

static void act(struct tern_agent *self, struct life *life) TERN_OWNS(self);
static void act(struct tern_agent *self, struct life *life)
{
	struct swarm *swarm = life->swarm;
	__atomic_fetch_add(&swarm->acting, 1, __ATOMIC_SEQ_CST);
	if (__atomic_fetch_sub(&swarm->budget, 1, __ATOMIC_SEQ_CST) > 0)
		act_once(self, life);
	__atomic_fetch_sub(&swarm->acting, 1, __ATOMIC_SEQ_CST);
}

static void check_in(struct life *life, uint64_t number)
{
	struct swarm *swarm = life->swarm;
	struct entry *entry = &swarm->books[number];
	uint32_t from = seen(&entry->from);
	if (note(&entry->handled) != 0 || seen(&entry->returned) || seen(&entry->refused))
		broken(swarm, "arrived twice", number);
	if (!number || seen(&entry->to) != life->number)
		broken(swarm, "at the wrong agent", number);
	if (life->policy != TERN_POLICY_CONFLATE && number <= life->last[from])
		broken(swarm, "out of order", number);
	life->last[from] = (uint32_t)number;
	trace(swarm, 4, life->number, number);
	note(&swarm->handled);
}

TERN_HANDLER(static, life_handle)
{
	struct life *life = state;
	if (!life->is_thread && (life->started != 1 || life->stopped))
		broken(life->swarm, "outside of life", 0);
	if (tern_signal_type(signal) != TIMER) {
		check_in(life, number_in(life->swarm, signal));
		if (pick(&life->rng, 2))
			tern_iso_drop(tern_heap(self), tern_signal_take_iso(signal));
	}
	for (uint32_t i = pick(&life->rng, 3); i; i--)
		act(self, life);
}

static void life_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void life_start(struct tern_agent *self, void *state)
{
	struct life *life = state;
	life->started++;
	act(self, life);
}

static void life_event(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self);
static void life_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct life *life = state;
	struct swarm *swarm = life->swarm;
	for (uint32_t i = 0; event->kind == TERN_EVENT_RETURNED && i < event->returned.count; i++) {
		uint64_t number = number_in(swarm, &event->returned.signals[i]);
		struct entry *entry = &swarm->books[number];
		uint32_t to = seen(&entry->to);
		if (note(&entry->returned) != 0 || seen(&entry->handled))
			broken(swarm, "returned twice", number);
		if (seen(&entry->from) != life->number)
			broken(swarm, "returned to another", number);
		if (number <= life->last_back[to] &&
		    swarm->lives[to].policy != TERN_POLICY_CONFLATE)
			broken(swarm, "returned out of order", number);
		life->last_back[to] = (uint32_t)number;
		trace(swarm, 5, life->number, number);
		note(&swarm->returned);
	}
	if (pick(&life->rng, 2))
		act(self, life);
}

static void life_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
	TERN_OWNS(self);
static void life_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct life *life = state;
	(void)result;
	trace(life->swarm, 6, life->number, why);
	if (life->stopped++)
		broken(life->swarm, "ended twice", life->number);
	if (why != TERN_END_SHUTDOWN)
		act(self, life);
}

static const struct tern_behaviour life_behaviour = {.name = "life",
						     .handler = life_handle,
						     .on_start = life_start,
						     .on_event = life_event,
						     .on_stop = life_stop};

#endif
