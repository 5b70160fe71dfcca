/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_H
#define TRACE_H

#include <stdint.h>

struct tern_agent;
struct tern_lcore;
struct tern_signal;

/** A traced signal was drained: keep the hop. */
void tern_trace_drained(struct tern_lcore *lcore, struct tern_agent *agent,
			struct tern_signal *signal);

/** A traced signal is about to be handled: keep its wait. Returns the time for the next. */
uint32_t tern_trace_begin(const struct tern_lcore *lcore, struct tern_agent *agent,
			  const struct tern_signal *signal);

/** A traced signal was handled: keep how long that took. */
void tern_trace_end(const struct tern_lcore *lcore, struct tern_agent *agent, uint32_t began);

#endif
