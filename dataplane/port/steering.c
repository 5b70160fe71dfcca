/* SPDX-License-Identifier: Apache-2.0 */
#include "steering.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_thash.h>

#include "ethdev.h"

enum {
	STEERING_KEY_MIN = 40,
	STEERING_PORT_MIN = 49152,
	STEERING_PORTS = 65536 - STEERING_PORT_MIN,
	STEERING_WORDS_MAX = 9, /* two IPv6 addresses, two ports */
};

/* An address as words in the host's order, behind those that are there. */
static uint32_t steering_add_address(uint32_t *words, uint32_t count, const uint8_t *address,
				     uint32_t size)
{
	for (uint32_t at = 0; at < size; at += 4) {
		rte_be32_t word;
		memcpy(&word, address + at, sizeof(word));
		words[count++] = rte_be_to_cpu_32(word);
	}
	return count;
}

uint32_t tern_steering_hash(const struct tern_steering *steering,
			    const struct tern_steering_flow *flow)
{
	uint32_t words[STEERING_WORDS_MAX], size = flow->is_ipv6 ? 16 : 4, count;
	count = steering_add_address(words, 0, flow->source, size);
	count = steering_add_address(words, count, flow->destination, size);
	words[count++] = (uint32_t)flow->source_port << 16 | flow->destination_port;
	return rte_softrss(words, count, steering->key);
}

uint16_t tern_steering_queue(const struct tern_steering *steering,
			     const struct tern_steering_flow *flow)
{
	return steering->table[tern_steering_hash(steering, flow) % steering->table_size];
}

uint16_t tern_steering_source_port(const struct tern_steering *steering,
				   const struct tern_steering_flow *flow, uint16_t queue)
{
	struct tern_steering_flow tried = *flow;
	uint32_t first = flow->source_port % STEERING_PORTS;
	for (uint32_t i = 0; i < STEERING_PORTS; i++) {
		tried.source_port = (uint16_t)(STEERING_PORT_MIN + (first + i) % STEERING_PORTS);
		if (tern_steering_queue(steering, &tried) == queue)
			return tried.source_port;
	}
	return 0;
}

/* The key, where the hash is over UDP ports and long enough for IPv6. */
static bool steering_get_key(uint16_t id, struct tern_steering *steering)
{
	struct rte_eth_rss_conf conf = {.rss_key = steering->key};
	struct rte_eth_dev_info info;
	if (rte_eth_dev_info_get(id, &info) != 0)
		return false;
	/* a driver that does not say how long its key is has one of 40 bytes */
	conf.rss_key_len = info.hash_key_size ? info.hash_key_size : STEERING_KEY_MIN;
	if (conf.rss_key_len < STEERING_KEY_MIN || conf.rss_key_len > TERN_STEERING_KEY_MAX)
		return false;
	steering->key_size = conf.rss_key_len;
	return rte_eth_dev_rss_hash_conf_get(id, &conf) == 0 &&
	       (conf.rss_hf & RTE_ETH_RSS_NONFRAG_IPV4_UDP);
}

static bool steering_get_table(uint16_t id, struct tern_steering *steering)
{
	struct rte_eth_rss_reta_entry64 groups[TERN_STEERING_TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE];
	struct rte_eth_dev_info info;
	if (rte_eth_dev_info_get(id, &info) != 0 || !info.reta_size ||
	    info.reta_size > TERN_STEERING_TABLE_MAX)
		return false;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		groups[i].mask = UINT64_MAX;
	if (rte_eth_dev_rss_reta_query(id, groups, info.reta_size) != 0)
		return false;
	steering->table_size = info.reta_size;
	for (uint16_t i = 0; i < info.reta_size; i++)
		steering->table[i] =
			groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
	return true;
}

/* Whether a flow can be led to each queue. */
static bool steering_reaches(const struct tern_steering *steering, uint16_t queues)
{
	for (uint16_t queue = 0; queue < queues; queue++) {
		uint16_t i = 0;
		while (i < steering->table_size && steering->table[i] != queue)
			i++;
		if (i == steering->table_size)
			return false;
	}
	return true;
}

void tern_steering_probe(struct tern_port *port, struct tern_steering *steering)
{
	struct tern_ethdev_report report;
	tern_ethdev_report(port, &report);
	*steering = (struct tern_steering){.kind = TERN_STEERING_UNKNOWN};
	if (report.queues == 1)
		steering->kind = TERN_STEERING_SINGLE;
	else if (report.has_rss && steering_get_key(report.id, steering) &&
		 steering_get_table(report.id, steering) &&
		 steering_reaches(steering, report.queues))
		steering->kind = TERN_STEERING_RSS;
}

const char *tern_steering_text(enum tern_steering_kind kind)
{
	switch (kind) {
	case TERN_STEERING_SINGLE:
		return "one queue";
	case TERN_STEERING_RSS:
		return "receive-side scaling, by source port";
	case TERN_STEERING_UNKNOWN:
		return "hand-over between lcores";
	}
	return "?";
}
