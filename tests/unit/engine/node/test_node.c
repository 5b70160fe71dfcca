/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two engines as two nodes, polled by one thread on virtual clocks, with a wire between them:
 * signals and blocks arrive once and in order, whoever sends and receives; what cannot arrive comes
 * back; who refuses presses its senders on the other node.
 */
#include "engine/lcore/engine.h"
#include "engine/schedule/profile.h"
#include "two_nodes.h"
#include "wire.h"

#define STEP_NS 1000u
#define NODES 2

struct pair {
	struct wire_end ends[NODES];
	struct tern_engine *engines[NODES];
	struct tern_agent *selves[NODES];
};

static void open_engine(struct pair *pair, unsigned i, uint32_t lcores, const char *set)
{
	struct tern_config config;
	node_config_polled(&config, i + 1, lcores, &pair->ends[i].port);
	if (set)
		assert_int_equal(tern_config_set(&config, set, NULL), 0);
	pair->engines[i] = node_start(&config);
}

static void open_pair(struct pair *pair, uint32_t lcores_a, uint32_t lcores_b, const char *set)
{
	const uint16_t queues[] = {(uint16_t)lcores_a, (uint16_t)lcores_b};
	wire_join(pair->ends, queues);
	open_engine(pair, 0, lcores_a, set);
	open_engine(pair, 1, lcores_b, set);
}

static void attach_both(struct pair *pair, const struct tern_behaviour *behaviour, void *state)
{
	for (int i = 0; i < NODES; i++) {
		pair->selves[i] = tern_thread_attach(pair->engines[i], behaviour, state);
		assert_non_null(pair->selves[i]);
	}
}

static void step(struct pair *pair)
{
	for (int i = 0; i < NODES; i++) {
		if (!pair->engines[i])
			continue;
		for (uint32_t l = 0; l < tern_engine_lcores(pair->engines[i]); l++)
			tern_lcore_poll(tern_engine_lcore(pair->engines[i], l));
		if (pair->selves[i])
			tern_thread_poll(pair->selves[i]);
		tern_engine_advance(pair->engines[i], STEP_NS);
	}
}

#define UNTIL_BOTH(pair, condition)                                           \
	do {                                                                  \
		uint32_t steps = 0;                                           \
		for (; !(condition) && steps < 3000000; steps++)              \
			step(pair);                                           \
		if (!(condition))                                             \
			fail_msg("line %d: never: %s", __LINE__, #condition); \
	} while (0)

static void close_engine(struct pair *pair, int i)
{
	struct tern_stop_report report;
	if (pair->selves[i])
		tern_thread_detach(pair->selves[i]);
	pair->selves[i] = NULL;
	int code = tern_engine_stop(pair->engines[i], 1000000000, &report);
	pair->engines[i] = NULL;
	assert_int_equal(code, 0);
	assert_int_equal(report.blocks_leaked, 0);
}

static void close_pair(struct pair *pair)
{
	for (int i = 0; i < 200; i++)
		step(pair);
	/* So that no frame outlives the pool that it is of. */
	pair->ends[0].is_cut = pair->ends[1].is_cut = true;
	wire_drain(pair->ends);
	for (int i = 0; i < NODES; i++)
		if (pair->engines[i])
			close_engine(pair, i);
	wire_drain(pair->ends);
}

/* Counts what comes, and that it comes in order from each sender. */
struct counter {
	uint64_t handled, out_of_order, bytes, wrong, returned, unknown, released;
	uint64_t next[8];
};

struct numbered {
	uint64_t sender, number;
};

static void count_signal(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	struct counter *counter = state;
	const struct numbered *numbered = tern_signal_data(signal);
	tern_iso *iso = tern_signal_take_iso(signal);
	const tern_val *val = tern_signal_take_val(signal);
	(void)self;
	if (iso)
		numbered = tern_iso_data(iso);
	if (val)
		numbered = tern_val_data(val);
	counter->out_of_order += numbered->number != counter->next[numbered->sender];
	counter->next[numbered->sender] = numbered->number + 1;
	size_t size = iso ? tern_block_size(iso) : val ? tern_block_size(val) : 0;
	for (size_t i = sizeof(*numbered); i < size; i++)
		counter->wrong += ((const unsigned char *)numbered)[i] !=
				  (unsigned char)(numbered->number + i);
	counter->bytes += size;
	tern_iso_drop(tern_heap(self), iso);
	tern_val_drop(tern_heap(self), val);
	counter->handled++;
}

static void count_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct counter *counter = state;
	(void)self;
	if (event->kind == TERN_EVENT_RETURNED) {
		counter->returned += event->returned.count;
		counter->unknown += event->returned.is_unknown ? event->returned.count : 0;
	}
	counter->released += event->kind == TERN_EVENT_RELEASED;
}

