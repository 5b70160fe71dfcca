/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLER_H
#define SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Looking at the clock now and then, because a look at each signal would cost more than many a
 * handler does. The lcore's thread calls it after each signal; it knows clock ticks and no agents.
 *
 * The signals between two looks are a window. While handlers are short, windows double up to
 * TERN_SAMPLER_EVERY_MAX signals. Between two windows of many lies one of a single signal, which
 * says exactly what that signal cost: a sample. A window of which the start is not known, because
 * something else than signals was in it, gives none.
 *
 * A slice is how long signals may be handled before others have their turn. Once it is used up the
 * windows are of one signal each, so that the end of the next slice is seen at once.
 */
#define TERN_SAMPLER_EVERY_MAX 64u

struct tern_slice {
	uint64_t start; /* clock ticks */
	uint64_t ticks; /* its length */
};

struct tern_sampler {
	uint32_t left;	/* signals until the next look */
	uint32_t every; /* signals of a window of many */
	uint64_t start; /* clock ticks at which the window began; 0: not known */
	struct tern_slice slice;
	bool single; /* the window is one signal */
};

/** What a look found. */
struct tern_look {
	uint64_t took;	 /* clock ticks of the window; nothing where its start is not known */
	bool is_sample;	 /* `took` is what the last signal took */
	bool is_overrun; /* together many took longer than each may: one of them, not known which */
	bool is_late;	 /* the slice is used up */
};

/** Begin with windows of many, and with slices of so many ticks. */
static inline void tern_sampler_init(struct tern_sampler *sampler, uint64_t slice_ticks)
{
	*sampler = (struct tern_sampler){.left = TERN_SAMPLER_EVERY_MAX,
					 .every = TERN_SAMPLER_EVERY_MAX,
					 .slice.ticks = slice_ticks};
}

/** A signal was handled. Returns whether it is time for tern_sampler_look(). */
static inline bool tern_sampler_count(struct tern_sampler *sampler)
{
	return --sampler->left == 0;
}

/**
 * The same after what may have handled none. Where the window is a single one and `handled` is
 * false it waits for the next signal, and gives no sample: when that one began is not known.
 */
static inline bool tern_sampler_count_if(struct tern_sampler *sampler, bool handled)
{
	if (sampler->single && !handled) {
		sampler->start = 0;
		return false;
	}
	return tern_sampler_count(sampler);
}

/** Look at the clock: the window ends, the next one begins. */
struct tern_look tern_sampler_look(struct tern_sampler *sampler, uint64_t now);

/** The window begins now: what was until now was no signal. */
static inline void tern_sampler_restart(struct tern_sampler *sampler, uint64_t now)
{
	sampler->start = now;
}

/** A slice begins, and the window with it. */
static inline void tern_sampler_open_slice(struct tern_sampler *sampler, uint64_t now)
{
	sampler->slice.start = sampler->start = now;
}

/**
 * A slice of another length begins, with a sample and windows that double from one. The slice
 * before is put back by writing sampler->slice.
 */
static inline void tern_sampler_open_own_slice(struct tern_sampler *sampler, uint64_t now,
					       uint64_t ticks)
{
	sampler->slice.ticks = ticks;
	sampler->every = sampler->left = 1;
	sampler->single = true;
	tern_sampler_open_slice(sampler, now);
}

/** Whether the slice is used up. */
static inline bool tern_sampler_is_late(const struct tern_sampler *sampler, uint64_t now)
{
	return now - sampler->slice.start > sampler->slice.ticks;
}

/** Whether the next signal would be a sample, were it known when it began. */
static inline bool tern_sampler_lacks_start(const struct tern_sampler *sampler)
{
	return sampler->single && sampler->start == 0;
}

/**
 * Events were told, which are no signals and for which nobody looked: they are nobody's sample. The
 * look is after the next signal, not at once, or who is told of something in every run would never
 * have a signal handled.
 */
static inline void tern_sampler_look_after_next(struct tern_sampler *sampler)
{
	sampler->start = 0;
	sampler->left = 1;
}

#endif
