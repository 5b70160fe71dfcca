/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

#include "tern_slot.h"

struct tern_agent;
struct tern_lcore;

/* Signals of the engine itself, of types users cannot send. */
#define TERN_CONTROL_BLOCKS 0xFF00u   /* to an lcore: words[0] is a chain of blocks coming home */
#define TERN_CONTROL_ENDED 0xFF02u    /* a tern_end_note, as an iso: see watch.h */
#define TERN_CONTROL_RELEASED 0xFF04u /* that others take signals again; never sent */
#define TERN_CONTROL_FORWARD                                                                      \
	0xFF05u			      /* to an lcore: a signal that a thread has for another node \
				       */
#define TERN_CONTROL_PRESSURE 0xFF10u /* between nodes: whether an agent refuses */
#define TERN_CONTROL_GOSSIP 0xFF11u   /* between nodes: what routers tell each other */
#define TERN_CONTROL_PING 0xFF12u     /* between nodes: to be answered by a PONG of the same bytes */
#define TERN_CONTROL_PONG 0xFF13u
#define TERN_CONTROL_WAKE 0xFF03u     /* type of the timer that ends a fiber's wait; never sent */

/**
 * A control signal of the engine to an agent, to be completed with its payload: marked as returned,
 * so that it never runs in place.
 */
struct tern_signal tern_control_signal(const struct tern_lcore *lcore, tern_address to,
				       uint16_t type, uint32_t kind);

/** Count one of the engine's own signals as done with: users' figures leave it out. */
void tern_control_handled(struct tern_lcore *lcore);

/** Take blocks back that came home, on whatever way. Runs no one. */
void tern_control_collect(struct tern_lcore *lcore, const struct tern_signal *signal);

/** Handler of the lcores' own agents. */
void tern_control_handle(struct tern_agent *self, void *state, struct tern_signal *signal);

#endif
