/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever takes a roaming agent from lcore to lcore, who it sends to gets its signals in the
 * order sent: it does not move before the lanes of the lcore that it leaves have passed them on.
 * Method: polled lcores: a producer that waits to be stolen while the lane to its receiver is full,
 * having sent from its handler, a timer's signal, an event; then all at random. Threads: a million
 * signals from producers that are moved all the time.
 */
#include "tests/unit/engine/roamers.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* gcc; some header gives it a __has_feature() that knows nothing */
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

enum { SIGNALS = SANITIZED ? 100000 : 1000000, PRODUCERS = 8 };

/* On lcore 0, sending to a pinned receiver on lcore 2 whenever something is told to it. */
struct scene {
	struct world *world;
	struct roamer *producer;
	struct roamer *receiver;
	tern_address from;
	tern_address hogs[2 * TERN_ROAMING_ADMITTED];
};

static void producer_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	probe_event(self, state, event);
	if (event->kind == TERN_EVENT_PRESSURE && !event->pressure.on)
		roamer_send(self, state);
}

/* Type 3: send; 4: arm a timer, which sends; others: nothing, so that on_event alone does. */
TERN_HANDLER(static, producer_handle)
{
	struct roamer *producer = state;
	uint16_t type = tern_signal_type(signal);
	roamer_enter(self, producer);
	if (type == 3 || type == TICK)
		roamer_send(self, producer);
	if (type == 4)
		tern_timer_start(self, &producer->timer, 1000, 0, TICK);
	put(&producer->inside, 0);
	probe_handle(self, &producer->probe, signal);
}

static const struct tern_behaviour producer_behaviour = {.name = "producer",
							 .handler = producer_handle,
							 .on_start = probe_start,
							 .on_event = producer_event,
							 .on_stop = probe_stop};

static struct scene *open_scene(void **state, struct scene *scene)
{
	roaming_setup(state, 3);
	scene->world = *state;
	scene->producer = world_roamers(scene->world, 2);
	scene->receiver = scene->producer + 1;
	struct tern_spawn_options options = {
		.lcore = 0, .roaming = true, .capacity = 10, .high_water = 6, .low_water = 2};
	scene->producer->to = spawn_on(scene->world->self, 2, &roamer_behaviour, scene->receiver);
	assert_int_equal(tern_spawn(scene->world->self, &producer_behaviour, scene->producer,
				    &options, &scene->from),
			 0);
	spawn_hogs(scene->world, 0, 2 * TERN_ROAMING_ADMITTED, scene->hogs);
	return scene;
}

/* Wake the producer behind hogs, so that it has waited in the ring for long. */
static void queue_producer(struct scene *scene)
{
	struct world *world = scene->world;
	wake_all(world, scene->hogs, TERN_ROAMING_ADMITTED);
	assert_int_equal(send_number(world->self, scene->from, 3, 0), 0);
	poll_one(world, 0);
	assert_int_equal(ring_of(world, 0), 1);
}

/* Lcore 1 looks for work, at victims drawn at random: does it get the producer? */
static bool is_stolen(struct scene *scene)
{
	for (int i = 0; i < 30 && stats_of(scene->world, 1).stolen == 0; i++)
		poll_one(scene->world, 1);
	return stats_of(scene->world, 1).stolen == 1;
}

static void close_scene(void **state, struct scene *scene)
{
	world_settle(scene->world);
	assert_int_equal(scene->receiver->last[1], scene->producer->sent);
	assert_int_equal(scene->receiver->disorder, 0);
	world_teardown(state);
}

/* As at the end of each turn of lcore 0, but without its running anybody. */
static void look(struct scene *scene)
{
	struct tern_lcore *lcore = &scene->world->engine->lcores[0];
	tern_passage_look(&lcore->roaming.passage, lcore->out, lcore->roam_route, NULL, NULL);
}

/* Send by lcore 0 in the way that a signal of `type` brings about, and leave it in the lane. */
static void send_by(struct scene *scene, uint16_t type)
{
	struct world *world = scene->world;
	assert_int_equal(send_number(world->self, scene->from, type, 0), 0);
	poll_one(world, 0);
	tern_engine_advance(world->engine, 3000);
	poll_one(world, 0);
}

