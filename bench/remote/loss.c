/* SPDX-License-Identifier: Apache-2.0 */

/* How long signals take, of which frames are lost: at a rate of their own, and each alone. */
#include <string.h>

#include <rte_cycles.h>

#include "party.h"

#define PER_SECOND 50000u
#define OPEN_SIGNALS 50000u /* a second */
#define TRIALS 2000u
#define REST_US 200u

/* An open loop: what is refused is sent late, and counts from when it was to be sent. */
struct metronome {
	struct party_side *near;
	uint64_t next, interval; /* ticks */
	uint32_t left;
};

static bool send_due(struct tern_agent *self, struct metronome *metronome)
{
	const struct party_sent sent = {.ticks = metronome->next, .how = PARTY_OPEN_LOOP};
	if (tern_signal_bytes(self, metronome->near->shared->judge, PARTY_VALUE, &sent,
			      sizeof(sent)) != 0)
		return false;
	metronome->next += metronome->interval;
	metronome->left--;
	return true;
}

TERN_HANDLER(static, on_beat)
{
	struct metronome *metronome = state;
	uint64_t now = rte_rdtsc();
	if (metronome->next == 0)
		metronome->next = now + metronome->interval;
	while (metronome->left && metronome->next <= now && send_due(self, metronome))
		;
	if (metronome->left && tern_signal_bytes(self, tern_self(self), 0, &now, sizeof(now)) != 0)
		bench_die("metronome refused");
}

static const struct tern_behaviour metronome_behaviour = {.name = "metronome", .handler = on_beat};

static uint64_t ticks_of_us(const struct party_side *near, double us)
{
	return (uint64_t)(us * 1e6 / near->bench.ps_per_tick);
}

void party_loss_round(struct party_side *near, struct party_report *report)
{
	struct metronome metronome = {.near = near,
				      .interval = ticks_of_us(near, 1e6 / PER_SECOND),
				      .left = near->plan->smoke ? OPEN_SIGNALS / 20 : OPEN_SIGNALS};
	const struct party_told told = {.count = metronome.left};
	party_tell(near, near->shared->judge, PARTY_EXPECT, told);
	tern_address agent = bench_spawn(&near->bench, &metronome_behaviour, &metronome, 0);
	bench_send(&near->bench, agent, 0, 0);
	party_wait(&near->shared->ended, "signals are missing at the far side");
	bench_stop(&near->bench, &agent, 1);
	report->figure = near->shared->latency;
}

/* One signal after another, each after a rest; the frame of every second one is lost once. */
struct hermit {
	struct party_side *near;
	uint64_t rest, ready; /* ticks */
	uint32_t left;
	bool is_out; /* a signal that has not come back */
};

static void send_alone(struct tern_agent *self, struct hermit *hermit)
{
	bool is_lost = hermit->left % 2;
	if (is_lost)
		party_lossy_arm();
	const struct party_sent sent = {.ticks = rte_rdtsc(),
					.how = is_lost ? PARTY_LONE_LOST : PARTY_LONE};
	if (tern_signal_bytes(self, hermit->near->shared->judge, PARTY_VALUE, &sent,
			      sizeof(sent)) != 0)
		bench_die("a lone signal is refused");
	hermit->left--;
	hermit->is_out = true;
}

enum { COMES_BACK, LOOKS };

TERN_HANDLER(static, on_hermit)
{
	struct hermit *hermit = state;
	uint64_t now = rte_rdtsc();
	if (tern_signal_type(signal) == COMES_BACK && hermit->is_out) {
		hermit->is_out = false;
		hermit->ready = now + hermit->rest;
		if (hermit->left == 0) {
			sem_post(&hermit->near->bench.done);
			return;
		}
	}
	if (!hermit->is_out && now >= hermit->ready)
		send_alone(self, hermit);
	else if (!hermit->is_out &&
		 tern_signal_bytes(self, tern_self(self), LOOKS, &now, sizeof(now)) != 0)
		bench_die("hermit refused");
}

static const struct tern_behaviour hermit_behaviour = {.name = "hermit", .handler = on_hermit};

void party_tail_round(struct party_side *near, struct party_report *report)
{
	struct hermit hermit = {.near = near,
				.rest = ticks_of_us(near, REST_US),
				.left = near->plan->smoke ? TRIALS / 20 : TRIALS};
	tern_address agent = bench_spawn(&near->bench, &hermit_behaviour, &hermit, 0);
	bench_send(&near->bench, agent, LOOKS, 0);
	bench_wait(&near->bench);
	bench_stop(&near->bench, &agent, 1);
	report->figure = near->shared->latency;
	report->floor = near->shared->undisturbed;
}
