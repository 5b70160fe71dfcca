/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_AGENT_H
#define TERN_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_address.h"
#include "tern_block.h"
#include "tern_error.h"
#include "tern_scheduler.h"
#include "tern_slot.h"
#include "tern_text.h"

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

/**
 * Define a handler: `TERN_HANDLER(static, on_order) { ... }` with self, state and signal. It is
 * marked as text to be preempted in, should a fiber call it (tern_text.h).
 */
#define TERN_HANDLER(linkage, name)                                                         \
	linkage void name(struct tern_agent *self, void *state, struct tern_signal *signal) \
		TERN_OWNS(self);                                                            \
	TERN_TEXT linkage void name(struct tern_agent *self __attribute__((unused)),        \
				    void *state __attribute__((unused)),                    \
				    struct tern_signal *signal __attribute__((unused)))

/** What a mailbox does above its bound. Accepted means delivered, or reported by this policy. */
enum tern_policy {
	TERN_POLICY_REFUSE,	 /**< above high water senders get -EAGAIN until low water */
	TERN_POLICY_DROP_OLDEST, /**< at capacity the oldest signal is dropped and counted */
	TERN_POLICY_CONFLATE,	 /**< the newest value of a key takes the waiting one's place */
	TERN_POLICY_EVICT,	 /**< at capacity the agent ends with reason evicted */
	TERN_POLICY_BLOCK,	 /**< as refuse, but tern_send() waits until low water */
};

/** Why an agent ended. */
enum tern_end {
	TERN_END_EXIT,	   /**< it called tern_exit() */
	TERN_END_STOPPED,  /**< tern_agent_stop(), tern_agent_finish() */
	TERN_END_EVICTED,  /**< its mailbox overflowed under TERN_POLICY_EVICT */
	TERN_END_SHUTDOWN, /**< the engine stopped */
	TERN_END_FAILED,   /**< tern_fail(), a fault in its own code, an overflow of its stack */
};

/** How an agent ended. */
struct tern_ended {
	tern_address agent;
	enum tern_end why;
	int64_t result; /**< tern_exit()'s; a negative errno where it failed */
};

/** Where an agent is in its life, as others see it. */
enum tern_agent_state {
	TERN_STATE_NEW,	      /**< on_start has not run yet */
	TERN_STATE_IDLE,      /**< nothing to do */
	TERN_STATE_READY,     /**< signals wait for it */
	TERN_STATE_RUNNING,   /**< a function of its own is being run */
	TERN_STATE_PAUSED,    /**< tern_agent_pause() */
	TERN_STATE_FINISHING, /**< tern_agent_finish(): handles what it has */
	TERN_STATE_ENDING,    /**< about to run on_stop */
};

/**
 * What the engine tells an agent outside its signals, and outside its mailbox's bound. A paused
 * agent hears of it when it is resumed.
 *
 * Signals come back (RETURNED) from a dead address, and from one whose lcore has no mailbox memory
 * left at all: `from` then is alive, and the signal may be sent again. They come back, too, when
 * the connection to the other node that they were for is lost before it has said that it has them:
 * is_unknown then tells those that never left from those that may have arrived. RELEASED follows a
 * send that was refused with -EAGAIN, once for each receiver and not before it takes signals again,
 * or has ended; nothing polls for it, and no send that succeeds pays for it. Fibers, which can
 * wait, are not told.
 */
enum tern_event_kind {
	TERN_EVENT_RETURNED, /**< signals it sent come back */
	TERN_EVENT_PRESSURE, /**< its mailbox crossed a water mark */
	TERN_EVENT_ENDED,    /**< an agent that it watches ended */
	TERN_EVENT_RELEASED, /**< who refused it takes signals again */
};

struct tern_event {
	enum tern_event_kind kind;
	union {
		/** The signals as sent, `from` now the receiver; blocks are dropped after. */
		struct {
			struct tern_signal *signals;
			uint32_t count;
			/** They left for a node that was then lost: it may have handled them. */
			bool is_unknown;
		} returned;
		/** on: above high water; off: at low water again. */
		struct {
			bool on;
			uint32_t queued;
		} pressure;
		struct tern_ended ended;
		/** Who refused; TERN_ADDRESS_NONE: of more than 4,096, try all again. */
		tern_address released;
	};
};

