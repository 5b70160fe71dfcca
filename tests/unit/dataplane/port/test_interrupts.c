/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: DPDK's interrupt thread does nothing while an lcore is in a driver of a port that has
 * joined; what is waiting is done once lcores are out, and they may enter again afterwards, unless
 * their port was closed.
 * Method: gates set by hand in the place of lcores; an alarm, which runs on the interrupt thread,
 * for its work. That something does not happen is watched for some ms.
 */
#include "tests/unit/support.h"

#include <rte_alarm.h>

#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev_state.h"
#include "dataplane/port/interrupts.h"

enum { WATCH_NS = 30000000 };

static struct tern_gate gates[2];
static struct tern_ethdev dev = {.port = {.queues = 2}, .gates = gates};
static uint64_t worked;	       /* alarms that ran */
static uint64_t worked_inside; /* ... while an lcore was in the driver, or might enter */

static void interrupt_work(void *context)
{
	(void)context;
	if (seen(&gates[1].is_inside) || seen(&dev.is_open))
		note(&worked_inside);
	note(&worked);
}

static void *let_thread(void *context)
{
	tern_interrupts_let();
	note((uint64_t *)context);
	return NULL;
}

/* Whether a number stays as it is for a while. */
static bool stays(uint64_t *number, uint64_t value)
{
	struct patience patience = {0};
	clock_gettime(CLOCK_MONOTONIC, &patience.from);
	while (patience_ns(&patience) < WATCH_NS && seen(number) == value)
		breathe();
	return seen(number) == value;
}

static void await(uint64_t *number, uint64_t value)
{
	struct patience patience = {0};
	clock_gettime(CLOCK_MONOTONIC, &patience.from);
	while (seen(number) != value) {
		if (patience_ns(&patience) > PATIENCE_NS)
			fail_msg("waited in vain");
		breathe();
	}
}

static int interrupts_setup(void **state)
{
	(void)state;
	worked = worked_inside = 0;
	memset(gates, 0, sizeof(gates));
	return tern_gates_prepare() == 0 && tern_interrupts_join(&dev, NULL) == 0 ? 0 : -1;
}

static int interrupts_teardown(void **state)
{
	(void)state;
	put(&gates[1].is_inside, 0);
	tern_interrupts_set_open(&dev, false);
	tern_interrupts_leave(&dev);
	return 0;
}

static void nothing_happens_while_an_lcore_is_inside(void **state)
{
	uint64_t let = 0;
	pthread_t thread;
	(void)state;
	tern_interrupts_set_open(&dev, true);
	assert_int_equal(rte_eal_alarm_set(1, interrupt_work, NULL), 0);
	assert_true(stays(&worked, 0)); /* held, though all lcores are out */
	put(&gates[1].is_inside, 1);
	assert_int_equal(pthread_create(&thread, NULL, let_thread, &let), 0);
	assert_true(stays(&worked, 0));
	assert_int_equal(seen(&let), 0);
	put(&gates[1].is_inside, 0);
	await(&let, 1);
	pthread_join(thread, NULL);
	assert_int_equal(seen(&worked), 1);
	assert_int_equal(seen(&worked_inside), 0);
	assert_true(seen(&dev.is_open));
}

static void a_port_that_is_closed_stays_closed(void **state)
{
	(void)state;
	tern_interrupts_set_open(&dev, true);
	tern_interrupts_set_open(&dev, false);
	tern_interrupts_let();
	assert_false(seen(&dev.is_open));
}

static void the_last_port_lets_the_thread_go(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		worked = 0;
		assert_int_equal(tern_interrupts_join(&dev, NULL), 0);
		assert_int_equal(rte_eal_alarm_set(1, interrupt_work, NULL), 0);
		tern_interrupts_leave(&dev);
		await(&worked, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_happens_while_an_lcore_is_inside,
						interrupts_setup, interrupts_teardown),
		cmocka_unit_test_setup_teardown(a_port_that_is_closed_stays_closed,
						interrupts_setup, interrupts_teardown),
		cmocka_unit_test(the_last_port_lets_the_thread_go),
	};
	const struct tern_eal_needs needs = {0};
	struct tern_error error = {""};
	if (tern_eal_start(&needs, &error) != 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	return cmocka_run_group_tests_name("interrupts", tests, NULL, NULL);
}
