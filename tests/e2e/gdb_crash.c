/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A program that aborts in an agent's handler while others wait in every way a debugger is to show:
 * at rest, paused with signals in a mailbox or in a ring, finishing, and ready behind who aborts.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <tern.h>

enum { WAIT_FOR_GO = 1, ABORT, QUOTE, ORDER };

static atomic_bool go;

TERN_HANDLER(static, on_nothing)
{
}

/* Holds its lcore until all is sent, and aborts at the next signal. */
TERN_HANDLER(static, on_strike)
{
	if (tern_signal_type(signal) == ABORT)
		abort();
	while (!atomic_load(&go))
		;
}

/* Asked to finish it stays, because it leaves what else it has. */
TERN_FIBER(static, wait_for_order)
{
	return tern_recv_type(self, ORDER, TERN_FOREVER) != NULL;
}

static const struct tern_behaviour resting = {.name = "resting", .handler = on_nothing};
static const struct tern_behaviour striking = {.name = "striking", .handler = on_strike};
static const struct tern_behaviour waiting = {.name = "waiting", .fiber = wait_for_order};

static void need(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "gdb_crash: %s\n", what);
	exit(1);
}

/* Two lcores at most, and so little memory that a core file is small. */
static struct tern_engine *start(void)
{
	struct tern_engine *engine;
	struct tern_config config;
	struct tern_error error;
	tern_config_init(&config);
	config.max_agents = 64;
	config.max_threads = 2;
	config.block_mib = config.mailbox_mib = 1;
	config.pages = TERN_PAGES_4K;
	need(tern_config_check(&config, &error) == 0, "the configuration is refused");
	config.lcore_count = config.lcore_count < 2 ? config.lcore_count : 2;
	need(tern_engine_start(&engine, &config, &error) == 0, "the engine does not start");
	return engine;
}

static tern_address spawn(struct tern_agent *self, const struct tern_behaviour *behaviour,
			  struct tern_spawn_options options)
{
	tern_address agent = TERN_ADDRESS_NONE;
	need(tern_spawn(self, behaviour, NULL, &options, &agent) == 0, "an agent is refused");
	return agent;
}

static void send(struct tern_agent *self, tern_address to, uint16_t type, uint64_t word)
{
	need(tern_signal_bytes(self, to, type, &word, sizeof(word)) == 0, "a signal is refused");
}

static void wait_for_state(struct tern_agent *self, tern_address agent, enum tern_agent_state state)
{
	enum tern_agent_state found;
	do {
		sched_yield();
		need(tern_agent_state(self, agent, &found) == 0, "an agent is gone");
	} while (found != state);
}

static void wait_for_queued(const struct tern_engine *engine, tern_address agent, uint32_t queued)
{
	struct tern_agent_stats stats;
	do {
		sched_yield();
		need(tern_agent_stats(engine, agent, &stats) == 0, "an agent is gone");
	} while (stats.queued != queued);
}

/* One signal of each kind. */
static void fill(const struct tern_engine *engine, struct tern_agent *self, tern_address book)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	tern_iso *shared = tern_iso_create(tern_heap(self), 100);
	need(iso && shared, "there is no block");
	send(self, book, QUOTE, 0x1122334455667788);
	need(!tern_signal(self, book, QUOTE + 1, iso), "an iso is refused");
	need(!tern_signal(self, book, QUOTE + 2, tern_iso_freeze(shared)), "a val is refused");
	need(tern_signal_bytes(self, book, QUOTE + 3, NULL, 0) == 0, "a signal is refused");
	wait_for_queued(engine, book, 4);
}

static void fill_roamer(const struct tern_engine *engine, struct tern_agent *self,
			tern_address roamer)
{
	for (uint64_t i = 0; i < 3; i++)
		send(self, roamer, QUOTE, 0xA0 + i);
	wait_for_queued(engine, roamer, 3);
}

static void finish(const struct tern_engine *engine, struct tern_agent *self, const char *name)
{
	tern_address fiber = spawn(self, &waiting, (struct tern_spawn_options){.name = name});
	send(self, fiber, QUOTE, 0);
	wait_for_queued(engine, fiber, 1);
	need(tern_agent_finish(self, fiber, TERN_FOREVER) == 0, "a finish is refused");
	wait_for_state(self, fiber, TERN_STATE_FINISHING);
}

/* In one lane, so in this order: two that never run in place, and who runs before them. */
static void strike(struct tern_agent *self)
{
	struct tern_spawn_options low = {.name = "low-0", .priority = TERN_PRIORITY_LOW};
	tern_address striker =
		spawn(self, &striking, (struct tern_spawn_options){.name = "striker"});
	tern_address first = spawn(self, &resting, low);
	low.name = "low-1";
	tern_address second = spawn(self, &resting, low);
	wait_for_state(self, first, TERN_STATE_IDLE);
	wait_for_state(self, second, TERN_STATE_IDLE);
	send(self, striker, WAIT_FOR_GO, 0);
	wait_for_state(self, striker, TERN_STATE_RUNNING);
	send(self, first, QUOTE, 1);
	send(self, second, QUOTE, 2);
	send(self, striker, ABORT, 0);
	atomic_store(&go, true);
}

int main(void)
{
	struct tern_engine *engine = start();
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	need(self != NULL, "the thread is refused");
	spawn(self, &resting, (struct tern_spawn_options){.name = "gateway"});
	tern_address nameless = spawn(self, &resting, (struct tern_spawn_options){0});
	tern_address book = spawn(self, &resting, (struct tern_spawn_options){.name = "book"});
	tern_address roamer = spawn(self, &resting,
				    (struct tern_spawn_options){.name = "roamer", .roaming = true});
	wait_for_state(self, nameless, TERN_STATE_IDLE);
	need(tern_agent_pause(self, book) == 0, "a pause is refused");
	need(tern_agent_pause(self, roamer) == 0, "a pause is refused");
	wait_for_state(self, book, TERN_STATE_PAUSED);
	wait_for_state(self, roamer, TERN_STATE_PAUSED);
	fill(engine, self, book);
	fill_roamer(engine, self, roamer);
	finish(engine, self, "trader");
	finish(engine, self, "broker");
	strike(self);
	for (;;)
		sched_yield();
}
