/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPE_SIGNAL_H
#define PIPE_SIGNAL_H

/* Private to the port room. */

#include <signal.h>
#include <time.h>

/*
 * Drivers of memif and virtio_user write to the socket of a far side that has died, which would
 * end the process with SIGPIPE. Threads that are in them keep the signal out; threads that they
 * start meanwhile do, too.
 */

/** Keep SIGPIPE out of this thread. @param kept  out: what it kept out before */
static inline void tern_pipe_signal_block(sigset_t *kept)
{
	sigset_t pipe;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, kept);
}

/** Forget one that has come, and let it in again if it was. */
static inline void tern_pipe_signal_restore(const sigset_t *kept)
{
	sigset_t pipe;
	if (sigismember(kept, SIGPIPE))
		return;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigtimedwait(&pipe, NULL, &(struct timespec){0});
	pthread_sigmask(SIG_SETMASK, kept, NULL);
}

#endif
