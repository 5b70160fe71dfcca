/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STEAL_H
#define STEAL_H

#include <stdint.h>

struct tern_lcore;

/** Take agents from a lcore that has too many. Returns how many. Context: an idle lcore. */
unsigned tern_roaming_steal(struct tern_lcore *lcore);

#endif
