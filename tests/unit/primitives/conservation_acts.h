/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONSERVATION_ACTS_H
#define CONSERVATION_ACTS_H

/*
 * What a party does, as a handler, a fiber or a thread: it sends, spawns parties of every kind,
 * asks others to pause, go on, finish or end, watches them, arms and cancels timers, waits for
 * descriptors, fails, faults and leaves.
 */
#include "conservation_due.h"
#include "conservation_sends.h"
#include "engine_inside.h"
#include "tests/unit/engine/faulty.h"

static const struct tern_behaviour handler_behaviour;
static const struct tern_behaviour fiber_behaviour;

static struct party *choose(struct party *party)
{
	struct run *run = party->run;
	return &run->parties[seen(&run->present[pick(&party->rng, PRESENT)])];
}

/* A place in the books; NULL: they are full. */
static struct party *enter_party(struct run *run, enum kind kind, uint64_t seed)
{
	uint32_t number = note(&run->born);
	if (number >= PARTIES)
		return NULL;
	struct party *party = &run->parties[number];
	party->run = run;
	party->number = number;
	party->kind = kind;
	party->hears = kind != THREAD_DEAF && kind != THREAD_MUTE;
	party->rng.state = seed;
	return party;
}

static uint32_t pick_capacity(struct run *run, struct tern_rng *rng, bool is_hog)
{
	if (is_hog && run->fills)
		return HOG;
	return pick(rng, 2) ? 1 + pick(rng, 6) : 1 + pick(rng, 200);
}

/* Of a run that fills memory, all that is sent to the quiet lies on one lcore. */
static uint32_t pick_lcore(struct run *run, struct tern_rng *rng, bool is_hog)
{
	if (is_hog && run->fills)
		return 0;
	return pick(rng, 4) ? pick(rng, tern_engine_lcores(run->world.engine)) : TERN_LCORE_ANY;
}

static void fill_options(struct party *party, struct tern_rng *rng,
			 struct tern_spawn_options *options)
{
	struct run *run = party->run;
	*options = (struct tern_spawn_options){
		.lcore = pick_lcore(run, rng, party->is_quiet),
		.policy = (enum tern_policy)pick(rng, TERN_POLICY_BLOCK + 1),
		.priority = (enum tern_priority)((int)pick(rng, 3) + TERN_PRIORITY_LOW),
		.capacity = pick_capacity(run, rng, party->is_quiet),
		.key_offset = sizeof(uint64_t),
		.key_length = 1,
		.slice_us = pick(rng, 4) ? 0 : 1 + pick(rng, 20),
		.watch = pick(rng, 4) == 0};
	options->roaming = party->kind == ROAMER || party->kind == ROAMING_FIBER;
	if (party->kind == CRITICAL)
		options->priority = TERN_PRIORITY_CRITICAL;
	if ((options->roaming && options->policy == TERN_POLICY_CONFLATE) ||
	    (run->is_gentle && !party->is_quiet && options->policy == TERN_POLICY_EVICT))
		options->policy = TERN_POLICY_DROP_OLDEST;
	/* Those who drop hold little. */
	if (run->fills && party->is_quiet && pick(rng, 4))
		options->policy = pick(rng, 2) ? TERN_POLICY_REFUSE : TERN_POLICY_BLOCK;
	if (options->policy == TERN_POLICY_CONFLATE && options->capacity > TERN_CONFLATE_MAX)
		options->capacity = TERN_CONFLATE_MAX;
}

static struct party *spawn_as(struct tern_agent *self, struct party *parent, enum kind kind,
			      bool is_quiet)
{
	struct run *run = parent->run;
	struct tern_rng *rng = &parent->rng;
	struct tern_spawn_options options;
	struct party *party = enter_party(run, kind, tern_rng_next(rng));
	tern_address address;
	if (!party)
		return NULL;
	party->is_quiet = is_quiet;
	fill_options(party, rng, &options);
	party->policy = options.policy;
	int code = tern_spawn(self, is_fiber(party) ? &fiber_behaviour : &handler_behaviour, party,
			      &options, &address);
	if (code != 0 && code != -EAGAIN && code != -ENOMEM)
		broken(run, "not spawned", party->number, (uint64_t)-code);
	if (code != 0)
		return NULL;
	put(&parent->ties[party->number].watched, options.watch);
	put(&party->address, address);
	put(&run->present[pick(rng, PRESENT)], party->number);
	return party;
}

static struct party *spawn_one(struct tern_agent *self, struct party *parent, bool is_quiet)
{
	return spawn_as(self, parent, (enum kind)pick(&parent->rng, ROAMING_FIBER + 1), is_quiet);
}

static void ask_to_finish(struct tern_agent *self, struct party *party, struct party *other)
{
	bool timed = pick(&party->rng, 2);
	uint32_t from = seen(&party->run->numbers) + 1;
	uint64_t timeout = timed ? pick(&party->rng, 30000) : TERN_FOREVER;
	if (tern_agent_finish(self, seen(&other->address), timeout) != 0)
		return;
	if (timed)
		put(&other->finish_timed, true);
	if (!seen(&other->finish_asked))
		put(&other->finish_from, from);
	put(&other->finish_asked, true);
}

