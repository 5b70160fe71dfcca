/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_ROUTER_H
#define TERN_ROUTER_H

#include "tern_histogram.h"
#include "tern_sets.h"
#include "tern_table.h"
#include "tern_update.h"

/**
 * What knows where agents are: the routing table, ids known to be missing, who has a capability,
 * who lives on a node, and what other nodes have told.
 *
 * A lookup asks the table first, which knows local and remote agents alike; only who is not there
 * is looked for among the missing, and asked for once. No cache stands before the table: it would
 * take as long as the table does.
 *
 * Lookups never wait. What one finds out of date it takes out only if nobody else is at it.
 */
struct tern_router;

/** Nodes are 0, which is this process in an address, to this. */
#define TERN_NODE_MAX 8191u

/** Where an agent is. */
enum tern_where {
	TERN_WHERE_UNKNOWN,
	TERN_WHERE_LOCAL,  /**< in this process */
	TERN_WHERE_REMOTE, /**< on another node, by a route that is fresh */
};

/**
 * What the router asks of whoever runs it; any may be NULL.
 *
 * Context: the thread that looked up or told the router something; no lock is held, but for
 * lives().
 */
struct tern_router_calls {
	/** Now, ns; a clock that all threads share. NULL: it stands still at 0. */
	uint64_t (*now)(void *context);
	/** Ask other nodes for an agent. Once for each missing id while it counts as missing. */
	void (*discover)(void *context, struct tern_id id);
	/** Ask other nodes for agents that have a capability. Once, as discover(). */
	void (*discover_capability)(void *context, struct tern_id capability);
	/**
	 * Ask a node for what it knows of another's routes: we lack nothing up to `have`, it has
	 * heard up to `told`. When all of it has been taken in: tern_router_settle().
	 */
	void (*reconcile)(void *context, uint16_t peer, uint16_t node, uint64_t have,
			  uint64_t told);
	/** Keep those who can take signals now, as tern_sets_query.keep does. */
	uint32_t (*available)(void *context, tern_address *addresses, uint32_t count);
	/**
	 * Whether an agent of this process lives at an address: then it stays in the table, and
	 * nobody can publish its end. NULL: whoever publishes knows. The router's lock is held.
	 */
	bool (*lives)(void *context, tern_address address);
};

/** What to make. */
struct tern_router_options {
	struct tern_table_options table; /**< routes; its quiet variable, kernel, pages serve all */
	uint32_t readers;		 /**< that look up, each with counters of its own; 0: 1 */
	uint16_t node;			 /**< this one, as others name it; 0: it has no name yet */
	uint64_t remote_max;  /**< routes to other nodes; 0: as many as the table has room for */
	uint32_t absent_max;  /**< missing ids remembered; 0: 65,536, memory comes as they do;
				   as many agents that have gone, in memory that comes as they do */
	uint32_t sets_max;    /**< capabilities and nodes; 0: 4,096 */
	uint64_t members_max; /**< agents in them, all told; 0: 65,536 */
	uint64_t agents_expected; /**< in a set, to be sized for from the start; 0: it grows */
	uint64_t remote_ttl_ns;	  /**< of a route neither steady nor unsteady; 0: 30 s */
	uint64_t absent_ttl_ns;	  /**< that an id counts as missing; 0: 1 s */
	uint64_t drift_max;	  /**< versions behind a peer before reconcile(); 0: 64 */
	uint64_t drift_ns;	  /**< that any may lack before reconcile(), be it one; 0: 1 s */
	/**
	 * Version to count on from: above all that this node told before it was started anew; up to
	 * TERN_VERSION_FOLLOWED_MAX. Microseconds since 1970 will do, if the clocks of all nodes
	 * differ by less than a restart takes: a node's count follows the others'. So peers tell
	 * its changes from those of its life before. 0: it has had none.
	 */
	uint64_t version;
	uint32_t sample_every;		       /**< a lookup in so many is timed; 0: none */
	const struct tern_router_calls *calls; /**< keeps; NULL: none */
	void *context;			       /**< for the calls */
};

/**
 * Make a router that knows nobody.
 *
 * @param router  yields it
 * @param error   a message for a person; may be NULL
 * @return 0; -EINVAL: an option is out of range; -ENOTSUP: this CPU has no such kernel; -ENOMEM
 *
 * Context: any thread.
 */
TERN_API int tern_router_create(struct tern_router **router,
				const struct tern_router_options *options,
				struct tern_error *error);

