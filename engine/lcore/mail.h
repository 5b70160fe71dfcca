/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_H
#define MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/queue/ends.h"
#include "engine/queue/mailbox.h"
#include "reserve.h"

/**
 * Mailbox memory of an lcore, and what follows from how much is left: mail/inbox.c. Its thread
 * writes.
 */
struct tern_mail {
	struct tern_cells cells;
	uint32_t credit; /* signals that a lane to here may have under way; UINT32_MAX: its depth */
	struct tern_slot_list shorts; /* agents that refuse for want of mailbox memory */
	uint32_t depth_max;	      /* slots of the longest lane to here */
	uint32_t cells_from;	      /* number of the first among all lcores' */
	uint64_t full_due; /* ticks before which no further line says that cells are used up */
};

/** What the engine itself sends from an lcore, while a lane is full. Its thread writes. */
struct tern_outboxes {
	struct tern_mailbox *returns; /* by route: signals that go back to their senders */
	struct tern_note_list *ends;  /* by route */
	uint32_t deferred;	      /* signals in `returns` */
	uint32_t ends_left;	      /* notes in `ends` */
	uint32_t lent; /* cells that roaming agents have yet to give back; any thread reads */
};

#endif
