/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INFLOW_H
#define INFLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/frame/wire.h"

struct rte_mbuf;

/*
 * The receiver's frames that have come and are not handed over yet: by flow class, each in order.
 * Pure; the memory is the caller's.
 *
 * The oldest of a class may be handed over when the frame of its class before it has been. Its
 * `distance` leads there. That position was either handed over last, or lies below the base: then
 * it has come, and is not among those that wait behind, so it was handed over too. Frames of other
 * classes are not waited for.
 */
struct tern_inflow_frame {
	struct rte_mbuf *mbuf;
	const struct tern_wire_header *header; /* in the mbuf */
	uint64_t position;
	uint32_t distance;
	uint32_t session; /* which one it belongs to: the count of sessions */
	uint32_t next;	  /* index + 1 of the next one in its class, or of the next free one */
};

struct tern_inflow_class {
	uint32_t first, last; /* index + 1; 0: none */
	uint32_t count;
	uint64_t handed; /* position handed over last; 0: none */
};

struct tern_inflow {
	struct tern_inflow_frame *frames;
	uint32_t free;	/* index + 1 of the first free one */
	uint32_t count; /* frames that wait */
	uint32_t max;
	uint32_t classes; /* bit n: frames of class n wait */
	struct tern_inflow_class of[TERN_WIRE_CLASSES];
};

/** Nothing waits. @param memory  `max` frames, kept */
void tern_inflow_init(struct tern_inflow *inflow, struct tern_inflow_frame *memory, uint32_t max);

/** Let a frame wait, which has not come before. Keeps `frame->mbuf`. False: `max` wait already. */
bool tern_inflow_push(struct tern_inflow *inflow, uint8_t flow_class,
		      const struct tern_inflow_frame *frame);

/**
 * The frame of a class that may be handed over now.
 *
 * @param base  all positions below it have come
 * @return NULL: none. Valid until tern_inflow_pop()
 */
struct tern_inflow_frame *tern_inflow_ready(const struct tern_inflow *inflow, uint8_t flow_class,
					    uint64_t base);

/**
 * The session is over. What may be handed over stays, as if it were of position 0, before all that
 * the next session brings: it was, or may have been, acknowledged. The rest never becomes ready.
 *
 * @param base  as above; @param drop  is given the mbufs of the rest
 */
void tern_inflow_end(struct tern_inflow *inflow, uint64_t base, void (*drop)(struct rte_mbuf *));

/** The oldest of a class has been handed over: yields its mbuf. */
struct rte_mbuf *tern_inflow_pop(struct tern_inflow *inflow, uint8_t flow_class);

#endif
