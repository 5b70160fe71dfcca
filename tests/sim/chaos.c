/* SPDX-License-Identifier: Apache-2.0 */

/* What the seed chooses: the cluster, the load, and what happens to it. */
#include "sim.h"

static uint32_t between(struct sim *sim, uint32_t least, uint32_t most)
{
	return least + sim_pick(sim, most - least + 1);
}

/* Half of all runs have none of it, so that each thing is met alone, too. */
static uint32_t sometimes(struct sim *sim, uint32_t most)
{
	return sim_pick(sim, 2) ? between(sim, 1, most) : 0;
}

static void plan_size(struct sim *sim)
{
	struct sim_plan *plan = &sim->plan;
	uint32_t size = sim_pick(sim, 20);
	if (size < 12)
		plan->nodes = 2;
	else if (size < 19)
		plan->nodes = between(sim, 3, 5);
	else
		plan->nodes = between(sim, 6, SIM_NODES_MAX);
	plan->lcores = plan->nodes <= 5 ? between(sim, 1, SIM_LCORES_MAX) : 1;
	plan->frame_max =
		(uint16_t)(sim_pick(sim, 2) ? TERN_WIRE_FRAME_MIN + sim_pick(sim, 16) : 1500);
	plan->credit_max = (uint16_t)(4u << sim_pick(sim, 6));
	plan->window_max = (uint16_t)(4u << sim_pick(sim, 6));
	plan->pool_mbufs = sim_pick(sim, 3) ? 512 : between(sim, 8, 40);
	plan->lend = sim_pick(sim, 2) ? 4 * SIM_CORES_MAX + sim_pick(sim, 500) : 0;
	plan->latency_ns = 200 + sim_pick(sim, 2) * sim_pick(sim, 40000);
	plan->jitter_ns = sim_pick(sim, 3) ? 0 : sim_pick(sim, 20000);
	plan->congestion_ns = sim_pick(sim, 3) ? 0 : 10000;
	plan->by_reference = sim_pick(sim, 2);
}

void sim_plan_make(struct sim *sim)
{
	struct sim_plan *plan = &sim->plan;
	plan_size(sim);
	plan->load_ns = between(sim, 5, 40) * SIM_MS;
	plan->sends = between(sim, 10, 600);
	plan->loss = sometimes(sim, 300000);
	plan->duplicate = sometimes(sim, 500000);
	plan->reorder = sometimes(sim, 200000);
	plan->delayed = sometimes(sim, 100000);
	plan->corrupt = sometimes(sim, 100000);
	plan->delay_ns = sometimes(sim, 2000000);
	plan->blocks = sometimes(sim, 400);
	plan->fragments = sometimes(sim, 50);
	plan->refusals = sometimes(sim, 20);
	plan->replies = sometimes(sim, 300);
	plan->has_crashes = sim_pick(sim, 3) == 0;
	plan->has_pauses = sim_pick(sim, 3) == 0;
	plan->has_partitions = sim_pick(sim, 3) == 0;
}

static void draw_faults(struct sim *sim, struct tern_injector *fault)
{
	const struct sim_plan *plan = &sim->plan;
	struct tern_fault_rule rule = {.loss = sim_pick(sim, plan->loss + 1),
				       .duplicate = sim_pick(sim, plan->duplicate + 1),
				       .reorder = sim_pick(sim, plan->reorder + 1),
				       .corrupt = sim_pick(sim, plan->corrupt + 1),
				       .behind = between(sim, 1, 16),
				       .bits = between(sim, 1, 4)};
	if (plan->delay_ns) {
		rule.delayed = sim_pick(sim, plan->delayed + 1);
		rule.delay_ns = sim_pick(sim, (uint32_t)plan->delay_ns);
		rule.jitter_ns = sim_pick(sim, (uint32_t)plan->delay_ns);
	}
	tern_injector_set(fault, TERN_FAULT_OUTWARD, &rule, 1);
}

static void strike(struct sim *sim)
{
	const struct sim_plan *plan = &sim->plan;
	uint32_t one = sim_pick(sim, plan->nodes), other = sim_pick(sim, plan->nodes);
	struct sim_node *node = &sim->nodes[one];
	switch (sim_pick(sim, 4)) {
	case 0:
		if (plan->has_crashes && node->is_up && node->life < SIM_LIVES_MAX - 1)
			sim_node_crash(sim, one);
		break;
	case 1:
		if (plan->has_pauses) {
			node->paused_until_ns = sim->now_ns + sim_pick(sim, 40 * SIM_MS);
			sim->totals.pauses++;
		}
		break;
	case 2:
		if (plan->has_partitions)
			sim->is_cut[one][other] = !sim->is_cut[one][other];
		break;
	default:
		draw_faults(sim, &sim->faults[one][other]);
	}
	for (uint32_t i = 0; i < plan->nodes; i++)
		if (!sim->nodes[i].is_up && sim_pick(sim, 3) == 0)
			sim_node_start(sim, i);
}

void sim_chaos(struct sim *sim)
{
	if (sim->chaos_ns == 0)
		for (uint32_t i = 0; i < sim->plan.nodes; i++)
			for (uint32_t j = 0; j < sim->plan.nodes; j++)
				draw_faults(sim, &sim->faults[i][j]);
	else if (sim->now_ns >= sim->chaos_ns)
		strike(sim);
	else
		return;
	sim->chaos_ns = sim->now_ns + 1 + sim_pick(sim, 3 * SIM_MS);
}

void sim_heal(struct sim *sim)
{
	sim->is_healing = true;
	for (uint32_t i = 0; i < sim->plan.nodes; i++) {
		for (uint32_t j = 0; j < sim->plan.nodes; j++) {
			tern_injector_set(&sim->faults[i][j], TERN_FAULT_OUTWARD, NULL, 0);
			sim->is_cut[i][j] = false;
		}
		sim->nodes[i].paused_until_ns = 0;
		if (!sim->nodes[i].is_up)
			sim_node_start(sim, i);
	}
}
