/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRESSED_H
#define PRESSED_H

#include <stdbool.h>
#include <stdint.h>

#include "tern_address.h"

/*
 * Which agents refuse across a network. Here those of this node whose senders elsewhere have been
 * told, with whom to tell when it is over; there those that refuse. A bounded set, one lcore's.
 */
#define TERN_PRESSED_MAX 1024u
/* Twice as many places as entries, so that a search is short and ends. */
#define TERN_PRESSED_PLACES (2 * TERN_PRESSED_MAX)

struct tern_pressed_entry {
	tern_address agent;
	uint32_t link; /* number of the link by which it was told */
};

struct tern_pressed {
	struct tern_pressed_entry *entries; /* TERN_PRESSED_MAX */
	uint16_t *places;		    /* by hash: entry + 1; 0: none. Open addressing */
	uint32_t count;
	uint32_t looked; /* the entry that the next look is at */
};

/** 0; -ENOMEM. */
int tern_pressed_init(struct tern_pressed *pressed);
void tern_pressed_fini(struct tern_pressed *pressed);

/** Whether an agent is in the set for a link. */
bool tern_pressed_has(const struct tern_pressed *pressed, tern_address agent, uint32_t link);

/** Add one. Returns false where it is there already, or TERN_PRESSED_MAX are. */
bool tern_pressed_add(struct tern_pressed *pressed, tern_address agent, uint32_t link);

void tern_pressed_remove(struct tern_pressed *pressed, tern_address agent, uint32_t link);

/** Remove all of a link: its session is over. */
void tern_pressed_forget(struct tern_pressed *pressed, uint32_t link);

/** The next one in turn, so that a caller that looks at some each time sees all. Context: count is
 * not 0. */
struct tern_pressed_entry tern_pressed_next(struct tern_pressed *pressed);

#endif
