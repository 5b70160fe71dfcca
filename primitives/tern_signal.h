/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_SIGNAL_H
#define TERN_SIGNAL_H

#include "tern_agent.h"

/*
 * Sending. Every form takes the sender (an agent in its own functions, or an attached thread in
 * its own thread), the receiver's address and a type 0..TERN_TYPE_MAX.
 *
 * Order: signals from one agent to another arrive in the order sent, whichever form is used.
 * Accepted (0 or NULL) means handled, or reported: by the receiver's mailbox policy, as returned
 * (TERN_EVENT_RETURNED), or in the stop report. What comes back to one that has ended, too, or
 * faster than its senders look, beyond a quarter of the returning lcore's mailbox memory, is
 * counted as lost (tern_lcore_stats).
 *
 * Mailbox memory (memory.mailbox_mib, for each lcore) is shared: the more of it is used, the less
 * one agent may hold before it refuses, or drops, as if its mailbox were full. So whoever holds
 * much stops first, and whoever holds nothing is served.
 *
 * Refused, nothing is consumed, with one of
 *   EAGAIN     the lane or the receiver's mailbox is full: tern_pressure() names which. A handler
 *              and a thread are told when it is worth trying again (TERN_EVENT_RELEASED)
 *   ESRCH      the address is dead; or of another node, and this engine has no network
 *   EHOSTUNREACH  the address is of another node, and there is no connection to that
 *   EMSGSIZE   more than TERN_INLINE_MAX bytes by value, or a type above TERN_TYPE_MAX
 *   ESHUTDOWN  the engine is stopping and the sender is an attached thread
 *
 * Cost: reads one line of the address table (shared, read-mostly), writes one line of the lane.
 */

/**
 * Send up to 40 bytes by value. A pointer among them is sent like any other bytes: nothing keeps
 * sender and receiver from changing what it points to at once; a block (tern_signal()) does.
 *
 * @return 0, or a negative errno from the list above
 */
TERN_API int tern_signal_bytes(struct tern_agent *self, tern_address to, uint16_t type,
			       const void *data, size_t size) TERN_CHECKED;

/**
 * Send up to TERN_INLINE_MAX bytes, waiting for a place while the receiver's mailbox policy is
 * TERN_POLICY_BLOCK and it is above high water, or while the lane is full. While a fiber waits its
 * lcore runs others, and it hears of events. An attached thread handles what is sent to it, and in
 * polled mode polls the lcores as in tern_wait(). In a handler, a thread's own included, as
 * tern_signal_bytes().
 *
 * @param timeout_ns  longest wait; TERN_FOREVER
 * @return as tern_signal_bytes(); -ETIMEDOUT; -ECANCELED: asked to finish, not sent; -EAGAIN: the
 *         policy is another, or the caller must not wait
 */
TERN_API int tern_send(struct tern_agent *self, tern_address to, uint16_t type, const void *data,
		       size_t size, uint64_t timeout_ns) TERN_CHECKED;

/**
 * As tern_signal_bytes(), to whoever has an id: one lookup in the routing table more.
 *
 * @return as tern_signal_bytes() (-ESRCH: it is just ending); -ENOENT: nobody has the id
 */
TERN_API int tern_signal_id(struct tern_agent *self, struct tern_id to, uint16_t type,
			    const void *data, size_t size) TERN_CHECKED;

/**
 * Send payloads of one size, each to whoever has an id of its own, in order. The ids are looked up
 * together, so that the misses of many overlap.
 *
 * @param to    count ids
 * @param data  count payloads of `size` bytes, one after the other
 * @return payloads accepted, from the front; fewer than `count`: tern_errno says why
 */
TERN_API uint32_t tern_signal_id_burst(struct tern_agent *self, const struct tern_id *to,
				       uint16_t type, const void *data, size_t size,
				       uint32_t count);

/**
 * As tern_signal_id_burst(), but a refusal stops nobody after it: each id gets a result of its own.
 * Who is refused one payload may be given a later one: to keep the order of those for an id that
 * stands there twice, stop at the first as tern_signal_id_burst() does.
 *
 * @param codes  yields for each id what tern_signal_id() returns
 * @return payloads accepted; tern_errno stays, tern_pressure() is about the last refusal
 */
TERN_API uint32_t tern_signal_id_each(struct tern_agent *self, const struct tern_id *to,
				      uint16_t type, const void *data, size_t size, uint32_t count,
				      int *codes);

/**
 * Send several payloads of one size to one receiver, in order.
 *
 * @param data  count payloads of `size` bytes, one after the other
 * @return payloads accepted, from the front; fewer than `count`: tern_errno says why
 */
TERN_API uint32_t tern_signal_burst(struct tern_agent *self, tern_address to, uint16_t type,
				    const void *data, size_t size, uint32_t count) TERN_CHECKED;

/**
 * Send a block that only its receiver may then touch. Consumes `iso`.
 *
 * @return NULL: sent. Refused: the same block as a new pointer, with the reason in tern_errno
 */
TERN_API tern_iso *tern_signal_iso(struct tern_agent *self, tern_address to, uint16_t type,
				   tern_iso *iso) TERN_CHECKED TERN_GIVES_ISO;

