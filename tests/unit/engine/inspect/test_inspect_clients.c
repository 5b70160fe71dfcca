/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no client costs anybody but itself: who sends what is no request, does not read, is silent
 * or one too many is let go, and the others are served; none holds up the engine's stop. And no
 * answer misleads who asks.
 * Method: clients by hand against an inspector that the test polls under a virtual clock, and
 * against one on its thread; a false inspector under a name of this process.
 */
#include "tests/unit/engine/inspected.h"

#include <sys/un.h>

#define FALSE_NUMBER 63u
#define IDLE_NS 10000000000u

/* A request that is in order, but for what a test changes. */
static union tern_inspect_request good(enum tern_inspect_kind kind)
{
	union tern_inspect_request request = {.head = tern_inspect_request_head(kind)};
	if (kind == TERN_INSPECT_SHOW)
		request.show.which = TERN_INSPECT_LOCAL;
	return request;
}

static void assert_let_go(struct tern_engine *engine, const void *bytes, size_t size)
{
	union tern_inspect_reply reply;
	int fd = client_greeted(engine, 0);
	assert_true(client_send(fd, bytes, size));
	assert_true(tern_inspect_poll(engine, 0));
	assert_int_equal(client_recv(fd, &reply), 0);
	close(fd);
}

static void what_is_no_request_is_not_answered(void **state)
{
	struct tern_engine *engine = ((struct world *)*state)->engine;
	union tern_inspect_request request;
	unsigned char many[10000] = {0};
	int other = client_greeted(engine, 0);
	for (size_t size = 0; size < sizeof(request); size++) {
		request = good(TERN_INSPECT_FAULT_SET); /* the longest */
		assert_let_go(engine, &request, size);
	}
#define ASSERT_REFUSED(kind, change)                                \
	do {                                                        \
		request = good(kind);                               \
		request.change;                                     \
		assert_let_go(engine, &request, request.head.size); \
	} while (0)
	ASSERT_REFUSED(TERN_INSPECT_STAT, head.magic++);
	ASSERT_REFUSED(TERN_INSPECT_STAT, head.version++);
	ASSERT_REFUSED(TERN_INSPECT_STAT, head.status = -1);
	ASSERT_REFUSED(TERN_INSPECT_STAT, head.kind = TERN_INSPECT_HELLO);
	ASSERT_REFUSED(TERN_INSPECT_STAT, head.kind = TERN_INSPECT_KINDS);
	ASSERT_REFUSED(TERN_INSPECT_STAT, head.kind = UINT16_MAX);
	ASSERT_REFUSED(TERN_INSPECT_STAT, head.kind = TERN_INSPECT_LOOKUP);
	ASSERT_REFUSED(TERN_INSPECT_LOOKUP, head.size++);
	ASSERT_REFUSED(TERN_INSPECT_COUNTS, head.size--);
	ASSERT_REFUSED(TERN_INSPECT_SHOW, show.which = 0);
	ASSERT_REFUSED(TERN_INSPECT_SHOW, show.which = 4);
	ASSERT_REFUSED(TERN_INSPECT_PEERS, head.size++);
	ASSERT_REFUSED(TERN_INSPECT_PING, head.size--);
	ASSERT_REFUSED(TERN_INSPECT_FAULT_SET, head.size--);
	request = good(TERN_INSPECT_FAULT_SET);
	memset(request.fault_set.rules, 'x', sizeof(request.fault_set.rules));
	assert_let_go(engine, &request, request.head.size);
	request = good(TERN_INSPECT_SHOW);
	memcpy(many, &request, sizeof(request));
	assert_let_go(engine, many, sizeof(many));
	((union tern_inspect_request *)(void *)many)->head.size = sizeof(many);
	assert_let_go(engine, many, sizeof(many));
	assert_true(client_served(engine, other));
	close(other);
}

static void one_too_many_is_told_so(void **state)
{
	struct tern_engine *engine = ((struct world *)*state)->engine;
	union tern_inspect_reply reply;
	int fds[8];
	for (int i = 0; i < 8; i++)
		fds[i] = client_greeted(engine, 0);
	int last = client_greeted(engine, -EBUSY);
	assert_int_equal(client_recv(last, &reply), 0);
	close(last);
	for (int i = 0; i < 8; i++)
		assert_true(client_served(engine, fds[i]));
	close(fds[3]);
	assert_true(tern_inspect_poll(engine, 0));
	fds[3] = client_greeted(engine, 0);
	assert_true(client_served(engine, fds[3]));
	for (int i = 0; i < 8; i++)
		close(fds[i]);
}

