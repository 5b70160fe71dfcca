/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a node tells it holds itself, and what it cannot hold it does not tell; what it holds
 * of any node it tells on, whole and no longer than it holds it; one lost change is asked for as
 * surely as many; a node that is started anew is told from its life before.
 * Method: a few routers under clocks that the test sets; tables and memories of few places.
 */
#include "tests/unit/dataplane/recorder.h"

static struct recorder *open_node(uint16_t node)
{
	return recorder_open((struct tern_router_options){
		.node = node, .table = {.routes_max = 64}, .absent_max = 64, .members_max = 256});
}

static int publish(struct recorder *recorder, uint64_t number, tern_address address,
		   struct tern_update *said)
{
	return tern_router_publish(recorder->router, number_id(number), address, said);
}

static uint32_t members(struct recorder *recorder, struct tern_id capability)
{
	tern_address addresses[8];
	return tern_router_providers(recorder->router, 0, capability, addresses, 8);
}

static void what_is_told_is_held(void **state)
{
	(void)state;
	struct recorder *here = open_node(1);
	struct tern_update said, unsaid = {0};
	tern_address address;
	assert_int_equal(publish(here, 3, on(0, 3), &said), 0);
	assert_int_equal(said.address, on(1, 3));
	assert_int_equal(where_is(here, 3, &address), TERN_WHERE_LOCAL);
	assert_int_equal(address, on(0, 3));
	/* The same once more is news, another life under its id is not. */
	assert_int_equal(publish(here, 3, on(0, 3), &said), 0);
	assert_int_equal(said.version, 2);
	assert_int_equal(publish(here, 3, on(0, 4), &unsaid), -EEXIST);
	assert_int_equal(publish(here, 4, on(2, 4), &unsaid), -EINVAL);
	assert_int_equal(unsaid.version, 0);
	assert_int_equal(tern_router_version(here->router, 1), 2);
	/* It was held to be elsewhere: what was known of it there goes. */
	assert_int_equal(tell(here, news(5, 2, 9)), TERN_APPLIED);
	assert_int_equal(tern_router_offer(here->router, number_id(90), number_id(5), on(2, 5)), 0);
	assert_int_equal(publish(here, 5, on(0, 5), &said), 0);
	assert_int_equal(said.version, 10);
	assert_int_equal(said.base, 9);
	assert_int_equal(where_is(here, 5, &address), TERN_WHERE_LOCAL);
	assert_int_equal(members(here, number_id(90)), 0);
	recorder_close(here);
}

static void who_ended_does_not_come_back(void **state)
{
	(void)state;
	struct recorder *here = open_node(1);
	struct tern_update said;
	assert_int_equal(publish(here, 3, on(0, 3), &said), 0);
	assert_int_equal(tern_router_offer(here->router, number_id(90), number_id(3), on(0, 3)), 0);
	assert_int_equal(publish(here, 3, TERN_ADDRESS_NONE, &said), 0);
	assert_int_equal(said.address, TERN_ADDRESS_NONE);
	assert_false(is_known(here, 3));
	assert_int_equal(members(here, number_id(90)), 0);
	/* What others told of it before, and a round of missing ids that drives it out there. */
	for (uint64_t i = 100; i < 200; i++)
		assert_false(is_known(here, i));
	struct tern_update answer;
	struct tern_update old = news(3, 2, 1);
	here->now += 31 * SECOND;
	assert_int_equal(tern_router_update(here->router, &old, &answer), TERN_REJECTED);
	assert_int_equal(answer.version, said.version);
	assert_false(is_known(here, 3));
	recorder_close(here);
}

/* Two ends can be remembered. The third is not told, until there is room. */
static void an_end_that_is_not_held_is_not_told(void **state)
{
	(void)state;
	struct recorder *here =
		recorder_open((struct tern_router_options){.absent_max = 2, .node = 1});
	struct tern_update said;
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(publish(here, i, on(0, (uint32_t)i), &said), 0);
	for (uint64_t i = 1; i <= 2; i++)
		assert_int_equal(publish(here, i, TERN_ADDRESS_NONE, &said), 0);
	assert_int_equal(publish(here, 3, TERN_ADDRESS_NONE, &said), -ENOSPC);
	assert_int_equal(tern_router_version(here->router, 1), said.version);
	assert_true(is_known(here, 3));
	/* Nor is one contradicted of which that could not be remembered. */
	struct tern_update wrong = news(9, 1, 50);
	wrong.origin = 2;
	assert_int_equal(tell(here, wrong), -ENOSPC);
	here->now += 33 * SECOND;
	assert_int_equal(publish(here, 3, TERN_ADDRESS_NONE, &said), 0);
	assert_int_equal(said.first, 6);
	recorder_close(here);
}