/** Free a router. Context: nobody uses it any more. */
TERN_API void tern_router_destroy(struct tern_router *router);

/**
 * Its table, for who puts in and takes out agents of this process, which tern_table_put() refuses
 * while it is held that they live on another node. A remote update never takes the place of an
 * agent of this process, whoever comes first.
 */
TERN_API struct tern_table *tern_router_table(struct tern_router *router);

/**
 * Look an agent up. Wait-free; writes nothing that others read but its own counters.
 *
 * @param reader   whose counters to use, below tern_router_options.readers
 * @param address  yields it; TERN_ADDRESS_NONE where the agent is unknown
 *
 * Context: a thread that the quiet variable knows and that is online there; one at a time for each
 * reader.
 */
TERN_API enum tern_where tern_router_find(struct tern_router *router, uint32_t reader,
					  struct tern_id id, tern_address *address);

/**
 * Look many agents up at once.
 *
 * @param addresses  yields `count`, TERN_ADDRESS_NONE for those unknown
 * @return how many are known
 *
 * Context: as tern_router_find().
 */
TERN_API uint32_t tern_router_find_batch(struct tern_router *router, uint32_t reader,
					 const struct tern_id *ids, uint32_t count,
					 tern_address *addresses);

/**
 * Get ready for lookups to come: their lines into the cache, and those unknown asked for.
 *
 * @return how many are known
 *
 * Context: as tern_router_find().
 */
TERN_API uint32_t tern_router_warm(struct tern_router *router, uint32_t reader,
				   const struct tern_id *ids, uint32_t count);

/** What became of an update. */
enum tern_applied {
	TERN_APPLIED,  /**< it is held now */
	TERN_MERGED,   /**< what it says was held already, and is confirmed */
	TERN_REJECTED, /**< what is held is newer, or known better here */
};

/**
 * Take in what another node told.
 *
 * Agents of this process are known better here: an update that says otherwise is rejected; one that
 * is right at a higher version than was told has it told with that from now on. Of what
 * is held and what is told tern_update_join() decides. A route told again with the same address
 * becomes steadier, one with another address less steady: its time to live is remote_ttl_ns, twice
 * that at 8 and more of 15, half at 3 and less. A new one has 4; each confirmation adds 1, each
 * change takes 4; that its time was up changes nothing. What another node than the origin tells
 * (tern_update.left_ns) is held no longer than by that node, and confirms nothing.
 *
 * What is told of agents of this process above TERN_VERSION_FOLLOWED_MAX cannot be outdone: it is
 * rejected and noted as a contradiction, and who believes it does so until it has forgotten.
 *
 * @param answer  where it is rejected: yields what is true, to be sent back; may be NULL. Its
 * version is 0 where there is nothing to be sent: the update is older than a route whose time was
 * up That an agent has gone is held for four times remote_ttl_ns, or until newer news: older news
 * does not bring it back.
 *
 * @return enum tern_applied; -EINVAL: no such thing can be; -ENOSPC, -ENOMEM: no room for the
 * route, or to remember that it has gone, or what would be answered: then all is as before, and the
 * change counts as lacking
 *
 * Context: as tern_table_find(); takes the router's lock.
 */
TERN_API int tern_router_update(struct tern_router *router, const struct tern_update *update,
				struct tern_update *answer);

/**
 * Say what is true of an agent of this process, for others to hear. What is told is held here
 * first: an agent that lives is put in the table, if it is not there; one that has gone is taken
 * out of it and of all sets, and remembered, as those of other nodes are.
 *
 * @param address  of this process; TERN_ADDRESS_NONE: it has gone
 * @param update   yields it, with a version higher than all heard so far that can be followed
 *                 (TERN_VERSION_FOLLOWED_MAX)
 * @return 0; else nothing is to be told: -EINVAL: an address of another node; -EEXIST: an agent of
 * this process has this id, and another address, or lives although its end is published; -ESRCH:
 * nobody lives at this address (tern_router_calls.lives); -ENOSPC, -ENOMEM: no room to hold it. An
 * end that was not told others learn when their time for the agent is up.
 *
 * Where there is no room some of what is past its time is taken out, and one tries again.
 *
 * Context: as tern_table_find(); takes the router's lock. What becomes of one agent is told by one
 * thread at a time, in its order. An id lives on one node at a time: two that both publish it
 * outbid each other for as long as each hears of the other.
 */
TERN_API int tern_router_publish(struct tern_router *router, struct tern_id id,
				 tern_address address, struct tern_update *update);

