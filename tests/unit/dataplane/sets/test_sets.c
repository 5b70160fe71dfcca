/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: sets have exactly the members that were added and not taken out, in the order in which they
 * came, under the addresses given last; filters see them in runs; a walk is true whatever changes
 * between two runs.
 * Method: examples; random operations beside plain lists, and in the midst of walks, over seeds.
 * The seed is printed at a failure; the first argument gives the number of seeds, the second the
 * first one.
 */
#include "tests/unit/dataplane/agent_sets.h"

enum { SETS = 7, AGENTS = 90, STEPS = 400 };

struct model {
	struct tern_sets *sets;
	struct rte_rcu_qsbr *quiet; /* NULL: none */
	struct tern_rng rng;
	uint64_t seed;
	uint32_t sets_max, members_max;
	uint32_t members[SETS][AGENTS]; /* agents, the one that came first before the others */
	uint32_t counts[SETS];
	tern_address addresses[SETS][AGENTS]; /* TERN_ADDRESS_NONE: no member */
};

static uint64_t seeds = 1000, first_seed = 1;

static struct tern_id set_id(const struct model *model, uint32_t set)
{
	return make_id(model->seed, (uint32_t)model->seed, set + 1);
}

/* Of the same ids: a set and an agent may well have the same one. */
static struct tern_id agent_id(const struct model *model, uint32_t agent)
{
	return make_id(model->seed, (uint32_t)model->seed, agent + 1);
}

static void expect(const struct model *model, bool holds, const char *what)
{
	if (!holds)
		fail_msg("seed %llu: %s", (unsigned long long)model->seed, what);
}

static uint32_t sets_of(const struct model *model)
{
	uint32_t count = 0;
	for (uint32_t set = 0; set < SETS; set++)
		count += model->counts[set] != 0;
	return count;
}

static uint32_t members_of(const struct model *model)
{
	uint32_t count = 0;
	for (uint32_t set = 0; set < SETS; set++)
		count += model->counts[set];
	return count;
}

static void leave(struct model *model, uint32_t set, uint32_t agent)
{
	uint32_t *members = model->members[set], at = 0;
	while (members[at] != agent)
		at++;
	model->counts[set]--;
	memmove(&members[at], &members[at + 1], (model->counts[set] - at) * sizeof(*members));
	model->addresses[set][agent] = TERN_ADDRESS_NONE;
}

static void add(struct model *model, uint32_t set, uint32_t agent)
{
	tern_address address = pick(&model->rng, 50) ? draw_address(&model->rng) : 0;
	int code = 0;
	if (address == TERN_ADDRESS_NONE)
		code = -EINVAL;
	else if (model->addresses[set][agent])
		code = -EEXIST;
	else if (members_of(model) == model->members_max)
		code = -ENOSPC;
	else if (model->counts[set] == 0 && sets_of(model) == model->sets_max)
		code = -ENOSPC;
	expect(model,
	       tern_sets_add(model->sets, set_id(model, set), agent_id(model, agent), address) ==
		       code,
	       "an add gave another code");
	if (code != 0)
		return;
	model->addresses[set][agent] = address;
	model->members[set][model->counts[set]++] = agent;
}

static void take_out(struct model *model, uint32_t set, uint32_t agent)
{
	bool in = model->addresses[set][agent] != TERN_ADDRESS_NONE;
	expect(model,
	       tern_sets_remove(model->sets, set_id(model, set), agent_id(model, agent)) ==
		       (in ? 0 : -ENOENT),
	       "a remove gave another code");
	if (in)
		leave(model, set, agent);
}

static void take_out_remote(struct model *model, uint32_t set, uint32_t agent)
{
	bool in = tern_address_node(model->addresses[set][agent]) != 0;
	expect(model,
	       tern_sets_remove_remote(model->sets, set_id(model, set), agent_id(model, agent)) ==
		       (in ? 0 : -ENOENT),
	       "a remove of a remote one gave another code");
	if (in)
		leave(model, set, agent);
}

