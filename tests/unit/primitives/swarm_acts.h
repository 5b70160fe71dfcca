/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_ACTS_H
#define SWARM_ACTS_H

/*
 * What a life of swarm.h does, as a handler or as a fiber: it sends, spawns agents of every kind,
 * asks others to pause, go on, finish or end, watches them, arms a timer, fails and leaves.
 */
#include "swarm.h"

static const struct tern_behaviour life_behaviour;
static const struct tern_behaviour fiber_behaviour;

static void fill_options(struct swarm *swarm, struct tern_rng *rng,
			 struct tern_spawn_options *options)
{
	*options = (struct tern_spawn_options){
		.lcore = pick(rng, 4) ? pick(rng, tern_engine_lcores(swarm->world.engine))
				      : TERN_LCORE_ANY,
		.policy = (enum tern_policy)pick(rng, TERN_POLICY_BLOCK + 1),
		.priority = (enum tern_priority)((int)pick(rng, 4) + TERN_PRIORITY_LOW),
		.capacity = 1 + pick(rng, 60),
		.key_offset = 8,
		.key_length = 1 + pick(rng, 4),
		.slice_us = pick(rng, 4) ? 0 : 1 + pick(rng, 20),
		.watch = pick(rng, 4) == 0};
	options->roaming = pick(rng, 2) && options->policy != TERN_POLICY_CONFLATE;
	if (swarm->rated && options->lcore == 0 && pick(rng, 2))
		options->rate = 100000 + pick(rng, 1000000);
}

static void spawn_one(struct tern_agent *self, struct life *parent)
{
	struct swarm *swarm = parent->swarm;
	struct tern_rng *rng = &parent->rng;
	struct tern_spawn_options options;
	uint32_t number = note(&swarm->born);
	if (number >= LIVES)
		return;
	struct life *life = &swarm->lives[number];
	tern_address address;
	fill_options(swarm, rng, &options);
	life->swarm = swarm;
	life->number = number;
	life->policy = options.policy;
	life->roams = options.roaming;
	life->is_fiber = pick(rng, 3) == 0;
	life->rng.state = tern_rng_next(rng);
	int code = tern_spawn(self, life->is_fiber ? &fiber_behaviour : &life_behaviour, life,
			      &options, &address);
	trace(swarm, 2, parent->number, number);
	if (code != 0) {
		broken(swarm, "not spawned", number);
		return;
	}
	parent->watches += options.watch;
	put(&life->address, address);
	put(&swarm->present[pick(rng, PRESENT)], number);
}

static struct life *choose(struct life *life)
{
	struct swarm *swarm = life->swarm;
	return &swarm->lives[seen(&swarm->present[pick(&life->rng, PRESENT)])];
}

/* Ask something of an agent. Few of these end somebody, so that there is somebody left. */
static void ask_one(struct tern_agent *self, struct life *life)
{
	struct life *other = choose(life);
	tern_address address = seen(&other->address);
	uint32_t what = pick(&life->rng, 12);
	int code = -ESRCH;
	if (other->is_thread)
		return;
	if (what == 0)
		code = tern_agent_stop(self, address);
	else if (what == 1)
		code = tern_agent_finish(self, address, pick(&life->rng, 30000));
	else if (what < 5)
		code = tern_agent_pause(self, address);
	else if (what < 9)
		code = tern_agent_resume(self, address);
	else if ((code = tern_watch(self, address)) == 0)
		life->watches++;
	trace(life->swarm, 3, what << 8 | life->number, other->number << 1 | (code == 0));
}

enum act { ACT_DONE, ACT_EXIT, ACT_FAIL };

/* One random thing. An end is left to the caller: a fiber does not come back from it. */
static enum act act_once(struct tern_agent *self, struct life *life) TERN_OWNS(self);
static enum act act_once(struct tern_agent *self, struct life *life)
{
	struct swarm *swarm = life->swarm;
	struct tern_rng *rng = &life->rng;
	switch (pick(rng, 24)) {
	case 0:
		spawn_one(self, life);
		break;
	case 1:
	case 2:
		ask_one(self, life);
		break;
	case 3:
		return life->is_thread || pick(rng, 4) ? ACT_DONE
		       : pick(rng, 2)		       ? ACT_EXIT
						       : ACT_FAIL;
	case 4:
		send_some(self, life, 20 + pick(rng, 200));
		break;
	case 5:
		tern_timer_start(self, &life->timer, pick(rng, 5000), pick(rng, 2) * 3000, TIMER);
		break;
	case 6:
		tern_timer_cancel(self, &life->timer);
		break;
	case 7:
	case 8:
		if (swarm->world.polled)
			tern_engine_advance(swarm->world.engine, pick(rng, 4000));
		break;
	default:
		send_some(self, life, 1 + pick(rng, 4));
	}
	return ACT_DONE;
}

static void act(struct tern_agent *self, struct life *life) TERN_OWNS(self);
static void act(struct tern_agent *self, struct life *life)
{
	struct swarm *swarm = life->swarm;
	enum act what = ACT_DONE;
	__atomic_fetch_add(&swarm->acting, 1, __ATOMIC_SEQ_CST);
	if (__atomic_fetch_sub(&swarm->budget, 1, __ATOMIC_SEQ_CST) > 0)
		what = act_once(self, life);
	__atomic_fetch_sub(&swarm->acting, 1, __ATOMIC_SEQ_CST);
	if (what == ACT_DONE || life->stopped)
		return;
	if (life->is_fiber)
		leave_life(life);
	if (what == ACT_EXIT)
		tern_exit(self, life->number);
	else
		tern_fail(self, -EIO, "life %u", life->number);
	/* Here after all: an event of a fiber, or a handler. */
	if (life->is_fiber)
		put(&life->inside, 1);
}

