/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_NAMES_H
#define FAULT_NAMES_H

#include "fault_text.h"

/** Modules that are not an agent's, by how their file names begin. Ends with a NULL. */
struct tern_known_module {
	const char *begins;
	enum tern_code code;
};
extern const struct tern_known_module tern_known_modules[];

/**
 * Functions of libc that may be left in their midst: they take no lock and change nothing that
 * outlives the call but what the caller gave them. Memory that they took meanwhile is lost.
 */
extern const char *const tern_safe_functions[];

/** Functions named when the process ends in them, and never left, however simple they look. */
extern const char *const tern_unsafe_functions[];

#endif
