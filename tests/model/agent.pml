/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what is asked of an agent from elsewhere is done, once, and of that agent alone; it runs on
 * one lcore at a time; it ends once, and whoever watches it is told once; its slot's next life knows
 * nothing of it.
 * Method: all interleavings of two lcores, ASKERS threads that ask EACH things, one that sends
 * SIGNALS, one that watches, and one that makes the agent of each life: FIRST, then SECOND, when
 * the first has ended. Each names any agent whose address is known, so that some requests are late.
 * An asker stands for an attached thread, or for an lcore in a handler: that one can do less than
 * here. `run` has three askers of one request at most, or one of two, and two lives with one asker.
 *
 * Modelled, under the names of the code: the word of a slot and the list of slots (engine/mail/ask.c,
 * engine/agent/answer.c); the directory entry, the time of a finish, the list of watchers; status and
 * flags as engine/agent/life.c and finish.c, engine/mail/event.c, engine/turn/end.c and recover.c change
 * them; the place of a roaming agent, as engine/schedule/roaming.c, engine/turn/roaming_run.c and steal.c
 * move it; the reuse of the slot (engine/agent/slots.c). One function of the agent, the handler, on_start
 * or on_stop, may fail by a fault or tern_exit(): FAULTS times in all.
 *
 * A compare-and-swap in a loop is one step, since its last try is one. Memory is sequentially
 * consistent: the fences of a wake are in roaming.pml. An lcore takes what there is in any order,
 * which is more than the order of its turn. Not here: fibers, what is due beside signals, passages,
 * permits, the engine's stop.
 *
 * What must fail, each by one -D:
 *   NO_GENERATION     a request is set in the word of whoever lives in the slot
 *   NOT_ATOMIC        the word is read, then cleared by a store
 *   KEEP_UNDONE       resume does not undo pause in the word, nor pause resume
 *   NO_WAKE           who asks a roaming agent does not wake it
 *   REUSE_LISTED      the slot of an ended agent is free though it is on a list
 *   BLIND_RESUME      resume does not look whether signals wait
 *   FINISH_PAUSED     finish leaves a paused agent paused
 *   PAUSE_FINISHING   a finishing agent can be paused
 *   PAUSE_ENDING      an agent that is to end can be paused, which the table of moves does not list
 *   FINISHING_MOVES   a finishing agent may go to another lcore
 *   END_UNQUEUED      who finds a finishing agent through does not queue it to end
 *   START_UNQUEUED    an agent that fails in on_start as late as its end is not run again
 *   NO_MUTE           on_stop is called again after a fault in it
 *   WATCH_LEFT_OPEN   the list of watchers takes notes after it was told
 */
#ifndef ASKERS
#define ASKERS 1
#endif
#ifndef EACH
#define EACH 1
#endif
#ifndef SIGNALS
#define SIGNALS 1
#endif
#ifndef WATCHES
#define WATCHES 1
#endif
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef FIRST
#define FIRST 0
#endif
#ifndef SECOND
#define SECOND NONE
#endif
#define LCORES 2

/* Where an agent lives: pinned to lcore 0 or 1, or roaming. NONE: there is no second life. */
#define ROAMS 2
#define NONE 3
#define LIVES (SECOND == NONE -> 1 : 2)
#define KIND_OF(g) (g == 1 -> FIRST : SECOND)

/*
 * enum tern_status, and for each event which moves engine/lcore/agent_table.h has: made by
 * scripts/agent-states. TERN_REST is IDLE here, but that nothing runs in place on a roaming agent.
 */
#include "agent_moves.pml"
#define move(event, to) assert(MAY_##event(status, to)); status = to
#define stay(event) assert(MAY_##event(status, status))

/* TERN_ASK_* */
#define START 1
#define STOP 2
#define PAUSE 4
#define RESUME 8
#define FINISH 16
#define CLOSED 32

/* mail_ring.h; LEFT is QUEUED of a room in which nobody lives. */
#define ROAM_IDLE 0
#define ROAM_QUEUED 1
#define ROAM_RUNNING 2
#define ROAM_NOTIFIED 3

