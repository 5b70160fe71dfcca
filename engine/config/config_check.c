/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_config.h"

#include "config_keys.h"
#include "config_routes.h"
#include "cpu_list.h"

#include <rte_common.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CPUS_MAX (UINT16_MAX + 1)
#define CPU_LIST_SHOWN 96

/* The CPUs this process may use, the first of them as a list. */
struct allowed {
	cpu_set_t *set;
	size_t set_size;
	uint16_t cpus[TERN_LCORES_MAX];
	uint32_t count;
	char shown[CPU_LIST_SHOWN];
};

static int allowed_get(struct allowed *allowed, struct tern_error *error)
{
	allowed->set = CPU_ALLOC(CPUS_MAX);
	allowed->set_size = CPU_ALLOC_SIZE(CPUS_MAX);
	allowed->count = 0;
	if (!allowed->set)
		return tern_error_set(error, -ENOMEM, "engine.lcores: no memory for a CPU set");
	CPU_ZERO_S(allowed->set_size, allowed->set);
	if (sched_getaffinity(0, allowed->set_size, allowed->set) < 0) {
		int rc = tern_error_set(error, -errno, "engine.lcores: sched_getaffinity: %m");
		CPU_FREE(allowed->set);
		return rc;
	}
	for (size_t cpu = 0; cpu < CPUS_MAX && allowed->count < TERN_LCORES_MAX; cpu++)
		if (CPU_ISSET_S(cpu, allowed->set_size, allowed->set))
			allowed->cpus[allowed->count++] = (uint16_t)cpu;
	tern_cpu_list_write(allowed->shown, sizeof(allowed->shown), allowed->cpus, allowed->count);
	return 0;
}

static bool cpu_exists(uint16_t cpu)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu);
	return access(path, F_OK) == 0;
}

static int cpu_refuse(const struct tern_config *config, uint16_t cpu, const struct allowed *allowed,
		      struct tern_error *error)
{
	char lcores[CPU_LIST_SHOWN];

	if (!cpu_exists(cpu))
		return tern_error_set(error, -ENODEV,
				      "engine.lcores names CPU %u, which this machine does not "
				      "have; allowed: %s; write engine.lcores=%s or all",
				      cpu, allowed->shown, allowed->shown);
	tern_cpu_list_write(lcores, sizeof(lcores), config->lcores, config->lcore_count);
	return tern_error_set(
		error, -ENODEV,
		"engine.lcores names CPU %u, which is offline or outside the affinity "
		"of this process; allowed: %s; write engine.lcores=%s or start with "
		"taskset -c %s",
		cpu, allowed->shown, allowed->shown, lcores);
}

/* An lcore of the parallel mode is a pinned thread; in polled mode the caller brings the CPU. */
static int lcores_check_pinned(struct tern_config *config, struct tern_error *error)
{
	struct allowed allowed;
	int rc = allowed_get(&allowed, error);

	if (rc < 0)
		return rc;
	if (config->lcore_count == 0) {
		memcpy(config->lcores, allowed.cpus, allowed.count * sizeof(allowed.cpus[0]));
		config->lcore_count = allowed.count;
	}
	for (uint32_t i = 0; rc == 0 && i < config->lcore_count; i++)
		if (!CPU_ISSET_S(config->lcores[i], allowed.set_size, allowed.set))
			rc = cpu_refuse(config, config->lcores[i], &allowed, error);
	CPU_FREE(allowed.set);
	return rc;
}