static const struct tern_behaviour counting = {
	.name = "counter", .handler = count_signal, .on_event = count_event};

/* Sends so many numbered signals as it is told to, as fast as they are taken. */
struct source {
	tern_address to;
	uint64_t sender, left, number, refused, hopeless;
	size_t size; /* of blocks; 0: by value */
	bool frozen;
	struct counter *events;
};

static int send_one(struct tern_agent *self, struct source *source)
{
	struct numbered numbered = {.sender = source->sender, .number = source->number};
	if (!source->size)
		return tern_signal_bytes(self, source->to, 1, &numbered, sizeof(numbered));
	tern_iso *iso = tern_iso_create(tern_heap(self), source->size);
	if (!iso)
		return -EAGAIN;
	unsigned char *bytes = tern_iso_data(iso);
	for (size_t i = 0; i < source->size; i++)
		bytes[i] = (unsigned char)(source->number + i);
	memcpy(bytes, &numbered, sizeof(numbered));
	if (source->frozen) {
		const tern_val *val = tern_signal_val(self, source->to, 1, tern_iso_freeze(iso));
		tern_val_drop(tern_heap(self), val);
		return val ? -tern_errno : 0;
	}
	iso = tern_signal_iso(self, source->to, 1, iso);
	int code = iso ? -tern_errno : 0;
	tern_iso_drop(tern_heap(self), iso);
	return code;
}

static void pump(struct tern_agent *self, struct source *source)
{
	while (source->left) {
		int code = send_one(self, source);
		if (code != 0) {
			source->refused += code == -EAGAIN;
			source->hopeless += code == -EHOSTUNREACH;
			return;
		}
		source->left--;
		source->number++;
	}
}

static void pump_signal(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	(void)signal;
	pump(self, state);
}

static void pump_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct source *source = state;
	count_event(self, source->events, event);
	if (event->kind == TERN_EVENT_RELEASED)
		pump(self, source);
}

static const struct tern_behaviour pumping = {
	.name = "source", .handler = pump_signal, .on_event = pump_event};

static void start_source(struct pair *pair, int node, tern_address source)
{
	uint64_t nothing = 0;
	assert_int_equal(tern_signal_bytes(pair->selves[node], source, 0, &nothing, 8), 0);
}

static void run_stream(uint32_t lcores_a, uint32_t lcores_b, size_t size, bool frozen,
		       uint32_t lose_every, uint64_t count)
{
	struct pair pair = {0};
	struct counter counter = {0}, events = {0};
	open_pair(&pair, lcores_a, lcores_b, NULL);
	attach_both(&pair, &counting, &events);
	tern_address there = spawn_on(pair.selves[1], lcores_b - 1, &counting, &counter);
	assert_int_equal(tern_address_node(there), 2);
	UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
	pair.ends[0].lose_every = pair.ends[1].lose_every = lose_every;
	struct source sources[4];
	for (uint32_t i = 0; i < lcores_a; i++) {
		sources[i] = (struct source){.to = there,
					     .sender = i,
					     .left = count,
					     .size = size,
					     .frozen = frozen,
					     .events = &events};
		start_source(&pair, 0, spawn_on(pair.selves[0], i, &pumping, &sources[i]));
	}
	UNTIL_BOTH(&pair, counter.handled == lcores_a * count);
	assert_int_equal(counter.out_of_order, 0);
	assert_int_equal(counter.wrong, 0);
	assert_int_equal(counter.bytes, lcores_a * count * size);
	assert_int_equal(events.returned, 0);
	pair.ends[0].lose_every = pair.ends[1].lose_every = 0;
	close_pair(&pair);
}

