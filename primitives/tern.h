/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_H
#define TERN_H

/* Every public header. */
#include "tern_address.h"
#include "tern_agent.h"
#include "tern_block.h"
#include "tern_config.h"
#include "tern_engine.h"
#include "tern_error.h"
#include "tern_fiber.h"
#include "tern_histogram.h"
#include "tern_inspect.h"
#include "tern_node.h"
#include "tern_offer.h"
#include "tern_outbox.h"
#include "tern_plain.h"
#include "tern_router.h"
#include "tern_scheduler.h"
#include "tern_sets.h"
#include "tern_signal.h"
#include "tern_slot.h"
#include "tern_spawn.h"
#include "tern_table.h"
#include "tern_text.h"
#include "tern_update.h"
#include "tern_word.h"

#endif
