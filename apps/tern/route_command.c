/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "route_engine.h"
#include "route_print.h"

#include "app.h"
#include "tern_agent.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

/* What the command line asks for. */
struct request {
	struct engine_choice choice;
	const struct route_form *form;
	uint64_t limit;
	uint32_t which; /* of enum tern_inspect_which; 0: not said */
	const char *key;
	bool key_needed;
};

enum { OPTION_PID = 0x100, OPTION_ENGINE, OPTION_LIMIT, OPTION_LOCAL, OPTION_REMOTE };

#define ENGINE_OPTIONS                                                                    \
	{"pid", OPTION_PID, "PID", 0, "Look at an engine of this process", 1},            \
		{"engine", OPTION_ENGINE, "N", 0, "Look at engine N of its process", 1},  \
		{"json", 'j', NULL, 0, "Print one JSON object (schema tern.route/1)", 1}, \
	{                                                                                 \
		0                                                                         \
	}

static const struct argp_option options[] = {ENGINE_OPTIONS};

static const struct argp_option show_options[] = {
	{"limit", OPTION_LIMIT, "N", 0, "Show N routes at most", 0},
	{"local", OPTION_LOCAL, NULL, 0, "Show routes to agents of the engine itself", 0},
	{"remote", OPTION_REMOTE, NULL, 0, "Show routes to other nodes", 0},
	ENGINE_OPTIONS};

static uint64_t number(const struct argp_state *state, const char *option, const char *text,
		       uint64_t min, uint64_t max)
{
	uint64_t value = min;
	if (!app_number_parse(text, min, max, &value))
		app_argument_fail(state, "%s is \"%s\"; allowed: %llu..%llu", option, text,
				  (unsigned long long)min, (unsigned long long)max);
	return value;
}

static void parse_positional(struct request *request, char *arg, struct argp_state *state)
{
	if (!request->key_needed || request->key)
		argp_usage(state);
	request->key = arg;
}

