/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTRAS_H
#define EXTRAS_H

#include <stdint.h>

struct tern_extras;
struct tern_lcore;

/*
 * Each slot has extras of its own from the start, in memory beside the arena that is touched only
 * where an agent has some: so they cannot run out. They are type-stable: that memory is only ever
 * extras of that slot, so that a reader of another thread that looks at an agent while it ends sees
 * some agent's name or counts, never foreign bytes, and throws them away when the generation turns
 * out to have moved on. The same holds for histograms, which there are where the engine traces.
 */

/** The extras of a slot for a new agent, as if zeroed. With histograms where the engine traces. */
struct tern_extras *tern_extras_take(struct tern_lcore *lcore, uint32_t slot);

/** Give back what the extras of an agent that ended hold. */
void tern_extras_put(struct tern_lcore *lcore, struct tern_extras *extras);

void tern_extras_set_name(struct tern_extras *extras, const char *name);

/** Copy a name out; `name` has TERN_NAME_MAX bytes. */
void tern_extras_name(const struct tern_extras *extras, char *name);

#endif
