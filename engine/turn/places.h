/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLACES_H
#define PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/lcore/engine.h"

/** Send what threads left that have gone, from their places. Returns the work done. An lcore's. */
unsigned tern_threads_see_off(struct tern_engine *engine);

/** Have a thread's place be something else, if it is what it was. Any thread. */
bool tern_place_change(struct tern_engine *engine, uint32_t place, enum tern_thread_place from,
		       enum tern_thread_place to);

#endif
