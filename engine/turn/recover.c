/* SPDX-License-Identifier: Apache-2.0 */
#include "recover.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

#include "engine/agent/life.h"
#include "engine/lcore/agent_state.h"
#include "engine/lcore/engine.h"
#include "engine/mail/bounce.h"
#include "engine/schedule/roaming.h"
#include "lcore_turn.h"

#define PLACE_BYTES 160

int tern_recover_install(struct tern_engine *engine, struct tern_error *error)
{
	int code = tern_fault_install();
	if (code != 0)
		return tern_error_set(error, code, "signal handlers: %s", strerror(-code));
	engine->recovers = true;
	if (engine->config.mode != TERN_MODE_POLLED)
		return 0;
	/* Whoever starts a polled engine polls it. */
	tern_recover_by_poller(engine);
	return 0;
}

void tern_recover_by_poller(struct tern_engine *engine)
{
	if (engine->poller.alternate)
		return;
	for (uint32_t i = 0; i < engine->lcore_count; i++)
		engine->lcores[i].guard.scope = &engine->poller;
	tern_recover_enter(&engine->lcores[0]);
}

void tern_recover_remove(struct tern_engine *engine)
{
	for (uint32_t i = 0; engine->lcores && i < engine->lcore_count; i++) {
		if (engine->lcores[i].guard.preempts)
			tern_preempt_thread_fini(&engine->lcores[i].guard.preempt);
		engine->lcores[i].guard.preempts = false;
	}
	if (engine->poller.alternate)
		tern_fault_thread_fini(&engine->poller);
	if (engine->recovers)
		tern_fault_remove();
	engine->recovers = false;
}

/* Who runs, for the report of a fault that is nobody's own. */
static const char *who_runs(void *owner)
{
	struct tern_lcore *lcore = owner;
	const struct tern_agent *agent = &lcore->agents[tern_load(&lcore->turn.running)];
	const struct tern_extras *extras = tern_load(&agent->extras);
	if (extras && extras->name[0])
		return (const char *)extras->name;
	return agent->behaviour ? agent->behaviour->name : "?";
}

/* Which of the agent's functions begins there. */
static const char *which_runs(void *owner, const void *entry)
{
	struct tern_lcore *lcore = owner;
	const struct tern_agent *agent = &lcore->agents[tern_load(&lcore->turn.running)];
	const struct tern_behaviour *behaviour = agent->behaviour;
	static const struct tern_hooks none = {0};
	const struct tern_hooks *given = lcore->engine->config.hooks;
	const struct tern_hooks *hooks = given ? given : &none;
	const struct {
		uintptr_t start;
		const char *name;
	} functions[] = {
		{(uintptr_t)behaviour->handler, "handler"},
		{(uintptr_t)behaviour->on_start, "on_start"},
		{(uintptr_t)behaviour->on_event, "on_event"},
		{(uintptr_t)behaviour->on_stop, "on_stop"},
		{(uintptr_t)behaviour->on_error, "on_error"},
		{(uintptr_t)behaviour->fiber, "fiber"},
		{(uintptr_t)hooks->on_start, "engine's on_start"},
		{(uintptr_t)hooks->on_error, "engine's on_error"},
		{(uintptr_t)hooks->on_stop, "engine's on_stop"},
	};
	for (size_t i = 0; entry && i < sizeof(functions) / sizeof(functions[0]); i++)
		if (functions[i].start == (uintptr_t)entry)
			return functions[i].name;
	return NULL;
}

/* Runs in the signal handler, before the jump leaves the frames that the signal may lie in. */
static void rescue_signal(void *owner)
{
	struct tern_lcore *lcore = owner;
	if (!lcore->hand.signal)
		return;
	lcore->guard.rescued = *lcore->hand.signal;
	lcore->hand.signal = &lcore->guard.rescued;
}

static void own_scope(struct tern_lcore *lcore, struct tern_fault_scope *scope)
{
	scope->who = who_runs;
	scope->which = which_runs;
	scope->save = rescue_signal;
	scope->owner = lcore;
	lcore->guard.scope = scope;
}

void tern_recover_enter(struct tern_lcore *lcore)
{
	if (tern_fault_thread_init(lcore->guard.scope) != 0) {
		tern_log_write(&lcore->engine->log, TERN_LOG_WARN, "faults are not contained",
			       "lcore=%u", lcore->index);
		return;
	}
	own_scope(lcore, lcore->guard.scope);
}

bool tern_recover_here(struct tern_lcore *lcore)
{
	struct tern_fault_scope *poller = &lcore->engine->poller;
	struct tern_fault_scope *scope = tern_fault_is_here(poller) ? poller : &lcore->guard.own;
	if (!tern_fault_is_here(scope) && !tern_fault_visit(scope))
		return false;
	own_scope(lcore, scope);
	return true;
}

