/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_subcommands.h"

#include "format/binaryfile.h"
#include "generator/generator.h"
#include "format/moldudp64_capture.h"
#include "output_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MESSAGES_MAX UINT64_C(1000000000000)

struct generate_options {
	struct generator_options generator;
	const char *path;
	enum feed_format format;
};

enum { OPTION_SEED = 0x100, OPTION_MESSAGES, OPTION_SYMBOLS, OPTION_FORMAT };

static const struct argp_option option_list[] = {
	{"seed", OPTION_SEED, "N", 0, "Same seed, same feed (default 1)", 0},
	{"messages", OPTION_MESSAGES, "N", 0, "Messages in all (default 10000)", 0},
	{"symbols", OPTION_SYMBOLS, "N", 0, "Instruments, 1 to 10000 (default 10)", 0},
	{"output", 'o', "FILE", 0, "Write to FILE, not to standard output", 0},
	{"format", OPTION_FORMAT, "FORMAT", 0,
	 "binaryfile (default), or moldudp64: a nanosecond pcap with heartbeats and end of "
	 "session",
	 0},
	{0},
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct generate_options *options = state->input;
	struct generator_options *generator = &options->generator;
	switch (key) {
	case OPTION_SEED:
		generator->seed = feed_option_number(state, "--seed", text, 0, UINT64_MAX);
		return 0;
	case OPTION_MESSAGES:
		generator->message_count =
			feed_option_number(state, "--messages", text, 1, MESSAGES_MAX);
		return 0;
	case OPTION_SYMBOLS:
		generator->symbol_count = (uint32_t)feed_option_number(state, "--symbols", text, 1,
								       GENERATOR_SYMBOLS_MAX);
		return 0;
	case 'o':
		options->path = text;
		return 0;
	case OPTION_FORMAT:
		options->format = FEED_MOLDUDP64;
		if (strcmp(text, feed_format_name(FEED_BINARYFILE)) == 0)
			options->format = FEED_BINARYFILE;
		else if (strcmp(text, feed_format_name(FEED_MOLDUDP64)) != 0)
			app_argument_fail(state, "--format is '%s', needs binaryfile or moldudp64",
					  text);
		return 0;
	case ARGP_KEY_ARG:
		app_argument_fail(state, "'%s' is one argument too many, needs none: -o %s", text,
				  text);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int write_binaryfile(struct generator *generator, FILE *file)
{
	struct itch_message message;
	uint8_t bytes[ITCH_LENGTH_MAX];
	int code = 0;
	while (code == 0 && generator_next(generator, &message))
		code = binaryfile_write(file, bytes, (uint16_t)itch_encode(&message, bytes));
	return code == 0 ? binaryfile_write(file, NULL, 0) : code;
}

static int write_moldudp64(struct generator *generator, FILE *file)
{
	struct moldudp64_capture *capture;
	struct itch_message message;
	uint8_t bytes[ITCH_LENGTH_MAX];
	int code = moldudp64_capture_create(file, &capture, NULL);
	if (code < 0)
		return code;
	while (code == 0 && generator_next(generator, &message))
		code = moldudp64_capture_add(capture, bytes, (uint16_t)itch_encode(&message, bytes),
					     message.timestamp_ns);
	if (code == 0)
		code = moldudp64_capture_finish(capture);
	moldudp64_capture_destroy(capture);
	return code;
}

static int fail_output(const char *program, int code, const struct tern_error *error)
{
	int forbidden = code == -EACCES || code == -EPERM || code == -EROFS;
	return app_fail_error(forbidden ? APP_PERMISSION : APP_UNAVAILABLE, program, error);
}

static int write_feed(const char *program, const struct generate_options *options,
		      struct generator *generator)
{
	struct output_file output;
	struct tern_error error;
	int code = output_file_create(&output, options->path, &error);
	if (code < 0)
		return fail_output(program, code, &error);
	errno = 0;
	code = options->format == FEED_MOLDUDP64 ? write_moldudp64(generator, output.file)
						 : write_binaryfile(generator, output.file);
	if (code < 0) {
		tern_error_set(&error, code, "%s: cannot be written: %s: needs enough room",
			       output.name, strerror(errno ? errno : -code));
		output_file_abandon(&output);
	} else {
		code = output_file_commit(&output, &error);
	}
	return code < 0 ? fail_output(program, code, &error) : APP_OK;
}

int feed_generate_run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list,
		.parser = parse_option,
		.doc = "Make a fragment of a trading day: ITCH 5.0 messages that are consistent, "
		       "seeded and realistic in mix and timing.\v"
		       "The file appears complete or not at all. Exit status: 0; 2 wrong usage; "
		       "69 the output cannot be written; 77 no permission.",
	};
	struct generate_options options = {
		.generator = {.seed = 1, .message_count = 10000, .symbol_count = 10},
		.path = "-",
		.format = FEED_BINARYFILE,
	};
	struct generator *generator;
	if (app_parse(&argp, argc, argv, 0, &options) != 0)
		return APP_UNAVAILABLE;
	if (strcmp(options.path, "-") == 0 && isatty(STDOUT_FILENO))
		return app_fail(
			APP_USAGE, argv[0],
			"standard output is a terminal, needs a file or a pipe: add -o FILE");
	if (generator_create(&options.generator, &generator) < 0)
		return app_fail(APP_UNAVAILABLE, argv[0],
				"not enough memory for %u symbols: choose fewer with --symbols",
				options.generator.symbol_count);
	int result = write_feed(argv[0], &options, generator);
	generator_destroy(generator);
	return result;
}
