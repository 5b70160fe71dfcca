/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: in a forked child an engine refuses everything at once, hangs nowhere and takes nothing
 * from its parent, who goes on as if nothing had been. Method: real forks, by the testing thread
 * and in handlers, in every mode; the child's exit code says which of its expectations did not
 * hold.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "inspected.h"

#if defined(__SANITIZE_THREAD__)
#define NO_THREADS_AFTER_FORK 1 /* ThreadSanitizer refuses them */
#elif defined(__has_feature)
#define NO_THREADS_AFTER_FORK __has_feature(thread_sanitizer)
#else
#define NO_THREADS_AFTER_FORK 0
#endif
#if defined(__SANITIZE_ADDRESS__)
#define LOOKS_FOR_LEAKS 1 /* at exit(), without the threads that know of what is not lost */
#else
#define LOOKS_FOR_LEAKS 0
#endif

/* A child that hangs is killed, and so seen. */
enum { CHILD_SECONDS = 30, COUNT = 100, EXTRA = 99 };

static pid_t fork_child(void)
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		alarm(CHILD_SECONDS);
	return child;
}

static void assert_exits(pid_t child, int code)
{
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		fail_msg("status %#x", (unsigned)status);
}

/* The number of the first call that was not refused as it should be; 0: all were. */
static int all_is_refused(struct world *world, tern_address agent)
{
	struct tern_agent *self = world->self;
	struct tern_stop_report report = {.undelivered = 77};
	struct tern_ended ended;
	tern_address made = TERN_ADDRESS_NONE;
	uint64_t number = 0;
	if (tern_engine_stop(world->engine, UINT64_MAX, &report) != -ECHILD ||
	    report.undelivered != 77)
		return 1;
	if (tern_thread_attach(world->engine, NULL, NULL) || tern_errno != ECHILD)
		return 2;
	if (send_number(self, agent, 1, 0) != -ESHUTDOWN)
		return 3;
	if (tern_send(self, agent, 1, &number, sizeof(number), TERN_FOREVER) != -ESHUTDOWN)
		return 4;
	if (tern_spawn(self, &probe_behaviour, NULL, NULL, &made) != -ESHUTDOWN || made)
		return 5;
	if (tern_wait(self, TERN_ADDRESS_NONE, TERN_FOREVER, &ended) != -ECHILD)
		return 6;
	if (tern_agent_stop(self, agent) != -ESRCH || tern_agent_pause(self, agent) != -ESRCH ||
	    tern_agent_finish(self, agent, 0) != -ESRCH || tern_watch(self, agent) != -ESRCH)
		return 7;
	if (tern_thread_poll(self) || tern_engine_poll(world->engine) ||
	    tern_lcore_poll(tern_engine_lcore(world->engine, 0)))
		return 8;
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	iso = tern_signal_wait(self, agent, 1, iso, TERN_FOREVER);
	if (!iso || tern_errno != ESHUTDOWN)
		return 9;
	tern_iso_drop(tern_heap(self), iso);
	tern_thread_detach(self);
	return tern_engine_stop(world->engine, 0, NULL) == -ECHILD ? 0 : 10;
}

static void goes_on(struct world *world, tern_address agent, struct sink *sink)
{
	uint64_t from = seen(&sink->expected);
	for (uint64_t i = from; i < from + COUNT; i++)
		assert_int_equal(send_number(world->self, agent, 1, i), 0);
	UNTIL(world, seen(&sink->expected) == from + COUNT);
	assert_int_equal(sink->wrong, 0);
}

static void a_child_is_refused_everything(void **state)
{
	struct world *world = *state;
	struct sink *sink = world_memory(world, sizeof(*sink));
	tern_address agent = spawn_on(world->self, 0, &sink_behaviour, sink);
	goes_on(world, agent, sink);
	/* Signals under way are the parent's to handle. */
	for (uint64_t i = COUNT; i < 2 * COUNT; i++)
		assert_int_equal(send_number(world->self, agent, 1, i), 0);
	pid_t child = fork_child();
	if (child == 0)
		_exit(all_is_refused(world, agent));
	UNTIL(world, seen(&sink->expected) == 2 * COUNT);
	assert_exits(child, 0);
	goes_on(world, agent, sink);
}

/* What a program does at its end, whoever is at that end. */
static struct world *to_clean_up;

static void clean_up(void)
{
	if (!to_clean_up)
		return;
	tern_thread_detach(to_clean_up->self);
	if (tern_engine_stop(to_clean_up->engine, UINT64_MAX, NULL) != -ECHILD)
		_exit(EXTRA);
}

static void a_child_that_exits_leaves_its_parent_alone(void **state)
{
	struct world *world = *state;
	struct sink *sink = world_memory(world, sizeof(*sink));
	tern_address agent = spawn_on(world->self, 0, &sink_behaviour, sink);
	assert_int_equal(atexit(clean_up), 0);
	to_clean_up = world;
	pid_t child = fork_child();
	if (child == 0 && LOOKS_FOR_LEAKS) {
		clean_up();
		_exit(0);
	} else if (child == 0) {
		exit(0);
	}
	to_clean_up = NULL;
	assert_exits(child, 0);
	goes_on(world, agent, sink);
	if (world->polled)
		return;
	/* The inspector still answers at its name. */
	union tern_inspect_reply reply;
	int fd = client_open(0);
	UNTIL(world, client_recv(fd, &reply) == (ssize_t)sizeof(reply.head));
	assert_int_equal(reply.head.kind, TERN_INSPECT_HELLO);
	close(fd);
}

