/* SPDX-License-Identifier: Apache-2.0 */
#include "swarm.h"

#include "tern_signal.h"

#include <errno.h>
#include <time.h>

#define WAIT_NS 10000000 /* of the reading thread: it takes a CPU from an lcore when it wakes */
#define FINISH_S 30
#define STEP_NS 1000	    /* of virtual time */
#define STEPS_PER_LOOK 4096 /* polled mode: a look for signals takes a system call */

static void look_for_signal(struct swarm *swarm, long wait_ns)
{
	const struct timespec wait = {.tv_nsec = wait_ns};
	int number = sigtimedwait(&swarm->signals, NULL, &wait);
	if (number > 0 && swarm->signal_number == 0)
		swarm->signal_number = number;
	if (swarm->partner)
		swarm_watch_partner(swarm);
}

/* In polled mode it is us who polls the lcores. */
void swarm_step(struct swarm *swarm)
{
	if (swarm->self)
		tern_thread_poll(swarm->self);
	if (swarm->config.mode != TERN_MODE_POLLED || !swarm->engine) {
		look_for_signal(swarm, WAIT_NS);
		return;
	}
	for (uint32_t i = 0; i < tern_engine_lcores(swarm->engine); i++)
		tern_lcore_poll(tern_engine_lcore(swarm->engine, i));
	if (swarm->config.clock == TERN_CLOCK_VIRTUAL)
		tern_engine_advance(swarm->engine, STEP_NS);
	if (++swarm->idle_steps % STEPS_PER_LOOK == 0)
		look_for_signal(swarm, 0);
}

static void tell_feed(struct swarm *swarm, uint16_t type)
{
	while (tern_signal_bytes(swarm->self, swarm->members[0].address, type, NULL, 0) == -EAGAIN)
		swarm_step(swarm);
}

static void go(struct swarm *swarm)
{
	if (!swarm->going)
		tell_feed(swarm, SWARM_GO);
	swarm->going = true;
}

static void deliver(struct swarm *swarm, tern_iso *iso)
{
	const tern_address feed = swarm->members[0].address;
	swarm->outgoing = iso;
	while (swarm->outgoing) {
		swarm->outgoing = tern_signal_iso(swarm->self, feed, SWARM_BLOCK, swarm->outgoing);
		if (swarm->outgoing)
			swarm_step(swarm);
	}
}

/* A block of the pool is the permission to read on: the feed handler gives back what it has used.
 * The clock starts when the pool is empty for the first time, or the whole feed is in it. */
static void feed_blocks(struct swarm *swarm, struct reader *reader)
{
	while (swarm->signal_number == 0 && !swarm->lost) {
		tern_iso *iso = feed_block_create(tern_heap(swarm->self));
		if (!iso) {
			go(swarm);
			swarm_step(swarm);
			continue;
		}
		if (reader_fill(reader, feed_block_iso(iso)) == 0) {
			tern_iso_drop(tern_heap(swarm->self), iso);
			return;
		}
		deliver(swarm, iso);
		look_for_signal(swarm, 0);
	}
}

static time_t now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

int swarm_run(struct swarm *swarm, struct reader *reader)
{
	feed_blocks(swarm, reader);
	look_for_signal(swarm, 0); /* it may have ended a read */
	if (swarm->signal_number == 0) {
		tell_feed(swarm, SWARM_LAST);
		go(swarm);
	}
	while (!swarm->fed && swarm->signal_number == 0 && !swarm->lost)
		swarm_step(swarm);
	if (!swarm->fed)
		tell_feed(swarm, SWARM_HALT);
	time_t deadline = now_s() + FINISH_S;
	while (!swarm->fed || swarm->done_count < swarm->options->strategy_count) {
		if (swarm->lost)
			return swarm->lost;
		if (now_s() > deadline)
			return -ETIMEDOUT;
		swarm_step(swarm);
	}
	return 0;
}
