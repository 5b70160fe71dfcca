/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_ring.h"

#include <errno.h>

#include <rte_common.h>
#include <rte_ring_elem.h>

#include "capabilities/sanitizer.h"

/*
 * ThreadSanitizer keeps one clock for each address. The ring's two ends meet at a word of 64 bits
 * of which the other end reads the upper half, so it would see no order at all between them.
 * Hence the ring's own accesses are hidden from it, and the order that the ring gives, from each
 * put to the take that finds it, is told in words.
 */
#define SIGNAL_BYTES ((unsigned)sizeof(struct tern_signal))

size_t tern_mail_ring_bytes(uint32_t capacity)
{
	if (capacity == 0 || capacity > TERN_MAIL_RING_CAPACITY_MAX)
		return 0;
	return offsetof(struct tern_mail_ring, ring) +
	       (size_t)rte_ring_get_memsize_elem(SIGNAL_BYTES, rte_align32pow2(capacity + 1));
}

int tern_mail_ring_init(struct tern_mail_ring *mail, uint32_t capacity, unsigned flags)
{
	unsigned taking = flags & TERN_MAIL_RING_DROPS ? RING_F_MC_RTS_DEQ : RING_F_SC_DEQ;
	if (tern_mail_ring_bytes(capacity) == 0 || flags & ~TERN_MAIL_RING_DROPS)
		return -EINVAL;
	tern_store(&mail->state, TERN_MAIL_RING_IDLE);
	if (rte_ring_init(&mail->ring, "mail", capacity,
			  RING_F_MP_RTS_ENQ | RING_F_EXACT_SZ | taking) != 0)
		return -EINVAL;
	rte_ring_set_prod_htd_max(&mail->ring, capacity);
	if (flags & TERN_MAIL_RING_DROPS)
		rte_ring_set_cons_htd_max(&mail->ring, capacity);
	return 0;
}

void tern_mail_ring_rebound(struct tern_mail_ring *mail, uint32_t capacity)
{
	tern_store(&mail->ring.capacity, capacity);
}

/*
 * A place, by CAS on {started, head}. Not DPDK's own step: it reckons the places that are left
 * without a sign, and a late sender that knows the bound of the life before may have used more than
 * there is now. Nobody waits for those that have a place and have not filled it.
 */
static TERN_HIDDEN bool reserve_place(struct rte_ring *ring, uint32_t *place, uint32_t *count_after)
{
	union __rte_ring_rts_poscnt *head = (void *)(uintptr_t)&ring->rts_prod.head;
	union __rte_ring_rts_poscnt seen, next;
	int32_t capacity = (int32_t)tern_load(&ring->capacity), used;
	seen.raw = __atomic_load_n(&head->raw, __ATOMIC_ACQUIRE);
	do {
		used = (int32_t)(seen.val.pos -
				 __atomic_load_n(&ring->cons.tail, __ATOMIC_ACQUIRE));
		if (used >= capacity)
			return false;
		next.val.pos = seen.val.pos + 1;
		next.val.cnt = seen.val.cnt + 1;
	} while (!__atomic_compare_exchange_n(&head->raw, &seen.raw, next.raw, false,
					      __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE));
	*place = seen.val.pos;
	*count_after = (uint32_t)used + 1;
	return true;
}

static TERN_HIDDEN bool enqueue_signal(struct rte_ring *ring, const struct tern_signal *signal,
				       uint32_t *count_after)
{
	uint32_t place;
	if (!reserve_place(ring, &place, count_after))
		return false;
	__rte_ring_enqueue_elems(ring, place, signal, SIGNAL_BYTES, 1);
	__rte_ring_rts_update_tail(&ring->rts_prod);
	return true;
}

static TERN_HIDDEN unsigned dequeue_signals(struct rte_ring *ring, struct tern_signal *signals,
					    unsigned count)
{
	return rte_ring_dequeue_burst_elem(ring, signals, SIGNAL_BYTES, count, NULL);
}

int tern_mail_ring_put(struct tern_mail_ring *mail, const struct tern_signal *signal,
		       uint32_t *count_after)
{
	tern_sanitizer_unlocking(&mail->ring);
	return tern_likely(enqueue_signal(&mail->ring, signal, count_after)) ? 0 : -EAGAIN;
}

unsigned tern_mail_ring_take(struct tern_mail_ring *mail, struct tern_signal *signals,
			     unsigned count)
{
	unsigned taken = dequeue_signals(&mail->ring, signals, count);
	tern_sanitizer_locked(&mail->ring);
	return taken;
}

bool tern_mail_ring_drop_oldest(struct tern_mail_ring *mail, struct tern_signal *oldest)
{
	return tern_mail_ring_take(mail, oldest, 1) == 1;
}

uint32_t tern_mail_ring_count(const struct tern_mail_ring *mail)
{
	/* cons.tail first: it never passes a prod.tail read after it. */
	uint32_t taken = __atomic_load_n(&mail->ring.cons.tail, __ATOMIC_ACQUIRE);
	uint32_t put = __atomic_load_n(&mail->ring.prod.tail, __ATOMIC_ACQUIRE);
	return RTE_MIN(put - taken, mail->ring.mask);
}