/* Where the slot is to be found: one queue at most. Of lcore l: the place + l. */
#define NOWHERE 0
#define WOKEN 1	 /* handed to it by others: woken_head */
#define RUNRING 3 /* thieves may take it */
#define LISTED 5 /* among its ready agents: TERN_AGENT_LISTED */

/* The agent */
byte generation = 1, status = DEAD, owner, mailbox;
bool started, finishing, mute;
byte place = NOWHERE, roam = ROAM_QUEUED;
bool tied, has_room;
chan ring = [SIGNALS] of {byte};
chan lane[LCORES] = [SIGNALS] of {byte};

/* The slot */
byte dir_generation;
bool dir_vacant = true, dir_closed;
byte dir_kind;
byte word_generation, word;
byte asked_head = NONE, asks_left = NONE; /* the lcore on whose list the slot is */
byte finish_generation;
bool finish_timed;
byte finish_list = NONE; /* the lcore on whose list of finishing agents it is */
byte watch_generation, notes;
bool watch_closed;
bool slot_free = true;

byte accepted, settled;

/* What no code has: */
byte known;	    /* lives of which the address is known */
byte inside;	    /* lcores that run the agent */
byte faults;
bool late;	    /* the word holds what was asked of the life before */
byte last_asked;    /* of pause and resume */
bool wanted[3];	    /* stop or finish was accepted */
bool ended[3];
byte stops;	    /* on_stop was called */
byte watched[3], told[3];

inline put_in(where)
{
	assert(place == NOWHERE);
	place = where
}

/* Within atomic: tern_mail_ring_notify(), and what it obliges to. */
inline wake_room()
{
	if
	:: roam == ROAM_IDLE -> roam = ROAM_QUEUED; put_in(WOKEN + owner)
	:: roam == ROAM_RUNNING -> roam = ROAM_NOTIFIED
	:: else
	fi
}

/* Within atomic: tern_ready_push() of a pinned agent. */
inline ready_push()
{
	if
	:: place == NOWHERE && status != PAUSED ->
		place = LISTED + me;
		if
		:: status < READY -> move(QUEUE, READY)
		:: else -> stay(QUEUE)
		fi
	:: else
	fi
}

inline ready_wake()
{
	if
	:: KIND_OF(generation) == ROAMS -> wake_room()
	:: else -> ready_push()
	fi
}

/* Within atomic: tern_life_ask_end() */
inline ask_end()
{
	if
	:: status < ENDING ->
		settled = settled + mailbox;
		mailbox = 0;
		move(END, ENDING);
		ready_wake()
	:: else
	fi
}

/* Within atomic: a function of the agent returns, or fails. */
inline may_fail()
{
	if
	:: true
	:: faults < FAULTS -> faults++; ask_end()
	fi
}

/* tern_life_start() */
inline life_start()
{
	atomic {
		if
		:: status == NEW && place >= LISTED -> move(START, READY)
		:: status == NEW && place < LISTED -> move(START, IDLE)
		:: else
		fi;
		assert(!started && !ended[generation]);
		started = true;
		may_fail()
	}
}

inline enter()
{
	d_step {
		inside++;
		assert(inside == 1)
	}
}

/* Within atomic: one signal is handled. */
inline handle()
{
	assert(inside == 1 && started && status <= READY && !ended[generation]);
	settled++;
	may_fail()
}

/* tern_slots_reuse() */
inline reuse()
{
	d_step {
		dir_vacant = true;
		generation++;
		dir_generation = generation;
		slot_free = true
	}
}

/* Set what is asked, and undo what it undoes. Yields whether it was accepted, and is the first. */
inline set_word(g, what)
{
	d_step {
#ifdef NO_GENERATION
		answer = !(word & CLOSED);
#else
		answer = word_generation == g && !(word & CLOSED);
#endif
		first = answer && word == 0;
		if
		:: answer ->
#ifndef KEEP_UNDONE
			if
			:: what == PAUSE -> word = word & (63 - RESUME)
			:: what == RESUME -> word = word & (63 - PAUSE)
			:: else
			fi;
#endif
			word = word | what;
			late = late || g != word_generation;
			if
			:: what == PAUSE || what == RESUME -> last_asked = what
			:: what == STOP || what == FINISH -> wanted[g] = true
			:: else
			fi
		:: else
		fi
	}
}