static void forget(struct model *model, uint32_t agent)
{
	uint32_t count = 0;
	for (uint32_t set = 0; set < SETS; set++)
		if (model->addresses[set][agent]) {
			leave(model, set, agent);
			count++;
		}
	expect(model, tern_sets_forget(model->sets, agent_id(model, agent)) == count,
	       "a forget counted otherwise");
}

static void forget_remote(struct model *model, uint32_t agent)
{
	uint32_t count = 0;
	for (uint32_t set = 0; set < SETS; set++)
		if (tern_address_node(model->addresses[set][agent])) {
			leave(model, set, agent);
			count++;
		}
	expect(model, tern_sets_forget_remote(model->sets, agent_id(model, agent)) == count,
	       "a forget of remote ones counted otherwise");
}

static void move(struct model *model, uint32_t agent)
{
	tern_address address = pick(&model->rng, 20) ? draw_address(&model->rng) : 0;
	bool remote_only = pick(&model->rng, 2);
	uint32_t count = 0;
	for (uint32_t set = 0; set < SETS && address; set++)
		if (remote_only ? tern_address_node(model->addresses[set][agent])
				: model->addresses[set][agent]) {
			model->addresses[set][agent] = address;
			count++;
		}
	struct tern_id id = agent_id(model, agent);
	expect(model,
	       (remote_only ? tern_sets_move_remote(model->sets, id, address)
			    : tern_sets_move(model->sets, id, address)) == count,
	       "a move counted otherwise");
}

/* Keeps multiples of a number; notes runs of a wrong size. */
struct sieve {
	uint64_t number;
	uint32_t runs, odd_runs;
};

static uint32_t sift(void *context, tern_address *addresses, uint32_t count)
{
	struct sieve *sieve = context;
	uint32_t kept = 0;
	sieve->runs++;
	sieve->odd_runs += count == 0 || count > TERN_SETS_RUN;
	for (uint32_t i = 0; i < count; i++)
		if (addresses[i] % sieve->number == 0)
			addresses[kept++] = addresses[i];
	return kept;
}

static void check_set(struct model *model, uint32_t set)
{
	struct sieve sieve = {.number = 1 + pick(&model->rng, 3)};
	const struct tern_sets_query queries[] = {{0}, {.keep = sift, .context = &sieve}};
	uint32_t which = pick(&model->rng, 3), count_max = pick(&model->rng, AGENTS + 10);
	const struct tern_sets_query *query = which < 2 ? &queries[which] : NULL;
	tern_address found[AGENTS + 11], wanted[AGENTS];
	uint32_t count = 0;
	for (uint32_t i = 0; i < model->counts[set] && count < count_max; i++) {
		tern_address address = model->addresses[set][model->members[set][i]];
		if (which != 1 || address % sieve.number == 0)
			wanted[count++] = address;
	}
	found[count] = 77;
	expect(model,
	       tern_sets_find(model->sets, set_id(model, set), query, found, count_max) == count,
	       "a find told of more, or fewer");
	expect(model, memcmp(found, wanted, count * sizeof(*found)) == 0, "a find told of others");
	expect(model, found[count] == 77 && !sieve.odd_runs, "a find went too far");
	expect(model, tern_sets_count(model->sets, set_id(model, set)) == model->counts[set],
	       "a set counts otherwise");
}

static void check_all(struct model *model)
{
	struct tern_sets_stats stats = stats_of(model->sets);
	uint32_t agents = 0;
	for (uint32_t agent = 0; agent < AGENTS; agent++) {
		bool in = false;
		for (uint32_t set = 0; set < SETS; set++)
			in |= model->addresses[set][agent] != TERN_ADDRESS_NONE;
		agents += in;
	}
	for (uint32_t set = 0; set < SETS; set++)
		check_set(model, set);
	expect(model, stats.sets == sets_of(model), "another number of sets");
	expect(model, stats.members == members_of(model), "another number of memberships");
	expect(model, stats.agents == agents, "another number of agents");
	expect(model, model->quiet || stats.retired_bytes == 0, "kept though nobody reads");
}

