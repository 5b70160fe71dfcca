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
	bool also; /* in libc, where sanitizers have functions of their own; or needs a fault within
		    * the signal handler, which ThreadSanitizer does not let through */
};

/** Ends with a name of NULL. */
extern const struct own_way own_ways[] __attribute__((visibility("default")));

#endif
