/* SPDX-License-Identifier: Apache-2.0 */
#include "heard.h"

#include <stddef.h>
#include <string.h>

#include <rte_common.h>

#include "capabilities/counter.h"

static void erase_gaps(struct tern_heard *heard, uint64_t at, uint64_t count)
{
	struct tern_gap *gap = &heard->gaps[at];
	heard->gap_count -= count;
	memmove(gap, gap + count, (heard->gap_count - at) * sizeof(*gap));
}

static void insert_gap(struct tern_heard *heard, uint64_t at, uint64_t first, uint64_t last)
{
	struct tern_gap *gap = &heard->gaps[at];
	memmove(gap + 1, gap, (heard->gap_count - at) * sizeof(*gap));
	*gap = (struct tern_gap){.first = first, .last = last};
	heard->gap_count++;
}

/* Where there are too many, the two nearest become one. */
static void join_gaps(struct tern_heard *heard)
{
	struct tern_gap *gaps = heard->gaps;
	uint64_t nearest = 0;
	if (heard->gap_count <= TERN_HEARD_GAPS)
		return;
	for (uint64_t i = 1; i + 1 < heard->gap_count; i++)
		if (gaps[i + 1].first - gaps[i].last < gaps[nearest + 1].first - gaps[nearest].last)
			nearest = i;
	gaps[nearest].last = gaps[nearest + 1].last;
	erase_gaps(heard, nearest + 1, 1);
}

/* Those that it meets or touches become one with it. */
static void add_gap(struct tern_heard *heard, uint64_t first, uint64_t last)
{
	uint64_t at = 0, end;
	if (first > last)
		return;
	while (at < heard->gap_count && heard->gaps[at].last + 1 < first)
		at++;
	for (end = at; end < heard->gap_count && heard->gaps[end].first <= last + 1; end++) {
		first = RTE_MIN(first, heard->gaps[end].first);
		last = RTE_MAX(last, heard->gaps[end].last);
	}
	erase_gaps(heard, at, end - at);
	insert_gap(heard, at, first, last);
	join_gaps(heard);
}

static void fill_gaps(struct tern_heard *heard, uint64_t first, uint64_t last)
{
	for (uint64_t i = heard->gap_count; i-- > 0;) {
		struct tern_gap gap = heard->gaps[i];
		if (gap.last < first || gap.first > last)
			continue;
		erase_gaps(heard, i, 1);
		if (gap.last > last)
			insert_gap(heard, i, last + 1, gap.last);
		if (gap.first < first)
			insert_gap(heard, i, gap.first, first - 1);
	}
	join_gaps(heard);
}

/* What is said of the versions up to one; yields the first of which something is. */
static uint64_t hear_up_to(struct tern_heard *heard, uint64_t first, uint64_t version)
{
	if (first == 0)
		first = heard->version == 0 ? 1 : version;
	if (version > heard->version) {
		add_gap(heard, heard->version + 1, first - 1);
		tern_store(&heard->version, version);
	}
	return first;
}

/* For those who look without the lock. */
static void show_gaps(struct tern_heard *heard)
{
	tern_store(&heard->complete, tern_heard_complete(heard));
	tern_store(&heard->lacking, tern_heard_lacking(heard, heard->version));
}

void tern_heard_note(struct tern_heard *heard, uint64_t first, uint64_t version)
{
	first = hear_up_to(heard, first, version);
	fill_gaps(heard, first, version);
	show_gaps(heard);
}

void tern_heard_miss(struct tern_heard *heard, uint64_t first, uint64_t version)
{
	first = hear_up_to(heard, first, version);
	fill_gaps(heard, first, version - 1);
	add_gap(heard, version, version);
	show_gaps(heard);
}

void tern_heard_settle(struct tern_heard *heard, uint64_t version)
{
	fill_gaps(heard, 1, version);
	if (version > heard->version)
		tern_store(&heard->version, version);
	show_gaps(heard);
}

void tern_heard_tell(struct tern_heard *heard, uint64_t version, uint64_t now)
{
	tern_store(&heard->told, RTE_MAX(heard->told, version));
	tern_store(&heard->told_ns, now);
}

uint64_t tern_heard_lacking(const struct tern_heard *heard, uint64_t version)
{
	uint64_t lacking = version > heard->version ? version - heard->version : 0;
	for (uint64_t i = 0; i < heard->gap_count && heard->gaps[i].first <= version; i++)
		lacking += RTE_MIN(heard->gaps[i].last, version) - heard->gaps[i].first + 1;
	return lacking;
}

uint64_t tern_heard_complete(const struct tern_heard *heard)
{
	return heard->gap_count ? heard->gaps[0].first - 1 : heard->version;
}

uint64_t tern_heard_watch(struct tern_heard *heard, bool lacking, uint64_t told, uint64_t now)
{
	if (!lacking) /* and another peer may know more */
		return 0;
	if (tern_heard_complete(heard) >= heard->watched || heard->watched_since == 0) {
		heard->watched = told;
		heard->watched_since = now;
	}
	return now - heard->watched_since;
}
