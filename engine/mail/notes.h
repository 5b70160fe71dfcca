/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOTES_H
#define NOTES_H

#include <stdint.h>

struct tern_agent;
struct tern_end_note;
struct tern_lcore;

/** A cell has left a watcher's mailbox. */
void tern_watch_cell_left(struct tern_lcore *lcore, struct tern_agent *watcher, uint32_t cell,
			  uint32_t before);

/** Take the notes that came to a roaming agent in a slot since they were taken, oldest first. */
struct tern_end_note *tern_watch_take_in(struct tern_lcore *lcore, uint32_t slot);

/** Drop a note that nobody is to be told of any more: its block goes home. */
void tern_watch_drop_note(struct tern_lcore *lcore, struct tern_end_note *note);

/** An end is to be told when the watcher runs. */
void tern_notes_set_due(struct tern_lcore *lcore, struct tern_agent *watcher,
			struct tern_end_note *note);

/** Signals of a roaming watcher have left its ring. */
void tern_watch_ring_moved(struct tern_lcore *lcore, struct tern_agent *watcher);

#endif
