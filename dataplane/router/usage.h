/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USAGE_H
#define USAGE_H

#include <stdalign.h>

#include "capabilities/counter.h"
#include "tern_router.h"

/**
 * Lookups of one reader by capability; it alone writes. A row whose lookups are 0 is free: the id
 * is written before the first lookup is counted (tern_usage_count(), release), and read after it
 * (add_usage() in usage.c, acquire); without that another thread could count for a wrong id.
 */
struct tern_usage {
	alignas(TERN_LINE) struct tern_capability_counts rows[TERN_CAPABILITIES_COUNTED];
	struct tern_capability_counts others; /* for whom there was no row */
};

/** A lookup: how many addresses it told, and how long it took; TERN_USAGE_UNTIMED: not timed. */
#define TERN_USAGE_UNTIMED UINT64_MAX
void tern_usage_count(struct tern_usage *usage, struct tern_id capability, uint32_t told,
		      uint64_t ns);

/** Labels kept, at most. */
#define TERN_LABELS_MAX 256u

/** Names of capabilities, for people: they come, under a lock, and stay. */
struct tern_labels {
	uint32_t count; /* any thread reads: release with acquire, so that those before it are whole
			 */
	struct tern_label {
		struct tern_id id;
		char text[64];
	} kept[TERN_LABELS_MAX];
};

/** Keep one. Context: one thread at a time. */
void tern_labels_put(struct tern_labels *labels, struct tern_id id, const char *text);

/** That of an id; NULL: none is kept. Any thread; it stays. */
const char *tern_labels_find(const struct tern_labels *labels, struct tern_id id);

#endif