/* No room for a route: then it is not told that it is there. */
static void a_life_that_is_not_held_is_not_told(void **state)
{
	(void)state;
	struct recorder *here =
		recorder_open((struct tern_router_options){.node = 1, .table = {.routes_max = 4}});
	struct tern_update said;
	for (uint64_t i = 1; i <= 4; i++)
		assert_int_equal(publish(here, i, on(0, (uint32_t)i), &said), 0);
	assert_int_equal(publish(here, 5, on(0, 5), &said), -ENOSPC);
	assert_int_equal(tern_router_version(here->router, 1), 4);
	assert_int_equal(publish(here, 1, TERN_ADDRESS_NONE, &said), 0);
	assert_int_equal(publish(here, 5, on(0, 5), &said), 0);
	assert_int_equal(said.version, 6);
	recorder_close(here);
}

/* Those that left without a word make room for others. */
static void what_left_without_a_word_keeps_no_room(void **state)
{
	(void)state;
	struct recorder *here =
		recorder_open((struct tern_router_options){.node = 1, .table = {.routes_max = 64}});
	struct tern_update said;
	for (uint64_t i = 1; i <= 1000; i++) {
		assert_int_equal(publish(here, i, on(0, (uint32_t)i), &said), 0);
		assert_int_equal(
			tern_table_remove(tern_router_table(here->router), number_id(i), 0), 0);
	}
	/* Nor do routes whose time is up, for agents of this process and of others. */
	for (uint64_t i = 1; i <= 64; i++)
		assert_int_equal(tell(here, news(2000 + i, 2, i)), TERN_APPLIED);
	assert_int_equal(tell(here, news(3000, 2, 65)), -ENOSPC);
	here->now += 9 * SECOND;
	assert_int_equal(tell(here, news(3000, 2, 65)), TERN_APPLIED);
	for (uint64_t i = 1; i <= 63; i++)
		assert_int_equal(publish(here, i, on(0, (uint32_t)i), &said), 0);
	assert_int_equal(publish(here, 64, on(0, 64), &said), -ENOSPC);
	recorder_close(here);
}

/* What is known of one whose time was up is no news of its end. */
static void an_expiry_is_not_told_as_an_end(void **state)
{
	(void)state;
	struct recorder *here = open_node(1);
	struct tern_update answer;
	assert_int_equal(tell(here, news(5, 3, 10)), TERN_APPLIED);
	here->now += 9 * SECOND;
	assert_false(is_known(here, 5));
	struct tern_update older = news(5, 3, 8);
	assert_int_equal(tern_router_update(here->router, &older, &answer), TERN_REJECTED);
	assert_int_equal(answer.version, 0);
	recorder_close(here);
}

struct heard {
	uint32_t count;
	struct tern_update news[128];
};

static void hear(void *context, const struct tern_update *update)
{
	struct heard *heard = context;
	assert_in_range(heard->count, 0, 127);
	heard->news[heard->count++] = *update;
}

static struct heard told_of(struct recorder *recorder, uint16_t node, uint64_t above)
{
	struct heard heard = {0};
	struct tern_news_cursor cursor = {0};
	while (tern_router_news(recorder->router, node, above, &cursor, hear, &heard))
		;
	assert_false(tern_router_news(recorder->router, node, above, &cursor, hear, &heard));
	return heard;
}

static const struct tern_update *news_of(const struct heard *heard, uint64_t number)
{
	const struct tern_update *found = NULL;
	for (uint32_t i = 0; i < heard->count; i++)
		if (heard->news[i].id.low == number_id(number).low) {
			assert_null(found);
			found = &heard->news[i];
		}
	return found;
}

/* A peer that heard of it at a higher version takes it at no less. */
static void a_true_word_at_a_higher_version_is_adopted(void **state)
{
	(void)state;
	struct recorder *here = open_node(1), *peer = open_node(2);
	struct tern_update said, answer;
	assert_int_equal(publish(here, 5, on(0, 5), &said), 0);
	struct tern_update higher = said;
	higher.version = 100;
	higher.origin = 3;
	assert_int_equal(tell(peer, higher), TERN_APPLIED);
	assert_int_equal(tern_router_update(peer->router, &said, &answer), TERN_REJECTED);
	assert_int_equal(tell(here, answer), TERN_MERGED);
	peer->now += 7 * SECOND;
	struct heard heard = told_of(here, 1, 0);
	assert_int_equal(heard.count, 1);
	assert_int_equal(tell(peer, heard.news[0]), TERN_MERGED);
	peer->now += 7 * SECOND;
	assert_true(is_known(peer, 5));
	recorder_close(here);
	recorder_close(peer);
}

