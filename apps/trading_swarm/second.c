/* SPDX-License-Identifier: Apache-2.0 */
#include "second.h"

#include "app.h"
#include "books_csv.h"
#include "summary/summary.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define NAME "trading_swarm: node 2"

/* Of a loss, both nodes speak, since either may be the one that is left. */
static int fail_second(int code)
{
	if (code == -ECANCELED)
		return APP_UNAVAILABLE;
	if (code == -ENOMEM)
		return app_fail(APP_UNAVAILABLE, NAME, "not enough memory for the results");
	if (code == -EPIPE)
		return app_fail(APP_UNAVAILABLE, NAME,
				"node 1 is gone without a word: start the run again");
	return app_fail(APP_UNAVAILABLE, NAME, "node 1 is lost: %s: start the run again",
			strerror(-code));
}

static int await_end(struct swarm *swarm)
{
	while (!swarm->lost && partner_peek(swarm->partner) == 0)
		swarm_step(swarm);
	if (swarm->lost && swarm->lost != -EPIPE && partner_peek(swarm->partner) != PARTNER_QUIT)
		return swarm->lost;
	return swarm_await_word(swarm, PARTNER_REPORT);
}

static int send_counts(struct swarm *swarm)
{
	struct summary summary;
	int code = summary_begin(&summary, swarm);
	if (code < 0)
		return code;
	code = partner_say(swarm->partner, PARTNER_REPORT);
	swarm_stop(swarm, &summary.stop);
	crew_count(summary.crew, swarm);
	if (code == 0)
		code = summary_send(&summary, swarm->partner);
	summary_fini(&summary);
	return code;
}

/* The end of the stream is the end of the books. */
static int send_books(struct swarm *swarm)
{
	FILE *file = fdopen(swarm->partner->fd, "w");
	if (!file)
		return -errno;
	swarm->partner->fd = -1;
	fputc(PARTNER_BOOKS, file);
	int code = books_csv_write(swarm, swarm->options->depth, file);
	return fclose(file) == 0 ? code : -EPIPE;
}

static int serve(struct swarm *swarm)
{
	int code = await_end(swarm);
	if (code == 0)
		code = swarm_settle(swarm);
	if (code == 0)
		code = send_counts(swarm);
	if (code == 0)
		code = swarm_await_word(swarm, PARTNER_BOOKS);
	if (code == -ECANCELED && !swarm->engine)
		return 0; /* it wants no books */
	return code == 0 ? send_books(swarm) : code;
}

int second_run(const struct options *options, const struct tern_config *config,
	       struct partner *partner)
{
	struct tern_error error;
	struct swarm *swarm;
	sigset_t none; /* node 1 hears the interrupts, and ends this one */
	sigemptyset(&none);
	signal(SIGPIPE, SIG_IGN);
	int code = swarm_create(options, config, &none, partner, &swarm, &error);
	if (code == -ECANCELED || code == -EPIPE)
		return fail_second(code);
	if (code < 0)
		return app_fail_error(APP_UNAVAILABLE, NAME, &error);
	code = serve(swarm);
	swarm_destroy(swarm);
	return code < 0 ? fail_second(code) : APP_OK;
}
