/* SPDX-License-Identifier: Apache-2.0 */
#include "sampler.h"

/* The next window: many while there is time, then a single one, and only single ones once late. */
static void begin_window(struct tern_sampler *sampler, bool single, uint64_t now)
{
	sampler->single = single || sampler->every == 1;
	sampler->left = sampler->single ? 1 : sampler->every;
	sampler->start = now;
}

struct tern_look tern_sampler_look(struct tern_sampler *sampler, uint64_t now)
{
	bool known = sampler->start != 0;
	struct tern_look look = {.took = known ? now - sampler->start : 0,
				 .is_sample = known && sampler->single,
				 .is_late = tern_sampler_is_late(sampler, now)};
	look.is_overrun =
		known && !sampler->single && look.took > sampler->slice.ticks * sampler->every;
	if (look.is_late)
		sampler->every = 1;
	else if (sampler->every < TERN_SAMPLER_EVERY_MAX)
		sampler->every *= 2;
	begin_window(sampler, !known || !sampler->single, now);
	return look;
}