/* It lives again, started by hand: its end is not told beside. */
static void one_that_lives_again_has_not_gone(void **state)
{
	(void)state;
	struct recorder *here =
		recorder_open((struct tern_router_options){.absent_max = 1, .node = 1});
	struct tern_update said;
	const struct tern_route again = {
		.id = number_id(5), .address = on(0, 6), .expires_ns = TERN_ROUTE_FOREVER};
	assert_int_equal(publish(here, 5, on(0, 5), &said), 0);
	assert_int_equal(publish(here, 5, TERN_ADDRESS_NONE, &said), 0);
	assert_int_equal(tern_table_put(tern_router_table(here->router), &again, false), 0);
	assert_int_equal(publish(here, 5, on(0, 6), &said), 0);
	struct heard heard = told_of(here, 1, 0);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.news[0].address, on(1, 6));
	assert_int_equal(publish(here, 7, TERN_ADDRESS_NONE, &said), 0);
	recorder_close(here);
}

/* Two nodes that tell each other of an end do not remember it for longer. */
static void an_end_is_not_prolonged(void **state)
{
	(void)state;
	struct recorder *one = open_node(1), *other = open_node(3);
	struct tern_update gone = news(6, 2, 9);
	gone.address = TERN_ADDRESS_NONE;
	assert_int_equal(tell(one, gone), TERN_APPLIED);
	for (int i = 0; i < 10; i++) {
		struct heard heard = told_of(one, 2, 0);
		if (heard.count)
			assert_true(tell(other, heard.news[0]) >= 0);
		heard = told_of(other, 2, 0);
		if (heard.count)
			assert_true(tell(one, heard.news[0]) >= 0);
		one->now += 4 * SECOND;
		other->now = one->now;
	}
	assert_int_equal(told_of(one, 2, 0).count, 0);
	assert_int_equal(told_of(other, 2, 0).count, 0);
	recorder_close(one);
	recorder_close(other);
}

/* Told anew while there is no other room, an end is remembered from then on. */
static void a_later_end_is_remembered_as_long(void **state)
{
	(void)state;
	struct recorder *here =
		recorder_open((struct tern_router_options){.absent_max = 2, .node = 1});
	struct tern_update gone[3], old = news(1, 2, 9);
	for (uint64_t i = 1; i <= 2; i++) {
		gone[i] = news(i, 2, i);
		gone[i].address = TERN_ADDRESS_NONE;
		assert_int_equal(tell(here, gone[i]), TERN_APPLIED);
	}
	here->now += 31 * SECOND;
	gone[1].version = 10;
	assert_int_equal(tell(here, gone[1]), TERN_APPLIED);
	here->now += 2 * SECOND;
	/* The other one's time is up: there is room for one, not for two. */
	struct tern_update third = news(3, 2, 11), fourth = news(4, 2, 12);
	third.address = fourth.address = TERN_ADDRESS_NONE;
	assert_int_equal(tell(here, third), TERN_APPLIED);
	assert_int_equal(tell(here, fourth), -ENOSPC);
	assert_int_equal(tell(here, old), TERN_REJECTED);
	assert_false(is_known(here, 1));
	recorder_close(here);
}

static void own_news_are_told_whole(void **state)
{
	(void)state;
	struct recorder *here = recorder_open((struct tern_router_options){.node = 1});
	struct tern_update said[101], more;
	for (uint64_t i = 1; i <= 100; i++)
		assert_int_equal(publish(here, i, on(0, (uint32_t)i), &said[i]), 0);
	assert_int_equal(publish(here, 7, TERN_ADDRESS_NONE, &said[7]), 0);
	/* One that left without a word is not told to be there. */
	assert_int_equal(tern_table_remove(tern_router_table(here->router), number_id(8), 0), 0);
	assert_int_equal(tell(here, news(500, 2, 1)), TERN_APPLIED);
	struct heard heard = told_of(here, 1, 0);
	assert_int_equal(heard.count, 99);
	assert_null(news_of(&heard, 8));
	assert_int_equal(news_of(&heard, 7)->address, TERN_ADDRESS_NONE);
	for (uint64_t i = 1; i <= 100; i++) {
		const struct tern_update *found = news_of(&heard, i);
		if (i == 8)
			continue;
		assert_int_equal(found->address, said[i].address);
		assert_int_equal(found->version, said[i].version);
		assert_int_equal(found->origin, 1);
		assert_int_equal(found->left_ns == 0, i != 7);
	}
	assert_int_equal(told_of(here, 1, 90).count, 11);
	assert_int_equal(publish(here, 300, on(0, 300), &more), 0);
	assert_int_equal(told_of(here, 1, 101).count, 1);
	recorder_close(here);
}