/* tern_ask() */
inline ask(g, what)
{
	kind = dir_kind;
	set_word(g, what);
	if
	:: first && kind != ROAMS ->
		atomic {
			accepted++;
			assert(asked_head == NONE && asks_left == NONE); /* it is pushed once */
			asked_head = kind
		}
	:: first && kind == ROAMS ->
		d_step {
			accepted++;
			answer = has_room
		};
#ifndef NO_WAKE
		if
		:: answer -> atomic { wake_room() }
		:: else
		fi
#endif
	:: else
	fi
}

/* tern_finish_ask(), before it asks: the earlier time of the later life counts. */
inline set_time(g, timed)
{
	d_step {
		if
		:: finish_generation < g -> finish_generation = g; finish_timed = timed
		:: finish_generation == g -> finish_timed = finish_timed || timed
		:: else
		fi
	}
}

#define IS_ALIVE(g) (dir_generation == g && !dir_vacant)

/* Any address that is known; the one before comes late. */
inline choose_life()
{
	if
	:: known >= 1 -> g = 1
	:: known >= 2 -> g = 2
	fi
}

proctype asker()
{
	byte left = EACH, g, what, kind;
	bool answer, first, timed;
	do
	:: left > 0 ->
		atomic {
			choose_life();
			if
			:: what = PAUSE
			:: what = RESUME
			:: what = STOP
			:: what = FINISH; timed = false
			:: what = FINISH; timed = true
			fi;
			answer = IS_ALIVE(g)
		};
		if
		:: answer && what == FINISH -> set_time(g, timed)
		:: else
		fi;
		if
		:: answer -> ask(g, what)
		:: else
		fi;
		d_step {
			left--;
			g = 0;
			what = 0;
			kind = 0;
			answer = false;
			first = false;
			timed = false
		}
	:: else -> break
	od
}

proctype sender()
{
	byte left = SIGNALS, g, kind;
	bool answer;
	do
	:: left > 0 ->
		atomic {
			choose_life();
			answer = IS_ALIVE(g) && !dir_closed;
			kind = dir_kind
		};
		if
		:: answer && kind != ROAMS -> atomic { accepted++; lane[kind]!g }
		:: answer && kind == ROAMS ->
			answer = has_room;
			if
			:: answer ->
				atomic { accepted++; ring!g };
				atomic { wake_room() }
			:: else
			fi
		:: else
		fi;
		d_step {
			left--;
			g = 0;
			kind = 0;
			answer = false
		}
	:: else -> break
	od
}

/* tern_watch() */
proctype watcher()
{
	byte left = WATCHES, g;
	bool answer;
	do
	:: left > 0 ->
		atomic { choose_life(); answer = IS_ALIVE(g) };
		d_step {
			if
			:: answer && watch_generation == g && !watch_closed ->
				notes++;
				watched[g]++
			:: else
			fi;
			left--;
			g = 0;
			answer = false
		}
	:: else -> break
	od
}

/* tern_spawn(), from a thread or another lcore, or from the agent's own. */
proctype maker()
{
	byte g, kind;
	bool answer, first;
	do
	:: g < LIVES ->
end:
		d_step {
			slot_free;
			slot_free = false;
			g++;
			assert(generation == g && place == NOWHERE && inside == 0);
			assert(asked_head == NONE && asks_left == NONE && finish_list == NONE);
			move(SPAWN, NEW);
			owner = (KIND_OF(g) == ROAMS -> 0 : KIND_OF(g));
			has_room = KIND_OF(g) == ROAMS
		};
		d_step { word_generation = g; word = 0; late = false; last_asked = 0; stops = 0 };
		d_step { watch_generation = g; notes = 0; watch_closed = false };
		atomic {
			dir_generation = g;
			dir_kind = KIND_OF(g);
			dir_closed = false;
			dir_vacant = false;
			known = g;
			if
			:: dir_kind != ROAMS -> put_in(LISTED + dir_kind); first = true
			:: dir_kind != ROAMS
			:: dir_kind == ROAMS
			fi
		};
		if
		:: KIND_OF(g) == ROAMS -> atomic { put_in(WOKEN + owner) }
		:: KIND_OF(g) != ROAMS && !first -> ask(g, START)
		:: else
		fi;
		d_step {
			kind = 0;
			answer = false;
			first = false
		}
	:: else -> break
	od
}

