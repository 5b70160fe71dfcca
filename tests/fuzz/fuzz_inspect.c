/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no message makes an inspector or its client read what is not there: what is taken as a
 * request or reply has its size, ends its strings, and counts no more than came.
 * Method: the first byte chooses what the rest is taken for; a copy of just that size, so that
 * AddressSanitizer sees a byte too many.
 */
#include "engine/inspect/inspect_wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const union tern_inspect_request *request, size_t size)
{
	assert(request->head.size == size && size <= sizeof(*request));
	assert(request->head.kind > TERN_INSPECT_HELLO && request->head.kind < TERN_INSPECT_KINDS);
	if (request->head.kind == TERN_INSPECT_FAULT_SET)
		assert(strlen(request->fault_set.rules) < sizeof(request->fault_set.rules));
}

static void check_route(const struct tern_inspect_route *route)
{
	assert(strlen(route->name) < sizeof(route->name));
	assert(strlen(route->behaviour) < sizeof(route->behaviour));
	assert(route->route.source < TERN_ROUTE_SOURCES);
}

static void check_capabilities(const struct tern_inspect_capabilities *told)
{
	assert(told->count <= TERN_INSPECT_CAPABILITIES_MAX);
	for (uint64_t i = 0; i < told->count; i++)
		assert(strlen(told->names[i]) < sizeof(told->names[i]));
}

static void check_report(const struct tern_inspect_report *told)
{
	assert(told->node_count <= TERN_INSPECT_NODES_MAX);
	assert(told->contradiction_count <= TERN_CONTRADICTIONS_KEPT);
	for (uint32_t i = 0; i < told->contradiction_count; i++)
		assert(told->contradictions[i].kind <= TERN_CONTRADICTION_SHARED);
}

static void check_reply(const union tern_inspect_reply *reply, size_t size,
			enum tern_inspect_kind kind)
{
	assert(reply->head.size == size && size <= sizeof(*reply));
	if (reply->head.status != 0)
		return;
	if (kind == TERN_INSPECT_STAT)
		assert(strlen(reply->stat.stat.kernel) < sizeof(reply->stat.stat.kernel));
	if (kind == TERN_INSPECT_LOOKUP)
		check_route(&reply->lookup.route);
	if (kind == TERN_INSPECT_CAPABILITIES)
		check_capabilities(&reply->capabilities.capabilities);
	if (kind == TERN_INSPECT_REPORT)
		check_report(&reply->report.report);
	if (kind == TERN_INSPECT_PEERS)
		assert(reply->peers.page.count <= TERN_INSPECT_PEERS_MAX);
	if (kind == TERN_INSPECT_FAULT)
		assert(strlen(reply->fault.fault.rules) < sizeof(reply->fault.fault.rules));
	for (uint32_t i = 0; kind == TERN_INSPECT_SHOW && i < reply->show.page.count; i++)
		check_route(&reply->show.page.routes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	enum tern_inspect_kind kind = data[0] % TERN_INSPECT_KINDS;
	size_t length = size - 1;
	void *message = malloc(length + !length);
	if (!message)
		abort();
	memcpy(message, data + 1, length);
	if (kind == TERN_INSPECT_HELLO && tern_inspect_request_ok(message, length))
		check_request(message, length);
	if (kind != TERN_INSPECT_HELLO && tern_inspect_reply_ok(message, length, kind))
		check_reply(message, length, kind);
	free(message);
	return 0;
}
