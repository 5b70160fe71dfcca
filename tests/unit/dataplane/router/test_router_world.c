/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: routers of several nodes that hear of each other through a network which loses, delays,
 * reorders and repeats, whose agents come, go and move, and which are started anew, come to hold
 * the same once it is quiet: all that lives, and nothing that has ended; also where hardly any end
 * can be remembered. Every change that was lost on the way counts as lacking until it has come, or
 * a peer has told all that it knows; and in the end none does.
 * Method: 2 to 8 nodes on a virtual clock, over seeds: each broadcasts its changes, tells its
 * agents again from time to time, and compares with a peer; who is asked answers with all that it
 * holds. The first argument gives the number of seeds, the second the first one.
 */
#include "tests/unit/dataplane/recorder.h"

#include "capabilities/sanitizer.h"

enum { NODES_MAX = 8, AGENTS = 16, VERSIONS = NODES_MAX + 1 };

#define MS 1000000ull
#define TTL (4 * SECOND)
#define BUSY_FOR (12 * SECOND)
/* A steady route's time, that of an end remembered last, and a comparison with every peer. */
#define QUIET_FOR (6 * TTL + 8 * SECOND)
#define STEP (50 * MS)

#if TERN_ASAN || TERN_TSAN
static uint64_t seeds = 100;
#else
static uint64_t seeds = 2000;
#endif
static uint64_t first_seed = 1;

enum kind { KIND_UPDATE, KIND_VERSIONS, KIND_ASK, KIND_ANSWER };

struct message {
	struct message *next;
	uint64_t at;
	enum kind kind;
	uint16_t to, from, node;
	uint64_t version; /* asked: above it; answered: told up to there */
	uint32_t count;	  /* of updates */
	uint64_t versions[VERSIONS];
	struct tern_update updates[];
};

/* A change that did not reach a node. */
struct loss {
	struct loss *next;
	uint16_t to, origin;
	uint64_t version;
};

struct node {
	struct cluster *world;
	struct tern_router *router;
	uint16_t number;
	uint32_t turn; /* whom it compares with */
};

struct cluster {
	struct node nodes[NODES_MAX + 1]; /* from 1 */
	uint16_t node_count;
	uint16_t home[AGENTS]; /* 0: nowhere */
	uint64_t now, seed;
	uint64_t keys[2]; /* of the hash */
	struct tern_rng rng;
	struct message *messages;
	struct loss *losses;
	uint32_t loss_percent, absent_max;
	uint32_t lost, refused; /* changes; ends that could not be told */
};

static uint64_t world_now(void *context)
{
	return ((struct node *)context)->world->now;
}

static struct message *make_message(uint32_t count)
{
	struct message *message = calloc(1, sizeof(*message) + count * sizeof(struct tern_update));
	assert_non_null(message);
	message->count = count;
	return message;
}

/* Late by up to 300 ms, so that it may overtake others. */
static void post(struct cluster *world, struct message *message)
{
	message->at = world->now + 1 + pick(&world->rng, 300) * MS;
	message->next = world->messages;
	world->messages = message;
}

static bool is_lucky(struct cluster *world)
{
	return pick(&world->rng, 100) >= world->loss_percent;
}

static void note_loss(struct cluster *world, const struct tern_update *update, uint16_t to)
{
	struct loss *loss = calloc(1, sizeof(*loss));
	assert_non_null(loss);
	*loss = (struct loss){.next = world->losses,
			      .to = to,
			      .origin = update->origin,
			      .version = update->version};
	world->losses = loss;
	world->lost++;
}

static void send_update(struct node *node, const struct tern_update *update, uint16_t to,
			bool is_new)
{
	struct cluster *world = node->world;
	uint32_t copies = is_lucky(world) ? 1 + (pick(&world->rng, 20) == 0) : 0;
	if (copies == 0 && is_new)
		note_loss(world, update, to);
	for (uint32_t i = 0; i < copies; i++) {
		struct message *message = make_message(1);
		message->kind = KIND_UPDATE;
		message->to = to;
		message->from = node->number;
		message->updates[0] = *update;
		post(world, message);
	}
}