void tern_recover_leave(struct tern_lcore *lcore)
{
	tern_fault_disarm(lcore->guard.scope);
	if (lcore->guard.preempts)
		tern_preempt_thread_fini(&lcore->guard.preempt);
	lcore->guard.preempts = false;
	if (lcore->guard.scope->alternate)
		tern_fault_thread_fini(lcore->guard.scope);
}

/* A slot whose handler failed in place is behind the position already; its block is nobody's. */
static void close_lanes(struct tern_lcore *lcore, struct tern_lane_set *set)
{
	for (uint32_t i = 0; i < set->count; i++) {
		struct tern_lane_in *in = &set->lanes[i];
		if (in->stands_on)
			tern_signal_discard(lcore, in->stands_on);
		in->stands_on = NULL;
		tern_lane_publish_within(in, lcore->mail.credit);
	}
}

static void settle_in_hand(struct tern_lcore *lcore)
{
	if (lcore->hand.signal) {
		bool is_own = lcore->hand.signal->type > TERN_TYPE_MAX;
		tern_signal_discard(lcore, lcore->hand.signal);
		tern_count(&lcore->signals.own_handled, is_own);
		tern_count(&lcore->stats.handled, 1);
		tern_lcore_settle(lcore, 1);
	}
	lcore->hand.signal = NULL;
	close_lanes(lcore, &lcore->lanes.express);
	close_lanes(lcore, &lcore->lanes.data);
	tern_lcore_settle_in_place(lcore);
}

static const char *file_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/*
 * Where in which file, for addr2line, and in which function, where its name is there. dladdr()
 * reads all symbols of a module: of libc's, which are many, what is known already will do.
 */
static void describe_place(const void *pc, const char *function, char *text, size_t size)
{
	uintptr_t begin;
	Dl_info info = {.dli_sname = function};
	const char *file = tern_fault_module(pc, &begin);
	if (!file && dladdr(pc, &info) && info.dli_fname) {
		file = file_of(info.dli_fname);
		begin = (uintptr_t)info.dli_fbase;
	}
	if (file)
		snprintf(text, size, "%p (%s%s%s+%#zx)", pc, info.dli_sname ? info.dli_sname : "",
			 info.dli_sname ? " in " : "", file, (uintptr_t)pc - begin);
	else
		snprintf(text, size, "%p", pc);
}

/* The signal handler is over: other people's locks may be taken. */
static void describe_fault(struct tern_lcore *lcore, struct tern_error *error)
{
	const struct tern_fault *fault = &lcore->guard.scope->fault;
	const char *what = fault->overflow ? "stack overflow" : strsignal(fault->signo);
	const char *which = which_runs(lcore, fault->entry);
	char place[PLACE_BYTES], own[PLACE_BYTES] = "";
	describe_place(fault->pc, fault->function, place, sizeof(place));
	bool called = fault->own && fault->own != fault->pc;
	if (called)
		describe_place(fault->own, NULL, own, sizeof(own));
	tern_error_set(error, 0, "%s at address %p, pc %s%s%s%s%s", what, fault->address, place,
		       called ? ", called from " : "", own, which ? ", below its " : "",
		       which ? which : "");
}

/* Where the engine was told of its failure, its own on_stop follows all the same. */
static void fail_telling(struct tern_agent *agent)
{
	if (!(agent->flags & TERN_AGENT_HOOKED)) {
		tern_agent_fail_telling(agent);
		return;
	}
	tern_agent_clear(agent, TERN_AGENT_HOOKED);
	tern_agent_end_telling(agent);
}

static void fail_agent(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_error error;
	if (agent->status == TERN_DEAD || lcore->turn.running < lcore->engine->system_count)
		return;
	int code = lcore->guard.scope->fault.overflow ? -EOVERFLOW : -EFAULT;
	if (agent->flags & TERN_AGENT_TELLING) {
		/* In on_error or on_stop: it is not called again. */
		fail_telling(agent);
		tern_ready_wake(lcore, agent);
		return;
	}
	if (agent->status == TERN_ENDING) {
		agent->end_why = TERN_END_FAILED;
		agent->result = code;
		/* Told to end before its on_start, it has left the queue already. */
		tern_ready_wake(lcore, agent);
	}
	describe_fault(lcore, &error);
	tern_life_fail(lcore, agent, code, &error);
}

void tern_recover_from(struct tern_lcore *lcore)
{
	struct tern_agent *agent = &lcore->agents[lcore->turn.running];
	tern_preempt_clear(&lcore->guard.preempt);
	lcore->hand.fiber = NULL;
	lcore->guard.scope->context = NULL;
	lcore->sampler.slice.ticks =
		tern_clock_from_ns(lcore->clock, lcore->engine->config.slice_us * 1000ull);
	settle_in_hand(lcore);
	fail_agent(lcore, agent);
	/* Whoever was run when a critical agent failed in between goes on. */
	tern_lcore_put_back(lcore);
}
