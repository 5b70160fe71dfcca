/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_RING_H
#define MAIL_RING_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capabilities/counter.h"
#include "tern_slot.h"

#include <rte_atomic.h>
#include <rte_ring.h>

/*
 * The mailbox of a roaming agent, one that any lcore may run: a ring of signals (rte_ring; many
 * senders, one lcore at a time that takes) and a state word that decides who schedules the agent.
 *
 *   state         who looks at the ring next           a sender's wake     its lcore
 *   idle      0   nobody: a sender has to see to it     to queued: yes      -
 *   queued    1   whoever takes it from a run queue     stays               begin: running
 *   running   2   its lcore, but it may be past it      to notified         rest: idle
 *   notified  3   its lcore, again                      stays               rest: queued
 *
 * Bit 0 reads "somebody will look at the ring after now", bit 1 "an lcore runs it". The wake that
 * answers true, the rest that answers false and each requeue make the state queued, and oblige
 * their caller to put the agent in a run queue, once. One begin answers each: queued counts the
 * agent's place in a run queue, so it is in one at most, and runs on one lcore at a time.
 *
 * No wake-up is lost. A signal comes into sight when the ring's tail passes it. Whoever moved
 * the tail then does, in this order:
 *     S1 move the tail     S2 full fence     S3 read the state; bit 0 not set: fetch_or (S4)
 * and the lcore that runs the agent does
 *     C1 exchange to running, full fence     C2 read the tail     C3 CAS running to idle
 * S2 and C1's fence forbid that each reading misses the other's write (Dekker): either C2 finds
 * the signal, or S3 reads what C1 wrote or something later. So take a signal that C2 missed:
 *     S3 reads running or idle: S4 comes before C3, which then fails and queues the agent, or it
 *     comes after C3, finds idle and schedules, or somebody else scheduled before it;
 *     S3 reads notified, or a later queued: another C1, and with it a C2, is still to come.
 * What S3 cannot read is the queued that C1 ended. Without S2 it can: the state is read before
 * the tail has moved, the lcore begins, finds nothing and goes idle. Without C1's fence, or with
 * its exchange a plain store, the same from the other side. With a plain store for C3 ("the ring
 * was empty") S4's notice is overwritten. tests/model/roaming.pml shows all three.
 *
 * C3 or a requeue (release, R1) with S4 or C1 (acquire, A1) hands the agent's own memory from
 * lcore to lcore, together with the run queue in between.
 *
 * The ring, DPDK 22.11, RTS mode: a sender reserves a place by CAS on {started, head}, copies,
 * then by CAS on {finished, tail} counts itself finished; who makes finished equal started moves
 * the tail to the head. Each CAS carries on the release of those before it, so that one acquire
 * of the tail is after all copies below it; the plain multi-producer mode waits for the sender
 * before it by a relaxed load and promises that on x86 only.
 * A sender preempted between its two CASes stops the tail: what was put from its place on is out
 * of sight until it runs again, however many others finish; whoever of them is last then moves
 * the tail, and does the wake that counts. In between, wakes run the agent in vain.
 * Nobody waits for it: others go on until the ring is full, then get -EAGAIN. So the ring is not
 * lock-free: one preempted sender holds up the agent, never another sender's lcore. Short of
 * that, puts that overlap without a gap hold the tail back too, for a capacity of puts at most,
 * since a refused put starts nothing. TERN_MAIL_RING_DROPS has the same on the other side: whoever
 * is preempted in taking keeps the places from its own on from being filled again.
 *
 * Lives: a mailbox serves one agent after the other, and is never made anew, so that a sender may
 * come late: it saw the agent before alive, and puts when the mailbox has been given up or is
 * another's. That put is like any other; the signal says for whom it was, and whoever takes it
 * returns it. Between two lives the state is queued, and the mailbox in no queue: a late wake reads
 * that, and answers false. The promise of "queued", that somebody will look at the ring after now,
 * is kept by the first run of the next life, for which its maker puts it in a run queue (not by a
 * wake: the state is queued already), or by the look after all senders were quiet, if there is no
 * next life by then (rooms.c). A late wake that reads idle reads it from the next life, and
 * schedules the agent of that life: which it is, it reads after S4. That agent cannot have ended:
 * to end it has to run, and for that somebody has to put it in a run queue, which is the waker's to
 * do.
 *
 * Order: what one sender puts is taken in the order put, since a put has its place before the
 * next begins, and the ring is taken from in order of places. Between senders: order of places.
 */
#define TERN_MAIL_RING_IDLE 0u
#define TERN_MAIL_RING_QUEUED 1u
#define TERN_MAIL_RING_RUNNING 2u
#define TERN_MAIL_RING_NOTIFIED 3u

#define TERN_MAIL_RING_CAPACITY_MAX (1u << 24)

/** Flag: senders may take the oldest signal out, see tern_mail_ring_drop_oldest(). */
#define TERN_MAIL_RING_DROPS 1u

/* A full fence right after an atomic read-modify-write, which is one by itself on x86. */
#if defined(RTE_ARCH_X86)
#define tern_mail_ring_fence_after_rmw() rte_compiler_barrier()
#else
#define tern_mail_ring_fence_after_rmw() rte_smp_mb()
#endif

struct tern_mail_ring {
	/* senders and the lcore that runs the agent write */
	alignas(TERN_LINE) uint32_t state; /* TERN_MAIL_RING_* */
	/* Within: a line that senders write, a line that who takes writes, then the signals. */
	alignas(TERN_LINE) struct rte_ring ring;
};
_Static_assert(offsetof(struct tern_mail_ring, ring) == TERN_LINE,
	       "the state has a line of its own");
