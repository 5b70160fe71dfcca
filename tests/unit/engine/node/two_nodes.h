/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TWO_NODES_H
#define TWO_NODES_H

#include <string.h>
#include <unistd.h>

#include "dataplane/port/port.h"
#include "tests/unit/dataplane/mbufs.h"
#include "tests/unit/support.h"

/* Two engines as nodes 1 and 2 of a cluster, joined by ports of the test's own. */

static char members_path[] = "/tmp/tern-nodes-XXXXXX";

/** What any such node is told; the caller adds its mode. */
static inline void node_config(struct tern_config *config, uint32_t node, uint32_t lcores,
			       struct tern_port *port)
{
	tern_config_init(config);
	config->lcore_count = lcores;
	for (uint16_t cpu = 0; cpu < lcores; cpu++)
		config->lcores[cpu] = cpu;
	config->max_agents = 1000;
	config->max_threads = 2;
	config->inspect = false;
	config->node = node;
	config->frames = 2048;
	config->port = port;
	snprintf(config->members, sizeof(config->members), "%s", members_path);
}

/** Such a node on a virtual clock, polled by the test. */
static inline void node_config_polled(struct tern_config *config, uint32_t node, uint32_t lcores,
				      struct tern_port *port)
{
	node_config(config, node, lcores, port);
	config->mode = TERN_MODE_POLLED;
	config->clock = TERN_CLOCK_VIRTUAL;
	config->block_mib = QUARANTINES ? 32 : 2; /* 256 of the largest stay departed */
	config->mailbox_mib = 1;
}

static inline struct tern_engine *node_start(const struct tern_config *config)
{
	struct tern_error error = {0};
	struct tern_engine *engine;
	if (tern_engine_start(&engine, config, &error) != 0)
		fail_msg("%s", error.text);
	return engine;
}

static inline bool nodes_are_connected(struct tern_engine *const engines[2])
{
	return tern_node_connected(engines[0], 2) && tern_node_connected(engines[1], 1);
}

/** Run tests with the list of the two nodes there, and EAL; which leaves this thread its CPUs. */
#define run_with_two_nodes(tests)                                                 \
	({                                                                        \
		cpu_set_t cpus;                                                   \
		int fd = mkstemp(members_path), failed = 1;                       \
		if (fd >= 0 && write(fd, "1 10.0.0.1\n2 10.0.0.2\n", 22) == 22) { \
			sched_getaffinity(0, sizeof(cpus), &cpus);                \
			mbufs_start();                                            \
			sched_setaffinity(0, sizeof(cpus), &cpus);                \
			cmocka_set_test_filter(getenv("TERN_TEST"));              \
			failed = cmocka_run_group_tests(tests, NULL, NULL);       \
		}                                                                 \
		close(fd);                                                        \
		unlink(members_path);                                             \
		failed;                                                           \
	})

#endif
