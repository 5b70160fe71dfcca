/* SPDX-License-Identifier: Apache-2.0 */
#include "sets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "capabilities/memory/arena.h"
#include "capabilities/lines.h"

#define SETS_DEFAULT 4096
#define MEMBERS_DEFAULT 65536

/* A membership, and the one before it in the agent's chain. 0: none. */
struct spot {
	uint32_t before, at;
};

static int check_options(const struct tern_sets_options *options, struct tern_error *error)
{
	size_t page = options->page_bytes_max;
	if (options->sets_max > TERN_SETS_MAX)
		return tern_error_set(error, -EINVAL, "agent sets: %u sets; %u at most",
				      options->sets_max, TERN_SETS_MAX);
	if (options->members_max > TERN_SETS_MEMBERS_MAX)
		return tern_error_set(error, -EINVAL, "agent sets: %llu memberships; %u at most",
				      (unsigned long long)options->members_max,
				      TERN_SETS_MEMBERS_MAX);
	if (options->agents_expected > TERN_SETS_MEMBERS_MAX)
		return tern_error_set(
			error, -EINVAL, "agent sets: %llu agents expected; %u at most",
			(unsigned long long)options->agents_expected, TERN_SETS_MEMBERS_MAX);
	if (page != 0 && page != TERN_PAGE_4K && page != TERN_PAGE_2M)
		return tern_error_set(error, -EINVAL,
				      "agent sets: pages of %zu bytes; %zu, %zu, or 0 for the "
				      "larger where they are to be had",
				      page, TERN_PAGE_4K, TERN_PAGE_2M);
	return 0;
}

/* Readers that are slow to be quiet keep an eighth of the numbers, or 64, from reuse. */
static uint32_t numbers_for(uint32_t sets)
{
	return sets + sets / 8 + 64;
}

static int init_sets(struct tern_sets *sets, const struct tern_sets_options *options,
		     struct tern_error *error)
{
	bool huge_wanted = options->page_bytes_max != TERN_PAGE_4K;
	uint32_t numbers = numbers_for(sets->sets_max), members = (uint32_t)sets->members_max;
	struct tern_table_options of_numbers = {.routes_max = numbers,
						.seed = options->seed,
						.quiet = options->quiet,
						.kernel = options->kernel,
						.page_bytes_max = options->page_bytes_max};
	struct tern_table_options of_agents = of_numbers;
	of_agents.routes_max = members;
	of_agents.routes_expected = options->agents_expected;
	of_agents.quiet = NULL; /* writers alone use it */
	struct tern_error why;
	int code = tern_table_create(&sets->numbers, &of_numbers, &why);
	if (code == 0)
		code = tern_table_create(&sets->agents, &of_agents, &why);
	if (code != 0)
		return tern_error_set(error, code, "agent sets: %s", why.text);
	code = tern_stock_init(&sets->set_stock, sizeof(struct tern_set), numbers, huge_wanted);
	if (code == 0)
		code = tern_stock_init(&sets->membership_stock, sizeof(struct tern_membership),
				       members, huge_wanted);
	if (code != 0)
		return tern_error_set(error, code,
				      "agent sets: cannot reserve memory for %u memberships",
				      members);
	sets->sets = tern_stock_at(&sets->set_stock, 0);
	sets->memberships = tern_stock_at(&sets->membership_stock, 0);
	tern_sets_note(sets);
	return 0;
}

int tern_sets_create(struct tern_sets **sets, const struct tern_sets_options *options,
		     struct tern_error *error)
{
	int code = check_options(options, error);
	if (code != 0)
		return code;
	struct tern_sets *made = tern_lines_make(sizeof(*made));
	if (!made)
		return tern_error_set(error, -ENOMEM, "agent sets: no memory");
	made->sets_max = options->sets_max ? options->sets_max : SETS_DEFAULT;
	made->members_max = options->members_max ? options->members_max : MEMBERS_DEFAULT;
	code = init_sets(made, options, error);
	if (code != 0)
		tern_sets_destroy(made);
	else
		*sets = made;
	return code;
}

void tern_sets_destroy(struct tern_sets *sets)
{
	for (uint32_t number = 1; number <= sets->set_stock.used; number++)
		free(sets->sets[number].members);
	for (struct tern_members *next; sets->retired; sets->retired = next) {
		next = sets->retired->next;
		free(sets->retired);
	}
	if (sets->numbers)
		tern_table_destroy(sets->numbers);
	if (sets->agents)
		tern_table_destroy(sets->agents);
	tern_stock_fini(&sets->set_stock);
	tern_stock_fini(&sets->membership_stock);
	free(sets);
}