/** Where a telling of news is; all zero: at its beginning. */
struct tern_news_cursor {
	struct tern_table_cursor at;
	uint64_t part;
};

/**
 * Tell the next of what is held of a node's changes: the routes that are fresh, and who has gone
 * and is remembered. Of this node: what was published and is still true. For a peer that asks in
 * tern_router_calls.reconcile(); and, of this node, for all others from time to time: who tells its
 * agents again more often than remote_ttl_ns / 2 keeps them known.
 *
 * What stays is told once; what comes or goes meanwhile at most once.
 *
 * @param above   only versions above this one
 * @param cursor  where to go on; yields where this step ended
 * @param visit   borrows the news; is called up to 32 times
 * @return whether there may be more
 *
 * Context: as tern_table_each_from(); takes the router's lock, not while it visits.
 */
TERN_API bool tern_router_news(struct tern_router *router, uint16_t node, uint64_t above,
			       struct tern_news_cursor *cursor,
			       void (*visit)(void *context, const struct tern_update *news),
			       void *context);

/**
 * Note that an agent has a capability, or no longer has it.
 *
 * @return as tern_sets_add() and tern_sets_remove()
 *
 * Context: any thread; takes the sets' lock.
 */
TERN_API int tern_router_offer(struct tern_router *router, struct tern_id capability,
			       struct tern_id agent, tern_address address);
TERN_API int tern_router_withdraw(struct tern_router *router, struct tern_id capability,
				  struct tern_id agent);

/** Take an agent that ended out of all sets; returns of how many. Context: as withdraw. */
TERN_API uint32_t tern_router_forget(struct tern_router *router, struct tern_id agent);

/**
 * Find agents that have a capability and can take signals now. Wait-free.
 *
 * @param addresses  yields up to `count_max`
 * @return how many; 0 also where nobody has it, which is then asked for once
 *
 * Context: as tern_router_find().
 */
TERN_API uint32_t tern_router_providers(struct tern_router *router, uint32_t reader,
					struct tern_id capability, tern_address *addresses,
					uint32_t count_max);

/**
 * Find the agents known to live on another node, the same way; none is asked for. Those for which
 * the sets had no room are missing: tern_router_updates.unindexed. Those whose time is up are told
 * until a lookup sees them, or room is needed.
 */
TERN_API uint32_t tern_router_on_node(struct tern_router *router, uint16_t node,
				      tern_address *addresses, uint32_t count_max);

/** Highest version heard of a node's changes; for this node that of its last change told. Any
 * thread. */
TERN_API uint64_t tern_router_version(const struct tern_router *router, uint16_t node);

/** Version up to which nothing of a node's changes is lacking here. Any thread; takes the lock. */
TERN_API uint64_t tern_router_complete(struct tern_router *router, uint16_t node);

/**
 * Note that a peer has told all that it knows of a node: changes up to a version that did not come
 * were overtaken by later ones, and count as lacking no more.
 *
 * @param version  the peer's tern_router_complete() of that node; above TERN_VERSION_MAX, or of
 * this node: nothing is noted
 *
 * Context: any thread; takes the lock.
 */
TERN_API void tern_router_settle(struct tern_router *router, uint16_t node, uint64_t version);

/** How two nodes' knowledge differs. */
struct tern_consistency {
	uint32_t same, behind, ahead; /**< nodes of which we know as much, less, more */
	uint32_t reconciled;	      /**< of those behind, by more than drift_max */
	uint64_t drift_max;	      /**< versions that we lack of one node, at most */
	uint16_t drift_node;	      /**< that node */
};

/**
 * Compare with what a peer has heard, and ask it for what we lack by more than drift_max, or for
 * longer than drift_ns. A change is lacking that was not received, or could not be kept:
 * tern_router_update() failed. Where the peer has heard more of this node than it told, that was
 * before this node was started anew: it counts on from there.
 *
 * @param versions  the peer's tern_router_version(), by node; shape count
 * @param report    yields the outcome; may be NULL
 * @return 0; -EINVAL: more than TERN_NODE_MAX + 1
 *
 * Context: any thread; takes the lock for each node.
 */
TERN_API int tern_router_compare(struct tern_router *router, uint16_t peer,
				 const uint64_t *versions, uint32_t count,
				 struct tern_consistency *report);

/** Two that cannot both be true. */
enum tern_contradiction_kind {
	TERN_CONTRADICTION_LIVES_HERE, /**< told to be elsewhere, or at another address here */
	TERN_CONTRADICTION_NOT_HERE,   /**< told to be in this process, and is not */
	TERN_CONTRADICTION_CONCURRENT, /**< two nodes told different addresses at once */
	TERN_CONTRADICTION_SHARED,     /**< two ids lead to one address */
};