static void broadcast(struct node *node, const struct tern_update *update, bool is_new)
{
	struct cluster *world = node->world;
	for (uint16_t to = 1; to <= world->node_count; to++)
		if (to != node->number)
			send_update(node, update, to, is_new);
}

static void tell_again(void *context, const struct tern_update *update)
{
	broadcast(context, update, false);
}

static void tell_own(struct node *node)
{
	struct tern_news_cursor cursor = {0};
	while (tern_router_news(node->router, node->number, 0, &cursor, tell_again, node))
		;
}

static void ask(void *context, uint16_t peer, uint16_t about, uint64_t have, uint64_t told)
{
	struct node *node = context;
	(void)told;
	if (!is_lucky(node->world))
		return;
	struct message *message = make_message(0);
	message->kind = KIND_ASK;
	message->to = peer;
	message->from = node->number;
	message->node = about;
	message->version = have;
	post(node->world, message);
}

struct answer {
	uint32_t count;
	struct tern_update updates[2 * AGENTS];
};

static void add_to_answer(void *context, const struct tern_update *update)
{
	struct answer *answer = context;
	assert_in_range(answer->count, 0, 2 * AGENTS - 1);
	answer->updates[answer->count++] = *update;
}

/* All that is held, in one piece: it comes whole or not at all. */
static void answer_question(struct node *node, const struct message *question)
{
	struct answer answer = {0};
	struct tern_news_cursor cursor = {0};
	uint64_t complete = tern_router_complete(node->router, question->node);
	while (tern_router_news(node->router, question->node, question->version, &cursor,
				add_to_answer, &answer))
		;
	if (!is_lucky(node->world))
		return;
	struct message *message = make_message(answer.count);
	message->kind = KIND_ANSWER;
	message->to = question->from;
	message->node = question->node;
	message->version = complete;
	memcpy(message->updates, answer.updates, answer.count * sizeof(answer.updates[0]));
	post(node->world, message);
}

static const struct tern_router_calls world_calls = {.now = world_now, .reconcile = ask};

static void open_router(struct cluster *world, uint16_t number, uint64_t version)
{
	struct node *node = &world->nodes[number];
	const struct tern_router_options options = {
		.node = number,
		.table = {.routes_max = 4 * AGENTS, .seed = world->keys},
		.absent_max = world->absent_max,
		.members_max = 256,
		.remote_ttl_ns = TTL,
		.drift_ns = SECOND / 2,
		.version = version,
		.calls = &world_calls,
		.context = node};
	node->world = world;
	node->number = number;
	node->router = make_router(&options);
}

static void tell_change(struct node *node, uint32_t agent, tern_address address)
{
	struct tern_update update;
	int code = tern_router_publish(node->router, number_id(agent), address, &update);
	if (code == 0)
		broadcast(node, &update, true);
	else
		assert_int_equal(code, -ENOSPC);
	node->world->refused += code != 0;
}

static void end_agent(struct cluster *world, uint32_t agent)
{
	struct node *node = &world->nodes[world->home[agent]];
	assert_int_equal(tern_table_remove(tern_router_table(node->router), number_id(agent), 0),
			 0);
	world->home[agent] = 0;
	tell_change(node, agent, TERN_ADDRESS_NONE);
}

/* Each life at an address of its own. Who holds that it lives elsewhere does not start it. */
static void start_agent(struct cluster *world, uint32_t agent, uint16_t to)
{
	const struct tern_route route = {
		.id = number_id(agent),
		.address = tern_address_make(0, agent, 1 + (uint32_t)(world->now / STEP)),
		.expires_ns = TERN_ROUTE_FOREVER};
	struct node *node = &world->nodes[to];
	if (tern_table_put(tern_router_table(node->router), &route, false) != 0)
		return;
	world->home[agent] = to;
	tell_change(node, agent, route.address);
}

static void forget_losses(struct cluster *world, uint16_t node)
{
	for (struct loss **at = &world->losses; *at;) {
		struct loss *loss = *at;
		if (loss->to != node && loss->origin != node) {
			at = &loss->next;
			continue;
		}
		*at = loss->next;
		free(loss);
	}
}

