/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an agent's state moves as engine/lcore/agent_table.h says, and in no other way; what is
 * impossible ends the process by a message that names agent, state and event; each state leads to
 * the end. Method: each event in each state, under all flags that decide where it leads, in a child
 * each. What the children reached is compared with the rows of the table. Built with the checks of
 * debug_states, whatever the library is built with.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/lcore/agent_state.h"
#include "engine/lcore/lcore.h"

#define ROW(from, event, to, text) {TERN_##from, TERN_ON_##event, TERN_##to},

static const struct {
	enum tern_status from;
	enum tern_agent_event event;
	enum tern_status to;
} rows[] = {TERN_AGENT_MOVES(ROW)};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct tern_behaviour behaviour = {.name = "walker"};

static struct tern_agent *make_agent(enum tern_status status, uint32_t flags)
{
	struct tern_agent *agent = aligned_alloc(TERN_LINE, sizeof(*agent));
	assert_non_null(agent);
	memset(agent, 0, sizeof(*agent));
	agent->lcore = (struct tern_lcore *)(void *)agent; /* somebody has lived here */
	agent->behaviour = &behaviour;
	agent->address = tern_address_make(0, 5, 3);
	*(uint8_t *)(uintptr_t)&agent->status = (uint8_t)status;
	*tern_agent_own_flags(agent) = flags;
	return agent;
}

static void do_event(struct tern_agent *agent, enum tern_agent_event event, bool more)
{
	switch (event) {
	case TERN_ON_SPAWN:
		tern_agent_on_spawn(agent, 0);
		break;
	case TERN_ON_UNDO:
		tern_agent_on_undo(agent);
		break;
	case TERN_ON_BOOT:
		tern_agent_on_boot(agent);
		break;
	case TERN_ON_ADOPT:
		tern_agent_on_adopt(agent);
		break;
	case TERN_ON_START:
		tern_agent_on_start(agent);
		break;
	case TERN_ON_QUEUE:
		tern_agent_on_queue(agent);
		break;
	case TERN_ON_RUN:
		tern_agent_on_run(agent);
		break;
	case TERN_ON_SETTLE:
		tern_agent_on_settle(agent, more);
		break;
	case TERN_ON_PAUSE:
		tern_agent_on_pause(agent);
		break;
	case TERN_ON_RESUME:
		tern_agent_on_resume(agent);
		break;
	case TERN_ON_END:
		tern_agent_on_end(agent);
		break;
	case TERN_ON_ENDED:
		tern_agent_on_ended(agent);
		break;
	case TERN_EVENTS_OF_AGENTS:
		break;
	}
}

/* What a child does with the agent; the state after it is its exit code. */
struct step {
	void (*act)(struct tern_agent *agent, const struct step *step);
	enum tern_agent_event event;
	bool more;
};

/* What a child left behind. */
struct outcome {
	bool aborted;
	enum tern_status status;
	char said[256];
};

static struct outcome try_step(struct tern_agent *agent, const struct step *step)
{
	struct outcome outcome = {0};
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		step->act(agent, step);
		_exit(agent->status);
	}
	close(ends[1]);
	ssize_t got, length = 0;
	while ((got = read(ends[0], outcome.said + length,
			   sizeof(outcome.said) - 1 - (size_t)length)) > 0)
		length += got;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	outcome.aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
	assert_true(outcome.aborted || WIFEXITED(status));
	outcome.status = (enum tern_status)WEXITSTATUS(status);
	free(agent);
	return outcome;
}

static void act_event(struct tern_agent *agent, const struct step *step)
{
	do_event(agent, step->event, step->more);
}

/* A set of states, by their bits. */
static uint32_t reached(enum tern_status from, enum tern_agent_event event)
{
	uint32_t states = 0;
	for (uint32_t variant = 0; variant < 8; variant++) {
		uint32_t flags =
			(variant & 1 ? TERN_AGENT_SHY : 0) | (variant & 2 ? TERN_AGENT_LISTED : 0);
		const struct step step = {.act = act_event, .event = event, .more = variant & 4};
		struct outcome outcome = try_step(make_agent(from, flags), &step);
		if (!outcome.aborted)
			states |= 1u << outcome.status;
	}
	return states;
}