/**
 * What an agent does. Usually a static const object; it must outlive every agent that uses it.
 *
 * Every function runs on the agent's home lcore, to completion, one at a time per agent, and
 * must not block. Only `handler` is required, or `fiber` in its place. A fault (SIGSEGV, SIGBUS,
 * SIGFPE, SIGILL) in any of them, or in what they call, is the agent's failure: -EFAULT.
 */
struct tern_behaviour {
	const char *name; /**< kind of agent, for people */
	void (*handler)(struct tern_agent *self, void *state, struct tern_signal *signal);
	void (*on_start)(struct tern_agent *self, void *state);
	void (*on_event)(struct tern_agent *self, void *state, const struct tern_event *event);
	void (*on_stop)(struct tern_agent *self, void *state, enum tern_end why, int64_t result);
	/** It failed: before on_stop, which follows with TERN_END_FAILED. Borrows `error`. */
	void (*on_error)(struct tern_agent *self, void *state, const struct tern_error *error);
	/** Instead of a handler: runs on a stack of its own and may wait (tern_fiber.h). What it
	 * returns is the agent's result. */
	int64_t (*fiber)(struct tern_agent *self, void *state);
};

/**
 * Hooks for all agents of an engine, beside those of their behaviours: tern_config.hooks, given
 * before the start. Any of them may be NULL. The agents of lcores and attached threads have none.
 *
 *     on_start   after the behaviour's, before the first signal is handled; on its lcore
 *     on_error   before the behaviour's, so that it is heard whatever that one does
 *     on_stop    after the behaviour's: `state` may be gone; last of all that runs for the agent
 *
 * An agent that ends has been announced by on_start and is seen off by on_stop, once each, whatever
 * its own functions did. Agents of an lcore that a stop gave up are not seen off.
 *
 * Each runs where the behaviour's function of that name does, on the lcore that runs the agent:
 * one at a time for one agent, at once for agents of several lcores, so that what `context` leads
 * to is shared. None may block. As `self` it may do all that the agent's function of that name may:
 * send, spawn, tern_exit() and tern_fail() in on_start. What it arms or asks for comes to the
 * agent.
 *
 * A fault in a hook is the failure of the agent that it was called for, and of nobody else: in
 * on_start as in the agent's own; in on_error, the behaviour's on_error is not called, and both
 * on_stop are; in on_stop, all is said already. The hook is called for the next agent all the same.
 */
