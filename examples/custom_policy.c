/* SPDX-License-Identifier: Apache-2.0 */

/* A scheduling policy of one's own, earliest deadline first, against round robin. */
#include <inttypes.h>
#include <stdio.h>

#include <tern.h>

#define JOBS 8u
#define JOB_NS 1000000u

/* When each job is due, in the order in which they are handed out: never all of it in time. */
static const uint32_t due_ms[JOBS] = {8, 3, 6, 1, 7, 2, 5, 4};

/* The policy's own knowledge: deadlines by the agent's slot. One thread runs it all here. */
#define PLACES 64u
static uint64_t due_ns[PLACES];

/* The ready agents of one lcore. A few: to look at them all is cheaper than a heap. */
struct ready {
	uint32_t count;
	uint32_t places[];
};

static size_t edf_bytes(uint32_t places)
{
	return sizeof(struct ready) + places * sizeof(uint32_t);
}

static void edf_push(void *state, uint32_t place, const struct tern_task *task)
{
	struct ready *ready = state;
	(void)task;
	ready->places[ready->count++] = place;
}

static bool edf_pop(void *state, uint64_t now_ns, uint32_t *place)
{
	struct ready *ready = state;
	uint32_t first = 0;
	(void)now_ns;

	if (ready->count == 0)
		return false;
	for (uint32_t i = 1; i < ready->count; i++)
		if (due_ns[ready->places[i] % PLACES] < due_ns[ready->places[first] % PLACES])
			first = i;
	*place = ready->places[first];
	ready->places[first] = ready->places[--ready->count];
	return true;
}

static const struct tern_scheduler edf = {
	.name = "earliest deadline first", .bytes = edf_bytes, .push = edf_push, .pop = edf_pop};

struct desk {
	unsigned done, in_time;
};

/* A job takes a millisecond of virtual time. */
TERN_HANDLER(static, on_job)
{
	struct desk *desk = state;
	uint64_t due = due_ns[tern_address_slot(tern_self(self)) % PLACES];

	tern_engine_advance(tern_engine_of(self), JOB_NS);
	desk->done++;
	desk->in_time += tern_now(self) <= due;
	printf(" %" PRIu64, due / JOB_NS);
}

static const struct tern_behaviour job = {.name = "job", .handler = on_job};

/* Hand all jobs out at once, then let the lcore choose. Returns how many were done in time. */
static int run(enum tern_schedule schedule, const char *name)
{
	struct tern_engine *engine;
	struct tern_config config;
	struct tern_error error;
	struct desk desk = {0};
	tern_address jobs[JOBS];
	void *states[JOBS];

	tern_config_init(&config);
	config.mode = TERN_MODE_POLLED;
	config.clock = TERN_CLOCK_VIRTUAL;
	config.max_agents = JOBS;
	config.schedules[0] = (uint8_t)schedule;
	config.scheduler = &edf;
	if (tern_engine_start(&engine, &config, &error) != 0)
		return fprintf(stderr, "custom_policy: %s\n", error.text), -1;
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	for (uint32_t i = 0; i < JOBS; i++)
		states[i] = &desk;
	if (tern_spawn_batch(self, &job, states, JOBS, NULL, jobs) != JOBS)
		return fputs("custom_policy: spawn refused\n", stderr), -1;
	tern_engine_poll(engine); /* all have started, and wait */

	printf("%-24s", name);
	for (uint32_t i = 0; i < JOBS; i++) {
		due_ns[tern_address_slot(jobs[i]) % PLACES] = tern_now(self) + due_ms[i] * JOB_NS;
		if (tern_signal_bytes(self, jobs[i], 0, NULL, 0) != 0)
			return fputs("custom_policy: send refused\n", stderr), -1;
	}
	tern_engine_poll(engine);
	printf("  %u of %u in time\n", desk.in_time, desk.done);
	tern_thread_detach(self);
	if (tern_engine_stop(engine, 1000000000, NULL) != 0 || desk.done != JOBS)
		return -1;
	return (int)desk.in_time;
}

int main(void)
{
	int by_turn = run(TERN_SCHEDULE_ROUND_ROBIN, "round robin");
	int by_deadline = run(TERN_SCHEDULE_CUSTOM, edf.name);

	return by_turn < 0 || by_turn == (int)JOBS || by_deadline != (int)JOBS;
}
