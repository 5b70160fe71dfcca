/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect_wire.h"

#include <stdio.h>
#include <string.h>

/* A page of bytes comes as it is sent: nothing in it may be without meaning. */
_Static_assert(sizeof(struct tern_route) == 56, "no byte of padding");

/* The kernel's: no error has a larger number. */
#define ERRNO_MAX 4095

static bool is_string(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool request_any(const union tern_inspect_request *request)
{
	(void)request;
	return true;
}

static bool request_show(const union tern_inspect_request *request)
{
	uint64_t which = request->show.which;
	return which >= TERN_INSPECT_LOCAL && which <= (TERN_INSPECT_LOCAL | TERN_INSPECT_REMOTE);
}

static bool reply_any(const union tern_inspect_reply *reply)
{
	(void)reply;
	return true;
}

static bool reply_stat(const union tern_inspect_reply *reply)
{
	const struct tern_inspect_stat *stat = &reply->stat.stat;
	return is_string(stat->kernel, sizeof(stat->kernel)) && stat->buckets && stat->lcores &&
	       stat->shards && stat->shards <= TERN_TABLE_SHARDS_MAX &&
	       stat->growing <= stat->shards;
}

static bool route_ok(const struct tern_inspect_route *told)
{
	return told->route.address != TERN_ADDRESS_NONE &&
	       told->route.source < TERN_ROUTE_SOURCES && told->route.link == 0 &&
	       told->reserved == 0 && is_string(told->name, sizeof(told->name)) &&
	       is_string(told->behaviour, sizeof(told->behaviour));
}

static bool reply_lookup(const union tern_inspect_reply *reply)
{
	return route_ok(&reply->lookup.route);
}

static bool reply_show(const union tern_inspect_reply *reply)
{
	const struct tern_inspect_page *page = &reply->show.page;
	if (page->count > TERN_INSPECT_PAGE_MAX || page->more > 1)
		return false;
	for (uint32_t i = 0; i < page->count; i++)
		if (!route_ok(&page->routes[i]))
			return false;
	return true;
}

static bool reply_capabilities(const union tern_inspect_reply *reply)
{
	const struct tern_inspect_capabilities *told = &reply->capabilities.capabilities;
	if (told->count > TERN_INSPECT_CAPABILITIES_MAX)
		return false;
	for (uint64_t i = 0; i < told->count; i++)
		if (!is_string(told->names[i], sizeof(told->names[i])))
			return false;
	return true;
}

static bool contradiction_ok(const struct tern_contradiction *told)
{
	return told->kind <= TERN_CONTRADICTION_SHARED;
}

/* Pages go on, or a client would ask for ever. */
static bool report_ok(const struct tern_inspect_report *told)
{
	if (told->contradiction_count > TERN_CONTRADICTIONS_KEPT ||
	    told->node_count > TERN_INSPECT_NODES_MAX || told->reserved != 0 ||
	    told->next > TERN_NODE_MAX + 1)
		return false;
	for (uint32_t i = 0; i < told->node_count; i++)
		if (told->nodes[i].node >= told->next)
			return false;
	for (uint32_t i = 0; i < told->contradiction_count; i++)
		if (!contradiction_ok(&told->contradictions[i]))
			return false;
	return told->node_count > 0 || told->next == TERN_NODE_MAX + 1;
}

static bool reply_report(const union tern_inspect_reply *reply)
{
	return report_ok(&reply->report.report);
}

static bool request_fault_set(const union tern_inspect_request *request)
{
	return is_string(request->fault_set.rules, sizeof(request->fault_set.rules));
}

static bool reply_peers(const union tern_inspect_reply *reply)
{
	const struct tern_inspect_peers *page = &reply->peers.page;
	return page->count <= TERN_INSPECT_PEERS_MAX && page->first <= page->total &&
	       page->count <= page->total - page->first && (page->node != 0 || page->total == 0);
}

/* What a code below 0 may be; so its negative is a number as well. */
static bool is_code(int64_t code)
{
	return code < 0 && code >= -ERRNO_MAX;
}

static bool reply_ping(const union tern_inspect_reply *reply)
{
	return reply->ping.result >= 0 || is_code(reply->ping.result);
}

static bool reply_fault_set(const union tern_inspect_reply *reply)
{
	return reply->fault_set.result == 0 || is_code(reply->fault_set.result);
}

static bool reply_fault(const union tern_inspect_reply *reply)
{
	const struct tern_inspect_fault *fault = &reply->fault.fault;
	return is_string(fault->rules, sizeof(fault->rules)) && fault->is_network <= 1 &&
	       fault->is_pending <= 1;
}

#define REQUEST_SIZE(member) sizeof(((union tern_inspect_request *)0)->member)
#define REPLY_SIZE(member) sizeof(((union tern_inspect_reply *)0)->member)

/* No request says hello. */
static const struct {
	size_t request_size, reply_size;
	bool (*request_ok)(const union tern_inspect_request *request);
	bool (*reply_ok)(const union tern_inspect_reply *reply);
} kinds[TERN_INSPECT_KINDS] = {
	[TERN_INSPECT_STAT] = {REQUEST_SIZE(head), REPLY_SIZE(stat), request_any, reply_stat},
	[TERN_INSPECT_LOOKUP] = {REQUEST_SIZE(lookup), REPLY_SIZE(lookup), request_any,
				 reply_lookup},
	[TERN_INSPECT_SHOW] = {REQUEST_SIZE(show), REPLY_SIZE(show), request_show, reply_show},
	[TERN_INSPECT_COUNTS] = {REQUEST_SIZE(counts), REPLY_SIZE(counts), request_any, reply_any},
	[TERN_INSPECT_CAPABILITIES] = {REQUEST_SIZE(head), REPLY_SIZE(capabilities), request_any,
				       reply_capabilities},
	[TERN_INSPECT_REPORT] = {REQUEST_SIZE(report), REPLY_SIZE(report), request_any,
				 reply_report},
	[TERN_INSPECT_PEERS] = {REQUEST_SIZE(peers), REPLY_SIZE(peers), request_any, reply_peers},
	[TERN_INSPECT_PING] = {REQUEST_SIZE(ping), REPLY_SIZE(ping), request_any, reply_ping},
	[TERN_INSPECT_FAULT] = {REQUEST_SIZE(head), REPLY_SIZE(fault), request_any, reply_fault},
	[TERN_INSPECT_FAULT_SET] = {REQUEST_SIZE(fault_set), REPLY_SIZE(fault_set),
				    request_fault_set, reply_fault_set},
};

socklen_t tern_inspect_address(struct sockaddr_un *address, pid_t pid, uint32_t number)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int length = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "tern.%d.%u",
			      (int)pid, number);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) + (socklen_t)length;
}

