/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 5

static const char *reason_of(int code)
{
	switch (code) {
	case -ECONNREFUSED:
		return "no such engine runs";
	case -EPERM:
		return "it belongs to another user: run this as that user, or as root";
	case -EBUSY:
		return "too many others look at it already: try again later";
	case -EPROTO:
		return "it was built from another version of Tern: use the `tern` of that version";
	case -ETIMEDOUT:
		return "no answer within 5 s: its process may be stopped";
	case -EBADMSG:
		return "its answer makes no sense";
	default:
		return strerror(-code);
	}
}

static int fail_request(const struct tern_inspect *inspect, int code, struct tern_error *error)
{
	return tern_error_set(error, code, "engine %u of process %d: %s", inspect->number,
			      (int)inspect->pid, reason_of(code));
}

/* A limit of time shows as EAGAIN. */
static int last_error(void)
{
	return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

/* Anybody can take a name: the one who answers must be the process that is in it. */
static bool is_whose_name_it_has(int fd, pid_t pid)
{
	struct ucred peer;
	return tern_inspect_peer(fd, &peer) && peer.pid == pid;
}

static int receive_hello(int fd)
{
	struct tern_inspect_head hello;
	ssize_t size = recv(fd, &hello, sizeof(hello), MSG_TRUNC);
	if (size < 0)
		return last_error();
	if (size == 0)
		return -ECONNREFUSED; /* it stopped while we waited */
	if (size != sizeof(hello) || hello.magic != TERN_INSPECT_MAGIC)
		return -EBADMSG;
	if (hello.version != TERN_INSPECT_VERSION)
		return -EPROTO;
	bool sense = hello.kind == TERN_INSPECT_HELLO && hello.status <= 0;
	return sense ? hello.status : -EBADMSG;
}

static int introduce_client(int fd, pid_t pid, uint32_t number)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un address;
	socklen_t length = tern_inspect_address(&address, pid, number);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    connect(fd, (struct sockaddr *)&address, length) != 0)
		return last_error();
	return is_whose_name_it_has(fd, pid) ? receive_hello(fd) : -EBADMSG;
}

static int connect_to(struct tern_inspect *inspect)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int code = introduce_client(fd, inspect->pid, inspect->number);
	if (code == 0)
		inspect->fd = fd;
	else
		close(fd);
	return code;
}

int tern_inspect_open(struct tern_inspect **inspect, pid_t pid, uint32_t number,
		      struct tern_error *error)
{
	struct tern_inspect *made = calloc(1, sizeof(*made));
	if (!made)
		return tern_error_set(error, -ENOMEM, "no memory");
	made->pid = pid;
	made->number = number;
	int code = connect_to(made);
	if (code != 0) {
		fail_request(made, code, error);
		free(made);
		return code;
	}
	*inspect = made;
	return 0;
}

static void disconnect_engine(struct tern_inspect *inspect)
{
	if (inspect->fd >= 0)
		close(inspect->fd);
	inspect->fd = -1;
}

void tern_inspect_close(struct tern_inspect *inspect)
{
	disconnect_engine(inspect);
	free(inspect);
}

/* -EPIPE, -ECONNRESET: the inspector has let us go. */
static int exchange_request(struct tern_inspect *inspect, const union tern_inspect_request *request)
{
	union tern_inspect_reply *reply = &inspect->reply;
	if (send(inspect->fd, request, request->head.size, MSG_NOSIGNAL) < 0)
		return last_error();
	ssize_t size = recv(inspect->fd, reply, sizeof(*reply), MSG_TRUNC);
	if (size < 0)
		return last_error();
	if (size == 0)
		return -ECONNRESET;
	return tern_inspect_reply_ok(reply, (size_t)size, request->head.kind) ? reply->head.status
									      : -EBADMSG;
}

/*
 * An inspector lets a client go that was silent for long, as one is whose reader turns a page. No
 * request rests on those before: it is asked anew.
 */
int tern_inspect_ask(struct tern_inspect *inspect, const union tern_inspect_request *request,
		     struct tern_error *error)
{
	int code = inspect->fd >= 0 ? exchange_request(inspect, request) : -EPIPE;
	if (code == -EPIPE || code == -ECONNRESET) {
		disconnect_engine(inspect);
		code = connect_to(inspect);
		if (code == 0)
			code = exchange_request(inspect, request);
	}
	if (code == 0)
		return 0;
	if (code != -ENOENT)
		disconnect_engine(inspect); /* a late answer is no answer to the next question */
	return fail_request(inspect, code, error);
}

int tern_inspect_stat(struct tern_inspect *inspect, struct tern_inspect_stat *stat,
		      struct tern_error *error)
{
	const union tern_inspect_request request = {
		.head = tern_inspect_request_head(TERN_INSPECT_STAT)};
	int code = tern_inspect_ask(inspect, &request, error);
	if (code == 0)
		*stat = inspect->reply.stat.stat;
	return code;
}

int tern_inspect_counts(struct tern_inspect *inspect, uint32_t lcore,
			struct tern_router_counts *counts, struct tern_error *error)
{
	const union tern_inspect_request request = {
		.counts = {.head = tern_inspect_request_head(TERN_INSPECT_COUNTS), .lcore = lcore}};
	int code = tern_inspect_ask(inspect, &request, error);
	if (code == 0)
		*counts = inspect->reply.counts.counts;
	return code;
}

int tern_inspect_lookup(struct tern_inspect *inspect, struct tern_id id,
			struct tern_inspect_route *route, struct tern_error *error)
{
	const union tern_inspect_request request = {
		.lookup = {.head = tern_inspect_request_head(TERN_INSPECT_LOOKUP), .id = id}};
	int code = tern_inspect_ask(inspect, &request, error);
	if (code == 0)
		*route = inspect->reply.lookup.route;
	return code;
}

int tern_inspect_show(struct tern_inspect *inspect, uint32_t which, struct tern_inspect_page *page,
		      struct tern_error *error)
{
	const union tern_inspect_request request = {
		.show = {.head = tern_inspect_request_head(TERN_INSPECT_SHOW),
			 .cursor = page->cursor,
			 .which = which}};
	int code = tern_inspect_ask(inspect, &request, error);
	if (code == 0)
		*page = inspect->reply.show.page;
	return code;
}

int tern_inspect_capabilities(struct tern_inspect *inspect,
			      struct tern_inspect_capabilities *capabilities,
			      struct tern_error *error)
{
	const union tern_inspect_request request = {
		.head = tern_inspect_request_head(TERN_INSPECT_CAPABILITIES)};
	int code = tern_inspect_ask(inspect, &request, error);
	if (code == 0)
		*capabilities = inspect->reply.capabilities.capabilities;
	return code;
}

int tern_inspect_report(struct tern_inspect *inspect, struct tern_inspect_report *report,
			struct tern_error *error)
{
	const union tern_inspect_request request = {
		.report = {.head = tern_inspect_request_head(TERN_INSPECT_REPORT),
			   .from = report->next}};
	int code = tern_inspect_ask(inspect, &request, error);
	/* Pages go on, or who asks for all of them would for ever. */
	if (code == 0 && inspect->reply.report.report.next <= report->next)
		return fail_request(inspect, -EBADMSG, error);
	if (code == 0)
		*report = inspect->reply.report.report;
	return code;
}
