/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each fault strikes the frames that its rule names, at its rate, within its bounds; every
 * frame comes out, is held, or is counted as gone; the same seed gives the same run; nothing leaks.
 * Method: numbered frames through one object under a clock that the test sets. The seed is printed.
 */
#include "tests/unit/support.h"

#include "dataplane/fault/injector.h"
#include "made_frames.h"

enum { FRAMES = 4096, HELD = 64, MANY = 100000 };

static struct rte_mempool *pool;
static uint64_t seed;

struct stand {
	struct tern_injector fault;
	uint64_t now_ns, count; /* frames put in */
	uint64_t came;		/* frames that came out */
	uint64_t trace;		/* of what came out, and when */
	void (*look)(struct stand *stand, struct rte_mbuf *frame);
	uint64_t seen[FRAMES], seen_count;
};

static void stand_open(struct stand *stand, const char *rules)
{
	struct tern_fault_rule read[TERN_FAULT_RULES];
	struct tern_error error = {""};
	int count = tern_fault_rules_read(rules, read, &error);
	if (count < 0)
		fail_msg("%s", error.text);
	*stand = (struct stand){.now_ns = 1};
	assert_int_equal(tern_injector_init(&stand->fault, seed, HELD, pool), 0);
	tern_injector_set(&stand->fault, TERN_FAULT_INWARD, read, (unsigned)count);
}

static void stand_take(struct stand *stand, struct rte_mbuf **frames, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t number = made_number(frames[i]);
		stand->trace = (stand->trace ^ number ^ stand->now_ns) * 0x9E3779B97F4A7C15u;
		stand->came++;
		if (stand->seen_count < FRAMES)
			stand->seen[stand->seen_count++] = number;
		if (stand->look)
			stand->look(stand, frames[i]);
		rte_pktmbuf_free(frames[i]);
	}
}

static void stand_pass_frame(struct stand *stand, struct rte_mbuf *frame)
{
	struct rte_mbuf *out[TERN_FAULT_OUT];
	unsigned count = tern_injector_pass(&stand->fault, frame, stand->now_ns, out);
	assert_in_range(count, 0, TERN_FAULT_OUT);
	stand->count++;
	stand_take(stand, out, count);
}

static void stand_pass(struct stand *stand, uint8_t kind, uint8_t flow_class)
{
	stand_pass_frame(stand, made_frame(pool, kind, flow_class, stand->count));
}

static void stand_take_due(struct stand *stand)
{
	struct rte_mbuf *out[8];
	unsigned count;
	while ((count = tern_injector_due(&stand->fault, stand->now_ns, out, 8)) > 0)
		stand_take(stand, out, count);
}

/* What went in came out, is held, or is counted. */
static void stand_balance(struct stand *stand)
{
	const struct tern_injector_stats *stats = &stand->fault.stats;
	assert_int_equal(stand->count + stats->duplicated,
			 stand->came + stats->lost + stats->partitioned + stats->overflowed +
				 stand->fault.held_count);
}

static void stand_close(struct stand *stand)
{
	stand_balance(stand);
	tern_injector_fini(&stand->fault);
	assert_int_equal(rte_mempool_avail_count(pool), FRAMES);
}

/* Within six standard deviations of a rate in millionths, over MANY frames. */
static void check_rate(uint64_t met, uint32_t rate)
{
	double expected = MANY * (rate / 1e6), spread = expected * (1 - rate / 1e6);
	double off = (double)met - expected;
	if (off * off > 36 * spread)
		fail_msg("met %" PRIu64 " of %d; expected %.0f", met, MANY, expected);
}

static void without_rules_of_its_way_it_is_off(void **state)
{
	struct stand stand;
	(void)state;
	stand_open(&stand, "off");
	assert_false(tern_injector_is_on(&stand.fault));
	stand_close(&stand);
	stand_open(&stand, "loss=1%,way=out; partition,way=out");
	assert_false(tern_injector_is_on(&stand.fault));
	stand_close(&stand);
	stand_open(&stand, "loss=1%,way=out; partition,way=in");
	assert_true(tern_injector_is_on(&stand.fault));
	stand_pass(&stand, TERN_WIRE_ACK, 0);
	assert_int_equal(stand.fault.stats.partitioned, 1);
	stand_close(&stand);
}