static void test_signals_arrive_once_and_in_order(void **state)
{
	(void)state;
	run_stream(1, 1, 0, false, 0, 50000);
}

static void test_loss_is_made_good(void **state)
{
	(void)state;
	run_stream(1, 1, 0, false, 7, 20000);
}

static void test_lcores_need_not_be_as_many(void **state)
{
	(void)state;
	run_stream(3, 2, 0, false, 50, 10000);
	run_stream(2, 3, 0, false, 50, 10000);
}

static void test_blocks_arrive_whole(void **state)
{
	(void)state;
	run_stream(1, 1, 100, false, 0, 2000);
	run_stream(1, 1, 1400, true, 11, 1000);
	run_stream(2, 1, 60000, false, 13, 200);
	run_stream(1, 2, 60000, true, 0, 200);
}

/* They run on whichever lcore has time, and each lcore has a link of its own. */
static void test_roaming_agents_keep_their_order(void **state)
{
	(void)state;
	struct pair pair = {0};
	struct counter counter = {0}, events = {0};
	open_pair(&pair, 2, 1, NULL);
	attach_both(&pair, &counting, &events);
	tern_address there = spawn_on(pair.selves[1], 0, &counting, &counter);
	UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
	pair.ends[0].lose_every = 20;
	struct source sources[8];
	tern_address addresses[8];
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	options.roaming = true;
	options.lcore = 0;
	for (uint64_t i = 0; i < 8; i++) {
		sources[i] = (struct source){.to = there, .sender = i, .events = &events};
		assert_int_equal(
			tern_spawn(pair.selves[0], &pumping, &sources[i], &options, &addresses[i]),
			0);
	}
	/* Each is woken again and again, sends a few, and is to move when that has arrived. */
	for (uint32_t round = 0; round < 3000; round++) {
		for (int i = 0; i < 8; i++) {
			sources[i].left += 3;
			start_source(&pair, 0, addresses[i]);
			uint32_t slot = tern_address_slot(addresses[i]);
			tern_store(&pair.engines[0]->profiles[slot].move_to, 1 + round / 3 % 2);
		}
		for (uint32_t i = 0; i <= round % 30; i++)
			step(&pair);
	}
	UNTIL_BOTH(&pair, counter.handled == 8 * 9000);
	assert_int_equal(counter.out_of_order, 0);
	struct tern_lcore_stats stats;
	tern_lcore_stats(pair.engines[0], 1, &stats);
	assert_true(stats.sent_away > 0);
	pair.ends[0].lose_every = 0;
	close_pair(&pair);
}

static void offer_quotes(struct tern_agent *self, void *state)
{
	struct counter *counter = state;
	counter->wrong += tern_offer(self, "quotes") != 0;
}

static const struct tern_behaviour quoting = {
	.name = "quoter", .handler = count_signal, .on_start = offer_quotes};

/* Who is looked for and not here is asked for at the other node, by its name or by what it can do.
 */
static void test_agents_of_other_nodes_are_found_by_name_and_capability(void **state)
{
	(void)state;
	struct pair pair = {0};
	struct counter counter = {0}, events = {0};
	open_pair(&pair, 1, 2, NULL);
	attach_both(&pair, &counting, &events);
	UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	tern_address there, found = TERN_ADDRESS_NONE;
	options.name = "far";
	options.lcore = 1;
	assert_int_equal(tern_spawn(pair.selves[1], &quoting, &counter, &options, &there), 0);
	UNTIL_BOTH(&pair, tern_find(pair.selves[0], "far", &found) == 0);
	assert_int_equal(found, there);
	struct numbered numbered = {0};
	assert_int_equal(
		tern_signal_id(pair.selves[0], tern_name_id("far"), 1, &numbered, sizeof(numbered)),
		0);
	UNTIL_BOTH(&pair, counter.handled == 1);
	UNTIL_BOTH(&pair, tern_providers(pair.selves[0], "quotes", &found, 1) == 1);
	assert_int_equal(found, there);
	assert_int_equal(counter.wrong, 0);
	/* Its end is heard of. */
	assert_int_equal(tern_agent_stop(pair.selves[1], there), 0);
	UNTIL_BOTH(&pair, tern_find(pair.selves[0], "far", &found) == -ENOENT);
	close_pair(&pair);
}

