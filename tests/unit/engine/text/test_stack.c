/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a stack taken is of the size asked for or the next class, nobody else's, usable to its
 * last byte and guarded below; put back, it is the next one taken; the counters are right.
 * Method: all sizes; the kernel is asked whether it can read an address; random taking and
 * putting back by two threads that mark what is theirs.
 */
#include "tests/unit/support.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capabilities/memory/poison.h"
#include "engine/text/stack.h"

enum { HELD = 64, STEPS = 4000, THREADS = 2, MANY = 10000 };

/* Whether a byte can be read, found out without touching it. */
static bool readable(const void *address)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	long written = syscall(SYS_write, ends[1], address, 1);
	assert_true(written == 1 || errno == EFAULT);
	close(ends[0]);
	close(ends[1]);
	return written == 1;
}

static void sizes_are_rounded_up_to_a_class(void **state)
{
	struct tern_stacks stacks;
	struct tern_stack stack = {0};
	(void)state;
	tern_stacks_init(&stacks);
	assert_int_equal(tern_stacks_take(&stacks, 0, &stack), -EINVAL);
	assert_int_equal(tern_stacks_take(&stacks, TERN_STACK_SIZE_MAX + 1, &stack), -EINVAL);
	assert_null(stack.base);
	for (size_t size = TERN_STACK_SIZE_MIN; size <= TERN_STACK_SIZE_MAX; size *= 2)
		for (size_t less = 0; less < 2; less++) {
			assert_int_equal(tern_stacks_take(&stacks, size - less, &stack), 0);
			assert_true(stack.size >= size);
			assert_true(stack.size == size || size < (size_t)sysconf(_SC_PAGESIZE));
			memset(stack.base, 0x5A, stack.size);
			tern_stacks_put(&stacks, &stack);
		}
	assert_int_equal(tern_stacks_take(&stacks, 1, &stack), 0);
	assert_true(stack.size >= TERN_STACK_SIZE_MIN);
	assert_int_equal(tern_stacks_fini(&stacks), 1);
}

static void the_guard_cannot_be_touched(void **state)
{
	struct tern_stacks stacks;
	struct tern_stack held[HELD] = {0};
	(void)state;
	tern_stacks_init(&stacks);
	for (size_t i = 0; i < HELD; i++) {
		struct tern_stack *stack = &held[i];
		assert_int_equal(tern_stacks_take(&stacks, TERN_STACK_SIZE_MIN, stack), 0);
		assert_true(readable(stack->base));
		assert_true(readable(stack->base + stack->size - 1));
		assert_false(readable(stack->base - 1));
		assert_false(readable(stack->base - TERN_STACK_GUARD));
		assert_false(tern_stack_guards(stack, stack->base));
		assert_true(tern_stack_guards(stack, stack->base - 1));
		assert_true(tern_stack_guards(stack, stack->base - TERN_STACK_GUARD));
		assert_false(tern_stack_guards(stack, stack->base - TERN_STACK_GUARD - 1));
		assert_true(tern_stack_holds(stack, stack->base));
		assert_true(tern_stack_holds(stack, stack->base + stack->size - 1));
		assert_false(tern_stack_holds(stack, stack->base + stack->size));
		assert_false(tern_stack_holds(stack, stack->base - 1));
	}
	assert_int_equal(tern_stacks_fini(&stacks), HELD);
	assert_false(tern_stack_guards(&(struct tern_stack){0}, NULL));
	assert_false(tern_stack_guards(&(struct tern_stack){0}, &stacks));
	assert_false(tern_stack_holds(&(struct tern_stack){0}, &stacks));
}

static void the_last_one_put_back_is_taken_first(void **state)
{
	struct tern_stacks stacks;
	struct tern_stack held[HELD], again = {0};
	(void)state;
	tern_stacks_init(&stacks);
	for (size_t i = 0; i < HELD; i++)
		assert_int_equal(tern_stacks_take(&stacks, 65536, &held[i]), 0);
	uint64_t mapped = tern_stacks_mapped(&stacks);
	assert_true(mapped >= HELD * (65536 + TERN_STACK_GUARD));
	for (size_t i = 0; i < HELD; i++)
		tern_stacks_put(&stacks, &held[i]);
	assert_int_equal(tern_stacks_used(&stacks), 0);
	for (size_t i = HELD; i-- > 0;) {
		assert_int_equal(tern_stacks_take(&stacks, 65536, &again), 0);
		assert_ptr_equal(again.base, held[i].base);
		memset(again.base, 0xA5, again.size);
	}
	assert_int_equal(tern_stacks_used(&stacks), HELD);
	assert_int_equal(tern_stacks_mapped(&stacks), mapped);
	assert_int_equal(tern_stacks_fini(&stacks), HELD);
	assert_int_equal(tern_stacks_mapped(&stacks), 0);
}

