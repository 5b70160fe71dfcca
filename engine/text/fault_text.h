/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_TEXT_H
#define FAULT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whose code an instruction belongs to. What is known is what is *not* an agent's: the engine, by
 * the section that its objects are put into (scripts/text-section), libc, the loader and what the
 * engine stands on, by the names of their modules. All else is own text: the program, its helpers
 * and libraries, plug-ins, whenever they were loaded.
 *
 * Called by fault.c: made where signal handlers are installed, read by them. A table is never
 * changed once it can be read; a library of those named that is loaded later counts once the next
 * engine starts.
 */

enum tern_code {
	TERN_CODE_OWN,
	TERN_CODE_ENGINE,
	TERN_CODE_LIBC,	   /* left in some of its functions only: it may hold a lock */
	TERN_CODE_PURE,	   /* libm: nothing to be held there */
	TERN_CODE_FOREIGN, /* loader, allocator, DPDK, sanitizers: never left */
};

/** A function of libc that is known by name. */
struct tern_known_function {
	uintptr_t start;
	const char *name;
	bool safe; /* to leave in its midst, whatever it called: no lock, nothing half changed */
};

struct tern_code_table;

/** Look at all modules and functions. NULL: no memory. Context: any thread, no signal handler. */
struct tern_code_table *tern_code_table_make(struct tern_code_table *next);

/** Free a table and those it was put before. */
void tern_code_table_free(struct tern_code_table *table);

/** Whose code; false in `known`: nothing can be told, the program is one with its libc. */
enum tern_code tern_code_of(const struct tern_code_table *table, uintptr_t pc);
bool tern_code_is_known(const struct tern_code_table *table);

/** File name of a module that is not an agent's, and where it begins. NULL: not known. */
const char *tern_code_module(const struct tern_code_table *table, uintptr_t pc, uintptr_t *begin);

/** The function that begins there. NULL: none that is known. */
const struct tern_known_function *tern_code_function(const struct tern_code_table *table,
						     uintptr_t start);

#endif
