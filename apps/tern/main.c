/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "feed_command.h"

#include "app.h"

#include <argp.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_common.h>

static const struct command commands[] = {
	{"bench", "tern bench", bench_command, "Measure this machine"},
	{"config", "tern config", config_command, "Check or print a configuration"},
	{"fault", "tern fault", fault_command, "For tests: break the network of a running engine"},
	{"feed", "tern feed", tern_feed_command, "Generate, decode and replay market data feeds"},
	{"node", "tern node", node_command, "Run a node of a cluster"},
	{"peers", "tern peers", peers_command, "Show the other nodes of a running engine"},
	{"ping", "tern ping", ping_command, "Measure the way to another node and back"},
	{"route", "tern route", route_command, "Look at the routing table of a running engine"},
	{"version", "tern version", version_command, "Say what this program was built from"},
};

static const struct command_set set = {
	.commands = commands,
	.count = RTE_DIM(commands),
	.doc = "Tern, a low-latency messaging engine and agent runtime."
	       "\v"
	       "Each command explains itself: tern help COMMAND, or tern COMMAND --help.\n"
	       "\n"
	       "Environment:\n"
	       "  TERN_LOG   error, warn, info or debug: the level of the log where no\n"
	       "             configuration sets one; warn by default\n"
	       "\n"
	       "Exit status:\n"
	       "  0   done\n"
	       "  1   a check found something\n"
	       "  2   wrong command line\n"
	       "  66  an input file is absent or bad\n"
	       "  69  something needed is not there, or output cannot be written\n"
	       "  77  not allowed\n"
	       "  78  the configuration is refused\n",
};

/* argp leaves through exit() as well: its help must not be lost unnoticed either. */
static void stdout_check(int status, void *unused)
{
	(void)unused;
	if (status == APP_OK && app_stdout_finish(APP_OK, "tern") != APP_OK)
		_exit(APP_UNAVAILABLE);
}

int main(int argc, char **argv)
{
	static char name[] = "tern";

	on_exit(stdout_check, NULL);
	argp_err_exit_status = APP_USAGE;
	argp_program_version = "tern " TERN_VERSION;
	if (argc > 0)
		argv[0] = name;
	return command_set_run(&set, argc, argv);
}
