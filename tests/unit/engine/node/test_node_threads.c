/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two engines as two nodes, their lcores on threads, joined queue by queue: agents and threads of
 * both send to each other. What arrives does so once and in order; ThreadSanitizer looks on. Frames
 * are copied from pool to pool, so that all that threads share is seen by it.
 */
#include "two_nodes.h"

#include <rte_ring.h>

#define LCORES 2u
#define DEPTH 1024u
#define SIGNALS 5000u

struct copied {
	uint16_t bytes;
	unsigned char frame[1600];
};

struct copying_port {
	struct tern_port port;
	struct copying_port *other;
	struct rte_ring *arrived[LCORES];
	struct rte_mempool *pools[LCORES];
};

static uint16_t receive_copies(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			       uint16_t count)
{
	struct copying_port *end = (struct copying_port *)port;
	uint16_t taken = 0;
	struct copied *copied;
	while (taken < count && rte_ring_sc_dequeue(end->arrived[queue], (void **)&copied) == 0) {
		struct rte_mbuf *frame = rte_pktmbuf_alloc(end->pools[queue]);
		if (frame) {
			memcpy(rte_pktmbuf_append(frame, copied->bytes), copied->frame,
			       copied->bytes);
			frames[taken++] = frame;
		}
		free(copied);
	}
	return taken;
}

static uint16_t send_copies(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			    uint16_t count)
{
	struct copying_port *end = (struct copying_port *)port;
	for (uint16_t i = 0; i < count; i++) {
		struct copied *copied = malloc(sizeof(*copied));
		copied->bytes = frames[i]->data_len;
		memcpy(copied->frame, rte_pktmbuf_mtod(frames[i], void *), copied->bytes);
		rte_pktmbuf_free(frames[i]);
		if (rte_ring_sp_enqueue(end->other->arrived[queue], copied) != 0)
			free(copied);
	}
	return count;
}

static bool copying_is_up(struct tern_port *port)
{
	(void)port;
	return true;
}

static void destroy_nothing(struct tern_port *port)
{
	(void)port;
}

static void join_ports(struct copying_port ports[2])
{
	static const struct tern_port_ops ops = {.rx_burst = receive_copies,
						 .tx_burst = send_copies,
						 .is_up = copying_is_up,
						 .destroy = destroy_nothing};
	for (unsigned i = 0; i < 2; i++) {
		ports[i].port = (struct tern_port){.ops = &ops,
						   .queues = LCORES,
						   .frame_max = 1500,
						   .mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)},
						   .name = "copies"};
		ports[i].other = &ports[1 - i];
		for (unsigned queue = 0; queue < LCORES; queue++) {
			char name[32];
			snprintf(name, sizeof(name), "copies%u.%u", i, queue);
			ports[i].pools[queue] = mbufs_pool(name, 2047, 1600, 0);
			ports[i].arrived[queue] =
				aligned_alloc(64, (size_t)rte_ring_get_memsize(DEPTH));
			rte_ring_init(ports[i].arrived[queue], name, DEPTH,
				      RING_F_SP_ENQ | RING_F_SC_DEQ);
		}
	}
}

static void free_ports(struct copying_port ports[2])
{
	struct copied *copied;
	for (unsigned i = 0; i < 2; i++)
		for (unsigned queue = 0; queue < LCORES; queue++) {
			while (rte_ring_sc_dequeue(ports[i].arrived[queue], (void **)&copied) == 0)
				free(copied);
			free(ports[i].arrived[queue]);
			rte_mempool_free(ports[i].pools[queue]);
		}
}

static struct tern_engine *start_node(struct copying_port *port, uint32_t node)
{
	struct tern_config config;
	node_config(&config, node, LCORES, &port->port);
	config.dead_us = 60000000;
	return node_start(&config);
}

/* Sends so many numbers to its partner, and counts those that come, in order. */
struct partner {
	tern_address to;
	uint64_t sent, got, wrong, returned;
};

static void send_more(struct tern_agent *self, struct partner *partner)
{
	while (partner->sent < SIGNALS && send_number(self, partner->to, 1, partner->sent) == 0)
		partner->sent++;
}

static void partner_signal(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	struct partner *partner = state;
	uint64_t number;
	if (tern_signal_type(signal) == 1) {
		memcpy(&number, tern_signal_data(signal), sizeof(number));
		partner->wrong += number != partner->got;
		put(&partner->got, partner->got + 1);
	}
	send_more(self, partner);
}

static void partner_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct partner *partner = state;
	partner->returned += event->kind == TERN_EVENT_RETURNED;
	if (event->kind == TERN_EVENT_RELEASED)
		send_more(self, partner);
}

static const struct tern_behaviour partners = {
	.name = "partner", .handler = partner_signal, .on_event = partner_event};

static void wait_connected(struct tern_engine *engines[2])
{
	struct timespec nap = {.tv_nsec = 1000000};
	for (int i = 0; i < 20000; i++) {
		if (nodes_are_connected(engines))
			return;
		nanosleep(&nap, NULL);
	}
	fail_msg("the nodes do not come together");
}

static void test_lcores_of_two_nodes_talk(void **state)
{
	static struct copying_port ports[2];
	static struct partner both[2][LCORES];
	struct tern_engine *engines[2];
	struct tern_agent *selves[2];
	tern_address agents[2][LCORES];
	struct timespec nap = {.tv_nsec = 1000000};
	(void)state;
	join_ports(ports);
	for (uint32_t node = 0; node < 2; node++) {
		engines[node] = start_node(&ports[node], node + 1);
		selves[node] = tern_thread_attach(engines[node], NULL, NULL);
	}
	wait_connected(engines);
	for (uint32_t node = 0; node < 2; node++)
		for (uint32_t i = 0; i < LCORES; i++)
			agents[node][i] = spawn_on(selves[node], i, &partners, &both[node][i]);
	/* Across lcores, too: what comes for the other lcore goes on by a lane. */
	for (uint32_t node = 0; node < 2; node++)
		for (uint32_t i = 0; i < LCORES; i++)
			both[node][i].to = agents[1 - node][(i + 1) % LCORES];
	for (uint32_t node = 0; node < 2; node++)
		for (uint32_t i = 0; i < LCORES; i++)
			assert_int_equal(send_number(selves[node], agents[node][i], 2, 0), 0);
	for (uint32_t node = 0; node < 2; node++)
		for (uint32_t i = 0; i < LCORES; i++)
			for (int waits = 0; seen(&both[node][i].got) < SIGNALS; waits++) {
				if (waits == 60000)
					fail_msg("only %llu signals came",
						 (unsigned long long)seen(&both[node][i].got));
				nanosleep(&nap, NULL);
			}
	for (uint32_t node = 0; node < 2; node++) {
		tern_thread_detach(selves[node]);
		assert_int_equal(tern_engine_stop(engines[node], 5000000000, NULL), 0);
	}
	for (uint32_t node = 0; node < 2; node++)
		for (uint32_t i = 0; i < LCORES; i++) {
			assert_int_equal(both[node][i].wrong, 0);
			assert_int_equal(both[node][i].returned, 0);
		}
	free_ports(ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lcores_of_two_nodes_talk)};
	return run_with_two_nodes(tests);
}