inline life_pause()
{
	if
	:: status == NEW -> life_start()
	:: else
	fi;
	atomic {
		if
#ifdef PAUSE_ENDING
		:: status != PAUSED && !finishing && status < DEAD -> move(PAUSE, PAUSED)
#elif defined(PAUSE_FINISHING)
		:: status < PAUSED -> move(PAUSE, PAUSED)
#else
		:: status < PAUSED && !finishing -> move(PAUSE, PAUSED)
#endif
		:: else
		fi
	}
}

/* Within atomic */
inline life_resume()
{
	if
	:: status == PAUSED ->
		if
		:: place >= LISTED -> move(RESUME, READY)
		:: else -> move(RESUME, IDLE)
		fi;
#ifndef BLIND_RESUME
		if
		:: mailbox > 0 -> ready_wake()
		:: else
		fi
#endif
	:: else
	fi
}

inline finish_start()
{
	atomic {
		if
		:: status < ENDING && !finishing ->
#ifndef FINISH_PAUSED
			life_resume();
#endif
			dir_closed = true;
			finishing = true;
			assert(finish_list == NONE && finish_generation == generation);
			finish_list = me
		:: else
		fi
	}
}

/* act_on_word() */
inline act()
{
	if
	:: asked & CLOSED -> reuse()
	:: else ->
		assert(!late || asked == 0);
		if
		:: asked & START && status == NEW -> life_start()
		:: else
		fi;
		if
		:: asked & PAUSE -> life_pause()
		:: else
		fi;
		if
		:: asked & RESUME -> atomic { life_resume() }
		:: else
		fi;
		if
		:: asked & FINISH -> finish_start()
		:: else
		fi;
		if
		:: asked & STOP -> atomic { ask_end() }
		:: else
		fi
	fi;
	asked = 0
}

/* Read and clear the word; a closed one stays. */
inline take_word()
{
#ifdef NOT_ATOMIC
	asked = word;
	d_step {
		if
		:: asked & CLOSED
		:: else -> word = 0
		fi
	}
#else
	d_step {
		asked = word;
		if
		:: asked & CLOSED
		:: else -> word = 0
		fi
	}
#endif
}

/* tern_ask_take_all() */
inline take_asked()
{
	d_step { asks_left = me; asked_head = NONE }; /* T1 */
	asks_left = NONE;
	take_word();
	settled++;
	act()
}

/* Whether nothing ties a roaming agent: tern_roaming_is_loose(). */
#ifdef FINISHING_MOVES
#define IS_LOOSE (status != ENDING && status != PAUSED)
#else
#define IS_LOOSE (status != ENDING && status != PAUSED && !finishing)
#endif

/* Within atomic: tern_roaming_queue() */
inline roaming_queue()
{
	if
	:: IS_LOOSE -> put_in(RUNRING + me)
	:: else -> put_in(LISTED + me)
	fi
}

/* tern_life_end(). Yields `again`: on_stop failed, and another run goes on. */
inline life_end()
{
	atomic {
		if
		:: started || mute
		:: !started && !mute -> stay(START); started = true
		:: !started && !mute && faults < FAULTS ->
			stay(START);
			started = true;
			faults++;
			again = true;
#ifndef START_UNQUEUED
			ready_wake()
#endif
		fi;
		if
		:: again
		:: !again && !mute ->
			assert(stops == 0 && !ended[generation] && inside == 1);
			stops++;
			if
			:: true
			:: faults < FAULTS ->
				faults++;
				again = true;
#ifndef NO_MUTE
				mute = true;
#endif
				ready_wake()
			fi
		:: !again && mute
		fi
	};
	if
	:: !again -> leave_slot()
	:: else
	fi
}

