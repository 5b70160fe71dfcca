/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_MOLDUDP64_STREAM_H
#define FEED_MOLDUDP64_STREAM_H

#include "moldudp64.h"

#include <stdbool.h>

/**
 * What a listener knows of a MoldUDP64 stream. All zeros is the state before the first packet.
 *
 * Problem: packets are lost, doubled, late, and the transmitter may restart. Idea: one number,
 * `expected`, is the next sequence to accept; only data moves it. Heartbeats and the end of session
 * move `announced`, the highest sequence known to exist (exclusive). While announced > expected
 * messages are missing that retransmission could still bring; they are counted as lost when later
 * data jumps over them, or when the stream is closed.
 */
struct moldudp64_stream {
	bool joined;   /* a packet was seen: session and expected are valid */
	bool replaced; /* `previous` is valid */
	bool ended;    /* the end of this session was seen */
	char session[MOLDUDP64_SESSION_LENGTH];
	char previous[MOLDUDP64_SESSION_LENGTH]; /* the session before this one */
	uint64_t expected;
	uint64_t announced;
};

/** What moldudp64_stream_accept() decided about one packet. */
struct moldudp64_verdict {
	uint16_t skip_count;	/* messages at the packet's front that were received before */
	uint16_t take_count;	/* messages behind them to deliver */
	bool restarted;		/* first packet of a new session: drop all books */
	bool joined_late;	/* first packet of a session, and messages before it were missed */
	uint64_t missing_count; /* messages now known to be lost: one gap if not 0 */
	enum feed_anomaly anomaly; /* FEED_OK or one of _HEARTBEAT, _SESSION_END, _REQUEST,
				      _SEQUENCE_ZERO, _SESSION_STALE, _PACKET_OBSOLETE, _OVERLAP */
};

/**
 * Judge the next packet of a stream and advance.
 *
 * @param stream  advanced by data of its session; never by a heartbeat, end or request
 * @param packet  borrows; accepted by moldudp64_parse()
 * @return the verdict; skip_count + take_count is 0 or packet->count
 *
 * A data packet with sequence number 0 is delivered (some captures have their headers blanked)
 * without touching the stream. Context: the thread that owns the stream.
 */
struct moldudp64_verdict moldudp64_stream_accept(struct moldudp64_stream *stream,
						 const struct moldudp64_packet *packet);

/**
 * Number of messages that were announced but never came: what to request, from `expected` on.
 *
 * Context: the thread that owns the stream. Borrows `stream`.
 */
uint64_t moldudp64_stream_pending(const struct moldudp64_stream *stream);

#endif
