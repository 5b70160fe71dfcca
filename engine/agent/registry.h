/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdint.h>

struct tern_agent;
struct tern_lcore;
struct tern_next_id;

/** Give an agent an id and a place in the table. 0; -EEXIST: the name is taken; -ENOSPC. */
int tern_engine_register(struct tern_lcore *lcore, struct tern_agent *agent, const char *name,
			 uint64_t hash);

/** Draw the id of an agent to come, and ask for the table's lines of it. */
void tern_engine_draw_id(struct tern_lcore *lcore, struct tern_next_id *next);

void tern_engine_unregister(struct tern_lcore *lcore, struct tern_agent *agent);

#endif
