/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a change costs a few words; limits refuse and change nothing, and so does want of memory;
 * what was replaced comes back when readers are quiet, and not before; the memory held is what the
 * estimate says.
 * Method: sets for each limit, taken up to it.
 */
#include "tests/unit/dataplane/agent_sets.h"

#include "capabilities/sanitizer.h"
#include "dataplane/sets/sets.h"

#include <sys/resource.h>

/* Copies are what a change would cost, were it done to another array each time. */
static void a_change_costs_a_few_words(void **state)
{
	enum { MANY = 20000, LIVE = 1000 };
	static const struct tern_id set = {1, 2};
	(void)state;
	const struct tern_sets_options options = {0};
	struct tern_sets *sets = make_sets(&options);
	for (uint64_t i = 1; i <= MANY; i++)
		assert_int_equal(tern_sets_add(sets, set, make_id(1, 0, i), i), 0);
	/* Each makes it half as large again: the logarithm of 20,000 to base 1.5, and small ones.
	 */
	struct tern_sets_stats most = stats_of(sets);
	assert_true(most.copies <= 26);
	for (uint64_t i = 1; i <= MANY - LIVE; i++)
		assert_int_equal(tern_sets_remove(sets, set, make_id(1, 0, i)), 0);
	struct tern_sets_stats before = stats_of(sets);
	/* Each makes it half as large. */
	assert_in_range(before.copies - most.copies, 4, 5);
	assert_true(most.bytes - before.bytes > (MANY - 4 * LIVE) * sizeof(tern_address));
	for (uint64_t i = MANY - LIVE + 1; i <= MANY; i++) {
		assert_int_equal(tern_sets_remove(sets, set, make_id(1, 0, i)), 0);
		assert_int_equal(tern_sets_add(sets, set, make_id(1, 0, i), i), 0);
	}
	/* The thousandth change of a set of a thousand: one copy for five hundred at least. */
	assert_true(stats_of(sets).copies - before.copies <= 2 * LIVE / 500);
	assert_int_equal(tern_sets_count(sets, set), LIVE);
	tern_sets_destroy(sets);
}

static void expect_unchanged(struct tern_sets *sets, const struct tern_sets_stats *before,
			     struct tern_id absent)
{
	struct tern_sets_stats after = stats_of(sets);
	tern_address found;
	assert_memory_equal(&after, before, sizeof(after));
	assert_int_equal(tern_sets_find(sets, absent, NULL, &found, 1), 0);
	assert_int_equal(tern_sets_count(sets, absent), 0);
}

static void what_is_full_says_so_and_changes_nothing(void **state)
{
	static const struct tern_id first = {1, 0}, second = {2, 0}, third = {3, 0};
	(void)state;
	const struct tern_sets_options options = {.sets_max = 2, .members_max = 3};
	struct tern_sets *sets = make_sets(&options);
	tern_address found[3];
	assert_int_equal(tern_sets_add(sets, first, make_id(1, 0, 1), 1), 0);
	assert_int_equal(tern_sets_add(sets, second, make_id(1, 0, 1), 1), 0);
	struct tern_sets_stats before = stats_of(sets);
	assert_int_equal(tern_sets_add(sets, third, make_id(1, 0, 1), 1), -ENOSPC);
	assert_int_equal(tern_sets_add(sets, third, make_id(1, 0, 2), 2), -ENOSPC);
	assert_int_equal(tern_sets_add(sets, third, make_id(1, 0, 2), 0), -EINVAL);
	expect_unchanged(sets, &before, third);
	assert_int_equal(tern_sets_add(sets, first, make_id(1, 0, 2), 2), 0);
	before = stats_of(sets);
	assert_int_equal(tern_sets_add(sets, first, make_id(1, 0, 3), 3), -ENOSPC);
	assert_int_equal(tern_sets_add(sets, first, make_id(1, 0, 2), 3), -EEXIST);
	expect_unchanged(sets, &before, third);
	assert_int_equal(tern_sets_find(sets, first, NULL, found, 3), 2);
	assert_int_equal(found[1], 2);
	assert_int_equal(tern_sets_remove(sets, second, make_id(1, 0, 1)), 0);
	assert_int_equal(tern_sets_add(sets, third, make_id(1, 0, 3), 3), 0);
	assert_int_equal(tern_sets_find(sets, third, NULL, found, 3), 1);
	assert_int_equal(found[0], 3);
	tern_sets_destroy(sets);
}

/* One that comes and goes in a set of this id, until there is no memory, or `most` times. */
static uint32_t come_and_go(struct tern_sets *sets, struct tern_id set, uint32_t most)
{
	uint32_t count = 0;
	struct tern_id agent = {7, 7};
	for (int code = 0; count < most && code == 0; count += code == 0) {
		code = tern_sets_add(sets, set, agent, 7);
		if (code == 0)
			assert_int_equal(tern_sets_remove(sets, set, agent), 0);
		else
			assert_int_equal(code, -ENOMEM);
	}
	return count;
}