/* What a thread sends to a node that it has no link to goes by an lcore. */
static void test_threads_send_and_are_sent_to(void **state)
{
	(void)state;
	struct pair pair = {0};
	struct counter counters[2] = {0};
	open_pair(&pair, 2, 1, NULL);
	for (int i = 0; i < NODES; i++)
		pair.selves[i] = tern_thread_attach(pair.engines[i], &counting, &counters[i]);
	UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
	struct numbered numbered = {0};
	for (; numbered.number < 5000; numbered.number++)
		for (int i = 0; i < NODES; i++)
			while (tern_signal_bytes(pair.selves[i], tern_self(pair.selves[1 - i]), 1,
						 &numbered, sizeof(numbered)) != 0)
				step(&pair);
	UNTIL_BOTH(&pair, counters[0].handled == 5000 && counters[1].handled == 5000);
	assert_int_equal(counters[0].out_of_order + counters[1].out_of_order, 0);
	close_pair(&pair);
}

static void test_what_nobody_takes_comes_back(void **state)
{
	(void)state;
	struct pair pair = {0};
	struct counter counter = {0}, events = {0};
	open_pair(&pair, 1, 2, NULL);
	attach_both(&pair, &counting, &events);
	UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
	tern_address gone = spawn_on(pair.selves[1], 1, &counting, &counter);
	assert_int_equal(tern_agent_stop(pair.selves[1], gone), 0);
	UNTIL_BOTH(&pair, !tern_agent_alive(pair.selves[1], gone));
	const tern_address dead[] = {gone, tern_address_make(2, 900, 77),
				     tern_address_make(2, TERN_AGENTS_MAX - 1, 1)};
	struct numbered numbered = {0};
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			tern_signal_bytes(pair.selves[0], dead[i], 1, &numbered, sizeof(numbered)),
			0);
	tern_iso *iso = tern_iso_create(tern_heap(pair.selves[0]), 3000);
	memset(tern_iso_data(iso), 0, 3000);
	assert_null(tern_signal_iso(pair.selves[0], gone, 1, iso));
	UNTIL_BOTH(&pair, events.returned == 4);
	assert_int_equal(events.unknown, 0);
	assert_int_equal(counter.handled, 0);
	close_pair(&pair);
}

static void test_where_no_node_is_nothing_is_taken(void **state)
{
	(void)state;
	struct pair pair = {0};
	struct counter events = {0};
	struct numbered numbered = {0};
	open_pair(&pair, 1, 1, NULL);
	pair.selves[0] = tern_thread_attach(pair.engines[0], &counting, &events);
	assert_int_equal(tern_signal_bytes(pair.selves[0], tern_address_make(3, 900, 1), 1,
					   &numbered, sizeof(numbered)),
			 -EHOSTUNREACH);
	/* A member, but not connected yet: an agent is told at once, a thread by what comes back.
	 */
	struct source source = {.to = tern_address_make(2, 900, 1), .left = 1, .events = &events};
	tern_address agent = spawn_on(pair.selves[0], 0, &pumping, &source);
	pair.ends[0].is_cut = true;
	start_source(&pair, 0, agent);
	UNTIL_BOTH(&pair, source.hopeless == 1);
	assert_int_equal(tern_signal_bytes(pair.selves[0], tern_address_make(2, 900, 1), 1,
					   &numbered, sizeof(numbered)),
			 0);
	UNTIL_BOTH(&pair, events.returned == 1);
	close_pair(&pair);
}

