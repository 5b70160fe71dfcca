/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDS_H
#define FDS_H

#include <stdint.h>

#include "engine/lcore/engine.h"

/*
 * Agents that wait for file descriptors. The lcore registers the descriptor with epoll and goes
 * on; the observer's thread waits, and pushes what came ready on the lcore's list (Treiber push,
 * A1), which the lcore takes as a whole (exchange, T1). A1-T1 forbids that the lcore sees an entry
 * before its events.
 *
 * An entry's word holds a sequence and whether it is armed or has fired. The observer fires and the
 * lcore cancels by CAS on it, so exactly one of them wins, and an event of an earlier use finds
 * another sequence. A wait that ends when it has fired is forgotten: the descriptor is taken from
 * epoll at once, so that it may be waited for again or closed, and what comes is for nobody.
 * Entries are never freed, so a late look is harmless.
 */
/** Set up the table of an engine: epoll and its wake-up. 0; negative errno. */
int tern_fds_init(struct tern_engine *engine);
void tern_fds_fini(struct tern_engine *engine);

/** Close the descriptors, and keep the table for who may still look: nobody is told any more. */
void tern_fds_close(struct tern_engine *engine);

/**
 * Wait for `fd` on behalf of an agent: a fiber is woken, a handler gets a signal of `type`.
 *
 * @param ticket  yields what tern_fds_cancel() takes
 * @return as tern_watch_fd()
 */
int tern_fds_wait(struct tern_agent *agent, int fd, uint32_t events, uint16_t type,
		  uint32_t *ticket);

/** End a wait that may be over already. Context: the agent's lcore. */
void tern_fds_cancel(struct tern_lcore *lcore, const struct tern_agent *agent, uint32_t ticket);

/** Make the signal of a descriptor that is due to an agent (due.h), to be handled now. */
void tern_fds_take_due(struct tern_lcore *lcore, struct tern_agent *agent,
		       struct tern_signal *signal);

/** End all waits of an agent that ends. */
void tern_fds_forget(struct tern_lcore *lcore, const struct tern_agent *agent);

/** Hand over what came ready for agents here. Runs agents. Returns how many. */
unsigned tern_fds_take_all(struct tern_lcore *lcore);

static inline unsigned tern_fds_take(struct tern_lcore *lcore)
{
	if (tern_likely(tern_load(&lcore->arrivals.fds) == TERN_SLOT_NONE &&
			lcore->pending.fds == TERN_SLOT_NONE))
		return 0;
	return tern_fds_take_all(lcore);
}

/** Wait up to `ms` (-1: for ever) for descriptors or a wake-up. Context: the observer. */
void tern_fds_poll(struct tern_engine *engine, int ms);

/** End the observer's wait. Any thread. */
void tern_fds_wake(struct tern_engine *engine);

/** Waits not over yet. Any thread. */
uint32_t tern_fds_armed(const struct tern_engine *engine);

#endif
