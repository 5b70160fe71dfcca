/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_BLOCK_H
#define TERN_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_address.h"
#include "tern_error.h"

/*
 * Blocks and the four reference capabilities.
 *
 * A block is Tern's own memory for payloads above 40 bytes. Who may touch it is in the type of
 * the pointer, so that a compiler can find misuse:
 *
 *   tern_iso *        unique     read and write   sendable
 *   const tern_val *  shared     read             sendable, counted
 *   tern_ref *        local      read and write   not sendable
 *   tern_tag *        identity   none             sendable
 *
 * The types are never completed. What finds what (tests/compile_fail/ has a program for each):
 *
 *   gcc, clang               an error: a block dereferenced or copied by value; tern_signal() of a
 *                            ref, or of what is no block
 *   the same                 a warning, so build with -Werror: one capability taken for another, a
 *                            val written through tern_val_data(), a result not used
 *   gcc -Wall -O2            a block used after it was dropped, sent, frozen or localised
 *   gcc -fanalyzer           also one that leaks or may be NULL; with -DTERN_ANALYZE=1
 *   clang -Wthread-safety    functions of one agent called from another's: TERN_OWNS()
 *
 * gcc and its analyzer see that within a function and what is inlined into it, not from one
 * handler run to the next.
 *
 * No compiler sees memory that is no block, or that is reached past its type: one state pointer
 * given to two agents, a pointer among the bytes of a signal or of a block, static variables, a
 * payload pointer kept after its block was sent, a cast, the silent one to void * included. Two
 * agents that share so have a data race unless they order their accesses themselves. Builds with
 * -Ddebug_blocks=true stop a program that touches an iso it has sent to a pinned agent, for the
 * next 256 sends; ThreadSanitizer reports races as they happen.
 *
 * At run time passing a block on checks nothing. Dropping one a second time ends the process, as
 * long as nobody has its memory again.
 */
typedef struct tern_iso tern_iso;
typedef struct tern_val tern_val;
typedef struct tern_ref tern_ref;
typedef struct tern_tag tern_tag;

/** The block pools of one lcore or attached thread: tern_heap(). */
struct tern_heap;

/** Largest payload of a block, bytes. */
#define TERN_BLOCK_SIZE_MAX 65280u

/** Distance from a block to its payload: one header line, then headroom for frame headers. */
#define TERN_BLOCK_OFFSET 256u

/** Why the last call of this thread that returns a block (or NULL) refused: an errno value. */
#define tern_errno (*tern_errno_location())
TERN_API int *tern_errno_location(void);

/* What each capability allows, as compile-time constants: TERN_IS_SENDABLE(pointer). */
#define TERN_IS_SENDABLE(x) \
	_Generic((x), tern_iso * : 1, const tern_val * : 1, tern_tag * : 1, tern_ref * : 0)
#define TERN_IS_MUTABLE(x) \
	_Generic((x), tern_iso * : 1, const tern_val * : 0, tern_tag * : 0, tern_ref * : 1)
#define TERN_IS_UNIQUE(x) \
	_Generic((x), tern_iso * : 1, const tern_val * : 0, tern_tag * : 0, tern_ref * : 0)

/*
 * TERN_GIVES(consumer, position): the result must be passed on exactly once, to one of the
 * consumers named, as that argument. gcc then reports a block used after it was given away
 * (-Wall), and gcc -fanalyzer also one that leaks. Consumers of a block, by capability:
 */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define TERN_GIVES(consumer, position) __attribute__((malloc(consumer, position)))
#else
#define TERN_GIVES(consumer, position)
#endif
#define TERN_GIVES_ISO               \
	TERN_GIVES(tern_iso_drop, 2) \
	TERN_GIVES(tern_iso_freeze, 1) TERN_GIVES(tern_iso_localize, 1)
#define TERN_GIVES_VAL TERN_GIVES(tern_val_drop, 2)
#define TERN_GIVES_REF TERN_GIVES(tern_ref_drop, 2)
#define TERN_CHECKED __attribute__((warn_unused_result))
/* Never NULL, and takes no NULL. */
#define TERN_NONNULL __attribute__((nonnull, returns_nonnull))

/** Give a block back to its pool. Consumes `iso`; NULL is allowed. */
TERN_API void tern_iso_drop(struct tern_heap *heap, tern_iso *iso);
/** Give one count back; the last one frees the block. Consumes `val`; NULL is allowed. */
TERN_API void tern_val_drop(struct tern_heap *heap, const tern_val *val);
/** Give a local block back to its pool. Consumes `ref`; NULL is allowed. */
TERN_API void tern_ref_drop(struct tern_heap *heap, tern_ref *ref);

/* The same block under another capability; each consumes its argument. */

/** Make a block immutable and shareable; the result holds its one count. Consumes `iso`. */
TERN_API const tern_val *tern_iso_freeze(tern_iso *iso) TERN_CHECKED TERN_NONNULL TERN_GIVES_VAL;
/** Bind a block to the calling agent. Consumes `iso`. */
TERN_API tern_ref *tern_iso_localize(tern_iso *iso) TERN_CHECKED TERN_NONNULL TERN_GIVES_REF;
/** Make a local block sendable again. Consumes `ref`: the caller keeps no other pointer to it. */
TERN_API tern_iso *tern_ref_recover(tern_ref *ref) TERN_CHECKED TERN_NONNULL TERN_GIVES_ISO;
/* Declared again because only now is there a tern_ref_recover() to name. */
TERN_API tern_ref *tern_iso_localize(tern_iso *iso) TERN_GIVES(tern_ref_recover, 1);

