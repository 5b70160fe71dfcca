/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an outlet hands on each frame once and in order, whatever part of a burst its port takes;
 * data leaves places to control; what no port takes is freed, or stays the caller's.
 * Method: a port of the test's own that takes as much as it is told.
 */
#include "tests/unit/support.h"

#include "dataplane/port/port.h"
#include "tests/unit/dataplane/mbufs.h"

enum { FRAMES = 2048 };

static struct rte_mempool *pool;

/* Takes `budget` frames in all, and no more than `burst` a call. */
struct narrow_port {
	struct tern_port port;
	uint32_t budget, burst;
	uint32_t calls;
	uint32_t next; /* number of the frame that is to come next */
	bool is_wrong;
};

static uint32_t *frame_number(struct rte_mbuf *frame)
{
	return rte_pktmbuf_mtod(frame, uint32_t *);
}

static uint16_t narrow_tx(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			  uint16_t count)
{
	struct narrow_port *narrow = (struct narrow_port *)port;
	uint32_t taken = count < narrow->burst ? count : narrow->burst;
	narrow->calls++;
	narrow->is_wrong |= queue != 3;
	taken = taken < narrow->budget ? taken : narrow->budget;
	narrow->budget -= taken;
	for (uint32_t i = 0; i < taken; i++) {
		narrow->is_wrong |= *frame_number(frames[i]) != narrow->next++;
		rte_pktmbuf_free(frames[i]);
	}
	return (uint16_t)taken;
}

static const struct tern_port_ops narrow_ops = {.tx_burst = narrow_tx};

static struct rte_mbuf *numbered_frame(uint32_t number)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);
	assert_non_null(frame);
	rte_pktmbuf_append(frame, 60);
	*frame_number(frame) = number;
	return frame;
}

static void narrow_open(struct narrow_port *narrow, struct tern_outlet *outlet)
{
	*narrow = (struct narrow_port){.port.ops = &narrow_ops, .burst = UINT32_MAX};
	*outlet = (struct tern_outlet){.port = &narrow->port, .queue = 3};
}

/* Push until there is no place. Returns how many found one. */
static uint32_t push_all(struct tern_outlet *outlet, uint32_t first, bool is_control)
{
	for (uint32_t number = first;; number++) {
		struct rte_mbuf *frame = numbered_frame(number);
		if (!tern_outlet_push(outlet, frame, is_control)) {
			rte_pktmbuf_free(frame);
			return number - first;
		}
	}
}

static void data_leaves_places_to_control(void **state)
{
	struct narrow_port narrow;
	struct tern_outlet outlet;
	(void)state;
	narrow_open(&narrow, &outlet);
	assert_int_equal(push_all(&outlet, 0, false), TERN_OUTLET_FRAMES - TERN_OUTLET_RESERVE);
	assert_int_equal(push_all(&outlet, 56, true), TERN_OUTLET_RESERVE);
	assert_int_equal(push_all(&outlet, 64, false), 0);
	narrow.budget = 9; /* room for one more of data */
	assert_int_equal(push_all(&outlet, 64, false), 1);
	narrow.budget = UINT32_MAX;
	assert_int_equal(tern_outlet_flush(&outlet), 0);
	assert_int_equal(outlet.sent, 65);
	assert_int_equal(narrow.next, 65);
	assert_false(narrow.is_wrong);
}

static void a_burst_taken_in_part_stays_in_order(void **state)
{
	struct tern_rng rng = {.state = test_seed(2)};
	struct narrow_port narrow;
	struct tern_outlet outlet;
	uint32_t number = 0;
	(void)state;
	narrow_open(&narrow, &outlet);
	for (int i = 0; i < 20000; i++) {
		struct rte_mbuf *frame = numbered_frame(number);
		narrow.budget = pick(&rng, 3);
		if (tern_outlet_push(&outlet, frame, pick(&rng, 2)))
			number++;
		else
			rte_pktmbuf_free(frame);
		if (pick(&rng, 8) == 0) {
			narrow.budget = pick(&rng, 20);
			narrow.burst = 1 + pick(&rng, 12);
			tern_outlet_flush(&outlet);
		}
		assert_int_equal(outlet.sent + outlet.count, number);
	}
	narrow.budget = narrow.burst = UINT32_MAX;
	assert_int_equal(tern_outlet_flush(&outlet), 0);
	assert_int_equal(narrow.next, number);
	assert_true(number > 5000);
	assert_false(narrow.is_wrong);
}

static void a_refusal_is_counted_and_an_empty_outlet_asks_nobody(void **state)
{
	struct narrow_port narrow;
	struct tern_outlet outlet;
	(void)state;
	narrow_open(&narrow, &outlet);
	assert_int_equal(tern_outlet_flush(&outlet), 0);
	assert_int_equal(narrow.calls, 0);
	assert_true(tern_outlet_push(&outlet, numbered_frame(0), false));
	assert_true(tern_outlet_push(&outlet, numbered_frame(1), false));
	assert_int_equal(narrow.calls, 0);
	narrow.budget = 1;
	assert_int_equal(tern_outlet_flush(&outlet), 1);
	assert_int_equal(tern_outlet_flush(&outlet), 1);
	narrow.budget = 1;
	assert_int_equal(tern_outlet_flush(&outlet), 0);
	assert_int_equal(outlet.refused, 2);
	assert_int_equal(outlet.sent, 2);
}

static void what_no_port_takes_is_freed(void **state)
{
	struct narrow_port narrow;
	struct tern_outlet outlet;
	(void)state;
	narrow_open(&narrow, &outlet);
	assert_int_equal(push_all(&outlet, 0, true), TERN_OUTLET_FRAMES);
	tern_outlet_drop(&outlet);
	assert_int_equal(outlet.count, 0);
	assert_int_equal(tern_outlet_flush(&outlet), 0);
	assert_int_equal(narrow.next, 0);
}

/* After each test: no frame is out. */
static int pool_is_whole(void **state)
{
	(void)state;
	return rte_mempool_avail_count(pool) == FRAMES ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(data_leaves_places_to_control, pool_is_whole),
		cmocka_unit_test_teardown(a_burst_taken_in_part_stays_in_order, pool_is_whole),
		cmocka_unit_test_teardown(a_refusal_is_counted_and_an_empty_outlet_asks_nobody,
					  pool_is_whole),
		cmocka_unit_test_teardown(what_no_port_takes_is_freed, pool_is_whole),
	};
	mbufs_start();
	pool = mbufs_pool("outlet", FRAMES, 512, 0);
	return cmocka_run_group_tests_name("outlet", tests, NULL, NULL);
}
