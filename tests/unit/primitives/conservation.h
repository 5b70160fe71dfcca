/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONSERVATION_H
#define CONSERVATION_H

/*
 * The books of a run: what became of every signal, firing, watch, refusal and request. The parties
 * that do things to each other (conservation_acts.h) write in them what they see; whether they
 * balance is asked in conservation_checks.h.
 */
#include "tests/unit/support.h"

enum {
	PARTIES = 64,
	PRESENT = 12,
	ENTRIES = 100000,
	ALARMS = 3,
	KEYS = 3, /* of a conflating receiver: two, and signals without one */
	FREED = 64,
	HOG = 20000, /* capacity of those who fill memory */
	BLOCK_SMALL = 64,
	BLOCK_LARGE = 6000,
	TYPE_DATA = 1,
	TYPE_ALARM = 900,
	TYPE_FD = 901,
};

enum kind {
	HANDLER,
	CRITICAL,
	ROAMER,
	FIBER,
	ROAMING_FIBER,
	THREAD,	     /* attached, with on_event */
	THREAD_DEAF, /* with a handler, without on_event: asks for ends with tern_wait() */
	THREAD_MUTE, /* without a behaviour: what is sent to it is lost */
};

/* What is known of one signal; its number is its place here. */
struct entry {
	uint8_t from; /* parties */
	uint8_t to;
	uint8_t refused;
	uint8_t handled;
	uint8_t returned;
};

/* A timer in memory of its own, that is freed as soon as that is allowed. */
struct alarm {
	struct tern_timer timer;
	uint64_t due_least; /* of the next firing: exact on a virtual clock */
	uint64_t due_most;
	uint64_t slack; /* by which ns may be off: ticks are fractions of them */
	uint64_t period;
	bool armed;
};

/* What one party knows of another. */
struct tie {
	uint32_t last[KEYS]; /* newest number handled, from it */
	uint32_t last_back;  /* newest number that came back from it */
	uint32_t refused;    /* sends to it that were refused, to be told */
	uint32_t released;
	uint32_t watched;
	uint32_t told;
	bool waits; /* a refusal has not been told yet */
};

struct run;

/* One life of an agent, or of a thread's way in. */
struct party {
	struct run *run;
	struct tern_rng rng;
	uint32_t number;
	enum kind kind;
	enum tern_policy policy;
	bool is_quiet;	 /* it never acts */
	uint32_t pumps;	 /* party that it sends much to, for each signal; 0: none */
	bool hears;	 /* it has on_event */
	bool is_pressed; /* as it was told */
	bool was_paused; /* somebody asked for it */
	bool stop_asked;
	bool finish_asked;
	bool finish_timed;    /* by a deadline */
	uint32_t finish_from; /* numbers below were given out before it was asked to finish */
	tern_address address;
	struct alarm *alarms[ALARMS];
	void *freed[FREED];
	uint32_t freed_count;
	int fd; /* 0: none yet */
	bool fd_waits;
	bool fd_written;
	uint32_t sending; /* number of the signal that a fiber waits to send */
	uint32_t refused;
	uint32_t released;
	uint32_t started;
	uint32_t ended;
	enum tern_end why;
	int64_t result;
	struct tie ties[PARTIES];
};

struct run {
	struct world world;
	uint64_t seed;
	bool is_gentle; /* nobody that sends ends, and all who are sent back look */
	bool fills;	/* mailbox memory is to run out */
	bool ran_out;	/* and it did: signals went back for want of it */
	struct party parties[PARTIES];
	uint32_t born;
	uint32_t threads; /* parties attached now, of which some spawn */
	uint32_t present[PRESENT];
	struct entry books[ENTRIES + 1];
	uint32_t numbers;
	uint64_t accepted;
	uint64_t handled;
	uint64_t returned;
	uint64_t firings;
	uint64_t readies; /* descriptors that a handler was told of */
	uint64_t faults;
	uint64_t told;
	uint64_t released;
	int64_t budget;
	uint64_t acting;
	uint64_t waiting; /* fibers that wait to send */
	uint64_t closing; /* firings cancel their timers */
	uint64_t broken;
	uint64_t disordered;	      /* a signal that came back behind a later one; 0: none */
	struct tern_lcore_stats last; /* polled: counters when the last agent ended */
};

static void broken(struct run *run, const char *how, uint64_t who, uint64_t number)
{
	if (note(&run->broken) == 0)
		print_message("TERN_SEED=%" PRIu64 ": party %" PRIu64 " of kind %d, number %" PRIu64
			      ": %s\n",
			      run->seed, who, (int)run->parties[who].kind, number, how);
}

static bool is_thread(const struct party *party)
{
	return party->kind >= THREAD;
}

static bool is_fiber(const struct party *party)
{
	return party->kind == FIBER || party->kind == ROAMING_FIBER;
}