static uint32_t listed(enum tern_status from, enum tern_agent_event event)
{
	uint32_t states = 0;
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].from == from && rows[i].event == event)
			states |= 1u << rows[i].to;
	return states;
}

static void each_event_does_what_the_table_says_and_nothing_else(void **state)
{
	(void)state;
	for (unsigned from = 0; from < TERN_STATUSES; from++)
		for (unsigned event = 0; event < TERN_EVENTS_OF_AGENTS; event++)
			if (reached(from, event) != listed(from, event))
				fail_msg("state %u, event %u: reached %#x, listed %#x", from, event,
					 reached(from, event), listed(from, event));
}

static void no_row_is_there_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < i; k++)
			assert_false(rows[i].from == rows[k].from &&
				     rows[i].event == rows[k].event && rows[i].to == rows[k].to);
}

static void every_state_leads_to_dead_and_is_reached_from_there(void **state)
{
	(void)state;
	uint32_t ends = 1u << TERN_DEAD, lives = 1u << TERN_DEAD;
	for (size_t round = 0; round < ROWS; round++)
		for (size_t i = 0; i < ROWS; i++) {
			if (ends & 1u << rows[i].to)
				ends |= 1u << rows[i].from;
			if (lives & 1u << rows[i].from)
				lives |= 1u << rows[i].to;
		}
	assert_int_equal(ends, (1u << TERN_STATUSES) - 1);
	assert_int_equal(lives, (1u << TERN_STATUSES) - 1);
}

static void an_impossible_move_names_agent_state_and_event(void **state)
{
	(void)state;
	const struct step step = {.act = act_event, .event = TERN_ON_RESUME};
	struct outcome outcome = try_step(make_agent(TERN_ENDING, 0), &step);
	assert_true(outcome.aborted);
	assert_string_equal(outcome.said, "tern: agent \"walker\" 0.5.3 is ENDING, flags 0: "
					  "impossible: RESUME to IDLE\n");
}

static void a_slot_that_nobody_lived_in_is_dead(void **state)
{
	(void)state;
	struct tern_agent *agent = make_agent(TERN_IDLE, 0);
	agent->lcore = NULL;
	const struct step step = {.act = act_event, .event = TERN_ON_SPAWN};
	struct outcome outcome = try_step(agent, &step);
	assert_false(outcome.aborted);
	assert_int_equal(outcome.status, TERN_NEW);
}

static void an_agent_leaves_its_slot_without_flags(void **state)
{
	(void)state;
	struct tern_agent *ended = make_agent(TERN_ENDING, UINT32_MAX);
	struct tern_agent *undone = make_agent(TERN_NEW, UINT32_MAX);
	tern_agent_on_ended(ended);
	tern_agent_on_undo(undone);
	assert_int_equal(ended->flags, 0);
	assert_int_equal(undone->flags, 0);
	free(ended);
	free(undone);
}

static void a_spawn_leaves_nothing_of_the_life_before(void **state)
{
	(void)state;
	struct tern_agent *agent = make_agent(TERN_DEAD, UINT32_MAX);
	tern_agent_on_spawn(agent, TERN_AGENT_SHY);
	tern_agent_add_traits(agent, TERN_AGENT_FIBER);
	assert_int_equal(agent->flags, TERN_AGENT_SHY | TERN_AGENT_FIBER);
	free(agent);
}

static void it_waits_in_one_place(void **state)
{
	(void)state;
	struct tern_agent *agent = make_agent(TERN_IDLE, 0);
	tern_agent_on_queue(agent);
	assert_int_equal(agent->flags & TERN_LISTING, TERN_LISTING_POLICY);
	tern_agent_hold_up(agent);
	assert_int_equal(agent->flags & TERN_LISTING, TERN_LISTING_PERMIT);
	tern_agent_let_on(agent);
	assert_int_equal(agent->flags & TERN_LISTING, TERN_LISTING_POLICY);
	tern_agent_unlist(agent);
	assert_int_equal(agent->flags & TERN_LISTING, TERN_LISTING_NONE);
	tern_agent_hold_up(agent);
	tern_agent_set(agent, TERN_AGENT_ADMITTED);
	tern_agent_inherit(agent);
	assert_int_equal(agent->flags, 0);
	free(agent);
}

