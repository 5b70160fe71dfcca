/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_outbox.h"

#include <errno.h>
#include <string.h>

#include "engine/lcore/agent.h"

void tern_outbox_init(struct tern_outbox *box, struct tern_outbox_entry *entries, uint32_t capacity)
{
	*box = (struct tern_outbox){.entries = entries, .capacity = capacity};
}

static int keep_signal(struct tern_outbox *box, tern_address to, uint16_t type, const void *data,
		       size_t size)
{
	if (box->count == box->capacity)
		return -EAGAIN;
	struct tern_outbox_entry *entry = &box->entries[(box->head + box->count) % box->capacity];
	*entry = (struct tern_outbox_entry){.to = to, .type = type, .size = (uint16_t)size};
	if (size)
		memcpy(entry->bytes, data, size);
	box->count++;
	box->waited++;
	return 0;
}

int tern_outbox_send(struct tern_agent *self, struct tern_outbox *box, tern_address to,
		     uint16_t type, const void *data, size_t size)
{
	if (!self->behaviour->on_event)
		return -EINVAL;
	if (size > TERN_INLINE_MAX || type > TERN_TYPE_MAX)
		return -EMSGSIZE;
	int code = box->count ? -EAGAIN : tern_signal_bytes(self, to, type, data, size);
	return code == -EAGAIN ? keep_signal(box, to, type, data, size) : code;
}

void tern_outbox_event(struct tern_agent *self, struct tern_outbox *box,
		       const struct tern_event *event)
{
	if (event->kind != TERN_EVENT_RELEASED)
		return;
	while (box->count) {
		const struct tern_outbox_entry *entry = &box->entries[box->head];
		int code =
			tern_signal_bytes(self, entry->to, entry->type, entry->bytes, entry->size);
		if (code == -EAGAIN)
			return; /* another event follows */
		box->dead += code != 0;
		box->head = (box->head + 1) % box->capacity;
		box->count--;
	}
}
