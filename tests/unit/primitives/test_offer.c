/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: who offers a capability is found by it as long as it offers it, lives and can take signals,
 * and by nothing else.
 * Method: agents that offer when they are told to, looked for from a thread; polled and threaded.
 */
#include "tests/unit/support.h"

enum { AGENTS = 40, FOUND_MAX = 64 };

enum { OFFER, WITHDRAW };

struct actor {
	int code; /* of the last call */
	uint64_t done;
};

TERN_HANDLER(static, on_order)
{
	struct actor *actor = state;
	const char *capability = (const char *)signal->payload.bytes;
	actor->code = signal->type == OFFER ? tern_offer(self, capability)
					    : tern_withdraw(self, capability);
	note(&actor->done);
}

static const struct tern_behaviour actor_behaviour = {.name = "actor", .handler = on_order};

/* One that offers, and then reads nothing. */
TERN_FIBER(static, sleeps)
{
	struct actor *actor = state;
	actor->code = tern_offer(self, "quotes");
	note(&actor->done);
	tern_sleep(self, TERN_FOREVER);
	return 0;
}

static const struct tern_behaviour sleeper_behaviour = {.name = "sleeper", .fiber = sleeps};

struct company {
	struct world *world;
	struct actor *actors;
	tern_address agents[AGENTS];
};

static struct company *open_company(struct world *world)
{
	struct company *company = world_memory(world, sizeof(*company));
	company->world = world;
	company->actors = world_memory(world, AGENTS * sizeof(struct actor));
	for (uint32_t i = 0; i < AGENTS; i++)
		company->agents[i] = spawn_on(world->self, i % tern_engine_lcores(world->engine),
					      &actor_behaviour, &company->actors[i]);
	return company;
}

/* What an agent's call came to. */
static int order(struct company *company, uint32_t i, uint16_t type, const char *capability)
{
	struct actor *actor = &company->actors[i];
	uint64_t before = seen(&actor->done);
	assert_int_equal(tern_signal_bytes(company->world->self, company->agents[i], type,
					   capability, strlen(capability) + 1),
			 0);
	UNTIL(company->world, seen(&actor->done) > before);
	return actor->code;
}

static uint32_t providers(struct company *company, const char *capability, tern_address *found)
{
	return tern_providers(company->world->self, capability, found, FOUND_MAX);
}

static bool provides(struct company *company, uint32_t i, const char *capability)
{
	tern_address found[FOUND_MAX];
	uint32_t count = providers(company, capability, found);
	for (uint32_t at = 0; at < count; at++)
		if (found[at] == company->agents[i])
			return true;
	return false;
}

static void who_offers_is_found(void **state)
{
	struct company *company = open_company(*state);
	tern_address found[FOUND_MAX];
	assert_int_equal(providers(company, "quotes", found), 0);
	for (uint32_t i = 0; i < AGENTS; i++)
		assert_int_equal(order(company, i, OFFER, i % 2 ? "quotes" : "orders"), 0);
	assert_int_equal(order(company, 1, OFFER, "quotes"), -EEXIST);
	assert_int_equal(providers(company, "quotes", found), AGENTS / 2);
	for (uint32_t i = 0; i < AGENTS / 2; i++)
		assert_int_equal(found[i], company->agents[2 * i + 1]);
	assert_int_equal(tern_providers(company->world->self, "quotes", found, 3), 3);
	assert_int_equal(order(company, 1, WITHDRAW, "quotes"), 0);
	assert_int_equal(order(company, 1, WITHDRAW, "quotes"), -ENOENT);
	assert_int_equal(order(company, 2, WITHDRAW, "quotes"), -ENOENT);
	assert_int_equal(providers(company, "quotes", found), AGENTS / 2 - 1);
	assert_true(provides(company, 0, "orders"));
	assert_false(provides(company, 1, "quotes"));
}

