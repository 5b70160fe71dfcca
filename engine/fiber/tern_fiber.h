/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_FIBER_H
#define TERN_FIBER_H

#include "tern_agent.h"

/*
 * Fibers: agents written as straight-line code with a stack of their own. While one waits, its
 * lcore runs others. All functions here are for the fiber itself; elsewhere they fail with
 * -EDEADLK, because a handler must not wait.
 *
 * A waiting fiber still hears of pressure and returned signals by on_event. Ended by force
 * (tern_agent_stop(), a deadline, the engine's stop) it never returns from its wait: on_stop is
 * where it cleans up. Asked to finish, it handles what it has; then each wait fails with
 * -ECANCELED, so that it can return.
 *
 * A fiber may go on on another lcore than before (tern_spawn_options.roaming): take no address of
 * a thread-local variable across a wait.
 */

/** Define a fiber: `TERN_FIBER(static, trade) { ... return result; }` with self and state. */
#define TERN_FIBER(linkage, name)                                                       \
	linkage int64_t name(struct tern_agent *self, void *state) TERN_OWNS(self);     \
	TERN_TEXT linkage int64_t name(struct tern_agent *self __attribute__((unused)), \
				       void *state __attribute__((unused)))

/** A timeout that never ends a wait. */
#define TERN_FOREVER UINT64_MAX

/**
 * Wait for the next signal.
 *
 * @param timeout_ns  longest wait; 0: only look; TERN_FOREVER
 * @return the signal, valid until the next receive; a block that was not taken out of it is
 *         dropped then. NULL with tern_errno: ETIMEDOUT; ECANCELED; EDEADLK
 */
TERN_API struct tern_signal *tern_recv(struct tern_agent *self, uint64_t timeout_ns)
	TERN_OWNS(self);

/**
 * Wait for the next signal of one type. Others stay in the mailbox, in their order, and count for
 * its bound. Passes over those in front of it, without moving them, and looks at each of them once
 * in a wait; one that is in front costs the same however many wait.
 *
 * @param type  0..TERN_TYPE_MAX
 */
TERN_API struct tern_signal *tern_recv_type(struct tern_agent *self, uint16_t type,
					    uint64_t timeout_ns) TERN_OWNS(self);

/** Wait for a time to pass. Never early. Returns 0; -ECANCELED; -EDEADLK. */
TERN_API int tern_sleep(struct tern_agent *self, uint64_t ns) TERN_OWNS(self);

/** Let the other ready agents of this lcore run. Returns 0; -EDEADLK. */
TERN_API int tern_yield(struct tern_agent *self) TERN_OWNS(self);

/**
 * Wait until a file descriptor is ready. The lcore goes on: a helper thread waits (epoll).
 *
 * @param fd      a pipe, socket, eventfd, timerfd...; not waited for by anybody else meanwhile
 * @param events  EPOLLIN, EPOLLOUT, ... of <sys/epoll.h>
 * @param timeout_ns  longest wait; 0: only look; TERN_FOREVER
 * @param ready   yields those that came; may be NULL; untouched on failure
 * @return 0; -ETIMEDOUT; -ECANCELED; -EDEADLK; -EBADF; -EPERM: a file that is always ready;
 *         -EEXIST: somebody waits for it; -EAGAIN: TERN_FD_WAITS_MAX waits at once
 */
TERN_API int tern_wait_fd(struct tern_agent *self, int fd, uint32_t events, uint64_t timeout_ns,
			  uint32_t *ready) TERN_OWNS(self);

#endif