/* Have an id that is new lead to a number. */
static int put_number(struct tern_table *table, struct tern_id id, uint32_t number)
{
	const struct tern_route route = {
		.id = id, .address = number, .expires_ns = TERN_ROUTE_FOREVER};
	return tern_table_put(table, &route, false);
}

/* A set without a member, its number. 0: no memory. */
static uint32_t open_set(struct tern_sets *sets, struct tern_id id)
{
	uint32_t number = tern_stock_take(&sets->set_stock);
	struct tern_members *members = number ? tern_members_make(sets, 1) : NULL;
	if (members) {
		struct tern_set *set = &sets->sets[number];
		set->id = id;
		__atomic_store_n(&set->members, members, __ATOMIC_RELEASE); /* W1 */
		if (put_number(sets->numbers, id, number) == 0) {
			tern_count(&sets->set_count, 1);
			return number;
		}
		tern_store(&set->members, NULL);
		tern_members_free(sets, members);
	}
	if (number)
		tern_stock_put(&sets->set_stock, number);
	return 0;
}

static void close_set(struct tern_sets *sets, uint32_t number)
{
	struct tern_set *set = &sets->sets[number];
	struct tern_members *members = set->members;
	tern_table_remove(sets->numbers, set->id, number);
	tern_store(&set->members, NULL);
	tern_members_retire(sets, members, number);
	tern_store(&sets->set_count, sets->set_count - 1);
}

/* The membership in a set, of the agent whose first is given. */
static struct spot seek_member(const struct tern_sets *sets, uint32_t first, uint32_t number)
{
	struct spot spot = {.at = first};
	while (spot.at && sets->memberships[spot.at].set != number)
		spot = (struct spot){.before = spot.at, .at = sets->memberships[spot.at].next};
	return spot;
}

/* A membership in a set, that the agent's id leads to. 0: no memory. */
static uint32_t link_agent(struct tern_sets *sets, struct tern_id agent, uint32_t first,
			   uint32_t number)
{
	uint32_t at = tern_stock_take(&sets->membership_stock);
	if (!at)
		return 0;
	struct tern_membership *membership = &sets->memberships[at];
	*membership = (struct tern_membership){.set = number};
	if (first) {
		membership->next = sets->memberships[first].next;
		sets->memberships[first].next = at;
	} else if (put_number(sets->agents, agent, at) != 0) {
		tern_stock_put(&sets->membership_stock, at);
		at = 0;
	}
	tern_count(&sets->member_count, at != 0);
	return at;
}

static void free_membership(struct tern_sets *sets, uint32_t at)
{
	tern_stock_put(&sets->membership_stock, at);
	tern_store(&sets->member_count, sets->member_count - 1);
}

/* The agent's id leads to the same number until it is in no set: what needs no memory cannot fail.
 */
static void unlink_agent(struct tern_sets *sets, struct tern_id agent, struct spot spot)
{
	struct tern_membership *membership = &sets->memberships[spot.at];
	uint32_t next = membership->next, freed = spot.at;
	if (spot.before) {
		sets->memberships[spot.before].next = next;
	} else if (next) {
		*membership = sets->memberships[next];
		struct tern_members *members = sets->sets[membership->set].members;
		tern_members_owners(members)[membership->cell] = spot.at;
		freed = next;
	} else {
		tern_table_remove(sets->agents, agent, spot.at);
	}
	free_membership(sets, freed);
}

static void erase_member(struct tern_sets *sets, struct tern_membership membership)
{
	struct tern_set *set = &sets->sets[membership.set];
	tern_members_erase(sets, set, membership.cell);
	if (set->live == 0)
		close_set(sets, membership.set);
}

static int check_room(const struct tern_sets *sets, uint32_t number, uint32_t first)
{
	if (number && seek_member(sets, first, number).at)
		return -EEXIST;
	if (sets->member_count == sets->members_max)
		return -ENOSPC;
	return !number && sets->set_count == sets->sets_max ? -ENOSPC : 0;
}