/** Send one count of a shared block. Consumes that count; refused, hands it back as above. */
TERN_API const tern_val *tern_signal_val(struct tern_agent *self, tern_address to, uint16_t type,
					 const tern_val *val) TERN_CHECKED TERN_GIVES_VAL;

/** Send an identity. Returns 0, or a negative errno. */
TERN_API int tern_signal_tag(struct tern_agent *self, tern_address to, uint16_t type,
			     tern_tag *tag) TERN_CHECKED;

/**
 * Send an identity that outlives an address: who gets it (tern_signal_id_of()) reaches the agent
 * wherever it lives by then, with tern_signal_id(). As tern_signal_bytes().
 */
static inline TERN_CHECKED int tern_signal_tag_id(struct tern_agent *self, tern_address to,
						  uint16_t type, struct tern_id id)
{
	return tern_signal_bytes(self, to, type, &id, sizeof(id));
}

/** Never defined: the compiler explains why a call to it is refused. */
int tern_signal_ref(struct tern_agent *self, tern_address to, uint16_t type, tern_ref *ref)
	__attribute__((error("a tern_ref is local to its agent and cannot be sent: "
			     "make it an iso again with tern_ref_recover()")));

/** Send a block or tag by its capability: iso, val or tag; a ref does not compile. */
#define tern_signal(self, to, type, payload) \
	_Generic((payload),                       \
		tern_iso *: tern_signal_iso,      \
		const tern_val *: tern_signal_val, \
		tern_tag *: tern_signal_tag,      \
		tern_ref *: tern_signal_ref)(self, to, type, payload)

/**
 * Send a block, waiting until it is accepted. Consumes `iso`.
 *
 * A thread handles what is sent to it while it waits, so that two sides cannot wait for each other,
 * and in polled mode polls the lcores as in tern_wait().
 *
 * @param timeout_ns  longest wait
 * @return NULL: sent; refused for good or timed out: the block, tern_errno as above or ETIMEDOUT
 *
 * Context: attached threads; fibers, which wait for whatever refuses and let others run
 * (ECANCELED: asked to finish); a handler must not wait (EDEADLK).
 */
TERN_API tern_iso *tern_signal_wait(struct tern_agent *self, tern_address to, uint16_t type,
				    tern_iso *iso, uint64_t timeout_ns) TERN_CHECKED TERN_GIVES_ISO;

/* Every block that was given may also be consumed by a send: see TERN_GIVES. */
#define TERN_SENDS_ISO TERN_GIVES(tern_signal_iso, 4) TERN_GIVES(tern_signal_wait, 4)
#define TERN_SENDS_VAL TERN_GIVES(tern_signal_val, 4)
TERN_API tern_iso *tern_iso_create(struct tern_heap *heap, size_t size) TERN_SENDS_ISO;
TERN_API tern_iso *tern_ref_recover(tern_ref *ref) TERN_SENDS_ISO;
TERN_API tern_iso *tern_signal_iso(struct tern_agent *self, tern_address to, uint16_t type,
				   tern_iso *iso) TERN_SENDS_ISO;
TERN_API tern_iso *tern_signal_wait(struct tern_agent *self, tern_address to, uint16_t type,
				    tern_iso *iso, uint64_t timeout_ns) TERN_SENDS_ISO;
TERN_API const tern_val *tern_iso_freeze(tern_iso *iso) TERN_SENDS_VAL;
TERN_API const tern_val *tern_val_share(const tern_val *val) TERN_SENDS_VAL;
TERN_API const tern_val *tern_signal_val(struct tern_agent *self, tern_address to, uint16_t type,
					 const tern_val *val) TERN_SENDS_VAL;
#ifdef TERN_ANALYZE
tern_iso *tern_val_thaw_seen(tern_val *val) TERN_SENDS_ISO;
tern_iso *tern_signal_take_iso(struct tern_signal *signal) TERN_SENDS_ISO;
const tern_val *tern_signal_take_val(struct tern_signal *signal) TERN_SENDS_VAL;
#else
TERN_API tern_iso *(tern_val_thaw)(const tern_val *val)TERN_SENDS_ISO;
#endif

/** What refused the last send of this agent or thread. */
enum tern_pressure_source {
	TERN_PRESSURE_NONE,  /**< the last refusal was no pressure */
	TERN_PRESSURE_LANE,  /**< the receiver's lcore does not keep up with this one */
	TERN_PRESSURE_AGENT, /**< the receiver is above high water */
	TERN_PRESSURE_PEER,  /**< the connection to the receiver's node takes no more now */
};

struct tern_pressure {
	enum tern_pressure_source source;
	tern_address
		culprit; /**< the agent that does not keep up; lane: the agent its lcore runs */
	uint32_t lcore;	 /**< where the culprit runs; of another node: 0 */
	uint32_t queued; /**< signals waiting there: in the lane or in the mailbox; of another node: 0 */
};

/** Say who is to blame for the last -EAGAIN. Context: the sender's. */
TERN_API void tern_pressure(const struct tern_agent *self, struct tern_pressure *pressure);

#endif
