/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_subcommands.h"

#include "book/book.h"
#include "feed_tally.h"

#include <string.h>

#define EXPECTED_ORDERS 65536

struct stat_options {
	const char *path;
	bool json;
	uint16_t port;
};

enum { OPTION_JSON = 0x100, OPTION_PORT };

static const struct argp_option option_list[] = {
	{"json", OPTION_JSON, NULL, 0, "Print JSON", 0},
	{"port", OPTION_PORT, "N", 0, "Follow only datagrams to this UDP port of a capture", 0},
	{0},
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct stat_options *options = state->input;
	switch (key) {
	case OPTION_JSON:
		options->json = true;
		return 0;
	case OPTION_PORT:
		options->port = (uint16_t)feed_option_number(state, "--port", text, 1, UINT16_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (options->path)
			app_argument_fail(state, "'%s' is one file too many, needs one", text);
		options->path = text;
		return 0;
	case ARGP_KEY_END:
		if (!options->path)
			argp_error(state, "FILE is missing, needs a feed file, or - for input");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int report(const char *program, const struct stat_options *options,
		  struct feed_source *source, const struct feed_tally *tally)
{
	int code = 0;
	if (options->json)
		code = feed_tally_print_json(tally, options->path, source);
	else
		feed_tally_print(tally, options->path, source);
	if (code < 0)
		return app_fail(APP_UNAVAILABLE, program, "no memory or no room for the report");
	int found = feed_faults_print(program, options->path, source);
	if (tally->total == 0)
		return app_fail(APP_INPUT, program, "%s: holds no message: needs an ITCH 5.0 feed",
				options->path);
	return found;
}

static int count_feed(const char *program, const struct stat_options *options,
		      struct feed_source *source, struct book_set *books)
{
	struct feed_tally tally = {.books = books};
	struct feed_message message;
	struct tern_error error;
	int got;
	while ((got = feed_source_next(source, &message, &error)) > 0)
		feed_tally_add(&tally, &message, feed_source_counters(source));
	int result = report(program, options, source, &tally);
	return got < 0 ? feed_source_fail(program, got, &error) : result;
}

int feed_stat_run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list,
		.parser = parse_option,
		.args_doc = "FILE",
		.doc = "Count the messages of a feed by type, and everything remarkable by name.\v"
		       "FILE is an ITCH 5.0 BinaryFILE, or a pcap or pcapng capture of MoldUDP64; "
		       "- "
		       "is standard input. All orders are followed, so that references to unknown "
		       "ones are found.\n\n"
		       "Exit status: 0; 1 the feed is readable but has faults (gaps, packets cut "
		       "short, unknown types, unknown orders, ...: see the messages); 2 wrong "
		       "usage; 66 FILE is unreadable, empty, no feed, cut inside a message, or "
		       "holds no message (what could be read is still counted); 69 no memory, or "
		       "the output cannot be written.",
	};
	struct stat_options options = {.path = NULL};
	struct feed_source *source;
	struct book_set *books;
	struct tern_error error;
	if (app_parse(&argp, argc, argv, 0, &options) != 0)
		return APP_UNAVAILABLE;
	int code = feed_source_open(options.path, options.port, &source, &error);
	if (code < 0)
		return feed_source_fail(argv[0], code, &error);
	int result = APP_UNAVAILABLE;
	if (book_set_create(EXPECTED_ORDERS, &books) < 0) {
		app_fail(APP_UNAVAILABLE, argv[0], "not enough memory for the books");
	} else {
		result = count_feed(argv[0], &options, source, books);
		book_set_destroy(books);
	}
	feed_source_destroy(source);
	return app_stdout_finish(result, argv[0]);
}
