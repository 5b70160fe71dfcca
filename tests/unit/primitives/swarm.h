/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_H
#define SWARM_H

/*
 * Agents that do random things to each other (swarm_acts.h), and the books that are kept of every
 * signal: who sent it to whom, and what became of it. Each life has its own seed, so that what one
 * does depends on nothing but what it is sent.
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
	bool is_fiber;
	bool roams;
	enum tern_policy policy;
	tern_address address;
	struct tern_timer timer;
	uint32_t started;
	uint32_t stopped;
	uint32_t inside;  /* its functions that run now */
	uint32_t sending; /* fiber: number of the signal that it waits to send */
	uint32_t watches; /* ends it asked to be told of */
	uint32_t told;
	uint32_t last[LIVES];	   /* newest number handled, by sender */
	uint32_t last_back[LIVES]; /* newest number that came back, by receiver */
	bool ended[LIVES];	   /* whose end it was told of */
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
	uint64_t ticks; /* timers' signals handled */
	uint64_t broken;
	uint64_t hash; /* polled: of all that happened */
	int64_t budget;
	uint64_t acting;  /* functions that are at it now */
	uint64_t waiting; /* fibers that wait to send */
	bool rated;	  /* some lcore keeps rates */
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

/* An agent is run by one lcore at a time, and never entered twice. */
static void enter_life(struct life *life)
{
	if (__atomic_exchange_n(&life->inside, 1, __ATOMIC_RELAXED) != 0)
		broken(life->swarm, "entered twice", life->number);
	if (!life->is_thread && (life->started != 1 || life->stopped))
		broken(life->swarm, "outside of life", life->number);
}

static void leave_life(struct life *life)
{
	put(&life->inside, 0);
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
	/* A fiber asks for ends and for signals in the order it likes. */
	if (life->ended[from] && !life->is_fiber)
		broken(swarm, "after its sender's end", number);
	life->last[from] = (uint32_t)number;
	trace(swarm, 4, life->number, number);
	note(&swarm->handled);
}

static void check_back(struct life *life, const struct tern_signal *signal)
{
	struct swarm *swarm = life->swarm;
	uint64_t number = number_in(swarm, signal);
	struct entry *entry = &swarm->books[number];
	uint32_t to = seen(&entry->to);
	if (note(&entry->returned) != 0 || seen(&entry->handled))
		broken(swarm, "returned twice", number);
	if (seen(&entry->from) != life->number)
		broken(swarm, "returned to another", number);
	/* Conflating, a signal takes another's turn; a full ring's control goes to its end. */
	bool ordered = swarm->lives[to].policy != TERN_POLICY_CONFLATE &&
		       !(life->roams && life->policy == TERN_POLICY_DROP_OLDEST);
	if (number <= life->last_back[to] && ordered)
		broken(swarm, "returned out of order", number);
	life->last_back[to] = (uint32_t)number;
	trace(swarm, 5, life->number, number);
	note(&swarm->returned);
}

static void check_end(struct life *life, const struct tern_ended *ended)
{
	struct swarm *swarm = life->swarm;
	uint32_t number = 0;
	while (number < LIVES && seen(&swarm->lives[number].address) != ended->agent)
		number++;
	trace(swarm, 7, life->number, number);
	if (number == LIVES || !seen(&swarm->lives[number].stopped)) {
		broken(swarm, "told of an end that was none", number);
		return;
	}
	life->ended[number] = true;
	if (++life->told > life->watches)
		broken(swarm, "told of more ends than asked", life->number);
}

#endif
