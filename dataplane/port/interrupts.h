/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

/* Private to the port room. */

#include <stdbool.h>

#include "tern_error.h"

struct tern_ethdev;

/*
 * EAL's interrupt thread, held back while lcores are in a driver that it would unmap memory under.
 *
 * memif's driver unmaps its rings on the interrupt thread as soon as the far side is gone, whoever
 * is using them: a burst that is under way then is a fault. As long as a memif port is open, the
 * interrupt thread therefore waits in a callback of ours. When one of the port's sockets has
 * something to say, and once a second for all others, the tender closes the gates of all memif
 * ports, lets the thread do what is waiting, and holds it again: a pause of 0.1 ms and more.
 */

/** A memif port is about to be opened: hold the thread. @return 0; -ETIMEDOUT, -ENOMEM */
int tern_interrupts_join(struct tern_ethdev *dev, struct tern_error *error);

/** It is closed. Its gates are; the last one lets the thread go. */
void tern_interrupts_leave(struct tern_ethdev *dev);

/** Open or close the gates of a port that has joined. It stays as it was over a pause. */
void tern_interrupts_set_open(struct tern_ethdev *dev, bool is_open);

/** Let the thread do what is waiting, between closed gates. */
void tern_interrupts_let(void);

#endif
