/* SPDX-License-Identifier: Apache-2.0 */

/* Four agents of four priorities share one lcore through a flood: who matters most waits least. */
#include <stdio.h>

#include <tern.h>

#define SIGNALS 200u /* to each agent */
#define WORK_NS 5000u
#define PATIENCE_NS 10000000000ull

static const char *const names[TERN_PRIORITIES] = {"low", "normal", "high", "critical"};

struct worker {
	uint32_t handled;
	uint64_t waited_ns; /* in all, from send to handler */
	uint64_t longest_ns;
	uint64_t done; /* when it had handled everything */
};

TERN_HANDLER(static, on_work)
{
	struct worker *worker = state;
	uint64_t waited = tern_signal_age(self, signal);
	uint64_t end = tern_now(self) + WORK_NS;

	while (tern_now(self) < end)
		; /* work */
	worker->waited_ns += waited;
	worker->longest_ns = waited > worker->longest_ns ? waited : worker->longest_ns;
	worker->done = tern_now(self);
	if (++worker->handled == SIGNALS)
		tern_exit(self, 0);
}

static const struct tern_behaviour worker_behaviour = {.name = "worker", .handler = on_work};

/* Lowest first, so that nobody has an advantage but by priority. */
static void flood(struct tern_agent *self, void *state) TERN_OWNS(self)
{
	const tern_address *workers = state;
	int refused = 0;

	for (uint32_t i = 0; i < SIGNALS; i++)
		for (uint32_t j = 0; j < TERN_PRIORITIES && !refused; j++)
			refused = tern_signal_bytes(self, workers[j], 0, NULL, 0);
	tern_exit(self, refused);
}

TERN_HANDLER(static, on_nothing)
{
}

static const struct tern_behaviour flooder = {
	.name = "flooder", .handler = on_nothing, .on_start = flood};

static int spawn_all(struct tern_agent *self, struct worker *workers, tern_address *addresses)
{
	struct tern_spawn_options options = {.lcore = 0, .watch = true};
	tern_address address;
	int refused = 0;

	for (uint32_t i = 0; i < TERN_PRIORITIES && !refused; i++) {
		options.priority = TERN_PRIORITY_LOW + (int)i;
		refused = tern_spawn(self, &worker_behaviour, &workers[i], &options, &addresses[i]);
	}
	options.priority = TERN_PRIORITY_NORMAL;
	return refused ? refused : tern_spawn(self, &flooder, addresses, &options, &address);
}

static int wait_for_all(struct tern_agent *self)
{
	struct tern_ended ended = {0};
	int late = 0;

	for (uint32_t i = 0; i < TERN_PRIORITIES + 1 && !late && !ended.result; i++)
		late = tern_wait(self, TERN_ADDRESS_NONE, PATIENCE_NS, &ended);
	return late ? late : (int)ended.result;
}

int main(void)
{
	struct tern_engine *engine;
	struct tern_config config;
	struct tern_error error;
	struct worker workers[TERN_PRIORITIES] = {0};
	tern_address addresses[TERN_PRIORITIES];
	bool ordered = true;

	tern_config_init(&config);
	config.mode = TERN_MODE_CONCURRENT; /* one lcore */
	if (tern_engine_start(&engine, &config, &error) != 0)
		return fprintf(stderr, "priorities: %s\n", error.text), 1;
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	uint64_t start = tern_now(self);

	if (spawn_all(self, workers, addresses) != 0)
		return fputs("priorities: spawn refused\n", stderr), 1;
	if (wait_for_all(self) != 0)
		return fputs("priorities: the flood was refused, or not handled in time\n", stderr),
		       1;
	printf("%-10s %10s %12s %15s %10s\n", "priority", "signals", "mean wait", "longest wait",
	       "done at");
	for (uint32_t i = TERN_PRIORITIES; i-- > 0;) {
		const struct worker *worker = &workers[i];
		printf("%-10s %10u %9.0f us %12.0f us %7.0f us\n", names[i], worker->handled,
		       (double)worker->waited_ns / SIGNALS / 1e3, (double)worker->longest_ns / 1e3,
		       (double)(worker->done - start) / 1e3);
		ordered = ordered && (i == 0 || worker->waited_ns < worker[-1].waited_ns);
	}
	tern_thread_detach(self);
	return tern_engine_stop(engine, 1000000000, NULL) != 0 || !ordered;
}
