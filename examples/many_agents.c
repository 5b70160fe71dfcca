/* SPDX-License-Identifier: Apache-2.0 */

/* A hundred thousand agents in a hundred rows: a token runs along each row and ends its agents. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <tern.h>

#define ROWS 100u
#define ROW 1000u
#define AGENTS (ROWS * ROW)
#define PATIENCE_NS 10000000000ull

/* The agents of a row, in the order of the token; NONE after the last. */
static tern_address rows[ROWS][ROW + 1];

TERN_HANDLER(static, on_token)
{
	const tern_address *next = state;
	uint64_t visited = *(const uint64_t *)tern_signal_data(signal) + 1;

	if (*next == TERN_ADDRESS_NONE)
		tern_exit(self, (int64_t)visited);
	else if (tern_signal_bytes(self, *next, 0, &visited, sizeof(visited)) == 0)
		tern_exit(self, 0);
	else
		tern_fail(self, -EAGAIN, "the token was refused after %" PRIu64, visited);
}

static const struct tern_behaviour runner = {.name = "runner", .handler = on_token};

/* An agent's state is no more than where the next one's address stands. */
static int spawn_row(struct tern_agent *self, tern_address *row, uint32_t lcore)
{
	struct tern_spawn_options options = {.lcore = lcore};
	void *states[ROW];

	for (uint32_t i = 0; i < ROW; i++)
		states[i] = &row[i + 1];
	if (tern_spawn_batch(self, &runner, states, ROW, &options, row) != ROW)
		return -tern_errno;
	return tern_watch(self, row[ROW - 1]);
}

static int send_tokens(struct tern_agent *self)
{
	uint64_t visited = 0;
	int refused = 0;

	for (uint32_t i = 0; i < ROWS && !refused; i++)
		refused = tern_signal_bytes(self, rows[i][0], 0, &visited, sizeof(visited));
	return refused;
}

/* The last agent of each row ends with the number of those that the token has visited. */
static int64_t join(struct tern_agent *self)
{
	struct tern_ended ended;
	int64_t visited = 0;

	for (uint32_t i = 0; i < ROWS; i++) {
		if (tern_wait(self, TERN_ADDRESS_NONE, PATIENCE_NS, &ended) != 0)
			return -1;
		visited += ended.result;
	}
	return visited;
}

int main(void)
{
	struct tern_engine *engine;
	struct tern_config config;
	struct tern_error error;
	struct tern_memory memory;
	struct tern_stop_report report;

	tern_config_init(&config);
	config.max_agents = AGENTS;
	if (tern_engine_start(&engine, &config, &error) != 0)
		return fprintf(stderr, "many_agents: %s\n", error.text), 1;
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);

	uint64_t start = tern_now(self);
	for (uint32_t i = 0; i < ROWS; i++)
		if (spawn_row(self, rows[i], i % tern_engine_lcores(engine)) != 0)
			return fputs("many_agents: spawn refused\n", stderr), 1;
	uint64_t spawned = tern_now(self);
	if (send_tokens(self) != 0)
		return fputs("many_agents: send refused\n", stderr), 1;
	int64_t visited = join(self);
	uint64_t joined = tern_now(self);

	tern_engine_memory(engine, &memory);
	printf("%u agents spawned, %.1f million a second, %" PRIu64 " bytes each\n", AGENTS,
	       AGENTS * 1e3 / (double)(spawned - start), memory.bytes_per_agent);
	printf("%" PRId64 " visited and ended, %.1f million a second\n", visited,
	       (double)visited * 1e3 / (double)(joined - spawned));
	tern_thread_detach(self);
	if (tern_engine_stop(engine, 1000000000, &report) != 0)
		return fputs("many_agents: not drained\n", stderr), 1;
	return visited != AGENTS || report.agents_ended != 0 || report.undelivered != 0;
}
