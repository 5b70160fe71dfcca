/* SPDX-License-Identifier: Apache-2.0 */

/* One side: its bare port first, then its node, both on ports of the same kind. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/peer/link.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/frames.h"
#include "party.h"

#define FRAMES 8192
#define EAL_MIB 512
#define RING_DEPTH 1024
#define STOP_NS 20000000000ull
#define FAR_STOP_NS 1000000000ull
#define DEAD_US 60000000 /* a bare round, and a neighbour on the CPU, are no death */
#define BLOCK_MIB 64

/* Ends of rings, made with the near side for both. */
static struct tern_port *ring_ends[2][2]; /* of nodes, bare */

static int make_rings(struct party_side *side, struct tern_error *error)
{
	static const char *const names[] = {"tern", "bare"};
	int code = 0;
	for (int i = 0; code == 0 && i < 2; i++)
		code = tern_ring_ports_create(names[i], 1, RING_DEPTH, side->frames, ring_ends[i],
					      error);
	return code;
}

/* As the configuration has it: node.device. */
static void name_device(const struct party_side *side, const char *which, char text[160])
{
	static const char *const memif[] = {"server", "client"};
	const char *folder = side->plan->folder;
	int number = strcmp(which, "bare") == 0;
	switch (side->plan->port) {
	case PARTY_MEMIF:
		snprintf(text, 160, "net_memif%d,role=%s,socket=%s/%s", number, memif[side->index],
			 folder, which);
		break;
	case PARTY_VHOST:
		snprintf(text, 160,
			 side->index ? "net_vhost%d,iface=%s/%s,client=1"
				     : "net_virtio_user%d,path=%s/%s,server=1",
			 number, folder, which);
		break;
	default:
		snprintf(text, 160, "%s%s%u", side->plan->port == PARTY_XDP ? "xdp:" : "", which,
			 side->index);
	}
}

static int open_port(struct party_side *side, const char *which, struct tern_port **port,
		     struct tern_error *error)
{
	char device[160];
	name_device(side, which, device);
	const struct tern_ethdev_options options = {
		.device = device, .queues = 1, .mtu = PARTY_MTU, .frames = &side->frames};
	return tern_ethdev_create(&options, port, error);
}

static int open_bare(struct party_side *side, struct tern_error *error)
{
	struct tern_ethdev_report report;
	int code = 0;
	if (side->plan->port == PARTY_RING)
		side->bare = ring_ends[1][side->index];
	else
		code = open_port(side, "bare", &side->bare, error);
	if (code != 0)
		return code;
	tern_ethdev_report(side->bare, &report);
	side->bare_id = report.id;
	return 0;
}

/* The node opens its port itself, but for rings, and where one stands before it. */
static int open_own(struct party_side *side, struct tern_error *error)
{
	struct tern_port *inner;
	int code = 0;
	if (side->plan->port == PARTY_RING)
		side->own = ring_ends[0][side->index];
	if (side->plan->task != PARTY_TAIL || side->index != 0)
		return 0;
	code = open_port(side, "tern", &inner, error);
	if (code == 0)
		side->own = party_lossy_create(inner);
	return code;
}

static int start_engine(struct party_side *side, struct tern_error *error)
{
	const struct party_plan *plan = side->plan;
	struct tern_config config;
	tern_config_init(&config);
	config.lcore_count = 1;
	config.lcores[0] = (uint16_t)plan->cpus[side->index];
	config.idle = TERN_IDLE_SPIN;
	config.max_threads = 1;
	config.max_agents = 4096;
	config.slice_us = 10000;
	config.watchdog_ms = 0;
	config.metrics_interval_ms = 0;
	config.inspect = false;
	config.log_level = TERN_LOG_ERROR; /* that a node leaves is no news here */
	config.block_mib = BLOCK_MIB;
	config.node = side->index + 1;
	config.carrier = TERN_OVER_ETHERNET;
	config.mtu = PARTY_MTU;
	config.dead_us = DEAD_US;
	config.fault_seed = plan->seed;
	config.port = side->own;
	memcpy(config.fault, plan->fault, sizeof(plan->fault));
	snprintf(config.members, sizeof(config.members), "%s/members", plan->folder);
	if (!side->own)
		name_device(side, "tern", config.device);
	int code = tern_engine_start(&side->bench.engine, &config, error);
	side->bench.self = code == 0 ? tern_thread_attach(side->bench.engine, NULL, NULL) : NULL;
	if (code == 0 && !side->bench.self)
		bench_die("cannot attach to the engine");
	return code;
}

static int open_frames(struct party_side *side, const struct party_side *near,
		       struct tern_error *error)
{
	const struct tern_eal_needs needs = {.memory_mib = EAL_MIB};
	int code = tern_eal_start(&needs, error);
	if (code == 0 && near)
		side->frames = near->frames;
	else if (code == 0)
		code = tern_frames_create("bench", FRAMES, PARTY_MTU, TERN_LINK_PRIVATE, -1,
					  &side->frames, error);
	if (code == 0 && !near && side->plan->port == PARTY_RING)
		code = make_rings(side, error);
	return code;
}

/* The library of AF_XDP says on stderr what it is at. A descriptor to speak by again; -1. */
static int hush(const struct party_side *side)
{
	int kept = side->plan->port == PARTY_XDP ? dup(STDERR_FILENO) : -1;
	int nowhere = kept < 0 ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (nowhere >= 0) {
		dup2(nowhere, STDERR_FILENO);
		close(nowhere);
	}
	return kept;
}

static void speak_again(int kept)
{
	if (kept < 0)
		return;
	dup2(kept, STDERR_FILENO);
	close(kept);
}

static int open_side(struct party_side *side, const struct party_side *near,
		     struct tern_error *error)
{
	int code = open_frames(side, near, error);
	if (code == 0)
		code = open_bare(side, error);
	if (code == 0)
		code = open_own(side, error);
	return code == 0 ? start_engine(side, error) : code;
}

int party_side_open(struct party_side *side, const struct party_side *near,
		    struct tern_error *error)
{
	side->bench.smoke = side->plan->smoke;
	side->bench.rounds = side->plan->rounds;
	side->bench.ps_per_tick = bench_ps_per_tick();
	if (sem_init(&side->bench.done, 0, 0) != 0)
		bench_die("no semaphore: %m");
	int kept = hush(side), code = open_side(side, near, error);
	speak_again(kept);
	return code;
}

static void close_ports(struct party_side *side)
{
	int kept = hush(side);
	if (side->own)
		side->own->ops->destroy(side->own);
	side->bare->ops->destroy(side->bare);
	speak_again(kept);
}

void party_side_close(struct party_side *side)
{
	struct tern_stop_report stop;
	int kept = hush(side);
	tern_thread_detach(side->bench.self);
	int code = tern_engine_stop(side->bench.engine, side->index ? FAR_STOP_NS : STOP_NS, &stop);
	speak_again(kept);
	/* What the far side has under way as the near one leaves arrives nowhere. */
	if (side->index == 0 && (code != 0 || stop.blocks_leaked))
		bench_die("the node did not stop clean: %llu signals left, %llu blocks",
			  (unsigned long long)stop.undelivered,
			  (unsigned long long)stop.blocks_leaked);
	close_ports(side);
}
