/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_INSPECT_H
#define TERN_INSPECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tern_address.h"
#include "tern_error.h"
#include "tern_node.h"
#include "tern_router.h"
#include "tern_table.h"

/**
 * A look into an engine from outside, mostly from another process.
 *
 * An engine whose lcores have threads of their own, and that has `[engine] inspect`, answers
 * questions on a socket of the abstract namespace, `@tern.PID.NUMBER`, to processes of the same
 * user and of root. A helper thread of the engine answers: it reads what lcores write, and takes
 * no lock that one of them could wait for. Asker and engine are of one build.
 */
struct tern_inspect;

/** In tern_inspect_route.lcore: no agent lives there. */
#define TERN_INSPECT_NO_LCORE UINT32_MAX
/** Routes in one page. */
#define TERN_INSPECT_PAGE_MAX 64u

/** An engine that can be asked. */
struct tern_inspect_engine {
	pid_t pid;
	uid_t uid;	  /**< user of the process when it began to listen */
	uint32_t number;  /**< of the engine within its process: 0, 1, ... */
	char program[20]; /**< name of the process */
};

/**
 * Find the engines that can be asked on this machine, or in this network namespace. Anybody can
 * take an engine's name: one is listed where the kernel says that the process in the name listens
 * there. To learn that takes a place in the queue of those who wait to ask, for a moment; an engine
 * whose queue is full, because its process is stopped, is not listed.
 *
 * @param engines  yields the first `room`, by pid and number
 * @return how many there are; negative errno: /proc/net/unix cannot be read
 *
 * Context: any thread.
 */
TERN_API int tern_inspect_list(struct tern_inspect_engine *engines, uint32_t room);

/**
 * Begin to ask an engine.
 *
 * @param inspect  yields it; untouched on failure
 * @param number   of the engine within its process
 * @param error    a message for a person; may be NULL
 * @return 0; -ECONNREFUSED: no such engine; -EPERM: it is another user's; -EBUSY: too many ask it;
 *         -EPROTO: it is of another build; -ETIMEDOUT: no answer within 5 s; -EBADMSG: no sense in
 *         the answer; -ENOMEM; what else socket(2) says
 *
 * Context: any thread. May wait for 5 s.
 */
TERN_API int tern_inspect_open(struct tern_inspect **inspect, pid_t pid, uint32_t number,
			       struct tern_error *error);

/** End it. Consumes `inspect`. */
TERN_API void tern_inspect_close(struct tern_inspect *inspect);

/** Times of sampled lookups of one kind: 0 samples, where there were none or none are timed. */
struct tern_inspect_times {
	uint64_t samples;
	uint64_t p50_ns, p99_ns;
};

/**
 * An engine's routing table at a moment, as in struct tern_table_stats, its kernel by name; and the
 * router around it, as in struct tern_router_stats.
 */
struct tern_inspect_stat {
	uint64_t now_ns; /**< on the engine's clock: since it was made */
	uint64_t routes;
	uint64_t routes_max;
	uint64_t buckets;
	uint64_t grown;
	uint64_t distance_max;
	uint64_t bytes;
	uint64_t page_bytes;
	uint32_t shards;
	uint32_t growing;
	uint32_t lcores;
	uint32_t agents_max; /**< `[engine] max_agents` */
	char kernel[16];
	struct tern_router_counts lookups; /**< of lcores and of attached threads */
	struct tern_router_updates updates;
	struct tern_router_bytes held;
	uint64_t absent;      /**< ids remembered as missing */
	uint64_t sets;	      /**< capabilities and nodes that have an agent */
	uint64_t set_agents;  /**< agents in them */
	uint64_t set_members; /**< memberships */
	struct tern_inspect_times times[TERN_PATHS]; /**< by enum tern_router_path */
};

/**
 * Ask what the routing table and its router are.
 *
 * @param stat  yields it; untouched on failure
 * @return 0; -ECONNREFUSED: the engine has stopped; else as tern_inspect_open()
 *
 * Context: any thread, one at a time for each `inspect`. May wait for 5 s.
 */
TERN_API int tern_inspect_stat(struct tern_inspect *inspect, struct tern_inspect_stat *stat,
			       struct tern_error *error);

