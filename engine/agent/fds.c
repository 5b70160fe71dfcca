/* SPDX-License-Identifier: Apache-2.0 */
#include "fds.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/lcore/agent_state.h"
#include "engine/lcore/fiber_state.h"
#include "engine/mail/due.h"
#include "engine/schedule/ready.h"
#include "engine/schedule/roaming.h"
#include "life.h"

#define ARMED 1ull
#define FIRED 2ull /* on its way to the lcore's list, or in it */
#define STATE 3ull
#define SEQUENCE 4ull
#define WAKE_UP UINT32_MAX /* place of the wake-up in epoll's data */
#define EVENTS_MAX 64

struct entry {
	uint64_t word;	    /* sequence and state; observer and lcore write, by CAS */
	tern_address agent; /* the lcore writes; any lcore reads */
	int fd;
	uint32_t ready; /* events; the observer writes */
	uint32_t next;	/* in a list */
	uint16_t type;
	bool forgotten; /* fired when its wait was over; the lcore writes */
	bool held;	/* fired, in its agent's reserve; the lcore writes */
};

struct tern_fds {
	int epoll;
	int wake;
	uint32_t armed; /* any lcore writes */
	uint32_t free;	/* under pool_lock */
	uint32_t fresh; /* under pool_lock */
	struct entry entries[TERN_FD_WAITS_MAX];
};

int tern_fds_init(struct tern_engine *engine)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE_UP};
	struct tern_fds *fds = calloc(1, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	engine->fds = fds;
	fds->free = TERN_SLOT_NONE;
	fds->epoll = epoll_create1(EPOLL_CLOEXEC);
	fds->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fds->epoll < 0 || fds->wake < 0 ||
	    epoll_ctl(fds->epoll, EPOLL_CTL_ADD, fds->wake, &event) != 0)
		return -errno;
	return 0;
}

static void close_one(int *place)
{
	int fd = __atomic_exchange_n(place, -1, __ATOMIC_RELAXED);
	if (fd >= 0)
		close(fd);
}

void tern_fds_close(struct tern_engine *engine)
{
	if (!engine->fds)
		return;
	close_one(&engine->fds->epoll);
	close_one(&engine->fds->wake);
}

void tern_fds_fini(struct tern_engine *engine)
{
	tern_fds_close(engine);
	free(engine->fds);
	engine->fds = NULL;
}

static uint32_t take_entry(struct tern_engine *engine)
{
	struct tern_fds *fds = engine->fds;
	tern_pools_lock(engine);
	uint32_t place = fds->free;
	if (place != TERN_SLOT_NONE)
		fds->free = fds->entries[place].next;
	else if (fds->fresh < TERN_FD_WAITS_MAX)
		place = fds->fresh++;
	tern_pools_unlock(engine);
	return place;
}

static void put_entry(struct tern_engine *engine, uint32_t place)
{
	struct tern_fds *fds = engine->fds;
	tern_pools_lock(engine);
	fds->entries[place].next = fds->free;
	fds->free = place;
	tern_pools_unlock(engine);
}