static void check_ways(void **state, uint16_t type)
{
	struct scene scene;
	/* Nothing sent: it is taken at once. */
	open_scene(state, &scene);
	queue_producer(&scene);
	assert_true(is_stolen(&scene));
	close_scene(state, &scene);

	/* Sent, read by lcore 2, and seen to be read: it is taken. */
	open_scene(state, &scene);
	send_by(&scene, type);
	assert_int_equal(scene.producer->sent, 1);
	world_settle(scene.world);
	queue_producer(&scene);
	assert_true(is_stolen(&scene));
	close_scene(state, &scene);

	/* Sent, not read: it stays. */
	open_scene(state, &scene);
	send_by(&scene, type);
	assert_int_equal(scene.producer->sent, 1);
	queue_producer(&scene);
	look(&scene);
	assert_false(is_stolen(&scene));
	/* Read, but lcore 0 does not know. */
	poll_one(scene.world, 2);
	assert_false(is_stolen(&scene));
	look(&scene);
	assert_true(is_stolen(&scene));
	close_scene(state, &scene);
}

static void a_handlers_signals_hold_it(void **state)
{
	check_ways(state, 3);
}

static void a_timers_signals_hold_it(void **state)
{
	check_ways(state, 4);
}

/* Told of low water when its run is over. */
static void an_events_signals_hold_it(void **state)
{
	struct scene scene;
	open_scene(state, &scene);
	for (int i = 0; i < 7; i++)
		(void)send_number(scene.world->self, scene.from, 5, 0);
	poll_one(scene.world, 0);
	assert_int_equal(scene.producer->probe.released, 1);
	assert_int_equal(scene.producer->sent, 1);
	queue_producer(&scene);
	look(&scene);
	assert_false(is_stolen(&scene));
	poll_one(scene.world, 2);
	look(&scene);
	assert_true(is_stolen(&scene));
	close_scene(state, &scene);
}

/* The same rule where the rebalance sends it away, and where its run ring overflowed. */
static void the_rebalance_waits_for_the_lanes(void **state)
{
	struct scene scene;
	open_scene(state, &scene);
	move_to(scene.world, scene.from, 1);
	send_by(&scene, 3);
	/* It moved before it had sent anything. */
	assert_int_equal(lcore_of(scene.world, scene.from), 1);
	poll_one(scene.world, 1);
	assert_int_equal(scene.producer->sent, 1);
	move_to(scene.world, scene.from, 0);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(send_number(scene.world->self, scene.from, 3, 0), 0);
		poll_one(scene.world, 1);
		assert_int_equal(lcore_of(scene.world, scene.from), 1);
	}
	poll_one(scene.world, 2);
	/* One look at the note that was open, one at the next. */
	poll_one(scene.world, 1);
	poll_one(scene.world, 1);
	assert_int_equal(send_number(scene.world->self, scene.from, 3, 0), 0);
	poll_one(scene.world, 1);
	assert_int_equal(lcore_of(scene.world, scene.from), 0);
	assert_int_equal(stats_of(scene.world, 1).sent_away, 1);
	close_scene(state, &scene);
}

static void a_thread_that_does_not_poll_holds_it(void **state)
{
	struct scene scene;
	open_scene(state, &scene);
	struct world *world = scene.world;
	tern_address receiver = scene.producer->to;
	scene.producer->to = tern_self(world->self);
	send_by(&scene, 3);
	assert_int_equal(scene.producer->sent, 1);
	scene.producer->to = TERN_ADDRESS_NONE;
	queue_producer(&scene);
	look(&scene);
	assert_false(is_stolen(&scene));
	tern_thread_poll(world->self);
	look(&scene);
	assert_true(is_stolen(&scene));
	scene.producer->to = receiver;
	scene.producer->sent = 0;
	close_scene(state, &scene);
}

/* Producers are fed, moved and robbed at random; receivers are polled seldom. */
static void run_random(uint64_t seed, uint64_t *moves)
{
	enum { LCORES = 4, RECEIVERS = 3 };
	struct tern_rng rng = {.state = seed};
	struct world world;
	struct tern_config config;
	roaming_config(&config, LCORES);
	config.seed = seed;
	config.data_depth = 64;
	config.steal_after_us = pick(&rng, 3);
	world_open(&world, &config);
	struct roamer *producers = world_roamers(&world, PRODUCERS + RECEIVERS);
	struct roamer *receivers = producers + PRODUCERS;
	tern_address from[PRODUCERS], to[RECEIVERS];
	for (uint32_t i = 0; i < RECEIVERS; i++)
		to[i] = spawn_on(world.self, pick(&rng, LCORES), &roamer_behaviour, &receivers[i]);
	for (uint32_t i = 0; i < PRODUCERS; i++) {
		producers[i].to = to[i % RECEIVERS];
		producers[i].cost_ns = pick(&rng, 2) * 3000;
		from[i] =
			spawn_roaming(&world, pick(&rng, LCORES), &roamer_behaviour, &producers[i]);
	}
	for (int i = 0; i < 3000; i++) {
		uint32_t which = pick(&rng, PRODUCERS);
		(void)send_number(world.self, from[which], PLAIN, 0);
		if (pick(&rng, 20) == 0)
			move_to(&world, from[which], pick(&rng, LCORES));
		uint32_t lcore = pick(&rng, LCORES * 4);
		poll_one(&world, lcore < 3 * LCORES ? lcore % 2 : lcore % LCORES);
		tern_engine_advance(world.engine, pick(&rng, 2000));
	}
	world_settle(&world);
	for (uint32_t i = 0; i < PRODUCERS; i++) {
		assert_int_equal(receivers[i % RECEIVERS].last[i + 1], producers[i].sent);
		assert_int_equal(producers[i].twice, 0);
		*moves += producers[i].moves;
	}
	for (uint32_t i = 0; i < RECEIVERS; i++)
		assert_int_equal(receivers[i].disorder, 0);
	world_close(&world);
}