static void a_silent_client_is_let_go(void **state)
{
	struct tern_engine *engine = ((struct world *)*state)->engine;
	union tern_inspect_reply reply;
	int silent = client_greeted(engine, 0);
	int other = client_greeted(engine, 0);
	tern_engine_advance(engine, IDLE_NS - 1);
	assert_true(client_served(engine, other));
	assert_int_equal(client_recv(silent, &reply), -1);
	tern_engine_advance(engine, 1);
	assert_true(tern_inspect_poll(engine, 0));
	assert_int_equal(client_recv(silent, &reply), 0);
	assert_true(client_served(engine, other));
	close(silent);
	close(other);
}

static void who_does_not_read_is_let_go(void **state)
{
	struct tern_engine *engine = ((struct world *)*state)->engine;
	const union tern_inspect_request request = good(TERN_INSPECT_SHOW);
	int deaf = client_greeted(engine, 0), other = client_greeted(engine, 0);
	uint32_t sent = 0;
	for (; client_send(deaf, &request, request.head.size); sent++) {
		assert_true(tern_inspect_poll(engine, 0));
		assert_true(sent < 100000);
	}
	assert_true(sent > 1);
	assert_true(client_served(engine, other));
	close(deaf);
	close(other);
}

/* It asks anew, and who called does not notice. */
static void who_was_let_go_comes_again(void **state)
{
	struct tern_engine *engine = ((struct world *)*state)->engine;
	struct tern_inspect_stat stat;
	struct server server;
	server_start(&server, engine);
	struct tern_inspect *inspect = inspect_open(0);
	server_stop(&server);
	tern_engine_advance(engine, IDLE_NS);
	assert_true(tern_inspect_poll(engine, 0));
	server_start(&server, engine);
	assert_int_equal(tern_inspect_stat(inspect, &stat, NULL), 0);
	server_stop(&server);
	tern_inspect_close(inspect);
}

/* Whose questions are not all answered yet, who says nothing, and who is in the queue to come. */
static void no_client_holds_up_the_stop(void **state)
{
	struct world world;
	struct tern_config config;
	union tern_inspect_reply reply;
	const union tern_inspect_request request = good(TERN_INSPECT_SHOW);
	int fds[10];
	(void)state;
	world_config(&config, false);
	world_open(&world, &config);
	for (int i = 0; i < 10; i++)
		fds[i] = client_open(0);
	for (int i = 0; i < 10; i += 2)
		while (client_send(fds[i], &request, request.head.size))
			;
	world_close(&world);
	for (int i = 0; i < 10; i++) {
		while (client_recv(fds[i], &reply) > 0)
			;
		assert_int_equal(client_recv(fds[i], &reply), 0);
		close(fds[i]);
	}
}

/* What a false inspector says: a greeting, then a reply to whatever is asked. */
struct falsehood {
	struct tern_inspect_head hello;
	size_t hello_size; /* 0: it goes without a word */
	union tern_inspect_reply reply;
	size_t reply_size;
	int listener;
	pthread_t thread;
};

/* The test's own client: whoever lists the engines of the machine knocks here, too. */
static int accept_own(int listener)
{
	for (;;) {
		struct ucred who = {0};
		socklen_t size = sizeof(who);
		int fd = accept(listener, NULL, NULL);
		if (fd < 0 || (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
			       who.pid == getpid()))
			return fd;
		close(fd);
	}
}

