/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox.h"

#include "tern_signal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_NS 2000

struct outbox_entry {
	tern_address to;
	uint16_t type;
	uint16_t size;
	unsigned char bytes[TERN_INLINE_MAX];
};

int outbox_init(struct outbox *box, uint32_t capacity)
{
	*box = (struct outbox){.capacity = capacity};
	box->entries = calloc(capacity, sizeof(*box->entries));
	return box->entries ? 0 : -ENOMEM;
}

void outbox_fini(struct outbox *box)
{
	free(box->entries);
	box->entries = NULL;
}

void outbox_send(struct tern_agent *self, struct outbox *box, tern_address to, uint16_t type,
		 const void *data, size_t size)
{
	if (box->count == 0 && tern_signal_bytes(self, to, type, data, size) != -EAGAIN)
		return;
	assert(box->count < box->capacity && size <= TERN_INLINE_MAX);
	struct outbox_entry *entry = &box->entries[(box->head + box->count) % box->capacity];
	entry->to = to;
	entry->type = type;
	entry->size = (uint16_t)size;
	if (size)
		memcpy(entry->bytes, data, size);
	box->held++;
	if (box->count++ == 0)
		tern_timer_start(self, &box->timer, RETRY_NS, 0, SWARM_RETRY);
}

void outbox_retry(struct tern_agent *self, struct outbox *box)
{
	while (box->count) {
		const struct outbox_entry *entry = &box->entries[box->head];
		if (tern_signal_bytes(self, entry->to, entry->type, entry->bytes, entry->size) ==
		    -EAGAIN) {
			tern_timer_start(self, &box->timer, RETRY_NS, 0, SWARM_RETRY);
			return;
		}
		box->head = (box->head + 1) % box->capacity;
		box->count--;
	}
}
