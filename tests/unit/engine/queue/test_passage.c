/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a note is passed when every lane's reader has passed what was in it, and not a slot
 * before, wherever positions and numbers wrap; lanes not made yet, and those nobody reads, hold up
 * nothing.
 * Method: lanes of which only the positions count; the rules one by one, then random sends, reads
 * and looks beside a model that remembers the positions of each wish.
 */
#include "tests/unit/support.h"

#include "engine/queue/passage.h"

enum { ROUTES = 6, STEPS = 20000, WISHES = 64 };

struct lanes {
	struct tern_lane memory[ROUTES];
	struct tern_lane_out out[ROUTES];
	uint32_t positions[ROUTES];
	struct tern_passage passage;
	uint32_t deserted; /* bit per route that nobody reads */
};

static bool is_deserted(const void *owner, uint32_t route)
{
	const struct lanes *lanes = owner;
	return lanes->deserted >> route & 1;
}

/* Lanes that have all carried as much as `position` says; `made`: bit per route. */
static void open_lanes(struct lanes *lanes, uint32_t position, uint32_t made)
{
	memset(lanes, 0, sizeof(*lanes));
	lanes->passage.positions = lanes->positions;
	for (uint32_t i = 0; i < ROUTES; i++) {
		if (!(made >> i & 1))
			continue;
		lanes->out[i].lane = &lanes->memory[i];
		lanes->out[i].tail = lanes->memory[i].head = position;
	}
}

static void look(struct lanes *lanes)
{
	tern_passage_look(&lanes->passage, lanes->out, ROUTES, is_deserted, lanes);
}

static void read_all(struct lanes *lanes, uint32_t route)
{
	put(&lanes->memory[route].head, lanes->out[route].tail);
}

static void a_note_is_over_when_all_have_read_it(void **state)
{
	struct lanes lanes;
	(void)state;
	open_lanes(&lanes, 10, 0x3F);
	lanes.out[1].tail += 3;
	lanes.out[4].tail += 1;
	uint64_t note = tern_passage_want(&lanes.passage);
	assert_false(tern_passage_is_over(&lanes.passage, note));
	look(&lanes);
	assert_false(tern_passage_is_over(&lanes.passage, note));
	lanes.memory[1].head += 2;
	read_all(&lanes, 4);
	look(&lanes);
	assert_false(tern_passage_is_over(&lanes.passage, note));
	lanes.memory[1].head += 1;
	assert_false(tern_passage_is_over(&lanes.passage, note));
	look(&lanes);
	assert_true(tern_passage_is_over(&lanes.passage, note));
}

static void nothing_sent_is_over_at_the_next_look(void **state)
{
	struct lanes lanes;
	(void)state;
	open_lanes(&lanes, 0, 0);
	assert_true(tern_passage_is_over(&lanes.passage, 0));
	uint64_t note = tern_passage_want(&lanes.passage);
	assert_false(tern_passage_is_over(&lanes.passage, note));
	look(&lanes);
	assert_true(tern_passage_is_over(&lanes.passage, note));
	assert_false(lanes.passage.open);
}

static void what_came_after_a_note_does_not_hold_it_up(void **state)
{
	struct lanes lanes;
	(void)state;
	open_lanes(&lanes, 0, 1);
	lanes.out[0].tail = 5;
	uint64_t note = tern_passage_want(&lanes.passage);
	look(&lanes);
	lanes.out[0].tail = 50;
	put(&lanes.memory[0].head, 5);
	look(&lanes);
	assert_true(tern_passage_is_over(&lanes.passage, note));
}

/* What is wanted while a note is open was sent after it: it needs the next. */
static void a_wish_during_an_open_note_gets_the_next(void **state)
{
	struct lanes lanes;
	(void)state;
	open_lanes(&lanes, 0, 1);
	lanes.out[0].tail = 1;
	uint64_t first = tern_passage_want(&lanes.passage);
	look(&lanes);
	lanes.out[0].tail = 2;
	uint64_t second = tern_passage_want(&lanes.passage);
	assert_true(second > first);
	assert_int_equal(tern_passage_want(&lanes.passage), second);
	put(&lanes.memory[0].head, 1);
	look(&lanes);
	assert_true(tern_passage_is_over(&lanes.passage, first));
	assert_false(tern_passage_is_over(&lanes.passage, second));
	look(&lanes);
	assert_false(tern_passage_is_over(&lanes.passage, second));
	read_all(&lanes, 0);
	look(&lanes);
	assert_true(tern_passage_is_over(&lanes.passage, second));
}

static void a_lane_made_during_a_note_does_not_hold_it_up(void **state)
{
	struct lanes lanes;
	(void)state;
	open_lanes(&lanes, 7, 1);
	lanes.out[0].tail++;
	uint64_t note = tern_passage_want(&lanes.passage);
	look(&lanes);
	lanes.out[3].lane = &lanes.memory[3];
	lanes.out[3].tail = 9;
	read_all(&lanes, 0);
	look(&lanes);
	assert_true(tern_passage_is_over(&lanes.passage, note));
}

