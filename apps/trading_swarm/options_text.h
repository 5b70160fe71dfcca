/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPTIONS_TEXT_H
#define OPTIONS_TEXT_H

#include <argp.h>

/* Defaults that the help names: the numbers of each stand next to each other. */
#define OPTIONS_MESSAGES 500000
#define OPTIONS_SYMBOLS 32
#define OPTIONS_RATE 50000
#define OPTIONS_BOOKS 2
#define OPTIONS_STRATEGIES 4
#define OPTIONS_DEPTH 10
#define OPTIONS_TRACE_EVERY 64

enum {
	OPTION_FEED = 0x100,
	OPTION_PORT,
	OPTION_MESSAGES,
	OPTION_SYMBOLS,
	OPTION_SEED,
	OPTION_SPEED,
	OPTION_RATE,
	OPTION_BOOKS,
	OPTION_STRATEGIES,
	OPTION_NODES,
	OPTION_FAULT,
	OPTION_LIMIT,
	OPTION_LCORES,
	OPTION_TRACE_EVERY,
	OPTION_CONFIG,
	OPTION_JSON,
	OPTION_BOOKS_OUT,
	OPTION_DEPTH,
};

extern const struct argp_option options_list[];
extern const char options_doc[];

#endif
