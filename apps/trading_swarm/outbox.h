/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "swarm_signals.h"
#include "tern_agent.h"

/**
 * Signals that must arrive although their receiver pushes back.
 *
 * Problem: a send may be refused with -EAGAIN, and a handler must not wait. Idea: what is refused
 * waits here, and everything behind it too, so that order holds; a timer tries again. The owner
 * bounds what can be outstanding and sizes the box for that; it never overflows.
 */
struct outbox {
	struct tern_timer timer;
	uint32_t head;
	uint32_t count;
	uint32_t capacity;
	uint64_t held; /* signals that had to wait */
	struct outbox_entry *entries;
};

/**
 * Prepare a box.
 *
 * @param capacity  signals that may wait at once, 1..
 * @return 0 or -ENOMEM
 *
 * Context: before the owner is spawned. The timer's signals have type SWARM_RETRY: the owner's
 * handler calls outbox_retry() on it.
 */
int outbox_init(struct outbox *box, uint32_t capacity);

/** Free the box's memory. Context: after the owner has ended. */
void outbox_fini(struct outbox *box);

/**
 * Send now, or as soon as all that waits has left.
 *
 * @param data  borrows; `size` bytes, up to TERN_INLINE_MAX
 *
 * Context: the owner's functions. A dead receiver is skipped.
 */
void outbox_send(struct tern_agent *self, struct outbox *box, tern_address to, uint16_t type,
		 const void *data, size_t size) TERN_OWNS(self);

/** Try what waits. Context: the owner's handler, on SWARM_RETRY. */
void outbox_retry(struct tern_agent *self, struct outbox *box) TERN_OWNS(self);

#endif
