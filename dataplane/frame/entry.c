/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of DATA frames. tern_entries_check() reads what others sent and trusts nothing; what
 * stands in frame.h reads frames that have passed it. Called on the lcore that has the frame.
 */
#include "entry.h"

#include <string.h>

#define ENTRY_ALIGN 4u

static size_t entry_padding(size_t length)
{
	return -length & (ENTRY_ALIGN - 1);
}

static size_t entry_head_bytes(uint32_t flags)
{
	return sizeof(struct tern_wire_entry) +
	       (flags & TERN_WIRE_ENTRY_KEYED ? sizeof(struct tern_wire_key) : 0) +
	       (flags & TERN_WIRE_ENTRY_FRAGMENT ? sizeof(struct tern_wire_fragment) : 0);
}

static bool entry_is_block(const struct tern_wire_entry *fixed)
{
	return fixed->kind == TERN_KIND_ISO || fixed->kind == TERN_KIND_VAL;
}

/* Point into an entry all of whose bytes are there. */
static void entry_point(const unsigned char *at, struct tern_entry *entry)
{
	const struct tern_wire_entry *fixed = (const void *)at;
	at += sizeof(*fixed);
	*entry = (struct tern_entry){.fixed = fixed};
	if (fixed->flags & TERN_WIRE_ENTRY_KEYED) {
		entry->key = ((const struct tern_wire_key *)at)->key;
		at += sizeof(struct tern_wire_key);
	}
	if (fixed->flags & TERN_WIRE_ENTRY_FRAGMENT) {
		entry->fragment = (const void *)at;
		at += sizeof(struct tern_wire_fragment);
	}
	entry->payload = at;
	entry->next = at + fixed->length + entry_padding(fixed->length);
}

static bool entry_is_sized(const struct tern_wire_entry *fixed)
{
	if (entry_is_block(fixed))
		return fixed->length <= TERN_BLOCK_SIZE_MAX;
	if (fixed->kind == TERN_KIND_TAG)
		return fixed->length == sizeof(uint64_t);
	return fixed->kind <= TERN_INLINE_MAX && fixed->length == fixed->kind;
}

static enum tern_drop entry_fixed_check(const struct tern_wire_entry *fixed)
{
	if (fixed->flags & ~TERN_WIRE_ENTRY_FLAGS)
		return TERN_DROP_RESERVED;
	if (fixed->to_slot >= TERN_AGENTS_MAX || fixed->from_slot >= TERN_AGENTS_MAX ||
	    !entry_is_sized(fixed))
		return TERN_DROP_ENTRY;
	return TERN_DROP_NONE;
}

static bool entry_fragment_is_right(const struct tern_entry *entry)
{
	const struct tern_wire_fragment *fragment = entry->fragment;
	return entry_is_block(entry->fixed) && entry->fixed->length > 0 &&
	       fragment->size <= TERN_BLOCK_SIZE_MAX && fragment->offset < fragment->size &&
	       entry->fixed->length <= fragment->size - fragment->offset;
}

static bool entry_padding_is_zero(const struct tern_entry *entry)
{
	for (const unsigned char *at = entry->payload + entry->fixed->length; at < entry->next;
	     at++)
		if (*at)
			return false;
	return true;
}

/* Look at the entry at `at`, of which `size` bytes may be there; fill it in where it is right. */
static enum tern_drop entry_check(const unsigned char *at, size_t size, struct tern_entry *entry)
{
	const struct tern_wire_entry *fixed = (const void *)at;
	if (size == 0)
		return TERN_DROP_COUNT;
	if (size < sizeof(*fixed))
		return TERN_DROP_ENTRY;
	enum tern_drop why = entry_fixed_check(fixed);
	if (why != TERN_DROP_NONE)
		return why;
	if (size < entry_head_bytes(fixed->flags) + fixed->length + entry_padding(fixed->length))
		return TERN_DROP_ENTRY;
	entry_point(at, entry);
	if (fixed->flags & TERN_WIRE_ENTRY_KEYED && entry->key == 0)
		return TERN_DROP_ENTRY;
	if (entry->fragment && !entry_fragment_is_right(entry))
		return TERN_DROP_FRAGMENT;
	return entry_padding_is_zero(entry) ? TERN_DROP_NONE : TERN_DROP_RESERVED;
}

enum tern_drop tern_entries_check(const struct tern_wire_data *data, size_t size)
{
	const unsigned char *at = (const unsigned char *)(data + 1);
	const unsigned char *end = (const unsigned char *)data + size;
	if (data->count == 0)
		return TERN_DROP_COUNT;
	for (uint32_t i = 0; i < data->count; i++) {
		struct tern_entry entry;
		enum tern_drop why = entry_check(at, (size_t)(end - at), &entry);
		if (why != TERN_DROP_NONE)
			return why;
		if (entry.fragment && data->count != 1)
			return TERN_DROP_FRAGMENT;
		at = entry.next;
	}
	return at == end ? TERN_DROP_NONE : TERN_DROP_COUNT;
}

void tern_entry_first(const struct tern_frame *frame, struct tern_entry *entry)
{
	entry_point((const unsigned char *)(frame->body.data + 1), entry);
}

void tern_entry_next(struct tern_entry *entry)
{
	entry_point(entry->next, entry);
}

size_t tern_entry_bytes(bool is_keyed, bool is_fragment, size_t length)
{
	uint32_t flags = (is_keyed ? TERN_WIRE_ENTRY_KEYED : 0) |
			 (is_fragment ? TERN_WIRE_ENTRY_FRAGMENT : 0);
	return entry_head_bytes(flags) + length + entry_padding(length);
}

unsigned char *tern_entry_put(unsigned char *to, const struct tern_wire_entry *fixed, uint64_t key,
			      const struct tern_wire_fragment *fragment, const void *payload)
{
	struct tern_wire_entry *written = (void *)to;
	*written = *fixed;
	written->flags = (fixed->flags & TERN_WIRE_ENTRY_RETURNED) |
			 (key ? TERN_WIRE_ENTRY_KEYED : 0) |
			 (fragment ? TERN_WIRE_ENTRY_FRAGMENT : 0);
	to += sizeof(*written);
	if (key) {
		memcpy(to, &key, sizeof(key));
		to += sizeof(struct tern_wire_key);
	}
	if (fragment) {
		memcpy(to, fragment, sizeof(*fragment));
		to += sizeof(*fragment);
	}
	if (fixed->length)
		memcpy(to, payload, fixed->length);
	to += fixed->length;
	for (size_t left = entry_padding(fixed->length); left; left--)
		*to++ = 0;
	return to;
}
