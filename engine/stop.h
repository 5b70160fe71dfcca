/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STOP_H
#define STOP_H

#include "engine/lcore/engine.h"

/** Let all threads come to their end. Waits for ever: of a start that failed. */
void tern_engine_join(struct tern_engine *engine);

/** Need the engine's memory no longer: the last one frees it. */
void tern_engine_let_go(struct tern_engine *engine);

/** The life of an engine moves on. Context: who starts or stops it. */
void tern_engine_set_state(struct tern_engine *engine, enum tern_engine_state state);

#endif
