/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_REPORT_H
#define FAULT_REPORT_H

#include "fault.h"
#include "fault_walk.h"

/**
 * Say on stderr, in one line, what ends the process: signal, place, agent, its function where that
 * is known, and why the fault is not the agent's alone. Context: a signal handler.
 *
 * @param scope  the thread's; NULL: it has none
 */
void tern_fault_report(const struct tern_code_table *table, const struct tern_fault_scope *scope,
		       const struct tern_fault *fault, const struct tern_fault_verdict *verdict);

#endif
