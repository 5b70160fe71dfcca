/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_ANOMALY_H
#define FEED_ANOMALY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Everything that can be remarkable about a feed, once: the enum, the name, the text and the
 * counter all come from this list. A NOTE is normal traffic, a FAULT means that messages were lost,
 * refused or cannot be trusted.
 *
 * X(constant, name, severity, text)
 */
#define FEED_ANOMALIES(X)                                                                          \
	X(FILE_CUT, file_cut, FAULT, "file ends inside a message or a packet: copy it again")      \
	X(FILE_TRAILING, file_trailing, FAULT, "bytes follow the end of session")                  \
	X(END_MISSING, end_missing, FAULT, "no end of session: the file may be incomplete")        \
	X(PACKET_SNAPPED, packet_snapped, FAULT,                                                   \
	  "packets cut short by the capture: capture with a larger snapshot length")               \
	X(FRAME_SHORT, frame_short, FAULT, "frames that end inside their headers")                 \
	X(ETHERTYPE_OTHER, ethertype_other, NOTE, "frames that carry neither IPv4 nor IPv6")       \
	X(IP_VERSION, ip_version, FAULT, "packets whose IP version denies their EtherType")        \
	X(IP_HEADER_LENGTH, ip_header_length, FAULT,                                               \
	  "packets with an impossible IP header length")                                           \
	X(IP_LENGTH, ip_length, FAULT, "packets whose IP length does not fit the frame")           \
	X(IP_FRAGMENT, ip_fragment, FAULT, "IP fragments, which are not reassembled")              \
	X(IP_CHECKSUM, ip_checksum, FAULT, "packets decoded despite a wrong IP checksum")          \
	X(PROTOCOL_OTHER, protocol_other, NOTE, "IP packets that carry no UDP")                    \
	X(UDP_LENGTH, udp_length, FAULT, "datagrams whose UDP length does not fit the IP packet")  \
	X(UDP_CHECKSUM, udp_checksum, FAULT, "datagrams decoded despite a wrong UDP checksum")     \
	X(PORT_OTHER, port_other, NOTE, "datagrams to another port than the one asked for")        \
	X(MOLD_SHORT, mold_short, FAULT, "datagrams shorter than a MoldUDP64 header (20 bytes)")   \
	X(COUNT_PAST_END, count_past_end, FAULT,                                                   \
	  "packets whose message count runs past their end, dropped whole")                        \
	X(BLOCK_CUT, block_cut, FAULT, "packets with a message block cut short, dropped whole")    \
	X(PACKET_TRAILING, packet_trailing, FAULT, "packets with bytes behind their last message") \
	X(SEQUENCE_ZERO, sequence_zero, FAULT,                                                     \
	  "packets with sequence number 0, which no stream uses: order and loss unknown")          \
	X(SEQUENCE_OVERFLOW, sequence_overflow, FAULT, "packets whose sequence numbers wrap")      \
	X(GAP, gap, FAULT, "sequence gaps")                                                        \
	X(MESSAGE_MISSING, message_missing, FAULT, "messages missing in the gaps")                 \
	X(LATE_JOIN, late_join, FAULT, "streams joined late: their first messages are missing")    \
	X(SESSION_RESTART, session_restart, NOTE, "session changes: books start anew")             \
	X(SESSION_STALE, session_stale, FAULT,                                                     \
	  "packets of a session that another one has replaced: choose one stream with --port")     \
	X(PACKET_OBSOLETE, packet_obsolete, NOTE, "packets with nothing new (duplicates)")         \
	X(PACKET_OVERLAP, packet_overlap, NOTE, "packets partly received before")                  \
	X(HEARTBEAT, heartbeat, NOTE, "heartbeats")                                                \
	X(SESSION_END, session_end, NOTE, "end of session packets")                                \
	X(REQUEST, request, NOTE, "retransmission requests")                                       \
	X(TYPE_UNKNOWN, type_unknown, FAULT, "messages of an unknown type")                        \
	X(LENGTH_WRONG, length_wrong, FAULT, "messages whose length is not that of their type")    \
	X(REFERENCE_UNKNOWN, reference_unknown, FAULT, "messages about an unknown order")          \
	X(REFERENCE_DUPLICATE, reference_duplicate, FAULT, "orders whose reference is in use")     \
	X(LOCATE_WRONG, locate_wrong, FAULT,                                                       \
	  "messages whose stock locate is 0 or another stock's")                                   \
	X(STOCK_WRONG, stock_wrong, FAULT, "messages whose symbol is not that of their locate")    \
	X(SIDE_WRONG, side_wrong, FAULT, "orders whose side is neither B nor S")                   \
	X(PRICE_WRONG, price_wrong, FAULT, "orders whose price is 0 or above 200,000.0000")        \
	X(SHARES_ZERO, shares_zero, FAULT, "orders and executions of 0 shares")                    \
	X(SHARES_EXCESS, shares_excess, FAULT,                                                     \
	  "messages that take more shares than the order has")                                     \
	X(NO_MEMORY, no_memory, FAULT, "orders refused because memory ran out")

#define FEED_ANOMALY_CONSTANT(constant, name, severity, text) FEED_##constant,

/** What a feed function met; FEED_OK (0) is success. */
enum feed_anomaly { FEED_OK, FEED_ANOMALIES(FEED_ANOMALY_CONSTANT) FEED_ANOMALY_LIMIT };

enum feed_severity { FEED_NOTE, FEED_FAULT };

struct feed_anomaly_info {
	const char *name; /* lower case, stable: the key in reports */
	const char *text; /* for a person, fits behind a count */
	enum feed_severity severity;
};

/** How often each anomaly was met, and where first (byte offset or packet number, see source). */
struct feed_counters {
	uint64_t count[FEED_ANOMALY_LIMIT];
	uint64_t first_place[FEED_ANOMALY_LIMIT];
};

/**
 * Name, text and severity of an anomaly.
 *
 * @param anomaly  FEED_OK + 1 .. FEED_ANOMALY_LIMIT - 1
 * @return a constant, never NULL
 *
 * Context: any thread.
 */
const struct feed_anomaly_info *feed_anomaly_info(enum feed_anomaly anomaly);

/**
 * Add `count` occurrences (saturating) of an anomaly; FEED_OK is not counted.
 *
 * @param place  where, kept if it is the first
 *
 * Context: the thread that owns `counters`. Borrows `counters`.
 */
void feed_counters_add(struct feed_counters *counters, enum feed_anomaly anomaly, uint64_t count,
		       uint64_t place);

/** True if any FAULT was counted. Context: the thread that owns `counters`. */
int feed_counters_faulty(const struct feed_counters *counters);

#endif
