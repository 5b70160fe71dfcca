/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASKED_H
#define ASKED_H

#include <stdbool.h>
#include <stdint.h>

#define TERN_ASK_START (1u << 24)
#define TERN_ASK_STOP (1u << 25)
#define TERN_ASK_CLOSED (1u << 26) /* its agent ended; the slot waits to be taken */
#define TERN_ASK_PAUSE (1u << 27)  /* of pause and resume, the last asked counts */
#define TERN_ASK_RESUME (1u << 28)
#define TERN_ASK_EVICT (1u << 29)
#define TERN_ASK_FINISH (1u << 30) /* by the time in the slot's reserve: finish.h */
#define TERN_ASK_LOOK (1u << 31)   /* something came to a roaming agent's reserve: reserve.h */

#define TERN_ASKED_ANY                                                                        \
	(TERN_ASK_START | TERN_ASK_STOP | TERN_ASK_PAUSE | TERN_ASK_RESUME | TERN_ASK_EVICT | \
	 TERN_ASK_FINISH | TERN_ASK_LOOK)

struct tern_asked {
	uint32_t word;	   /* generation and TERN_ASK_*; any lcore writes */
	uint32_t next;	   /* slot; whoever pushed it writes */
	uint64_t watchers; /* watch.h; any lcore writes */
};

/** Change a word, if it is what was seen; else see what it is. */
static inline bool tern_ask_replace(uint32_t *word, uint32_t *seen, uint32_t wanted)
{
	return __atomic_compare_exchange_n(word, seen, wanted, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

#endif