static void lanes_that_nobody_reads_hold_up_nothing(void **state)
{
	struct lanes lanes;
	(void)state;
	open_lanes(&lanes, 0, 0x3F);
	lanes.out[2].tail = 4;
	lanes.out[3].tail = 4;
	uint64_t note = tern_passage_want(&lanes.passage);
	look(&lanes);
	lanes.deserted = 1u << 2;
	look(&lanes);
	assert_false(tern_passage_is_over(&lanes.passage, note));
	read_all(&lanes, 3);
	look(&lanes);
	assert_true(tern_passage_is_over(&lanes.passage, note));
}

static void positions_wrap(void **state)
{
	struct lanes lanes;
	(void)state;
	for (uint32_t before = 0; before < 8; before++) {
		open_lanes(&lanes, 0u - before, 0x3F);
		lanes.out[5].tail += 6;
		uint64_t note = tern_passage_want(&lanes.passage);
		for (int read = 0; read < 6; read++) {
			look(&lanes);
			assert_false(tern_passage_is_over(&lanes.passage, note));
			lanes.memory[5].head++;
		}
		look(&lanes);
		assert_true(tern_passage_is_over(&lanes.passage, note));
	}
}

/* Numbers are of 64 bits: those beyond what 32 hold are no different. */
static void numbers_pass_32_bits(void **state)
{
	struct lanes lanes;
	(void)state;
	open_lanes(&lanes, 0, 1);
	lanes.passage.noted = lanes.passage.wanted = lanes.passage.passed = UINT32_MAX - 2ull;
	for (uint32_t i = 0; i < 6; i++) {
		lanes.out[0].tail++;
		uint64_t note = tern_passage_want(&lanes.passage);
		assert_true(tern_passage_is_over(&lanes.passage, note - 1));
		look(&lanes);
		assert_false(tern_passage_is_over(&lanes.passage, note));
		read_all(&lanes, 0);
		look(&lanes);
		assert_true(tern_passage_is_over(&lanes.passage, note));
	}
	assert_true(lanes.passage.passed > UINT32_MAX);
}

/* A wish, and how far each reader has to be for it. */
struct wish {
	uint64_t note;
	uint32_t tails[ROUTES];
};

static bool is_read(const struct lanes *lanes, const struct wish *wish)
{
	for (uint32_t i = 0; i < ROUTES; i++)
		if (lanes->out[i].lane && (int32_t)(lanes->memory[i].head - wish->tails[i]) < 0)
			return false;
	return true;
}

static void step(struct lanes *lanes, struct tern_rng *rng)
{
	uint32_t route = pick(rng, ROUTES);
	struct tern_lane_out *out = &lanes->out[route];
	if (!out->lane) {
		if (pick(rng, 50) == 0)
			*out = (struct tern_lane_out){.lane = &lanes->memory[route],
						      .tail = lanes->memory[route].head};
	} else if (pick(rng, 2)) {
		out->tail += pick(rng, 5);
	} else {
		uint32_t left = out->tail - lanes->memory[route].head;
		lanes->memory[route].head += pick(rng, left + 1);
	}
}

/* Never too early; and once all is read, two looks later at the latest. */
static void random_steps_agree_with_the_model(void **state)
{
	struct tern_rng rng = {.state = test_seed(1)};
	struct lanes lanes;
	struct wish wishes[WISHES];
	uint32_t count = 0, over = 0;
	(void)state;
	open_lanes(&lanes, 0u - pick(&rng, 40000), 0);
	for (uint32_t i = 0; i < ROUTES; i++)
		lanes.memory[i].head = lanes.out[i].tail = 0u - pick(&rng, 40000);
	for (int i = 0; i < STEPS; i++) {
		step(&lanes, &rng);
		if (pick(&rng, 8) == 0) {
			struct wish *wish = &wishes[count++ % WISHES];
			wish->note = tern_passage_want(&lanes.passage);
			for (uint32_t route = 0; route < ROUTES; route++)
				wish->tails[route] = lanes.out[route].tail;
		}
		if (pick(&rng, 3) == 0)
			look(&lanes);
		for (uint32_t w = 0; w < count && w < WISHES; w++)
			if (tern_passage_is_over(&lanes.passage, wishes[w].note)) {
				assert_true(is_read(&lanes, &wishes[w]));
				over++;
			}
	}
	for (uint32_t route = 0; route < ROUTES; route++)
		read_all(&lanes, route);
	look(&lanes);
	look(&lanes);
	for (uint32_t w = 0; w < count && w < WISHES; w++)
		assert_true(tern_passage_is_over(&lanes.passage, wishes[w].note));
	assert_true(over > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_note_is_over_when_all_have_read_it),
		cmocka_unit_test(nothing_sent_is_over_at_the_next_look),
		cmocka_unit_test(what_came_after_a_note_does_not_hold_it_up),
		cmocka_unit_test(a_wish_during_an_open_note_gets_the_next),
		cmocka_unit_test(a_lane_made_during_a_note_does_not_hold_it_up),
		cmocka_unit_test(lanes_that_nobody_reads_hold_up_nothing),
		cmocka_unit_test(positions_wrap),
		cmocka_unit_test(numbers_pass_32_bits),
		cmocka_unit_test(random_steps_agree_with_the_model),
	};
	return cmocka_run_group_tests_name("passage", tests, NULL, NULL);
}
