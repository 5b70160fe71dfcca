/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: every form of a signal arrives whole, once and in order, or is refused whole with a
 * reason; blocks move or are shared without a copy, and none is left behind.
 * Method: a receiver that checks each signal against what its number says it must hold; forms
 * are mixed at random; lanes of every depth are filled and drained. Leaks show at the stop.
 */
#include "tests/unit/support.h"

enum { BLOCK_MAX = 3000 };

/* Every payload is a pattern of its number; the type is the number, too. */
static unsigned char pattern(uint64_t number, size_t at)
{
	return (unsigned char)(number * 31 + at * 7 + 3);
}

static void fill(void *bytes, size_t size, uint64_t number)
{
	for (size_t i = 0; i < size; i++)
		((unsigned char *)bytes)[i] = pattern(number, i);
}

static bool holds(const void *bytes, size_t size, uint64_t number)
{
	for (size_t i = 0; i < size; i++)
		if (((const unsigned char *)bytes)[i] != pattern(number, i))
			return false;
	return true;
}

enum form { FORM_BYTES, FORM_ISO, FORM_VAL, FORM_TAG, FORM_BURST, FORMS };

struct receiver {
	uint64_t handled;
	uint64_t wrong;
	uint64_t kept;	   /* blocks taken and dropped by the handler itself */
	const void *block; /* of the last signal */
};

static bool tag_fits(const struct tern_signal *signal, uint64_t number)
{
	return tern_tag_address(tern_signal_tag_of(signal)) == number + 1;
}

TERN_HANDLER(static, receiver_handle)
{
	struct receiver *receiver = state;
	uint64_t number = receiver->handled;
	bool right = tern_signal_type(signal) == (uint16_t)number % TERN_TYPE_MAX;
	const tern_val *val = tern_signal_peek_val(signal);
	if (tern_signal_has_iso(signal)) {
		receiver->block = signal->payload.iso;
		tern_iso *iso = signal->payload.iso;
		right &= holds(tern_iso_data(iso), tern_block_size(iso), number);
		if (number % 2) {
			tern_iso_drop(tern_heap(self), tern_signal_take_iso(signal));
			right &= !tern_signal_has_iso(signal) && !tern_signal_take_iso(signal);
			receiver->kept++;
		}
	} else if (val) {
		receiver->block = val;
		right &= holds(tern_val_data(val), tern_block_size(val), number);
		if (number % 2) {
			tern_val_drop(tern_heap(self), tern_signal_take_val(signal));
			receiver->kept++;
		}
	} else if (tern_signal_tag_of(signal)) {
		right &= tag_fits(signal, number);
	} else {
		right &= holds(tern_signal_data(signal), tern_signal_size(signal), number);
	}
	if (!right)
		note(&receiver->wrong);
	note(&receiver->handled);
}

static const struct tern_behaviour receiver_behaviour = {.name = "receiver",
							 .handler = receiver_handle};

static tern_iso *make_block(struct tern_agent *self, size_t size, uint64_t number)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), size);
	if (iso)
		fill(tern_iso_data(iso), size, number);
	return iso;
}

/* Send number `number` in one form; refused, nothing must have been consumed. */
static bool send_form(struct tern_agent *self, tern_address to, enum form form, uint64_t number,
		      size_t size)
{
	uint16_t type = (uint16_t)number % TERN_TYPE_MAX;
	unsigned char bytes[TERN_INLINE_MAX];
	tern_iso *iso = NULL;
	const tern_val *val = NULL;
	fill(bytes, sizeof(bytes), number);
	switch (form) {
	case FORM_BYTES:
		return tern_signal_bytes(self, to, type, bytes, size % 41) == 0;
	case FORM_BURST:
		return tern_signal_burst(self, to, type, bytes, size % 41, 1) == 1;
	case FORM_TAG:
		return tern_signal(self, to, type, tern_tag_make(number + 1)) == 0;
	case FORM_VAL:
		iso = make_block(self, size, number);
		val = iso ? tern_iso_freeze(iso) : NULL;
		val = val ? tern_signal(self, to, type, val) : val;
		tern_val_drop(tern_heap(self), val);
		return iso && !val;
	default:
		iso = make_block(self, size, number);
		if (!iso)
			return false;
		iso = tern_signal(self, to, type, iso);
		bool sent = !iso;
		tern_iso_drop(tern_heap(self), iso);
		return sent;
	}
}

static tern_address open_receiver(struct world *world, uint32_t lcore, struct receiver **receiver)
{
	*receiver = world_memory(world, sizeof(**receiver));
	return spawn_on(world->self, lcore, &receiver_behaviour, *receiver);
}

