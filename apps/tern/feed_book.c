/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_subcommands.h"

#include "book/book.h"
#include "feed_bounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECTED_ORDERS 65536
#define DEPTH_MAX 10000
#define NO_ASK INT64_C(9999999999)
#define NO_BID INT64_C(-9999999999)

struct book_options {
	const char *path;
	const char *symbol;
	const char *bounds_path;
	uint32_t depth;
	uint16_t port;
};

enum { OPTION_SYMBOL = 0x100, OPTION_DEPTH, OPTION_AT, OPTION_PORT };

static const struct argp_option option_list[] = {
	{"symbol", OPTION_SYMBOL, "S", 0, "The instrument, for example AAPL", 0},
	{"depth", OPTION_DEPTH, "K", 0, "Levels of each side, 1 to 10000 (default 10)", 0},
	{"at", OPTION_AT, "BOUNDS_FILE", 0,
	 "Numbers of messages from the start, one on each line, ascending", 0},
	{"port", OPTION_PORT, "N", 0, "Follow only datagrams to this UDP port of a capture", 0},
	{0},
};

static void check_complete(struct argp_state *state, const struct book_options *options)
{
	if (!options->path)
		argp_error(state, "FILE is missing, needs a feed file, or - for input");
	if (!options->symbol)
		argp_error(state, "--symbol is missing, for example --symbol AAPL");
	if (!options->bounds_path)
		argp_error(state, "--at is missing, needs a file of message counts");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct book_options *options = state->input;
	switch (key) {
	case OPTION_SYMBOL:
		if (strlen(text) == 0 || strlen(text) > 8 || strchr(text, ' '))
			app_argument_fail(state, "--symbol is '%s', needs 1 to 8 letters", text);
		options->symbol = text;
		return 0;
	case OPTION_DEPTH:
		options->depth = (uint32_t)feed_option_number(state, "--depth", text, 1, DEPTH_MAX);
		return 0;
	case OPTION_AT:
		options->bounds_path = text;
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
		check_complete(state, options);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_level(const struct book_level *level, int64_t absent)
{
	if (level)
		printf("%" PRIu32 ",%" PRIu64, level->price, level->shares);
	else
		printf("%" PRId64 ",0", absent);
}

static void print_row(const struct book *book, uint32_t depth)
{
	for (uint32_t k = 0; k < depth; k++) {
		if (k)
			putchar(',');
		print_level(book ? book_level_at(book, BOOK_ASK, k) : NULL, NO_ASK);
		putchar(',');
		print_level(book ? book_level_at(book, BOOK_BID, k) : NULL, NO_BID);
	}
	putchar('\n');
}

/* A replay that prints a row at each bound. Rows before the symbol's first message wait, so that a
 * symbol that never comes prints nothing. */
struct replay {
	const struct book_options *options;
	const struct feed_bounds *bounds;
	struct feed_source *source;
	struct book_set *books;
	const struct book *book;
	uint64_t messages;
	size_t due;	/* index of the next bound */
	size_t waiting; /* rows not printed yet */
};

static void apply(struct replay *replay, const struct feed_message *message)
{
	struct itch_message itch;
	replay->messages++;
	if (message->restarted)
		book_set_clear(replay->books);
	if (itch_decode(message->bytes, message->length, &itch) != FEED_OK)
		return;
	feed_counters_add(feed_source_counters(replay->source),
			  book_set_apply(replay->books, &itch), 1, message->place);
}

/* The symbol's book, or NULL while it is unknown: before its first message, or since a restart. */
static const struct book *current_book(struct replay *replay)
{
	if (replay->book && replay->book->stock[0])
		return replay->book;
	const struct book *book = book_set_find(replay->books, replay->options->symbol);
	if (book)
		replay->book = book;
	return book;
}

static void print_due_rows(struct replay *replay)
{
	const struct feed_bounds *bounds = replay->bounds;
	for (; replay->due < bounds->count; replay->due++) {
		if (bounds->counts[replay->due] != replay->messages)
			return;
		const struct book *book = current_book(replay);
		replay->waiting++;
		for (; replay->book && replay->waiting; replay->waiting--)
			print_row(replay->waiting > 1 ? NULL : book, replay->options->depth);
	}
}

static int finish(const char *program, struct replay *replay)
{
	const struct book_options *options = replay->options;
	current_book(replay);
	for (; replay->book && replay->waiting; replay->waiting--)
		print_row(NULL, options->depth);
	if (!replay->book)
		return app_fail(APP_INPUT, program,
				"%s: no symbol %s in %" PRIu64
				" messages: needs a symbol that the feed trades",
				options->path, options->symbol, replay->messages);
	int found = feed_faults_print(program, options->path, replay->source);
	if (replay->due < replay->bounds->count)
		return app_fail(
			APP_INPUT, program,
			"%s: line %zu wants the book after %" PRIu64
			" messages, but %s has %" PRIu64 ": shorten it or give the whole feed",
			options->bounds_path, replay->due + 1, replay->bounds->counts[replay->due],
			options->path, replay->messages);
	return found;
}

static int run_replay(const char *program, struct replay *replay)
{
	struct feed_message message;
	struct tern_error error;
	int got;
	print_due_rows(replay);
	while ((got = feed_source_next(replay->source, &message, &error)) > 0) {
		apply(replay, &message);
		print_due_rows(replay);
	}
	int result = finish(program, replay);
	return got < 0 ? feed_source_fail(program, got, &error) : result;
}

static int print_books(const char *program, const struct book_options *options,
		       const struct feed_bounds *bounds)
{
	struct replay replay = {.options = options, .bounds = bounds};
	struct tern_error error;
	int code = feed_source_open(options->path, options->port, &replay.source, &error);
	if (code < 0)
		return feed_source_fail(program, code, &error);
	int result = APP_UNAVAILABLE;
	if (book_set_create(EXPECTED_ORDERS, &replay.books) < 0) {
		app_fail(APP_UNAVAILABLE, program, "not enough memory for the books");
	} else {
		result = run_replay(program, &replay);
		book_set_destroy(replay.books);
	}
	feed_source_destroy(replay.source);
	return result;
}

int feed_book_run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list,
		.parser = parse_option,
		.args_doc = "FILE",
		.doc = "Print an instrument's order book after given numbers of messages.\v"
		       "One CSV row for each line of BOUNDS_FILE: ask price, ask size, bid price, "
		       "bid size of level 1, then of level 2, and so on; prices in 1/10000 dollar. "
		       "An absent ask is 9999999999,0 and an absent bid -9999999999,0.\n\n"
		       "Exit status: 0; 1 all rows were printed, but the feed has faults (see the "
		       "messages); 2 wrong usage; 66 FILE or BOUNDS_FILE is unreadable, empty, no "
		       "feed, corrupt or too short, or has no such symbol; 69 no memory, or the "
		       "output cannot be written.",
	};
	struct book_options options = {.depth = 10};
	struct feed_bounds bounds;
	struct tern_error error;
	if (app_parse(&argp, argc, argv, 0, &options) != 0)
		return APP_UNAVAILABLE;
	int code = feed_bounds_load(&bounds, options.bounds_path, &error);
	if (code < 0)
		return feed_source_fail(argv[0], code, &error);
	int result = print_books(argv[0], &options, &bounds);
	feed_bounds_fini(&bounds);
	return app_stdout_finish(result, argv[0]);
}
