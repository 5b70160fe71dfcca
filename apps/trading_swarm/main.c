/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "books_csv.h"
#include "output_file.h"
#include "second.h"
#include "summary/summary.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "trading_swarm"

/* argp leaves through exit() as well: its help must not be lost unnoticed. */
static void check_stdout(int status, void *unused)
{
	(void)unused;
	if (status == APP_OK && app_stdout_finish(APP_OK, PROGRAM) != APP_OK)
		_exit(APP_UNAVAILABLE);
}

static int fail_configuration(int code, const struct tern_error *error)
{
	enum app_exit exit_code = APP_INPUT; /* the file itself */
	if (code == -EINVAL || code == -ENODEV)
		exit_code = APP_CONFIG;
	else if (code == -EACCES || code == -EPERM)
		exit_code = APP_PERMISSION;
	else if (code == -ENOMEM)
		exit_code = APP_UNAVAILABLE;
	return app_fail_error(exit_code, PROGRAM, error);
}

static int fail_start(int code, const struct tern_error *error)
{
	bool refused = code == -EINVAL || code == -ENODEV;
	return app_fail_error(refused ? APP_CONFIG : APP_UNAVAILABLE, PROGRAM, error);
}

static int fail_input(int code, const struct tern_error *error)
{
	return app_fail_error(code == -ENOMEM ? APP_UNAVAILABLE : APP_INPUT, PROGRAM, error);
}

static int fail_output(int code, const struct tern_error *error)
{
	bool forbidden = code == -EACCES || code == -EPERM || code == -EROFS;
	return app_fail_error(forbidden ? APP_PERMISSION : APP_UNAVAILABLE, PROGRAM, error);
}

/* Say what is wrong with a run that has come to its end; the worst comes last. */
static int judge(const struct summary *summary, const struct reader *reader)
{
	int result = APP_OK;
	for (int i = FEED_OK + 1; i < FEED_ANOMALY_LIMIT; i++) {
		const struct feed_anomaly_info *info = feed_anomaly_info((enum feed_anomaly)i);
		if (info->severity == FEED_FAULT && summary->anomalies.count[i])
			result = app_fail(APP_FOUND, PROGRAM, "feed: %s: %" PRIu64 ": %s",
					  info->name, summary->anomalies.count[i], info->text);
	}
	if (reader->code < 0 && summary->signal_number == 0)
		result = fail_input(reader->code, &reader->error);
	else if (reader->message_count == 0 && summary->signal_number == 0)
		result =
			app_fail(APP_INPUT, PROGRAM, "%s: holds no message: needs an ITCH 5.0 feed",
				 summary->options->feed_path);
	if (summary->signal_number)
		result = 128 + summary->signal_number;
	for (uint32_t i = 0; i < summary->check_count; i++) {
		const struct summary_check *check = &summary->checks[i];
		if (check->left != check->right)
			result = app_fail(APP_FOUND, PROGRAM,
					  "counts do not agree: %s: %" PRIu64 " and %" PRIu64,
					  check->text, check->left, check->right);
	}
	if (!summary->finished || !summary->stop.drained)
		result = app_fail(APP_FOUND, PROGRAM,
				  "agents did not finish: their counts are not final");
	return result;
}

/* Say what has become of node 2, without which there are no results. */
static int fail_partner(struct swarm *swarm, int code)
{
	char fate[64] = "does not answer";
	if (code == -EPIPE)
		partner_reap(swarm->partner, fate, sizeof(fate));
	if (code == -ECONNRESET)
		return app_fail(APP_UNAVAILABLE, PROGRAM,
				"the connection to node 2 is lost, and %" PRIu64
				" signals came back: the books would not be right; start the run "
				"again",
				swarm->returned_count);
	return app_fail(APP_UNAVAILABLE, PROGRAM,
			"node 2 %s: the books are lost with it; start the run again", fate);
}

/* The books are as they were when node 2 has sent them to the end. */
static int receive_books(struct partner *partner, FILE *file)
{
	char bytes[4096];
	ssize_t taken;
	int code = partner_say(partner, PARTNER_BOOKS);
	if (code == 0)
		code = partner_hear(partner);
	if (code != PARTNER_BOOKS)
		return code < 0 ? code : -EPROTO;
	while ((taken = read(partner->fd, bytes, sizeof(bytes))) > 0)
		fwrite(bytes, 1, (size_t)taken, file);
	return taken < 0 ? -ETIMEDOUT : partner_reap(partner, NULL, 0);
}

/* A file appears only where the whole feed was played. */
static int write_books(struct swarm *swarm, struct output_file *books, bool whole)
{
	struct tern_error error;
	int code = 0;
	if (!books->file)
		return APP_OK;
	if (!whole) {
		output_file_abandon(books);
		return APP_OK;
	}
	if (swarm->partner)
		code = receive_books(swarm->partner, books->file);
	else
		books_csv_write(swarm, swarm->options->depth, books->file);
	if (code < 0)
		return fail_partner(swarm, code);
	code = output_file_commit(books, &error);
	return code < 0 ? fail_output(code, &error) : APP_OK;
}

/* A person who waits should know for what. */
static void greet(const struct options *options)
{
	char pace[64];
	pace_describe(&options->pace, pace, sizeof(pace));
	if (!isatty(STDERR_FILENO))
		return;
	fputs("playing ", stderr);
	app_plain_print(options->feed_path ? options->feed_path : "a generated feed", stderr);
	fprintf(stderr, ", %s; Ctrl-C ends it early\n", pace);
}

