/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: frames are found by position until they are acknowledged; those asked for leave again once,
 * lowest first. Method: examples on a window of 8, round it several times.
 */
#include "tests/unit/dataplane/peer/pieces.h"

#include "dataplane/peer/sent.h"

static struct tern_sent_frame memory[8];
static char frames[64];

static struct rte_mbuf *frame(uint64_t position)
{
	return (struct rte_mbuf *)(void *)&frames[position];
}

static void send_some(struct tern_sent *sent, uint32_t count, uint64_t now_ns)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t position = tern_sent_push(sent, frame(sent->next), 1);
		tern_sent_note(sent, position, now_ns);
	}
}

static void test_round_the_ring(void **state)
{
	struct tern_sent sent;
	(void)state;
	tern_sent_init(&sent, memory, 8);
	for (uint64_t position = 1; position <= 40; position++) {
		send_some(&sent, 1, position);
		assert_true(tern_sent_is_under_way(&sent));
		if (position <= 7)
			continue;
		struct tern_sent_frame popped = tern_sent_pop(&sent);
		assert_ptr_equal(popped.mbuf, frame(position - 7));
		assert_int_equal(popped.first_ns, position - 7);
		assert_int_equal(popped.times, 1);
		assert_int_equal(tern_sent_kept(&sent), 7);
	}
}

static void test_lost_ones_leave_again_once(void **state)
{
	struct tern_sent sent;
	(void)state;
	tern_sent_init(&sent, memory, 8);
	send_some(&sent, 6, 100);
	tern_sent_push(&sent, frame(7), 1); /* has not left: nobody can miss it */
	tern_sent_lose(&sent, 5, 100, 110, 50);
	tern_sent_lose(&sent, 0, 3, 110, 50);
	assert_int_equal(sent.lost, 4);
	static const uint64_t wanted[] = {1, 2, 5, 6};
	for (int i = 0; i < 4; i++) {
		assert_int_equal(tern_sent_lost(&sent), wanted[i]);
		tern_sent_note(&sent, wanted[i], 120);
	}
	assert_int_equal(tern_sent_lost(&sent), 0);
	assert_int_equal(tern_sent_at(&sent, 5)->first_ns, 100);
	assert_int_equal(tern_sent_at(&sent, 5)->last_ns, 120);
	/* Asked for again sooner than an answer takes: no. */
	tern_sent_lose(&sent, 5, 6, 169, 50);
	assert_int_equal(tern_sent_lost(&sent), 0);
	tern_sent_lose(&sent, 5, 6, 170, 50);
	assert_int_equal(tern_sent_lost(&sent), 5);
	for (int i = 0; i < 5; i++)
		(void)tern_sent_pop(&sent);
	assert_int_equal(tern_sent_lost(&sent), 0);
	assert_int_equal(sent.acked, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_the_ring),
		cmocka_unit_test(test_lost_ones_leave_again_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
