/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXPIRE_H
#define EXPIRE_H

struct tern_lcore;

/** Fire the timers that are due, up to a bound; returns how many. */
unsigned tern_timers_run(struct tern_lcore *lcore);

#endif