/* What node 2 has counted. The engines stop at once, so that neither waits for one that left. */
static int gather(struct summary *summary, struct swarm *swarm)
{
	int code = partner_say(swarm->partner, PARTNER_REPORT);
	if (code == 0)
		code = swarm_await_word(swarm, PARTNER_REPORT);
	if (code < 0)
		return code;
	swarm_stop(swarm, &summary->stop);
	return summary_receive(summary, swarm->partner);
}

static int play(struct swarm *swarm, struct reader *reader, struct output_file *books)
{
	struct summary summary;
	greet(swarm->options);
	int ran = swarm_run(swarm, reader);
	int code = swarm->partner && !swarm->lost ? swarm_settle(swarm) : swarm->lost;
	if (code < 0)
		return fail_partner(swarm, code);
	if (summary_begin(&summary, swarm) < 0)
		return app_fail(APP_UNAVAILABLE, PROGRAM, "not enough memory for the results");
	if (!swarm->partner)
		swarm_stop(swarm, &summary.stop);
	else if ((code = gather(&summary, swarm)) < 0) {
		summary_fini(&summary);
		return fail_partner(swarm, code);
	}
	summary_finish(&summary, swarm, reader, ran == 0);
	const struct options *options = swarm->options;
	code = options->json ? summary_print_json(&summary) : summary_print(&summary);
	fflush(stdout);
	int result = judge(&summary, reader);
	if (code < 0)
		result = app_fail(APP_UNAVAILABLE, PROGRAM, "no memory or no room for the results");
	bool whole = (result == APP_OK || result == APP_FOUND) && summary_holds(&summary);
	int written = write_books(swarm, books, whole);
	summary_fini(&summary);
	return written == APP_OK ? result : written;
}

/* The lcores' threads inherit the mask, so that signals wait for the main thread to look. */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGHUP);
	sigprocmask(SIG_BLOCK, signals, NULL);
}

/* The files that are read and written, opened before anything else is started. */
static int open_files(const struct options *options, const sigset_t *signals, struct reader *reader,
		      struct output_file *books)
{
	struct tern_error error;
	int code = reader_open(reader, options, signals, &error);
	if (code == -EINTR)
		return 128 + sigwaitinfo(signals, NULL);
	if (code < 0)
		return fail_input(code, &error);
	if (!options->books_path)
		return APP_OK;
	code = output_file_create(books, options->books_path, &error);
	return code < 0 ? fail_output(code, &error) : APP_OK;
}

static int run_swarm(const struct options *options, const struct tern_config *config,
		     const sigset_t *signals, struct partner *partner, struct reader *reader,
		     struct output_file *books)
{
	struct tern_error error;
	struct swarm *swarm;
	int code = swarm_create(options, config, signals, partner, &swarm, &error);
	if (code == -EINTR)
		return 128 + sigwaitinfo(signals, NULL);
	if (code < 0)
		return fail_start(code, &error);
	int result = play(swarm, reader, books);
	swarm_destroy(swarm);
	return result;
}

/* The second process does not come back from here. */
static int run_nodes(const struct options *options, struct tern_config *config,
		     const sigset_t *signals, struct reader *reader, struct output_file *books)
{
	struct pair pair;
	struct partner partner;
	int members;
	int code = pair_make(&pair);
	if (code == 0)
		code = partner_start(&partner);
	if (code < 0)
		return app_fail(APP_UNAVAILABLE, PROGRAM, "no second process: %s", strerror(-code));
	code = pair_configure(&pair, partner.node, config, &members);
	int result =
		code < 0 ? app_fail(APP_UNAVAILABLE, PROGRAM, "node %u has no list of nodes: %s",
				    partner.node, strerror(-code))
			 : APP_OK;
	if (partner.node == 2)
		_exit(code < 0 ? result : second_run(options, config, &partner));
	if (code == 0) {
		result = run_swarm(options, config, signals, &partner, reader, books);
		close(members);
	}
	partner_end(&partner);
	return result;
}

static int run(const struct options *options, struct reader *reader, struct output_file *books)
{
	struct tern_config config;
	struct tern_error error;
	sigset_t signals;
	int code = options_configure(options, &config, &error);
	if (code < 0)
		return fail_configuration(code, &error);
	block_signals(&signals);
	int result = open_files(options, &signals, reader, books);
	if (result != APP_OK)
		return result;
	return options->node_count == 2
		       ? run_nodes(options, &config, &signals, reader, books)
		       : run_swarm(options, &config, &signals, NULL, reader, books);
}

int main(int argc, char **argv)
{
	struct options options;
	struct reader reader = {.source = NULL};
	struct output_file books = {.file = NULL};
	static char name[] = PROGRAM;
	on_exit(check_stdout, NULL);
	argp_err_exit_status = APP_USAGE;
	argp_program_version = PROGRAM " (Tern) " TERN_VERSION;
	if (argc > 0)
		argv[0] = name;
	if (options_parse(&options, argc, argv) < 0)
		return app_fail(APP_UNAVAILABLE, PROGRAM, "not enough memory to start");
	int result = run(&options, &reader, &books);
	output_file_abandon(&books);
	reader_close(&reader);
	options_fini(&options);
	return app_stdout_finish(result, PROGRAM);
}