/* Takes what it is sent only as it is told to. */
static void test_who_refuses_presses_only_those_who_send_to_it(void **state)
{
	(void)state;
	struct pair pair = {0};
	struct counter slow = {0}, quick = {0}, events = {0};
	open_pair(&pair, 1, 1, NULL);
	attach_both(&pair, &counting, &events);
	tern_address addresses[] = {spawn_on(pair.selves[1], 0, &counting, &slow),
				    spawn_on(pair.selves[1], 0, &counting, &quick)};
	UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
	assert_int_equal(tern_agent_pause(pair.selves[1], addresses[0]), 0);
	for (int i = 0; i < 100; i++)
		step(&pair);
	struct source sources[2];
	for (int i = 0; i < 2; i++) {
		sources[i] = (struct source){
			.to = addresses[i], .sender = 0, .left = 100000, .events = &events};
		start_source(&pair, 0, spawn_on(pair.selves[0], 0, &pumping, &sources[i]));
	}
	UNTIL_BOTH(&pair, quick.handled == 100000);
	struct tern_agent_stats stats;
	assert_int_equal(tern_agent_stats(pair.engines[1], addresses[0], &stats), 0);
	assert_int_equal(slow.handled, 0);
	assert_true(sources[0].refused > 0);
	/* Its high water, and what was on its way when its senders were told. */
	assert_in_range(stats.queued, 800, 20000);
	assert_int_equal(tern_agent_resume(pair.selves[1], addresses[0]), 0);
	UNTIL_BOTH(&pair, slow.handled == 100000);
	assert_int_equal(slow.out_of_order + quick.out_of_order, 0);
	assert_int_equal(events.returned, 0);
	close_pair(&pair);
}

static uint64_t lost_signals(const struct tern_engine *engine)
{
	uint64_t lost = 0;
	struct tern_lcore_stats stats;
	for (uint32_t i = 0; i < tern_engine_lcores(engine); i++) {
		tern_lcore_stats(engine, i, &stats);
		lost += stats.lost;
	}
	return lost;
}

/* Each signal is handled, or comes back marked, when a node is lost with signals under way. */
static void test_a_lost_node_gives_back_what_it_did_not_acknowledge(void **state)
{
	(void)state;
	struct pair pair = {0};
	struct counter counter = {0}, events = {0};
	open_pair(&pair, 1, 1, NULL);
	attach_both(&pair, &counting, &events);
	tern_address there = spawn_on(pair.selves[1], 0, &counting, &counter);
	UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
	struct source source = {.to = there, .left = 400000, .events = &events};
	start_source(&pair, 0, spawn_on(pair.selves[0], 0, &pumping, &source));
	UNTIL_BOTH(&pair, counter.handled >= 10000);
	pair.ends[0].is_cut = pair.ends[1].is_cut = true;
	UNTIL_BOTH(&pair, !tern_node_connected(pair.engines[0], 2));
	for (int i = 0; i < 1000; i++)
		step(&pair);
	assert_true(events.returned > 0);
	assert_int_equal(lost_signals(pair.engines[0]), 0);
	/* What arrived and was not acknowledged is counted twice: as handled, and as unknown. */
	assert_in_range(counter.handled + events.returned, source.number,
			source.number + events.unknown);
	assert_int_equal(counter.out_of_order, 0);
	/* It comes again. */
	pair.ends[0].is_cut = pair.ends[1].is_cut = false;
	UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
	uint64_t before = counter.handled;
	struct numbered numbered = {.sender = 1};
	assert_int_equal(tern_signal_bytes(pair.selves[0], there, 1, &numbered, sizeof(numbered)),
			 0);
	UNTIL_BOTH(&pair, counter.handled > before);
	close_pair(&pair);
}

/* A node that stops says so; one that starts again in its place is connected to, by new sessions.
 */
static void test_a_node_may_stop_and_start_again(void **state)
{
	(void)state;
	struct pair pair = {0};
	struct counter events = {0};
	open_pair(&pair, 2, 2, NULL);
	attach_both(&pair, &counting, &events);
	for (uint32_t round = 0; round < 6; round++) {
		uint32_t which = round % 2;
		UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
		for (int i = 0; i < 200; i++)
			step(&pair);
		close_engine(&pair, (int)which);
		UNTIL_BOTH(&pair, !tern_node_connected(pair.engines[1 - which], which + 1));
		wire_drain(pair.ends);
		open_engine(&pair, which, 2, NULL);
		pair.selves[which] = tern_thread_attach(pair.engines[which], &counting, &events);
	}
	UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
	struct tern_peer peer;
	assert_int_equal(tern_node_peers(pair.engines[0], &peer, 1), 1);
	assert_int_equal(peer.node, 2);
	assert_int_equal(peer.lcores, 2);
	assert_int_equal(peer.links_open, 2);
	close_pair(&pair);
}

