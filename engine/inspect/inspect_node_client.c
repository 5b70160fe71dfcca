/* SPDX-License-Identifier: Apache-2.0 */

/* Asking an engine of another process about its network. */
#include "inspect_client.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "dataplane/fault/fault_rule.h"

/* Between two questions what became of a ping. */
#define ASK_AGAIN_NS 1000000

static const char *reason_of(int64_t result)
{
	switch (result) {
	case -ENETDOWN:
		return "it has no network: a node has [node] device, `tern node`";
	case -EHOSTUNREACH:
		return "it is not connected to that node now";
	case -EBUSY:
		return "it is busy with the same for somebody else: try again";
	case -ETIME:
		return "no answer from that node within 1 s";
	default:
		return strerror((int)-result);
	}
}

static int fail_node(const struct tern_inspect *inspect, int64_t result, struct tern_error *error)
{
	return tern_error_set(error, result == -EBUSY ? -EALREADY : (int)result,
			      "engine %u of process %d: %s", inspect->number, (int)inspect->pid,
			      reason_of(result));
}

int tern_inspect_peers(struct tern_inspect *inspect, uint32_t first,
		       struct tern_inspect_peers *page, struct tern_error *error)
{
	const union tern_inspect_request request = {
		.peers = {.head = tern_inspect_request_head(TERN_INSPECT_PEERS), .first = first}};
	int code = tern_inspect_ask(inspect, &request, error);
	if (code != 0)
		return code;
	if (inspect->reply.peers.page.node == 0)
		return fail_node(inspect, -ENETDOWN, error);
	*page = inspect->reply.peers.page;
	return 0;
}

/* Begins where `word` is 0, and asks again until the answer is there; the engine gives up first. */
static int ping_ask(struct tern_inspect *inspect, uint32_t node, int64_t *result,
		    struct tern_error *error)
{
	const struct timespec pause = {.tv_nsec = ASK_AGAIN_NS};
	union tern_inspect_request request = {
		.ping = {.head = tern_inspect_request_head(TERN_INSPECT_PING), .node = node}};
	int code = tern_inspect_ask(inspect, &request, error);
	while (code == 0 && inspect->reply.ping.result == -EINPROGRESS) {
		nanosleep(&pause, NULL);
		request.ping.word = inspect->reply.ping.word;
		code = tern_inspect_ask(inspect, &request, error);
	}
	if (code == 0)
		*result = inspect->reply.ping.result;
	return code;
}

int tern_inspect_ping(struct tern_inspect *inspect, uint32_t node, uint64_t *rtt_ns,
		      struct tern_error *error)
{
	int64_t result;
	int code = ping_ask(inspect, node, &result, error);
	if (code != 0)
		return code;
	if (result == -ENOENT)
		return tern_error_set(error, -ENOENT,
				      "engine %u of process %d: no node %u in its cluster",
				      inspect->number, (int)inspect->pid, node);
	if (result < 0)
		return fail_node(inspect, result, error);
	*rtt_ns = (uint64_t)result;
	return 0;
}

int tern_inspect_fault(struct tern_inspect *inspect, struct tern_inspect_fault *fault,
		       struct tern_error *error)
{
	const union tern_inspect_request request = {
		.head = tern_inspect_request_head(TERN_INSPECT_FAULT)};
	int code = tern_inspect_ask(inspect, &request, error);
	if (code != 0)
		return code;
	if (!inspect->reply.fault.fault.is_network)
		return fail_node(inspect, -ENETDOWN, error);
	*fault = inspect->reply.fault.fault;
	return 0;
}

int tern_inspect_fault_set(struct tern_inspect *inspect, const char *rules,
			   struct tern_error *error)
{
	struct tern_fault_rule read[TERN_FAULT_RULES];
	union tern_inspect_request request = {
		.fault_set = {.head = tern_inspect_request_head(TERN_INSPECT_FAULT_SET)}};
	int code = tern_fault_rules_read(rules, read, error);
	if (code < 0)
		return code;
	if (strlen(rules) >= sizeof(request.fault_set.rules))
		return tern_error_set(error, -EINVAL, "fault rules of %zu bytes; allowed: 1..%zu",
				      strlen(rules), sizeof(request.fault_set.rules) - 1);
	strcpy(request.fault_set.rules, rules);
	code = tern_inspect_ask(inspect, &request, error);
	if (code == 0 && inspect->reply.fault_set.result != 0)
		code = fail_node(inspect, inspect->reply.fault_set.result, error);
	return code;
}
