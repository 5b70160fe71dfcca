/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLOBAL_QUEUE_H
#define GLOBAL_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct tern_engine;

/*
 * Roaming agents that found their lcore's run ring full, by priority: any lcore puts, any takes.
 * One place a slot; full only while an lcore that takes is held up for so long that the others
 * put as much again. An rte_ring in RTS mode (mail_ring.h says why).
 */

/** Set up the queues of an engine. 0; -ENOMEM. */
int tern_global_init(struct tern_engine *engine);
void tern_global_fini(struct tern_engine *engine);

/** Append an agent's slot. False: it is full. Any lcore. */
bool tern_global_put(struct tern_engine *engine, uint32_t level, uint32_t slot);

/** Take the oldest slot. False: there is none. Any lcore. */
bool tern_global_take(struct tern_engine *engine, uint32_t level, uint32_t *slot);

/** Agents that wait in all of them: a hint. */
uint32_t tern_global_count(const struct tern_engine *engine);

#endif
