/* SPDX-License-Identifier: Apache-2.0 */

/* Two agents on two lcores pass a counter back and forth a million times. */
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include <tern.h>

#define PASSES 1000000u

struct player {
	tern_address peer;	  /* who serves, knows whom to serve to */
	atomic_uint_least64_t ns; /* when the last pass arrived; 0 before */
};

TERN_HANDLER(static, on_ball)
{
	struct player *player = state;
	uint64_t passes = *(const uint64_t *)tern_signal_data(signal) + 1;

	if (passes == PASSES)
		atomic_store(&player->ns, tern_now(self));
	else if (tern_signal_bytes(self, tern_signal_from(signal), 0, &passes, sizeof(passes)) != 0)
		tern_exit(self, 1);
}

static void serve(struct tern_agent *self, void *state) TERN_OWNS(self)
{
	const struct player *player = state;
	uint64_t passes = 0;

	if (player->peer && tern_signal_bytes(self, player->peer, 0, &passes, sizeof(passes)) != 0)
		tern_exit(self, 1);
}

static const struct tern_behaviour player_behaviour = {
	.name = "player", .handler = on_ball, .on_start = serve};

int main(void)
{
	struct tern_engine *engine;
	struct tern_error error;
	struct player players[2] = {{0}, {0}};
	tern_address server;

	if (tern_engine_start(&engine, NULL, &error) != 0)
		return fprintf(stderr, "ping_pong: %s\n", error.text), 1;
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	struct tern_spawn_options last = {.lcore = tern_engine_lcores(engine) - 1};
	struct tern_spawn_options first = {.lcore = 0};
	uint64_t start = tern_now(self);

	if (tern_spawn(self, &player_behaviour, &players[0], &last, &players[1].peer) != 0 ||
	    tern_spawn(self, &player_behaviour, &players[1], &first, &server) != 0)
		return fputs("ping_pong: spawn refused\n", stderr), 1;
	while (!atomic_load(&players[0].ns) && !atomic_load(&players[1].ns))
		usleep(1000);

	uint64_t end = atomic_load(&players[0].ns) + atomic_load(&players[1].ns);
	printf("%u signals, %.0f ns each\n", PASSES, (double)(end - start) / PASSES);
	tern_thread_detach(self);
	return tern_engine_stop(engine, 1000000000, NULL) != 0;
}