static void *lie(void *argument)
{
	struct falsehood *falsehood = argument;
	union tern_inspect_request request;
	int fd = accept_own(falsehood->listener);
	if (falsehood->hello_size)
		(void)!send(fd, &falsehood->hello, falsehood->hello_size, MSG_NOSIGNAL);
	if (falsehood->reply_size && recv(fd, &request, sizeof(request), 0) > 0)
		(void)!send(fd, &falsehood->reply, falsehood->reply_size, MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static struct falsehood falsehood_of(enum tern_inspect_kind kind)
{
	struct falsehood made = {.hello = tern_inspect_reply_head(TERN_INSPECT_HELLO),
				 .hello_size = sizeof(struct tern_inspect_head)};
	made.hello.size = sizeof(made.hello);
	made.reply.head = tern_inspect_reply_head(kind);
	made.reply_size = made.reply.head.size;
	return made;
}

static int ask(struct tern_inspect *inspect, uint16_t kind, struct tern_error *error)
{
	struct tern_inspect_stat stat;
	struct tern_inspect_route route;
	struct tern_inspect_page page = {0};
	struct tern_router_counts lookups;
	struct tern_inspect_peers peers;
	struct tern_inspect_fault fault;
	uint64_t rtt_ns;
	switch (kind) {
	case TERN_INSPECT_PEERS:
		return tern_inspect_peers(inspect, 0, &peers, error);
	case TERN_INSPECT_PING:
		return tern_inspect_ping(inspect, 2, &rtt_ns, error);
	case TERN_INSPECT_FAULT:
		return tern_inspect_fault(inspect, &fault, error);
	case TERN_INSPECT_FAULT_SET:
		return tern_inspect_fault_set(inspect, "off", error);
	case TERN_INSPECT_STAT:
		return tern_inspect_stat(inspect, &stat, error);
	case TERN_INSPECT_LOOKUP:
		return tern_inspect_lookup(inspect, (struct tern_id){0}, &route, error);
	case TERN_INSPECT_COUNTS:
		return tern_inspect_counts(inspect, 0, &lookups, error);
	default:
		return tern_inspect_show(inspect, TERN_INSPECT_LOCAL, &page, error);
	}
}

/* The code that comes of asking it. */
static int believe(struct falsehood *falsehood)
{
	struct sockaddr_un address;
	socklen_t length = tern_inspect_address(&address, getpid(), FALSE_NUMBER);
	struct tern_inspect *inspect;
	struct tern_error error = {""};
	falsehood->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(falsehood->listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(falsehood->listener, 1), 0);
	assert_int_equal(pthread_create(&falsehood->thread, NULL, lie, falsehood), 0);
	int code = tern_inspect_open(&inspect, getpid(), FALSE_NUMBER, &error);
	if (code == 0) {
		code = ask(inspect, falsehood->reply.head.kind, &error);
		tern_inspect_close(inspect);
	}
	pthread_join(falsehood->thread, NULL);
	close(falsehood->listener);
	assert_int_equal(code == 0, error.text[0] == '\0');
	return code;
}

static void a_false_greeting_is_refused(void **state)
{
	struct falsehood says;
	(void)state;
#define ASSERT_GREETING(code, change)                   \
	do {                                            \
		says = falsehood_of(TERN_INSPECT_STAT); \
		says.reply_size = 0;                    \
		says.change;                            \
		assert_int_equal(believe(&says), code); \
	} while (0)
	ASSERT_GREETING(-EPROTO, hello.version++);
	ASSERT_GREETING(-EBADMSG, hello.magic++);
	ASSERT_GREETING(-EBADMSG, hello.kind++);
	ASSERT_GREETING(-EBADMSG, hello.status = 1);
	ASSERT_GREETING(-EBADMSG, hello_size--);
	ASSERT_GREETING(-EBADMSG, hello_size += sizeof(says.reply));
	ASSERT_GREETING(-EBUSY, hello.status = -EBUSY);
	ASSERT_GREETING(-EPERM, hello.status = -EPERM);
	ASSERT_GREETING(-ECONNREFUSED, hello_size = 0);
}

static union tern_inspect_reply true_stat(void)
{
	return (union tern_inspect_reply){
		.stat = {.head = tern_inspect_reply_head(TERN_INSPECT_STAT),
			 .stat = {.buckets = 1, .lcores = 1, .shards = 64, .growing = 64}}};
}

static union tern_inspect_reply true_route(void)
{
	return (union tern_inspect_reply){
		.lookup = {.head = tern_inspect_reply_head(TERN_INSPECT_LOOKUP),
			   .route = {.route = {.address = 1}}}};
}

static union tern_inspect_reply true_counts(void)
{
	return (union tern_inspect_reply){
		.counts = {.head = tern_inspect_reply_head(TERN_INSPECT_COUNTS)}};
}

static union tern_inspect_reply true_page(void)
{
	union tern_inspect_reply reply = {
		.show = {.head = tern_inspect_reply_head(TERN_INSPECT_SHOW)}};
	reply.show.page.count = TERN_INSPECT_PAGE_MAX;
	for (uint32_t i = 0; i < TERN_INSPECT_PAGE_MAX; i++)
		reply.show.page.routes[i].route.address = 1;
	return reply;
}

static union tern_inspect_reply true_peers(void)
{
	return (union tern_inspect_reply){
		.peers = {.head = tern_inspect_reply_head(TERN_INSPECT_PEERS),
			  .page = {.node = 1, .lcores = 1, .total = 3, .first = 1, .count = 2}}};
}

static union tern_inspect_reply no_peers(void)
{
	return (union tern_inspect_reply){
		.peers = {.head = tern_inspect_reply_head(TERN_INSPECT_PEERS)}};
}

static union tern_inspect_reply too_many_peers(void)
{
	union tern_inspect_reply reply = true_peers();
	reply.peers.page.total = 1000;
	reply.peers.page.count = TERN_INSPECT_PEERS_MAX + 1;
	return reply;
}

static union tern_inspect_reply true_ping(void)
{
	return (union tern_inspect_reply){
		.ping = {.head = tern_inspect_reply_head(TERN_INSPECT_PING),
			 .word = 0x10001,
			 .result = 5000}};
}

static union tern_inspect_reply true_fault(void)
{
	return (union tern_inspect_reply){
		.fault = {.head = tern_inspect_reply_head(TERN_INSPECT_FAULT),
			  .fault = {.is_network = 1, .rules = "off"}}};
}

static union tern_inspect_reply fault_without_end(void)
{
	union tern_inspect_reply reply = true_fault();
	memset(reply.fault.fault.rules, 'x', sizeof(reply.fault.fault.rules));
	return reply;
}

static union tern_inspect_reply true_fault_set(void)
{
	return (union tern_inspect_reply){
		.fault_set = {.head = tern_inspect_reply_head(TERN_INSPECT_FAULT_SET)}};
}

/* A reply that is true but for a change gives this code. */
#define ASSERT_REPLY(code, truth, change)                                     \
	do {                                                                  \
		union tern_inspect_reply reply = truth;                       \
		says = falsehood_of((enum tern_inspect_kind)reply.head.kind); \
		says.reply = reply;                                           \
		says.change;                                                  \
		assert_int_equal(believe(&says), code);                       \
	} while (0)

static void a_false_reply_is_refused(void **state)
{
	struct falsehood says;
	(void)state;
	ASSERT_REPLY(0, true_stat(), hello.status = 0);
	ASSERT_REPLY(0, true_route(), hello.status = 0);
	ASSERT_REPLY(0, true_page(), hello.status = 0);
	ASSERT_REPLY(0, true_counts(), hello.status = 0);
	ASSERT_REPLY(-EBADMSG, true_stat(), reply_size--);
	ASSERT_REPLY(-EBADMSG, true_stat(), reply.head.magic++);
	ASSERT_REPLY(-EBADMSG, true_stat(), reply.head.version++);
	ASSERT_REPLY(-EBADMSG, true_stat(), reply.head.size++);
	ASSERT_REPLY(-EBADMSG, true_stat(), reply.head.status = 1);
	ASSERT_REPLY(-EBADMSG, true_stat(), reply.head.status = -ENOENT);
	ASSERT_REPLY(-EBADMSG, true_stat(), reply.stat.stat.buckets = 0);
	ASSERT_REPLY(-EBADMSG, true_stat(), reply.stat.stat.lcores = 0);
	ASSERT_REPLY(-EBADMSG, true_stat(), reply.stat.stat.shards = 65);
	ASSERT_REPLY(-EBADMSG, true_stat(), reply.stat.stat.growing = 65);
	ASSERT_REPLY(-EBADMSG, true_counts(), reply_size--);
	ASSERT_REPLY(-EBADMSG, true_route(), reply.lookup.route.route.address = 0);
	ASSERT_REPLY(-EBADMSG, true_route(), reply.lookup.route.route.source = TERN_ROUTE_SOURCES);
	ASSERT_REPLY(-EBADMSG, true_route(), reply.lookup.route.route.link = 1);
	ASSERT_REPLY(-EBADMSG, true_route(), reply.lookup.route.reserved = 1);
	ASSERT_REPLY(-EBADMSG, true_page(), reply.show.page.more = 2);
	ASSERT_REPLY(-EBADMSG, true_page(), reply.show.page.count = TERN_INSPECT_PAGE_MAX + 1);
	ASSERT_REPLY(-EBADMSG, true_page(), reply.show.page.routes[63].route.address = 0);
}

static void a_false_reply_about_nodes_is_refused(void **state)
{
	struct falsehood says;
	(void)state;
	ASSERT_REPLY(0, true_peers(), hello.status = 0);
	ASSERT_REPLY(-ENETDOWN, true_peers(), reply = no_peers());
	ASSERT_REPLY(-EBADMSG, true_peers(), reply_size--);
	ASSERT_REPLY(-EBADMSG, true_peers(), reply.peers.page.node = 0);
	ASSERT_REPLY(-EBADMSG, true_peers(), reply.peers.page.count = 3);
	ASSERT_REPLY(-EBADMSG, true_peers(), reply.peers.page.first = 4);
	ASSERT_REPLY(-EBADMSG, too_many_peers(), reply.peers.page.lcores = 1);
	ASSERT_REPLY(0, true_ping(), hello.status = 0);
	ASSERT_REPLY(-ETIME, true_ping(), reply.ping.result = -ETIME);
	ASSERT_REPLY(-EALREADY, true_ping(), reply.ping.result = -EBUSY);
	ASSERT_REPLY(-ENOENT, true_ping(), reply.ping.result = -ENOENT);
	ASSERT_REPLY(-EBADMSG, true_ping(), reply.ping.result = -4096);
	ASSERT_REPLY(-EBADMSG, true_ping(), reply.ping.result = INT64_MIN);
	ASSERT_REPLY(0, true_fault(), hello.status = 0);
	ASSERT_REPLY(-ENETDOWN, true_fault(), reply.fault.fault.is_network = 0);
	ASSERT_REPLY(-EBADMSG, true_fault(), reply.fault.fault.is_network = 2);
	ASSERT_REPLY(-EBADMSG, true_fault(), reply.fault.fault.is_pending = 2);
	ASSERT_REPLY(-EBADMSG, true_fault(), reply = fault_without_end());
	ASSERT_REPLY(0, true_fault_set(), hello.status = 0);
	ASSERT_REPLY(-ENETDOWN, true_fault_set(), reply.fault_set.result = -ENETDOWN);
	ASSERT_REPLY(-EBADMSG, true_fault_set(), reply.fault_set.result = 1);
}

static void a_name_without_an_end_is_refused(void **state)
{
	struct falsehood says;
	(void)state;
	union tern_inspect_reply stat = true_stat(), name = true_route(), behaviour = true_route();
	memset(stat.stat.stat.kernel, 'x', sizeof(stat.stat.stat.kernel));
	memset(name.lookup.route.name, 'x', sizeof(name.lookup.route.name));
	memset(behaviour.lookup.route.behaviour, 'x', sizeof(behaviour.lookup.route.behaviour));
	ASSERT_REPLY(-EBADMSG, stat, hello.status = 0);
	ASSERT_REPLY(-EBADMSG, name, hello.status = 0);
	ASSERT_REPLY(-EBADMSG, behaviour, hello.status = 0);
}

/* Any process may take the name of another's socket. */
static void a_stranger_under_the_name_is_not_believed(void **state)
{
	struct sockaddr_un address;
	struct tern_inspect *inspect;
	(void)state;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	socklen_t length = tern_inspect_address(&address, getppid(), FALSE_NUMBER);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(tern_inspect_open(&inspect, getppid(), FALSE_NUMBER, NULL), -EBADMSG);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		INSPECTED(what_is_no_request_is_not_answered),
		INSPECTED(one_too_many_is_told_so),
		INSPECTED(a_silent_client_is_let_go),
		INSPECTED(who_does_not_read_is_let_go),
		INSPECTED(who_was_let_go_comes_again),
		cmocka_unit_test(no_client_holds_up_the_stop),
		cmocka_unit_test(a_false_greeting_is_refused),
		cmocka_unit_test(a_false_reply_is_refused),
		cmocka_unit_test(a_false_reply_about_nodes_is_refused),
		cmocka_unit_test(a_name_without_an_end_is_refused),
		cmocka_unit_test(a_stranger_under_the_name_is_not_believed),
	};
	return cmocka_run_group_tests_name("inspect: clients", tests, NULL, NULL);
}