/* Ask something of an agent. Few of these end somebody, so that there is somebody left. */
static void ask_one(struct tern_agent *self, struct party *party)
{
	struct party *other = choose(party);
	tern_address address = seen(&other->address);
	uint32_t what = pick(&party->rng, 14);
	if (is_thread(other) || !address)
		return;
	if (what == 0 && (other->is_quiet || !party->run->is_gentle)) {
		if (tern_agent_stop(self, address) == 0)
			put(&other->stop_asked, true);
	} else if (what < 3 && (other->is_quiet || !party->run->is_gentle)) {
		ask_to_finish(self, party, other);
	} else if (what < 6) {
		put(&other->was_paused, true);
		(void)tern_agent_pause(self, address);
	} else if (what < 10) {
		(void)tern_agent_resume(self, address);
	} else if (tern_watch(self, address) == 0) {
		put(&party->ties[other->number].watched, party->ties[other->number].watched + 1);
	}
}

enum act { ACT_DONE, ACT_EXIT, ACT_FAIL, ACT_FAULT };

/* An end is left to the caller: not all come back from it. */
static enum act pick_end(struct party *party)
{
	if (is_thread(party) || party->run->is_gentle || pick(&party->rng, 3))
		return ACT_DONE;
	return (enum act)(ACT_EXIT + pick(&party->rng, 3));
}

static enum act act_once(struct tern_agent *self, struct party *party) TERN_OWNS(self);
static enum act act_once(struct tern_agent *self, struct party *party)
{
	struct run *run = party->run;
	struct tern_rng *rng = &party->rng;
	uint32_t flood = run->fills ? 2000 : run->is_gentle ? 100 : 300;
	switch (pick(rng, 24)) {
	case 0:
		spawn_one(self, party, pick(rng, 4) == 0);
		return ACT_DONE;
	case 1:
	case 2:
	case 3:
		ask_one(self, party);
		return ACT_DONE;
	case 4:
		return pick_end(party);
	case 5:
		send_some(self, party, choose(party), 20 + pick(rng, flood));
		return ACT_DONE;
	case 6:
	case 7:
		start_alarm(self, party);
		return ACT_DONE;
	case 8:
		cancel_alarm(self, party);
		return ACT_DONE;
	case 9:
		use_descriptor(self, party);
		return ACT_DONE;
	case 10:
	case 11:
		if (run->world.polled)
			tern_engine_advance(run->world.engine, pick(rng, 4000));
		return ACT_DONE;
	default:
		send_some(self, party, choose(party), 1 + pick(rng, 4));
		return ACT_DONE;
	}
}

/* Where the party may fault or leave, that is done last: whoever counts acts must not wait. */
static void act(struct tern_agent *self, struct party *party, bool may_end) TERN_OWNS(self);
static void act(struct tern_agent *self, struct party *party, bool may_end)
{
	struct run *run = party->run;
	enum act what = ACT_DONE;
	if (party->is_quiet)
		return;
	__atomic_fetch_add(&run->acting, 1, __ATOMIC_SEQ_CST);
	if (__atomic_fetch_sub(&run->budget, 1, __ATOMIC_SEQ_CST) > 0)
		what = act_once(self, party);
	__atomic_fetch_sub(&run->acting, 1, __ATOMIC_SEQ_CST);
	if (what == ACT_DONE || !may_end)
		return;
	if (what == ACT_FAULT) {
		note(&run->faults);
		crash(NULL_WRITE);
	} else if (what == ACT_FAIL) {
		tern_fail(self, -EIO, "party %u", party->number);
	} else {
		tern_exit(self, party->number);
	}
}

static void take_in(struct tern_agent *self, struct party *party, struct tern_signal *signal)
	TERN_OWNS(self);
static void take_in(struct tern_agent *self, struct party *party, struct tern_signal *signal)
{
	bool has_key;
	if (party->started != 1 || party->ended)
		broken(party->run, "run outside of its life", party->number, party->started);
	if (tern_signal_type(signal) == TYPE_ALARM) {
		take_firing(self, party, signal);
	} else if (tern_signal_type(signal) == TYPE_FD) {
		take_ready(party, signal);
	} else {
		uint64_t number = number_in(signal, &has_key);
		check_in(party, number, key_of(party, number, has_key));
		if (pick(&party->rng, 2))
			tern_iso_drop(tern_heap(self), tern_signal_take_iso(signal));
	}
	if (party->pumps)
		send_some(self, party, &party->run->parties[party->pumps], 2000);
	for (uint32_t i = pick(&party->rng, 3); i; i--)
		act(self, party, !is_thread(party));
}

TERN_HANDLER(static, party_handle)
{
	take_in(self, state, signal);
}

static bool wait_for_end(struct tern_agent *self, struct party *party, uint64_t timeout)
	TERN_OWNS(self);
static bool wait_for_end(struct tern_agent *self, struct party *party, uint64_t timeout)
{
	struct tern_ended ended;
	int code = tern_wait(self, TERN_ADDRESS_NONE, timeout, &ended);
	if (code == 0)
		check_end(party, &ended);
	return code != -ECANCELED;
}