static void step(struct model *model, uint32_t removes)
{
	uint32_t set = pick(&model->rng, SETS), agent = pick(&model->rng, AGENTS);
	if (pick(&model->rng, 10) < removes)
		take_out(model, set, agent);
	else if (pick(&model->rng, 10) == 0)
		take_out_remote(model, set, agent);
	else
		add(model, set, agent);
	if (pick(&model->rng, 8) == 0)
		move(model, agent);
	if (pick(&model->rng, 30) < removes)
		forget(model, agent);
	if (pick(&model->rng, 20) < removes)
		forget_remote(model, agent);
	if (pick(&model->rng, 4) == 0)
		check_set(model, set);
	if (model->quiet && pick(&model->rng, 8) == 0)
		rte_rcu_qsbr_quiescent(model->quiet, 0);
}

static void run_model(uint64_t seed)
{
	const uint64_t keys[2] = {seed, 3};
	struct model *model = calloc(1, sizeof(*model));
	assert_non_null(model);
	model->seed = seed;
	model->rng = tern_rng_stream(seed, 1);
	model->sets_max = SETS - pick(&model->rng, 2);
	model->members_max = 1 + pick(&model->rng, SETS * AGENTS / 2);
	if (pick(&model->rng, 2)) {
		model->quiet = make_quiet(1);
		rte_rcu_qsbr_thread_register(model->quiet, 0);
		rte_rcu_qsbr_thread_online(model->quiet, 0);
	}
	const struct tern_sets_options options = {.sets_max = model->sets_max,
						  .members_max = model->members_max,
						  .seed = keys,
						  .quiet = model->quiet,
						  .page_bytes_max = 4096};
	model->sets = make_sets(&options);
	/* At first most come, then as many go, then most go. */
	for (uint32_t i = 0; i < STEPS; i++)
		step(model, 1 + 8 * i / STEPS);
	check_all(model);
	tern_sets_destroy(model->sets);
	free(model->quiet);
	free(model);
}

static void sets_have_the_members_that_they_should(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
		run_model(seed);
}

static void an_agent_is_found_by_what_it_can_do(void **state)
{
	static const struct tern_id trade = {1, 1}, price = {2, 2}, ann = {3, 3}, bob = {4, 4};
	(void)state;
	const struct tern_sets_options options = {0};
	struct tern_sets *sets = make_sets(&options);
	tern_address found[4];
	assert_int_equal(tern_sets_add(sets, trade, ann, 10), 0);
	assert_int_equal(tern_sets_add(sets, trade, bob, 20), 0);
	assert_int_equal(tern_sets_add(sets, price, bob, 20), 0);
	assert_int_equal(tern_sets_add(sets, trade, bob, 21), -EEXIST);
	assert_int_equal(tern_sets_find(sets, trade, NULL, found, 4), 2);
	assert_int_equal(found[0], 10);
	assert_int_equal(found[1], 20);
	assert_int_equal(tern_sets_find(sets, trade, NULL, found, 1), 1);
	assert_int_equal(tern_sets_find(sets, trade, NULL, found, 0), 0);
	assert_int_equal(tern_sets_move(sets, bob, 22), 2);
	assert_int_equal(tern_sets_find(sets, price, NULL, found, 4), 1);
	assert_int_equal(found[0], 22);
	assert_int_equal(tern_sets_remove(sets, trade, ann), 0);
	assert_int_equal(tern_sets_remove(sets, trade, ann), -ENOENT);
	assert_int_equal(tern_sets_remove(sets, ann, trade), -ENOENT);
	assert_int_equal(tern_sets_forget(sets, bob), 2);
	assert_int_equal(tern_sets_forget(sets, bob), 0);
	assert_int_equal(tern_sets_find(sets, trade, NULL, found, 4), 0);
	assert_int_equal(stats_of(sets).sets, 0);
	tern_sets_destroy(sets);
}

