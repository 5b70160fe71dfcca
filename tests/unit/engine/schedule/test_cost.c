/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: fair share is kept by cost and weight: agents get turns as their weights say, one that
 * charges for more than its time gets fewer, and none of that counts under other policies.
 * Method: agents with handlers of known cost on the virtual clock, which charge what they are told
 * to; the list of runs is counted. On threads charges are so much larger than the time of a run
 * that only they count.
 */
#include "tests/unit/engine/runs.h"

enum { PLAIN = 1, ARM, TICK };

struct payer {
	struct runner runner; /* first: hooks are the probe's */
	uint64_t charge_ns;   /* for each signal */
	struct tern_timer timer;
	uint64_t ticks; /* at each it charges 1 ms */
};

TERN_HANDLER(static, payer_handle)
{
	struct payer *payer = state;
	switch (tern_signal_type(signal)) {
	case ARM:
		tern_timer_start(self, &payer->timer, 1000, 0, TICK);
		break;
	case TICK:
		tern_charge(self, 1000000);
		note(&payer->ticks);
		break;
	default:
		tern_charge(self, payer->charge_ns);
		runner_handle(self, &payer->runner, signal);
	}
}

static const struct tern_behaviour payer_behaviour = {.name = "payer",
						      .handler = payer_handle,
						      .on_start = probe_start,
						      .on_event = probe_event,
						      .on_stop = probe_stop};

/* A crew of payers of one signal a run. */
static void one_a_run(struct tern_config *config, const char *policy)
{
	struct tern_error error = {""};
	config->turn_signals = 1;
	config->metrics_interval_ms = 0;
	if (tern_config_set(config, policy, &error) != 0)
		fail_msg("%s", error.text);
}

static void fair(struct tern_config *config)
{
	one_a_run(config, "scheduler.policy=fair_share");
}

static void in_turn(struct tern_config *config)
{
	one_a_run(config, "scheduler.policy=round_robin");
}

static struct payer *add_payer(struct crew *crew, uint32_t weight, uint64_t cost_ns,
			       uint64_t charge_ns, uint32_t signals)
{
	struct payer *payer = world_memory(crew->world, sizeof(*payer));
	struct tern_spawn_options options = {.weight = weight, .capacity = RUNS_KEPT};
	payer->charge_ns = charge_ns;
	payer->runner = (struct runner){
		.runs = crew->runs, .who = (uint8_t)crew->count, .cost_ns = cost_ns};
	assert_int_equal(tern_spawn(crew->world->self, &payer_behaviour, payer, &options,
				    &crew->agents[crew->count]),
			 0);
	UNTIL(crew->world, seen(&payer->runner.probe.started) == 1);
	crew_load(crew, crew->count++, signals);
	return payer;
}

/* In each window of the list, so many runs of each, but for one or two at its ends. */
static void assert_shares(const struct runs *runs, uint32_t window, const uint32_t *shares,
			  uint8_t count)
{
	for (uint64_t from = 4; from + window <= 404; from += window)
		for (uint8_t who = 0; who < count; who++)
			assert_in_range(runs_of(runs, who, from, from + window), shares[who] - 2,
					shares[who] + 2);
}

static void turns_are_as_the_weights(void **state)
{
	static const uint32_t shares[] = {10, 30};
	struct crew crew;
	crew_open(&crew, *state);
	add_payer(&crew, 1, 10000, 0, 404);
	add_payer(&crew, 3, 10000, 0, 404);
	crew_go(&crew);
	crew_wait(&crew, 808);
	assert_shares(crew.runs, 40, shares, 2);
}

/* A weight left out is 1; who takes three times as long with three times the weight has as many. */
static void time_counts_beside_the_weight(void **state)
{
	static const uint32_t shares[] = {13, 13, 13};
	struct crew crew;
	crew_open(&crew, *state);
	add_payer(&crew, 0, 10000, 0, 404);
	add_payer(&crew, 3, 30000, 0, 404);
	add_payer(&crew, 100, 1000000, 0, 404);
	crew_go(&crew);
	crew_wait(&crew, 3 * 404);
	assert_shares(crew.runs, 39, shares, 3);
}

/* Who charges as much as it runs for has half the turns, who charges thrice that a quarter. */
static void who_charges_runs_less(void **state)
{
	static const uint32_t shares[] = {24, 12, 6};
	struct crew crew;
	crew_open(&crew, *state);
	add_payer(&crew, 1, 10000, 0, 404);
	add_payer(&crew, 1, 10000, 10000, 404);
	add_payer(&crew, 1, 10000, 30000, 404);
	crew_go(&crew);
	crew_wait(&crew, 3 * 404);
	assert_shares(crew.runs, 42, shares, 3);
}

static void a_weight_pays_for_charges(void **state)
{
	static const uint32_t shares[] = {20, 20};
	struct crew crew;
	crew_open(&crew, *state);
	add_payer(&crew, 1, 10000, 0, 404);
	add_payer(&crew, 4, 10000, 30000, 404);
	crew_go(&crew);
	crew_wait(&crew, 808);
	assert_shares(crew.runs, 40, shares, 2);
}