static void nobody_waits_at_a_socket_that_a_child_has(void **state)
{
	struct world world;
	struct tern_config config;
	struct sockaddr_un address;
	int ends[2];
	(void)state;
	world_config(&config, false);
	world_open(&world, &config);
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork_child();
	if (child == 0) {
		char end;
		close(ends[1]);
		_exit((int)read(ends[0], &end, 1));
	}
	world_close(&world);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	socklen_t length = tern_inspect_address(&address, getpid(), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, length), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	close(ends[0]);
	close(ends[1]);
	assert_exits(child, 0);
}

/* Forks at its first signal; its child must not handle another, nor end as an agent does. */
struct forker {
	pid_t child;
	uint64_t in_child;
	uint64_t handled;
	uint64_t value; /* what the signal in hand says, in the child, too */
};

TERN_HANDLER(static, forker_handle)
{
	struct forker *forker = state;
	if (forker->in_child)
		_exit(EXTRA);
	if (seen(&forker->handled) == 0) {
		pid_t child = fork();
		if (child == 0) {
			alarm(CHILD_SECONDS);
			if (number_of(signal) != forker->value)
				_exit(EXTRA - 1);
			forker->in_child = 1;
			return;
		}
		put(&forker->child, child);
	}
	note(&forker->handled);
}

static void forker_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	const struct forker *forker = state;
	(void)self, (void)why, (void)result;
	if (forker->in_child)
		_exit(EXTRA);
}

static void a_handler_may_fork(void **state)
{
	static const struct tern_behaviour behaviour = {
		.name = "forker", .handler = forker_handle, .on_stop = forker_stop};
	struct world *world = *state;
	for (int roaming = 0; roaming < 2; roaming++) {
		struct forker *forker = world_memory(world, sizeof(*forker));
		struct tern_spawn_options options = {.lcore = 0, .roaming = roaming};
		tern_address agent;
		forker->value = 4711;
		assert_int_equal(tern_spawn(world->self, &behaviour, forker, &options, &agent), 0);
		if (world->polled)
			world_settle(world);
		for (uint64_t i = 0; i < COUNT; i++)
			assert_int_equal(send_number(world->self, agent, 1, 4711 + i), 0);
		while (seen(&forker->handled) < COUNT) {
			world_poll(world);
			/* Where the caller polls, the child comes back to the caller. */
			if (forker->in_child)
				_exit(0);
		}
		assert_exits(seen(&forker->child), 0);
	}
}

/* Turns into a daemon too late: the engine's threads stay with the process that is left. */
static void start_and_become_daemon(int to)
{
	struct world world;
	struct tern_config config;
	world_config(&config, false);
	world_open(&world, &config);
	tern_address agent = spawn_on(world.self, 0, &probe_behaviour, world_probes(&world, 1));
	if (daemon(1, 1) != 0)
		_exit(EXTRA);
	alarm(CHILD_SECONDS);
	char verdict = (char)all_is_refused(&world, agent);
	_exit(write(to, &verdict, 1) != 1);
}

static void a_daemon_is_refused_what_it_started_before(void **state)
{
	char verdict = EXTRA;
	int ends[2];
	(void)state;
	if (NO_THREADS_AFTER_FORK) {
		print_message("no threads after a fork under this sanitizer\n");
		skip();
	}
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork_child();
	if (child == 0)
		start_and_become_daemon(ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &verdict, 1), 1);
	assert_int_equal(verdict, 0);
	close(ends[0]);
	assert_exits(child, 0);
}

static int run_own_engine(bool polled)
{
	struct world world;
	struct tern_config config;
	world_config(&config, polled);
	world_open(&world, &config);
	struct sink *sink = world_memory(&world, sizeof(*sink));
	tern_address agent = spawn_on(world.self, 0, &sink_behaviour, sink);
	for (uint64_t i = 0; i < COUNT; i++)
		if (send_number(world.self, agent, 1, i) != 0)
			return 1;
	UNTIL(&world, seen(&sink->expected) == COUNT);
	return world_stop(&world, PATIENCE_NS, NULL);
}

static void a_child_may_have_an_engine_of_its_own(void **state)
{
	struct world *world = *state;
	struct sink *sink = world_memory(world, sizeof(*sink));
	tern_address agent = spawn_on(world->self, 0, &sink_behaviour, sink);
	pid_t child = fork_child();
	if (child == 0) {
		int code = run_own_engine(true);
		_exit(code == 0 && !NO_THREADS_AFTER_FORK ? run_own_engine(false) : code);
	}
	goes_on(world, agent, sink);
	assert_exits(child, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_child_is_refused_everything),
		BOTH(a_child_that_exits_leaves_its_parent_alone),
		cmocka_unit_test(nobody_waits_at_a_socket_that_a_child_has),
		BOTH(a_handler_may_fork),
		cmocka_unit_test(a_daemon_is_refused_what_it_started_before),
		BOTH(a_child_may_have_an_engine_of_its_own),
	};
	return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
