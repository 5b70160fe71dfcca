/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READER_H
#define READER_H

#include <rte_rcu_qsbr.h>

#include "capabilities/sanitizer.h"
#include "engine.h"

/*
 * Who may look at memory that others take out of use: rooms of roaming agents, routes, sets. An
 * lcore may at any time, and says when it has let go of all it saw; a thread only between enter
 * and leave, which nest.
 */

/** An lcore holds nothing that it has looked at. */
static inline void tern_reader_quiet(struct tern_lcore *lcore)
{
	tern_sanitizer_unlocking(lcore->engine->quiet);
	rte_rcu_qsbr_quiescent(lcore->engine->quiet, lcore->index);
}

static inline void tern_reader_enter(struct tern_lcore *lcore)
{
	if (tern_unlikely(lcore->is_thread) && lcore->attached.reader_depth++ == 0)
		rte_rcu_qsbr_thread_online(lcore->engine->quiet, lcore->index);
}

static inline void tern_reader_leave(struct tern_lcore *lcore)
{
	tern_sanitizer_unlocking(lcore->engine->quiet);
	if (tern_unlikely(lcore->is_thread) && --lcore->attached.reader_depth == 0)
		rte_rcu_qsbr_thread_offline(lcore->engine->quiet, lcore->index);
}

#endif