/* Of 7 ns a signal, by 1000, nothing is left out: the other has its turn, and no more. */
static void costs_below_a_weight_add_up(void **state)
{
	struct crew crew;
	crew_open(&crew, *state);
	add_payer(&crew, 1000, 7, 0, 6000);
	add_payer(&crew, 1, 7, 0, 6);
	crew_go(&crew);
	crew_wait(&crew, 6006);
	assert_in_range(runs_of(crew.runs, 1, 0, 3010), 3, 5);
	assert_int_equal(runs_of(crew.runs, 1, 0, 5100), 6);
}

/* What a timer's handler of an agent at rest charges is owed when it has signals. */
static void charges_at_rest_count(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	struct payer *late = add_payer(&crew, 1, 10000, 0, 1);
	add_payer(&crew, 1, 10000, 0, 1000);
	crew_go(&crew);
	while (crew.runs->count < 501)
		world_poll(world);
	assert_int_equal(send_number(world->self, crew.agents[0], ARM, 0), 0);
	UNTIL(world, seen(&late->ticks) == 1);
	uint64_t from = crew.runs->count;
	crew_send(&crew, 0, 50);
	crew_wait(&crew, 1051);
	/* It comes again when the other has run for as long: 100 runs. */
	assert_int_equal(runs_of(crew.runs, 0, from, from + 95), 0);
	assert_true(runs_of(crew.runs, 0, from + 95, from + 215) >= 48);
}

/* Largest charges, and more: they count as the most there is, and everybody still has turns. */
static void charges_have_an_end(void **state)
{
	struct crew crew;
	crew_open(&crew, *state);
	add_payer(&crew, 1, 10000, UINT64_MAX, 20);
	add_payer(&crew, 1, 10000, TERN_CHARGE_NS_MAX, 20);
	add_payer(&crew, 1, 10000, 0, 100);
	crew_go(&crew);
	crew_wait(&crew, 140);
	assert_int_equal(runs_of(crew.runs, 2, 2, 102), 100);
	for (uint64_t i = 102; i < 140; i += 2)
		assert_int_equal(runs_of(crew.runs, 0, i, i + 2), 1);
}

static void other_policies_know_no_cost(void **state)
{
	struct crew crew;
	crew_open(&crew, *state);
	add_payer(&crew, 1, 10000, 1000000, 100);
	add_payer(&crew, 100, 10000, 0, 100);
	crew_go(&crew);
	crew_wait(&crew, 200);
	for (uint64_t i = 0; i < 200; i++)
		assert_int_equal(crew.runs->who[i], i % 2);
}

/* On threads time is what it is: a charge of 100 ms is worth millions of runs. */
static void shares_hold_on_threads(void **state)
{
	static const uint32_t shares[] = {10, 30};
	struct crew crew;
	crew_open(&crew, *state);
	add_payer(&crew, 1, 0, 100000000, 404);
	add_payer(&crew, 3, 0, 100000000, 404);
	crew_go(&crew);
	crew_wait(&crew, 808);
	assert_shares(crew.runs, 40, shares, 2);
}

static void a_weight_has_bounds(void **state)
{
	struct world *world = *state;
	struct probe *probes = world_probes(world, 2);
	struct tern_spawn_options most = {.weight = 1000}, beyond = {.weight = 1001};
	tern_address agent = TERN_ADDRESS_NONE;
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, &probes[0], &beyond, &agent),
			 -EINVAL);
	assert_int_equal(agent, TERN_ADDRESS_NONE);
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, &probes[0], &most, &agent), 0);
	/* No agent of an lcore. */
	tern_charge(world->self, 1000);
}

/* What a policy of one's own learns of weight and charges. */
static struct tern_task last_task;
static uint32_t waiting[64], waiting_count;

static void learn_push(void *state, uint32_t place, const struct tern_task *task)
{
	(void)state;
	last_task = *task;
	waiting[waiting_count++] = place;
}

static bool learn_pop(void *state, uint64_t now_ns, uint32_t *place)
{
	(void)state;
	(void)now_ns;
	if (!waiting_count)
		return false;
	*place = waiting[--waiting_count];
	return true;
}

static const struct tern_scheduler learner = {
	.name = "learner", .push = learn_push, .pop = learn_pop};

static void by_learner(struct tern_config *config)
{
	config->scheduler = &learner;
	config->lcore_count = 1;
	waiting_count = 0;
	one_a_run(config, "scheduler.policy=custom");
}

static void a_custom_policy_learns_of_both(void **state)
{
	struct crew crew;
	crew_open(&crew, *state);
	add_payer(&crew, 7, 10000, 500000, 4);
	crew_go(&crew);
	crew_wait(&crew, 4);
	assert_int_equal(last_task.weight, 7);
	assert_int_equal(last_task.ran_ns, 3 * 510000);
	add_payer(&crew, 0, 10000, 0, 1);
	crew_go(&crew);
	crew_wait(&crew, 5);
	assert_int_equal(last_task.weight, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SET_POLLED(turns_are_as_the_weights, fair),
		SET_POLLED(time_counts_beside_the_weight, fair),
		SET_POLLED(who_charges_runs_less, fair),
		SET_POLLED(a_weight_pays_for_charges, fair),
		SET_POLLED(costs_below_a_weight_add_up, fair),
		SET_POLLED(charges_at_rest_count, fair),
		SET_POLLED(charges_have_an_end, fair),
		SET_BOTH(other_policies_know_no_cost, in_turn),
		SET_THREADED(shares_hold_on_threads, fair),
		SET_BOTH(a_weight_has_bounds, fair),
		SET_POLLED(a_custom_policy_learns_of_both, by_learner),
	};
	return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