/* From give_back() on. */
inline leave_slot()
{
	d_step {
		if
		:: finishing -> finish_list = NONE; finish_generation = 0; finish_timed = false
		:: else
		fi;
		assert(place == NOWHERE)
	};
	dir_vacant = true;
	d_step {
		told[generation] = told[generation] + notes;
		notes = 0;
#ifndef WATCH_LEFT_OPEN
		watch_closed = true
#endif
	};
	d_step {
		move(ENDED, DEAD);
		ended[generation] = true;
		started = false;
		finishing = false;
		mute = false
	};
	if
	:: KIND_OF(generation) == ROAMS -> /* tern_roaming_bury() */
		roam = ROAM_QUEUED;
		do
		:: atomic { ring?_ -> settled++ }
		:: len(ring) == 0 -> break
		od;
		has_room = false;
		d_step {
			if
			:: word != 0 -> settled++
			:: else
			fi;
			word = word | CLOSED
		};
		inside--;
		reuse()
	:: else ->
		d_step {
			free = word == 0;
			word = word | CLOSED
		};
		inside--;
#ifdef REUSE_LISTED
		free = true;
#endif
		if
		:: free -> reuse()
		:: else
		fi;
		free = false
	fi
}

/* run_pinned() */
inline run_pinned()
{
	place = NOWHERE;
	if
	:: status == ENDING ->
		enter();
		life_end();
		if
		:: again -> atomic { again = false; inside-- }
		:: else
		fi
	:: status == PAUSED
	:: status < PAUSED ->
		enter();
		if
		:: status == NEW -> life_start()
		:: else
		fi;
		if
		:: status < READY -> d_step { move(RUN, READY) }
		:: else
		fi;
		do
		:: atomic { mailbox > 0 && status == READY -> mailbox--; handle() }
		:: mailbox > 0 && status == READY -> break
		:: else -> break
		od;
		atomic { /* settle_agent() */
			inside--;
			if
			:: place == NOWHERE && status == READY && mailbox > 0 -> ready_push()
			:: place == NOWHERE && status == READY && mailbox == 0 -> move(SETTLE, IDLE)
			:: else
			fi
		}
	:: else
	fi
}

/* tern_roaming_leave(): hand it to the other lcore. */
inline hand_over()
{
	owner = 1 - me;
	d_step {
		inside--;
		tied = false;
		roam = ROAM_QUEUED
	};
	atomic { put_in(WOKEN + owner) }
}

/* tern_roaming_settle() */
inline settle()
{
	d_step {
		tied = !(IS_LOOSE);
		again = status == ENDING || (status != PAUSED && len(ring) > 0);
		if
		:: status < PAUSED -> move(SETTLE, IDLE)
		:: else
		fi
	};
	d_step {
		inside--;
		if
		:: !again && roam == ROAM_RUNNING -> roam = ROAM_IDLE
		:: else -> roam = ROAM_QUEUED; again = true
		fi
	};
	if
	:: again -> atomic { again = false; roaming_queue() }
	:: else
	fi
}

inline take_ring()
{
	atomic {
		ring?g;
		if
		:: g != generation || status == ENDING -> settled++
		:: else -> handle()
		fi;
		g = 0
	}
}

/* Within atomic: it is taken from its queue. */
inline begin_run()
{
	place = NOWHERE;
	inside++;
	assert(inside == 1 && roam == ROAM_QUEUED);
	owner = me;
	roam = ROAM_RUNNING;
	if
	:: status < READY -> move(RUN, READY)
	:: else -> stay(RUN)
	fi
}