static void a_filter_sees_whole_runs(void **state)
{
	enum { MANY = 1000 };
	static const struct tern_id set = {1, 2};
	(void)state;
	const struct tern_sets_options options = {0};
	struct tern_sets *sets = make_sets(&options);
	struct sieve sieve = {.number = 100};
	const struct tern_sets_query query = {.keep = sift, .context = &sieve};
	tern_address found[MANY];
	for (uint64_t i = 1; i <= MANY; i++)
		assert_int_equal(tern_sets_add(sets, set, make_id(1, 0, i), i), 0);
	assert_int_equal(tern_sets_find(sets, set, &query, found, MANY), 10);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(found[i], 100 * (i + 1));
	assert_int_equal(sieve.runs, (MANY + TERN_SETS_RUN - 1) / TERN_SETS_RUN);
	/* Who wants one is told one, and no more runs are looked at than that takes. */
	sieve.runs = 0;
	assert_int_equal(tern_sets_find(sets, set, &query, found, 1), 1);
	assert_int_equal(sieve.runs, 2);
	assert_int_equal(sieve.odd_runs, 0);
	tern_sets_destroy(sets);
}

enum { CROWD = 300 };

/* Agents that come and go in one set while a reader walks it: between two runs. */
struct crowd {
	struct tern_sets *sets;
	struct tern_rng rng;
	bool in[CROWD], always[CROWD], ever[CROWD];
};

static void come_or_go(struct crowd *crowd, uint32_t agent)
{
	static const struct tern_id set = {1, 1};
	struct tern_id id = make_id(3, 0, agent);
	bool in = crowd->in[agent];
	assert_int_equal(in ? tern_sets_remove(crowd->sets, set, id)
			    : tern_sets_add(crowd->sets, set, id, agent + 1),
			 0);
	crowd->in[agent] = !in;
	crowd->always[agent] = false;
	crowd->ever[agent] = true;
}

static uint32_t jostle(void *context, tern_address *addresses, uint32_t count)
{
	struct crowd *crowd = context;
	uint32_t changes = pick(&crowd->rng, CROWD);
	(void)addresses;
	for (uint32_t i = 0; i < changes; i++)
		come_or_go(crowd, pick(&crowd->rng, CROWD));
	return count;
}

static void walk_crowd(struct crowd *crowd, uint64_t seed)
{
	const struct tern_sets_query query = {.keep = jostle, .context = crowd};
	tern_address found[3 * CROWD];
	uint32_t times[CROWD] = {0};
	memcpy(crowd->always, crowd->in, sizeof(crowd->in));
	memcpy(crowd->ever, crowd->in, sizeof(crowd->in));
	uint32_t count =
		tern_sets_find(crowd->sets, (struct tern_id){1, 1}, &query, found, 3 * CROWD);
	for (uint32_t i = 0; i < count; i++) {
		assert_in_range(found[i], 1, CROWD);
		times[found[i] - 1]++;
	}
	for (uint32_t i = 0; i < CROWD; i++)
		if (times[i] > crowd->ever[i] || times[i] < crowd->always[i])
			fail_msg("seed %llu: agent %u told %u times", (unsigned long long)seed, i,
				 times[i]);
}

static void a_walk_is_true_whatever_changes_meanwhile(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds / 4; seed++) {
		struct rte_rcu_qsbr *quiet;
		struct crowd crowd = {.sets = sets_read_by_one(&quiet, 1),
				      .rng = tern_rng_stream(seed, 5)};
		uint32_t count = pick(&crowd.rng, 3 * CROWD);
		for (uint32_t i = 0; i < count; i++)
			come_or_go(&crowd, pick(&crowd.rng, CROWD));
		for (int i = 0; i < 4; i++) {
			walk_crowd(&crowd, seed);
			rte_rcu_qsbr_quiescent(quiet, 0);
		}
		tern_sets_destroy(crowd.sets);
		free(quiet);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_agent_is_found_by_what_it_can_do),
		cmocka_unit_test(sets_have_the_members_that_they_should),
		cmocka_unit_test(a_filter_sees_whole_runs),
		cmocka_unit_test(a_walk_is_true_whatever_changes_meanwhile),
	};
	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests_name("agent sets", tests, NULL, NULL);
}
