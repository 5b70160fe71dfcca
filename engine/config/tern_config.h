/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_CONFIG_H
#define TERN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tern_address.h"
#include "tern_error.h"
#include "tern_scheduler.h"

#define TERN_LCORES_MAX 128

struct tern_hooks;

/** Who drives the lcores. */
enum tern_mode {
	TERN_MODE_PARALLEL,   /**< one pinned thread per lcore */
	TERN_MODE_POLLED,     /**< synchronous: the caller polls each lcore: tern_lcore_poll() */
	TERN_MODE_CONCURRENT, /**< one lcore on one pinned thread, whatever `lcores` offers */
};

/** Where time comes from. */
enum tern_clock_kind {
	TERN_CLOCK_TSC,	    /**< the processor's time stamp counter */
	TERN_CLOCK_VIRTUAL, /**< stands still until tern_engine_advance(); polled mode only */
};

/** What an lcore does when it finds no work. */
enum tern_idle {
	TERN_IDLE_SPIN,	   /**< polls again at once: lowest latency, a whole core */
	TERN_IDLE_PAUSE,   /**< polls with a pause instruction between */
	TERN_IDLE_BACKOFF, /**< spins, then pauses, then sleeps up to idle_sleep_us_max */
};

/** Largest page the arenas may ask for; what was obtained is in tern_engine_memory(). */
enum tern_pages {
	TERN_PAGES_AUTO, /**< 1 GiB, then 2 MiB, then transparent, then 4 KiB */
	TERN_PAGES_1G,
	TERN_PAGES_2M,
	TERN_PAGES_THP,
	TERN_PAGES_4K,
};

enum tern_log_level {
	TERN_LOG_ERROR,
	TERN_LOG_WARN,
	TERN_LOG_INFO,
	TERN_LOG_DEBUG,
};

enum tern_log_format {
	TERN_LOG_TEXT, /**< key=value */
	TERN_LOG_JSON, /**< one object a line */
};

/** What frames to other nodes travel in. */
enum tern_carrier_kind {
	TERN_OVER_ETHERNET, /**< raw, EtherType 0x88B5 */
	TERN_OVER_IPV4,	    /**< UDP over IPv4 */
	TERN_OVER_IPV6,	    /**< UDP over IPv6 */
};

/** Longest text that a key takes, its end included. */
#define TERN_CONFIG_TEXT_MAX 256
/** The engine's own router, tern_engine_router(), and how it is kept. */
struct tern_router_config {
	/**
	 * Version that this node counts its changes on from, above all that it told before it was
	 * started anew, 0..2^61; 0: microseconds since 1970 by the machine's clock, where the node
	 * has a number, as tern_router_options.version has it.
	 */
	uint64_t version;
	uint32_t node;	      /**< this node, as others name it, 1..8191; 0: it has no number */
	uint32_t shards;      /**< of the table, power of two up to 64; 0: as many as lcores */
	uint32_t remote_max;  /**< routes to other nodes, 1..2^26; beside those of max_agents */
	uint32_t absent_max;  /**< missing ids remembered, and as many agents that have gone */
	uint32_t sets_max;    /**< capabilities and nodes that have an agent, 1..2^24 */
	uint32_t members_max; /**< agents in them, all told; 0: max_agents, and 65,536 at least */
	uint32_t ttl_ms;      /**< of a route neither steady nor unsteady, 1..86400000 */
	uint32_t absent_ms;   /**< that an id counts as missing, 1..86400000 */
	uint32_t drift_max;   /**< versions behind a peer before it is asked, 1..2^32 - 1 */
	uint32_t drift_ms;    /**< that any may lack before a peer is asked, 1..86400000 */
	uint32_t tell_ms;    /**< own agents are told again so often, 1..86400000: half of ttl_ms */
	uint32_t compare_ms; /**< versions are compared with each peer so often, 1..60000 */
};

/** Bytes of a name, with its end; those of its capabilities; and how many routes there may be. */
#define TERN_CONFIG_ROUTE_NAME 64u
#define TERN_CONFIG_ROUTE_CAPABILITIES 128u
#define TERN_CONFIG_ROUTES_MAX 64u

/**
 * A route to an agent of another node, known from the start: held for ever, as
 * TERN_ROUTE_STATIC, until that node tells something else.
 */
struct tern_config_route {
	char name[TERN_CONFIG_ROUTE_NAME]; /**< as tern_id_read() has it, or of the agent */
	char capabilities[TERN_CONFIG_ROUTE_CAPABILITIES]; /**< with commas between; "": none */
	tern_address address; /**< of node 1..8191, another than router.node */
};