struct tern_hooks {
	void *context; /**< given to each. Keeps */
	void (*on_start)(struct tern_agent *self, void *context);
	/** Borrows `error`. */
	void (*on_error)(struct tern_agent *self, void *context, const struct tern_error *error);
	void (*on_stop)(struct tern_agent *self, void *context, enum tern_end why, int64_t result);
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

/**
 * Time at which a signal was sent, ns on the engine's clock as tern_now(). Reads the clock.
 *
 * It is the signal's stamp: the beginning of the sender's turn, or the send itself where an
 * attached thread sends, the signal is traced (engine.trace_every) or engine.stamp_each_signal is
 * on. A stamp counts 16 ticks of the clock, rounded down: 16 ns of the virtual one, 5 to 8 ns of a
 * time stamp counter of 3 to 2 GHz.
 *
 * Right, and the same whenever it is asked, while the signal is younger than 2^36 - 2^20 ticks: 68
 * s of the virtual clock, 22 to 34 s of such a counter. Of an older one it is a multiple of 2^36
 * ticks too late. Lcores read the clock without waiting for each other, so that a stamp of the send
 * may lie some ns after a tern_now() of the receiver.
 */
TERN_API uint64_t tern_signal_time(const struct tern_agent *self, const struct tern_signal *signal);

/** Age of a signal, ns since its stamp, right as long as tern_signal_time() is. Reads the clock. */
TERN_API uint64_t tern_signal_age(const struct tern_agent *self, const struct tern_signal *signal);

/**
 * End the calling agent when its current function returns.
 *
 * Signals left in its mailbox go back to their senders. `result` reaches on_stop. The agent of an
 * attached thread ends by tern_thread_detach() alone: there this does nothing.
 */
TERN_API void tern_exit(struct tern_agent *self, int64_t result) TERN_OWNS(self);

/** Most that one call of tern_charge() counts: 1,000 s. */
#define TERN_CHARGE_NS_MAX 1000000000000u

/**
 * Charge the calling agent for what it cost beside the time that it runs: an order at a venue,
 * bytes on a wire, a lookup elsewhere.
 *
 * Under TERN_SCHEDULE_FAIR_SHARE that counts as if it had run for so much longer: it waits for its
 * next run until others have cost as much, each by its weight (tern_spawn_options.weight). A run
 * that has begun goes on. A custom policy finds it in tern_task.ran_ns. Under other policies it
 * counts for nothing. What was charged is forgotten where the lcore changes its policy, or a
 * roaming agent its lcore.
 *
 * @param cost_ns  ns of CPU time that it is worth, 0..TERN_CHARGE_NS_MAX; more counts as that
 *
 * Context: the agent's own functions; of an attached thread nothing. Reads no clock, never fails.
 */
TERN_API void tern_charge(struct tern_agent *self, uint64_t cost_ns) TERN_OWNS(self);

/**
 * End another agent. Overtakes data: signals it has not handled go back to their senders.
 *
 * @return 0: the request is on its way, never refused for want of space; -ESRCH: dead address
 */
TERN_API int tern_agent_stop(struct tern_agent *self, tern_address agent);

/**
 * End the calling agent as failed: on_error runs now, on_stop when its current function returns.
 *
 * @param code  a negative errno value; on_stop and those who watch get it as the result
 */
TERN_API void tern_fail(struct tern_agent *self, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4))) TERN_OWNS(self);

/**
 * End another agent in good order: it takes no new signal (senders get -ESRCH), handles what was
 * accepted before, then ends with TERN_END_STOPPED. When the time is up it ends like by
 * tern_agent_stop(). A paused agent goes on to finish, and one that finishes is not paused.
 *
 * The request overtakes data, as a stop does: what others send from then on is refused.
 *
 * @param timeout_ns  time it may take, to 1 us; of several calls the earliest end counts
 * @return 0: the request is on its way, and needs no memory that could run out; -ESRCH: dead
 * address
 *
 * Context: any agent or attached thread.
 */
TERN_API int tern_agent_finish(struct tern_agent *self, tern_address agent, uint64_t timeout_ns);

/**
 * Suspend an agent: from its next turn none of its functions run, but on_stop where it is ended.
 * Signals queue up under its mailbox policy; timers stand still and fire once after
 * tern_agent_resume(), with the periods that passed.
 *
 * @return 0: the request is on its way; -ESRCH: dead address
 *
 * Context: any agent or attached thread; overtakes data. Of pause and resume from one caller the
 * later counts.
 */
TERN_API int tern_agent_pause(struct tern_agent *self, tern_address agent);

/** Let a paused agent go on with what has queued up. As tern_agent_pause(). */
TERN_API int tern_agent_resume(struct tern_agent *self, tern_address agent);

/** Where an agent is in its life. Returns 0; -ESRCH: dead address. Any thread. */
TERN_API int tern_agent_state(const struct tern_agent *self, tern_address agent,
			      enum tern_agent_state *state);

/**
 * Ask to be told of an agent's end: once per call, after all it sent to the caller. The block that
 * the call takes is all the memory that telling needs. A behaviour
 * with on_event gets TERN_EVENT_ENDED; an attached thread without one, and a fiber, call
 * tern_wait(). Spawn with `watch` asks before the agent can end.
 *
 * @return 0; -ESRCH: it has ended; -ENOMEM: no block
 *
 * Context: any agent or attached thread. Takes a block of the caller until the end is told.
 */
