/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INTERRUPTIBLE_H
#define INTERRUPTIBLE_H

#include <signal.h>
#include <stdio.h>

/**
 * Open a file whose reads end with EINTR once one of some blocked signals is pending.
 *
 * Without it, a pipe that nobody writes to would hold the reading thread, which looks for signals
 * between two reads. The signal stays pending.
 *
 * @param path     borrows; "-" is standard input
 * @param signals  borrows; those to give way to
 * @return the stream, to be closed with fclose(); NULL with errno
 *
 * Context: any one thread.
 */
FILE *interruptible_open(const char *path, const sigset_t *signals);

#endif