struct tern_contradiction {
	enum tern_contradiction_kind kind;
	struct tern_id id;
	struct tern_id other; /**< shared: the other id */
	tern_address held;    /**< what was held then */
	tern_address claimed; /**< what was told */
	uint64_t version;     /**< of what was told */
	uint16_t origin;      /**< who told */
};

/**
 * The last of them that updates brought; the newest first. One whose place a newer one takes
 * meanwhile is left out. Any thread; takes no lock.
 */
#define TERN_CONTRADICTIONS_KEPT 32u
TERN_API uint32_t tern_router_contradictions(struct tern_router *router,
					     struct tern_contradiction *found, uint32_t count_max);

/**
 * Walk the table for routes that contradict each other: two ids of one address.
 *
 * @return how many there are, of which up to `count_max` are yielded; -ENOMEM
 *
 * Context: as tern_table_each(); allocates 24 bytes a route for as long as it runs.
 */
TERN_API int64_t tern_router_check(struct tern_router *router, struct tern_contradiction *found,
				   uint32_t count_max);

/** What is known of another node's changes. */
struct tern_node_report {
	uint64_t version;  /**< highest heard of: tern_router_version() */
	uint64_t complete; /**< nothing is lacking up to there: tern_router_complete() */
	uint64_t told;	   /**< highest that a peer has heard, by its word; 0: none said */
	uint64_t told_ns;  /**< when a peer last said what it had; 0: none did */
	uint64_t drift;	   /**< versions up to the higher of both that may be lacking here */
	uint16_t node;
};

/** How far what is known here agrees with what peers know, and with itself. */
struct tern_router_report {
	uint64_t version;	 /**< of the last change that this node told; 0: it told none */
	uint64_t routes;	 /**< to agents of other nodes */
	uint64_t contradictions; /**< found by updates so far: tern_router_contradictions() */
	uint64_t drift_max;	 /**< the largest of all nodes */
	uint32_t nodes;		 /**< known of, this one apart: tern_router_nodes() */
	uint32_t behind;	 /**< of them, of which something may be lacking here */
	uint16_t node;		 /**< this one */
	uint16_t drift_node;	 /**< that of the largest drift; 0: nothing is lacking */
};

/**
 * Report. Each number is whole, but they are not of one moment. Context: any thread; takes no lock,
 * and looks at each node.
 */
TERN_API void tern_router_report(const struct tern_router *router,
				 struct tern_router_report *report);

/**
 * Tell what is known of each node of which anything is; this one apart.
 *
 * @param from   node to begin with; yields where to go on, above TERN_NODE_MAX at the end
 * @param nodes  yields up to `count_max`, by number
 * @return how many
 *
 * Context: as tern_router_report().
 */
TERN_API uint32_t tern_router_nodes(const struct tern_router *router, uint32_t *from,
				    struct tern_node_report *nodes, uint32_t count_max);

/** What lookups came to, by one reader or all. */
struct tern_router_counts {
	uint64_t local;		     /**< found in this process */
	uint64_t remote;	     /**< found on another node */
	uint64_t unknown;	     /**< not found, those known to be missing included */
	uint64_t absent_hits;	     /**< of them, known to be missing */
	uint64_t absent_expired;     /**< of them, known to have been missing a while ago */
	uint64_t stale_removed;	     /**< remote routes past their time, taken out */
	uint64_t discoveries;	     /**< asked for */
	uint64_t busy;		     /**< left to the next lookup: somebody else was writing */
	uint64_t capability_found;   /**< capabilities with somebody who can take signals */
	uint64_t capability_unknown; /**< with nobody */
	uint64_t batches, batch_ids; /**< lookups of many ids; their ids are counted above, too */
};

/** What updates came to. */
struct tern_router_updates {
	uint64_t applied, merged, rejected;
	uint64_t concurrent;	 /**< of them, neither origin knew of the other's */
	uint64_t contradictions; /**< found by updates so far */
	uint64_t invalidated;	 /**< entries dropped because of an update: missing ids, members */
	uint64_t unindexed;	 /**< agents that the set of their node had no room for */
};

/** Memory held, by structure; and what it is made for. */
struct tern_router_bytes {
	uint64_t routes, absent, sets;
};

