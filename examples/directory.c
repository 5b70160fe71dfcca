/* SPDX-License-Identifier: Apache-2.0 */

/* Three ways to find an agent: by id, by name, and by what it can do. */
#include <stdio.h>

#include <tern.h>

#define VENUES 3u
#define PATIENCE_NS 10000000000ull

enum { ORDER = 1, CLOSE };

struct venue {
	uint32_t orders;
};

/* Open to all who ask for "orders". */
static void open_venue(struct tern_agent *self, void *state __attribute__((unused))) TERN_OWNS(self)
{
	if (tern_offer(self, "orders") != 0)
		tern_exit(self, 1);
}

TERN_HANDLER(static, on_signal)
{
	struct venue *venue = state;

	if (tern_signal_type(signal) == ORDER)
		venue->orders++;
	else
		tern_exit(self, 0);
}

static const struct tern_behaviour venue_behaviour = {
	.name = "venue", .handler = on_signal, .on_start = open_venue};

/* Until so many are there. */
static uint32_t find_venues(struct tern_agent *self, tern_address *found, uint32_t wanted)
{
	uint64_t end = tern_now(self) + PATIENCE_NS;
	uint32_t count;

	do {
		count = tern_providers(self, "orders", found, VENUES);
		tern_thread_poll(self);
	} while (count != wanted && tern_now(self) < end);
	return count;
}

/* One order by id, one by name, one to everybody who takes orders. */
static int trade(struct tern_agent *self, struct tern_id id)
{
	tern_address found[VENUES];
	int refused = tern_signal_id(self, id, ORDER, NULL, 0);

	if (refused == 0)
		refused = tern_signal_id(self, tern_name_id("XNAS"), ORDER, NULL, 0);
	if (refused == 0 && find_venues(self, found, VENUES) != VENUES)
		refused = -1;
	for (uint32_t i = 0; i < VENUES && refused == 0; i++)
		refused = tern_signal_bytes(self, found[i], ORDER, NULL, 0);
	return refused;
}

/* One closes: whoever looks for a venue finds two. */
static int close_one(struct tern_agent *self)
{
	struct tern_ended ended;
	tern_address found[VENUES];
	int refused = tern_signal_id(self, tern_name_id("XNAS"), CLOSE, NULL, 0);

	if (refused == 0)
		refused = tern_wait(self, TERN_ADDRESS_NONE, PATIENCE_NS, &ended);
	return refused == 0 && find_venues(self, found, VENUES - 1) == VENUES - 1 ? 0 : -1;
}

int main(void)
{
	static const char *const names[VENUES] = {"XNAS", NULL, NULL};
	struct venue venues[VENUES] = {{0}};
	struct tern_engine *engine;
	struct tern_error error;
	struct tern_id id;
	tern_address agent = TERN_ADDRESS_NONE;

	if (tern_engine_start(&engine, NULL, &error) != 0)
		return fprintf(stderr, "directory: %s\n", error.text), 1;
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;

	for (uint32_t i = 0; i < VENUES; i++) {
		options.name = names[i];
		options.watch = names[i] != NULL;
		if (tern_spawn(self, &venue_behaviour, &venues[i], &options, &agent) != 0)
			return fputs("directory: spawn refused\n", stderr), 1;
	}
	int failed = tern_agent_id(self, agent, &id) != 0 || trade(self, id) != 0 ||
		     close_one(self) != 0;

	tern_thread_detach(self);
	failed |= tern_engine_stop(engine, PATIENCE_NS, NULL) != 0;
	for (uint32_t i = 0; i < VENUES; i++)
		printf("%-6s %u orders\n", names[i] ? names[i] : "-", venues[i].orders);
	return failed || venues[0].orders + venues[1].orders + venues[2].orders != 5;
}
