/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ARRIVALS_H
#define ARRIVALS_H

#include <stdalign.h>
#include <stdint.h>

#include "capabilities/lane.h"
#include "reserve.h"

/** What others leave for an lcore. They write, seldom; the lcore reads each turn. */
struct tern_arrivals {
	alignas(TERN_LINE) uint32_t news; /* lanes made, and policies asked for, so far */
	uint32_t asked;			  /* slots of agents of which something is asked: ask.h */
	uint32_t fds;			  /* file descriptors that came ready: fds.h */
	uint32_t woken;			  /* slots of roaming agents woken by others: room.h */
	uint32_t cells;			  /* lent cells that come home: outbox.c */
	uint32_t reschedule;		  /* 1: another policy is asked for: reschedule.h */
	float load;			  /* forecast, in CPUs; the observer writes */
	struct tern_lane **lanes;	  /* by sending lcore x 2 + express */
};

/** What an lcore has taken up and not done yet. Its thread writes. */
struct tern_pending {
	uint32_t asks;			 /* slots taken from arrivals.asked */
	uint32_t fds;			 /* entries taken from arrivals.fds */
	struct tern_slot_list finishing; /* agents that end when their mailbox is empty */
};

#endif
