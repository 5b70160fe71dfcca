/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OWN_WAYS_H
#define OWN_WAYS_H

/*
 * Ways of code that nobody marked to fault: its own, in libc on its behalf, by a call to nowhere.
 * Built without and with optimisation, into the program and into a plug-in.
 */
#include <stdbool.h>

struct own_way {
	const char *name;
	void (*go)(void);
	bool in_libc; /* sanitizers put functions of their own there */
};

/** Ends with a name of NULL. */
extern const struct own_way own_ways[] __attribute__((visibility("default")));

#endif
