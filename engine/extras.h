/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTRAS_H
#define EXTRAS_H

#include "lcore.h"

/*
 * Extras are type-stable: their memory is only ever extras again, so that a reader of another
 * thread that looks at an agent while it ends sees some agent's name or counts, never foreign
 * bytes, and throws them away when the generation turns out to have moved on.
 */

/** Extras of a new agent, zeroed; NULL: none left. With histograms where the engine traces. */
struct tern_extras *tern_extras_take(struct tern_lcore *lcore);

/** Give extras back, to any lcore. */
void tern_extras_put(struct tern_lcore *lcore, struct tern_extras *extras);

void tern_extras_set_name(struct tern_extras *extras, const char *name);

/** Copy a name out; `name` has TERN_NAME_MAX bytes. */
void tern_extras_name(const struct tern_extras *extras, char *name);

#endif