/* All that it knew is lost, and its agents; what is under way to it is not. */
static void restart_node(struct cluster *world, uint16_t number)
{
	tern_router_destroy(world->nodes[number].router);
	for (uint32_t agent = 0; agent < AGENTS; agent++)
		if (world->home[agent] == number)
			world->home[agent] = 0;
	forget_losses(world, number);
	open_router(world, number, world->now / 1000);
}

static void act(struct cluster *world)
{
	uint32_t agent = pick(&world->rng, AGENTS);
	uint16_t node = (uint16_t)(1 + pick(&world->rng, world->node_count));
	if (pick(&world->rng, 60) == 0)
		restart_node(world, node);
	else if (world->home[agent])
		end_agent(world, agent);
	else
		start_agent(world, agent, node);
}

static bool has_come(const struct message *answer, const struct loss *loss)
{
	if (loss->to != answer->to)
		return false;
	if (answer->kind == KIND_ANSWER && loss->origin == answer->node &&
	    loss->version <= answer->version)
		return true;
	for (uint32_t i = 0; i < answer->count; i++)
		if (answer->updates[i].origin == loss->origin &&
		    answer->updates[i].version == loss->version)
			return true;
	return false;
}

static void settle_losses(struct cluster *world, const struct message *answer)
{
	for (struct loss **at = &world->losses; *at;) {
		struct loss *loss = *at;
		if (!has_come(answer, loss)) {
			at = &loss->next;
			continue;
		}
		*at = loss->next;
		free(loss);
	}
}

/* What cannot be held has not come: it is lacking, and so is what would be settled with it. */
static void hear_message(struct cluster *world, struct message *message)
{
	struct node *node = &world->nodes[message->to];
	struct tern_router *router = node->router;
	uint32_t held = 0;
	for (uint32_t i = 0; i < message->count; i++) {
		struct tern_update answer;
		int code = tern_router_update(router, &message->updates[i], &answer);
		if (code == TERN_REJECTED && message->kind == KIND_UPDATE && answer.version)
			send_update(node, &answer, message->from, false);
		if (code >= 0)
			message->updates[held++] = message->updates[i];
	}
	if (message->kind == KIND_ANSWER && held == message->count)
		tern_router_settle(router, message->node, message->version);
	else
		message->kind = KIND_UPDATE;
	message->count = held;
	settle_losses(world, message);
}

static void deliver(struct cluster *world, struct message *message)
{
	struct node *node = &world->nodes[message->to];
	if (message->kind == KIND_ASK)
		answer_question(node, message);
	else if (message->kind == KIND_VERSIONS)
		assert_int_equal(tern_router_compare(node->router, message->from, message->versions,
						     VERSIONS, NULL),
				 0);
	else
		hear_message(world, message);
	free(message);
}

static void deliver_due(struct cluster *world)
{
	for (struct message **at = &world->messages; *at;) {
		struct message *message = *at;
		if (message->at > world->now) {
			at = &message->next;
			continue;
		}
		*at = message->next;
		deliver(world, message);
		at = &world->messages; /* there may be new ones */
	}
}

/* Each peer in turn. */
static void send_versions(struct node *node)
{
	struct cluster *world = node->world;
	uint32_t others = world->node_count - 1u;
	struct message *message = make_message(0);
	message->kind = KIND_VERSIONS;
	message->from = node->number;
	message->to = (uint16_t)(1 + (node->number + node->turn++ % others) % world->node_count);
	for (uint16_t about = 1; about < VERSIONS; about++)
		message->versions[about] = tern_router_version(node->router, about);
	if (is_lucky(world))
		post(world, message);
	else
		free(message);
}

/* No loss is taken to be known: it is not heard of yet, or lies above what is complete. */
static void assert_losses_found(const struct cluster *world)
{
	for (const struct loss *loss = world->losses; loss; loss = loss->next)
		if (tern_router_complete(world->nodes[loss->to].router, loss->origin) >=
		    loss->version)
			fail_msg("seed %" PRIu64 ": node %u lacks change %" PRIu64
				 " of node %u and does not know",
				 world->seed, loss->to, loss->version, loss->origin);
}

