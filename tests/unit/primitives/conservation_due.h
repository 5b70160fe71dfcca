/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONSERVATION_DUE_H
#define CONSERVATION_DUE_H

/*
 * Timers and descriptors of a party: each firing must follow from the one before and from the
 * clock, none comes after a cancel, and the memory of a cancelled timer is given back at once.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "capabilities/sanitizer.h"
#include "conservation.h"

#if TERN_ASAN
#define GIVES_BACK true /* and AddressSanitizer looks after it */
#else
#define GIVES_BACK false
#endif

/* Memory that was given back is not written to: found at the end. */
static void free_alarm(struct party *party, uint32_t place)
{
	struct alarm *alarm = party->alarms[place];
	party->alarms[place] = NULL;
	if (GIVES_BACK || party->freed_count == FREED) {
		free(alarm);
		return;
	}
	memset(alarm, 0xA5, sizeof(*alarm));
	party->freed[party->freed_count++] = alarm;
}

static void start_alarm(struct tern_agent *self, struct party *party) TERN_OWNS(self);
static void start_alarm(struct tern_agent *self, struct party *party)
{
	uint32_t place = pick(&party->rng, ALARMS);
	uint64_t delay = pick(&party->rng, 6000);
	struct alarm *alarm = party->alarms[place];
	if (party->kind == THREAD_MUTE) /* its firings are lost */
		return;
	if (!alarm)
		alarm = party->alarms[place] = calloc(1, sizeof(*alarm));
	alarm->period = pick(&party->rng, 2) ? 0 : 500 + pick(&party->rng, 4000);
	alarm->slack = party->run->world.polled ? 0 : 2;
	alarm->due_least = tern_now(self) + delay;
	alarm->armed = true;
	tern_timer_start(self, &alarm->timer, delay, alarm->period, TYPE_ALARM);
	alarm->due_most = tern_now(self) + delay;
}

static void cancel_alarm(struct tern_agent *self, struct party *party) TERN_OWNS(self);
static void cancel_alarm(struct tern_agent *self, struct party *party)
{
	uint32_t place = pick(&party->rng, ALARMS);
	struct alarm *alarm = party->alarms[place];
	if (!alarm)
		return;
	bool was = tern_timer_cancel(self, &alarm->timer);
	if (was != alarm->armed)
		broken(party->run, "a timer is not what was asked of it", party->number, was);
	alarm->armed = false;
	if (pick(&party->rng, 2))
		free_alarm(party, place);
}

/* What a firing says must follow from the one before. */
static void check_alarm(struct tern_agent *self, struct party *party, struct alarm *alarm,
			const struct tern_timeout *timeout)
{
	uint64_t slack = alarm->slack, drift = party->run->world.polled ? 0 : 2 + timeout->expired;
	uint64_t due = timeout->due_ns, turn = tern_turn_time(self);
	uint64_t next = due + timeout->expired * alarm->period;
	if (!alarm->armed)
		broken(party->run, "a timer fired that was not armed", party->number, due);
	if (due + slack < alarm->due_least || due > alarm->due_most + slack)
		broken(party->run, "a firing of another time", party->number, due);
	if (due > tern_now(self) + slack)
		broken(party->run, "a timer fired early", party->number, due);
	if (timeout->expired == 0 || (!alarm->period && timeout->expired != 1) ||
	    (alarm->period && (next + drift <= turn || next - alarm->period > turn + drift)))
		broken(party->run, "periods that did not pass", party->number, timeout->expired);
	alarm->armed = alarm->period != 0;
	alarm->due_least = next;
	alarm->due_most = next;
	alarm->slack = drift;
}

static void take_firing(struct tern_agent *self, struct party *party,
			const struct tern_signal *signal) TERN_OWNS(self);
static void take_firing(struct tern_agent *self, struct party *party,
			const struct tern_signal *signal)
{
	struct tern_timeout timeout;
	struct alarm *alarm = NULL;
	memcpy(&timeout, tern_signal_data(signal), sizeof(timeout));
	note(&party->run->firings);
	for (uint32_t i = 0; i < ALARMS; i++)
		if (party->alarms[i] && &party->alarms[i]->timer == timeout.timer)
			alarm = party->alarms[i];
	if (!alarm) {
		broken(party->run, "a timer fired that was cancelled and freed", party->number, 0);
		return;
	}
	check_alarm(self, party, alarm, &timeout);
	if (seen(&party->run->closing) && alarm->armed) {
		alarm->armed = false;
		tern_timer_cancel(self, &alarm->timer);
	}
}

static void use_descriptor(struct tern_agent *self, struct party *party) TERN_OWNS(self);
static void use_descriptor(struct tern_agent *self, struct party *party)
{
	if (is_thread(party))
		return;
	if (!party->fd)
		party->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!is_fiber(party) && !party->fd_waits && pick(&party->rng, 2) &&
	    tern_watch_fd(self, party->fd, EPOLLIN, TYPE_FD) == 0)
		put(&party->fd_waits, true);
	else if (eventfd_write(party->fd, 1) == 0)
		put(&party->fd_written, true);
}

static void take_ready(struct party *party, const struct tern_signal *signal)
{
	struct tern_fd_ready ready;
	eventfd_t value;
	memcpy(&ready, tern_signal_data(signal), sizeof(ready));
	note(&party->run->readies);
	if (!party->fd_waits || !party->fd_written || ready.fd != party->fd ||
	    !(ready.events & EPOLLIN) || eventfd_read(party->fd, &value) != 0)
		broken(party->run, "a descriptor came ready that was not", party->number, 0);
	put(&party->fd_waits, false);
	put(&party->fd_written, false);
}

#endif
