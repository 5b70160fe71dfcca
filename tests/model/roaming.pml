/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the mailbox of a roaming agent (engine/queue/mail_ring.h) loses no wake-up and no signal, doubles
 * none, keeps each sender's order, and never lets two lcores run the agent at once.
 * Method: all interleavings of SENDERS senders of EACH signals and of two lcores with a run
 * queue, where each plain store sits in its thread's store buffer for as long as it likes. An
 * atomic read-modify-write empties the buffer first; a fence waits until it is empty.
 *
 * The ring: a sender reserves a place (started), then its copy and the move of the tail are one
 * buffered store. This is weaker than x86, where the tail moves by a locked CAS, and as weak as
 * the release that C gives that CAS: a later load may pass it. As in RTS mode the tail moves to
 * the head when as many puts are finished as were started, so a sender stopped within a put
 * hides the puts of others. Positions count up; CAPACITY places are used in turn.
 *
 * What must fail, each by one -D:
 *   NO_FENCE            a sender's load of the state may pass its move of the tail
 *   REST_WITHOUT_CHECK  the ring was empty: idle by a store, whatever the state was
 *   BEGIN_BY_STORE      running by a store, so that the load of the tail may pass it
 *   WAKE_WHEN_RUNNING   a wake that finds the agent running schedules it, too
 *   REST_TOO_EARLY      idle after a full burst, without having seen the ring empty
 *   FREE_BEFORE_READ    places are given back before what lies there is read
 */
#ifndef SENDERS
#define SENDERS 2
#endif
#ifndef EACH
#define EACH 2
#endif
#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef BURST
#define BURST 2
#endif
#define LCORES 2

#define IDLE 0
#define QUEUED 1
#define RUNNING 2
#define NOTIFIED 3

byte state = IDLE;

/* The ring: senders write head and started; their buffers drain to places, finished and tail. */
byte head, started, finished, tail;
byte taken;    /* the running lcore's own: next position to take */
byte released; /* senders see it: positions below it may be used again */
byte place_from[CAPACITY], place_number[CAPACITY];

chan run_queue = [1] of {bit};

/* Store buffers. A sender's: one put. An lcore's: released, then, in two mutants, the state. */
bool put_waits[SENDERS];
byte put_at[SENDERS], put_number[SENDERS];
bool release_waits[LCORES], state_waits[LCORES];
byte release_to[LCORES], state_to[LCORES];

/* What no code has: */
byte inside;		/* lcores that run the agent */
byte owing;		/* senders between the start of a put and the end of its wake */
byte next_of[SENDERS];	/* the number that has to come next */

/* A signal in sight is somebody's business: wherever that may have ceased to be so. */
inline check()
{
	assert(tail == taken || state != IDLE || owing > 0)
}

inline drain_put(s)
{
	place_from[put_at[s] % CAPACITY] = s;
	place_number[put_at[s] % CAPACITY] = put_number[s];
	finished++;
	if
	:: finished == started -> tail = head; check()
	:: else
	fi;
	put_waits[s] = false;
	put_at[s] = 0;
	put_number[s] = 0
}

/* Before an atomic read-modify-write of the sender. Within atomic or d_step. */
inline drain_sender(s)
{
	if
	:: put_waits[s] -> drain_put(s)
	:: else
	fi
}

inline drain_release(l)
{
	released = release_to[l];
	release_waits[l] = false;
	release_to[l] = 0
}

inline drain_state(l)
{
	state = state_to[l];
	check();
	state_waits[l] = false;
	state_to[l] = 0
}

inline drain_lcore(l)
{
	if
	:: release_waits[l] -> drain_release(l)
	:: else
	fi;
	if
	:: state_waits[l] -> drain_state(l)
	:: else
	fi
}

/* The agent has to be in a run queue at one place at most: the queue has no more room. */
inline schedule()
{
	atomic {
		assert(nfull(run_queue));
		run_queue!1
	}
}

