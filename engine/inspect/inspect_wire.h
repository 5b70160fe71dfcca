/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INSPECT_WIRE_H
#define INSPECT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tern_inspect.h"

/*
 * What an inspector and its clients say to each other, over SOCK_SEQPACKET: one message a packet,
 * in the byte order and the layout of the machine, since both sides are on it.
 *
 *   inspector                 client
 *             <- connects
 *   HELLO ->                  a head: the version, and whether the client is welcome
 *             <- a request    a head, and what its kind takes
 *   reply ->                  a head with the request's kind; with status 0 what its kind gives
 *
 * A new kind is a line in each of: this enum, the unions, the table in inspect_wire.c, the table
 * in inspect_answer.c. Whatever changes a format changes TERN_INSPECT_VERSION; the head stays.
 */
#define TERN_INSPECT_MAGIC 0x6E726574u /* "tern" in memory */
#define TERN_INSPECT_VERSION 3u
/* Engines of one process that can be asked. */
#define TERN_INSPECT_NUMBERS 64u

enum tern_inspect_kind {
	TERN_INSPECT_HELLO,
	TERN_INSPECT_STAT,
	TERN_INSPECT_LOOKUP,
	TERN_INSPECT_SHOW,
	TERN_INSPECT_COUNTS,
	TERN_INSPECT_CAPABILITIES,
	TERN_INSPECT_REPORT,
	TERN_INSPECT_PEERS,
	TERN_INSPECT_PING,
	TERN_INSPECT_FAULT,
	TERN_INSPECT_FAULT_SET,
	TERN_INSPECT_KINDS,
};

struct tern_inspect_head {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;
	uint32_t size;	/* of the whole message, bytes */
	int32_t status; /* 0; of a reply also a negative errno: then it is a head alone */
};

union tern_inspect_request {
	struct tern_inspect_head head;
	struct {
		struct tern_inspect_head head;
		struct tern_id id;
	} lookup;
	struct {
		struct tern_inspect_head head;
		struct tern_table_cursor cursor;
		uint64_t which;
	} show;
	struct {
		struct tern_inspect_head head;
		uint64_t lcore;
	} counts;
	struct {
		struct tern_inspect_head head;
		uint64_t from; /* node */
	} report;
	struct {
		struct tern_inspect_head head;
		uint64_t first; /* peer, by its place */
	} peers;
	struct {
		struct tern_inspect_head head;
		uint64_t node;
		uint64_t word; /* 0: begin a ping of `node`; else what became of it */
	} ping;
	struct {
		struct tern_inspect_head head;
		char rules[TERN_INSPECT_RULES_MAX];
	} fault_set;
};

union tern_inspect_reply {
	struct tern_inspect_head head;
	struct {
		struct tern_inspect_head head;
		struct tern_inspect_stat stat;
	} stat;
	struct {
		struct tern_inspect_head head;
		struct tern_inspect_route route;
	} lookup;
	struct {
		struct tern_inspect_head head;
		struct tern_inspect_page page;
	} show;
	struct {
		struct tern_inspect_head head;
		struct tern_router_counts counts;
	} counts;
	struct {
		struct tern_inspect_head head;
		struct tern_inspect_capabilities capabilities;
	} capabilities;
	struct {
		struct tern_inspect_head head;
		struct tern_inspect_report report;
	} report;
	struct {
		struct tern_inspect_head head;
		struct tern_inspect_peers page;
	} peers;
	struct {
		struct tern_inspect_head head;
		uint64_t word;
		int64_t result; /* of tern_node_ping_result(); of a beginning -EINPROGRESS or why
				   not */
	} ping;
	struct {
		struct tern_inspect_head head;
		struct tern_inspect_fault fault;
	} fault;
	struct {
		struct tern_inspect_head head;
		int64_t result; /* 0, or why the rules are not set */
	} fault_set;
};

_Static_assert(sizeof(struct tern_inspect_head) == 16, "of every version");
_Static_assert(sizeof(struct tern_inspect_stat) == 448, "else another TERN_INSPECT_VERSION");
_Static_assert(sizeof(struct tern_inspect_route) == 200, "else another TERN_INSPECT_VERSION");
_Static_assert(sizeof(struct tern_inspect_page) == 12840, "else another TERN_INSPECT_VERSION");
_Static_assert(sizeof(struct tern_router_counts) == 96, "else another TERN_INSPECT_VERSION");
_Static_assert(sizeof(struct tern_inspect_capabilities) == 8328, "else another "
								 "TERN_INSPECT_VERSION");
_Static_assert(sizeof(struct tern_inspect_report) == 5448, "else another TERN_INSPECT_VERSION");
_Static_assert(sizeof(struct tern_inspect_peers) == 6680, "else another TERN_INSPECT_VERSION");
_Static_assert(sizeof(struct tern_inspect_fault) == 1184, "else another TERN_INSPECT_VERSION");
_Static_assert(sizeof(union tern_inspect_request) == 528, "else another TERN_INSPECT_VERSION");

/** The name of an engine's socket; returns the address's length. */
socklen_t tern_inspect_address(struct sockaddr_un *address, pid_t pid, uint32_t number);

/** The process at the other end, as the kernel knows it; false: it does not say. */
bool tern_inspect_peer(int fd, struct ucred *peer);

/** The head of a request, or of a reply with status 0. */
struct tern_inspect_head tern_inspect_request_head(enum tern_inspect_kind kind);
struct tern_inspect_head tern_inspect_reply_head(enum tern_inspect_kind kind);

/** Whether `size` bytes that came are a request, each field in its range. */
bool tern_inspect_request_ok(const union tern_inspect_request *request, size_t size);

/** Whether `size` bytes that came are a reply to a request of this kind. */
bool tern_inspect_reply_ok(const union tern_inspect_reply *reply, size_t size,
			   enum tern_inspect_kind kind);

#endif
