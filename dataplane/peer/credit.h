/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CREDIT_H
#define CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

/*
 * Frames of an lcore's receive pool, lent to other nodes through its links. Pure. One lcore's.
 *
 * A link starts with TERN_CREDIT_MIN, and gets twice as many when the other side comes near the end
 * of what it was told, up to its maximum and to what the pool has. It gives half of what is above
 * the minimum back for each TERN_CREDIT_IDLE_NS in which nothing came. A frame that was sent
 * against credit that has been taken back is dropped, and is sent again.
 */
#define TERN_CREDIT_MIN 4u
#define TERN_CREDIT_IDLE_NS 10000000u

/** What there is to lend. */
struct tern_lender {
	uint32_t free; /* frames that nobody is lent */
};

/** What one link has of it. */
struct tern_credit {
	struct tern_lender *lender; /* NULL: `max` is lent for good */
	uint32_t lent;
	uint32_t max;
	uint64_t told;	  /* the position that the other side may use up to, as told last */
	uint64_t used_ns; /* when a frame came last */
};

/** Lend the least. @return false: the pool has not even that; nothing is lent */
static inline bool tern_credit_init(struct tern_credit *credit, struct tern_lender *lender,
				    uint32_t max, uint64_t now_ns)
{
	uint32_t lent = lender ? TERN_CREDIT_MIN : max;
	if (lender && lender->free < lent)
		return false;
	if (lender)
		lender->free -= lent;
	*credit =
		(struct tern_credit){.lender = lender, .lent = lent, .max = max, .used_ns = now_ns};
	return true;
}

/** Give all back. */
static inline void tern_credit_fini(struct tern_credit *credit)
{
	if (credit->lender)
		credit->lender->free += credit->lent;
	credit->lent = 0;
}

/** A frame of this position came: lend more where it is near the end. */
static inline void tern_credit_use(struct tern_credit *credit, uint64_t position, uint64_t now_ns)
{
	credit->used_ns = now_ns;
	if (!credit->lender || position + 1 + credit->lent / 4 < credit->told)
		return;
	uint32_t more =
		RTE_MIN(RTE_MIN(credit->lent, credit->max - credit->lent), credit->lender->free);
	credit->lent += more;
	credit->lender->free -= more;
}

/** Take back what an idle link does not need. Returns when to ask again, ns; UINT64_MAX: never. */
static inline uint64_t tern_credit_poll(struct tern_credit *credit, uint64_t now_ns)
{
	if (!credit->lender || credit->lent == TERN_CREDIT_MIN)
		return UINT64_MAX;
	if (now_ns >= credit->used_ns + TERN_CREDIT_IDLE_NS) {
		uint32_t less = (credit->lent - TERN_CREDIT_MIN + 1) / 2;
		credit->lent -= less;
		credit->lender->free += less;
		credit->used_ns = now_ns;
	}
	return credit->used_ns + TERN_CREDIT_IDLE_NS;
}

#endif
