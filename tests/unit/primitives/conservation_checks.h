/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONSERVATION_CHECKS_H
#define CONSERVATION_CHECKS_H

/* Whether the books of a run balance: while agents live, when all is at rest, and after a stop. */
#include "conservation.h"
#include "engine_inside.h"

/* Fewer signals than a quarter of the smallest mailbox memory: none is lost for want of it. */
#define FEW 3000u
/* A timer may be late by so much when nobody has work. */
#define LATE_NS_POLLED 3000u
#define FAIL(run, format, ...) fail_msg("TERN_SEED=%" PRIu64 ": " format, (run)->seed, __VA_ARGS__)

static uint32_t parties_of(const struct run *run)
{
	uint32_t born = seen(&run->born);
	return born < PARTIES ? born : PARTIES;
}

static uint32_t numbers_of(const struct run *run)
{
	uint32_t numbers = seen(&run->numbers);
	return numbers < ENTRIES ? numbers : ENTRIES;
}

static bool lives(const struct party *party)
{
	return seen(&party->address) && !seen(&party->ended);
}

/*
 * Whether signals accepted have neither arrived nor come back, nor are counted as anything else.
 * Timers that fire while the counters are read could make up for them: they must agree.
 */
static bool are_under_way(const struct run *run, const struct tern_lcore_stats *stats)
{
	uint64_t ended = seen(&run->handled) + stats->returned + stats->dropped + stats->lost;
	return stats->timers != seen(&run->firings) + seen(&run->readies) ||
	       seen(&run->accepted) != ended;
}

static const char *find_untold(const struct run *run, const struct party *party)
{
	for (uint32_t i = 0; i < parties_of(run); i++) {
		const struct tie *tie = &party->ties[i];
		const struct party *other = &run->parties[i];
		if (seen(&tie->waits))
			return "a refusal was not followed by a release";
		if (seen(&other->ended) && !is_thread(other) &&
		    seen(&tie->told) != seen(&tie->watched))
			return "a watched end was not told";
	}
	return NULL;
}

/* Timers in the memory of agents that run on other threads are theirs to look at. */
static const char *find_late(const struct run *run, const struct party *party)
{
	uint64_t now = tern_engine_now(run->world.engine);
	if (seen(&party->fd_waits) && seen(&party->fd_written))
		return "a descriptor that is ready was not told";
	for (uint32_t i = 0; run->world.polled && i < ALARMS; i++)
		if (party->alarms[i] && party->alarms[i]->armed &&
		    party->alarms[i]->due_most + LATE_NS_POLLED < now)
			return "a timer did not fire";
	return NULL;
}

static const char *find_lost_request(const struct party *party)
{
	if (seen(&party->stop_asked))
		return "a stop was lost";
	return seen(&party->finish_asked) ? "a finish was lost" : NULL;
}

static const char *find_owed(const struct run *run, const struct party *party)
{
	const char *owed = find_lost_request(party);
	if (!owed)
		owed = find_untold(run, party);
	return owed ? owed : find_late(run, party);
}

/* Who was asked to end does so also while it, or others, are paused. */
static const char *find_unended(const struct run *run, uint32_t *who)
{
	for (uint32_t i = 0; i < parties_of(run); i++) {
		const struct party *party = &run->parties[i];
		const char *lost = lives(party) ? find_lost_request(party) : NULL;
		*who = i;
		if (lost)
			return lost;
	}
	return NULL;
}

/* What the engine still owes, and to whom; NULL: all is at rest. */
static const char *find_missing(const struct run *run, uint32_t *who)
{
	struct tern_lcore_stats stats = engine_stats(run->world.engine);
	*who = PARTIES;
	if (seen(&run->waiting))
		return "a fiber waits to send";
	if (are_under_way(run, &stats))
		return "signals have no end";
	for (uint32_t i = 0; i < parties_of(run); i++) {
		const struct party *party = &run->parties[i];
		const char *owed = lives(party) ? find_owed(run, party) : NULL;
		*who = i;
		if (owed)
			return owed;
	}
	return NULL;
}

/* Who may have it counted that a signal neither arrived nor came back. */
static bool may_vanish(const struct run *run, const struct entry *entry)
{
	const struct party *from = &run->parties[seen(&entry->from)];
	const struct party *to = &run->parties[seen(&entry->to)];
	/* What comes back faster than its senders look is lost beyond a quarter of the memory. */
	bool is_late = from->was_paused || is_thread(from) || run->fills;
	return to->policy == TERN_POLICY_DROP_OLDEST || to->policy == TERN_POLICY_CONFLATE ||
	       to->kind == THREAD_MUTE || (is_thread(to) && seen(&to->ended)) || !from->hears ||
	       seen(&from->ended) || (is_late && numbers_of(run) > FEW);
}