proctype sender(byte me)
{
	byte number, seen;
	do
	:: number < EACH ->
		/* put: reserve a place, by CAS, where there is room */
		d_step {
			(!put_waits[me] && head - released < CAPACITY);
			put_at[me] = head;
			put_number[me] = number;
			head++;
			started++;
			owing++;
			put_waits[me] = true /* S1 */
		};
#ifndef NO_FENCE
		!put_waits[me]; /* S2 */
#endif
		seen = state; /* S3 */
		if
		:: seen == IDLE || seen == RUNNING ->
			d_step { /* S4 */
				drain_sender(me);
				seen = state;
				state = state | QUEUED
			};
			if
#ifdef WAKE_WHEN_RUNNING
			:: seen == IDLE || seen == RUNNING -> schedule()
#else
			:: seen == IDLE -> schedule()
#endif
			:: else
			fi
		:: else
		fi;
		d_step {
			owing--;
			check();
			number++;
			seen = 0
		}
	:: else -> break
	od
}

/* Each store leaves its buffer at any time, oldest first. */
proctype sender_buffer(byte who)
{
end:
	do
	:: d_step { put_waits[who] -> drain_put(who) }
	od
}

proctype lcore_buffer(byte who)
{
end:
	do
	:: d_step { release_waits[who] -> drain_release(who) }
	:: d_step { (state_waits[who] && !release_waits[who]) -> drain_state(who) }
	od
}

/* One signal: in order, and none twice. */
inline take_one()
{
	d_step {
		assert(place_number[taken % CAPACITY] == next_of[place_from[taken % CAPACITY]]);
		next_of[place_from[taken % CAPACITY]]++;
		taken++;
		count++
	}
}

inline release(to)
{
	d_step {
		!release_waits[me];
		release_to[me] = to;
		release_waits[me] = true
	}
}

proctype lcore(byte me)
{
	byte limit, count, seen;
end:
	do
	:: run_queue?1 ->
		/* begin */
		d_step {
			drain_lcore(me);
#ifndef WAKE_WHEN_RUNNING
			assert(state == QUEUED);
#endif
			inside++;
			assert(inside == 1);
#ifdef BEGIN_BY_STORE
			state_to[me] = RUNNING;
			state_waits[me] = true
#else
			state = RUNNING /* C1 */
#endif
		};
		do
		:: /* take */
			d_step {
				count = 0;
				limit = tail; /* C2 */
				if
				:: limit - taken > BURST -> limit = taken + BURST
				:: else
				fi
			};
#ifdef FREE_BEFORE_READ
			if
			:: taken < limit -> release(limit)
			:: else
			fi;
#endif
			do
			:: taken < limit -> take_one()
			:: else -> break
			od;
#ifndef FREE_BEFORE_READ
			if
			:: count > 0 -> release(taken)
			:: else
			fi;
#endif
			if
			:: count == BURST -> skip /* take more */
			:: count == BURST -> break
			:: count < BURST -> break
			fi
		od;
		if
#ifndef REST_TOO_EARLY
		:: count == BURST -> /* requeue */
			d_step {
				inside--;
				drain_lcore(me);
				state = QUEUED
			};
			schedule()
		:: count < BURST ->
#else
		:: true ->
#endif
			/* rest */
#ifdef REST_WITHOUT_CHECK
			d_step {
				!state_waits[me];
				inside--;
				state_to[me] = IDLE;
				state_waits[me] = true
			}
#else
			d_step { /* C3 */
				inside--;
				drain_lcore(me);
				seen = state;
				if
				:: seen == RUNNING -> state = IDLE; check()
				:: else
				fi
			};
			if
			:: seen == RUNNING
			:: else -> /* notified */
				d_step {
					drain_lcore(me);
					state = QUEUED
				};
				schedule()
			fi
#endif
		fi;
		d_step {
			limit = 0;
			count = 0;
			seen = 0
		}
	od
}

/* When nothing can happen any more: all came, once each, and the agent sleeps. */
proctype last()
{
	byte s;
	timeout ->
	d_step {
		do
		:: s < SENDERS ->
			assert(next_of[s] == EACH);
			s++
		:: else -> break
		od;
		assert(taken == SENDERS * EACH && inside == 0);
		assert(state == IDLE && empty(run_queue))
	}
}

init
{
	byte i;
	atomic {
		do
		:: i < SENDERS ->
			run sender(i);
			run sender_buffer(i);
			i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < LCORES ->
			run lcore(i);
			run lcore_buffer(i);
			i++
		:: else -> break
		od;
		i = 0;
		run last()
	}
}
