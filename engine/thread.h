/* SPDX-License-Identifier: Apache-2.0 */
#ifndef THREAD_H
#define THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct tern_agent;
struct tern_engine;

/** How long a waiting thread has found nothing, or others never nothing. Start from zero. */
struct tern_patience {
	uint32_t spins; /* looks in vain */
	uint32_t busy;	/* rounds of others' work in a row: polled mode */
};

/**
 * A step of a thread that waits: handle what was sent to it, and where there is nothing let others
 * work; in polled mode do that for them. Context: an attached thread outside its own handlers.
 */
void tern_thread_pass(struct tern_agent *self, struct tern_patience *patience);

/**
 * Polled mode: one round of all lcores for a thread that waits. A virtual clock goes on where
 * nobody had work, and now and then where somebody always has.
 *
 * @return false: another thread is at it
 */
bool tern_engine_step(struct tern_engine *engine, uint32_t *busy);

#endif
