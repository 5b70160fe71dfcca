/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_PCAP_FEED_H
#define FEED_PCAP_FEED_H

#include "feed_anomaly.h"
#include "udp_frame.h"

#include "tern_error.h"

#include <stdint.h>
#include <stdio.h>

/** Reads the UDP datagrams of a pcap or pcapng file. */
struct pcap_feed;

/** One packet of the file. */
struct pcap_feed_packet {
	enum feed_anomaly anomaly;    /* FEED_OK: `datagram` is valid; else why there is none */
	struct udp_datagram datagram; /* borrows until the next call */
	uint64_t number;	      /* from 1, as other tools count */
	uint64_t capture_ns;	      /* since 1970-01-01 UTC */
};

/**
 * Start reading a capture, with time stamps in micro- or nanoseconds.
 *
 * @param file     consumes, on failure too; open for reading at its start
 * @param name     borrows; for messages
 * @param created  out: owned by the caller, who ends it with pcap_feed_destroy()
 * @return 0, -EBADMSG if it is no readable capture, -EPROTONOSUPPORT if its link type is not
 *         Ethernet, -ENOMEM
 *
 * Context: any one thread; blocks on the file.
 */
int pcap_feed_create(FILE *file, const char *name, struct pcap_feed **created,
		     struct tern_error *error);

/**
 * Read the next packet.
 *
 * @param packet  written if 1 is returned
 * @return 1, 0 at the end of the file, or -EBADMSG if the file is cut or corrupt there
 *
 * Context: the thread that owns the feed; blocks on the file.
 */
int pcap_feed_next(struct pcap_feed *feed, struct pcap_feed_packet *packet,
		   struct tern_error *error);

/** Close the file and free the feed; NULL is fine. Context: the owning thread. Consumes `feed`. */
void pcap_feed_destroy(struct pcap_feed *feed);

#endif
