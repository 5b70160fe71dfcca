/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "tern_address.h"

struct tern_lcore;

/*
 * Asking an agent's home lcore to start, pause, resume, finish or end it. What is asked sits in
 * memory that every slot has from the start, so it is never refused and needs no place in any lane,
 * and it overtakes data.
 *
 * A slot's word holds its generation and what is asked. Whoever asks first pushes the slot on the
 * home lcore's list (CAS on its head, A1); the lcore takes the whole list at once (exchange, T1),
 * so no slot is ever popped alone and the list has no ABA. A1-T1 forbids that the lcore sees the
 * slot before its agent or its `next`. A roaming agent is not listed but woken, and whoever runs it
 * looks at its word. A slot whose agent ends while it is listed is reused only
 * after it was taken.
 */

/** Ask something of a living agent. False: it is gone. Any lcore or attached thread. */
bool tern_ask(struct tern_lcore *lcore, tern_address agent, uint32_t what);

#endif
