/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_SLOT_H
#define TERN_SLOT_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_address.h"
#include "tern_block.h"

/** Bytes of payload a signal carries by value. */
#define TERN_INLINE_MAX 40u

/** Types from here on belong to the engine; user types are 0 to TERN_TYPE_MAX. */
#define TERN_TYPE_MAX 0xFEFFu

/* What the six low bits of `kind` say: 0..40 payload bytes by value, else what the payload is. */
#define TERN_KIND_ISO 48u
#define TERN_KIND_VAL 49u
#define TERN_KIND_TAG 50u
#define TERN_KIND_MASK 0x3Fu
#define TERN_KIND_TRACED 0x40u	 /* one in trace_every: stamped on every hop */
#define TERN_KIND_RETURNED 0x80u /* comes back from a dead address */
#define TERN_KIND_UNKNOWN 0xC0u	 /* comes back from a lost node, where it may have arrived */

/**
 * One signal: a 64-byte slot, one cache line, one transfer between two lcores.
 *
 * Readers use the functions below. The sender writes the header and the payload's own bytes, the
 * sequence last; what lies behind the payload is of no meaning.
 */
struct tern_signal {
	alignas(64) uint16_t sequence; /* lap of the lane; hop delay once in a mailbox */
	uint16_t type;		       /* chosen by the sender */
	uint32_t stamp;		       /* clock ticks >> 4 at the send */
	uint32_t to_slot;
	uint32_t to_generation : 24;
	uint32_t kind : 8;
	tern_address from;
	union {
		unsigned char bytes[TERN_INLINE_MAX];
		uint64_t words[TERN_INLINE_MAX / 8];
		tern_iso *iso;
		const tern_val *val;
		tern_tag *tag;
	} payload;
};
_Static_assert(sizeof(struct tern_signal) == 64, "a signal is one cache line");
_Static_assert(offsetof(struct tern_signal, from) == 16 &&
		       offsetof(struct tern_signal, payload) == 24,
	       "header of 24 bytes");

static inline uint16_t tern_signal_type(const struct tern_signal *signal)
{
	return signal->type;
}

/** Address of the agent or thread that sent it. */
static inline tern_address tern_signal_from(const struct tern_signal *signal)
{
	return signal->from;
}

/** Payload bytes carried by value; 0 when the payload is a block or a tag. */
static inline size_t tern_signal_size(const struct tern_signal *signal)
{
	uint32_t size = signal->kind & TERN_KIND_MASK;
	return size <= TERN_INLINE_MAX ? size : 0;
}

/** Payload bytes carried by value. Borrows: valid until the handler returns. */
static inline const void *tern_signal_data(const struct tern_signal *signal)
{
	return signal->payload.bytes;
}

/** Whether the payload is an iso block not yet taken. */
static inline bool tern_signal_has_iso(const struct tern_signal *signal)
{
	return (signal->kind & TERN_KIND_MASK) == TERN_KIND_ISO && signal->payload.iso;
}

/** Whether the payload is a val block not yet taken. */
static inline bool tern_signal_has_val(const struct tern_signal *signal)
{
	return (signal->kind & TERN_KIND_MASK) == TERN_KIND_VAL && signal->payload.val;
}

/* gcc -fanalyzer follows a taken block only through functions that are not inline. */
#ifdef TERN_ANALYZE
#define TERN_TAKES
#define TERN_TAKEN_ISO TERN_GIVES_ISO
#define TERN_TAKEN_VAL TERN_GIVES_VAL
#else
#define TERN_TAKES static inline
#define TERN_TAKEN_ISO
#define TERN_TAKEN_VAL
#endif

/**
 * Take the iso block out of a signal: the caller now owns it.
 *
 * A block that a handler does not take is dropped by the engine when the handler returns.
 *
 * @return the block; NULL where the payload is no iso or was taken before
 */
TERN_TAKES tern_iso *tern_signal_take_iso(struct tern_signal *signal) TERN_CHECKED TERN_TAKEN_ISO;

/** Take the val block out of a signal: the caller now owns that count. NULL as above. */
TERN_TAKES const tern_val *
tern_signal_take_val(struct tern_signal *signal) TERN_CHECKED TERN_TAKEN_VAL;

#ifndef TERN_ANALYZE
static inline tern_iso *tern_signal_take_iso(struct tern_signal *signal)
{
	if (!tern_signal_has_iso(signal))
		return NULL;
	tern_iso *iso = signal->payload.iso;
	signal->payload.iso = NULL;
	return iso;
}

static inline const tern_val *tern_signal_take_val(struct tern_signal *signal)
{
	if (!tern_signal_has_val(signal))
		return NULL;
	const tern_val *val = signal->payload.val;
	signal->payload.val = NULL;
	return val;
}
#endif

/** Look at the val block of a signal without taking it. Valid until the handler returns. */
static inline const tern_val *tern_signal_peek_val(const struct tern_signal *signal)
{
	return tern_signal_has_val(signal) ? signal->payload.val : NULL;
}

/** The id a signal carries (tern_signal_tag_id()). Returns false where its payload is none. */
static inline bool tern_signal_id_of(const struct tern_signal *signal, struct tern_id *id)
{
	if (tern_signal_size(signal) != sizeof(*id))
		return false;
	__builtin_memcpy(id, signal->payload.bytes, sizeof(*id));
	return true;
}

/** The tag a signal carries, or NULL. */
static inline tern_tag *tern_signal_tag_of(const struct tern_signal *signal)
{
	return (signal->kind & TERN_KIND_MASK) == TERN_KIND_TAG ? signal->payload.tag : NULL;
}

#endif
