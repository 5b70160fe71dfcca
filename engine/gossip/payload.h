/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_update.h"

/*
 * What nodes tell each other of where agents are, as bytes that a frame can carry: a head of 32
 * bytes and `count` items of one size, all numbers little-endian, what is reserved 0.
 *
 *   0  version  1  TERN_PAYLOAD_VERSION
 *   1  kind     1
 *   2  count    2  items
 *   4  node     2  NEWS, ASK: whose changes; else 0
 *   6  part     2  NEWS of a telling: counted from 0; else 0
 *   8  number   4  NEWS: of the telling, as its teller counts; 0: of none; else 0
 *  12  last     1  NEWS: the telling's last part; PROVIDERS: there are no more; else 0
 *  13  -        3  reserved
 *  16  word     8  NEWS, ASK: above; PROVIDERS: the capability, high; else 0
 *  24  word     8  NEWS: complete; PROVIDERS: the capability, low; else 0
 *
 * An item of VERSIONS is a node (2) and a version (8), by node; of WHO and OFFERS an id (16: high,
 * low); of NEWS and PROVIDERS an update (60): id 16, address 8, version 8, base 8, first 8, left 8,
 * origin 2, hops 1, source 1.
 */
#define TERN_PAYLOAD_MAX 1400u
#define TERN_PAYLOAD_VERSION 1u
#define TERN_PAYLOAD_HEAD 32u
#define TERN_PAYLOAD_VERSIONS_MAX 136u
#define TERN_PAYLOAD_IDS_MAX 85u
#define TERN_PAYLOAD_UPDATES_MAX 22u
/** Parts of one telling, at most. */
#define TERN_PAYLOAD_PARTS_MAX 4096u

enum tern_payload_kind {
	TERN_PAYLOAD_VERSIONS = 1, /* what the teller has heard of each node */
	TERN_PAYLOAD_NEWS,	   /* changes; a telling has all that lie above a version */
	TERN_PAYLOAD_ASK,	   /* for a telling of a node's changes above a version */
	TERN_PAYLOAD_WHO,	   /* has one of these agents? answered by NEWS of none */
	TERN_PAYLOAD_OFFERS,	   /* one of these capabilities? answered by PROVIDERS of each */
	TERN_PAYLOAD_PROVIDERS,	   /* agents of the teller's node that have a capability */
	TERN_PAYLOAD_KINDS,
};

struct tern_payload_version {
	uint16_t node;
	uint64_t version;
};

struct tern_payload {
	enum tern_payload_kind kind;
	uint16_t count, node, part;
	uint32_t number;
	bool last;
	uint64_t above, complete;
	struct tern_id capability;
	union {
		struct tern_payload_version versions[TERN_PAYLOAD_VERSIONS_MAX];
		struct tern_update updates[TERN_PAYLOAD_UPDATES_MAX];
		struct tern_id ids[TERN_PAYLOAD_IDS_MAX];
	};
};

/** Write one whose members are in range. Returns its bytes. */
size_t tern_payload_write(const struct tern_payload *payload, uint8_t bytes[TERN_PAYLOAD_MAX]);

/**
 * Read one: each member is in range then, and no byte is without meaning.
 *
 * @return 0; -EPROTO: of another version; -EBADMSG: no payload. Then nothing is yielded
 */
int tern_payload_read(struct tern_payload *payload, const uint8_t *bytes, size_t size);

/** Whether an update may travel: as in a payload, so also to be put in one. */
bool tern_payload_carries(const struct tern_update *update);

#endif