static void who_ends_is_found_no_more(void **state)
{
	struct company *company = open_company(*state);
	assert_int_equal(order(company, 0, OFFER, "quotes"), 0);
	assert_int_equal(order(company, 0, OFFER, "orders"), 0);
	assert_int_equal(order(company, 1, OFFER, "quotes"), 0);
	assert_int_equal(tern_agent_stop(company->world->self, company->agents[0]), 0);
	UNTIL(company->world, !provides(company, 0, "quotes") && !provides(company, 0, "orders"));
	assert_true(provides(company, 1, "quotes"));
	/* Another agent in its place has nothing of it. */
	tern_address next =
		spawn_on(company->world->self, 0, &actor_behaviour, &company->actors[0]);
	company->agents[0] = next;
	assert_false(provides(company, 0, "quotes"));
}

static void who_is_paused_is_left_out(void **state)
{
	struct company *company = open_company(*state);
	struct world *world = company->world;
	assert_int_equal(order(company, 0, OFFER, "quotes"), 0);
	assert_int_equal(order(company, 1, OFFER, "quotes"), 0);
	assert_int_equal(tern_agent_pause(world->self, company->agents[1]), 0);
	UNTIL(world, !provides(company, 1, "quotes"));
	assert_true(provides(company, 0, "quotes"));
	assert_int_equal(tern_agent_resume(world->self, company->agents[1]), 0);
	UNTIL(world, provides(company, 1, "quotes"));
}

static void who_is_above_high_water_is_left_out(void **state)
{
	struct company *company = open_company(*state);
	struct world *world = company->world;
	struct actor *actor = &company->actors[0];
	struct tern_spawn_options small = {.lcore = 0, .capacity = 10, .high_water = 5};
	tern_address sleeper;
	assert_int_equal(tern_spawn(world->self, &sleeper_behaviour, actor, &small, &sleeper), 0);
	company->agents[0] = sleeper;
	UNTIL(world, seen(&actor->done) == 1);
	assert_int_equal(actor->code, 0);
	assert_true(provides(company, 0, "quotes"));
	for (int i = 0; i < 5; i++)
		assert_int_equal(tern_signal_bytes(world->self, sleeper, 0, NULL, 0), 0);
	UNTIL(world, !provides(company, 0, "quotes"));
	assert_int_equal(tern_agent_stop(world->self, sleeper), 0);
	UNTIL(world, !tern_agent_alive(world->self, sleeper));
}

static void a_thread_offers_too(void **state)
{
	struct company *company = open_company(*state);
	struct world *world = company->world;
	struct tern_agent *thread = tern_thread_attach(world->engine, NULL, NULL);
	tern_address found[FOUND_MAX], own = tern_self(thread);
	assert_non_null(thread);
	assert_int_equal(tern_offer(thread, "gateway"), 0);
	assert_int_equal(providers(company, "gateway", found), 1);
	assert_int_equal(found[0], own);
	tern_thread_detach(thread);
	assert_int_equal(providers(company, "gateway", found), 0);
}

static void names_have_limits(void **state)
{
	struct world *world = *state;
	tern_address found[1];
	char longest[TERN_CAPABILITY_MAX + 2];
	memset(longest, 'x', sizeof(longest));
	longest[TERN_CAPABILITY_MAX + 1] = '\0';
	assert_int_equal(tern_offer(world->self, longest), -EINVAL);
	assert_int_equal(tern_withdraw(world->self, longest), -EINVAL);
	assert_int_equal(tern_providers(world->self, longest, found, 1), 0);
	longest[TERN_CAPABILITY_MAX] = '\0';
	assert_int_equal(tern_offer(world->self, longest), 0);
	assert_int_equal(tern_providers(world->self, longest, found, 1), 1);
	assert_int_equal(tern_offer(world->self, ""), -EINVAL);
	assert_int_equal(tern_withdraw(world->self, longest), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(who_offers_is_found),	 BOTH(who_ends_is_found_no_more),
		BOTH(who_is_paused_is_left_out), BOTH(who_is_above_high_water_is_left_out),
		BOTH(a_thread_offers_too),	 BOTH(names_have_limits),
	};
	return cmocka_run_group_tests_name("offer", tests, NULL, NULL);
}
