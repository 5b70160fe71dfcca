/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NODE_ECHO_H
#define NODE_ECHO_H

#include "tern.h"

/** The name of an agent that each `tern node` has. */
#define NODE_ECHO_NAME "tern.echo"

/**
 * An agent that sends back what it gets: the same type, the same bytes or the same block. What its
 * sender refuses is dropped. It has no state.
 */
extern const struct tern_behaviour node_echo;

#endif