static int lcores_check_once(const struct tern_config *config, struct tern_error *error)
{
	for (uint32_t i = 1; i < config->lcore_count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (config->lcores[i] == config->lcores[j])
				return tern_error_set(error, -EINVAL,
						      "engine.lcores names CPU %u twice; allowed: "
						      "each CPU once",
						      config->lcores[i]);
	return 0;
}

static int lcores_check(struct tern_config *config, struct tern_error *error)
{
	int rc = lcores_check_once(config, error);

	if (rc < 0)
		return rc;
	if (config->mode != TERN_MODE_POLLED) {
		rc = lcores_check_pinned(config, error);
		if (config->mode == TERN_MODE_CONCURRENT && rc == 0)
			config->lcore_count = 1;
		return rc;
	}
	if (config->lcore_count == 0) {
		config->lcores[0] = 0;
		config->lcore_count = 1;
	}
	return 0;
}

static int marks_check(const struct tern_config *config, struct tern_error *error)
{
	if (config->high_water > config->capacity)
		return tern_error_set(error, -EINVAL,
				      "mailbox.high_water is %u; allowed: 1..%u, up to "
				      "mailbox.capacity",
				      config->high_water, config->capacity);
	if (config->low_water >= config->high_water)
		return tern_error_set(error, -EINVAL,
				      "mailbox.low_water is %u; allowed: 0..%u, below "
				      "mailbox.high_water",
				      config->low_water, config->high_water - 1);
	return 0;
}

static int clock_check(const struct tern_config *config, struct tern_error *error)
{
	if (config->clock == TERN_CLOCK_VIRTUAL && config->mode != TERN_MODE_POLLED)
		return tern_error_set(
			error, -EINVAL,
			"engine.clock is virtual while engine.mode is not polled; write "
			"engine.mode=polled or engine.clock=tsc");
	if (config->clock == TERN_CLOCK_VIRTUAL && config->preempt)
		return tern_error_set(
			error, -EINVAL,
			"scheduler.preempt is true while engine.clock is virtual, which no timer "
			"follows; write scheduler.preempt=false or engine.clock=tsc");
	return 0;
}

/* A route that keeps changing lives for half of the time. Without a number nobody is told. */
static int router_check(const struct tern_config *config, struct tern_error *error)
{
	const struct tern_router_config *router = &config->router;
	if (router->node && router->tell_ms > router->ttl_ms / 2)
		return tern_error_set(error, -EINVAL,
				      "router.tell_ms is %u; allowed: 1..%u, up to half of "
				      "router.ttl_ms",
				      router->tell_ms, router->ttl_ms / 2);
	return 0;
}

static int schedules_check(const struct tern_config *config, struct tern_error *error)
{
	for (uint32_t i = 0; i < config->schedule_count; i++) {
		if (config->schedules[i] > TERN_SCHEDULE_CUSTOM)
			return tern_error_set(error, -EINVAL,
					      "scheduler.policy of lcore %u is %u; allowed: 0..%d",
					      i, config->schedules[i], TERN_SCHEDULE_CUSTOM);
		if (config->schedules[i] != TERN_SCHEDULE_CUSTOM)
			continue;
		const struct tern_scheduler *custom = config->scheduler;
		if (!custom || !custom->push || !custom->pop)
			return tern_error_set(
				error, -EINVAL,
				"scheduler.policy of lcore %u is custom, but the program gives "
				"none; set tern_config.scheduler with push and pop, or choose "
				"another policy",
				i);
	}
	return 0;
}

/* A node has one number: its router's is the same. */
static int node_check(struct tern_config *config, struct tern_error *error)
{
	bool has_network = config->device[0] || config->port;
	if (has_network && config->node == 0)
		return tern_error_set(error, -EINVAL,
				      "node.device is set and node.id is 0; write the number that "
				      "node.members gives this node, 1..8191");
	if (has_network && !config->members[0])
		return tern_error_set(error, -EINVAL,
				      "node.device is set and node.members is not; write the file "
				      "that lists the nodes of the cluster");
	if (config->dead_us < 2 * config->heartbeat_us)
		return tern_error_set(error, -EINVAL,
				      "node.dead_us is %u; allowed: twice node.heartbeat_us, which "
				      "is %u, and more",
				      config->dead_us, config->heartbeat_us);
	if (config->node && config->router.node && config->router.node != config->node)
		return tern_error_set(error, -EINVAL,
				      "router.node is %u and node.id is %u; leave router.node out: "
				      "it is the same",
				      config->router.node, config->node);
	if (config->node)
		config->router.node = config->node;
	return 0;
}

int tern_config_check(struct tern_config *config, struct tern_error *error)
{
	struct tern_config checked = *config;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < TERN_CONFIG_KEYS; i++)
		rc = tern_config_key_check(&tern_config_keys[i], &checked, error);
	if (rc == 0)
		rc = marks_check(&checked, error);
	if (rc == 0)
		rc = clock_check(&checked, error);
	if (rc == 0)
		rc = schedules_check(&checked, error);
	if (rc == 0)
		rc = node_check(&checked, error);
	if (rc == 0)
		rc = router_check(&checked, error);
	if (rc == 0)
		rc = tern_config_routes_check(&checked, error);
	if (rc == 0)
		rc = lcores_check(&checked, error);
	if (rc == 0)
		*config = checked;
	return rc;
}