_Static_assert(sizeof(struct rte_ring) % TERN_LINE == 0, "each signal in the ring is one line");

/** Bytes of memory that a mailbox of `capacity` signals needs; 0: no such capacity. */
size_t tern_mail_ring_bytes(uint32_t capacity);

/**
 * Make an empty mailbox, idle.
 *
 * @param mail      tern_mail_ring_bytes(capacity) bytes, aligned to a line; keeps them
 * @param capacity  exactly so many signals, 1 to TERN_MAIL_RING_CAPACITY_MAX
 * @param flags     0 or TERN_MAIL_RING_DROPS
 * @return 0; -EINVAL
 */
int tern_mail_ring_init(struct tern_mail_ring *mail, uint32_t capacity, unsigned flags);

/**
 * Give an empty mailbox another bound, for its next life: not above that it was made for.
 *
 * Signals of late senders, which know the bound of the life before, may come in beyond this one:
 * one of each.
 */
void tern_mail_ring_rebound(struct tern_mail_ring *mail, uint32_t capacity);

/**
 * Put a copy of a signal in.
 *
 * @param signal       borrows
 * @param count_after  yields the signals in the ring, this one and those out of sight included
 * @return 0: now the caller has to tern_mail_ring_wake(), after whatever else the agent must find
 * done; -EAGAIN: full, nothing put or yielded
 *
 * Context: any thread. Waits for nobody; retries where another sender's put comes in between.
 */
int tern_mail_ring_put(struct tern_mail_ring *mail, const struct tern_signal *signal,
		       uint32_t *count_after);

/**
 * Places of the ring given to signals so far, those out of sight included; and those taken. What
 * was put before is taken when the second has passed what the first was. They wrap.
 *
 * Context: who has acquired what those wrote that put.
 */
static inline uint32_t tern_mail_ring_put_position(const struct tern_mail_ring *mail)
{
	return __atomic_load_n(&mail->ring.rts_prod.head.val.pos, __ATOMIC_ACQUIRE);
}

static inline uint32_t tern_mail_ring_taken_position(const struct tern_mail_ring *mail)
{
	return __atomic_load_n(&mail->ring.cons.tail, __ATOMIC_ACQUIRE);
}

/** Signals in sight: those a take would find. Any thread; a hint while others put and take. */
uint32_t tern_mail_ring_count(const struct tern_mail_ring *mail);

/**
 * Take the oldest signals.
 *
 * @param signals  space for `count`; yields them
 * @return how many; fewer than `count`: none is left in sight, and tern_mail_ring_rest() may follow
 *
 * Context: the lcore that runs the agent, between begin and rest or requeue.
 */
unsigned tern_mail_ring_take(struct tern_mail_ring *mail, struct tern_signal *signals,
			     unsigned count);

/**
 * Take the oldest signal out, to make space for a newer one.
 *
 * @param oldest  yields it, with what it carries
 * @return false: none is in sight, though the ring may be full; nothing is yielded
 *
 * Context: any thread, for a mailbox with TERN_MAIL_RING_DROPS.
 */
bool tern_mail_ring_drop_oldest(struct tern_mail_ring *mail, struct tern_signal *oldest);

/* S3 and S4. */
static inline bool tern_mail_ring_notify(struct tern_mail_ring *mail)
{
	if (tern_load(&mail->state) & TERN_MAIL_RING_QUEUED)
		return false;
	return __atomic_fetch_or(&mail->state, TERN_MAIL_RING_QUEUED, __ATOMIC_ACQ_REL) ==
	       TERN_MAIL_RING_IDLE;
}

/**
 * Have the agent run after a put (S2, S3, S4). True: the caller has to put it in a run queue.
 *
 * Reads the state first: the line is written only where nobody is yet going to look at the ring.
 * What the caller wrote before this call, after its put too, a later begin of the agent sees.
 *
 * Context: the thread that put.
 */
static inline bool tern_mail_ring_wake(struct tern_mail_ring *mail)
{
	rte_smp_mb();
	return tern_mail_ring_notify(mail);
}

/** tern_mail_ring_wake() of a caller whose last shared write was a put, or another atomic one. */
static inline bool tern_mail_ring_wake_after_put(struct tern_mail_ring *mail)
{
	tern_mail_ring_fence_after_rmw();
	return tern_mail_ring_notify(mail);
}

/** Start to run the agent (C1). Context: the lcore that took it from a run queue. */
static inline void tern_mail_ring_begin(struct tern_mail_ring *mail)
{
	__atomic_exchange_n(&mail->state, TERN_MAIL_RING_RUNNING, __ATOMIC_ACQ_REL);
	tern_mail_ring_fence_after_rmw();
}

/** Stop running an agent that has work left: the caller has to put it in a run queue. */
static inline void tern_mail_ring_requeue(struct tern_mail_ring *mail)
{
	__atomic_exchange_n(&mail->state, TERN_MAIL_RING_QUEUED, __ATOMIC_ACQ_REL);
}

/**
 * Stop running an agent of which a take found no more signal in sight (C3).
 *
 * @return true: it is idle, and another lcore may be running it already;
 *         false: it was notified and is queued: the caller has to put it in a run queue
 */
static inline bool tern_mail_ring_rest(struct tern_mail_ring *mail)
{
	uint32_t running = TERN_MAIL_RING_RUNNING;
	if (__atomic_compare_exchange_n(&mail->state, &running, TERN_MAIL_RING_IDLE, false,
					__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return true;
	tern_mail_ring_requeue(mail);
	return false;
}

#endif