static void rates_are_kept(void **state)
{
	struct stand stand;
	(void)state;
	stand_open(&stand, "loss=5%,duplicate=10%,reorder=20%,corrupt=0.5%,"
			   "delay=10ns,jitter=20ns,delayed=30%");
	for (int i = 0; i < MANY; i++) {
		stand_pass(&stand, TERN_WIRE_DATA, 0);
		stand.now_ns += 10;
	}
	check_rate(stand.fault.stats.lost, 50000);
	check_rate(stand.fault.stats.duplicated, 95000);
	check_rate(stand.fault.stats.corrupted, 4750);
	/* of 0.95 x 1.1 as many frames */
	check_rate(stand.fault.stats.delayed, 313500);
	check_rate(stand.fault.stats.reordered, 146300);
	assert_int_equal(stand.fault.stats.seen, MANY);
	assert_int_equal(stand.fault.stats.overflowed, 0);
	stand_close(&stand);
}

static void stand_run_mixed(struct stand *stand, uint64_t with_seed)
{
	uint64_t kept = seed;
	struct tern_rng rng = {.state = 5};
	seed = with_seed;
	stand_open(stand, "loss=10%,kind=data;duplicate=30%,reorder=30%,corrupt=5%,bits=4,"
			  "delay=100ns,jitter=900ns,delayed=30%");
	seed = kept;
	for (int i = 0; i < 5000; i++) {
		stand_pass(stand, (uint8_t)(1 + pick(&rng, TERN_WIRE_KINDS - 1)), 0);
		stand->now_ns += pick(&rng, 200);
		if (pick(&rng, 3) == 0)
			stand_take_due(stand);
	}
}

static void the_same_seed_gives_the_same_run(void **state)
{
	static struct stand one, two, other;
	(void)state;
	stand_run_mixed(&one, seed);
	stand_run_mixed(&two, seed);
	stand_run_mixed(&other, seed + 1);
	assert_int_equal(one.trace, two.trace);
	assert_memory_equal(&one.fault.stats, &two.fault.stats, sizeof(one.fault.stats));
	assert_int_not_equal(one.trace, other.trace);
	stand_balance(&one);
	stand_balance(&two);
	tern_injector_fini(&one.fault);
	tern_injector_fini(&two.fault);
	stand_close(&other);
}