static void bytes_of_every_size_arrive_whole(void **state)
{
	struct world *world = *state;
	struct receiver *receiver;
	tern_address to = open_receiver(world, 0, &receiver);
	for (uint64_t i = 0; i <= TERN_INLINE_MAX; i++)
		assert_true(send_form(world->self, to, FORM_BYTES, i, i));
	UNTIL(world, seen(&receiver->handled) == TERN_INLINE_MAX + 1);
	assert_int_equal(receiver->wrong, 0);
	assert_int_equal(tern_signal_bytes(world->self, to, 41, NULL, 0), 0);
	UNTIL(world, seen(&receiver->handled) == TERN_INLINE_MAX + 2);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	unsigned char bytes[TERN_INLINE_MAX + 1] = {0};
	tern_address to = spawn_on(world->self, 0, &probe_behaviour, probe);
	struct tern_pressure pressure;
	const uint16_t type = TERN_TYPE_MAX + 1;
	assert_int_equal(tern_signal_bytes(world->self, to, 0, bytes, sizeof(bytes)), -EMSGSIZE);
	assert_int_equal(tern_signal_bytes(world->self, to, 0, bytes, SIZE_MAX), -EMSGSIZE);
	assert_int_equal(tern_signal_bytes(world->self, to, type, bytes, 1), -EMSGSIZE);
	assert_int_equal(tern_signal_bytes(world->self, to, UINT16_MAX, bytes, 1), -EMSGSIZE);
	assert_int_equal(tern_signal_tag(world->self, to, type, tern_tag_make(to)), -EMSGSIZE);
	tern_errno = 0;
	assert_int_equal(tern_signal_burst(world->self, to, type, bytes, 1, 3), 0);
	assert_int_equal(tern_errno, EMSGSIZE);
	tern_iso *iso = make_block(world->self, 64, 0);
	iso = tern_signal_iso(world->self, to, type, iso);
	assert_non_null(iso);
	assert_int_equal(tern_errno, EMSGSIZE);
	const tern_val *val = tern_signal_val(world->self, to, type, tern_iso_freeze(iso));
	assert_non_null(val);
	assert_int_equal(tern_val_count(val), 1);
	tern_val_drop(tern_heap(world->self), val);
	tern_pressure(world->self, &pressure);
	assert_int_equal(pressure.source, TERN_PRESSURE_NONE);
	assert_int_equal(tern_signal_bytes(world->self, to, TERN_TYPE_MAX, bytes, 1), 0);
	UNTIL(world, seen(&probe->handled) == 1);
	assert_int_equal(probe->type, TERN_TYPE_MAX);
}

static void nobody_lives_at_wrong_addresses(void **state)
{
	struct world *world = *state;
	struct tern_pressure pressure;
	const tern_address wrong[] = {
		TERN_ADDRESS_NONE,
		UINT64_MAX,
		tern_address_make(1, 0, 1),
		tern_address_make(0, 4000, 1),
		tern_address_make(0, TERN_AGENTS_MAX - 1, 1),
		tern_address_make(0, 0, 0),
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(send_number(world->self, wrong[i], 0, 0), -ESRCH);
		assert_int_equal(tern_agent_stop(world->self, wrong[i]), -ESRCH);
		assert_false(tern_agent_alive(world->self, wrong[i]));
		tern_iso *iso = make_block(world->self, 64, 0);
		iso = tern_signal_iso(world->self, wrong[i], 0, iso);
		assert_non_null(iso);
		assert_int_equal(tern_errno, ESRCH);
		tern_iso_drop(tern_heap(world->self), iso);
	}
	tern_pressure(world->self, &pressure);
	assert_int_equal(pressure.source, TERN_PRESSURE_NONE);
}

static void all_forms_keep_one_order(void **state)
{
	enum { COUNT = 20000 };
	struct world *world = *state;
	struct tern_rng rng = {.state = test_seed(1)};
	for (uint32_t lcore = 0; lcore < tern_engine_lcores(world->engine); lcore++) {
		struct receiver *receiver;
		tern_address to = open_receiver(world, lcore, &receiver);
		for (uint64_t i = 0; i < COUNT; i++) {
			enum form form = (enum form)pick(&rng, FORMS);
			size_t size = pick(&rng, BLOCK_MAX);
			UNTIL(world, send_form(world->self, to, form, i, size));
			if (pick(&rng, 50) == 0)
				world_poll(world);
		}
		UNTIL(world, seen(&receiver->handled) == COUNT);
		assert_int_equal(receiver->wrong, 0);
	}
}

/* A burst stops where the lane is full; the rest goes later, and nothing is doubled or lost. */
static void a_burst_may_be_taken_in_parts(void **state)
{
	enum { COUNT = 100000, BURST = 700 };
	struct world *world = *state;
	struct sink *sink = world_memory(world, sizeof(*sink));
	uint64_t numbers[BURST], sent = 0, parts = 0;
	tern_address to = spawn_on(world->self, 0, &sink_behaviour, sink);
	while (sent < COUNT) {
		for (uint64_t i = 0; i < BURST; i++)
			numbers[i] = sent + i;
		uint32_t taken = tern_signal_burst(world->self, to, 1, numbers, 8, BURST);
		sent += taken;
		if (taken == BURST)
			continue;
		assert_int_equal(tern_errno, EAGAIN);
		parts++;
		world_poll(world);
	}
	UNTIL(world, seen(&sink->expected) == sent);
	assert_int_equal(sink->wrong, 0);
	if (world->polled)
		assert_true(parts > 0);
}

