/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: ends that were told are found by agent and in the order told, whatever was taken out
 * before, in a few steps however many there are. Method: random additions and removals beside a
 * plain list, with few agents (many notes of each) and with many; the depth of the tree among
 * 60,000.
 */
#include "tests/unit/support.h"

#include "engine/queue/ends.h"

enum { NOTES = 400, MANY = 60000, SAME = 200000 };

struct told {
	struct tern_end_note *notes[NOTES];
	uint32_t count;
};

static struct tern_end_note *oldest_of(const struct told *told, tern_address agent)
{
	for (uint32_t i = 0; i < told->count; i++)
		if (agent == TERN_ADDRESS_NONE || told->notes[i]->ended.agent == agent)
			return told->notes[i];
	return NULL;
}

static void take_out(struct told *told, const struct tern_end_note *note)
{
	uint32_t i = 0;
	while (told->notes[i] != note)
		i++;
	memmove(told->notes + i, told->notes + i + 1, (--told->count - i) * sizeof(note));
}

static void check_order(const struct tern_ends *ends, const struct told *told)
{
	const struct tern_end_note *before = NULL, *note = ends->first;
	for (uint32_t i = 0; i < told->count; i++, before = note, note = note->next) {
		assert_ptr_equal(note, told->notes[i]);
		assert_ptr_equal(note->previous, before);
	}
	assert_null(note);
	assert_ptr_equal(ends->last, before);
}

static uint32_t count_below(const struct tern_end_note *node, struct tern_end_note *const *place)
{
	uint32_t count = 0;
	if (!node)
		return 0;
	assert_ptr_equal(node->place, place);
	for (const struct tern_end_note *same = node; same; same = same->same) {
		assert_int_equal(same->ended.agent, node->ended.agent);
		assert_true(same->same || node->same_last == same);
		count++;
	}
	for (int i = 0; i < TERN_ENDS_BRANCHES; i++)
		count += count_below(node->branches[i], &node->branches[i]);
	return count;
}

static void agrees_with_a_list(uint32_t agents, uint32_t steps, struct tern_rng *rng)
{
	struct tern_ends ends = {0};
	struct told told = {.count = 0};
	struct tern_end_note *free_notes[NOTES], *memory = calloc(NOTES, sizeof(*memory));
	uint32_t free_count = NOTES;
	for (uint32_t i = 0; i < NOTES; i++)
		free_notes[i] = &memory[i];
	for (uint32_t step = 0; step < steps; step++) {
		/* Slots with one generation, and one slot with many. */
		uint32_t who = pick(rng, agents) + 1;
		tern_address agent =
			step % 2 ? tern_address_make(0, who, 1) : tern_address_make(0, 7, who);
		if (pick(rng, 100) < (step / 1000 % 2 ? 35u : 65u) && free_count) {
			struct tern_end_note *note = free_notes[--free_count];
			memset(note, 0xEE, sizeof(*note));
			note->ended.agent = agent;
			tern_ends_add(&ends, note);
			told.notes[told.count++] = note;
		} else {
			agent = pick(rng, 4) ? agent : TERN_ADDRESS_NONE;
			struct tern_end_note *note = tern_ends_find(&ends, agent);
			assert_ptr_equal(note, oldest_of(&told, agent));
			if (!note)
				continue;
			tern_ends_remove(&ends, note);
			take_out(&told, note);
			memset(note, 0xEE, sizeof(*note));
			free_notes[free_count++] = note;
		}
		assert_int_equal(count_below(ends.root, &ends.root), told.count);
		if (step % 16 == 0)
			check_order(&ends, &told);
	}
	free(memory);
}

static void ends_agree_with_a_list(void **state)
{
	struct tern_rng rng = {.state = test_seed(4)};
	(void)state;
	agrees_with_a_list(3, 5000, &rng);
	agrees_with_a_list(40, 5000, &rng);
	agrees_with_a_list(100000, 5000, &rng);
}

static uint32_t depth_of(const struct tern_ends *ends, const struct tern_end_note *note)
{
	uint32_t depth = 0;
	while (note->place != &ends->root) {
		size_t offset = offsetof(struct tern_end_note, branches);
		const char *place = (const char *)note->place;
		/* The branch lies in the note above: step back to its begin, whichever branch it
		 * is. */
		const struct tern_end_note *above = NULL;
		for (size_t i = 0; i < TERN_ENDS_BRANCHES && !above; i++) {
			const struct tern_end_note *maybe =
				(const void *)(place - offset - i * sizeof(void *));
			if (((uintptr_t)maybe - (uintptr_t)note->iso) % sizeof(*note) == 0)
				above = maybe;
		}
		note = above;
		depth++;
	}
	return depth;
}

static void sixty_thousand_are_a_few_steps_deep(void **state)
{
	struct tern_ends ends = {0};
	struct tern_end_note *notes = calloc(MANY, sizeof(*notes));
	uint64_t steps = 0;
	uint32_t deepest = 0;
	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		notes[i].iso = (tern_iso *)(void *)notes; /* where they all lie, for depth_of() */
		notes[i].ended.agent = tern_address_make(0, 6 + i, 1 + i % 3);
		tern_ends_add(&ends, &notes[i]);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t depth = depth_of(&ends, &notes[i]);
		steps += depth;
		deepest = depth > deepest ? depth : deepest;
	}
	assert_in_range(steps / MANY, 5, 12);
	assert_true(deepest <= 24);
	for (uint32_t i = MANY; i--;) {
		assert_ptr_equal(tern_ends_find(&ends, notes[i].ended.agent), &notes[i]);
		tern_ends_remove(&ends, &notes[i]);
	}
	assert_null(ends.first);
	assert_null(ends.root);
	free(notes);
}

/* A walk along those before it for each would take minutes. */
static void many_notes_of_one_agent(void **state)
{
	struct tern_ends ends = {0};
	struct tern_end_note *notes = calloc(SAME, sizeof(*notes));
	(void)state;
	for (uint32_t i = 0; i < SAME; i++) {
		notes[i].ended.agent = 77;
		tern_ends_add(&ends, &notes[i]);
	}
	for (uint32_t i = 0; i < SAME; i++) {
		assert_ptr_equal(tern_ends_find(&ends, i % 2 ? 77 : TERN_ADDRESS_NONE), &notes[i]);
		tern_ends_remove(&ends, &notes[i]);
	}
	assert_null(ends.root);
	free(notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_agree_with_a_list),
		cmocka_unit_test(sixty_thousand_are_a_few_steps_deep),
		cmocka_unit_test(many_notes_of_one_agent),
	};
	return cmocka_run_group_tests_name("ends", tests, NULL, NULL);
}