static void emptied_sets_wait_for_readers(void **state)
{
	enum { MOST = 100000 };
	static const struct tern_id set = {1, 1};
	struct rte_rcu_qsbr *quiet;
	(void)state;
	struct tern_sets *sets = sets_read_by_one(&quiet, 100);
	uint32_t count = come_and_go(sets, set, MOST);
	assert_in_range(count, 100, MOST - 1);
	struct tern_sets_stats stuck = stats_of(sets);
	assert_int_equal(stuck.sets + stuck.members + stuck.agents, 0);
	assert_true(stuck.retired_bytes > 0);
	assert_int_equal(tern_sets_add(sets, set, set, 5), -ENOMEM);
	assert_int_equal(stats_of(sets).retired_bytes, stuck.retired_bytes);
	rte_rcu_qsbr_quiescent(quiet, 0);
	assert_int_equal(stats_of(sets).retired_bytes, 0);
	assert_int_equal(come_and_go(sets, set, 100), 100);
	tern_sets_destroy(sets);
	free(quiet);
}

static void copies_wait_for_readers(void **state)
{
	enum { LIVE = 1000, MOST = 1000000 };
	static const struct tern_id set = {1, 1};
	struct rte_rcu_qsbr *quiet;
	(void)state;
	struct tern_sets *sets = sets_read_by_one(&quiet, 100);
	tern_address found[LIVE + 1];
	for (uint64_t i = 1; i <= LIVE; i++)
		assert_int_equal(tern_sets_add(sets, set, make_id(1, 0, i), i), 0);
	uint32_t count = come_and_go(sets, set, MOST);
	assert_in_range(count, LIVE, MOST - 1);
	/* Those who are in it are told still, and still leave. */
	assert_int_equal(tern_sets_find(sets, set, NULL, found, LIVE + 1), LIVE);
	for (uint64_t i = 1; i < LIVE; i++)
		assert_int_equal(tern_sets_remove(sets, set, make_id(1, 0, i)), 0);
	assert_int_equal(tern_sets_find(sets, set, NULL, found, LIVE), 1);
	assert_int_equal(found[0], LIVE);
	assert_true(stats_of(sets).retired_bytes > 1 << 20);
	assert_true(stats_of(sets).retired_bytes < 2 << 20);
	rte_rcu_qsbr_quiescent(quiet, 0);
	assert_int_equal(come_and_go(sets, set, 100), 100);
	assert_true(stats_of(sets).retired_bytes < 1 << 18);
	tern_sets_destroy(sets);
	free(quiet);
}

/* Readers that found the number before may look where it leads. */
static void a_number_waits_for_readers(void **state)
{
	static const struct tern_id first = {1, 1}, second = {2, 2}, third = {3, 3};
	struct rte_rcu_qsbr *quiet;
	(void)state;
	struct tern_sets *sets = sets_read_by_one(&quiet, 100);
	assert_int_equal(tern_sets_add(sets, first, first, 1), 0);
	uint64_t number = tern_table_find(sets->numbers, first);
	assert_int_equal(tern_sets_remove(sets, first, first), 0);
	assert_int_equal(tern_sets_add(sets, second, first, 1), 0);
	assert_int_not_equal(tern_table_find(sets->numbers, second), number);
	rte_rcu_qsbr_quiescent(quiet, 0);
	assert_int_equal(tern_sets_add(sets, third, first, 1), 0);
	assert_int_equal(tern_table_find(sets->numbers, third), number);
	tern_sets_destroy(sets);
	free(quiet);
}

/* No page more of data than there are. */
static struct rlimit starve(void)
{
	struct rlimit limit, narrow;
	assert_int_equal(getrlimit(RLIMIT_DATA, &limit), 0);
	narrow = limit;
	narrow.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_DATA, &narrow), 0);
	return limit;
}

/* Who is the next to come, and where: a new agent or the first one, to a new set or the first. */
static int come(struct tern_sets *sets, uint32_t i, bool new_agent, bool new_set)
{
	return tern_sets_add(sets, make_id(5, 0, new_set ? i : 1), make_id(6, 0, new_agent ? i : 1),
			     i);
}

static void expect_hunger(uint32_t before, bool new_agent, bool new_set)
{
	const struct tern_sets_options options = {.page_bytes_max = 4096};
	struct tern_sets *sets = make_sets(&options);
	uint32_t i = 1;
	int code = 0;
	for (; i <= before; i++)
		assert_int_equal(come(sets, i, true, false), 0);
	struct rlimit limit = starve();
	struct tern_sets_stats fed = stats_of(sets), hungry;
	for (; code == 0 && i < 10000; i += code == 0) {
		fed = stats_of(sets);
		code = come(sets, i, new_agent, new_set);
	}
	hungry = stats_of(sets);
	assert_int_equal(setrlimit(RLIMIT_DATA, &limit), 0);
	assert_int_equal(code, -ENOMEM);
	assert_memory_equal(&hungry, &fed, sizeof(fed));
	assert_int_equal(come(sets, i, new_agent, new_set), 0);
	assert_int_equal(stats_of(sets).members, fed.members + 1);
	tern_sets_destroy(sets);
}

