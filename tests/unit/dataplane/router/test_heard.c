/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a change that was not heard, or not kept, always counts as lacking; one that was heard does
 * not, as long as there are few gaps; nothing goes wrong at the largest versions.
 * Method: random changes beside a plain array of versions, over seeds; then the edges. The seed is
 * printed at a failure; the first argument gives the number of seeds, the second the first one.
 */
#include "tests/unit/support.h"

#include "dataplane/router/heard.h"
#include "tern_update.h"

enum { VERSIONS = 120, STEPS = 60 };

static uint64_t seeds = 2000, first_seed = 1;

static uint64_t lacking_in(const bool *known, uint64_t version)
{
	uint64_t lacking = 0;
	for (uint64_t i = 1; i <= version; i++)
		lacking += !known[i];
	return lacking;
}

static bool is_sound(const struct tern_heard *heard, const bool *known, bool exact)
{
	for (uint64_t i = 0; i <= VERSIONS; i++) {
		uint64_t said = tern_heard_lacking(heard, i), is = lacking_in(known, i);
		if (said < is || (exact && said != is))
			return false;
	}
	for (uint64_t i = 1; i <= tern_heard_complete(heard); i++)
		if (!known[i])
			return false;
	return heard->gap_count <= TERN_HEARD_GAPS;
}

static void change(struct tern_heard *heard, bool *known, struct tern_rng *rng)
{
	uint64_t version = 1 + pick(rng, VERSIONS), first = 1 + pick(rng, (uint32_t)version);
	uint32_t what = pick(rng, 8);
	if (pick(rng, 2))
		first = version;
	for (uint64_t i = first; i < version; i++)
		known[i] = true;
	known[version] = what != 0;
	if (what == 0)
		tern_heard_miss(heard, first, version);
	else
		tern_heard_note(heard, first, version);
}

static void no_loss_is_hidden(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		struct tern_rng rng = tern_rng_stream(seed, 0);
		struct tern_heard heard = {0};
		bool known[VERSIONS + 1] = {false}, exact = true;
		for (int i = 0; i < STEPS; i++) {
			change(&heard, known, &rng);
			exact &= heard.gap_count < TERN_HEARD_GAPS;
			if (!is_sound(&heard, known, exact))
				fail_msg("seed %" PRIu64 ": wrong at step %d", seed, i);
		}
		tern_heard_settle(&heard, VERSIONS);
		assert_int_equal(tern_heard_lacking(&heard, VERSIONS), 0);
		assert_int_equal(tern_heard_complete(&heard), VERSIONS);
	}
}

static void the_first_one_heard_is_a_beginning(void **state)
{
	(void)state;
	struct tern_heard heard = {0};
	tern_heard_note(&heard, 0, 100);
	assert_int_equal(tern_heard_lacking(&heard, 100), 0);
	tern_heard_note(&heard, 0, 103);
	assert_int_equal(tern_heard_lacking(&heard, 103), 2);
	assert_int_equal(tern_heard_complete(&heard), 100);
	struct tern_heard refused = {0};
	tern_heard_miss(&refused, 0, 100);
	assert_int_equal(tern_heard_lacking(&refused, 100), 1);
	assert_int_equal(tern_heard_complete(&refused), 99);
}

/* A version that no node counts to hides no loss below it. */
static void the_largest_version_hides_nothing(void **state)
{
	(void)state;
	struct tern_heard heard = {0};
	tern_heard_note(&heard, 1, 5);
	tern_heard_note(&heard, 0, TERN_VERSION_MAX);
	tern_heard_note(&heard, 0, 6);
	assert_int_equal(tern_heard_lacking(&heard, 6), 0);
	assert_int_equal(tern_heard_lacking(&heard, 8), 2);
	assert_int_equal(tern_heard_complete(&heard), 6);
	assert_int_equal(tern_heard_lacking(&heard, UINT64_MAX),
			 UINT64_MAX - TERN_VERSION_MAX + TERN_VERSION_MAX - 1 - 6);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_loss_is_hidden),
		cmocka_unit_test(the_first_one_heard_is_a_beginning),
		cmocka_unit_test(the_largest_version_hides_nothing),
	};
	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests_name("heard", tests, NULL, NULL);
}