/**
 * Make a block, its payload uninitialised.
 *
 * @param heap  the calling agent's or thread's own heap
 * @param size  payload bytes, 0 to TERN_BLOCK_SIZE_MAX
 * @return the block, to be dropped, sent, frozen or localised exactly once; NULL with
 *         tern_errno: ENOMEM the pool has no free memory of that size in one piece, EMSGSIZE
 *         `size` is too large
 *
 * With TERN_BLOCK_OFFSET bytes more, sizes round up to 512 bytes and its doublings. Memory freed in
 * one size serves any other: adjoining free blocks are joined and large ones split when a size has
 * run out, up to 4,096 blocks in one call (0.3 ms). A block that another lcore or thread dropped
 * counts as free when it has come home.
 *
 * Context: the thread that runs the owner of `heap`. No system call, no lock.
 */
TERN_API tern_iso *tern_iso_create(struct tern_heap *heap, size_t size) TERN_CHECKED TERN_GIVES_ISO;

/**
 * Make a shared block unique again.
 *
 * @return the block; NULL with tern_errno EBUSY while others hold a count: then `val` is not
 *         consumed
 */
TERN_API tern_iso *tern_val_thaw(const tern_val *val) TERN_CHECKED
	__attribute__((nonnull)) TERN_GIVES_ISO;
#ifdef TERN_ANALYZE
/* gcc counts what goes to a const parameter as still held, and would report it as a leak. */
tern_iso *tern_val_thaw_seen(tern_val *val) TERN_CHECKED TERN_GIVES_ISO;
static inline TERN_CHECKED tern_iso *tern_val_thaw_check(const tern_val *val)
{
	return tern_val_thaw_seen((tern_val *)(uintptr_t)val);
}
#define tern_val_thaw(val) tern_val_thaw_check(val)
#endif

/** Take one more count. Returns `val`, to be dropped or sent once more than before. */
TERN_API const tern_val *
tern_val_share(const tern_val *val) TERN_CHECKED TERN_NONNULL TERN_GIVES_VAL;

/** Holders of a shared block, at this moment. */
TERN_API uint32_t tern_val_count(const tern_val *val);

/** Payload bytes, as given to tern_iso_create(). Borrows `block`: an iso, val or ref. */
TERN_API size_t tern_block_size(const void *block);
/* Refuses what is no block; a tag is an address in a pointer's clothes. */
#define tern_block_size(block) \
	(tern_block_size)(_Generic((block), tern_iso *: (block), \
				   const tern_val *: (block), tern_ref *: (block)))

/** The payload, readable and writable. Borrows `iso`. */
static inline void *tern_iso_data(tern_iso *iso)
{
	return (unsigned char *)(void *)iso + TERN_BLOCK_OFFSET;
}

/** The payload, read-only. Borrows `val`. */
static inline const void *tern_val_data(const tern_val *val)
{
	return (const unsigned char *)(const void *)val + TERN_BLOCK_OFFSET;
}

/** The payload, readable and writable by the owning agent. Borrows `ref`. */
static inline void *tern_ref_data(tern_ref *ref)
{
	return (unsigned char *)(void *)ref + TERN_BLOCK_OFFSET;
}

/** The identity of an agent, as something that can be sent and compared, never touched. */
static inline tern_tag *tern_tag_make(tern_address address)
{
	return (tern_tag *)(uintptr_t)address;
}

/** The address behind a tag. */
static inline tern_address tern_tag_address(const tern_tag *tag)
{
	return (tern_address)(uintptr_t)tag;
}

/**
 * Define typed access to blocks that hold a `type`: NAME_create(heap), NAME_iso(iso),
 * NAME_val(val), NAME_ref(ref). The payload pointer then carries type and constness.
 */
#define TERN_BLOCK_TYPE(name, type)                                                       \
	static inline __attribute__((unused))                                             \
	TERN_CHECKED tern_iso *name##_create(struct tern_heap *heap)                      \
	{                                                                                 \
		return tern_iso_create(heap, sizeof(type));                               \
	}                                                                                 \
	static inline __attribute__((unused)) type *name##_iso(tern_iso *iso)             \
	{                                                                                 \
		return tern_iso_data(iso);                                                \
	}                                                                                 \
	static inline __attribute__((unused)) const type *name##_val(const tern_val *val) \
	{                                                                                 \
		return tern_val_data(val);                                                \
	}                                                                                 \
	static inline __attribute__((unused)) type *name##_ref(tern_ref *ref)             \
	{                                                                                 \
		return tern_ref_data(ref);                                                \
	}                                                                                 \
	_Static_assert(sizeof(type) <= TERN_BLOCK_SIZE_MAX, "a block holds at most 65,280 bytes")

#endif