int tern_sets_add(struct tern_sets *sets, struct tern_id set, struct tern_id agent,
		  tern_address address)
{
	uint32_t membership = 0;
	if (address == TERN_ADDRESS_NONE)
		return -EINVAL;
	tern_sets_lock(sets);
	uint32_t number = tern_sets_number(sets->numbers, set),
		 first = tern_sets_number(sets->agents, agent);
	int code = check_room(sets, number, first);
	if (code == 0 && !number)
		number = open_set(sets, set);
	if (code == 0 && number && tern_members_widen(sets, &sets->sets[number]) == 0)
		membership = link_agent(sets, agent, first, number);
	if (membership)
		tern_members_add(sets, &sets->sets[number], address, membership);
	else if (number && sets->sets[number].live == 0)
		close_set(sets, number);
	tern_sets_unlock(sets);
	return code == 0 && !membership ? -ENOMEM : code;
}

static bool is_remote(const struct tern_sets *sets, uint32_t at)
{
	const struct tern_membership *membership = &sets->memberships[at];
	const struct tern_members *members = sets->sets[membership->set].members;
	return tern_address_node(members->cells[membership->cell]) != 0;
}

static int remove_member(struct tern_sets *sets, struct tern_id set, struct tern_id agent,
			 bool remote_only)
{
	tern_sets_lock(sets);
	uint32_t number = tern_sets_number(sets->numbers, set);
	struct spot spot = {0};
	if (number)
		spot = seek_member(sets, tern_sets_number(sets->agents, agent), number);
	bool removes = spot.at && (!remote_only || is_remote(sets, spot.at));
	if (removes) {
		struct tern_membership membership = sets->memberships[spot.at];
		unlink_agent(sets, agent, spot);
		erase_member(sets, membership);
	}
	tern_sets_unlock(sets);
	return removes ? 0 : -ENOENT;
}

int tern_sets_remove(struct tern_sets *sets, struct tern_id set, struct tern_id agent)
{
	return remove_member(sets, set, agent, false);
}

int tern_sets_remove_remote(struct tern_sets *sets, struct tern_id set, struct tern_id agent)
{
	return remove_member(sets, set, agent, true);
}

uint32_t tern_sets_forget(struct tern_sets *sets, struct tern_id agent)
{
	uint32_t count = 0;
	tern_sets_lock(sets);
	uint32_t first = tern_sets_number(sets->agents, agent);
	if (first)
		tern_table_remove(sets->agents, agent, first);
	for (uint32_t at = first, next; at; at = next, count++) {
		struct tern_membership membership = sets->memberships[at];
		next = membership.next;
		free_membership(sets, at);
		erase_member(sets, membership);
	}
	tern_sets_unlock(sets);
	return count;
}

/* The first of an agent's memberships that has the address of another node, from one on. */
static struct spot seek_remote(const struct tern_sets *sets, struct spot spot)
{
	while (spot.at && !is_remote(sets, spot.at))
		spot = (struct spot){.before = spot.at, .at = sets->memberships[spot.at].next};
	return spot;
}

uint32_t tern_sets_forget_remote(struct tern_sets *sets, struct tern_id agent)
{
	uint32_t count = 0;
	tern_sets_lock(sets);
	struct spot spot = {.at = tern_sets_number(sets->agents, agent)};
	for (; (spot = seek_remote(sets, spot)).at; count++) {
		struct tern_membership membership = sets->memberships[spot.at];
		unlink_agent(sets, agent, spot);
		erase_member(sets, membership);
		/* What follows has come to its place, unless it was the last one. */
		if (spot.before)
			spot.at = sets->memberships[spot.before].next;
		else if (!membership.next)
			spot.at = 0;
	}
	tern_sets_unlock(sets);
	return count;
}

static uint32_t move_members(struct tern_sets *sets, struct tern_id agent, tern_address address,
			     bool remote_only)
{
	uint32_t count = 0;
	if (address == TERN_ADDRESS_NONE)
		return 0;
	tern_sets_lock(sets);
	for (uint32_t at = tern_sets_number(sets->agents, agent); at;
	     at = sets->memberships[at].next) {
		const struct tern_membership *membership = &sets->memberships[at];
		if (remote_only && !is_remote(sets, at))
			continue;
		tern_members_put(sets->sets[membership->set].members, membership->cell, address);
		count++;
	}
	tern_sets_unlock(sets);
	return count;
}

uint32_t tern_sets_move(struct tern_sets *sets, struct tern_id agent, tern_address address)
{
	return move_members(sets, agent, address, false);
}

uint32_t tern_sets_move_remote(struct tern_sets *sets, struct tern_id agent, tern_address address)
{
	return move_members(sets, agent, address, true);
}