static void a_full_lane_takes_the_front_of_a_burst(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	struct tern_pressure pressure;
	static uint64_t words[2000];
	tern_address to = spawn_on(world->self, 1, &probe_behaviour, probe);
	world_settle(world);
	assert_int_equal(tern_signal_burst(world->self, to, 5, words, 8, 2000), 1024);
	assert_int_equal(tern_errno, EAGAIN);
	tern_pressure(world->self, &pressure);
	assert_int_equal(pressure.source, TERN_PRESSURE_LANE);
	assert_int_equal(pressure.lcore, 1);
	assert_int_equal(pressure.queued, 1024);
	assert_int_equal(pressure.culprit, to);
	world_settle(world);
	assert_int_equal(probe->handled, 1024);
	assert_int_equal(tern_signal_burst(world->self, to, 5, words, 8, 976), 976);
	world_settle(world);
	assert_int_equal(probe->handled, 2000);
}

static void an_iso_moves_and_is_not_copied(void **state)
{
	struct world *world = *state;
	struct receiver *receiver;
	tern_address to = open_receiver(world, 1, &receiver);
	for (uint64_t i = 0; i < 10; i++) {
		tern_iso *iso = make_block(world->self, 1000, i);
		const void *before = iso;
		assert_null(tern_signal_iso(world->self, to, (uint16_t)i, iso));
		UNTIL(world, seen(&receiver->handled) == i + 1);
		assert_true(QUARANTINES || receiver->block == before);
	}
	assert_int_equal(receiver->wrong, 0);
	assert_int_equal(receiver->kept, 5);
}

static void a_val_is_shared_until_the_last_lets_go(void **state)
{
	enum { SHARERS = 50 };
	struct world *world = *state;
	struct receiver *receivers[SHARERS];
	tern_iso *iso = make_block(world->self, 500, 0);
	const tern_val *val = tern_iso_freeze(iso);
	for (uint32_t i = 0; i < SHARERS; i++) {
		tern_address to =
			open_receiver(world, i % tern_engine_lcores(world->engine), &receivers[i]);
		assert_null(tern_signal_val(world->self, to, 0, tern_val_share(val)));
	}
	for (uint32_t i = 0; i < SHARERS; i++) {
		UNTIL(world, seen(&receivers[i]->handled) == 1);
		assert_int_equal(receivers[i]->wrong, 0);
	}
	UNTIL(world, tern_val_count(val) == 1);
	tern_iso *again = tern_val_thaw(val);
	assert_non_null(again);
	tern_iso_drop(tern_heap(world->self), again);
	struct tern_lcore_stats stats;
	tern_lcore_stats(world->engine, tern_lcore_index(world->self), &stats);
	assert_int_equal(stats.blocks_out, 0);
}

/* Blocks that travel come home, or a pool would run dry: many times the pool goes through. */
static void travelling_blocks_come_home(void **state)
{
	struct world *world = *state;
	struct receiver *receiver;
	tern_address to = open_receiver(world, 1, &receiver);
	for (uint64_t i = 0; i < 1000; i++) {
		UNTIL(world, send_form(world->self, to, i % 2 ? FORM_ISO : FORM_VAL, i, 60000));
		UNTIL(world, seen(&receiver->handled) == i + 1);
	}
	assert_int_equal(receiver->wrong, 0);
}

/* Lanes of every depth allowed, filled to the brim again and again, data and express. */
static void lanes_of_every_depth_keep_order(void **state)
{
	(void)state;
	for (uint32_t depth = 16; depth <= 256; depth *= 2) {
		struct world world;
		struct tern_config config;
		struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
		world_config(&config, true);
		config.express_depth = depth;
		config.data_depth = depth < 64 ? 64 : depth;
		world_open(&world, &config);
		for (int critical = 0; critical < 2; critical++) {
			struct receiver *receiver = world_memory(&world, sizeof(*receiver));
			tern_address to;
			uint64_t sent = 0;
			options.priority = critical ? TERN_PRIORITY_CRITICAL : TERN_PRIORITY_NORMAL;
			assert_int_equal(tern_spawn(world.self, &receiver_behaviour, receiver,
						    &options, &to),
					 0);
			world_settle(&world);
			for (uint32_t fill_to = 1; fill_to <= 2 * depth; fill_to++) {
				for (uint32_t i = 0; i < fill_to; i++)
					sent += send_form(world.self, to, FORM_BYTES, sent, 40);
				world_settle(&world);
				assert_int_equal(receiver->handled, sent);
				assert_int_equal(receiver->wrong, 0);
			}
		}
		world_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(bytes_of_every_size_arrive_whole),
		BOTH(what_does_not_fit_is_refused),
		POLLED(nobody_lives_at_wrong_addresses),
		BOTH(all_forms_keep_one_order),
		BOTH(a_burst_may_be_taken_in_parts),
		POLLED(a_full_lane_takes_the_front_of_a_burst),
		BOTH(an_iso_moves_and_is_not_copied),
		BOTH(a_val_is_shared_until_the_last_lets_go),
		BOTH(travelling_blocks_come_home),
		cmocka_unit_test(lanes_of_every_depth_keep_order),
	};
	return cmocka_run_group_tests_name("signal", tests, NULL, NULL);
}
