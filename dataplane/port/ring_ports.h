/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RING_PORTS_H
#define RING_PORTS_H

/* Private to the port room. The public call is in ethdev.h. */

#include <stdint.h>

/** The rings between two ports of this process; both ports hold it. */
struct tern_ring_pair;

/** A port lets go. With the last one the rings are freed, and the frames in them. NULL: nothing. */
void tern_ring_pair_release(struct tern_ring_pair *pair);

#endif
