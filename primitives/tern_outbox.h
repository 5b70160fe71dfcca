/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_OUTBOX_H
#define TERN_OUTBOX_H

#include "tern_signal.h"

/** A signal that waits in an outbox. */
struct tern_outbox_entry {
	tern_address to;
	uint16_t type;
	uint16_t size;
	unsigned char bytes[TERN_INLINE_MAX];
};

/**
 * Signals of a handler, or of an attached thread, that have to arrive although their receivers push
 * back.
 *
 * A send may be refused with -EAGAIN, and a handler must not wait. What is refused waits here, and
 * all that is sent after it, so that order holds; when the receiver takes signals again the engine
 * says so (TERN_EVENT_RELEASED), and it leaves. Nothing polls. The owner bounds what can be
 * outstanding, and gives the memory for it:
 *
 *     static void on_event(struct tern_agent *self, void *state, const struct tern_event *event)
 *     {
 *             struct trader *trader = state;
 *             tern_outbox_event(self, &trader->outbox, event);
 *     }
 *
 * Of several outboxes each is told of each event. A fiber uses tern_send() instead.
 */
struct tern_outbox {
	struct tern_outbox_entry *entries;
	uint32_t capacity;
	uint32_t head;
	uint32_t count;	 /**< signals that wait now */
	uint64_t waited; /**< signals that had to wait */
	uint64_t dead;	 /**< of them, whose receiver had ended */
};

/** Make an empty outbox for `capacity` signals, 1 and up. Keeps `entries`. */
TERN_API void tern_outbox_init(struct tern_outbox *box, struct tern_outbox_entry *entries,
			       uint32_t capacity);

/**
 * Send now, or as soon as all that waits has left.
 *
 * @param data  `size` bytes, up to TERN_INLINE_MAX. Borrows
 * @return 0: sent, or it waits; -EAGAIN: the outbox is full, nothing is kept; else as
 *         tern_signal_bytes(); -EINVAL: the owner's behaviour has no on_event
 *
 * Context: the owner's functions.
 */
TERN_API int tern_outbox_send(struct tern_agent *self, struct tern_outbox *box, tern_address to,
			      uint16_t type, const void *data, size_t size) TERN_CHECKED;

/** Let what waits go as far as it can. Context: the owner's on_event, on every event. */
TERN_API void tern_outbox_event(struct tern_agent *self, struct tern_outbox *box,
				const struct tern_event *event);

#endif
