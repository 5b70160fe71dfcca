/* SPDX-License-Identifier: Apache-2.0 */

/* A trader written as straight-line code: it waits wherever it likes, and its lcore goes on. */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <tern.h>

#define ORDERS 40u
#define THOUGHT_NS 10000u   /* before the next order */
#define EXCHANGE_NS 200000u /* per order */
#define SECOND 1000000000ull

enum { NEWS, QUOTE, ORDER, CLOSE };

struct market {
	atomic_bool waits; /* the trader, for the bell */
	int bell[2];	   /* a pipe: the trader reads, main writes */
};

struct order {
	uint32_t price;
	uint32_t shares;
};

/* The exchange takes its time for each order; its result is the turnover. */
TERN_FIBER(static, exchange)
{
	const struct tern_signal *signal;
	int64_t turnover = 0;

	while ((signal = tern_recv(self, SECOND)) && tern_signal_type(signal) == ORDER) {
		const struct order *order = tern_signal_data(signal);
		turnover += (int64_t)order->price * order->shares;
		if (tern_sleep(self, EXCHANGE_NS) != 0)
			return -ECANCELED;
	}
	return signal ? turnover : -tern_errno;
}

static const struct tern_behaviour exchange_behaviour = {.name = "exchange", .fiber = exchange};

/* Orders come faster than the exchange takes them and queues them: then a send waits for it. */
static int send_orders(struct tern_agent *self, tern_address to, uint32_t price) TERN_OWNS(self)
{
	uint64_t start = tern_now(self);
	int refused = 0;

	for (uint32_t i = 0; i < ORDERS && !refused; i++) {
		struct order order = {.price = price, .shares = i + 1};
		refused = tern_send(self, to, ORDER, &order, sizeof(order), SECOND);
		if (!refused)
			refused = tern_sleep(self, THOUGHT_NS);
	}
	if (!refused)
		refused = tern_send(self, to, CLOSE, NULL, 0, SECOND);
	printf("%u orders sent in %.1f ms, no faster than the exchange takes them\n", ORDERS,
	       (double)(tern_now(self) - start) / 1e6);
	return refused ? refused : -(tern_now(self) - start < ORDERS / 2 * EXCHANGE_NS);
}

/* The result is what the exchange turned over, or a negative errno. */
TERN_FIBER(static, trader)
{
	struct market *market = state;
	struct tern_spawn_options options = {
		.lcore = 0, .policy = TERN_POLICY_BLOCK, .capacity = 8, .watch = true};
	struct tern_ended ended;
	tern_address venue;
	char rung;

	if (tern_recv(self, 1000000) || tern_errno != ETIMEDOUT)
		return -EPROTO;
	puts("nothing in the first millisecond");
	atomic_store(&market->waits, true);

	if (tern_wait_fd(self, market->bell[0], EPOLLIN, SECOND, NULL) != 0 ||
	    read(market->bell[0], &rung, 1) != 1)
		return -EIO;
	puts("the opening bell came through a pipe");

	const struct tern_signal *signal = tern_recv_type(self, QUOTE, SECOND);
	if (!signal)
		return -tern_errno;
	uint32_t price = *(const uint32_t *)tern_signal_data(signal);
	signal = tern_recv(self, 0);
	if (!signal || tern_signal_type(signal) != NEWS)
		return -EPROTO;
	printf("a quote of %u, taken before the news that came before it\n", price);

	int code = tern_spawn(self, &exchange_behaviour, NULL, &options, &venue);
	if (code == 0)
		code = send_orders(self, venue, price);
	if (code == 0)
		code = tern_wait(self, venue, SECOND, &ended);
	return code ? code : ended.result;
}

static const struct tern_behaviour trader_behaviour = {.name = "trader", .fiber = trader};

int main(void)
{
	struct tern_engine *engine;
	struct tern_error error;
	struct tern_spawn_options options = {.lcore = 0, .watch = true};
	struct tern_ended ended = {0};
	tern_address address;
	uint32_t price = 101;
	struct market market = {0};

	if (pipe(market.bell) != 0)
		return perror("fibers: pipe"), 1;
	if (tern_engine_start(&engine, NULL, &error) != 0)
		return fprintf(stderr, "fibers: %s\n", error.text), 1;
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	if (tern_spawn(self, &trader_behaviour, &market, &options, &address) != 0)
		return fputs("fibers: spawn refused\n", stderr), 1;

	while (!atomic_load(&market.waits) && tern_agent_alive(self, address))
		usleep(1000);
	if (tern_signal_bytes(self, address, NEWS, NULL, 0) != 0 ||
	    tern_signal_bytes(self, address, QUOTE, &price, sizeof(price)) != 0 ||
	    write(market.bell[1], "!", 1) != 1)
		return fputs("fibers: send refused\n", stderr), 1;
	if (tern_wait(self, address, 10 * SECOND, &ended) != 0)
		return fputs("fibers: the trader does not end\n", stderr), 1;
	printf("turnover %" PRId64 "\n", ended.result);
	tern_thread_detach(self);
	return tern_engine_stop(engine, SECOND, NULL) != 0 ||
	       ended.result != (int64_t)price * ORDERS * (ORDERS + 1) / 2;
}
