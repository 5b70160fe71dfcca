/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REBALANCE_H
#define REBALANCE_H

#include <stdint.h>

struct tern_lcore;

struct tern_engine;

/** Look for roaming agents that had better be elsewhere. Context: the observer. */
void tern_roaming_rebalance(struct tern_engine *engine);

/** The lcore on which a roaming agent should start. */
uint32_t tern_roaming_place(struct tern_lcore *lcore);

#endif
