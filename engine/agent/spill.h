/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPILL_H
#define SPILL_H

#include <stdbool.h>
#include <stdint.h>

struct tern_lcore;

/** Move what waits in the lcore's lane to itself into mailboxes, so that it takes more. */
void tern_lcore_spill(struct tern_lcore *lcore, bool express);

/** Make the lane to `route`, or refresh its credit. Returns whether it has any. */
bool tern_lcore_find_credit(struct tern_lcore *lcore, uint32_t route);

#endif