/**
 * Ask what the lookups of one lcore came to.
 *
 * @param lcore   0 to tern_inspect_stat.lcores - 1
 * @param counts  yields it; untouched on failure
 * @return 0; -ENOENT: there is no such lcore; else as tern_inspect_stat()
 *
 * Context: as tern_inspect_stat().
 */
TERN_API int tern_inspect_counts(struct tern_inspect *inspect, uint32_t lcore,
				 struct tern_router_counts *counts, struct tern_error *error);

/** Capabilities that are told apart, and all others together. */
#define TERN_INSPECT_CAPABILITIES_MAX (TERN_CAPABILITIES_COUNTED + 1)

/** What lookups by capability came to: those looked up most first, all others together last. */
struct tern_inspect_capabilities {
	uint64_t count; /**< of the two below */
	struct tern_capability_counts counts[TERN_INSPECT_CAPABILITIES_MAX];
	char names[TERN_INSPECT_CAPABILITIES_MAX][64]; /**< "" where the engine knows none */
};

/**
 * Ask what lookups by capability came to.
 *
 * @param capabilities  yields them; untouched on failure
 * @return as tern_inspect_stat()
 *
 * Context: as tern_inspect_stat().
 */
TERN_API int tern_inspect_capabilities(struct tern_inspect *inspect,
				       struct tern_inspect_capabilities *capabilities,
				       struct tern_error *error);

/** Nodes in one page of a report. */
#define TERN_INSPECT_NODES_MAX 64u

/** How far the engine's knowledge agrees with its peers'; a page of it. All zero: none yet. */
struct tern_inspect_report {
	uint64_t now_ns; /**< on the engine's clock, as tern_node_report.told_ns is */
	struct tern_router_report router;
	uint32_t contradiction_count;
	uint32_t node_count;
	uint32_t next; /**< node that the next page begins with; above TERN_NODE_MAX: there is none
			*/
	uint32_t reserved;						    /**< 0 */
	struct tern_contradiction contradictions[TERN_CONTRADICTIONS_KEPT]; /**< the newest first */
	struct tern_node_report nodes[TERN_INSPECT_NODES_MAX];
};

/**
 * Ask for the next page of the report: its nodes go on, by number; all else is as of now.
 *
 * @param report  the page before, or zeroed: yields the next one; untouched on failure
 * @return as tern_inspect_stat(); -EBADMSG also where there is no further page
 *
 * Context: as tern_inspect_stat().
 */
TERN_API int tern_inspect_report(struct tern_inspect *inspect, struct tern_inspect_report *report,
				 struct tern_error *error);

/** A route, and whom it leads to where that agent lives in the engine itself. */
struct tern_inspect_route {
	struct tern_route route;
	uint64_t now_ns;    /**< on the engine's clock, when it was read */
	uint32_t lcore;	    /**< that the agent is on; TERN_INSPECT_NO_LCORE: elsewhere, or gone */
	uint32_t reserved;  /**< 0 */
	char name[64];	    /**< "" where it has none */
	char behaviour[64]; /**< "" where lcore says none; a longer one is cut */
};

/**
 * Ask for the route of an id.
 *
 * @param route  yields it; untouched on failure
 * @return 0; -ENOENT: there is none; else as tern_inspect_stat()
 *
 * Context: as tern_inspect_stat().
 */
TERN_API int tern_inspect_lookup(struct tern_inspect *inspect, struct tern_id id,
				 struct tern_inspect_route *route, struct tern_error *error);

/** Which routes to show: one or both. */
enum tern_inspect_which {
	TERN_INSPECT_LOCAL = 1,	 /**< to agents of the engine itself */
	TERN_INSPECT_REMOTE = 2, /**< to other nodes */
};

/** Some routes of a table; all zero: none yet. */
struct tern_inspect_page {
	struct tern_table_cursor cursor; /**< where the next page begins */
	uint32_t more;	/**< 1: there may be a next page, even after an empty one */
	uint32_t count; /**< of routes */
	struct tern_inspect_route routes[TERN_INSPECT_PAGE_MAX];
};

/**
 * Ask for the next page of all routes: over the pages each that stays once, each that comes or
 * goes once at most.
 *
 * @param which  of enum tern_inspect_which
 * @param page   the page before, or zeroed: yields the next one; untouched on failure
 * @return as tern_inspect_stat()
 *
 * Context: as tern_inspect_stat().
 */
