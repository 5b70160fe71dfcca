/* SPDX-License-Identifier: Apache-2.0 */

/* A link's memory. The engine makes one for each pair of lcores, and asks it for its state. */
#include "link_inside.h"

#include <assert.h>
#include <stdlib.h>

#include "capabilities/lines.h"

static size_t line_up(size_t bytes)
{
	return (bytes + TERN_LINE - 1) & ~(size_t)(TERN_LINE - 1);
}

static size_t sent_bytes(const struct tern_link_config *config)
{
	return line_up(config->window_max * sizeof(struct tern_sent_frame));
}

static size_t gaps_bytes(const struct tern_link_config *config)
{
	return line_up(TERN_GAPS_RANGES(config->credit_max) * sizeof(struct tern_range));
}

static size_t inflow_bytes(const struct tern_link_config *config)
{
	return line_up(config->credit_max * sizeof(struct tern_inflow_frame));
}

size_t tern_link_bytes(const struct tern_link_config *config)
{
	return line_up(sizeof(struct tern_link)) + sent_bytes(config) + gaps_bytes(config) +
	       inflow_bytes(config);
}

static void lay_out(struct tern_link *link)
{
	const struct tern_link_config *config = &link->config;
	unsigned char *at = (unsigned char *)link + line_up(sizeof(*link));
	tern_sent_init(&link->sent, (void *)at, config->window_max);
	at += sent_bytes(config);
	tern_gaps_init(&link->gaps, (void *)at, TERN_GAPS_RANGES(config->credit_max));
	at += gaps_bytes(config);
	tern_inflow_init(&link->inflow, (void *)at, config->credit_max);
}

static void check_config(const struct tern_link_config *config)
{
	assert(config->node != config->peer && config->frame_max >= TERN_WIRE_FRAME_MIN);
	assert(config->credit_max >= TERN_WIRE_CREDIT_MIN &&
	       config->credit_max <= TERN_WIRE_CREDIT_MAX);
	assert(config->window_max >= 2 && (config->window_max & (config->window_max - 1)) == 0);
	assert(rte_pktmbuf_priv_size(config->frames) >= sizeof(struct tern_stage_private));
	assert(rte_pktmbuf_data_room_size(config->frames) >=
	       RTE_PKTMBUF_HEADROOM + config->frame_max);
	(void)config;
}
_Static_assert(sizeof(struct tern_stage_private) <= TERN_LINK_PRIVATE, "blocks of a frame");
_Static_assert(TERN_WRAP_MAX <= RTE_PKTMBUF_HEADROOM, "what lies before a frame");
/* docs/peers.md says so. */
_Static_assert(sizeof(struct tern_link) <= 5 * 1024 && sizeof(struct tern_sent_frame) == 32 &&
		       sizeof(struct tern_range) / 2 + sizeof(struct tern_inflow_frame) == 56,
	       "memory of a link");

struct tern_link *tern_link_create(const struct tern_link_config *config, uint64_t now_ns)
{
	check_config(config);
	struct tern_link *link = tern_lines_make(tern_link_bytes(config));
	if (!link)
		return NULL;
	link->config = *config;
	link->reserved = rte_pktmbuf_alloc(config->frames);
	if (!link->reserved ||
	    !tern_credit_init(&link->credit, config->lender, config->credit_max, now_ns)) {
		rte_pktmbuf_free(link->reserved);
		free(link);
		return NULL;
	}
	link->rng = tern_rng_stream(config->seed,
				    (uint64_t)config->node << 32 | (uint64_t)config->peer << 16 |
					    (uint64_t)config->lcore << 8 | config->peer_lcore);
	link->now_ns = now_ns;
	link->beat_ns = config->heartbeat_ns;
	link->ack_ns = UINT64_MAX;
	lay_out(link);
	if (tern_link_asks(link))
		tern_link_ask(link, now_ns);
	return link;
}

static void drop_held(struct tern_link *link)
{
	for (uint8_t i = 0; i < TERN_WIRE_CLASSES; i++) {
		while (link->inflow.of[i].first)
			rte_pktmbuf_free(tern_inflow_pop(&link->inflow, i));
		tern_iso_drop(link->config.heap, link->in[i].block);
	}
}

void tern_link_destroy(struct tern_link *link, uint64_t now_ns)
{
	link->now_ns = now_ns;
	if (link->is_open) {
		(void)tern_link_say(link, TERN_WIRE_BYE, NULL, 0);
		tern_link_end(link, TERN_LINK_CLOSED);
	}
	drop_held(link);
	tern_credit_fini(&link->credit);
	rte_pktmbuf_free(link->reserved);
	free(link);
}

void tern_link_stats(const struct tern_link *link, struct tern_link_stats *stats)
{
	const uint64_t *from = (const uint64_t *)(const void *)&link->stats;
	uint64_t *to = (uint64_t *)(void *)stats;
	for (size_t i = 0; i < sizeof(*stats) / sizeof(*to); i++)
		to[i] = tern_load(&from[i]);
}