/* Whether it asks for ends, rather than being told. */
static bool asks_for_ends(const struct party *party)
{
	return is_fiber(party) || party->kind == THREAD_DEAF || party->kind == THREAD_MUTE;
}

static struct party *party_of(struct run *run, tern_address address)
{
	uint32_t born = seen(&run->born);
	for (uint32_t i = 0; i < born && i < PARTIES; i++)
		if (seen(&run->parties[i].address) == address)
			return &run->parties[i];
	return NULL;
}

/* The next number for a signal of this party; 0: the books are full. */
static uint32_t enter(struct party *party, const struct party *to)
{
	struct run *run = party->run;
	uint32_t number = note(&run->numbers) + 1;
	if (number > ENTRIES)
		return 0;
	put(&run->books[number].from, (uint8_t)party->number);
	put(&run->books[number].to, (uint8_t)to->number);
	return number;
}

/* Only those who can be told keep refusals: no fiber, and none that ends. */
static void enter_refusal(struct party *party, const struct party *to)
{
	struct tie *tie = &party->ties[to->number];
	if (!party->hears || is_fiber(party) || party->ended)
		return;
	party->refused++;
	tie->refused++;
	put(&tie->waits, true);
}

static void enter_result(struct party *party, const struct party *to, uint32_t number, int code)
{
	if (code == 0) {
		note(&party->run->accepted);
		return;
	}
	put(&party->run->books[number].refused, 1);
	if (code == -EAGAIN)
		enter_refusal(party, to);
}

static void check_in(struct party *party, uint64_t number, uint32_t key)
{
	struct run *run = party->run;
	if (!number || number > ENTRIES) {
		broken(run, "a foreign signal", party->number, number);
		return;
	}
	struct entry *entry = &run->books[number];
	uint32_t from = seen(&entry->from);
	struct tie *tie = &party->ties[from];
	if (note(&entry->handled) || seen(&entry->returned) || seen(&entry->refused))
		broken(run, "a signal arrived twice", party->number, number);
	if (seen(&entry->to) != party->number)
		broken(run, "a signal arrived at another", party->number, number);
	if (number <= tie->last[key])
		broken(run, "a signal arrived out of order", party->number, number);
	/* Who asks for ends and for signals does so in the order it likes. */
	if (tie->told && !asks_for_ends(party))
		broken(run, "a signal arrived after the end of its sender was told", party->number,
		       number);
	tie->last[key] = (uint32_t)number;
	note(&run->handled);
}

static void check_back(struct party *party, uint64_t number)
{
	struct run *run = party->run;
	if (!number || number > ENTRIES) {
		broken(run, "a foreign signal came back", party->number, number);
		return;
	}
	struct entry *entry = &run->books[number];
	const struct party *to = &run->parties[seen(&entry->to)];
	struct tie *tie = &party->ties[to->number];
	if (note(&entry->returned) || seen(&entry->handled))
		broken(run, "a signal came back twice", party->number, number);
	if (seen(&entry->from) != party->number)
		broken(run, "a signal came back to another", party->number, number);
	/* Conflating, a signal takes another's turn; one without memory goes back at once. */
	if (number <= tie->last_back && to->policy != TERN_POLICY_CONFLATE)
		put(&run->disordered, number);
	tie->last_back = (uint32_t)number;
	note(&run->returned);
}

static void check_end(struct party *party, const struct tern_ended *ended)
{
	struct run *run = party->run;
	const struct party *subject = party_of(run, ended->agent);
	if (!subject || !seen(&subject->ended)) {
		broken(run, "told of an end that was none", party->number, ended->agent);
		return;
	}
	struct tie *tie = &party->ties[subject->number];
	put(&tie->told, tie->told + 1);
	if (tie->told > tie->watched)
		broken(run, "told of more ends than were watched", party->number, subject->number);
	if (ended->why != subject->why || ended->result != subject->result)
		broken(run, "told of another end", party->number, subject->number);
	note(&run->told);
}

static void check_released(struct party *party, tern_address who)
{
	struct run *run = party->run;
	if (++party->released > party->refused)
		broken(run, "released more often than refused", party->number, who);
	note(&run->released);
	for (uint32_t i = 0; who == TERN_ADDRESS_NONE && i < PARTIES; i++)
		put(&party->ties[i].waits, false);
	if (who == TERN_ADDRESS_NONE)
		return;
	const struct party *to = party_of(run, who);
	if (!to) {
		broken(run, "released by nobody", party->number, who);
		return;
	}
	struct tie *tie = &party->ties[to->number];
	put(&tie->waits, false);
	if (++tie->released > tie->refused)
		broken(run, "released by one more often than refused", party->number, to->number);
}

static void check_pressure(struct party *party, bool on)
{
	if (party->is_pressed == on)
		broken(party->run, "told of the same pressure twice", party->number, on);
	party->is_pressed = on;
}

#endif