/* run_roaming() */
inline run_roaming()
{
	take_word(); /* tern_ask_answer() */
	if
	:: asked != 0 -> settled++; act()
	:: else
	fi;
	if
	:: status == ENDING && faults > 0 -> settle() /* a fault of on_start just now */
	:: status == ENDING ->
		life_end();
		if
		:: again -> settle()
		:: else
		fi
	:: status == READY && IS_LOOSE -> hand_over()
	:: status == PAUSED -> settle()
	:: status < PAUSED ->
		if
		:: status == NEW -> life_start()
		:: else
		fi;
		if
		:: status < READY -> d_step { move(RUN, READY) }
		:: else
		fi;
		do
		:: len(ring) > 0 && status == READY -> take_ring()
		:: len(ring) > 0 && status == READY -> break
		:: else -> break
		od;
		if
		:: status == READY && IS_LOOSE && len(ring) == 0 -> hand_over()
		:: true -> settle()
		fi
	fi
}

/* A signal of a lane: tern_life_deliver(), or in place. */
inline deliver()
{
	atomic {
		lane[me]?g;
		if
		:: g != generation || status >= ENDING -> settled++ /* back to its sender */
		:: g == generation && status < ENDING && status != IDLE -> mailbox++; ready_push()
		:: g == generation && status == IDLE -> inside++; handle(); inside--
		fi;
		g = 0
	}
}

#define AT_REST                                                             \
	(KIND_OF(generation) == ROAMS -> roam == ROAM_IDLE && len(ring) == 0 : \
					 mailbox == 0 && place == NOWHERE)
#define IS_THROUGH (AT_REST || (finish_generation == generation && finish_timed))

/* tern_finish_check() */
inline finish_check()
{
	assert(inside == 0); /* the agent is this lcore's, and does not run */
#ifdef END_UNQUEUED
	d_step { settled = settled + mailbox; mailbox = 0; move(END, ENDING) }
#else
	atomic { ask_end() }
#endif
}

proctype lcore(byte me)
{
	byte asked, g;
	bool again, free;
end:
	do
	:: asked_head == me -> take_asked()
	:: len(lane[me]) > 0 -> deliver()
	:: finish_list == me && status < ENDING && IS_THROUGH -> finish_check()
	:: place == LISTED + me && KIND_OF(generation) != ROAMS -> run_pinned()
	:: atomic {
		place == WOKEN + me ->
		place = NOWHERE;
		if
		:: owner == me -> roaming_queue()
		:: else -> put_in(WOKEN + owner)
		fi
	   }
	:: atomic {
		KIND_OF(generation) == ROAMS && (place == LISTED + me || place == RUNRING + me) ->
		begin_run()
	   };
	   run_roaming()
	:: atomic { place == RUNRING + 1 - me -> place = RUNRING + me }
	:: atomic { place == WOKEN + 1 - me && !tied -> place = NOWHERE; roaming_queue() }
	od
}

/* When nothing can happen any more. */
proctype last()
{
	timeout ->
	d_step {
		assert(inside == 0 && settled + len(ring) + mailbox == accepted);
		assert(!wanted[1] || ended[1]);
		assert(!wanted[2] || ended[2]);
		assert(told[1] == (ended[1] -> watched[1] : 0));
		assert(told[2] == (ended[2] -> watched[2] : 0));
		if
		:: !ended[known] ->
			assert(word == 0 && place == NOWHERE && finish_list == NONE);
			assert(status == (last_asked == PAUSE -> PAUSED : IDLE));
			assert(status == PAUSED || mailbox == 0);
			assert(dir_kind != ROAMS || roam == ROAM_IDLE);
			/* else what came late to the room: rooms.c returns it when all were quiet */
			assert(dir_kind != ROAMS || status == PAUSED || len(ring) == 0)
		:: else -> assert(known == LIVES && status == DEAD)
		fi
	}
}

init
{
	byte i;
	atomic {
		do
		:: i < ASKERS -> run asker(); i++
		:: else -> break
		od;
		i = 0;
		run sender();
		run watcher();
		run maker();
		run lcore(0);
		run lcore(1);
		run last()
	}
}