TERN_API int tern_inspect_show(struct tern_inspect *inspect, uint32_t which,
			       struct tern_inspect_page *page, struct tern_error *error);

/** Peers in one page. */
#define TERN_INSPECT_PEERS_MAX 64u

/** Some of the other nodes of an engine's cluster. */
struct tern_inspect_peers {
	uint32_t node;	 /**< the engine's own; 0: it has no network */
	uint32_t lcores; /**< of the engine */
	uint32_t total;	 /**< other nodes */
	uint32_t first;	 /**< place of the first one here */
	uint32_t count;	 /**< of peers */
	uint32_t reserved;
	struct tern_peer peers[TERN_INSPECT_PEERS_MAX];
};

/**
 * Ask for the other nodes of an engine's cluster, rising by number.
 *
 * @param first  0 .. total: place of the first one wanted
 * @param page   yields them; untouched on failure
 * @return 0; -ENETDOWN: the engine has no network; else as tern_inspect_stat()
 *
 * Context: as tern_inspect_stat().
 */
TERN_API int tern_inspect_peers(struct tern_inspect *inspect, uint32_t first,
				struct tern_inspect_peers *page, struct tern_error *error);

/**
 * Have an engine ping another node: its lcore 0 sends a signal to that of the other, which sends
 * one back. It leaves within 5 ms; then time counts.
 *
 * @param rtt_ns  yields the time there and back; untouched on failure
 * @return 0; -ENETDOWN: the engine has no network; -ENOENT: no such node in its cluster;
 *         -EHOSTUNREACH: not connected to it; -EALREADY: it pings for somebody else; -ETIME: no
 *         answer within 1 s; else as tern_inspect_stat()
 *
 * Context: as tern_inspect_stat(). Waits for the answer.
 */
TERN_API int tern_inspect_ping(struct tern_inspect *inspect, uint32_t node, uint64_t *rtt_ns,
			       struct tern_error *error);

/** Longest text of fault rules, its end included. */
#define TERN_INSPECT_RULES_MAX 512u

/** Frames that met a fault on purpose. */
struct tern_inspect_faulted {
	uint64_t seen;	      /**< that a rule applied to */
	uint64_t partitioned; /**< lost in a partition */
	uint64_t lost;
	uint64_t corrupted;
	uint64_t duplicated;
	uint64_t delayed;
	uint64_t reordered;
	uint64_t overflowed; /**< were to be held back, and lost: too many were */
	uint64_t uncopied;   /**< passed unaltered, or once: there was no frame for a copy */
};

/** The faults on purpose of an engine's network. */
struct tern_inspect_fault {
	uint32_t is_network; /**< 0: the engine has none, and all else is 0 */
	uint32_t is_pending; /**< 1: not all lcores have these rules yet */
	uint32_t rule_count;
	uint32_t reserved;
	uint64_t seed;			     /**< node.fault_seed */
	struct tern_inspect_faulted in, out; /**< from the port and to it, since the start */
	char rules[1016];		     /**< as node.fault takes them; "off": none */
};

/**
 * Ask which faults an engine's network has on purpose, and what they did.
 *
 * @param fault  yields it; untouched on failure
 * @return 0; -ENETDOWN: the engine has no network; else as tern_inspect_stat()
 *
 * Context: as tern_inspect_stat().
 */
TERN_API int tern_inspect_fault(struct tern_inspect *inspect, struct tern_inspect_fault *fault,
				struct tern_error *error);

/**
 * Have an engine lose, repeat, delay or alter frames on purpose, for tests: from the next few ms
 * on, in place of the rules before. Frames held back stay so until they are due.
 *
 * @param rules  as node.fault takes them; "off": none. Borrows
 * @return 0; -EINVAL: no such rules; -ENETDOWN: the engine has no network; -EALREADY: it has not
 *         taken up the rules before yet; -ENOMEM; else as tern_inspect_stat()
 *
 * Context: as tern_inspect_stat().
 */
TERN_API int tern_inspect_fault_set(struct tern_inspect *inspect, const char *rules,
				    struct tern_error *error);

#endif