static bool wait_for_descriptor(struct tern_agent *self, struct party *party, uint64_t timeout)
	TERN_OWNS(self);
static bool wait_for_descriptor(struct tern_agent *self, struct party *party, uint64_t timeout)
{
	uint32_t ready = 0;
	eventfd_t value;
	if (!party->fd)
		return true;
	int code = tern_wait_fd(self, party->fd, EPOLLIN, timeout, &ready);
	if (code == 0 && (!party->fd_written || eventfd_read(party->fd, &value) != 0))
		broken(party->run, "a descriptor came ready that was not", party->number, 1);
	if (code == 0)
		put(&party->fd_written, false);
	return code != -ECANCELED;
}

static bool receive(struct tern_agent *self, struct party *party, bool alarms, uint64_t timeout)
	TERN_OWNS(self);
static bool receive(struct tern_agent *self, struct party *party, bool alarms, uint64_t timeout)
{
	struct tern_signal *signal =
		alarms ? tern_recv_type(self, TYPE_ALARM, timeout) : tern_recv(self, timeout);
	if (!signal)
		return tern_errno != ECANCELED;
	take_in(self, party, signal);
	return true;
}

/* Whether the fiber goes on. When acts are over it takes in what comes, and asks for ends. */
static bool step(struct tern_agent *self, struct party *party) TERN_OWNS(self);
static bool step(struct tern_agent *self, struct party *party)
{
	bool is_over = seen(&party->run->budget) <= 0 || party->is_quiet;
	uint32_t what = is_over ? pick(&party->rng, 2) + 6 : pick(&party->rng, 12);
	uint64_t timeout = 100 + pick(&party->rng, 3000);
	/* Then fibers must not be due all the time: lesser agents would not run. */
	if (!party->run->world.polled)
		timeout *= is_over ? 1000 : 30;
	switch (what) {
	case 0:
		send_patiently(self, party, choose(party));
		return true;
	case 1:
		return tern_yield(self) != -ECANCELED;
	case 2:
		return tern_sleep(self, timeout) != -ECANCELED;
	case 3:
		return wait_for_end(self, party, timeout);
	case 4:
		return wait_for_descriptor(self, party, timeout);
	case 5:
		return receive(self, party, true, timeout);
	case 6:
		return wait_for_end(self, party, 0);
	default:
		return receive(self, party, false, timeout);
	}
}

TERN_FIBER(static, party_fiber)
{
	while (step(self, state))
		;
	return ((struct party *)state)->number;
}

static void party_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void party_start(struct tern_agent *self, void *state)
{
	struct party *party = state;
	if (note(&party->started))
		broken(party->run, "started twice", party->number, 0);
	act(self, party, false);
}

static void party_event(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self);
static void party_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct party *party = state;
	bool has_key;
	for (uint32_t i = 0; event->kind == TERN_EVENT_RETURNED && i < event->returned.count; i++)
		check_back(party, number_in(&event->returned.signals[i], &has_key));
	if (event->kind == TERN_EVENT_ENDED)
		check_end(party, &event->ended);
	if (event->kind == TERN_EVENT_RELEASED)
		check_released(party, event->released);
	if (event->kind == TERN_EVENT_PRESSURE)
		check_pressure(party, event->pressure.on);
	/* Not between the numbers of a send that waits. */
	if (!party->sending && pick(&party->rng, 4) == 0)
		act(self, party, false);
}

/* What lies in the state of an agent that ends is its own again. */
static void free_all(struct party *party)
{
	for (uint32_t i = 0; i < ALARMS; i++)
		if (party->alarms[i])
			free_alarm(party, i);
	if (party->fd)
		close(party->fd);
	party->fd = 0;
}

static void party_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
	TERN_OWNS(self);
static void party_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct party *party = state;
	struct run *run = party->run;
	party->why = why;
	party->result = result;
	free_all(party);
	if (party->sending) {
		put(&run->books[party->sending].refused, 1);
		party->sending = 0;
		__atomic_fetch_sub(&run->waiting, 1, __ATOMIC_RELEASE);
	}
	if (note(&party->ended))
		broken(run, "ended twice", party->number, why);
	if (why == TERN_END_SHUTDOWN && run->world.polled)
		run->last = engine_stats(run->world.engine);
	else if (why != TERN_END_SHUTDOWN && seen(&run->budget) > 0 && !party->is_quiet)
		send_some(self, party, choose(party), 1 + pick(&party->rng, 4));
}

static const struct tern_behaviour handler_behaviour = {.name = "party",
							.handler = party_handle,
							.on_start = party_start,
							.on_event = party_event,
							.on_stop = party_stop};

static const struct tern_behaviour fiber_behaviour = {.name = "fiber party",
						      .fiber = party_fiber,
						      .on_start = party_start,
						      .on_event = party_event,
						      .on_stop = party_stop};

static const struct tern_behaviour deaf_behaviour = {.name = "deaf party", .handler = party_handle};

#endif
