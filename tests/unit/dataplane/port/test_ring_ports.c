/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: two ports of rings carry every frame from queue to queue in order, and say what they are;
 * nothing of them is left, whichever goes first; what they cannot be is refused with a message.
 * Method: frames there and back in one thread; many opened and closed.
 */
#include "tests/unit/support.h"

#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/frames.h"
#include "leftovers.h"

enum { FRAMES = 1024, QUEUES = 3 };

static struct rte_mempool *pool;

static void ring_open(struct tern_port *ports[2], uint16_t queues)
{
	struct tern_error error = {""};
	if (tern_ring_ports_create("pair", queues, 256, pool, ports, &error) != 0)
		fail_msg("%s", error.text);
}

static void ring_close(struct tern_port *first, struct tern_port *second)
{
	first->ops->destroy(first);
	second->ops->destroy(second);
	assert_int_equal(rte_mempool_avail_count(pool), FRAMES);
}

static void ring_send(struct tern_port *port, uint16_t queue, uint32_t number)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);
	assert_non_null(frame);
	*(uint32_t *)(void *)rte_pktmbuf_append(frame, 60) = number;
	assert_int_equal(tern_port_tx(port, queue, &frame, 1), 1);
}

static void ring_expect(struct tern_port *port, uint16_t queue, uint32_t number)
{
	struct rte_mbuf *frame;
	assert_int_equal(tern_port_rx(port, queue, &frame, 1), 1);
	assert_int_equal(*rte_pktmbuf_mtod(frame, uint32_t *), number);
	rte_pktmbuf_free(frame);
}

static void frames_go_from_queue_to_queue_and_back(void **state)
{
	struct tern_port *ports[2];
	struct rte_mbuf *frame;
	(void)state;
	ring_open(ports, QUEUES);
	assert_int_equal(ports[0]->queues, QUEUES);
	for (uint32_t i = 0; i < 10000; i++) {
		uint16_t queue = (uint16_t)(i % QUEUES);
		ring_send(ports[0], queue, i);
		ring_expect(ports[1], queue, i);
		ring_send(ports[1], queue, ~i);
		ring_expect(ports[0], queue, ~i);
	}
	for (uint16_t queue = 0; queue < QUEUES; queue++)
		assert_int_equal(tern_port_rx(ports[0], queue, &frame, 1), 0);
	ring_close(ports[0], ports[1]);
}

static void ports_say_what_they_are(void **state)
{
	struct tern_ethdev_report report;
	struct tern_port *ports[2];
	(void)state;
	ring_open(ports, QUEUES);
	for (int i = 0; i < 2; i++) {
		assert_true(ports[i]->ops->is_up(ports[i]));
		assert_true(ports[i]->offloads & TERN_PORT_SEGMENTS);
		assert_false(ports[i]->offloads & TERN_PORT_UDP_CHECKSUM);
		assert_int_equal(ports[i]->frame_max, 2048 - 18);
		tern_ethdev_report(ports[i], &report);
		assert_string_equal(report.driver, "net_ring");
		assert_int_equal(report.queues, QUEUES);
		assert_false(report.has_rss);
		assert_string_equal(report.trouble, "");
	}
	assert_int_not_equal(ports[0]->mac[0] & 2, 0); /* its own, and locally administered */
	assert_memory_not_equal(ports[0]->mac, ports[1]->mac, 6);
	ring_close(ports[1], ports[0]);
}

static void frames_under_way_are_freed_and_nothing_is_left(void **state)
{
	struct tern_port *ports[2];
	unsigned before;
	(void)state;
	ring_open(ports, 1);
	ring_close(ports[0], ports[1]);
	before = leftovers_descriptors();
	for (int i = 0; i < 100; i++) {
		ring_open(ports, 1);
		for (uint32_t n = 0; n < 100; n++)
			ring_send(ports[n % 2], 0, n);
		ring_close(ports[i % 2], ports[1 - i % 2]);
	}
	assert_int_equal(leftovers_descriptors(), before);
}

/* One port has gone: the other sends into rings that are still there. */
static void a_port_outlives_its_partner(void **state)
{
	struct tern_port *ports[2];
	(void)state;
	ring_open(ports, 1);
	ports[0]->ops->destroy(ports[0]);
	ring_send(ports[1], 0, 7);
	ports[1]->ops->destroy(ports[1]);
	assert_int_equal(rte_mempool_avail_count(pool), FRAMES);
}

static void what_they_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *name;
		uint16_t queues;
		uint32_t depth;
		const char *needed;
	} cases[] = {
		{"", 1, 256, "1 to 12 characters"},
		{"longerthantwelve", 1, 256, "1 to 12 characters"},
		{"pair", 0, 256, "1 to 16"},
		{"pair", 17, 256, "1 to 16"},
		{"pair", 1, 63, "power of 2"},
		{"pair", 1, 100, "power of 2"},
		{"pair", 1, 131072, "65536"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tern_port *ports[2] = {NULL, NULL};
		struct tern_error error = {""};
		assert_int_equal(tern_ring_ports_create(cases[i].name, cases[i].queues,
							cases[i].depth, pool, ports, &error),
				 -EINVAL);
		if (!strstr(error.text, cases[i].needed))
			fail_msg("case %zu: %s", i, error.text);
		assert_null(ports[0]);
	}
}

static void a_name_is_taken_once(void **state)
{
	struct tern_port *ports[2], *others[2];
	struct tern_error error = {""};
	(void)state;
	ring_open(ports, 1);
	assert_int_equal(tern_ring_ports_create("pair", 1, 256, pool, others, &error), -EEXIST);
	assert_non_null(strstr(error.text, "pair"));
	ring_send(ports[0], 0, 1);
	ring_expect(ports[1], 0, 1);
	ring_close(ports[0], ports[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_go_from_queue_to_queue_and_back),
		cmocka_unit_test(ports_say_what_they_are),
		cmocka_unit_test(frames_under_way_are_freed_and_nothing_is_left),
		cmocka_unit_test(a_port_outlives_its_partner),
		cmocka_unit_test(what_they_cannot_be_is_refused),
		cmocka_unit_test(a_name_is_taken_once),
	};
	const struct tern_eal_needs needs = {0};
	struct tern_error error = {""};
	if (tern_eal_start(&needs, &error) != 0 ||
	    tern_frames_create("rings", FRAMES, 1500, 0, -1, &pool, &error) != 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	return cmocka_run_group_tests_name("ring_ports", tests, NULL, NULL);
}
