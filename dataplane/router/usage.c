/* SPDX-License-Identifier: Apache-2.0 */

/* Called by tern_router_providers(), and by who asks what its lookups came to. */
#include "router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

/* Rows looked at before a capability counts among the others. */
#define PROBES 8u

static bool is_same(struct tern_id a, struct tern_id b)
{
	return a.high == b.high && a.low == b.low;
}

static struct tern_capability_counts *row_of(struct tern_usage *usage, struct tern_id capability)
{
	uint64_t home = capability.high ^ capability.low;
	for (uint32_t i = 0; i < PROBES; i++) {
		struct tern_capability_counts *row =
			&usage->rows[(home + i) % TERN_CAPABILITIES_COUNTED];
		if (row->lookups == 0)
			row->capability = capability;
		if (is_same(row->capability, capability))
			return row;
	}
	return &usage->others;
}

void tern_usage_count(struct tern_usage *usage, struct tern_id capability, uint32_t told,
		      uint64_t ns)
{
	struct tern_capability_counts *row = row_of(usage, capability);
	tern_count(&row->unknown, told == 0);
	tern_count(&row->answers, told);
	if (tern_unlikely(ns != TERN_USAGE_UNTIMED)) {
		tern_count(&row->timed, 1);
		tern_count(&row->ns, ns);
		tern_store(&row->ns_max, RTE_MAX(row->ns_max, ns));
	}
	/* Release: with the acquire of add_usage(), who sees a lookup sees whose it is. */
	__atomic_store_n(&row->lookups, row->lookups + 1, __ATOMIC_RELEASE);
}

/* What is added up: the last row is that of all others. */
struct sum {
	struct tern_capability_counts *rows;
	uint32_t count, max;
	struct tern_capability_counts others;
};

static struct tern_capability_counts *place_of(struct sum *sum, struct tern_id capability)
{
	for (uint32_t i = 0; i < sum->count; i++)
		if (is_same(sum->rows[i].capability, capability))
			return &sum->rows[i];
	if (sum->count == sum->max)
		return &sum->others;
	sum->rows[sum->count] = (struct tern_capability_counts){.capability = capability};
	return &sum->rows[sum->count++];
}

/* Each number is whole; they are not of one moment. */
static void add_row(struct tern_capability_counts *to, const struct tern_capability_counts *row,
		    uint64_t lookups)
{
	to->lookups += lookups;
	to->unknown += tern_load(&row->unknown);
	to->answers += tern_load(&row->answers);
	to->timed += tern_load(&row->timed);
	to->ns += tern_load(&row->ns);
	to->ns_max = RTE_MAX(to->ns_max, tern_load(&row->ns_max));
}

static void add_usage(struct sum *sum, const struct tern_usage *usage)
{
	for (uint32_t i = 0; i < TERN_CAPABILITIES_COUNTED; i++) {
		const struct tern_capability_counts *row = &usage->rows[i];
		/* Acquire: pairs with the release of tern_usage_count(). */
		uint64_t lookups = __atomic_load_n(&row->lookups, __ATOMIC_ACQUIRE);
		if (lookups)
			add_row(place_of(sum, row->capability), row, lookups);
	}
	add_row(&sum->others, &usage->others, tern_load(&usage->others.lookups));
}

static int by_lookups(const void *a, const void *b)
{
	const struct tern_capability_counts *x = a, *y = b;
	return (x->lookups < y->lookups) - (x->lookups > y->lookups);
}

uint32_t tern_router_capabilities(const struct tern_router *router,
				  struct tern_capability_counts *counts, uint32_t count_max)
{
	struct sum sum = {.rows = counts, .max = count_max ? count_max - 1 : 0};
	if (count_max == 0)
		return 0;
	for (uint32_t i = 0; i < router->reader_count; i++)
		add_usage(&sum, &router->usage[i]);
	qsort(counts, sum.count, sizeof(*counts), by_lookups);
	if (sum.others.lookups)
		counts[sum.count++] = sum.others;
	return sum.count;
}

const char *tern_labels_find(const struct tern_labels *labels, struct tern_id id)
{
	/* Acquire: pairs with the release of tern_labels_put(). */
	uint32_t count = __atomic_load_n(&labels->count, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < count; i++)
		if (is_same(labels->kept[i].id, id))
			return labels->kept[i].text;
	return NULL;
}

void tern_labels_put(struct tern_labels *labels, struct tern_id id, const char *text)
{
	if (labels->count == TERN_LABELS_MAX || tern_labels_find(labels, id))
		return;
	struct tern_label *label = &labels->kept[labels->count];
	label->id = id;
	snprintf(label->text, sizeof(label->text), "%s", text);
	/* Release: who sees the count sees the label whole (tern_labels_find(), acquire). */
	__atomic_store_n(&labels->count, labels->count + 1, __ATOMIC_RELEASE);
}

void tern_router_label(struct tern_router *router, struct tern_id capability, const char *name)
{
	if (tern_labels_find(&router->labels, capability))
		return;
	tern_lock(&router->lock);
	tern_labels_put(&router->labels, capability, name);
	tern_unlock(&router->lock);
}

const char *tern_router_label_of(const struct tern_router *router, struct tern_id capability)
{
	return tern_labels_find(&router->labels, capability);
}
