/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

enum pace_kind {
	PACE_RATE,  /* a message every 1/rate seconds */
	PACE_SPEED, /* as recorded, that many times faster */
	PACE_MAX,   /* each as soon as the one before is delivered */
};

#define PACE_RATE_MAX 100000000u
#define PACE_SPEED_MAX 1000000u

/** When messages are due. */
struct pace {
	enum pace_kind kind;
	uint64_t rate;	      /* messages a second, 1..PACE_RATE_MAX */
	uint64_t speed_milli; /* 1000: as recorded; up to 1000 x PACE_SPEED_MAX */
};

/**
 * Read a speed: `max`, or a factor such as 1x, 10x or 0.5x, 0.001 to 1000000.
 *
 * @param pace  kind and speed_milli are written if true is returned
 *
 * Context: any thread.
 */
bool pace_parse_speed(struct pace *pace, const char *text);

/**
 * Time from the start to a message, ns.
 *
 * @param index       number of messages before it
 * @param elapsed_ns  by its time stamp, since the first one of the feed
 * @return 0 at PACE_MAX
 *
 * Context: any thread. Borrows `pace`.
 */
static inline uint64_t pace_due_ns(const struct pace *pace, uint64_t index, uint64_t elapsed_ns)
{
	const uint64_t second = 1000000000;
	if (pace->kind == PACE_RATE)
		return index / pace->rate * second + index % pace->rate * second / pace->rate;
	if (pace->kind == PACE_SPEED) /* time stamps have 48 bits */
		return elapsed_ns * 1000 / pace->speed_milli;
	return 0;
}

/** Write a pace for a person, for example "50000 messages/s" or "10x as recorded". */
void pace_describe(const struct pace *pace, char *text, unsigned size);

#endif