/**
 * Everything an engine is told at start. Start from tern_config_init(), then a file, then
 * options, then fields set by hand; the engine copies what it needs.
 *
 * The INI key of a field is its section and name, for instance `[engine] max_agents`; the
 * fields of [log] lose their prefix there: `[log] level`, and those of `router` are keys of
 * [router]. docs/configuration.md has them all.
 */
struct tern_config {
	/* [engine] */
	enum tern_mode mode;		  /**< parallel | polled | concurrent */
	enum tern_clock_kind clock;	  /**< tsc | virtual */
	uint16_t lcores[TERN_LCORES_MAX]; /**< CPU of each lcore: all, or 0,2-5 */
	uint32_t lcore_count;		  /**< 1..128; 0: one per CPU this process may use */
	uint32_t max_agents;		  /**< 1..2^26 - 65536 */
	uint32_t max_threads;		  /**< attached threads at once, 1..64 */
	uint64_t seed;			  /**< of every random choice the engine makes */
	enum tern_idle idle;		  /**< spin | pause | backoff */
	uint32_t idle_sleep_us_max;	  /**< longest sleep of backoff, 1..10000 us */
	/**
	 * Handler time that a turn may use in place, and as much again for agents with signals in
	 * their mailbox, 1..1000000 us. Meanwhile timers and data lanes wait, express lanes do not.
	 */
	uint32_t slice_us;
	uint32_t trace_every;	      /**< time one signal and one lookup in N; 0: none */
	bool stamp_each_signal;	      /**< clock read per signal instead of per turn */
	uint32_t metrics_interval_ms; /**< rates and forecasts move so often; 0: never */
	uint32_t watchdog_ms;	      /**< looks for agents past their slice; 0: never */
	bool inspect;		      /**< others may look into it: tern_inspect.h */
	/* [scheduler] */
	uint8_t schedules[TERN_LCORES_MAX]; /**< policy of each lcore, enum tern_schedule */
	uint32_t schedule_count;	    /**< of schedules; the last stands for all after it */
	const struct tern_hooks *hooks; /**< for all agents: tern_agent.h; outlives the engine */
	const struct tern_scheduler *scheduler; /**< the policy `custom`; outlives the engine */
	uint32_t turn_signals;	 /**< signals an agent may handle from its mailbox in one run */
	uint32_t max_concurrent; /**< agents runnable at once; 0: no limit */
	bool steal;		 /**< idle lcores take roaming agents from busy ones */
	uint32_t steal_after_us; /**< an agent must have waited for so long to be taken */
	bool rebalance;		 /**< roaming agents are moved where the forecast says */
	bool preempt; /**< of fibers whose spawn options leave it open; needs the clock tsc */
	uint32_t preempt_tick_us; /**< a preemptible fiber runs for one to two of these */
	/* [lanes] */
	uint32_t data_depth;	/**< slots, power of two, 64..65536 */
	uint32_t express_depth; /**< slots, power of two, 16..65536 */
	/* [mailbox] defaults of spawn options left 0 */
	uint32_t capacity;   /**< signals, 1..2^24 */
	uint32_t high_water; /**< signals, 1..capacity */
	uint32_t low_water;  /**< signals, 0..high_water - 1 */
	/* [memory] */
	enum tern_pages pages; /**< auto | 1g | 2m | thp | 4k */
	bool pages_required;   /**< fail rather than fall back to smaller pages */
	uint32_t block_mib;    /**< block pool of one lcore or thread, 1..65536 MiB */
	uint32_t mailbox_mib;  /**< mailbox storage of one lcore, 1..65536 MiB */
	/* [node]: other nodes, docs/peers.md. Without a device and port the engine is alone */
	uint32_t node;			    /**< key `id`: this node, 1..8191; 0: alone */
	char cluster[TERN_CONFIG_TEXT_MAX]; /**< name; nodes of other clusters are refused */
	char device[TERN_CONFIG_TEXT_MAX];  /**< PCI address, vdev string or kernel interface */
	char members[TERN_CONFIG_TEXT_MAX]; /**< file that lists the nodes: docs/configuration.md */
	char address[TERN_CONFIG_TEXT_MAX]; /**< of this node; "": as its line in members says */
	enum tern_carrier_kind carrier;	    /**< ethernet | ipv4 | ipv6 */
	uint32_t udp_port;		    /**< of all nodes, 1..65535 */
	uint32_t vlan;			    /**< 1..4094; 0: no tag */
	uint32_t mtu;			    /**< bytes behind the Ethernet header, 1280..65535 */
	uint32_t heartbeat_us;		    /**< between signs of life, 100..1000000 us */
	uint32_t dead_us; /**< a node that gave none for so long is lost, 1000..600000000 us */
	uint32_t credit;  /**< frames that a link of a peer may have on its way here, 4..4096 */
	uint32_t window;  /**< frames that a link keeps until they are acknowledged, 16..4096 */
	uint32_t frames;  /**< frames of each lcore's pool, 1024..1048576 */
	char fault[TERN_CONFIG_TEXT_MAX]; /**< faults on purpose, for tests; "": none */
	uint64_t fault_seed;
	struct tern_port *port; /**< instead of a device: of a simulator; outlives the engine */
	/* [router] */
	struct tern_router_config router;
	/* [routes] */
	struct tern_config_route routes[TERN_CONFIG_ROUTES_MAX];
	uint32_t route_count; /**< of routes, 0..TERN_CONFIG_ROUTES_MAX */
	/* [log] */
	enum tern_log_level log_level;	 /**< error | warn | info | debug */
	enum tern_log_format log_format; /**< text | json */
};

