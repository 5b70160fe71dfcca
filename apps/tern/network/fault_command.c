/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "engine_options.h"

#include "app.h"
#include "human_text.h"
#include "json_text.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* How often to look, 1 ms apart, whether rules are in effect. */
#define LOOKS_MAX 1000

struct request {
	struct engine_choice choice;
	bool json;
	const char *rules; /* NULL: only look */
};

static const struct argp_option options[] = {
	{"json", 'j', NULL, 0, "Print one JSON object (schema tern.fault/1)", 1},
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
	case ARGP_KEY_ARG:
		if (request->rules)
			argp_usage(state);
		request->rules = arg;
		return 0;
	default:
		return engine_option_take(key, arg, state, &request->choice);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_key,
	.args_doc = "[RULES|off]",
	.doc = "For tests: have a running engine lose, repeat, delay or alter frames of its "
	       "network on purpose; without RULES show which rules it has, and what they did."
	       "\v"
	       "A node with rules breaks its network for all of its agents. RULES take the place "
	       "of those before; `;` or `|` stands between them, `,` between the words of one, and "
	       "the first rule that applies to a frame decides:\n"
	       "  loss, duplicate, reorder, corrupt, delayed = RATE   1%, 0.05%, 20ppm\n"
	       "  delay, jitter = TIME                                100us, 2ms\n"
	       "  behind = FRAMES   with reorder\n"
	       "  bits = BITS       with corrupt\n"
	       "  partition         lose all\n"
	       "  kind=data, class=0..15, node=N, way=in|out          which frames; all otherwise\n"
	       "Counters count frames since the engine's start.\n"
	       "\n"
	       "Exit status:\n"
	       "  0   done\n" ENGINE_EXIT_STATUS "\n"
	       "Examples:\n"
	       "  tern fault 'loss=1%,kind=data; partition,node=3,way=in'\n"
	       "  tern fault off\n",
};

#define FAULTED(member)                                                \
	{                                                              \
#member, offsetof(struct tern_inspect_faulted, member) \
	}
static const struct {
	const char *name;
	size_t offset;
} faulted[] = {FAULTED(seen),	   FAULTED(partitioned), FAULTED(lost),
	       FAULTED(corrupted), FAULTED(duplicated),	 FAULTED(delayed),
	       FAULTED(reordered), FAULTED(overflowed),	 FAULTED(uncopied)};
_Static_assert(sizeof(faulted) / sizeof(faulted[0]) ==
		       sizeof(struct tern_inspect_faulted) / sizeof(uint64_t),
	       "all of them");
#define FAULTED_COUNT (sizeof(faulted) / sizeof(faulted[0]))

static uint64_t faulted_value(const struct tern_inspect_faulted *counts, size_t i)
{
	uint64_t value;
	memcpy(&value, (const char *)counts + faulted[i].offset, sizeof(value));
	return value;
}

static void fault_print(const struct tern_inspect_fault *fault)
{
	char in[APP_TEXT_MAX], out[APP_TEXT_MAX];
	printf("rules  ");
	app_plain_print(fault->rules, stdout);
	printf("%s\n", fault->is_pending ? "  (not all lcores have them yet)" : "");
	if (fault->in.seen == 0 && fault->out.seen == 0)
		return;
	printf("%-12s %13s %13s\n", "FRAMES", "IN", "OUT");
	for (size_t i = 0; i < FAULTED_COUNT; i++)
		printf("%-12s %13s %13s\n", faulted[i].name,
		       app_count_text(in, faulted_value(&fault->in, i)),
		       app_count_text(out, faulted_value(&fault->out, i)));
}

static json_t *faulted_json(const struct tern_inspect_faulted *counts)
{
	json_t *object = json_object();
	for (size_t i = 0; i < FAULTED_COUNT; i++)
		json_object_set_new(object, faulted[i].name,
				    json_integer((json_int_t)faulted_value(counts, i)));
	return object;
}

static int fault_json(const struct engine_asked *asked, const struct tern_inspect_fault *fault)
{
	json_t *root =
		json_pack("{s:s, s:{s:i, s:i}, s:o, s:i, s:b, s:o, s:o}", "schema", "tern.fault/1",
			  "engine", "pid", (int)asked->engine.pid, "number",
			  (int)asked->engine.number, "rules", app_json_string(fault->rules),
			  "rule_count", (int)fault->rule_count, "pending", (int)fault->is_pending,
			  "in", faulted_json(&fault->in), "out", faulted_json(&fault->out));
	if (app_json_print(root, JSON_INDENT(2)) == -ENOMEM) /* a failed write is seen at exit */
		return app_fail(APP_UNAVAILABLE, asked->program, "no memory");
	putchar('\n');
	return APP_OK;
}

/* Until the rules that were set are in effect: then they can be relied on. */
static int fault_await(struct tern_inspect *inspect, struct tern_inspect_fault *fault,
		       struct tern_error *error)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int code = tern_inspect_fault(inspect, fault, error);
	for (int i = 0; code == 0 && fault->is_pending && i < LOOKS_MAX; i++) {
		nanosleep(&pause, NULL);
		code = tern_inspect_fault(inspect, fault, error);
	}
	return code;
}

static int fault_run(const struct request *request, const struct engine_asked *asked)
{
	struct tern_inspect_fault fault;
	struct tern_error error;
	int code = 0;
	if (request->rules)
		code = tern_inspect_fault_set(asked->inspect, request->rules, &error);
	if (code == 0)
		code = fault_await(asked->inspect, &fault, &error);
	if (code < 0)
		return engine_asked_refuse(asked, code, &error);
	if (request->json)
		return fault_json(asked, &fault);
	fault_print(&fault);
	return APP_OK;
}

int fault_command(int argc, char **argv)
{
	struct request request = {.json = false};
	struct engine_asked asked;

	app_parse(&argp, argc, argv, 0, &request);
	int code = engine_asked_open(argv[0], &request.choice, &asked);
	if (code != APP_OK)
		return code;
	code = fault_run(&request, &asked);
	engine_asked_close(&asked);
	return code;
}