bool tern_inspect_peer(int fd, struct ucred *peer)
{
	socklen_t size = sizeof(*peer);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &size) == 0;
}

static struct tern_inspect_head head_of(enum tern_inspect_kind kind, size_t size)
{
	return (struct tern_inspect_head){.magic = TERN_INSPECT_MAGIC,
					  .version = TERN_INSPECT_VERSION,
					  .kind = (uint16_t)kind,
					  .size = (uint32_t)size};
}

struct tern_inspect_head tern_inspect_request_head(enum tern_inspect_kind kind)
{
	return head_of(kind, kinds[kind].request_size);
}

struct tern_inspect_head tern_inspect_reply_head(enum tern_inspect_kind kind)
{
	return head_of(kind, kinds[kind].reply_size);
}

static bool head_ok(const struct tern_inspect_head *head, size_t size)
{
	return size >= sizeof(*head) && head->magic == TERN_INSPECT_MAGIC &&
	       head->version == TERN_INSPECT_VERSION && head->size == size;
}

bool tern_inspect_request_ok(const union tern_inspect_request *request, size_t size)
{
	if (!head_ok(&request->head, size) || request->head.status != 0 ||
	    request->head.kind == TERN_INSPECT_HELLO || request->head.kind >= TERN_INSPECT_KINDS)
		return false;
	return size == kinds[request->head.kind].request_size &&
	       kinds[request->head.kind].request_ok(request);
}

bool tern_inspect_reply_ok(const union tern_inspect_reply *reply, size_t size,
			   enum tern_inspect_kind kind)
{
	if (!head_ok(&reply->head, size) || reply->head.kind != kind || reply->head.status > 0)
		return false;
	if (reply->head.status < 0)
		return size == sizeof(reply->head);
	return size == kinds[kind].reply_size && kinds[kind].reply_ok(reply);
}
