/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "swarm_signals.h"
#include "tern_outbox.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* An outbox on the heap, which its owner sizes for all that can be outstanding: it never fills. */

/** Returns 0 or -ENOMEM. Context: before the owner is spawned. */
static inline int outbox_make(struct tern_outbox *box, uint32_t capacity)
{
	struct tern_outbox_entry *entries = calloc(capacity, sizeof(*entries));
	tern_outbox_init(box, entries, capacity);
	return entries ? 0 : -ENOMEM;
}

/** Context: after the owner has ended. */
static inline void outbox_free(struct tern_outbox *box)
{
	free(box->entries);
	box->entries = NULL;
}

/** Send, or keep it until its receiver takes it. A dead receiver is skipped. */
static inline void outbox_send(struct tern_agent *self, struct tern_outbox *box, tern_address to,
			       uint16_t type, const void *data, size_t size) TERN_OWNS(self)
{
	int code = tern_outbox_send(self, box, to, type, data, size);
	assert(code != -EAGAIN && code != -EINVAL);
	(void)code;
}

#endif