/* A route of 8 s, told on after 3 s: less the second that the telling may take, 4 are left. */
static void news_of_others_live_no_longer(void **state)
{
	(void)state;
	struct recorder *here = open_node(1), *there = open_node(3);
	struct tern_update gone = news(6, 2, 9);
	gone.address = TERN_ADDRESS_NONE;
	assert_int_equal(tell(here, news(5, 2, 8)), TERN_APPLIED);
	assert_int_equal(tell(here, gone), TERN_APPLIED);
	here->now += 3 * SECOND;
	there->now = here->now;
	struct heard heard = told_of(here, 2, 0);
	assert_int_equal(heard.count, 2);
	assert_int_equal(news_of(&heard, 5)->left_ns, 4 * SECOND);
	assert_int_equal(news_of(&heard, 6)->left_ns, 28 * SECOND);
	assert_int_equal(tell(there, *news_of(&heard, 5)), TERN_APPLIED);
	/* Told again by others it lives on as they say, and is no steadier. */
	there->now += SECOND;
	for (int i = 0; i < 9; i++)
		assert_int_equal(tell(there, *news_of(&heard, 5)), TERN_MERGED);
	struct tern_route route;
	assert_true(tern_table_route(tern_router_table(there->router), number_id(5), &route));
	assert_int_equal(route.expires_ns, here->now + 5 * SECOND);
	assert_int_equal(route.steady, 4);
	there->now = here->now + 5 * SECOND;
	assert_false(is_known(there, 5));
	/* The answer to older news says the same. */
	struct tern_update old = news(5, 4, 1), answer;
	assert_int_equal(tern_router_update(here->router, &old, &answer), TERN_REJECTED);
	assert_int_equal(answer.left_ns, 4 * SECOND);
	/* What is about to end is not told on. */
	here->now += 4 * SECOND;
	heard = told_of(here, 2, 0);
	assert_null(news_of(&heard, 5));
	recorder_close(here);
	recorder_close(there);
}

static struct tern_consistency compare_with(struct recorder *recorder, uint16_t peer,
					    uint64_t version)
{
	const uint64_t versions[] = {0, 0, version};
	struct tern_consistency report;
	assert_int_equal(tern_router_compare(recorder->router, peer, versions, 3, &report), 0);
	return report;
}

/* Others that come meanwhile, one by one, are no excuse. */
static void one_that_stays_away_is_asked_for(void **state)
{
	(void)state;
	struct recorder *here = open_node(1);
	uint32_t asked_after = 0;
	assert_int_equal(tell(here, news(1, 2, 1)), TERN_APPLIED);
	for (uint64_t version = 2; version < 20 && !here->reconciled; version++, asked_after++) {
		compare_with(here, 2, 60);
		assert_int_equal(tell(here, news(version, 2, version)), TERN_APPLIED);
		here->now += SECOND * 9 / 10;
	}
	assert_int_equal(asked_after, 3);
	recorder_close(here);
}

/* Beside a peer that lacks the same, and one that has it. */
static void one_lost_change_is_asked_for(void **state)
{
	(void)state;
	struct recorder *here = open_node(1);
	assert_int_equal(tell(here, news(1, 2, 1)), TERN_APPLIED);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(compare_with(here, 2, 2).reconciled, i == 2);
		assert_int_equal(compare_with(here, 3, 1).reconciled, 0);
		here->now += SECOND / 2;
	}
	assert_int_equal(here->reconciled, 1);
	assert_int_equal(here->peer, 2);
	assert_int_equal(here->have, 1);
	/* It has come; the next one is news that may be on its way. */
	assert_int_equal(tell(here, news(2, 2, 2)), TERN_APPLIED);
	assert_int_equal(compare_with(here, 2, 3).behind, 1);
	assert_int_equal(here->reconciled, 1);
	recorder_close(here);
}

