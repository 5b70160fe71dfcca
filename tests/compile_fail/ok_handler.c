/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer | clang | clang-thread-safety
/* Goal: a behaviour whose functions own their agent uses its timers and its helpers. */
#include "tern_signal.h"

struct state {
	struct tern_timer timer;
	unsigned ticks;
};
static void on_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void count(struct tern_agent *self, struct state *mine) TERN_OWNS(self);

static void on_start(struct tern_agent *self, void *state)
{
	struct state *mine = state;
	tern_timer_start(self, &mine->timer, 1000, 1000, 1);
}

static void count(struct tern_agent *self, struct state *mine)
{
	if (++mine->ticks == 10 && tern_timer_cancel(self, &mine->timer))
		tern_exit(self, 0);
}

TERN_HANDLER(static, on_tick)
{
	const struct tern_timeout *timeout = tern_signal_data(signal);
	if (tern_signal_type(signal) == 1 && timeout->expired > 0)
		count(self, state);
}

const struct tern_behaviour ticker = {.name = "ticker", .handler = on_tick, .on_start = on_start};
