/* SPDX-License-Identifier: Apache-2.0 */
#include "interrupts.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include <rte_alarm.h>

#include "ethdev_state.h"

enum { LET_US = 100, HOLD_WAIT_S = 2 };

enum interrupts_state {
	INTERRUPTS_FREE,
	INTERRUPTS_HELD, /* the thread waits in interrupts_hold() */
	INTERRUPTS_LET,	 /* it is about to leave there */
};

/* One a process, as the thread is. */
static struct {
	pthread_mutex_t ports_lock; /* held over a pause, and taken before `lock` */
	struct tern_ethdev *ports;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum interrupts_state state;
} tern_interrupts = {.ports_lock = PTHREAD_MUTEX_INITIALIZER,
		     .lock = PTHREAD_MUTEX_INITIALIZER,
		     .changed = PTHREAD_COND_INITIALIZER};

/* On the interrupt thread. */
static void interrupts_hold(void *context)
{
	(void)context;
	pthread_mutex_lock(&tern_interrupts.lock);
	tern_interrupts.state = INTERRUPTS_HELD;
	pthread_cond_broadcast(&tern_interrupts.changed);
	while (tern_interrupts.state == INTERRUPTS_HELD)
		pthread_cond_wait(&tern_interrupts.changed, &tern_interrupts.lock);
	tern_interrupts.state = INTERRUPTS_FREE;
	pthread_mutex_unlock(&tern_interrupts.lock);
}

static void interrupts_release(void)
{
	pthread_mutex_lock(&tern_interrupts.lock);
	tern_interrupts.state = INTERRUPTS_LET;
	pthread_cond_broadcast(&tern_interrupts.changed);
	pthread_mutex_unlock(&tern_interrupts.lock);
}

/* Have the thread come to interrupts_hold() after some time, and wait until it is there. */
static int interrupts_catch(uint64_t after_us)
{
	struct timespec until;
	int code = rte_eal_alarm_set(after_us, interrupts_hold, NULL);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HOLD_WAIT_S;
	pthread_mutex_lock(&tern_interrupts.lock);
	while (code == 0 && tern_interrupts.state != INTERRUPTS_HELD)
		code = -pthread_cond_timedwait(&tern_interrupts.changed, &tern_interrupts.lock,
					       &until);
	pthread_mutex_unlock(&tern_interrupts.lock);
	return code;
}

int tern_interrupts_join(struct tern_ethdev *dev, struct tern_error *error)
{
	int code = 0;
	pthread_mutex_lock(&tern_interrupts.ports_lock);
	if (!tern_interrupts.ports)
		code = interrupts_catch(1);
	if (code == 0) {
		dev->next = tern_interrupts.ports;
		tern_interrupts.ports = dev;
		dev->has_joined = true;
	}
	pthread_mutex_unlock(&tern_interrupts.ports_lock);
	return code == 0 ? 0
			 : tern_error_set(error, code,
					  "port %s: DPDK's interrupt thread does not answer: %s",
					  dev->port.name, strerror(-code));
}

void tern_interrupts_leave(struct tern_ethdev *dev)
{
	struct tern_ethdev **at = &tern_interrupts.ports;
	if (!dev->has_joined)
		return;
	pthread_mutex_lock(&tern_interrupts.ports_lock);
	while (*at != dev)
		at = &(*at)->next;
	*at = dev->next;
	dev->has_joined = false;
	if (!tern_interrupts.ports)
		interrupts_release();
	pthread_mutex_unlock(&tern_interrupts.ports_lock);
}

void tern_interrupts_set_open(struct tern_ethdev *dev, bool is_open)
{
	pthread_mutex_lock(&tern_interrupts.ports_lock);
	dev->is_wanted_open = is_open;
	if (is_open)
		tern_gates_open(dev);
	else
		tern_gates_close(dev);
	pthread_mutex_unlock(&tern_interrupts.ports_lock);
}

void tern_interrupts_let(void)
{
	pthread_mutex_lock(&tern_interrupts.ports_lock);
	for (struct tern_ethdev *dev = tern_interrupts.ports; dev; dev = dev->next)
		tern_gates_close(dev);
	interrupts_release();
	/* without an alarm, for want of memory, the thread is free: the gates stay closed */
	while (interrupts_catch(LET_US) != 0)
		;
	for (struct tern_ethdev *dev = tern_interrupts.ports; dev; dev = dev->next)
		if (dev->is_wanted_open)
			tern_gates_open(dev);
	pthread_mutex_unlock(&tern_interrupts.ports_lock);
}