/** What a router is at a moment. */
struct tern_router_stats {
	struct tern_table_stats table;
	struct tern_sets_stats sets;
	struct tern_router_counts counts; /**< of all readers */
	struct tern_router_updates updates;
	struct tern_router_bytes bytes;
	uint64_t absent; /**< ids remembered as missing */
	uint64_t remote; /**< routes that lead to other nodes */
};

/** Context: any thread; takes locks of writers. */
TERN_API void tern_router_stats(struct tern_router *router, struct tern_router_stats *stats);

/**
 * What tern_router_stats() tells, without the locks: no writer can be held up, and no lookup finds
 * the router busy. Each number is whole, but they are not of one moment. The bytes leave out what
 * tern_table_look() and tern_sets_look() do.
 *
 * Context: as tern_router_find(), but that it needs no reader.
 */
TERN_API void tern_router_look(const struct tern_router *router, struct tern_router_stats *stats);

/** Counts of one reader. Any thread. */
TERN_API void tern_router_counts(const struct tern_router *router, uint32_t reader,
				 struct tern_router_counts *counts);

/** Kinds of lookups whose time is sampled. */
enum tern_router_path {
	TERN_PATH_LOCAL,
	TERN_PATH_REMOTE,
	TERN_PATH_ABSENT,  /**< known to be missing */
	TERN_PATH_UNKNOWN, /**< missing, and asked for */
	TERN_PATH_BATCH,   /**< a batch, whatever its size */
	TERN_PATH_CAPABILITY,
	TERN_PATHS,
};

/** Times of a reader's sampled lookups, ns: yields a copy. Any thread. */
TERN_API void tern_router_times(const struct tern_router *router, uint32_t reader,
				enum tern_router_path path, struct tern_histogram *times);

/** Capabilities whose lookups a reader counts apart. */
#define TERN_CAPABILITIES_COUNTED 64u

/** What lookups of a capability came to. */
struct tern_capability_counts {
	struct tern_id capability; /**< all zero: all that are not counted apart */
	uint64_t lookups;	   /**< of it: tern_router_providers() */
	uint64_t unknown;	   /**< of them, with nobody who can take signals */
	uint64_t answers;	   /**< agents told, all told */
	uint64_t timed;		   /**< of the lookups, timed: tern_router_options.sample_every */
	uint64_t ns, ns_max;	   /**< that these took: together, and the longest of them */
};

/**
 * What lookups by capability came to, of all readers: those looked up most come first. A reader
 * counts TERN_CAPABILITIES_COUNTED at most apart, fewer where their ids collide; all others are
 * together in the last one, whose id is zero. Each number is whole, but they are not of one moment.
 *
 * @param counts  yields up to `count_max`; 65 are enough where all readers look up the same
 * @return how many
 *
 * Context: any thread. Takes time by readers and capabilities: for control.
 */
TERN_API uint32_t tern_router_capabilities(const struct tern_router *router,
					   struct tern_capability_counts *counts,
					   uint32_t count_max);

/**
 * Note the name of a capability for people: the first 63 bytes. Of 256 capabilities that come first
 * it is kept for the router's life; of others, and a second one, it is not.
 *
 * Context: any thread; takes the router's lock where it is new.
 */
TERN_API void tern_router_label(struct tern_router *router, struct tern_id capability,
				const char *name);

/** That name; NULL: none is kept. Any thread; lends it for the router's life. */
TERN_API const char *tern_router_label_of(const struct tern_router *router,
					  struct tern_id capability);

/** What a router is to hold. */
struct tern_router_load {
	uint64_t agents; /**< in this process */
	uint64_t remote; /**< on other nodes */
	uint64_t absent; /**< missing ids remembered */
	uint64_t sets, members;
};

/**
 * Bytes that a router holds which was made for a load (its table's routes_expected, absent_max,
 * agents_expected) and has it, in pages of 4 KiB; agents in two sets each, none of them published,
 * none of other nodes gone.
 */
TERN_API struct tern_router_bytes tern_router_bytes(const struct tern_router_load *load,
						    uint32_t shards);

/**
 * Share memory out: 60 % for routes, 25 % for missing ids, 15 % for members of sets.
 *
 * @param bytes    to share, 1 MiB or more
 * @param options  its shards are used; yields routes_max, routes_expected, absent_max, sets_max,
 *                 members_max and agents_expected, where routes are taken to lead to other nodes,
 *                 agents to be in two sets, and sets to have sixteen members
 * @return 0; -EINVAL: too little memory
 */
TERN_API int tern_router_split(uint64_t bytes, struct tern_router_options *options);

#endif
