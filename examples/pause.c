/* SPDX-License-Identifier: Apache-2.0 */

/* Work piles up on a paused worker until more is refused; resumed, it finishes what it has. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <tern.h>

#define CAPACITY 10u
#define ATTEMPTS_MAX 1000u
#define PATIENCE_NS 10000000000ull

/* The worker's; main reads it once the worker has ended. */
struct tally {
	unsigned handled;
	unsigned pressed;
	unsigned relieved;
};

TERN_HANDLER(static, on_work)
{
	struct tally *tally = state;
	tally->handled++;
}

static void on_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct tally *tally = state;
	(void)self;

	if (event->kind == TERN_EVENT_PRESSURE && event->pressure.on)
		tally->pressed++;
	else if (event->kind == TERN_EVENT_PRESSURE)
		tally->relieved++;
}

static const struct tern_behaviour worker = {
	.name = "worker", .handler = on_work, .on_event = on_event};

/* Returns the signals accepted before one was refused for the right reason. */
static unsigned send_until_refused(struct tern_agent *self, tern_address to)
{
	struct tern_pressure pressure;
	unsigned accepted = 0;
	int refused;

	while ((refused = tern_signal_bytes(self, to, 0, NULL, 0)) == 0 &&
	       accepted < ATTEMPTS_MAX) {
		accepted++;
		usleep(1000); /* the worker's lcore has to see it */
	}
	tern_pressure(self, &pressure);
	if (refused != -EAGAIN || pressure.culprit != to)
		return 0;
	printf("%u signals accepted, then refused: the worker on lcore %u has %u queued\n",
	       accepted, pressure.lcore, pressure.queued);
	return accepted;
}

int main(void)
{
	struct tern_engine *engine;
	struct tern_error error;
	struct tern_spawn_options options = {.lcore = 0, .capacity = CAPACITY, .watch = true};
	struct tally tally = {0};
	struct tern_ended ended = {0};
	enum tern_agent_state state = TERN_STATE_NEW;
	tern_address address;

	if (tern_engine_start(&engine, NULL, &error) != 0)
		return fprintf(stderr, "pause: %s\n", error.text), 1;
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	if (tern_spawn(self, &worker, &tally, &options, &address) != 0)
		return fputs("pause: spawn refused\n", stderr), 1;

	if (tern_agent_pause(self, address) != 0)
		return fputs("pause: the worker is gone\n", stderr), 1;
	unsigned accepted = send_until_refused(self, address);
	tern_agent_state(self, address, &state);
	printf("its state is %s\n",
	       state == TERN_STATE_PAUSED ? "paused" : "not what it should be");

	if (tern_agent_resume(self, address) != 0 ||
	    tern_agent_finish(self, address, PATIENCE_NS) != 0 ||
	    tern_wait(self, address, PATIENCE_NS, &ended) != 0)
		return fputs("pause: the worker does not finish\n", stderr), 1;
	printf("resumed and finished: %u handled, pressure %u time on, %u time off\n",
	       tally.handled, tally.pressed, tally.relieved);
	tern_thread_detach(self);
	return tern_engine_stop(engine, 1000000000, NULL) != 0 || accepted < CAPACITY / 2 ||
	       tally.handled != accepted || tally.pressed != 1 || tally.relieved != 1 ||
	       state != TERN_STATE_PAUSED || ended.why != TERN_END_STOPPED;
}
