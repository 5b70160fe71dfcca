/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASK_H
#define ASK_H

#include "engine/lcore/lcore.h"

/*
 * Asking an agent's home lcore to start, pause, resume, finish or end it. What is asked sits in
 * memory that every slot has from the start, so it is never refused and needs no room in any lane,
 * and it overtakes data.
 *
 * A slot's word holds its generation and what is asked. Whoever asks first pushes the slot on the
 * home lcore's list (CAS on its head, A1); the lcore takes the whole list at once (exchange, T1),
 * so no slot is ever popped alone and the list has no ABA. A1-T1 forbids that the lcore sees the
 * slot before its agent or its `next`. A roaming agent is not listed but woken, and whoever runs it
 * looks at its word. A slot whose agent ends while it is listed is reused only
 * after it was taken.
 */
#define TERN_ASK_START (1u << 24)
#define TERN_ASK_STOP (1u << 25)
#define TERN_ASK_CLOSED (1u << 26) /* its agent ended; the slot waits to be taken */
#define TERN_ASK_PAUSE (1u << 27)  /* of pause and resume, the last asked counts */
#define TERN_ASK_RESUME (1u << 28)
#define TERN_ASK_EVICT (1u << 29)
#define TERN_ASK_FINISH (1u << 30) /* by the time in the slot's reserve: finish.h */
#define TERN_ASK_LOOK (1u << 31)   /* something came to a roaming agent's reserve: reserve.h */

struct tern_asked {
	uint32_t word;	   /* generation and TERN_ASK_*; any lcore writes */
	uint32_t next;	   /* slot; whoever pushed it writes */
	uint64_t watchers; /* watch.h; any lcore writes */
};

/** Ask something of a living agent. False: it is gone. Any lcore or attached thread. */
bool tern_ask(struct tern_lcore *lcore, tern_address agent, uint32_t what);

/** Do what was asked of a roaming agent that this lcore begins to run. Runs the agent. */
void tern_ask_answer(struct tern_lcore *lcore, uint32_t slot);

/** Do what was asked of agents here. Runs agents. Returns how many. */
unsigned tern_ask_take_all(struct tern_lcore *lcore);

/** Do what was asked, where anything was. */
static inline unsigned tern_ask_take(struct tern_lcore *lcore)
{
	if (tern_likely(tern_load(&lcore->inbox.asked) == TERN_SLOT_NONE &&
			lcore->pending.asks == TERN_SLOT_NONE))
		return 0;
	return tern_ask_take_all(lcore);
}

/** Open a slot for the agent of a generation, before anyone knows its address. */
void tern_ask_open(struct tern_lcore *lcore, uint32_t slot, uint32_t generation);

/** Close an ended agent's slot. False: it is still listed, and comes to tern_slots_reuse() later.
 */
bool tern_ask_close(struct tern_lcore *lcore, uint32_t slot);

#endif
