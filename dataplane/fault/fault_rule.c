/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_rule.h"

bool tern_fault_rule_applies(const struct tern_fault_rule *rule, const struct tern_label *label)
{
	return (!rule->kind || rule->kind == label->kind) &&
	       (!rule->by_class ||
		(label->kind == TERN_WIRE_DATA && rule->flow_class == label->flow_class)) &&
	       (!rule->node || rule->node == label->from_node || rule->node == label->to_node);
}

static uint32_t rule_bounded(uint32_t value, uint32_t otherwise, uint32_t max)
{
	value = value ? value : otherwise;
	return value < max ? value : max;
}

struct tern_fault_rule tern_fault_rule_complete(const struct tern_fault_rule *rule)
{
	struct tern_fault_rule complete = *rule;
	complete.behind = rule_bounded(rule->behind, 4, TERN_FAULT_BEHIND_MAX);
	complete.bits = rule_bounded(rule->bits, 1, TERN_FAULT_BITS_MAX);
	if (!rule->delayed && (rule->delay_ns || rule->jitter_ns))
		complete.delayed = TERN_FAULT_MILLION;
	return complete;
}