static void it_is_told_of_its_water_when_that_changed(void **state)
{
	(void)state;
	struct tern_agent *agent = make_agent(TERN_READY, 0);
	assert_false(tern_agent_is_water_news(agent));
	tern_agent_rise(agent);
	assert_true(tern_agent_is_water_news(agent));
	tern_agent_tell_water(agent);
	assert_int_equal(agent->flags & TERN_WATER, TERN_WATER_HIGH);
	assert_false(tern_agent_is_water_news(agent));
	tern_agent_fall(agent);
	assert_true(tern_agent_is_water_news(agent));
	tern_agent_rise(agent); /* before it heard of the fall */
	assert_false(tern_agent_is_water_news(agent));
	tern_agent_fall(agent);
	tern_agent_tell_water(agent);
	assert_int_equal(agent->flags, TERN_WATER_CALM);
	free(agent);
}

static void who_failed_in_on_stop_is_told_no_more(void **state)
{
	(void)state;
	struct tern_agent *agent = make_agent(TERN_ENDING, 0);
	tern_agent_begin_telling(agent);
	tern_agent_end_telling(agent);
	assert_int_equal(agent->flags & TERN_TELLING, TERN_TELLING_NOT);
	tern_agent_begin_telling(agent);
	tern_agent_fail_telling(agent);
	tern_agent_begin_telling(agent);
	assert_int_equal(agent->flags & TERN_TELLING, TERN_TELLING_FAILED);
	free(agent);
}

#define ACT(name, call)                                                     \
	static void name(struct tern_agent *agent, const struct step *step) \
	{                                                                   \
		(void)step;                                                 \
		call;                                                       \
	}
ACT(act_trait_late, tern_agent_add_traits(agent, TERN_AGENT_SHY))
ACT(act_set_trait, tern_agent_set(agent, TERN_AGENT_FIBER))
ACT(act_clear_listed, tern_agent_clear(agent, TERN_AGENT_LISTED))
ACT(act_unlist, tern_agent_unlist(agent))
ACT(act_let_on, tern_agent_let_on(agent))
ACT(act_fall, tern_agent_fall(agent))
ACT(act_tell_water, tern_agent_tell_water(agent))
ACT(act_tell, tern_agent_begin_telling(agent))
ACT(act_end_telling, tern_agent_end_telling(agent))
ACT(act_fail_telling, tern_agent_fail_telling(agent))

static void act_queue_twice(struct tern_agent *agent, const struct step *step)
{
	(void)step;
	tern_agent_on_queue(agent);
	tern_agent_on_queue(agent);
}

static void act_start_twice(struct tern_agent *agent, const struct step *step)
{
	(void)step;
	tern_agent_on_end(agent);
	tern_agent_on_start(agent);
	tern_agent_on_start(agent);
}

static void impossible_steps_of_flags_abort(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{.act = act_trait_late},   {.act = act_set_trait},   {.act = act_clear_listed},
		{.act = act_unlist},	   {.act = act_let_on},	     {.act = act_fall},
		{.act = act_tell_water},   {.act = act_tell},	     {.act = act_end_telling},
		{.act = act_fail_telling}, {.act = act_queue_twice}, {.act = act_start_twice}};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct outcome outcome = try_step(make_agent(TERN_IDLE, 0), &steps[i]);
		if (!outcome.aborted || !strstr(outcome.said, "impossible: "))
			fail_msg("step %zu was taken: %s", i, outcome.said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_does_what_the_table_says_and_nothing_else),
		cmocka_unit_test(no_row_is_there_twice),
		cmocka_unit_test(every_state_leads_to_dead_and_is_reached_from_there),
		cmocka_unit_test(an_impossible_move_names_agent_state_and_event),
		cmocka_unit_test(a_slot_that_nobody_lived_in_is_dead),
		cmocka_unit_test(an_agent_leaves_its_slot_without_flags),
		cmocka_unit_test(a_spawn_leaves_nothing_of_the_life_before),
		cmocka_unit_test(it_waits_in_one_place),
		cmocka_unit_test(it_is_told_of_its_water_when_that_changed),
		cmocka_unit_test(who_failed_in_on_stop_is_told_no_more),
		cmocka_unit_test(impossible_steps_of_flags_abort),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
