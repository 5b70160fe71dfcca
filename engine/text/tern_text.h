/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_TEXT_H
#define TERN_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A fault is the failure of the agent whose code met it, and no other's. No mark is needed: all
 * code counts as an agent's that is not the engine's, libc's or the loader's, be it a handler, a
 * hook, a helper or a plug-in's. docs/scheduling.md says what a fault in libc does.
 *
 * Marks are for fibers that ask to be preempted, and for programs linked with their libc into one
 * (-static), in which nothing else can be told apart.
 */

/**
 * Marks a function as one that a fiber may be preempted in.
 *
 *     TERN_TEXT static void handle(...) { ... }
 *
 * All functions so marked in one program or shared object lie together, in the section
 * `tern_agents`. What the compiler puts inline into them counts as theirs; a marked function put
 * inline into an unmarked one does not, hence noinline.
 */
#define TERN_TEXT __attribute__((section("tern_agents"), noinline))

/** A range of machine code. */
struct tern_text {
	const void *start;
	const void *end; /* first byte after it */
};

#define TERN_TEXTS_MAX 8

/** Marked text: of the program, and of plug-ins that it calls. */
struct tern_text_set {
	uint32_t count;
	struct tern_text ranges[TERN_TEXTS_MAX];
};

/* The linker's names for the ends of the section, NULL in a module without it. */
extern const char __start_tern_agents[] __attribute__((weak, visibility("hidden")));
extern const char __stop_tern_agents[] __attribute__((weak, visibility("hidden")));

/** The marked functions of the module (program or shared object) that calls this. */
static inline struct tern_text tern_text_own(void)
{
	return (struct tern_text){.start = __start_tern_agents, .end = __stop_tern_agents};
}

/** Whether an instruction lies in one of the ranges. Borrows the set, which may be NULL. */
static inline bool tern_text_has(const struct tern_text_set *set, const void *pc)
{
	if (!set)
		return false;
	for (uint32_t i = 0; i < set->count; i++)
		if ((uintptr_t)pc - (uintptr_t)set->ranges[i].start <
		    (uintptr_t)set->ranges[i].end - (uintptr_t)set->ranges[i].start)
			return true;
	return false;
}

#endif