#if TERN_ASAN || TERN_TSAN
static void needs_a_limit(void)
{
	print_message("skipped: a limit would starve the sanitizer first\n");
	skip();
}
#else
static void needs_a_limit(void)
{
}
#endif

static void without_memory_all_is_as_before(void **state)
{
	(void)state;
	needs_a_limit();
	expect_hunger(1, false, true);	/* none for the ids of sets */
	expect_hunger(5, true, false);	/* none for those of agents */
	expect_hunger(340, true, true); /* none for the first membership in a set */
}

static void bad_options_are_refused(void **state)
{
	static const struct {
		struct tern_sets_options options;
		int code;
		const char *says;
	} cases[] = {
		{{.sets_max = TERN_SETS_MAX + 1}, -EINVAL, "16777217 sets; 16777216 at most"},
		{{.members_max = 1u << 28}, -EINVAL, "268435456 memberships; 134217728 at most"},
		{{.agents_expected = 3ull << 57}, -EINVAL, "432345564227567616 agents expected"},
		{{.page_bytes_max = 8192}, -EINVAL, "pages of 8192 bytes; 4096, 2097152, or 0"},
		{{.kernel = "sse9"}, -ENOTSUP, "agent sets: routing table: this CPU has no kernel"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tern_error error = {0};
		struct tern_sets *sets = (void *)&error;
		assert_int_equal(tern_sets_create(&sets, &cases[i].options, &error), cases[i].code);
		assert_non_null(strstr(error.text, cases[i].says));
		assert_ptr_equal(sets, (void *)&error);
		assert_int_equal(tern_sets_create(&sets, &cases[i].options, NULL), cases[i].code);
	}
}

/* The largest that may be asked for is had: it costs address space alone. */
static void limits_are_what_they_say(void **state)
{
	(void)state;
	const struct tern_sets_options options = {.sets_max = TERN_SETS_MAX,
						  .members_max = TERN_SETS_MEMBERS_MAX,
						  .page_bytes_max = 4096};
	struct tern_sets *sets = make_sets(&options);
	assert_int_equal(tern_sets_add(sets, (struct tern_id){0}, (struct tern_id){0}, 1), 0);
	assert_int_equal(tern_sets_count(sets, (struct tern_id){0}), 1);
	assert_true(stats_of(sets).bytes < 20000);
	tern_sets_destroy(sets);
}

/* A growth that has begun goes on with each write; the one after it frees what it left. */
static void end_growth(struct tern_sets *sets)
{
	static const struct tern_id set = {1, 1};
	while (stats_of(sets).growing)
		assert_int_equal(come_and_go(sets, set, 1), 1);
	assert_int_equal(come_and_go(sets, set, 1), 1);
}

static void expect_estimate(uint32_t members, uint32_t each)
{
	uint32_t count = members / each, in = count < 3 ? count : 3;
	uint32_t agents = (members + in - 1) / in;
	const struct tern_sets_options options = {
		.sets_max = count + 1, .members_max = members + 1, .page_bytes_max = 4096};
	struct tern_sets *sets = make_sets(&options);
	for (uint32_t i = 0; i < members; i++)
		assert_int_equal(
			tern_sets_add(sets, make_id(2, 0, i % count), make_id(3, 0, i / in), i + 1),
			0);
	end_growth(sets);
	struct tern_sets_stats stats = stats_of(sets);
	double told = (double)tern_sets_bytes(count, agents, members, false),
	       held = (double)stats.bytes;
	assert_int_equal(stats.sets, count);
	assert_int_equal(stats.agents, agents);
	assert_int_equal(stats.members, members);
	if (held > told * 1.05 || held < told * 0.95)
		fail_msg("%u members, %u in a set: told %.0f, held %.0f", members, each, told,
			 held);
	tern_sets_destroy(sets);
}

static void the_estimate_is_what_it_takes(void **state)
{
	static const uint32_t sizes[] = {10, 33, 100, 1000, 2500, 10000, 31000, 100000};
	(void)state;
	for (uint32_t each = 1; each <= 1000; each *= 10)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			if (each <= sizes[i])
				expect_estimate(sizes[i], each);
	const struct tern_sets_options options = {.page_bytes_max = 4096};
	struct tern_sets *sets = make_sets(&options);
	assert_int_equal(stats_of(sets).bytes, tern_sets_bytes(0, 0, 0, false));
	tern_sets_destroy(sets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_costs_a_few_words),
		cmocka_unit_test(what_is_full_says_so_and_changes_nothing),
		cmocka_unit_test(emptied_sets_wait_for_readers),
		cmocka_unit_test(copies_wait_for_readers),
		cmocka_unit_test(a_number_waits_for_readers),
		cmocka_unit_test(without_memory_all_is_as_before),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(limits_are_what_they_say),
		cmocka_unit_test(the_estimate_is_what_it_takes),
	};
	return cmocka_run_group_tests_name("agent sets: limits", tests, NULL, NULL);
}