static void test_faults_by_configuration_are_made_good(void **state)
{
	(void)state;
	struct pair pair = {0};
	struct counter counter = {0}, events = {0};
	open_pair(&pair, 1, 1, "node.fault=loss=5%,duplicate=10%,reorder=10%,corrupt=2%");
	attach_both(&pair, &counting, &events);
	tern_address there = spawn_on(pair.selves[1], 0, &counting, &counter);
	UNTIL_BOTH(&pair, nodes_are_connected(pair.engines));
	struct source source = {.to = there, .left = 20000, .events = &events};
	start_source(&pair, 0, spawn_on(pair.selves[0], 0, &pumping, &source));
	UNTIL_BOTH(&pair, counter.handled == 20000);
	assert_int_equal(counter.out_of_order, 0);
	assert_int_equal(events.returned, 0);
	struct tern_peer peer;
	assert_int_equal(tern_node_peers(pair.engines[0], &peer, 1), 1);
	assert_true(peer.retransmitted > 0);
	close_pair(&pair);
}

static void test_lcores_do_not_share_a_queue(void **state)
{
	(void)state;
	struct wire_end ends[2];
	const uint16_t queues[] = {1, 1};
	struct tern_config config;
	struct tern_error error = {0};
	struct tern_engine *engine = NULL;
	wire_join(ends, queues);
	tern_config_init(&config);
	config.mode = TERN_MODE_POLLED;
	config.lcore_count = 2;
	config.lcores[1] = 1;
	config.node = 1;
	snprintf(config.members, sizeof(config.members), "%s", members_path);
	config.port = &ends[0].port;
	assert_int_equal(tern_engine_start(&engine, &config, &error), -ENOSPC);
	assert_non_null(strstr(error.text, "wire has 1 pairs of queues and 2 lcores"));
	assert_null(engine);
}

static void test_a_wrong_configuration_is_refused_and_leaves_nothing(void **state)
{
	static const struct {
		const char *set, *says;
	} cases[] = {{"node.id=3", "node.id is 3"},
		     {"node.address=10.0.0", "node.address"},
		     {"node.fault=loss=101%", "loss"},
		     {"node.members=/nonexistent/nodes", "/nonexistent/nodes"}};
	(void)state;
	struct wire_end ends[2];
	const uint16_t queues[] = {1, 1};
	wire_join(ends, queues);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tern_config config;
		struct tern_error error = {0};
		struct tern_engine *engine = NULL;
		tern_config_init(&config);
		config.mode = TERN_MODE_POLLED;
		config.node = 1;
		snprintf(config.members, sizeof(config.members), "%s", members_path);
		config.port = &ends[0].port;
		assert_int_equal(tern_config_set(&config, cases[i].set, &error), 0);
		assert_true(tern_engine_start(&engine, &config, &error) < 0);
		if (!strstr(error.text, cases[i].says))
			fail_msg("%s: %s", cases[i].set, error.text);
		assert_null(engine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_arrive_once_and_in_order),
		cmocka_unit_test(test_loss_is_made_good),
		cmocka_unit_test(test_lcores_need_not_be_as_many),
		cmocka_unit_test(test_blocks_arrive_whole),
		cmocka_unit_test(test_roaming_agents_keep_their_order),
		cmocka_unit_test(test_agents_of_other_nodes_are_found_by_name_and_capability),
		cmocka_unit_test(test_threads_send_and_are_sent_to),
		cmocka_unit_test(test_what_nobody_takes_comes_back),
		cmocka_unit_test(test_where_no_node_is_nothing_is_taken),
		cmocka_unit_test(test_who_refuses_presses_only_those_who_send_to_it),
		cmocka_unit_test(test_a_lost_node_gives_back_what_it_did_not_acknowledge),
		cmocka_unit_test(test_a_node_may_stop_and_start_again),
		cmocka_unit_test(test_faults_by_configuration_are_made_good),
		cmocka_unit_test(test_lcores_do_not_share_a_queue),
		cmocka_unit_test(test_a_wrong_configuration_is_refused_and_leaves_nothing),
	};
	return run_with_two_nodes(tests);
}