static void kind_class_and_node_choose_the_frames(void **state)
{
	static const struct {
		const char *rules;
		uint8_t kind, flow_class;
		bool passes;
	} cases[] = {
		{"partition,kind=nak", TERN_WIRE_NAK, 0, false},
		{"partition,kind=nak", TERN_WIRE_ACK, 0, true},
		{"partition,class=3", TERN_WIRE_DATA, 3, false},
		{"partition,class=3", TERN_WIRE_DATA, 4, true},
		{"partition,class=0", TERN_WIRE_ACK, 0, true},
		{"partition,node=11", TERN_WIRE_ACK, 0, false},
		{"partition,node=22", TERN_WIRE_ACK, 0, false},
		{"partition,node=33", TERN_WIRE_ACK, 0, true},
		{"loss=0%,kind=ack; partition", TERN_WIRE_ACK, 0, true},
		{"loss=0%,kind=ack; partition", TERN_WIRE_NAK, 0, false},
		{"partition,kind=other", TERN_WIRE_HELLO, 0, true},
		{"partition,kind=other", TERN_WIRE_KINDS, 0, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stand stand;
		stand_open(&stand, cases[i].rules);
		stand_pass(&stand, cases[i].kind, cases[i].flow_class);
		if (stand.came != cases[i].passes)
			fail_msg("%s: kind %u", cases[i].rules, cases[i].kind);
		stand_close(&stand);
	}
}

/* How many frames that went in later came out before the frame at a place of `seen`. */
static unsigned overtaken_by(const struct stand *stand, uint64_t place)
{
	unsigned count = 0;
	for (uint64_t i = 0; i < place; i++)
		count += stand->seen[i] > stand->seen[place];
	return count;
}

static void a_reordered_frame_is_overtaken_within_its_bound(void **state)
{
	static struct stand stand;
	unsigned most = 0, late = 0;
	(void)state;
	stand_open(&stand, "reorder=10%,behind=5");
	for (int i = 0; i < 2000; i++)
		stand_pass(&stand, TERN_WIRE_DATA, 0);
	for (uint64_t place = 0; place < stand.seen_count; place++) {
		unsigned by = overtaken_by(&stand, place);
		late += by > 0;
		most = by > most ? by : most;
	}
	assert_in_range(most, 4, 5);
	assert_in_range(late, stand.fault.stats.reordered * 8 / 10, stand.fault.stats.reordered);
	stand_close(&stand);
}

static void a_reordered_frame_that_nothing_follows_comes_all_the_same(void **state)
{
	struct stand stand;
	(void)state;
	stand_open(&stand, "reorder=100%");
	stand_pass(&stand, TERN_WIRE_DATA, 0);
	assert_int_equal(stand.came, 0);
	assert_int_equal(tern_injector_next_ns(&stand.fault), stand.now_ns + TERN_FAULT_REORDER_NS);
	stand.now_ns = tern_injector_next_ns(&stand.fault) - 1;
	stand_take_due(&stand);
	assert_int_equal(stand.came, 0);
	stand.now_ns++;
	stand_take_due(&stand);
	assert_int_equal(stand.came, 1);
	assert_int_equal(tern_injector_next_ns(&stand.fault), UINT64_MAX);
	stand_close(&stand);
}

static void a_fixed_delay_is_kept_to_the_ns_and_keeps_the_order(void **state)
{
	struct stand stand;
	(void)state;
	stand_open(&stand, "delay=1us");
	for (int i = 0; i < HELD; i++) {
		stand_pass(&stand, TERN_WIRE_DATA, 0);
		stand.now_ns += (uint64_t)i % 3;
	}
	assert_int_equal(stand.came, 0);
	for (uint64_t i = 0, sent_ns = 1; i < HELD; sent_ns += i++ % 3) {
		assert_int_equal(tern_injector_next_ns(&stand.fault), sent_ns + 1000);
		stand.now_ns = sent_ns + 999;
		struct rte_mbuf *out;
		assert_int_equal(tern_injector_due(&stand.fault, stand.now_ns, &out, 1), 0);
		stand.now_ns++;
		assert_int_equal(tern_injector_due(&stand.fault, stand.now_ns, &out, 1), 1);
		stand_take(&stand, &out, 1);
		assert_int_equal(stand.seen[i], i);
	}
	stand_close(&stand);
}

static void jitter_stays_in_its_range(void **state)
{
	uint64_t least = UINT64_MAX, most = 0;
	(void)state;
	for (uint64_t i = 0; i < 2000; i++) {
		struct stand stand;
		uint64_t due;
		stand_open(&stand, "delay=50ns,jitter=9ns");
		stand.fault.rng = tern_rng_stream(seed, i);
		stand_pass(&stand, TERN_WIRE_DATA, 0);
		due = tern_injector_next_ns(&stand.fault) - stand.now_ns;
		least = due < least ? due : least;
		most = due > most ? due : most;
		stand_close(&stand);
	}
	assert_int_equal(least, 50);
	assert_int_equal(most, 59);
}

static struct rte_mbuf *original; /* and a reference to it */
static unsigned flipped_least, flipped_most;

static unsigned bits_that_differ(const struct rte_mbuf *a, const struct rte_mbuf *b)
{
	unsigned count = 0;
	assert_int_equal(rte_pktmbuf_pkt_len(a), rte_pktmbuf_pkt_len(b));
	for (uint32_t i = 0; i < rte_pktmbuf_pkt_len(a); i++) {
		uint8_t in_a, in_b;
		count += (unsigned)__builtin_popcount(
			*(const uint8_t *)rte_pktmbuf_read(a, i, 1, &in_a) ^
			*(const uint8_t *)rte_pktmbuf_read(b, i, 1, &in_b));
	}
	return count;
}

static void look_at_bits(struct stand *stand, struct rte_mbuf *frame)
{
	unsigned count = bits_that_differ(original, frame);
	(void)stand;
	flipped_least = count < flipped_least ? count : flipped_least;
	flipped_most = count > flipped_most ? count : flipped_most;
}

/* A frame of two segments, which somebody else holds too. */
static void corrupt_shared_frame(struct stand *stand)
{
	struct rte_mbuf *second = rte_pktmbuf_alloc(pool), *kept;
	original = made_frame(pool, TERN_WIRE_DATA, 0, stand->count);
	memset(rte_pktmbuf_append(second, 40), 7, 40);
	assert_int_equal(rte_pktmbuf_chain(original, second), 0);
	kept = rte_pktmbuf_copy(original, pool, 0, UINT32_MAX);
	rte_pktmbuf_refcnt_update(original, 1);
	stand_pass_frame(stand, original);
	assert_int_equal(bits_that_differ(original, kept), 0);
	rte_pktmbuf_free(original);
	rte_pktmbuf_free(kept);
}

static void bits_are_flipped_in_a_copy(void **state)
{
	struct stand stand;
	(void)state;
	flipped_least = UINT32_MAX;
	flipped_most = 0;
	stand_open(&stand, "corrupt=100%,bits=3");
	stand.look = look_at_bits;
	for (int i = 0; i < 500; i++)
		corrupt_shared_frame(&stand);
	assert_int_equal(flipped_least, 1);
	assert_int_equal(flipped_most, 3);
	assert_int_equal(stand.fault.stats.corrupted, 500);
	stand_close(&stand);
}

static void a_duplicate_shares_no_memory(void **state)
{
	struct stand stand;
	struct rte_mbuf *out[TERN_FAULT_OUT], *frame = made_frame(pool, TERN_WIRE_DATA, 0, 77);
	(void)state;
	stand_open(&stand, "duplicate=100%");
	stand.count = 1;
	assert_int_equal(tern_injector_pass(&stand.fault, frame, 1, out), 2);
	assert_int_equal(made_number(out[1]), 77);
	memset(rte_pktmbuf_mtod(out[0], void *), 0, rte_pktmbuf_data_len(out[0]));
	assert_int_equal(made_number(out[1]), 77);
	stand.came = 2;
	rte_pktmbuf_free_bulk(out, 2);
	stand_close(&stand);
}

static void what_the_store_does_not_hold_is_lost_and_counted(void **state)
{
	struct stand stand;
	(void)state;
	stand_open(&stand, "delay=1s");
	for (int i = 0; i < HELD + 10; i++)
		stand_pass(&stand, TERN_WIRE_DATA, 0);
	assert_int_equal(stand.fault.held_count, HELD);
	assert_int_equal(stand.fault.stats.overflowed, 10);
	stand_close(&stand); /* what is still held goes back to its pool */
}

static void without_a_copy_frames_pass_once_and_whole(void **state)
{
	struct rte_mempool *small = mbufs_pool("small", 1, 512, 0);
	struct rte_mbuf *last = rte_pktmbuf_alloc(small);
	struct stand stand;
	(void)state;
	stand_open(&stand, "duplicate=100%,corrupt=100%");
	stand.fault.pool = small;
	stand_pass(&stand, TERN_WIRE_DATA, 0);
	assert_int_equal(stand.came, 1);
	assert_int_equal(stand.seen[0], 0);
	assert_int_equal(stand.fault.stats.uncopied, 2);
	assert_int_equal(stand.fault.stats.corrupted + stand.fault.stats.duplicated, 0);
	stand_close(&stand);
	rte_pktmbuf_free(last);
	rte_mempool_free(small);
}

static void rules_that_go_leave_what_is_held_on_its_way(void **state)
{
	struct stand stand;
	(void)state;
	stand_open(&stand, "delay=1us");
	stand_pass(&stand, TERN_WIRE_DATA, 0);
	tern_injector_set(&stand.fault, TERN_FAULT_INWARD, NULL, 0);
	assert_true(tern_injector_is_on(&stand.fault));
	stand_pass(&stand, TERN_WIRE_DATA, 0);
	assert_int_equal(stand.seen[0], 1);
	stand.now_ns += 1000;
	stand_take_due(&stand);
	assert_int_equal(stand.seen[1], 0);
	assert_false(tern_injector_is_on(&stand.fault));
	stand_close(&stand);
}

/* Many come due at once: no more come out than there is room for, and none is forgotten. */
static void many_that_are_due_at_once_all_come(void **state)
{
	struct stand stand;
	(void)state;
	stand_open(&stand, "delay=1us,kind=data");
	for (int i = 0; i < HELD; i++)
		stand_pass(&stand, TERN_WIRE_DATA, 0);
	stand.now_ns += 1000;
	stand_pass(&stand, TERN_WIRE_ACK, 0);
	assert_in_range(stand.came, 2, TERN_FAULT_OUT);
	stand_take_due(&stand);
	assert_int_equal(stand.came, HELD + 1);
	stand_close(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_of_its_way_it_is_off),
		cmocka_unit_test(rates_are_kept),
		cmocka_unit_test(the_same_seed_gives_the_same_run),
		cmocka_unit_test(kind_class_and_node_choose_the_frames),
		cmocka_unit_test(a_reordered_frame_is_overtaken_within_its_bound),
		cmocka_unit_test(a_reordered_frame_that_nothing_follows_comes_all_the_same),
		cmocka_unit_test(a_fixed_delay_is_kept_to_the_ns_and_keeps_the_order),
		cmocka_unit_test(jitter_stays_in_its_range),
		cmocka_unit_test(bits_are_flipped_in_a_copy),
		cmocka_unit_test(a_duplicate_shares_no_memory),
		cmocka_unit_test(what_the_store_does_not_hold_is_lost_and_counted),
		cmocka_unit_test(without_a_copy_frames_pass_once_and_whole),
		cmocka_unit_test(rules_that_go_leave_what_is_held_on_its_way),
		cmocka_unit_test(many_that_are_due_at_once_all_come),
	};
	mbufs_start();
	pool = mbufs_pool("fault", FRAMES, 512, 0);
	seed = test_seed(11);
	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
