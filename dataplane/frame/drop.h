/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DROP_H
#define DROP_H

/*
 * Why a frame is dropped: one list, from which the enum, the texts and the counters come.
 * docs/wire.md has it, too, and a test compares the two.
 */
/* clang-format off */
#define TERN_DROP_LIST(X) \
	X(NONE, "none") \
	/* frame_read.c, ethernet.c: what lies around a Tern frame */ \
	X(SHORT, "shorter than its headers say") \
	X(SEGMENTS, "in several segments that cannot be joined") \
	X(ETHERTYPE, "an EtherType that is neither Tern's nor IP's nor ARP's") \
	X(CARRIER, "not carried as this node's frames are") \
	X(VLAN, "of another VLAN") \
	X(NOT_OURS, "addressed to another node") \
	X(SOURCE, "from an address that no node can have") \
	X(IP_HEADER, "an IP header with a version, options, flags or lifetime that it must not have") \
	X(IP_CHECKSUM, "an IP header that does not fit its checksum") \
	X(IP_FRAGMENT, "a fragment of an IP packet") \
	X(PROTOCOL, "IP that carries something else than UDP") \
	X(UDP_CHECKSUM, "a datagram that does not fit its checksum, or has none over IPv6") \
	X(UDP_PORT, "for another UDP port") \
	/* neighbour.c, arp.c, nd.c */ \
	X(NEIGHBOUR, "ARP or neighbour discovery") \
	X(RESOLUTION, "ARP or neighbour discovery that breaks its rules") \
	X(STRANGER, "ARP or neighbour discovery that concerns no peer") \
	X(CONFLICT, "this node's address, from somebody else") \
	/* frame.c, entry.c: the Tern frame */ \
	X(VERSION, "a version of the format that is not spoken here") \
	X(LENGTH, "a length that its kind, or what lies around it, does not have") \
	X(CHECK, "bytes that do not fit its check") \
	X(KIND, "a kind that there is not") \
	X(NODE, "a node's number that there is not, or one's own as sender") \
	X(POSITION, "a session, position or acknowledgement that its kind does not have") \
	X(RESERVED, "a reserved byte or bit, or padding, that is not 0") \
	X(NONCE, "a nonce that is missing, or is not the one that was asked with") \
	X(OFFER, "a handshake that offers what cannot be") \
	X(CLASS, "a flow class that there is not") \
	X(DISTANCE, "a distance that leads before the first frame") \
	X(COUNT, "not as many entries or ranges as it says") \
	X(ENTRY, "an entry that does not fit, or with values that it cannot have") \
	X(FRAGMENT, "a fragment of a signal that cannot be one") \
	X(RANGES, "ranges that are empty, overlap or do not rise") \
	/* the link */ \
	X(UNKNOWN_PEER, "from a node that is not configured") \
	X(LCORE, "to or from an lcore that there is not") \
	X(CLUSTER, "from a node of another cluster") \
	X(INCARNATION, "from an earlier life of the node") \
	X(SESSION, "of a session that is not known") \
	X(STALE, "of a session that is over") \
	X(STATE, "of a kind that is not due now") \
	X(DUPLICATE, "came before") \
	X(OUT_OF_WINDOW, "a position beyond what was lent") \
	X(ACK_LIE, "acknowledges what was never sent") \
	X(CREDIT_LIE, "lends more than was agreed") \
	X(NAK_LIE, "asks for what was never sent, or was acknowledged") \
	X(SEQUENCE, "a fragment that does not follow the one before") \
	X(NO_FRAME, "no free frame to keep it in") \
	X(NO_BLOCK, "no free block to keep it in")
/* clang-format on */

enum tern_drop {
#define TERN_DROP_ENUM(name, text) TERN_DROP_##name,
	TERN_DROP_LIST(TERN_DROP_ENUM)
#undef TERN_DROP_ENUM
		TERN_DROPS, /* so many */
};

/** What a reason is called, and what it means: for people. "?" where there is no such reason. */
const char *tern_drop_name(enum tern_drop why);
const char *tern_drop_text(enum tern_drop why);

#endif
