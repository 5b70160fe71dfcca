/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the hash is the one that network cards compute; the source port found leads to the queue
 * asked for, or none does; a port that does not say how it steers is taken for unknown.
 * Method: the published verification suite of the hash; random tables and flows; the seed is
 * printed; ports of drivers with and without RSS.
 */
#include "tests/unit/support.h"

#include <arpa/inet.h>

#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/frames.h"
#include "dataplane/port/steering.h"

/* Source of key and hashes: Microsoft, "Verifying the RSS hash calculation". */
static const uint8_t suite_key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
				      0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
				      0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
				      0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static struct rte_mempool *pool;

static void steering_of_suite(struct tern_steering *steering)
{
	*steering = (struct tern_steering){.kind = TERN_STEERING_RSS, .key_size = 40};
	memcpy(steering->key, suite_key, sizeof(suite_key));
}

static void the_hash_is_that_of_network_cards(void **state)
{
	static const struct {
		const char *to, *from;
		uint16_t to_port, from_port;
		uint32_t hash;
	} cases[] = {
		{"161.142.100.80", "66.9.149.187", 1766, 2794, 0x51ccc178},
		{"65.69.140.83", "199.92.111.2", 4739, 14230, 0xc626b0ea},
		{"12.22.207.184", "24.19.198.95", 38024, 12898, 0x5c2b394a},
		{"209.142.163.6", "38.27.205.30", 2217, 48228, 0xafc7327f},
		{"202.188.127.2", "153.39.163.191", 1303, 44251, 0x10e828a2},
		{"3ffe:2501:200:3::1", "3ffe:2501:200:1fff::7", 1766, 2794, 0x40207d3d},
		{"ff02::1", "3ffe:501:8::260:97ff:fe40:efab", 4739, 14230, 0xdde51bbf},
		{"fe80::200:f8ff:fe21:67cf", "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 38024, 44251,
		 0x02d1feef},
	};
	struct tern_steering steering;
	(void)state;
	steering_of_suite(&steering);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tern_steering_flow flow = {.is_ipv6 = strchr(cases[i].to, ':') != NULL,
						  .source_port = cases[i].from_port,
						  .destination_port = cases[i].to_port};
		int family = flow.is_ipv6 ? AF_INET6 : AF_INET;
		assert_int_equal(inet_pton(family, cases[i].to, flow.destination), 1);
		assert_int_equal(inet_pton(family, cases[i].from, flow.source), 1);
		assert_int_equal(tern_steering_hash(&steering, &flow), cases[i].hash);
	}
}

static struct tern_steering_flow random_flow(struct tern_rng *rng)
{
	struct tern_steering_flow flow = {.is_ipv6 = pick(rng, 2),
					  .source_port = (uint16_t)pick(rng, 65536),
					  .destination_port = 7946};
	for (int i = 0; i < 16; i++) {
		flow.source[i] = (uint8_t)pick(rng, 256);
		flow.destination[i] = (uint8_t)pick(rng, 256);
	}
	return flow;
}

static void a_source_port_leads_to_the_queue_asked_for(void **state)
{
	struct tern_rng rng = {.state = test_seed(9)};
	struct tern_steering steering;
	(void)state;
	steering_of_suite(&steering);
	for (int i = 0; i < 500; i++) {
		uint16_t queues = (uint16_t)(1 + pick(&rng, 16)), port;
		struct tern_steering_flow flow = random_flow(&rng);
		steering.table_size = (uint16_t)(64u << pick(&rng, 4));
		for (uint16_t n = 0; n < steering.table_size; n++)
			steering.table[n] = n % queues;
		for (uint16_t queue = 0; queue < queues; queue++) {
			port = tern_steering_source_port(&steering, &flow, queue);
			assert_in_range(port, 49152, 65535);
			flow.source_port = port;
			assert_int_equal(tern_steering_queue(&steering, &flow), queue);
		}
		assert_int_equal(tern_steering_source_port(&steering, &flow, queues), 0);
	}
}

/* One that already leads there is taken as it is; a search that starts high goes round. */
static void the_search_begins_where_it_is_told(void **state)
{
	struct tern_steering steering;
	struct tern_steering_flow flow = {.source_port = 65535, .destination_port = 7946};
	uint16_t port;
	(void)state;
	steering_of_suite(&steering);
	steering.table_size = 64;
	for (uint16_t n = 0; n < 64; n++)
		steering.table[n] = n;
	assert_int_equal(
		tern_steering_source_port(&steering, &flow, tern_steering_queue(&steering, &flow)),
		65535);
	port = tern_steering_source_port(&steering, &flow,
					 (uint16_t)(tern_steering_queue(&steering, &flow) ^ 1));
	assert_in_range(port, 49152, 65534);
}

static enum tern_steering_kind kind_of(const char *device, uint16_t queues, uint16_t *got)
{
	struct rte_mempool *pools[4] = {pool, pool, pool, pool};
	struct tern_ethdev_options options = {.device = device, .queues = queues, .frames = pools};
	struct tern_steering steering;
	struct tern_error error = {""};
	struct tern_port *port;
	if (tern_ethdev_create(&options, &port, &error) != 0)
		fail_msg("%s", error.text);
	tern_steering_probe(port, &steering);
	*got = port->queues;
	if (steering.kind == TERN_STEERING_RSS) {
		struct tern_steering_flow flow = {.destination_port = 7946};
		for (uint16_t queue = 0; queue < port->queues; queue++)
			assert_int_not_equal(tern_steering_source_port(&steering, &flow, queue), 0);
	}
	port->ops->destroy(port);
	return steering.kind;
}

static void ports_are_asked_how_they_steer(void **state)
{
	uint16_t queues;
	(void)state;
	assert_int_equal(kind_of("net_null0", 1, &queues), TERN_STEERING_SINGLE);
	/* net_null has a key and a table, though it has nothing to steer */
	assert_int_equal(kind_of("net_null0", 4, &queues), TERN_STEERING_RSS);
	assert_int_equal(queues, 4);
	assert_int_equal(kind_of("net_ring0", 4, &queues), TERN_STEERING_UNKNOWN);
	assert_string_equal(tern_steering_text(TERN_STEERING_UNKNOWN), "hand-over between lcores");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_that_of_network_cards),
		cmocka_unit_test(a_source_port_leads_to_the_queue_asked_for),
		cmocka_unit_test(the_search_begins_where_it_is_told),
		cmocka_unit_test(ports_are_asked_how_they_steer),
	};
	const struct tern_eal_needs needs = {0};
	struct tern_error error = {""};
	if (tern_eal_start(&needs, &error) != 0 ||
	    tern_frames_create("steering", 1024, 1500, 0, -1, &pool, &error) != 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	return cmocka_run_group_tests_name("steering", tests, NULL, NULL);
}
