/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two nodes, as two processes on one machine, over shared memory (memif): no privileges, no huge
 * pages, no NIC. A trader on node 1 signals a book on node 2 by its address, one order after the
 * other, and is answered; on a network that loses nothing, then on one that loses 1 % of all
 * frames. The books are the same.
 *
 * Node 2 says the address of its book through a socket that both processes were born with: names
 * are not known across nodes.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tern.h>

#define ORDERS 10000u
#define PATIENCE_NS 60000000000u

struct order {
	int64_t quantity, price;
};

struct book {
	uint64_t orders;
	int64_t position, cash;
};

/* What node 1 has seen of it; its state is the trader's until that has ended. */
struct trader {
	tern_address to;
	uint64_t sent_ns;
	struct book book; /* as the last answer said */
	uint64_t p50_ns;
	struct tern_peer peer; /* what node 1 knows of node 2 */
};

static char members[] = "/tmp/tern-two-nodes-XXXXXX";

TERN_HANDLER(static, take_order)
{
	struct book *book = state;
	const struct order *order = tern_signal_data(signal);

	book->orders++;
	book->position += order->quantity;
	book->cash -= order->quantity * order->price;
	if (tern_signal_bytes(self, tern_signal_from(signal), 0, book, sizeof(*book)) != 0)
		tern_exit(self, 1);
}

static const struct tern_behaviour book_behaviour = {.name = "book", .handler = take_order};

static struct tern_histogram trips; /* the trader's, in the process of node 1 */

static void send_order(struct tern_agent *self, struct trader *trader) TERN_OWNS(self)
{
	uint64_t i = trader->book.orders;
	int64_t quantity = (int64_t)(i * 7919 % 100) + 1;
	struct order order = {.quantity = i % 3 ? quantity : -quantity,
			      .price = 10000 + (int64_t)(i % 50)};

	trader->sent_ns = tern_now(self);
	if (tern_signal_bytes(self, trader->to, 0, &order, sizeof(order)) != 0)
		tern_exit(self, 1);
}

TERN_HANDLER(static, hear_book)
{
	struct trader *trader = state;

	memcpy(&trader->book, tern_signal_data(signal), sizeof(trader->book));
	tern_histogram_record(&trips, tern_now(self) - trader->sent_ns);
	if (trader->book.orders == ORDERS)
		tern_exit(self, 0);
	else
		send_order(self, trader);
}

static void begin_trading(struct tern_agent *self, void *state) TERN_OWNS(self)
{
	send_order(self, state);
}

static const struct tern_behaviour trader_behaviour = {
	.name = "trader", .handler = hear_book, .on_start = begin_trading};

/* One lcore each, on CPUs of their own where there are two. */
static uint16_t choose_cpu(uint32_t node)
{
	cpu_set_t allowed;
	uint16_t cpus[CPU_SETSIZE], count = 0;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			cpus[count++] = cpu;
	return cpus[node % count];
}

static struct tern_engine *start_node(uint32_t node, const char *fault)
{
	struct tern_config config;
	struct tern_engine *engine;
	struct tern_error error;

	tern_config_init(&config);
	config.lcore_count = 1;
	config.lcores[0] = choose_cpu(node);
	config.max_agents = 100;
	config.log_level = TERN_LOG_ERROR;
	config.node = node;
	config.dead_us = 30000000; /* a shared machine may stall one of them for long */
	snprintf(config.members, sizeof(config.members), "%s", members);
	snprintf(config.fault, sizeof(config.fault), "%s", fault);
	snprintf(config.device, sizeof(config.device),
		 "net_memif0,role=%s,socket=/tern-two-nodes-%d", node == 1 ? "server" : "client",
		 (int)getppid());
	if (tern_engine_start(&engine, &config, &error) == 0)
		return engine;
	fprintf(stderr, "two_nodes: node %u: %s\n", node, error.text);
	exit(1);
}

/* Until the other end is closed. */
static int run_second(int socket, const char *fault)
{
	struct book book = {0};
	struct tern_engine *engine = start_node(2, fault);
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	tern_address address;
	char end;

	if (!self || tern_spawn(self, &book_behaviour, &book, NULL, &address) != 0 ||
	    write(socket, &address, sizeof(address)) != sizeof(address))
		return 1;
	while (read(socket, &end, 1) < 0 && errno == EINTR)
		;
	tern_thread_detach(self);
	return tern_engine_stop(engine, PATIENCE_NS, NULL) != 0;
}

static int run_first(int socket, const char *fault, struct trader *trader)
{
	struct tern_engine *engine = start_node(1, fault);
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	struct tern_spawn_options options = {.lcore = 0, .watch = true};
	struct tern_ended ended;
	tern_address agent;

	if (read(socket, &trader->to, sizeof(trader->to)) != sizeof(trader->to))
		return 1;
	for (int i = 0; i < 60000 && !tern_node_connected(engine, 2); i++)
		usleep(1000);
	if (!self || tern_spawn(self, &trader_behaviour, trader, &options, &agent) != 0 ||
	    tern_wait(self, agent, PATIENCE_NS, &ended) != 0 || ended.why != TERN_END_EXIT)
		return fputs("two_nodes: the trader did not come to an end\n", stderr), 1;
	trader->p50_ns = tern_histogram_percentile(&trips, 50);
	tern_node_peers(engine, &trader->peer, 1);
	tern_thread_detach(self);
	return tern_engine_stop(engine, PATIENCE_NS, NULL) != 0 || ended.result != 0;
}

/* A process for each node. Yields what the trader saw. */
static bool run_both(const char *fault, struct trader *trader)
{
	int sockets[2], results[2], status[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0 || pipe(results) != 0)
		return false;
	pid_t second = fork();
	if (second == 0) {
		close(sockets[0]);
		_exit(run_second(sockets[1], fault));
	}
	pid_t first = fork();
	if (first == 0) {
		int code = run_first(sockets[0], fault, trader);
		_exit(write(results[1], trader, sizeof(*trader)) != sizeof(*trader) || code);
	}
	close(sockets[0]);
	close(sockets[1]);
	close(results[1]);
	bool is_read = read(results[0], trader, sizeof(*trader)) == sizeof(*trader);
	close(results[0]);
	return waitpid(first, &status[0], 0) == first && waitpid(second, &status[1], 0) == second &&
	       status[0] == 0 && status[1] == 0 && is_read;
}

int main(void)
{
	static const char *const faults[] = {"off", "loss=1%"};
	static const char list[] = "1 10.0.0.1\n2 10.0.0.2\n";
	struct trader traders[2] = {0};
	int file = mkstemp(members);
	bool holds = file >= 0 && write(file, list, strlen(list)) == (ssize_t)strlen(list);

	for (int i = 0; holds && i < 2; i++) {
		struct trader *trader = &traders[i];
		holds = run_both(faults[i], trader);
		printf("%-7s  %llu orders, position %lld, cash %lld; round trip p50 %.1f us; "
		       "%llu frames sent again\n",
		       faults[i], (unsigned long long)trader->book.orders,
		       (long long)trader->book.position, (long long)trader->book.cash,
		       (double)trader->p50_ns / 1000,
		       (unsigned long long)trader->peer.retransmitted);
		fflush(stdout);
	}
	holds = holds && traders[0].book.orders == ORDERS &&
		memcmp(&traders[0].book, &traders[1].book, sizeof(traders[0].book)) == 0;
	puts(holds ? "the same books" : "not the same books");
	close(file);
	unlink(members);
	return !holds;
}