/* The armed word becomes unarmed, under the next sequence, for one caller only. */
static bool disarm_fd(struct tern_fds *fds, uint32_t place, uint64_t word, uint64_t state)
{
	uint64_t wanted = (word & ~STATE) + SEQUENCE + state;
	if (!(word & ARMED) ||
	    !__atomic_compare_exchange_n(&fds->entries[place].word, &word, wanted, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	__atomic_fetch_sub(&fds->armed, 1, __ATOMIC_RELAXED);
	return true;
}

int tern_fds_wait(struct tern_agent *agent, int fd, uint32_t events, uint16_t type,
		  uint32_t *ticket)
{
	struct tern_engine *engine = agent->lcore->engine;
	struct tern_fds *fds = engine->fds;
	/* A child shares the descriptor with its parent, whose waits these would become. */
	if (tern_engine_is_foreign(engine))
		return -ECHILD;
	uint32_t place = take_entry(engine);
	if (place == TERN_SLOT_NONE)
		return -EAGAIN;
	struct entry *entry = &fds->entries[place];
	uint64_t word = tern_load(&entry->word) + ARMED;
	struct epoll_event event = {.events = events | EPOLLONESHOT,
				    .data.u64 = word << 32 | place};
	tern_store(&entry->agent, agent->address);
	entry->fd = fd;
	entry->type = type;
	entry->forgotten = entry->held = false;
	tern_agent_set(agent, TERN_AGENT_FDS);
	/* Release pairs with disarm_fd(): who fires it finds whom to tell. */
	__atomic_store_n(&entry->word, word, __ATOMIC_RELEASE);
	__atomic_fetch_add(&fds->armed, 1, __ATOMIC_RELAXED);
	*ticket = place;
	if (epoll_ctl(fds->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	int code = -errno;
	disarm_fd(fds, place, word, 0);
	put_entry(engine, place);
	return code;
}

/* A wait is over. */
static void free_entry(struct tern_engine *engine, uint32_t place)
{
	struct entry *entry = &engine->fds->entries[place];
	tern_store(&entry->word, entry->word & ~STATE);
	put_entry(engine, place);
}

/* What fired meanwhile is still to come, for nobody; the descriptor is free at once. */
void tern_fds_cancel(struct tern_lcore *lcore, const struct tern_agent *agent, uint32_t ticket)
{
	struct tern_fds *fds = lcore->engine->fds;
	struct entry *entry = &fds->entries[ticket];
	/* Acquire pairs with the release of tern_fds_wait(): the agent is no older than the word.
	 */
	uint64_t word = __atomic_load_n(&entry->word, __ATOMIC_ACQUIRE);
	if (!(word & STATE) || tern_load(&entry->agent) != agent->address)
		return;
	if (entry->held) {
		free_entry(lcore->engine, ticket);
		return;
	}
	bool armed = disarm_fd(fds, ticket, word, 0);
	epoll_ctl(fds->epoll, EPOLL_CTL_DEL, entry->fd, NULL);
	entry->forgotten = true;
	if (armed)
		put_entry(lcore->engine, ticket);
}

void tern_fds_forget(struct tern_lcore *lcore, const struct tern_agent *agent)
{
	struct tern_reserve *reserve = tern_reserve_of(lcore, agent);
	if (!(agent->flags & TERN_AGENT_FDS))
		return;
	for (uint32_t i = 0; i < TERN_FD_WAITS_MAX; i++)
		if (tern_load(&lcore->engine->fds->entries[i].word) & STATE)
			tern_fds_cancel(lcore, agent, i);
	reserve->fds = reserve->fds_last = 0;
}

/* The signal of a wait that is over. */
static void take_signal(struct tern_lcore *lcore, const struct tern_agent *agent, uint32_t place,
			struct tern_signal *signal)
{
	const struct entry *entry = &lcore->engine->fds->entries[place];
	struct tern_fd_ready ready = {.fd = entry->fd, .events = entry->ready};
	*signal = tern_due_signal(lcore, agent, entry->type, &ready, sizeof(ready));
	free_entry(lcore->engine, place);
}

static void hold_fd(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t place)
{
	struct entry *entries = lcore->engine->fds->entries;
	struct tern_reserve *reserve = tern_reserve_of(lcore, agent);
	entries[place].held = true;
	entries[place].next = TERN_SLOT_NONE;
	if (reserve->fds)
		entries[reserve->fds_last - 1].next = place;
	else
		reserve->fds = place + 1;
	reserve->fds_last = place + 1;
	tern_due_wake(lcore, agent);
}

void tern_fds_take_due(struct tern_lcore *lcore, struct tern_agent *agent,
		       struct tern_signal *signal)
{
	struct tern_reserve *reserve = tern_reserve_of(lcore, agent);
	uint32_t place = reserve->fds - 1, next = lcore->engine->fds->entries[place].next;
	reserve->fds = next == TERN_SLOT_NONE ? 0 : next + 1;
	take_signal(lcore, agent, place, signal);
}

/* What is ready reaches a fiber by waking it, a handler as a signal from itself. */
static void tell_ready_fd(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t place)
{
	struct tern_signal signal;
	if (agent->flags & TERN_AGENT_FIBER) {
		agent->extras->fiber->fd_ready = lcore->engine->fds->entries[place].ready;
		free_entry(lcore->engine, place);
		tern_ready_wake(lcore, agent);
	} else if (tern_ready_is_at_hand(agent)) {
		take_signal(lcore, agent, place, &signal);
		tern_life_handle(lcore, agent, &signal);
	} else {
		hold_fd(lcore, agent, place);
	}
}

static void take_entry_back(struct tern_lcore *lcore, uint32_t place)
{
	const struct entry *entry = &lcore->engine->fds->entries[place];
	struct tern_agent *agent = &lcore->agents[tern_address_slot(entry->agent)];
	if (!entry->forgotten)
		epoll_ctl(lcore->engine->fds->epoll, EPOLL_CTL_DEL, entry->fd, NULL);
	if (entry->forgotten || agent->address != entry->agent || agent->status >= TERN_ENDING)
		free_entry(lcore->engine, place);
	else
		tell_ready_fd(lcore, agent, place);
}

/* What an agent that failed left of the last list goes first. */
unsigned tern_fds_take_all(struct tern_lcore *lcore)
{
	unsigned taken = 0;
	if (lcore->pending.fds == TERN_SLOT_NONE)
		lcore->pending.fds = __atomic_exchange_n(&lcore->arrivals.fds, TERN_SLOT_NONE,
							 __ATOMIC_ACQUIRE); /* T1 */
	while (lcore->pending.fds != TERN_SLOT_NONE) {
		uint32_t place = lcore->pending.fds;
		/* First: an agent that fails does not come back here. */
		lcore->pending.fds = lcore->engine->fds->entries[place].next;
		take_entry_back(lcore, place);
		taken++;
	}
	return taken;
}

/* A1: release, after `ready` and `next` are written. */
static void push_ready(struct tern_engine *engine, uint32_t place, uint32_t events)
{
	struct entry *entry = &engine->fds->entries[place];
	struct tern_agent *agent = &engine->agents[tern_address_slot(tern_load(&entry->agent))];
	struct tern_lcore *home = tern_load(&agent->lcore);
	uint32_t head = tern_load(&home->arrivals.fds);
	entry->ready = events;
	do {
		entry->next = head;
	} while (!__atomic_compare_exchange_n(&home->arrivals.fds, &head, place, true,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

void tern_fds_poll(struct tern_engine *engine, int ms)
{
	struct epoll_event events[EVENTS_MAX];
	struct tern_fds *fds = engine->fds;
	int count = epoll_wait(fds->epoll, events, EVENTS_MAX, ms);
	for (int i = 0; i < count; i++) {
		uint32_t place = (uint32_t)events[i].data.u64;
		uint64_t word = 0;
		if (place == WAKE_UP) {
			ssize_t woken = read(fds->wake, &word, sizeof(word));
			(void)woken; /* nothing to read: somebody else's wake-up did for both */
			continue;
		}
		word = tern_load(&fds->entries[place].word);
		bool same = (uint32_t)word == (uint32_t)(events[i].data.u64 >> 32);
		if (same && disarm_fd(fds, place, word, FIRED))
			push_ready(engine, place, events[i].events);
	}
}

void tern_fds_wake(struct tern_engine *engine)
{
	uint64_t one = 1;
	ssize_t written = write(engine->fds->wake, &one, sizeof(one));
	(void)written; /* full: it is awake already */
}

uint32_t tern_fds_armed(const struct tern_engine *engine)
{
	return tern_load(&engine->fds->armed);
}