/* One that had all the time it needs to finish sends nothing back that it had accepted before. */
static bool was_to_be_handled(const struct run *run, uint32_t number)
{
	const struct party *to = &run->parties[run->books[number].to];
	return run->world.polled && !run->ran_out && to->finish_asked && !to->finish_timed &&
	       !to->stop_asked && number < to->finish_from && to->ended &&
	       to->why == TERN_END_STOPPED;
}

static void describe(const struct run *run, uint32_t number)
{
	const struct party *party = &run->parties[number];
	print_message(
		"party %u: kind %d, policy %d, quiet %d, paused once %d, asked to stop %d, to "
		"finish %d, ended %u, why %d\n",
		number, (int)party->kind, (int)party->policy, party->is_quiet, party->was_paused,
		party->stop_asked, party->finish_asked, party->ended, (int)party->why);
}

static void fail_signal(const struct run *run, uint32_t number, const char *how)
{
	const struct entry *entry = &run->books[number];
	describe(run, entry->from);
	describe(run, entry->to);
	FAIL(run, "signal %u from %u to %u %s: handled %u times, returned %u, refused %u", number,
	     entry->from, entry->to, how, entry->handled, entry->returned, entry->refused);
}

static bool has_no_end(const struct entry *entry)
{
	return !seen(&entry->refused) && !seen(&entry->handled) && !seen(&entry->returned);
}

static void check_entry(const struct run *run, uint32_t number, bool stopped)
{
	const struct entry *entry = &run->books[number];
	uint32_t returned = seen(&entry->returned), ends = seen(&entry->handled) + returned;
	if (ends > 1 || (seen(&entry->refused) && ends))
		fail_signal(run, number, "has two ends");
	if (has_no_end(entry) && !stopped && !may_vanish(run, entry))
		fail_signal(run, number, "vanished");
	if (returned && was_to_be_handled(run, number))
		fail_signal(run, number, "came back from one that was to finish");
}

/* Every signal has one end, and those that nobody saw are counted. */
static void check_signals(const struct run *run, const struct tern_lcore_stats *stats,
			  uint64_t undelivered)
{
	uint64_t missing = 0;
	uint32_t numbers = numbers_of(run);
	for (uint32_t i = 1; i <= numbers; i++) {
		check_entry(run, i, undelivered != 0);
		missing += has_no_end(&run->books[i]);
	}
	uint64_t counted = stats->dropped + stats->lost + stats->returned - run->returned;
	if (missing != counted + undelivered)
		FAIL(run,
		     "%" PRIu64 " signals had no end, %" PRIu64 " dropped, %" PRIu64
		     " lost, %" PRIu64 " returned to the deaf, %" PRIu64 " undelivered",
		     missing, stats->dropped, stats->lost, stats->returned - run->returned,
		     undelivered);
}

static void check_gentle(const struct run *run, const struct tern_lcore_stats *stats)
{
	if (run->is_gentle && stats->lost && numbers_of(run) < FEW)
		FAIL(run, "%" PRIu64 " signals were lost, though everybody lives and looks",
		     stats->lost);
}

static bool counters_agree(const struct run *run, const struct tern_lcore_stats *stats)
{
	uint64_t due = seen(&run->firings) + seen(&run->readies);
	return stats->sent == seen(&run->accepted) && stats->timers == due &&
	       stats->handled == seen(&run->handled) + due &&
	       stats->returned >= seen(&run->returned);
}

static void check_freed(const struct party *party)
{
	for (uint32_t i = 0; i < party->freed_count; i++) {
		const unsigned char *bytes = party->freed[i];
		for (size_t at = 0; at < sizeof(struct alarm); at++)
			if (bytes[at] != 0xA5)
				FAIL(party->run, "party %u: a freed timer was written to",
				     party->number);
		free(party->freed[i]);
	}
}

/* Nobody runs any more: each agent has begun and ended once, and left nothing. */
static void check_parties(struct run *run)
{
	for (uint32_t i = 0; i < parties_of(run); i++) {
		const struct party *party = &run->parties[i];
		if (party->address && (party->started != 1 || party->ended != 1))
			FAIL(run, "party %u: started %u times, ended %u", i, party->started,
			     party->ended);
		check_freed(party);
	}
	if (run->disordered && !run->ran_out)
		fail_signal(run, (uint32_t)run->disordered, "came back out of order");
	if (run->waiting || run->broken)
		FAIL(run, "%" PRIu64 " rules broken, %" PRIu64 " fibers wait", run->broken,
		     run->waiting);
}

#endif