/**
 * Fill a configuration with the defaults.
 *
 * The log level comes from the environment variable TERN_LOG (error, warn, info, debug) where
 * it is set and valid, else it is warn.
 */
TERN_API void tern_config_init(struct tern_config *config);

/**
 * Read an INI file over a configuration.
 *
 * Unknown sections or keys, doubled keys, values out of range and lines that are neither
 * [section], key=value nor comment are refused with file and line number. The configuration
 * stays untouched on failure. Values are checked one by one; tern_config_check() checks how
 * they go together.
 *
 * @param path  a file or pipe of at most 1 MiB
 * @return 0; -ENOENT, -EACCES, -EISDIR or what else open(2) and read(2) say: not readable;
 *         -EINVAL: content refused; -ENOMEM
 *
 * Context: any thread, before the engine starts. Borrows all arguments.
 */
TERN_API int tern_config_load(struct tern_config *config, const char *path,
			      struct tern_error *error);

/**
 * Set one value from `section.key=value`, as a command-line option gives it.
 *
 * @return 0; -EINVAL: no such key, or the value is refused; the configuration is untouched
 *
 * Context: any thread, before the engine starts. Borrows all arguments.
 */
TERN_API int tern_config_set(struct tern_config *config, const char *assignment,
			     struct tern_error *error);

/**
 * Check a configuration as a whole: every value is in range, lcores are there once each, water
 * marks are in order, the virtual clock goes with polled mode. In parallel mode the lcores must
 * exist and be allowed to this process; in polled mode the caller brings the CPU, and the list
 * only names the lcores.
 *
 * An lcore list left empty is filled with every CPU this process may use, the lowest 128 of
 * them (polled mode: with CPU 0 alone).
 *
 * @return 0; -EINVAL: a value or a combination is refused; -ENODEV: an lcore does not exist or
 *         is not allowed; -ENOMEM. The configuration is untouched on failure.
 *
 * Context: any thread, before the engine starts; the CPUs are those allowed to the calling
 * thread. Borrows all arguments.
 */
TERN_API int tern_config_check(struct tern_config *config, struct tern_error *error);

/**
 * Write a configuration as an INI file that tern_config_load() reads back, each line with what
 * its key accepts as a comment.
 *
 * @return 0; -EIO: the file has an error
 *
 * Context: any thread. Borrows all arguments.
 */
TERN_API int tern_config_dump(const struct tern_config *config, FILE *file);

/** The lanes from and to an attached thread are no deeper. */
#define TERN_THREAD_LANE_DEPTH 1024u

/**
 * Signals that an agent may have accepted and not handled before its senders are refused, policies
 * refuse and block: docs/configuration.md, "How much waits".
 */
struct tern_config_bounds {
	uint64_t pinned;   /**< capacity, and what the lanes that lead to it hold */
	uint64_t critical; /**< the same of priority critical: by the express lanes */
	uint64_t roaming;  /**< twice the capacity: in its ring, and taken out of it */
};

/**
 * How much waits for an agent of a capacity at most.
 *
 * @param config    checked, so that it has its lcores. Borrows
 * @param capacity  signals; 0: the configuration's
 * @param bounds    yields them
 *
 * Context: any thread.
 */
TERN_API void tern_config_bounds(const struct tern_config *config, uint32_t capacity,
				 struct tern_config_bounds *bounds);

/**
 * Write how much waits at most, as a formula and in numbers, each line a comment of the file that
 * tern_config_dump() writes.
 *
 * @return 0; -EIO: the file has an error
 *
 * Context: any thread. Borrows all arguments.
 */
TERN_API int tern_config_dump_bounds(const struct tern_config *config, FILE *file);

#endif
