/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_COMMAND_H
#define FEED_COMMAND_H

/**
 * Run `tern feed`: make, check and replay market-data files.
 *
 * @param argc  number of arguments, 1 or more
 * @param argv  borrows; argv[0] is "feed", argv[1] the subcommand; entries are reordered
 * @return an exit code of app.h
 *
 * --help, and a wrong command line (status 2), end the process. Results go to standard output,
 * messages to standard error. Context: the main thread.
 */
int tern_feed_command(int argc, char **argv);

#endif
