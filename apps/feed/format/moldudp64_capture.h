/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_MOLDUDP64_CAPTURE_H
#define FEED_MOLDUDP64_CAPTURE_H

#include "tern_error.h"

#include <stdint.h>
#include <stdio.h>

/** Writes messages as a nanosecond pcap file of MoldUDP64 packets. */
struct moldudp64_capture;

/**
 * Start a capture: one session from sequence number 1 on.
 *
 * @param file     borrows; open for writing, has a descriptor, nothing buffered. The capture writes
 *                 behind its back through a duplicate of the descriptor
 * @param created  out: owned by the caller, who ends it with moldudp64_capture_destroy()
 * @return 0, -ENOMEM, or the negative errno of a failed duplication or write
 *
 * Context: any one thread, as all functions here.
 */
int moldudp64_capture_create(FILE *file, struct moldudp64_capture **created,
			     struct tern_error *error);

/**
 * Send one message. Messages within 10 us share a packet of at most 1400 bytes; a second without
 * messages is filled with heartbeats.
 *
 * @param bytes         borrows
 * @param length        0..1378
 * @param timestamp_ns  since midnight, not below the one before
 * @return 0, -EMSGSIZE, or -EIO
 */
int moldudp64_capture_add(struct moldudp64_capture *capture, const uint8_t *bytes, uint16_t length,
			  uint64_t timestamp_ns);

/**
 * Send what is waiting, one heartbeat, and the end of session; flush the file.
 *
 * @return 0 or -EIO
 */
int moldudp64_capture_finish(struct moldudp64_capture *capture);

/** Free the capture; NULL is fine. Consumes `capture`. */
void moldudp64_capture_destroy(struct moldudp64_capture *capture);

#endif
