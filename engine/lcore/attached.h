/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATTACHED_H
#define ATTACHED_H

#include <stdint.h>

#include "engine/queue/ends.h"
#include "tern_agent.h"

/** Of an attached thread's lcore: thread.c. The thread writes. */
struct tern_attached {
	const struct tern_behaviour *behaviour;
	struct tern_ends ends; /* that the thread has not asked for yet: watch.h */
	uint32_t reader_depth; /* reader.h */
};

#endif
