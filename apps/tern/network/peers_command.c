/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "engine_options.h"

#include "app.h"
#include "human_text.h"
#include "json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct request {
	struct engine_choice choice;
	bool json;
};

static const struct argp_option options[] = {
	{"json", 'j', NULL, 0, "Print one JSON object (schema tern.peers/1)", 1},
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
		argp_usage(state);
		return 0;
	default:
		return engine_option_take(key, arg, state, &request->choice);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_key,
	.doc = "Show the other nodes of the cluster as a running engine knows them."
	       "\v"
	       "Links are pairs of lcores, of one node and of the other, that are connected, of "
	       "those that there are to be. Lost is how many connections have ended. A round trip "
	       "is the smoothed mean of frames, not of agents: `tern ping` measures one. Quiet is "
	       "how long nothing was heard of the node.\n"
	       "\n"
	       "Exit status:\n"
	       "  0   done\n" ENGINE_EXIT_STATUS "\n"
	       "Examples:\n"
	       "  tern peers\n"
	       "  tern peers --pid 4711 --json\n",
};

/* All pages as one: `peers` yields page->total of them, to be freed. Returns as a page does. */
static int peers_ask(struct tern_inspect *inspect, struct tern_inspect_peers *page,
		     struct tern_peer **peers, struct tern_error *error)
{
	int code = tern_inspect_peers(inspect, 0, page, error);
	if (code < 0)
		return code;
	struct tern_peer *all = calloc(page->total + 1, sizeof(*all));
	if (!all)
		return tern_error_set(error, -ENOMEM, "no memory");
	/* Their number never changes. */
	for (uint32_t first = 0; code == 0 && page->count;) {
		for (uint32_t i = 0; i < page->count; i++)
			all[first + i] = page->peers[i];
		first += page->count;
		code = tern_inspect_peers(inspect, first, page, error);
	}
	if (code < 0)
		free(all);
	else
		*peers = all;
	return code;
}

/* "-" where there is none. */
static const char *ns_text(char *text, uint64_t ns, bool is_known)
{
	return is_known ? app_ns_text(text, ns) : "-";
}

static void peer_print(const struct tern_peer *peer)
{
	char links[APP_TEXT_MAX], rtt[APP_TEXT_MAX], quiet[APP_TEXT_MAX];
	char out[APP_TEXT_MAX], in[APP_TEXT_MAX], again[APP_TEXT_MAX];
	snprintf(links, sizeof(links), "%u/%u", peer->links_open, peer->links);
	printf("%5u %6u %7s %5" PRIu64 " %9s %9s %11s %11s %9s\n", peer->node, peer->lcores, links,
	       peer->lost, ns_text(rtt, peer->srtt_ns, peer->srtt_ns != 0),
	       ns_text(quiet, peer->quiet_ns, peer->quiet_ns != UINT64_MAX),
	       app_count_text(out, peer->signals_out), app_count_text(in, peer->signals_in),
	       app_count_text(again, peer->retransmitted));
	printf("%*s frames %s out, %s in; %" PRIu64 " under way, %" PRIu64 " held, %" PRIu64
	       " came twice\n",
	       5, "", app_count_text(out, peer->frames_out), app_count_text(in, peer->frames_in),
	       peer->under_way, peer->held, peer->duplicates);
}

static int peers_print(const struct engine_asked *asked, const struct tern_inspect_peers *page,
		       const struct tern_peer *peers)
{
	char program[TERN_PLAIN_MAX(sizeof(asked->engine.program))];
	printf("%s, process %d, engine %u: node %u of %u, lcores %u\n",
	       tern_plain_text(program, sizeof(program), asked->engine.program),
	       (int)asked->engine.pid, asked->engine.number, page->node, page->total + 1,
	       page->lcores);
	printf("%5s %6s %7s %5s %9s %9s %11s %11s %9s\n", "NODE", "LCORES", "LINKS", "LOST", "TRIP",
	       "QUIET", "SIGNALS OUT", "SIGNALS IN", "AGAIN");
	for (uint32_t i = 0; i < page->total; i++)
		peer_print(&peers[i]);
	return APP_OK;
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)(value > INT64_MAX ? INT64_MAX : value));
}

static json_t *known(uint64_t value, bool is_known)
{
	return is_known ? number(value) : json_null();
}

static json_t *peer_json(const struct tern_peer *peer)
{
	return json_pack(
		"{s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o}",
		"node", (int)peer->node, "lcores", (int)peer->lcores, "links_open",
		(int)peer->links_open, "links", (int)peer->links, "lost", number(peer->lost),
		"quiet_ns", known(peer->quiet_ns, peer->quiet_ns != UINT64_MAX), "srtt_ns",
		known(peer->srtt_ns, peer->srtt_ns != 0), "signals_out", number(peer->signals_out),
		"signals_in", number(peer->signals_in), "frames_out", number(peer->frames_out),
		"frames_in", number(peer->frames_in), "retransmitted", number(peer->retransmitted),
		"duplicates", number(peer->duplicates), "under_way", number(peer->under_way),
		"held", number(peer->held));
}

static int peers_json(const struct engine_asked *asked, const struct tern_inspect_peers *page,
		      const struct tern_peer *peers)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < page->total; i++)
		json_array_append_new(list, peer_json(&peers[i]));
	json_t *root = json_pack("{s:s, s:{s:i, s:i, s:o}, s:i, s:i, s:o}", "schema",
				 "tern.peers/1", "engine", "pid", (int)asked->engine.pid, "number",
				 (int)asked->engine.number, "program",
				 app_json_string(asked->engine.program), "node", (int)page->node,
				 "lcores", (int)page->lcores, "peers", list);
	if (app_json_print(root, JSON_INDENT(2)) == -ENOMEM) /* a failed write is seen at exit */
		return app_fail(APP_UNAVAILABLE, asked->program, "no memory");
	putchar('\n');
	return APP_OK;
}

int peers_command(int argc, char **argv)
{
	struct request request = {.json = false};
	struct tern_inspect_peers page;
	struct tern_peer *peers = NULL;
	struct engine_asked asked;
	struct tern_error error;

	app_parse(&argp, argc, argv, 0, &request);
	int code = engine_asked_open(argv[0], &request.choice, &asked);
	if (code != APP_OK)
		return code;
	int rc = peers_ask(asked.inspect, &page, &peers, &error);
	if (rc < 0) {
		code = engine_asked_refuse(&asked, rc, &error);
	} else {
		code = request.json ? peers_json(&asked, &page, peers)
				    : peers_print(&asked, &page, peers);
		free(peers);
	}
	engine_asked_close(&asked);
	return code;
}