static error_t parse_key(int key, char *arg, struct argp_state *state)
{
	struct request *request = state->input;
	struct engine_choice *choice = &request->choice;

	switch (key) {
	case 'j':
		request->form = &route_json;
		return 0;
	case OPTION_PID:
		choice->pid = (pid_t)number(state, "--pid", arg, 1, INT_MAX);
		choice->pid_given = true;
		return 0;
	case OPTION_ENGINE:
		choice->number = (uint32_t)number(state, "--engine", arg, 0, INT_MAX);
		choice->number_given = true;
		return 0;
	case OPTION_LIMIT:
		request->limit = number(state, "--limit", arg, 1, UINT64_MAX);
		return 0;
	case OPTION_LOCAL:
		request->which |= TERN_INSPECT_LOCAL;
		return 0;
	case OPTION_REMOTE:
		request->which |= TERN_INSPECT_REMOTE;
		return 0;
	case ARGP_KEY_ARG:
		parse_positional(request, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (request->key_needed && !request->key)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* `one`: the line of what 1 says, or nothing */
#define EXIT_STATUS(one)                                                                   \
	"Exit status:\n"                                                                   \
	"  0   done\n" one "  2   wrong command line, or several engines to choose from\n" \
	"  69  no engine is there or answers, or output cannot be written\n"               \
	"  77  the engine is another user's\n"

static const struct argp show_argp = {
	.options = show_options,
	.parser = parse_key,
	.doc = "Show the routes of a running engine, and the agents that they lead to."
	       "\v"
	       "Each route that stays in the table while it is read is shown once. An agent "
	       "without "
	       "a name is known by its behaviour. The engine goes on undisturbed: a helper thread "
	       "of its process answers.\n"
	       "\n" EXIT_STATUS("") "\n"
				    "Examples:\n"
				    "  tern route show\n"
				    "  tern route show --pid 4711 --remote --limit 20\n",
};

static const struct argp lookup_argp = {
	.options = options,
	.parser = parse_key,
	.args_doc = "ID|NAME",
	.doc = "Look one id up in the routing table of a running engine."
	       "\v"
	       "ID is 32 hexadecimal digits, plain or with dashes as in a UUID; all else is a "
	       "NAME.\n"
	       "\n" EXIT_STATUS(
		       "  1   there is no such route\n") "\n"
							 "Examples:\n"
							 "  tern route lookup risk\n"
							 "  tern route lookup --json "
							 "0c9b1f0e-8a52-4e6f-9d53-6f6b5a3d2e10\n",
};

static const struct argp report_argp = {
	.options = options,
	.parser = parse_key,
	.doc = "Say how far a running engine agrees with other nodes on where agents are: the "
	       "versions of each node's changes that it has heard, how many it may lack, and what "
	       "contradicted what it knows."
	       "\v"
	       "Drift counts versions that were not received, or not kept, up to the highest that "
	       "this engine or a peer has heard of. It is 0 where nothing is lacking. With what a "
	       "contradiction was answered is in docs/routing.md.\n"
	       "\n" EXIT_STATUS("") "\n"
				    "Example:\n"
				    "  tern route report --json\n",
};

static const struct argp stat_argp = {
	.options = options,
	.parser = parse_key,
	.doc = "Say how large the routing table of a running engine is, and how full; what its "
	       "lookups came to, and what other nodes told it."
	       "\v"
	       "What never happened is left out. With --json all is there, and the lookups of each "
	       "lcore. Lookups are timed where the engine has engine.trace_every.\n"
	       "\n" EXIT_STATUS("") "\n"
				    "Example:\n"
				    "  tern route stat --json\n",
};

static int refuse(int code, const char *program, const struct tern_error *error)
{
	return app_fail_error(code == -EPERM ? APP_PERMISSION : APP_UNAVAILABLE, program, error);
}

static int no_memory(const char *program)
{
	return app_fail(APP_UNAVAILABLE, program, "no memory");
}

/* What a subcommand does once the engine is found. Returns an exit code. */
typedef int action_function(const struct request *request, const char *program,
			    const struct tern_inspect_engine *engine, struct tern_inspect *inspect);

/* One question for each lcore; `lookups` is of their number. */
static int ask_counts(struct tern_inspect *inspect, uint32_t lcores,
		      struct tern_router_counts *lookups, struct tern_error *error)
{
	int code = 0;
	for (uint32_t lcore = 0; code == 0 && lcore < lcores; lcore++)
		code = tern_inspect_counts(inspect, lcore, &lookups[lcore], error);
	return code;
}

static int stat_route(const struct request *request, const char *program,
		      const struct tern_inspect_engine *engine, struct tern_inspect *inspect)
{
	const struct route_form *form = request->form;
	struct tern_router_counts *lookups = NULL;
	struct tern_inspect_capabilities capabilities;
	struct tern_inspect_stat stat;
	struct tern_error error;
	int code = tern_inspect_stat(inspect, &stat, &error);

	if (code == 0)
		code = tern_inspect_capabilities(inspect, &capabilities, &error);
	if (code < 0)
		return refuse(code, program, &error);
	if (form->by_lcore) {
		lookups = calloc(stat.lcores, sizeof(*lookups));
		if (!lookups)
			return no_memory(program);
		code = ask_counts(inspect, stat.lcores, lookups, &error);
	}
	if (code < 0)
		code = refuse(code, program, &error);
	else
		code = form->stat(engine, &stat, lookups, &capabilities) ? APP_OK
									 : no_memory(program);
	free(lookups);
	return code;
}

static int lookup_route(const struct request *request, const char *program,
			const struct tern_inspect_engine *engine, struct tern_inspect *inspect)
{
	struct tern_id id;
	struct tern_inspect_route route;
	struct tern_error error;
	bool named = !tern_id_read(request->key, &id);

	if (named)
		id = tern_name_id(request->key);
	int code = tern_inspect_lookup(inspect, id, &route, &error);
	if (code == -ENOENT)
		return app_fail(APP_FOUND, program, "no agent has the %s \"%s\"",
				named ? "name" : "id", request->key);
	if (code < 0)
		return refuse(code, program, &error);
	return request->form->lookup(engine, &route) ? APP_OK : no_memory(program);
}

/* One page; `left` goes down by what was printed. */
static bool page_print(const struct route_form *form, const struct tern_inspect_page *page,
		       uint64_t limit, uint64_t *left)
{
	for (uint32_t i = 0; i < page->count && *left; i++) {
		if (!form->show(&page->routes[i], *left == limit))
			return false;
		--*left;
	}
	return true;
}

static int show_route(const struct request *request, const char *program,
		      const struct tern_inspect_engine *engine, struct tern_inspect *inspect)
{
	const struct route_form *form = request->form;
	uint32_t which = request->which ? request->which : TERN_INSPECT_LOCAL | TERN_INSPECT_REMOTE;
	struct tern_inspect_page page = {.more = 1};
	struct tern_inspect_stat stat;
	struct tern_error error;
	uint64_t left = request->limit, over = 0;
	int code = tern_inspect_stat(inspect, &stat, &error);

	if (code < 0)
		return refuse(code, program, &error);
	if (!form->show_begin(engine, &stat))
		return no_memory(program);
	/* One route beyond the limit says that there are more. */
	while (page.more && !over && !ferror(stdout)) {
		code = tern_inspect_show(inspect, which, &page, &error);
		if (code < 0)
			return refuse(code, program, &error);
		over = page.count > left;
		if (!page_print(form, &page, request->limit, &left))
			return no_memory(program);
	}
	return form->show_end(over) ? APP_OK : no_memory(program);
}

static bool nodes_print(const struct route_form *form, const struct tern_inspect_report *report,
			bool first)
{
	bool printed = true;
	for (uint32_t i = 0; printed && i < report->node_count; i++)
		printed = form->report_node(report, &report->nodes[i], first && i == 0);
	return printed;
}

static int report_route(const struct request *request, const char *program,
			const struct tern_inspect_engine *engine, struct tern_inspect *inspect)
{
	const struct route_form *form = request->form;
	struct tern_inspect_report report = {0};
	struct tern_error error;
	bool first = true;
	int code = tern_inspect_report(inspect, &report, &error);

	if (code < 0)
		return refuse(code, program, &error);
	if (!form->report_begin(engine, &report) || !nodes_print(form, &report, first))
		return no_memory(program);
	while (report.next <= TERN_NODE_MAX && !ferror(stdout)) {
		first &= report.node_count == 0;
		code = tern_inspect_report(inspect, &report, &error);
		if (code < 0)
			return refuse(code, program, &error);
		if (!nodes_print(form, &report, first))
			return no_memory(program);
	}
	return form->report_end() ? APP_OK : no_memory(program);
}

static int run(const struct argp *argp, int argc, char **argv, action_function *action)
{
	struct request request = {.form = &route_text, .limit = UINT64_MAX};
	struct tern_inspect_engine engine;
	struct tern_inspect *inspect;
	struct tern_error error;

	request.key_needed = argp->args_doc != NULL;
	app_parse(argp, argc, argv, 0, &request);
	int code = engine_choose(argv[0], &request.choice, &engine);
	if (code != APP_OK)
		return code;
	code = tern_inspect_open(&inspect, engine.pid, engine.number, &error);
	if (code < 0)
		return refuse(code, argv[0], &error);
	code = action(&request, argv[0], &engine, inspect);
	tern_inspect_close(inspect);
	return code;
}

static int show_command(int argc, char **argv)
{
	return run(&show_argp, argc, argv, show_route);
}

static int lookup_command(int argc, char **argv)
{
	return run(&lookup_argp, argc, argv, lookup_route);
}

static int report_command(int argc, char **argv)
{
	return run(&report_argp, argc, argv, report_route);
}

static int stat_command(int argc, char **argv)
{
	return run(&stat_argp, argc, argv, stat_route);
}

static const struct command commands[] = {
	{"lookup", "tern route lookup", lookup_command, "Look one id or name up"},
	{"report", "tern route report", report_command, "Say how far it agrees with other nodes"},
	{"show", "tern route show", show_command, "Show the routes, all or some"},
	{"stat", "tern route stat", stat_command,
	 "Say how full the table is, and what lookups came to"},
};

static const struct command_set set = {
	.commands = commands,
	.count = RTE_DIM(commands),
	.doc = "Look at the routing table of an engine that runs in another process.\v",
};

int route_command(int argc, char **argv)
{
	return command_set_run(&set, argc, argv);
}
