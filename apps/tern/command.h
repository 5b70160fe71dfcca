/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stddef.h>

/** One word of the command line and the function that takes over from there. */
struct command {
	const char *name;
	const char *call; /* what its help calls it, such as `tern config`; its argv[0] */
	int (*run)(int argc, char **argv);
	const char *summary;
};

/** Commands that share a parent: those of `tern`, those of `tern config`. */
struct command_set {
	const struct command *commands;
	size_t count;
	const char *doc; /* for argp: before the list of commands, \v, after it */
};

/**
 * Run the command that argv[1] names; `help` and --help explain.
 *
 * @return exit status: the command's, or APP_USAGE
 */
int command_set_run(const struct command_set *set, int argc, char **argv);

int version_command(int argc, char **argv);
int config_command(int argc, char **argv);
int fault_command(int argc, char **argv);
int node_command(int argc, char **argv);
int peers_command(int argc, char **argv);
int ping_command(int argc, char **argv);
int route_command(int argc, char **argv);
int bench_command(int argc, char **argv);

#endif