static void no_order_of_polls_brings_disorder(void **state)
{
	uint64_t seed = test_seed(1), moves = 0;
	(void)state;
	for (uint64_t i = 0; i < 60; i++)
		run_random(seed + i, &moves);
	assert_true(moves > 60);
}

/* On threads: producers that burn time, so that some wait for long enough to be stolen. */
TERN_HANDLER(static, burner_handle)
{
	struct roamer *producer = state;
	roamer_enter(self, producer);
	roamer_send(self, producer);
	for (uint64_t from = tern_now(self); tern_now(self) - from < 500;)
		;
	put(&producer->inside, 0);
	probe_handle(self, &producer->probe, signal);
}

static const struct tern_behaviour burner_behaviour = {.name = "burner",
						       .handler = burner_handle,
						       .on_start = probe_start,
						       .on_event = probe_event,
						       .on_stop = probe_stop};

static uint64_t sum_handled(const struct roamer *roamers, uint32_t count)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < count; i++)
		sum += seen(&roamers[i].probe.handled);
	return sum;
}

static uint64_t sum_sent(const struct roamer *roamers, uint32_t count)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < count; i++)
		sum += seen(&roamers[i].sent);
	return sum;
}

static void a_million_signals_under_theft_stay_in_order(void **state)
{
	struct world world;
	struct tern_config config;
	struct tern_rng rng = {.state = test_seed(1)};
	(void)state;
	world_config(&config, false);
	config.steal_after_us = 1;
	world_open(&world, &config);
	uint32_t lcores = config.lcore_count;
	struct roamer *producers = world_roamers(&world, PRODUCERS + 2);
	struct roamer *receivers = producers + PRODUCERS;
	tern_address from[PRODUCERS], to[2];
	for (uint32_t i = 0; i < 2; i++)
		to[i] = spawn_on(world.self, i % lcores, &roamer_behaviour, &receivers[i]);
	for (uint32_t i = 0; i < PRODUCERS; i++) {
		producers[i].to = to[i % 2];
		from[i] = spawn_roaming(&world, i % lcores, &burner_behaviour, &producers[i]);
	}
	for (uint64_t round = 0, fed = 0; fed < SIGNALS; round++) {
		/* All to one lcore, so that the other one steals. */
		for (uint32_t i = 0; i < PRODUCERS; i++)
			move_to(&world, from[i], (uint32_t)round % lcores);
		for (uint32_t i = 0; i < PRODUCERS * 64; i++)
			fed += send_number(world.self, from[pick(&rng, PRODUCERS)], PLAIN, 0) == 0;
		UNTIL(&world, sum_handled(producers, PRODUCERS) + 256 > fed);
	}
	UNTIL(&world, sum_sent(producers, PRODUCERS) == sum_handled(receivers, 2) &&
			      stats_of_all(&world).handled >= SIGNALS);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(receivers[i].disorder, 0);
	for (uint32_t i = 0; i < PRODUCERS; i++)
		assert_int_equal(producers[i].twice, 0);
	struct tern_lcore_stats all = stats_of_all(&world);
	print_message("sent %" PRIu64 " stolen %" PRIu64 " sent away %" PRIu64 "\n",
		      sum_sent(producers, PRODUCERS), all.stolen, all.sent_away);
	if (lcores > 1)
		assert_true(all.sent_away + all.stolen > 0);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handlers_signals_hold_it),
		cmocka_unit_test(a_timers_signals_hold_it),
		cmocka_unit_test(an_events_signals_hold_it),
		cmocka_unit_test(the_rebalance_waits_for_the_lanes),
		cmocka_unit_test(a_thread_that_does_not_poll_holds_it),
		cmocka_unit_test(no_order_of_polls_brings_disorder),
		cmocka_unit_test(a_million_signals_under_theft_stay_in_order),
	};
	return cmocka_run_group_tests_name("roaming: order", tests, NULL, NULL);
}
