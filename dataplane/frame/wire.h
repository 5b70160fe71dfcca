/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "tern_block.h"
#include "tern_slot.h"

/*
 * What travels between two nodes: all formats and limits. docs/wire.md tells it byte by byte.
 *
 * A frame is a header of 40 bytes and a body that its kind defines; around it lie Ethernet and, as
 * configured, VLAN, IPv4 or IPv6 and UDP (frame.h). All numbers are little-endian, each at a
 * multiple of 4 or of its size. Reserved bytes and bits are 0 and a frame in which one is not is
 * dropped.
 *
 * A link joins one lcore of a node with one of another, and has a session of its own: link.h. Data
 * frames of a session are numbered, from 1, by 64-bit positions.
 */

#define TERN_WIRE_VERSION 1
#define TERN_WIRE_ETHERTYPE 0x88B5u /* raw Ethernet: IEEE 802 local experimental */
#define TERN_WIRE_UDP_PORT 7946u    /* default; configurable */
#define TERN_WIRE_NODES_MAX 16383u  /* nodes are 1 .. 16,383; 0 is no node */
#define TERN_WIRE_CLASSES 16u	    /* flow classes of a link */
#define TERN_WIRE_CREDIT_MIN 4u	    /* data frames that a node takes unacknowledged, */
#define TERN_WIRE_CREDIT_MAX 4096u  /* the least and the most */

/* Where a frame begins in a buffer depends on what lies before it: 14 bytes are Ethernet's. */
#define TERN_WIRE_LAYOUT __attribute__((packed))
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "structures are read as they came");

/** Kinds of frames. */
enum tern_wire_kind {
	TERN_WIRE_HELLO = 1, /* asks for a session; body: tern_wire_hello. Session and position 0 */
	TERN_WIRE_WELCOME,   /* grants it; body: tern_wire_hello. The session granted */
	TERN_WIRE_RESET,     /* the session named is not known here; no body */
	TERN_WIRE_DATA,	     /* signals; body: tern_wire_data, then entries */
	TERN_WIRE_ACK,	     /* no body: what the header says */
	TERN_WIRE_HEARTBEAT, /* as ACK, and asks for one: liveness, and probe for a lost tail */
	TERN_WIRE_NAK,	     /* positions that are missing; body: tern_wire_ranges */
	TERN_WIRE_GONE,	     /* positions asked for that cannot be sent again; the same body */
	TERN_WIRE_BYE,	     /* the sender leaves: the session is over; no body */
	TERN_WIRE_KINDS,     /* so many, and no such kind */
};

/** The header of each frame. */
struct tern_wire_header {
	uint8_t version; /* TERN_WIRE_VERSION */
	uint8_t kind;	 /* enum tern_wire_kind */
	uint16_t length; /* bytes from here on, header included; what a NIC pads is not counted */
	uint16_t from_node;
	uint16_t to_node;
	uint8_t from_lcore;
	uint8_t to_lcore;
	uint16_t credit; /* data frames past `ack` that the sender of this one takes */
	uint32_t check;	 /* CRC32C of `length` bytes, these four taken as 0 */
	uint64_t session;
	uint64_t
		position; /* DATA: its own; HELLO: 0; else the one that the sender will give next */
	uint64_t ack;	  /* all positions below it have been received; at least 1 */
} TERN_WIRE_LAYOUT;
_Static_assert(sizeof(struct tern_wire_header) == 40, "a frame's header");

/** Body of HELLO and WELCOME. */
struct tern_wire_hello {
	uint64_t nonce;	      /* of this attempt, of who sends this; never 0 */
	uint64_t your_nonce;  /* WELCOME: the HELLO's; HELLO: 0 */
	uint64_t incarnation; /* of the node: another one for each start of its engine */
	uint64_t cluster;     /* hash of the cluster's name: nodes of others are refused */
	uint32_t heartbeat_us;
	uint32_t dead_us;
	uint16_t frame_max; /* largest `length` that it takes */
	uint16_t credit_max;
	uint8_t lcores; /* of the node */
	uint8_t reserved[3];
} TERN_WIRE_LAYOUT;
_Static_assert(sizeof(struct tern_wire_hello) == 48, "a body's fixed part");

/**
 * What a DATA body begins with. All its signals are of one flow class, which a hash of sender and
 * receiver chooses: the receiver need not wait for lost frames of other classes.
 */
struct tern_wire_data {
	uint8_t flow_class; /* below TERN_WIRE_CLASSES */
	uint8_t reserved;
	uint16_t count;	   /* entries, at least 1 */
	uint32_t distance; /* back to the class's frame before; 0: it is the class's first */
} TERN_WIRE_LAYOUT;
_Static_assert(sizeof(struct tern_wire_data) == 8, "a body's fixed part");

#define TERN_WIRE_ENTRY_RETURNED 0x01u /* comes back: the receiver sent it, and nobody took it */
#define TERN_WIRE_ENTRY_KEYED 0x02u    /* tern_wire_key follows the entry */
#define TERN_WIRE_ENTRY_FRAGMENT 0x04u /* tern_wire_fragment follows (after the key) */
#define TERN_WIRE_ENTRY_FLAGS 0x07u

/** A signal, or a fragment of one: this, what its flags say, `length` bytes, 0..3 of padding (0).
 */
struct tern_wire_entry {
	uint32_t to_slot;
	uint32_t to_generation : 24;
	uint32_t kind : 8; /* as in tern_signal: 0..40 bytes by value, TERN_KIND_ISO, _VAL, _TAG */
	uint32_t from_slot;
	uint32_t from_generation : 24;
	uint32_t flags : 8;
	uint16_t type;	 /* above TERN_TYPE_MAX: the engine's own */
	uint16_t length; /* payload bytes in this frame; by value: `kind`; a tag: 8 */
} TERN_WIRE_LAYOUT;
_Static_assert(sizeof(struct tern_wire_entry) == 20, "an entry's fixed part");

/** Idempotency key that the sender gave. */
struct tern_wire_key {
	uint64_t key; /* never 0 */
} TERN_WIRE_LAYOUT;

/**
 * A block that no single frame takes is cut: its fragments are the only entries of frames of its
 * class that follow each other, in order, without another entry between.
 */
struct tern_wire_fragment {
	uint32_t offset; /* of this fragment's first byte in the block */
	uint32_t size;	 /* of the block, 1 .. TERN_BLOCK_SIZE_MAX */
} TERN_WIRE_LAYOUT;

struct tern_wire_range {
	uint64_t from;
	uint64_t to; /* one past the last; above `from` */
} TERN_WIRE_LAYOUT;

/** What a NAK or GONE body begins with; its ranges rise and lie apart. */
struct tern_wire_ranges {
	uint16_t count; /* 1 .. TERN_WIRE_RANGES_MAX */
	uint16_t reserved[3];
	struct tern_wire_range range[]; /* so many */
} TERN_WIRE_LAYOUT;
_Static_assert(sizeof(struct tern_wire_ranges) == 8, "a body's fixed part");

#define TERN_WIRE_RANGES_MAX 64u

/** Least that a port must carry of a frame: NAK at its longest, and one signal of 40 bytes. */
#define TERN_WIRE_FRAME_MIN                                                  \
	(sizeof(struct tern_wire_header) + sizeof(struct tern_wire_ranges) + \
	 TERN_WIRE_RANGES_MAX * sizeof(struct tern_wire_range))

/** Most that any frame is long: a `length` of 16 bits. */
#define TERN_WIRE_FRAME_MAX 65535u

#endif
