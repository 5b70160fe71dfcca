/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "engine_options.h"

#include "app.h"
#include "human_text.h"
#include "json_text.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define COUNT_MAX 1000000u
#define NODE_MAX 8191u
#define NS_PER_MS 1000000u

struct request {
	struct engine_choice choice;
	bool json;
	bool has_node;
	uint32_t node;
	uint32_t count;
	uint64_t interval_ms;
};

enum { OPTION_COUNT = 0x300, OPTION_INTERVAL };

static const struct argp_option options[] = {
	{"count", OPTION_COUNT, "N", 0, "Ping so often; 5 where not said", 0},
	{"interval", OPTION_INTERVAL, "MS", 0, "Wait so long between two; 100 where not said", 0},
	{"json", 'j', NULL, 0, "Print one JSON object (schema tern.ping/1)", 1},
	ENGINE_OPTION_ROWS,
	{0},
};

static error_t parse_key(int key, char *arg, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 'j':
		request->json = true;
		return 0;
	case OPTION_COUNT:
		request->count =
			(uint32_t)engine_option_number(state, "--count", arg, 1, COUNT_MAX);
		return 0;
	case OPTION_INTERVAL:
		request->interval_ms = engine_option_number(state, "--interval", arg, 0, 60000);
		return 0;
	case ARGP_KEY_ARG:
		if (request->has_node)
			argp_usage(state);
		request->node = (uint32_t)engine_option_number(state, "NODE", arg, 1, NODE_MAX);
		request->has_node = true;
		return 0;
	case ARGP_KEY_END:
		if (!request->has_node)
			argp_usage(state);
		return 0;
	default:
		return engine_option_take(key, arg, state, &request->choice);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_key,
	.args_doc = "NODE",
	.doc = "Have a running engine ping another node of its cluster, by its number."
	       "\v"
	       "Lcore 0 of the engine sends a signal to lcore 0 of the other node, whose engine "
	       "sends one back; what is told is the time from one to the other, on the engine's "
	       "clock. Only one ping of an engine is under way at a time. One that is not answered "
	       "within 1 s is lost.\n"
	       "\n"
	       "Exit status:\n"
	       "  0   all were answered\n"
	       "  1   some were not, or there is no such node\n" ENGINE_EXIT_STATUS "\n"
	       "Examples:\n"
	       "  tern ping 2\n"
	       "  tern ping 2 --count 1000 --interval 0 --json\n",
};

/* What came of it so far. */
struct tally {
	uint64_t *rtt_ns; /* of those that were answered */
	uint32_t answered;
	uint32_t lost;
};

static int compare_ns(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

/* Of sorted values, the least that so many percent do not exceed. */
static uint64_t percentile(const struct tally *tally, uint32_t percent)
{
	uint64_t rank = ((uint64_t)tally->answered * percent + 99) / 100;
	return tally->rtt_ns[rank ? rank - 1 : 0];
}

static void ping_print(const struct request *request, const char *what)
{
	if (!request->json)
		printf("node %u: %s\n", request->node, what);
	fflush(stdout);
}

/* 0: it went on, answered or not; else what cannot be put right by asking again. */
static int ping_once(const struct request *request, struct tern_inspect *inspect,
		     struct tally *tally, struct tern_error *error)
{
	char text[APP_TEXT_MAX];
	uint64_t rtt_ns;
	int code = tern_inspect_ping(inspect, request->node, &rtt_ns, error);
	if (code == 0) {
		tally->rtt_ns[tally->answered++] = rtt_ns;
		ping_print(request, app_ns_text(text, rtt_ns));
		return 0;
	}
	if (code != -ETIME && code != -EHOSTUNREACH)
		return code;
	tally->lost++;
	ping_print(request, code == -ETIME ? "no answer within 1 s" : "not connected");
	return 0;
}

static void tally_print(const struct request *request, const struct tally *tally)
{
	char min[APP_TEXT_MAX], p50[APP_TEXT_MAX], p99[APP_TEXT_MAX], max[APP_TEXT_MAX];
	printf("%u sent, %u answered, %u lost\n", request->count, tally->answered, tally->lost);
	if (tally->answered)
		printf("min %s, p50 %s, p99 %s, max %s\n", app_ns_text(min, percentile(tally, 0)),
		       app_ns_text(p50, percentile(tally, 50)),
		       app_ns_text(p99, percentile(tally, 99)),
		       app_ns_text(max, percentile(tally, 100)));
}

static json_t *percentile_json(const struct tally *tally, uint32_t percent)
{
	return tally->answered ? json_integer((json_int_t)percentile(tally, percent)) : json_null();
}

static int tally_json(const struct request *request, const char *program, const struct tally *tally)
{
	json_t *root =
		json_pack("{s:s, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "schema", "tern.ping/1",
			  "node", (int)request->node, "sent", (int)request->count, "answered",
			  (int)tally->answered, "lost", (int)tally->lost, "min_ns",
			  percentile_json(tally, 0), "p50_ns", percentile_json(tally, 50), "p99_ns",
			  percentile_json(tally, 99), "max_ns", percentile_json(tally, 100));
	if (app_json_print(root, JSON_INDENT(2)) == -ENOMEM) /* a failed write is seen at exit */
		return app_fail(APP_UNAVAILABLE, program, "no memory");
	putchar('\n');
	return APP_OK;
}

static int tally_show(const struct request *request, const char *program, struct tally *tally)
{
	int code = APP_OK;
	qsort(tally->rtt_ns, tally->answered, sizeof(*tally->rtt_ns), compare_ns);
	if (request->json)
		code = tally_json(request, program, tally);
	else
		tally_print(request, tally);
	return code == APP_OK && tally->lost ? APP_FOUND : code;
}

static int ping_all(const struct request *request, const struct engine_asked *asked,
		    struct tally *tally)
{
	const struct timespec pause = {.tv_sec = (time_t)(request->interval_ms / 1000),
				       .tv_nsec = (long)(request->interval_ms % 1000 * NS_PER_MS)};
	struct tern_error error;
	int code = 0;
	for (uint32_t i = 0; code == 0 && i < request->count && !ferror(stdout); i++) {
		if (i != 0 && request->interval_ms)
			nanosleep(&pause, NULL);
		code = ping_once(request, asked->inspect, tally, &error);
	}
	if (code == -ENOENT)
		return app_fail_error(APP_FOUND, asked->program, &error);
	if (code < 0)
		return engine_asked_refuse(asked, code, &error);
	return tally_show(request, asked->program, tally);
}

int ping_command(int argc, char **argv)
{
	struct request request = {.count = 5, .interval_ms = 100};
	struct tally tally = {0};
	struct engine_asked asked;

	app_parse(&argp, argc, argv, 0, &request);
	int code = engine_asked_open(argv[0], &request.choice, &asked);
	if (code != APP_OK)
		return code;
	tally.rtt_ns = calloc(request.count, sizeof(*tally.rtt_ns));
	code = tally.rtt_ns ? ping_all(&request, &asked, &tally)
			    : app_fail(APP_UNAVAILABLE, argv[0], "no memory");
	free(tally.rtt_ns);
	engine_asked_close(&asked);
	return code;
}
