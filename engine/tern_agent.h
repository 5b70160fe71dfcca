/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_AGENT_H
#define TERN_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_address.h"
#include "tern_block.h"
#include "tern_slot.h"

/*
 * clang -Wthread-safety: an agent is a capability that its own handler holds. Mark a function
 * that touches an agent's private state TERN_OWNS(self); a caller that is not that agent does
 * not compile. Define handlers through TERN_HANDLER so that they hold it.
 */
#if defined(__clang__)
#define TERN_CAPABILITY(name) __attribute__((capability(name)))
#define TERN_OWNS(agent) __attribute__((requires_capability(agent)))
#else
#define TERN_CAPABILITY(name)
#define TERN_OWNS(agent)
#endif

/** An agent as its own handler sees it; also the sending side of an attached thread. */
struct TERN_CAPABILITY("agent") tern_agent;

/** Define a handler: `TERN_HANDLER(static, on_order) { ... }` with self, state and signal. */
#define TERN_HANDLER(linkage, name)                                                         \
	linkage void name(struct tern_agent *self, void *state, struct tern_signal *signal) \
		TERN_OWNS(self);                                                            \
	linkage void name(struct tern_agent *self __attribute__((unused)),                  \
			  void *state __attribute__((unused)),                              \
			  struct tern_signal *signal __attribute__((unused)))

/** What a mailbox does above its bound. Accepted means delivered, or reported by this policy. */
enum tern_policy {
	TERN_POLICY_REFUSE,	 /**< above high water senders get -EAGAIN until low water */
	TERN_POLICY_DROP_OLDEST, /**< at capacity the oldest signal is dropped and counted */
	TERN_POLICY_CONFLATE,	 /**< the newest value of a key takes the waiting one's place */
	TERN_POLICY_EVICT,	 /**< at capacity the agent ends with reason evicted */
};

/** Which lanes carry the signals to an agent. */
enum tern_priority {
	TERN_PRIORITY_NORMAL,
	TERN_PRIORITY_CRITICAL, /**< express lanes: drained first and between agents */
};

/** Why an agent ended. */
enum tern_end {
	TERN_END_EXIT,	   /**< it called tern_exit() */
	TERN_END_STOPPED,  /**< tern_agent_stop() */
	TERN_END_EVICTED,  /**< its mailbox overflowed under TERN_POLICY_EVICT */
	TERN_END_SHUTDOWN, /**< the engine stopped */
};

/** What the engine tells an agent outside its signals; never refused, never in the mailbox. */
enum tern_event_kind {
	TERN_EVENT_RETURNED, /**< signals it sent reached a dead address */
	TERN_EVENT_PRESSURE, /**< its mailbox crossed a water mark */
};

struct tern_event {
	enum tern_event_kind kind;
	union {
		/** The signals as sent, `from` now the dead address; blocks are dropped after. */
		struct {
			struct tern_signal *signals;
			uint32_t count;
		} returned;
		/** on: above high water; off: at low water again. */
		struct {
			bool on;
			uint32_t queued;
		} pressure;
	};
};

/**
 * What an agent does. Usually a static const object; it must outlive every agent that uses it.
 *
 * Every function runs on the agent's home lcore, to completion, one at a time per agent, and
 * must not block. Only `handler` is required.
 */
struct tern_behaviour {
	const char *name; /**< kind of agent, for people */
	void (*handler)(struct tern_agent *self, void *state, struct tern_signal *signal);
	void (*on_start)(struct tern_agent *self, void *state);
	void (*on_event)(struct tern_agent *self, void *state, const struct tern_event *event);
	void (*on_stop)(struct tern_agent *self, void *state, enum tern_end why, int64_t result);
};

/** The agent's own address, to be sent to others. */
TERN_API tern_address tern_self(const struct tern_agent *self);

/** The state pointer given at spawn. */
TERN_API void *tern_state(const struct tern_agent *self);

/** The block pools of the lcore or thread that runs this agent. */
TERN_API struct tern_heap *tern_heap(struct tern_agent *self);

/** The engine this agent lives in. */
TERN_API struct tern_engine *tern_engine_of(const struct tern_agent *self);

/** Index of the lcore that runs this agent; attached threads come after the lcores. */
TERN_API uint32_t tern_lcore_index(const struct tern_agent *self);

/** Time on the engine's clock, ns since the engine was made. Reads the clock. */
TERN_API uint64_t tern_now(const struct tern_agent *self);

/** Time at which the current turn of the lcore began, ns. Reads no clock. */
TERN_API uint64_t tern_turn_time(const struct tern_agent *self);

/** Age of a signal, ns since its stamp, up to about 20 s. Reads the clock. */
TERN_API uint64_t tern_signal_age(const struct tern_agent *self, const struct tern_signal *signal);

/**
 * End the calling agent when its current function returns.
 *
 * Signals left in its mailbox go back to their senders. `result` reaches on_stop. The agent of an
 * attached thread ends by tern_thread_detach() alone: there this does nothing.
 */
TERN_API void tern_exit(struct tern_agent *self, int64_t result) TERN_OWNS(self);

/**
 * End another agent. Overtakes data: signals it has not handled go back to their senders.
 *
 * @return 0: the request is on its way, never refused for lack of room; -ESRCH: dead address
 */
TERN_API int tern_agent_stop(struct tern_agent *self, tern_address agent);

/** Whether an address was alive a moment ago. Any thread. */
TERN_API bool tern_agent_alive(const struct tern_agent *self, tern_address agent);

/** A timer: memory of the agent that starts it, zeroed before first use, alive while armed. */
struct tern_timer {
	struct tern_timer *next, **link;	     /* in a wheel list */
	struct tern_timer *agent_next, **agent_link; /* in its agent's list */
	struct tern_agent *agent;
	uint64_t deadline; /* ticks of the wheel */
	uint64_t period;   /* ticks of the clock; 0: one shot */
	uint64_t due;	   /* ticks of the clock */
	uint16_t type;
	bool armed;
};

/** What a timer's signal carries: tern_signal_data() points at one. */
struct tern_timeout {
	struct tern_timer *timer;
	uint64_t due_ns;  /**< when it should have fired */
	uint64_t expired; /**< periods that passed since the last firing; 1 in time */
};

/**
 * Arm a timer: the agent's handler gets a signal of `type` from itself, carrying a
 * struct tern_timeout. Never early; late by a turn of the lcore plus about 1 us, and
 * with idle=backoff by what waking costs where the lcore slept (tern_lcore_stats.wake_ns).
 * Arming an armed timer moves it. All timers of an agent end with it.
 *
 * @param delay_ns   from now to the first firing
 * @param period_ns  between firings, counted from the first due time, so that they do not
 *                   drift; 0: fires once
 * @param type       0..TERN_TYPE_MAX
 *
 * Context: the agent's own functions. Keeps `timer` while armed. Never fails.
 */
TERN_API void tern_timer_start(struct tern_agent *self, struct tern_timer *timer, uint64_t delay_ns,
			       uint64_t period_ns, uint16_t type) TERN_OWNS(self);

/** Disarm a timer: after this it does not fire. Returns whether it was armed. */
TERN_API bool tern_timer_cancel(struct tern_agent *self, struct tern_timer *timer) TERN_OWNS(self);

#endif
