/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a run queue hands each entry to one taker, oldest first, and holds 256, no more, no less.
 * Method: the rules one by one; random steps of an owner and of thieves that hold old tickets
 * beside a pair of positions; an owner and two thieves on threads of their own.
 */
#include <pthread.h>

#include "tests/unit/support.h"

#include "engine/queue/run_ring.h"

#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* What lies at a position is derived from the position. */
static uint64_t entry_at(uint64_t position)
{
	return tern_run_entry((uint32_t)position, ~(uint32_t)position);
}

static void test_entry(void **state)
{
	uint64_t entry = tern_run_entry(0x89ABCDEF, 0xFEDCBA98);
	(void)state;
	assert_int_equal(tern_run_entry_slot(entry), 0x89ABCDEF);
	assert_int_equal(tern_run_entry_stamp(entry), 0xFEDCBA98);
}

static void test_bound(void **state)
{
	struct tern_run_ring ring;
	uint64_t entry;
	(void)state;
	tern_run_ring_init(&ring);
	for (uint64_t i = 0; i < TERN_RUN_RING_SIZE; i++) {
		assert_int_equal(tern_run_ring_count(&ring), i);
		assert_true(tern_run_ring_push(&ring, entry_at(i)));
	}
	assert_false(tern_run_ring_push(&ring, 0));
	assert_int_equal(tern_run_ring_count(&ring), TERN_RUN_RING_SIZE);
	for (uint64_t i = 0; i < 3 * TERN_RUN_RING_SIZE; i++) {
		assert_true(tern_run_ring_pop(&ring, &entry));
		assert_int_equal(entry, entry_at(i));
		assert_true(tern_run_ring_push(&ring, entry_at(i + TERN_RUN_RING_SIZE)));
		assert_false(tern_run_ring_push(&ring, 0));
	}
}

static void test_empty(void **state)
{
	struct tern_run_ring ring;
	uint64_t ticket = 17, entry = 18;
	(void)state;
	tern_run_ring_init(&ring);
	for (uint64_t i = 0; i < 2 * TERN_RUN_RING_SIZE; i++) {
		assert_int_equal(tern_run_ring_count(&ring), 0);
		assert_false(tern_run_ring_peek(&ring, &ticket, &entry));
		assert_false(tern_run_ring_pop(&ring, &entry));
		assert_int_equal(ticket, 17);
		assert_int_equal(entry, 18);
		assert_true(tern_run_ring_push(&ring, i));
		assert_true(tern_run_ring_pop(&ring, &(uint64_t){0}));
	}
}

static void test_ticket(void **state)
{
	struct tern_run_ring ring;
	uint64_t first = 0, second = 0, entry = 0;
	(void)state;
	tern_run_ring_init(&ring);
	assert_true(tern_run_ring_push(&ring, 5));
	assert_true(tern_run_ring_push(&ring, 6));
	assert_true(tern_run_ring_peek(&ring, &first, &entry));
	assert_int_equal(entry, 5);
	assert_true(tern_run_ring_peek(&ring, &second, &entry));
	assert_int_equal(entry, 5);
	assert_int_equal(tern_run_ring_count(&ring), 2);
	assert_true(tern_run_ring_take(&ring, second));
	assert_false(tern_run_ring_take(&ring, first));
	assert_true(tern_run_ring_peek(&ring, &second, &entry));
	assert_int_equal(entry, 6);
	assert_true(tern_run_ring_pop(&ring, &entry));
	assert_int_equal(entry, 6);
	assert_false(tern_run_ring_take(&ring, second));
	/* The place is filled again, a lap later: an old ticket still takes nothing. */
	for (uint64_t i = 0; i < TERN_RUN_RING_SIZE; i++)
		assert_true(tern_run_ring_push(&ring, i));
	assert_false(tern_run_ring_take(&ring, first));
	assert_int_equal(tern_run_ring_count(&ring), TERN_RUN_RING_SIZE);
}

#define TICKETS 3

/* The ring as it should be: positions below `pushed` went in, below `taken` out. */
struct model {
	struct tern_run_ring ring;
	uint64_t pushed, taken;
	uint64_t tickets[TICKETS];
	bool looked[TICKETS];
};

static void step_push(struct model *model)
{
	bool room = model->pushed - model->taken < TERN_RUN_RING_SIZE;
	assert_int_equal(tern_run_ring_push(&model->ring, entry_at(model->pushed)), room);
	model->pushed += room;
}

static void step_pop(struct model *model)
{
	uint64_t entry = 0;
	bool any = model->taken < model->pushed;
	assert_int_equal(tern_run_ring_pop(&model->ring, &entry), any);
	assert_true(!any || entry == entry_at(model->taken));
	model->taken += any;
}

static void step_peek(struct model *model, uint32_t thief)
{
	uint64_t entry = 0;
	bool any = model->taken < model->pushed;
	assert_int_equal(tern_run_ring_peek(&model->ring, &model->tickets[thief], &entry), any);
	assert_true(!any || entry == entry_at(model->taken));
	assert_true(!any || model->tickets[thief] == model->taken);
	model->looked[thief] |= any;
}

