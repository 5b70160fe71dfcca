/* SPDX-License-Identifier: Apache-2.0 */

/* An agent's hooks from start to stop; a failure and a fault end one agent and nobody else. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <tern.h>

#define SECOND 1000000000ull

enum order { WORK, EXIT, FAIL, FAULT, DELEGATE };

static const char *const reasons[] = {"exit", "stopped", "evicted", "shutdown", "failed"};
static const struct tern_behaviour worker;
static unsigned started, returned, told, errors, stopped[5]; /* what the hooks saw */
static int *volatile nowhere;

/* The bug: a write through NULL. The sanitizers, which would report it first, stay out of it. */
__attribute__((noinline, no_sanitize("thread", "undefined"))) static void write_nowhere(void)
{
	*nowhere = 1;
}

/* A helper that leaves before it gets to its work, which therefore comes back. */
static void delegate(struct tern_agent *self)
{
	struct tern_spawn_options options = {.lcore = TERN_LCORE_ANY, .watch = true};
	tern_address helper;

	if (tern_spawn(self, &worker, "helper", &options, &helper) != 0 ||
	    tern_signal_bytes(self, helper, EXIT, NULL, 0) != 0 ||
	    tern_signal_bytes(self, helper, WORK, NULL, 0) != 0)
		puts("no helper"); /* and the counts at the end are wrong */
}

TERN_HANDLER(static, on_order)
{
	uint16_t order = tern_signal_type(signal);

	if (order == EXIT)
		tern_exit(self, 42);
	else if (order == FAIL)
		tern_fail(self, -EPROTO, "cannot read %zu bytes", tern_signal_size(signal));
	else if (order == FAULT)
		write_nowhere();
	else if (order == DELEGATE)
		delegate(self);
}

static void on_start(struct tern_agent *self, void *name)
{
	started++;
	printf("%-8s on_start  lcore %u\n", (char *)name, tern_lcore_index(self));
}

static void on_event(struct tern_agent *self, void *name, const struct tern_event *event)
{
	(void)self;
	if (event->kind == TERN_EVENT_RETURNED) {
		returned += event->returned.count;
		printf("%-8s on_event  returned %u signal\n", (char *)name, event->returned.count);
	} else if (event->kind == TERN_EVENT_ENDED) {
		told++;
		printf("%-8s on_event  another ended: %s, result %" PRId64 "\n", (char *)name,
		       reasons[event->ended.why], event->ended.result);
	}
}

static void on_error(struct tern_agent *self, void *name, const struct tern_error *error)
{
	(void)self;
	errors++;
	printf("%-8s on_error  %s\n", (char *)name, error->text);
}

static void on_stop(struct tern_agent *self, void *name, enum tern_end why, int64_t result)
{
	(void)self;
	stopped[why]++;
	printf("%-8s on_stop   %s, result %" PRId64 "\n", (char *)name, reasons[why], result);
}

static const struct tern_behaviour worker = {.name = "worker",
					     .handler = on_order,
					     .on_start = on_start,
					     .on_event = on_event,
					     .on_error = on_error,
					     .on_stop = on_stop};

/* Whether a new worker that gets one order ends with this result. */
static bool ends(struct tern_agent *self, char *name, enum order order, int64_t result)
{
	struct tern_spawn_options options = {.lcore = 0, .watch = true};
	struct tern_ended ended;
	tern_address address;

	return tern_spawn(self, &worker, name, &options, &address) == 0 &&
	       tern_signal_bytes(self, address, (uint16_t)order, "order", 5) == 0 &&
	       tern_wait(self, address, SECOND, &ended) == 0 && ended.result == result;
}

int main(void)
{
	struct tern_engine *engine;
	struct tern_config config;
	struct tern_error error;
	tern_address boss;

	tern_config_init(&config);
	config.log_level = TERN_LOG_ERROR;
	config.mode = TERN_MODE_POLLED; /* one thread: hooks may print, and in one order */
	if (tern_engine_start(&engine, &config, &error) != 0)
		return fprintf(stderr, "hooks: %s\n", error.text), 1;
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);

	bool right = tern_spawn(self, &worker, "boss", NULL, &boss) == 0 &&
		     ends(self, "leaver", EXIT, 42) && ends(self, "failing", FAIL, -EPROTO) &&
		     ends(self, "faulty", FAULT, -EFAULT) &&
		     tern_signal_bytes(self, boss, DELEGATE, NULL, 0) == 0;
	tern_engine_poll(engine);
	tern_thread_detach(self);
	return tern_engine_stop(engine, SECOND, NULL) != 0 || !right || started != 5 ||
	       returned != 1 || told != 1 || errors != 2 || stopped[TERN_END_EXIT] != 2 ||
	       stopped[TERN_END_FAILED] != 2 || stopped[TERN_END_SHUTDOWN] != 1;
}