static void ten_thousand_fit(void **state)
{
	struct tern_stacks stacks;
	struct tern_stack *held = calloc(MANY, sizeof(*held));
	(void)state;
	tern_stacks_init(&stacks);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(tern_stacks_take(&stacks, TERN_STACK_SIZE_MIN, &held[i]), 0);
		held[i].base[held[i].size - 1] = 1;
	}
	assert_int_equal(tern_stacks_used(&stacks), MANY);
	for (size_t i = 0; i < MANY; i++)
		tern_stacks_put(&stacks, &held[i]);
	assert_int_equal(tern_stacks_fini(&stacks), 0);
	free(held);
}

struct taker {
	pthread_t thread;
	struct tern_stacks *stacks;
	uint64_t seed;
	uint64_t mark;
	uint64_t wrong;
	struct tern_stack held[HELD];
};

static uint64_t *mark_of(const struct tern_stack *stack)
{
	return (uint64_t *)(void *)(stack->base + stack->size - sizeof(uint64_t));
}

static void taker_step(struct taker *taker, struct tern_rng *rng)
{
	struct tern_stack *stack = &taker->held[pick(rng, HELD)];
	if (stack->base) {
		if (*mark_of(stack) != taker->mark)
			taker->wrong++;
		tern_stacks_put(taker->stacks, stack);
		*stack = (struct tern_stack){0};
		return;
	}
	if (tern_stacks_take(taker->stacks, TERN_STACK_SIZE_MIN << pick(rng, 3), stack) == 0)
		*mark_of(stack) = taker->mark;
	else
		taker->wrong++;
}

static void *taker_run(void *argument)
{
	struct taker *taker = argument;
	struct tern_rng rng = {.state = taker->seed};
	for (int i = 0; i < STEPS; i++)
		taker_step(taker, &rng);
	for (int i = 0; i < HELD; i++)
		if (taker->held[i].base)
			tern_stacks_put(taker->stacks, &taker->held[i]);
	return NULL;
}

static void threads_share_a_pool(void **state)
{
	struct tern_stacks stacks;
	struct taker takers[THREADS] = {0};
	uint64_t seed = test_seed(1);
	(void)state;
	tern_stacks_init(&stacks);
	for (uint64_t i = 0; i < THREADS; i++) {
		takers[i] = (struct taker){.stacks = &stacks, .seed = seed + i, .mark = i + 1};
		assert_int_equal(pthread_create(&takers[i].thread, NULL, taker_run, &takers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(takers[i].thread, NULL);
		assert_int_equal(takers[i].wrong, 0);
	}
	assert_int_equal(tern_stacks_used(&stacks), 0);
	assert_int_equal(tern_stacks_fini(&stacks), 0);
}

#if TERN_ASAN
static void needs_poison(void)
{
}

static bool poisoned(const void *address)
{
	return __asan_address_is_poisoned(address);
}
#else
static void needs_poison(void)
{
	print_message("only AddressSanitizer poisons memory\n");
	skip();
}

static bool poisoned(const void *address)
{
	(void)address;
	return false;
}
#endif

static void a_free_stack_is_poisoned(void **state)
{
	struct tern_stacks stacks;
	struct tern_stack stack = {0}, again = {0};
	(void)state;
	needs_poison();
	tern_stacks_init(&stacks);
	assert_int_equal(tern_stacks_take(&stacks, 32768, &stack), 0);
	tern_stacks_put(&stacks, &stack);
	assert_true(poisoned(stack.base));
	assert_true(poisoned(stack.base + stack.size / 2));
	assert_int_equal(tern_stacks_take(&stacks, 32768, &again), 0);
	assert_ptr_equal(again.base, stack.base);
	assert_false(poisoned(again.base));
	assert_int_equal(tern_stacks_fini(&stacks), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_rounded_up_to_a_class),
		cmocka_unit_test(the_guard_cannot_be_touched),
		cmocka_unit_test(the_last_one_put_back_is_taken_first),
		cmocka_unit_test(ten_thousand_fit),
		cmocka_unit_test(threads_share_a_pool),
		cmocka_unit_test(a_free_stack_is_poisoned),
	};
	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