static void run_until(struct cluster *world, uint64_t end, bool busy)
{
	for (uint64_t step = 0; world->now < end; world->now += STEP, step++) {
		deliver_due(world);
		for (uint16_t number = 1; number <= world->node_count; number++) {
			struct node *node = &world->nodes[number];
			if ((step + number) % 10 == 0)
				send_versions(node);
			if ((step + number) % (TTL / STEP / 4) == 0)
				tell_own(node);
		}
		if (busy && pick(&world->rng, 2))
			act(world);
		assert_losses_found(world);
	}
}

static void assert_agent_known(const struct cluster *world, uint16_t number, uint32_t agent)
{
	tern_address address;
	uint16_t home = world->home[agent], at;
	enum tern_where where =
		tern_router_find(world->nodes[number].router, 0, number_id(agent), &address);
	at = where == TERN_WHERE_LOCAL ? number : (uint16_t)tern_address_node(address);
	if (home != (where == TERN_WHERE_UNKNOWN ? 0 : at))
		fail_msg("seed %" PRIu64 ": node %u of %u has agent %u on %u, it is on %u",
			 world->seed, number, world->node_count, agent, at, home);
	tern_address there;
	if (home == 0 || tern_router_find(world->nodes[home].router, 0, number_id(agent), &there) !=
				 TERN_WHERE_LOCAL)
		return;
	if ((uint32_t)address != (uint32_t)there)
		fail_msg("seed %" PRIu64 ": node %u has an old address of agent %u", world->seed,
			 number, agent);
}

static void assert_agreed(const struct cluster *world)
{
	for (uint16_t number = 1; number <= world->node_count; number++) {
		struct tern_router *router = world->nodes[number].router;
		for (uint32_t agent = 0; agent < AGENTS; agent++)
			assert_agent_known(world, number, agent);
		for (uint16_t about = 1; about <= world->node_count; about++)
			if (tern_router_complete(router, about) !=
			    tern_router_version(world->nodes[about].router, about))
				fail_msg("seed %" PRIu64 ": node %u has %" PRIu64
					 " of node %u, which is at %" PRIu64,
					 world->seed, number, tern_router_complete(router, about),
					 about,
					 tern_router_version(world->nodes[about].router, about));
	}
	assert_null(world->losses);
}

static struct cluster *open_world(uint64_t seed)
{
	struct cluster *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	world->seed = seed;
	world->now = SECOND;
	world->rng = tern_rng_stream(seed, 5);
	world->keys[0] = tern_rng_next(&world->rng);
	world->keys[1] = tern_rng_next(&world->rng);
	world->node_count = (uint16_t)(2 + pick(&world->rng, NODES_MAX - 1));
	world->loss_percent = pick(&world->rng, 4) * 12;
	world->absent_max = pick(&world->rng, 2) ? 1 + pick(&world->rng, 4) : 256;
	for (uint16_t number = 1; number <= world->node_count; number++)
		open_router(world, number, world->now / 1000);
	return world;
}

static void close_world(struct cluster *world)
{
	for (uint16_t number = 1; number <= world->node_count; number++) {
		tern_router_destroy(world->nodes[number].router);
		forget_losses(world, number);
	}
	for (struct message *next; world->messages; world->messages = next) {
		next = world->messages->next;
		free(world->messages);
	}
	free(world);
}

static void when_it_is_quiet_all_hold_the_same(void **state)
{
	uint64_t lost = 0, refused = 0;
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		struct cluster *world = open_world(seed);
		run_until(world, SECOND + BUSY_FOR, true);
		world->loss_percent = 0;
		run_until(world, world->now + QUIET_FOR, false);
		assert_agreed(world);
		lost += world->lost;
		refused += world->refused;
		close_world(world);
	}
	assert_true(seeds < 20 || (lost > 10 * seeds && refused > seeds));
	print_message("%" PRIu64 " changes were lost, %" PRIu64 " ends could not be remembered\n",
		      lost, refused);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(when_it_is_quiet_all_hold_the_same),
	};
	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests_name("router: a world of nodes", tests, NULL, NULL);
}
