/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "config_source.h"
#include "node_echo.h"

#include "app.h"
#include "tern_node.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Between two looks for peers that came or went. */
#define LOOK_NS 10000000
#define DRAIN_NS 1000000000u

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "Read the configuration from FILE", 0},
	{"set", 's', "KEY=VALUE", 0, "Set SECTION.KEY to VALUE after the file; may be repeated", 0},
	{0},
};

static error_t parse_key(int key, char *arg, struct argp_state *state)
{
	struct config_source *source = state->input;

	switch (key) {
	case 'c':
		if (source->path)
			app_argument_fail(state, "--config is there twice");
		source->path = arg;
		return 0;
	case 's':
		source->settings[source->setting_count++] = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_key,
	.doc = "Run a node of a cluster until it is told to end by SIGINT or SIGTERM, and say "
	       "which other nodes come and go."
	       "\v"
	       "Needed are [node] id, device and members; docs/running-nodes.md shows a pair of "
	       "nodes on one machine. An agent named " NODE_ECHO_NAME
	       " sends back what it gets. `tern peers`, `tern ping` and `tern fault` ask a node "
	       "that runs.\n"
	       "\n"
	       "Exit status:\n"
	       "  0   ended as it was told to\n"
	       "  2   wrong command line\n"
	       "  66  a file is absent or cannot be read\n"
	       "  69  a device is not there or in use, no memory, or output cannot be written\n"
	       "  77  a file or a device may not be used\n"
	       "  78  the configuration is refused\n"
	       "\n"
	       "Example:\n"
	       "  tern node --config one.ini --set log.level=info\n",
};

/* What was last said of another node. */
struct seen {
	bool connected;
	uint64_t lost;
};

/* A node that runs. */
struct run {
	const char *program;
	const struct tern_config *config;
	struct tern_engine *engine;
	struct tern_peer *peers;
	struct seen *seen; /* by place in `peers` */
	uint32_t count;
};

/* Lines are for programs, too: each is there once it is written. */
static void line_end(void)
{
	putchar('\n');
	fflush(stdout);
}

static void peer_print(struct run *run, uint32_t i)
{
	const struct tern_peer *peer = &run->peers[i];
	struct seen *seen = &run->seen[i];
	bool connected = tern_node_connected(run->engine, peer->node);

	if (seen->connected && (!connected || peer->lost != seen->lost)) {
		printf("lost node=%u", peer->node);
		line_end();
		seen->connected = false;
	}
	if (connected && !seen->connected) {
		printf("connected node=%u lcores=%u", peer->node, peer->lcores);
		line_end();
	}
	*seen = (struct seen){.connected = connected, .lost = peer->lost};
}

static void peers_print(struct run *run)
{
	tern_node_peers(run->engine, run->peers, run->count);
	for (uint32_t i = 0; i < run->count; i++)
		peer_print(run, i);
}

static void node_watch(struct run *run, const sigset_t *ends)
{
	const struct timespec nap = {.tv_nsec = LOOK_NS};
	const struct tern_config *config = run->config;

	printf("up node=%u device=", config->node);
	app_plain_print(config->device, stdout);
	printf(" lcores=%u members=%u", tern_engine_lcores(run->engine), run->count + 1);
	line_end();
	do
		peers_print(run);
	while (sigtimedwait(ends, NULL, &nap) < 0);
	printf("ended node=%u", config->node);
	line_end();
}

static int peers_make(struct run *run)
{
	run->count = tern_node_peers(run->engine, NULL, 0);
	run->peers = calloc(run->count + 1, sizeof(*run->peers));
	run->seen = calloc(run->count + 1, sizeof(*run->seen));
	return run->peers && run->seen ? APP_OK
				       : app_fail(APP_UNAVAILABLE, run->program, "no memory");
}

static int echo_start(struct run *run)
{
	struct tern_spawn_options echo = TERN_SPAWN_DEFAULTS;
	struct tern_agent *self = tern_thread_attach(run->engine, NULL, NULL);
	tern_address address;

	echo.name = NODE_ECHO_NAME;
	int code = self ? tern_spawn(self, &node_echo, NULL, &echo, &address) : -tern_errno;
	if (self)
		tern_thread_detach(self);
	return code == 0 ? APP_OK
			 : app_fail(APP_UNAVAILABLE, run->program, NODE_ECHO_NAME ": %s",
				    strerror(-code));
}

static int node_serve(struct run *run, const sigset_t *ends)
{
	int code = echo_start(run);

	if (code == APP_OK)
		code = peers_make(run);
	if (code == APP_OK)
		node_watch(run, ends);
	free(run->peers);
	free(run->seen);
	int rc = tern_engine_stop(run->engine, DRAIN_NS, NULL);
	if (rc != 0 && code == APP_OK)
		fprintf(stderr, "%s: it was not quiet within 1 s: what was under way is lost\n",
			run->program);
	return code;
}

static int start_refuse(int rc, const struct tern_error *error, const char *program)
{
	switch (rc) {
	case -EINVAL:
	case -EMSGSIZE:
	case -E2BIG:
		return app_fail_error(APP_CONFIG, program, error);
	case -EACCES:
	case -EPERM:
		return app_fail_error(APP_PERMISSION, program, error);
	case -ENOENT:
	case -EISDIR:
		return app_fail_error(APP_INPUT, program, error);
	default:
		return app_fail_error(APP_UNAVAILABLE, program, error);
	}
}

/* The signals wait from before the start: no thread of the engine takes them. */
static void signals_block(sigset_t *ends)
{
	sigemptyset(ends);
	sigaddset(ends, SIGINT);
	sigaddset(ends, SIGTERM);
	sigprocmask(SIG_BLOCK, ends, NULL);
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is seen at exit */
}

static int node_run(const struct config_source *source, const char *program)
{
	struct tern_config config;
	struct tern_error error = {""};
	struct run run = {.program = program, .config = &config};
	sigset_t ends;
	int code = config_source_load(source, &config, program);

	if (code != APP_OK)
		return code;
	if (config.mode == TERN_MODE_POLLED)
		return app_fail(APP_CONFIG, program,
				"engine.mode is polled, and nobody would poll; allowed: parallel, "
				"concurrent");
	if (!config.device[0])
		return app_fail(APP_CONFIG, program,
				"node.device is not set; needed: a PCI address, an interface such "
				"as eth0, or net_memif0,role=server,socket=NAME");
	int rc = tern_config_check(&config, &error);
	if (rc < 0)
		return config_source_refuse(rc, &error, program);
	signals_block(&ends);
	rc = tern_engine_start(&run.engine, &config, &error);
	return rc < 0 ? start_refuse(rc, &error, program) : node_serve(&run, &ends);
}

int node_command(int argc, char **argv)
{
	struct config_source source;

	if (!config_source_init(&source, argc))
		return app_fail(APP_UNAVAILABLE, argv[0], "no memory");
	app_parse(&argp, argc, argv, 0, &source);
	int code = node_run(&source, argv[0]);
	config_source_fini(&source);
	return code;
}