static void take_in(struct tern_agent *self, struct life *life, struct tern_signal *signal)
	TERN_OWNS(self);
static void take_in(struct tern_agent *self, struct life *life, struct tern_signal *signal)
{
	if (tern_signal_type(signal) == TIMER) {
		note(&life->swarm->ticks);
		if (seen(&life->swarm->budget) <= 0)
			tern_timer_cancel(self, &life->timer);
	} else {
		check_in(life, number_in(life->swarm, signal));
		if (pick(&life->rng, 2))
			tern_iso_drop(tern_heap(self), tern_signal_take_iso(signal));
	}
	for (uint32_t i = pick(&life->rng, 3); i; i--)
		act(self, life);
}

TERN_HANDLER(static, life_handle)
{
	enter_life(state);
	take_in(self, state, signal);
	leave_life(state);
}

/* Sends that may wait; on_stop knows if the fiber did not come back from one. */
static void send_patiently(struct tern_agent *self, struct life *life) TERN_OWNS(self);
static void send_patiently(struct tern_agent *self, struct life *life)
{
	struct swarm *swarm = life->swarm;
	struct life *to = choose(life);
	tern_address address = seen(&to->address);
	uint64_t timeout = pick(&life->rng, 20000);
	uint32_t number = enter(life, to->number);
	int code = 0;
	if (!number)
		return;
	uint64_t bytes = number;
	tern_iso *block = pick(&life->rng, 2) ? make_block(self, number) : NULL;
	life->sending = number;
	note(&swarm->waiting);
	leave_life(life);
	if (block)
		block = tern_signal_wait(self, address, 1, block, timeout);
	else
		code = tern_send(self, address, 2, &bytes, sizeof(bytes), timeout);
	enter_life(life);
	life->sending = 0;
	bool sent = code == 0 && !block;
	tern_iso_drop(tern_heap(self), block);
	trace(swarm, sent, life->number, number);
	if (sent)
		note(&swarm->accepted);
	else
		put(&swarm->books[number].refused, 1);
	__atomic_fetch_sub(&swarm->waiting, 1, __ATOMIC_RELEASE);
}

static struct tern_signal *receive(struct tern_agent *self, struct life *life, uint32_t how)
	TERN_OWNS(self);
static struct tern_signal *receive(struct tern_agent *self, struct life *life, uint32_t how)
{
	uint64_t timeout = pick(&life->rng, 3000);
	leave_life(life);
	struct tern_signal *signal = how == 0	? tern_recv(self, timeout)
				     : how == 1 ? tern_recv_type(self, TIMER, timeout)
						: tern_recv(self, TERN_FOREVER);
	enter_life(life);
	return signal;
}

/* Whether the fiber goes on. */
static bool step(struct tern_agent *self, struct life *life) TERN_OWNS(self);
static bool step(struct tern_agent *self, struct life *life)
{
	struct tern_ended ended;
	uint32_t what = seen(&life->swarm->budget) > 0 ? pick(&life->rng, 14) : UINT32_MAX;
	int code = 0;
	if (what == 0) {
		send_patiently(self, life);
		return true;
	}
	leave_life(life);
	if (what == 1)
		code = tern_yield(self);
	else if (what == 2)
		code = tern_sleep(self, pick(&life->rng, 3000));
	else if (what == 3)
		code = tern_wait(self, TERN_ADDRESS_NONE, pick(&life->rng, 3000), &ended);
	enter_life(life);
	if (what == 3 && code == 0)
		check_end(life, &ended);
	if (what >= 1 && what <= 3)
		return code != -ECANCELED;
	struct tern_signal *signal = receive(self, life, what - 4);
	if (signal)
		take_in(self, life, signal);
	return signal || tern_errno != ECANCELED;
}

TERN_FIBER(static, life_fiber)
{
	struct life *life = state;
	enter_life(life);
	while (step(self, life))
		;
	leave_life(life);
	return life->number;
}

static void life_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void life_start(struct tern_agent *self, void *state)
{
	struct life *life = state;
	life->started++;
	enter_life(life);
	act(self, life);
	leave_life(life);
}

static void life_event(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self);
static void life_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct life *life = state;
	enter_life(life);
	for (uint32_t i = 0; event->kind == TERN_EVENT_RETURNED && i < event->returned.count; i++)
		check_back(life, &event->returned.signals[i]);
	if (event->kind == TERN_EVENT_ENDED)
		check_end(life, &event->ended);
	/* Not between the numbers of a send that waits. */
	if (!life->sending && pick(&life->rng, 2))
		act(self, life);
	leave_life(life);
}

static void life_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
	TERN_OWNS(self);
static void life_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct life *life = state;
	struct swarm *swarm = life->swarm;
	(void)result;
	trace(swarm, 6, life->number, why);
	if (life->sending) {
		put(&swarm->books[life->sending].refused, 1);
		life->sending = 0;
		__atomic_fetch_sub(&swarm->waiting, 1, __ATOMIC_RELEASE);
	}
	enter_life(life);
	if (note(&life->stopped))
		broken(swarm, "ended twice", life->number);
	if (why != TERN_END_SHUTDOWN)
		act(self, life);
	leave_life(life);
}

static const struct tern_behaviour life_behaviour = {.name = "life",
						     .handler = life_handle,
						     .on_start = life_start,
						     .on_event = life_event,
						     .on_stop = life_stop};

static const struct tern_behaviour fiber_behaviour = {.name = "fiber life",
						      .fiber = life_fiber,
						      .on_start = life_start,
						      .on_event = life_event,
						      .on_stop = life_stop};

#endif
