/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "drop.h"
#include "wire.h"

/*
 * Frames as memory: made, wrapped, read. Nothing here keeps state. What comes from outside is read
 * in one go, every field of it, before anybody acts on any.
 */

/** How frames are carried. */
enum tern_carrier {
	TERN_CARRIER_ETHERNET, /* EtherType 0x88B5 */
	TERN_CARRIER_IPV4,     /* UDP */
	TERN_CARRIER_IPV6,     /* UDP */
};

/** Where frames go to, or come from. */
struct tern_endpoint {
	enum tern_carrier carrier;
	uint16_t vlan;	   /* 1 .. 4094; 0: no tag */
	uint16_t udp_port; /* in the host's order */
	uint8_t mac[6];
	uint8_t address[16]; /* of IPv4 the first 4, in the network's order */
};

/** Bytes around a Tern frame, at most: Ethernet with a tag, IPv6, UDP. */
#define TERN_WRAP_MAX (14 + 4 + 40 + 8)

/** What lies before each frame on one link. Constant once made. */
struct tern_wrap {
	uint8_t bytes[TERN_WRAP_MAX];
	uint8_t size;
	uint8_t ip_at; /* 0: no IP */
	enum tern_carrier carrier;
};

/** @param source_port  UDP port that it is sent from, so that receivers can spread by it */
void tern_wrap_init(struct tern_wrap *wrap, const struct tern_endpoint *from,
		    const struct tern_endpoint *to, uint16_t source_port);

/**
 * Put what is constant before a sealed Tern frame, and its lengths and checksums, in the mbuf's
 * headroom. A checksum that the port puts in by itself is left to it.
 *
 * @param frame     begins with the Tern header and ends with the frame; nobody else holds its first
 *                  segment, which has wrap->size bytes of headroom
 * @param offloads  enum tern_port_offload of the port
 */
void tern_wrap_put(const struct tern_wrap *wrap, struct rte_mbuf *frame, uint32_t offloads);

/**
 * Complete a frame: its check over `length` bytes.
 *
 * @param frame  begins with the Tern header, all else of which is filled in; the header lies in its
 *               first segment, the rest in as many as there are
 */
void tern_frame_seal(struct rte_mbuf *frame);

/** A frame that was received, read and found right. Borrows the mbuf's bytes. */
struct tern_frame {
	const struct tern_wire_header *header;
	union {
		const struct tern_wire_hello *hello;   /* HELLO, WELCOME */
		const struct tern_wire_data *data;     /* DATA: tern_entry_first() */
		const struct tern_wire_ranges *ranges; /* NAK, GONE */
	} body;					       /* of other kinds NULL */
	struct tern_endpoint from; /* as its wrap says; udp_port is that it was sent from */
};

/**
 * Read a frame from a port: Ethernet to the last entry.
 *
 * @param own    what frames to this node are addressed to; its MAC and, over IP, address and port.
 *               Other carriers than its own are dropped
 * @param node   this node
 * @param mbuf   borrows it; its bytes are changed only where nobody else holds them, to join its
 *               segments. Where the result is TERN_DROP_NONE and nobody else holds the mbuf, it
 *               then begins with the Tern header and ends with the frame. Where others hold it
 *               (rte_mbuf_refcnt_read() above 1) it stays as it is: go by frame->header
 * @param frame  filled in where the result is TERN_DROP_NONE, else untouched; borrows the mbuf
 * @return TERN_DROP_NONE, or why it is to be dropped. TERN_DROP_NEIGHBOUR: ARP or neighbour
 *         discovery, for neighbour.h
 */
enum tern_drop tern_frame_read(const struct tern_endpoint *own, uint16_t node,
			       struct rte_mbuf *mbuf, struct tern_frame *frame);

/**
 * The same, of the bytes of a Tern frame alone, at whatever address: what the fuzzers feed.
 *
 * @param size  at least the frame's `length`: what lies behind it is not looked at
 */
enum tern_drop tern_frame_check(const void *bytes, size_t size, uint16_t node,
				struct tern_frame *frame);

/** One entry of a DATA frame. */
struct tern_entry {
	const struct tern_wire_entry *fixed;
	const struct tern_wire_fragment *fragment; /* NULL: whole */
	uint64_t key;				   /* 0: none */
	const unsigned char *payload;		   /* fixed->length bytes */
	const unsigned char *next;		   /* where the next one begins */
};

/** The first entry; there always is one. Only of frames that were found right. */
void tern_entry_first(const struct tern_frame *frame, struct tern_entry *entry);
/** The entry after it. Context: it is not the last of data->count. */
void tern_entry_next(struct tern_entry *entry);

/** Bytes that an entry takes in a frame, padding included. */
size_t tern_entry_bytes(bool is_keyed, bool is_fragment, size_t length);

/**
 * Write an entry at `to`, where tern_entry_bytes() have room, and its padding.
 *
 * @param fixed     as it is to be, but for the flags that say whether there is a key or a fragment
 * @param key       0: none
 * @param fragment  NULL: the payload is whole
 * @param payload   fixed->length bytes
 * @return where the next one goes
 */
unsigned char *tern_entry_put(unsigned char *to, const struct tern_wire_entry *fixed, uint64_t key,
			      const struct tern_wire_fragment *fragment, const void *payload);

#endif