static void step_take(struct model *model, uint32_t thief)
{
	bool mine = model->tickets[thief] == model->taken;
	if (!model->looked[thief])
		return;
	model->looked[thief] = false;
	assert_int_equal(tern_run_ring_take(&model->ring, model->tickets[thief]), mine);
	model->taken += mine;
}

static void test_random_steps(void **state)
{
	struct tern_rng rng = {.state = test_seed(51)};
	struct model model = {.pushed = 0};
	uint64_t full = 0, empty = 0;
	(void)state;
	tern_run_ring_init(&model.ring);
	for (uint32_t i = 0; i < 400000; i++) {
		/* now filling, now emptying, so that both ends are met */
		uint32_t pushes = i / 2000 % 2 ? 2 : 15, choice = pick(&rng, 20);
		uint32_t thief = pick(&rng, TICKETS);
		if (choice < pushes)
			step_push(&model);
		else if (choice % 3 == 0)
			step_pop(&model);
		else if (choice % 3 == 1)
			step_peek(&model, thief);
		else
			step_take(&model, thief);
		uint64_t count = model.pushed - model.taken;
		assert_int_equal(tern_run_ring_count(&model.ring), count);
		full += count == TERN_RUN_RING_SIZE;
		empty += count == 0;
	}
	assert_true(full > 0 && empty > 0);
}

enum { THIEVES = 2, STRESS = SANITIZED ? 200000 : 2000000 };

/* What owner and thieves share. */
struct stress {
	struct tern_run_ring ring;
	unsigned char *times; /* each position was taken */
	uint32_t over;
};

/* One of them, and what it found. */
struct taker {
	struct stress *stress;
	struct tern_rng rng;
	uint64_t next; /* lowest position that may come */
	uint64_t taken, lost, wrong;
};

static void take_down(struct taker *taker, uint64_t entry)
{
	uint64_t position = tern_run_entry_slot(entry);
	taker->taken++;
	if (position < taker->next || position >= STRESS || entry != entry_at(position)) {
		taker->wrong++;
		return;
	}
	taker->next = position + 1;
	__atomic_fetch_add(&taker->stress->times[position], 1, __ATOMIC_RELAXED);
}

/* Take one by either way. False: the ring was empty. */
static bool take_one(struct taker *taker)
{
	struct tern_run_ring *ring = &taker->stress->ring;
	uint64_t ticket = 0, entry = 0;
	if (pick(&taker->rng, 4) == 0) {
		if (!tern_run_ring_pop(ring, &entry))
			return false;
		take_down(taker, entry);
		return true;
	}
	if (!tern_run_ring_peek(ring, &ticket, &entry))
		return false;
	if (pick(&taker->rng, 64) == 0)
		sched_yield(); /* an old ticket */
	if (!tern_run_ring_take(ring, ticket)) {
		taker->lost++;
		return true;
	}
	take_down(taker, entry);
	taker->wrong += entry != entry_at(ticket);
	return true;
}

static void *steal(void *argument)
{
	struct taker *taker = argument;
	for (;;) {
		bool over = seen(&taker->stress->over);
		if (take_one(taker))
			continue;
		if (over)
			return NULL;
		sched_yield();
	}
}

static void own(struct taker *owner)
{
	for (uint64_t i = 0; i < STRESS; i++) {
		while (!tern_run_ring_push(&owner->stress->ring, entry_at(i)))
			if (pick(&owner->rng, 2))
				take_one(owner);
			else
				sched_yield();
		if (pick(&owner->rng, 4) == 0)
			take_one(owner);
	}
	put(&owner->stress->over, 1);
}

static void test_owner_and_thieves(void **state)
{
	uint64_t seed = test_seed(52);
	struct stress *stress =
		aligned_alloc(TERN_LINE, sizeof(*stress) + TERN_LINE - sizeof(*stress) % TERN_LINE);
	struct taker takers[THIEVES + 1];
	pthread_t threads[THIEVES];
	uint64_t taken = 0;
	(void)state;
	assert_non_null(stress);
	tern_run_ring_init(&stress->ring);
	stress->over = 0;
	stress->times = calloc(STRESS, 1);
	assert_non_null(stress->times);
	for (uint32_t i = 0; i <= THIEVES; i++)
		takers[i] = (struct taker){.stress = stress, .rng = tern_rng_stream(seed, i)};
	for (uint32_t i = 0; i < THIEVES; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, steal, &takers[i]), 0);
	own(&takers[THIEVES]);
	for (uint32_t i = 0; i < THIEVES; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i <= THIEVES; i++) {
		print_message("took %" PRIu64 ", came late %" PRIu64 "\n", takers[i].taken,
			      takers[i].lost);
		assert_int_equal(takers[i].wrong, 0);
		taken += takers[i].taken;
	}
	assert_int_equal(taken, STRESS);
	for (uint64_t i = 0; i < STRESS; i++)
		assert_int_equal(stress->times[i], 1);
	free(stress->times);
	free(stress);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry),	     cmocka_unit_test(test_bound),
		cmocka_unit_test(test_empty),	     cmocka_unit_test(test_ticket),
		cmocka_unit_test(test_random_steps), cmocka_unit_test(test_owner_and_thieves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