TERN_API int tern_watch(struct tern_agent *self, tern_address agent);

/**
 * Wait for the end of a watched agent, and learn its result.
 *
 * An attached thread handles its own signals meanwhile. In polled mode it polls the lcores, too,
 * where no other thread does at that moment, and whoever polls moves a virtual clock on by 1 us
 * whenever nobody has work, and after each 1,000 rounds in a row in which somebody had. Several
 * threads may wait at once. Where nothing is watched it waits for its time to pass.
 *
 * @param agent       the agent, or TERN_ADDRESS_NONE: the next of those watched
 * @param timeout_ns  longest wait; 0: only look
 * @param ended       yields why and with what result; untouched on failure
 * @return 0; -ETIMEDOUT; -EDEADLK: the caller must not wait
 *
 * Context: attached threads without on_event; fibers (-ECANCELED: asked to finish).
 */
TERN_API int tern_wait(struct tern_agent *self, tern_address agent, uint64_t timeout_ns,
		       struct tern_ended *ended);

/** Whether an address was alive a moment ago. Any thread. */
TERN_API bool tern_agent_alive(const struct tern_agent *self, tern_address agent);

/** What the signal of tern_watch_fd() carries. */
struct tern_fd_ready {
	int fd;
	uint32_t events; /**< EPOLLIN and so on, of <sys/epoll.h> */
};

/** File descriptors waited for at once, in one engine. */
#define TERN_FD_WAITS_MAX 4096

/**
 * Wait for a file descriptor without blocking the lcore, once: when it is ready, the agent's
 * handler gets a signal of `type` from itself, carrying a struct tern_fd_ready. A helper thread
 * waits (epoll); in polled mode the polls look. The wait ends with the agent.
 *
 * @param fd      a pipe, socket, eventfd, timerfd...; open and waited for once until it came ready
 * @param events  EPOLLIN, EPOLLOUT, ...
 * @return 0; -EBADF; -EPERM: a file that is always ready; -EEXIST: somebody waits for it already;
 *         -EAGAIN: TERN_FD_WAITS_MAX waits at once
 *
 * Context: the agent's own functions. A system call; fibers use tern_wait_fd().
 */
TERN_API int tern_watch_fd(struct tern_agent *self, int fd, uint32_t events, uint16_t type)
	TERN_OWNS(self);

/**
 * A timer: memory of the agent that starts it, zeroed before first use, alive while armed. It is
 * armed until its last firing is handled, or it is cancelled: then it may be freed at once.
 */
struct tern_timer {
	struct tern_timer *next, **link;	     /* in a wheel list */
	struct tern_timer *agent_next, **agent_link; /* in its agent's list */
	struct tern_agent *agent;
	uint64_t deadline; /* ticks of the wheel */
	uint64_t period;   /* ticks of the clock; 0: one shot */
	uint64_t due;	   /* ticks of the clock */
	uint16_t type;
	bool armed;
	bool fired; /* and the firing has not been handled yet */
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
 * A firing comes ahead of what waits in the mailbox, and takes no place there. Of each timer there
 * is one at a time: one that the agent does not handle, because it is paused or a fiber at
 * something else, grows in `expired` and is not repeated.
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

/**
 * Disarm a timer. After this nothing of it comes, not a firing that was due already either,
 * whatever kind of agent it is. Returns whether it was armed.
 */
TERN_API bool tern_timer_cancel(struct tern_agent *self, struct tern_timer *timer) TERN_OWNS(self);

/** Id that a name stands for: the same on every node and in every release. Any thread. */
TERN_API struct tern_id tern_name_id(const char *name);

/**
 * Read an id that is written as 32 hexadecimal digits, plain or with the dashes of a UUID.
 *
 * @param id  yields it; untouched on failure
 * @return whether the text is one
 *
 * Context: any thread.
 */
TERN_API bool tern_id_read(const char *text, struct tern_id *id);

#endif