static void a_new_start_is_told_from_the_life_before(void **state)
{
	(void)state;
	struct recorder *peer = open_node(1), *here = open_node(2), *anew;
	struct tern_update said, lost;
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(publish(here, i, on(0, (uint32_t)i), &said), 0);
		assert_int_equal(tell(peer, said), TERN_APPLIED);
	}
	recorder_close(here);
	anew = recorder_open((struct tern_router_options){.node = 2, .version = 1000});
	assert_int_equal(compare_with(peer, 2, tern_router_version(anew->router, 2)).behind, 1);
	assert_int_equal(peer->reconciled, 1);
	assert_int_equal(told_of(anew, 2, peer->have).count, 0);
	tern_router_settle(peer->router, 2, tern_router_complete(anew->router, 2));
	assert_int_equal(tern_router_complete(peer->router, 2), 1000);
	assert_int_equal(publish(anew, 4, on(0, 4), &lost), 0);
	assert_int_equal(publish(anew, 5, on(0, 5), &said), 0);
	assert_int_equal(tell(peer, said), TERN_APPLIED);
	assert_int_equal(tern_router_complete(peer->router, 2), 1000);
	assert_int_equal(tell(peer, lost), TERN_APPLIED);
	assert_int_equal(tern_router_complete(peer->router, 2), 1002);
	/* Where no version was given the peer's word is followed. */
	recorder_close(anew);
	anew = open_node(2);
	const uint64_t versions[] = {0, 0, tern_router_version(peer->router, 2)};
	assert_int_equal(tern_router_compare(anew->router, 1, versions, 3, NULL), 0);
	assert_int_equal(publish(anew, 6, on(0, 6), &said), 0);
	assert_int_equal(said.version, 1003);
	recorder_close(anew);
	recorder_close(peer);
}

static void a_version_that_nobody_follows_is_refused(void **state)
{
	(void)state;
	struct tern_router *router;
	struct tern_error error;
	const struct tern_router_options options = {.node = 1,
						    .version = TERN_VERSION_FOLLOWED_MAX + 1};
	assert_int_equal(tern_router_create(&router, &options, &error), -EINVAL);
	assert_non_null(strstr(error.text, "version"));
}

/* A steady route's time is up; told again it is as steady as before, elsewhere less so. */
static void an_expiry_changes_no_steadiness(void **state)
{
	(void)state;
	struct recorder *here = open_node(1);
	struct tern_route route;
	for (uint64_t version = 1; version <= 9; version++)
		assert_int_equal(tell(here, news(5, 2, version)), TERN_APPLIED);
	for (uint64_t version = 9; version <= 10; version++) {
		here->now += 17 * SECOND;
		assert_false(is_known(here, 5));
		assert_int_equal(tell(here, news(5, 2, version)), TERN_APPLIED);
		assert_true(
			tern_table_route(tern_router_table(here->router), number_id(5), &route));
		assert_int_equal(route.steady, version + 4);
		assert_int_equal(route.expires_ns - here->now, 16 * SECOND);
	}
	here->now += 17 * SECOND;
	assert_false(is_known(here, 5));
	struct tern_update moved = news(5, 3, 11);
	assert_int_equal(tell(here, moved), TERN_APPLIED);
	assert_true(tern_table_route(tern_router_table(here->router), number_id(5), &route));
	assert_int_equal(route.steady, 10);
	recorder_close(here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_held),
		cmocka_unit_test(who_ended_does_not_come_back),
		cmocka_unit_test(an_end_that_is_not_held_is_not_told),
		cmocka_unit_test(a_life_that_is_not_held_is_not_told),
		cmocka_unit_test(what_left_without_a_word_keeps_no_room),
		cmocka_unit_test(an_expiry_is_not_told_as_an_end),
		cmocka_unit_test(a_true_word_at_a_higher_version_is_adopted),
		cmocka_unit_test(one_that_lives_again_has_not_gone),
		cmocka_unit_test(an_end_is_not_prolonged),
		cmocka_unit_test(a_later_end_is_remembered_as_long),
		cmocka_unit_test(one_that_stays_away_is_asked_for),
		cmocka_unit_test(own_news_are_told_whole),
		cmocka_unit_test(news_of_others_live_no_longer),
		cmocka_unit_test(one_lost_change_is_asked_for),
		cmocka_unit_test(a_new_start_is_told_from_the_life_before),
		cmocka_unit_test(a_version_that_nobody_follows_is_refused),
		cmocka_unit_test(an_expiry_changes_no_steadiness),
	};
	return cmocka_run_group_tests_name("router: news", tests, NULL, NULL);
}
