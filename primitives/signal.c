/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_signal.h"

#include <errno.h>

#include "engine/agent/routing.h"
#include "engine/agent/spill.h"
#include "engine/fiber/fiber.h"
#include "engine/fiber/waiter.h"
#include "engine/lcore/engine.h"
#include "engine/lcore/fiber_state.h"
#include "engine/mail/remote.h"
#include "engine/lcore/room.h"
#include "engine/mail/inbox.h"
#include "engine/thread.h"

/* Ids of a burst that are looked up together. */
#define LOOKED_UP 64u

/* Small copies of a length unknown to the compiler: two overlapping moves instead of a call. */
static inline void copy_small(unsigned char *to, const unsigned char *from, size_t size)
{
	if (size >= 16) {
		if (size > 32)
			memcpy(to + 16, from + 16, 16);
		memcpy(to, from, 16);
		memcpy(to + size - 16, from + size - 16, 16);
	} else if (size >= 8) {
		memcpy(to, from, 8);
		memcpy(to + size - 8, from + size - 8, 8);
	} else if (size >= 4) {
		memcpy(to, from, 4);
		memcpy(to + size - 4, from + size - 4, 4);
	} else {
		for (size_t i = 0; i < size; i++)
			to[i] = from[i];
	}
}

/* A fiber has tern_send() to wait with; others are told when it is worth trying again. */
static __attribute__((cold, noinline)) int refuse_send(struct tern_agent *self, tern_address to,
						       enum tern_pressure_source why,
						       uint64_t *counter, int code)
{
	struct tern_lcore *lcore = self->lcore;
	lcore->waiters.refused_to = to;
	lcore->waiters.refused_why = (uint32_t)why;
	if (counter)
		tern_count(counter, 1);
	if (code == -EAGAIN && !(self->flags & TERN_AGENT_FIBER))
		tern_waiter_refused(lcore, self, to, why == TERN_PRESSURE_LANE);
	return code;
}

/* Whether attached threads may still send; agents may until they end. */
static inline bool is_closed(const struct tern_lcore *lcore)
{
	return tern_unlikely(lcore->is_thread) &&
	       tern_engine_state(lcore->engine) != TERN_ENGINE_RUNNING;
}

static __attribute__((cold, noinline)) int refuse_receiver(struct tern_agent *self, tern_address to,
							   uint64_t entry)
{
	const struct tern_lcore *lcore = self->lcore;
	struct tern_lcore_stats *stats = &self->lcore->stats;
	if (tern_lcore_place(lcore, to) < lcore->slots && tern_dir_alive(entry, to) &&
	    !(entry & TERN_DIR_CLOSED))
		return refuse_send(self, to, TERN_PRESSURE_AGENT, &stats->refused_agent, -EAGAIN);
	return refuse_send(self, to, TERN_PRESSURE_NONE, &stats->refused_dead, -ESRCH);
}

/*
 * The receiver's directory entry: one line, read-mostly. Node and slot in one compare: another
 * node's address lies beyond the table.
 */
static inline uint64_t entry_of(const struct tern_lcore *lcore, tern_address to)
{
	uint64_t place = tern_lcore_place(lcore, to);
	return tern_likely(place < lcore->slots) ? tern_dir_load(lcore, (uint32_t)place)
						 : TERN_DIR_VACANT;
}

/**
 * The lane to a receiver, if the signal can go at once: the common case, without a call, so that
 * nothing has to be saved across one.
 */
static inline struct tern_lane_out *open_lane(struct tern_lcore *lcore, tern_address to)
{
	uint64_t entry = entry_of(lcore, to);
	struct tern_lane_out *out = &lcore->out[tern_dir_route(entry)];
	if (tern_unlikely(tern_dir_differs(entry, to) != 0 || is_closed(lcore) ||
			  tern_lane_spent(out)))
		return NULL;
	return out;
}

/* Everything else but a roaming agent: find a place, or say in `code` why there is none. */
static __attribute__((noinline)) struct tern_lane_out *
find_lane(struct tern_agent *self, tern_address to, uint64_t entry, int *code)
{
	struct tern_lcore *lcore = self->lcore;
	uint32_t route = tern_dir_route(entry);
	struct tern_lane_out *out = &lcore->out[route];
	if (tern_dir_differs(entry, to) != 0)
		*code = refuse_receiver(self, to, entry);
	else if (is_closed(lcore))
		*code = refuse_send(self, to, TERN_PRESSURE_NONE, NULL, -ESHUTDOWN);
	else if (tern_lane_spent(out) && !tern_lcore_find_credit(lcore, route))
		*code = refuse_send(self, to, TERN_PRESSURE_LANE, &lcore->stats.refused_lane,
				    -EAGAIN);
	else
		return out;
	return NULL;
}

/* A traced signal carries a stamp of its own. */
static __attribute__((cold, noinline)) uint32_t trace_send(struct tern_lcore *lcore,
							   struct tern_signal *slot)
{
	if (--lcore->trace_left != 0)
		return tern_lcore_stamp(lcore);
	lcore->trace_left = lcore->trace_every;
	slot->kind |= TERN_KIND_TRACED;
	return (uint32_t)(tern_clock_ticks(lcore->clock) >> 4);
}

/* Write what a slot says beside its payload and first word; returns the stamp for that. */
static inline uint32_t fill_header(struct tern_agent *self, struct tern_signal *slot,
				   tern_address to, uint32_t kind)
{
	struct tern_lcore *lcore = self->lcore;
	uint64_t word =
		(uint64_t)(kind << 24 | tern_address_generation(to)) << 32 | tern_address_slot(to);
	memcpy((unsigned char *)slot + 8, &word, sizeof(word));
	slot->from = self->address;
	tern_count(&self->signals_out, 1);
	tern_count(&lcore->signals.accepted, 1);
	if (tern_unlikely(lcore->trace_every))
		return trace_send(lcore, slot);
	return tern_lcore_stamp(lcore);
}

/* Complete the next slot of an open lane, whose payload is filled, and hand it over. */
static inline void finish_slot(struct tern_agent *self, struct tern_lane_out *out,
			       struct tern_signal *slot, tern_address to, uint16_t type,
			       uint32_t kind)
{
	uint32_t stamp = fill_header(self, slot, to, kind);
	tern_lane_push(out, slot, type, stamp);
}

/* Whoever asks goes on with the same reading of the entry: another lcore may change it any time. */
static bool is_roaming(const struct tern_lcore *lcore, tern_address to, uint64_t entry)
{
	return tern_dir_route(entry) == lcore->roam_route && tern_dir_differs(entry, to) == 0 &&
	       !is_closed(lcore);
}

/*
 * To a roaming agent: a slot of one's own, copied into the agent's ring. It counts as accepted
 * before it is put, because whoever takes it settles it; refused, the count is taken back.
 */
static int send_roaming(struct tern_agent *self, tern_address to, uint16_t type,
			struct tern_signal *slot, uint32_t kind)
{
	struct tern_lcore *lcore = self->lcore;
	slot->stamp = fill_header(self, slot, to, kind);
	slot->type = type;
	slot->sequence = 0; /* no delay in a lane */
	int code = tern_inbox_send(lcore, slot);
	if (tern_likely(code == 0))
		return 0;
	tern_count(&self->signals_out, -1ull);
	tern_count(&lcore->signals.accepted, -1ull);
	struct tern_lcore_stats *stats = &lcore->stats;
	if (code == -EAGAIN)
		return refuse_send(self, to, TERN_PRESSURE_AGENT, &stats->refused_agent, code);
	return refuse_send(self, to, TERN_PRESSURE_NONE, &stats->refused_dead, code);
}

static inline int put_bytes(struct tern_agent *self, struct tern_lane_out *out, tern_address to,
			    uint16_t type, const void *data, size_t size)
{
	struct tern_signal *slot = tern_lane_slot(out);
	copy_small(slot->payload.bytes, data, size);
	finish_slot(self, out, slot, to, type, (uint32_t)size);
	return 0;
}

/*
 * To another node: a slot of one's own, from which a link takes it. It counts as accepted before,
 * as with a roaming agent. What a node that lives says of its agent comes back later.
 */
static int send_remote(struct tern_agent *self, tern_address to, uint16_t type,
		       struct tern_signal *slot, uint32_t kind)
{
	struct tern_lcore *lcore = self->lcore;
	if (is_closed(lcore))
		return refuse_send(self, to, TERN_PRESSURE_NONE, NULL, -ESHUTDOWN);
	fill_header(self, slot, to, kind);
	slot->kind = (uint8_t)kind; /* none is traced beyond its node */
	slot->type = type;
	int code = lcore->remote->send(lcore, to, slot);
	if (tern_likely(code == 0))
		return 0;
	tern_count(&self->signals_out, -1ull);
	tern_count(&lcore->signals.accepted, -1ull);
	struct tern_lcore_stats *stats = &lcore->stats;
	if (code == -EBUSY)
		return refuse_send(self, to, TERN_PRESSURE_AGENT, &stats->refused_agent, -EAGAIN);
	if (code == -EAGAIN)
		return refuse_send(self, to, TERN_PRESSURE_PEER, &stats->refused_peer, code);
	return refuse_send(self, to, TERN_PRESSURE_NONE, &stats->refused_dead, code);
}

static __attribute__((noinline)) int bytes_slowly(struct tern_agent *self, tern_address to,
						  uint16_t type, const void *data, size_t size)
{
	int code = 0;
	uint64_t entry = entry_of(self->lcore, to);
	struct tern_signal slot;
	if (tern_lcore_is_remote(self->lcore, to)) {
		copy_small(slot.payload.bytes, data, size);
		return send_remote(self, to, type, &slot, (uint32_t)size);
	}
	if (is_roaming(self->lcore, to, entry)) {
		copy_small(slot.payload.bytes, data, size);
		return send_roaming(self, to, type, &slot, (uint32_t)size);
	}
	struct tern_lane_out *out = find_lane(self, to, entry, &code);
	return out ? put_bytes(self, out, to, type, data, size) : code;
}

int tern_signal_bytes(struct tern_agent *self, tern_address to, uint16_t type, const void *data,
		      size_t size)
{
	if (tern_unlikely(size > TERN_INLINE_MAX || type > TERN_TYPE_MAX))
		return refuse_send(self, to, TERN_PRESSURE_NONE, NULL, -EMSGSIZE);
	struct tern_lane_out *out = open_lane(self->lcore, to);
	if (tern_unlikely(!out))
		return bytes_slowly(self, to, type, data, size);
	return put_bytes(self, out, to, type, data, size);
}

static bool for_lane(const struct tern_lcore *lcore)
{
	return lcore->waiters.refused_why == TERN_PRESSURE_LANE;
}

/* An attached thread waits by handling what is sent to it, so not where it does that already. */
static bool is_waiting_thread(const struct tern_agent *self)
{
	return self->lcore->is_thread && !self->lcore->turn.is_on;
}

static int pass_until(struct tern_agent *self, uint64_t deadline, struct tern_patience *patience)
{
	if (tern_now(self) >= deadline)
		return -ETIMEDOUT;
	tern_thread_pass(self, patience);
	return 0;
}

/* Whether it is worth waiting: a lane always has a place again, an agent says so. */
static bool may_wait(const struct tern_lcore *lcore, tern_address to)
{
	if (lcore->waiters.refused_why == TERN_PRESSURE_LANE ||
	    lcore->waiters.refused_why == TERN_PRESSURE_PEER)
		return true;
	if (tern_lcore_is_remote(lcore, to))
		return true;
	uint64_t entry = tern_dir_load(lcore, tern_address_slot(to));
	/* Of one that died since it refused the next try says so. */
	return !tern_dir_alive(entry, to) || entry & TERN_DIR_BLOCKS;
}

int tern_send(struct tern_agent *self, tern_address to, uint16_t type, const void *data,
	      size_t size, uint64_t timeout_ns)
{
	struct tern_patience patience = {0};
	struct tern_fiber *fiber = tern_fiber_current(self);
	int code = tern_signal_bytes(self, to, type, data, size);
	if (tern_likely(code != -EAGAIN) || (!fiber && !is_waiting_thread(self)))
		return code;
	uint64_t deadline = tern_clock_deadline(self->lcore->clock, timeout_ns);
	while (code == -EAGAIN && may_wait(self->lcore, to)) {
		code = fiber ? tern_fiber_wait_receiver(fiber, to, deadline, for_lane(self->lcore))
			     : pass_until(self, deadline, &patience);
		if (code == 0)
			code = tern_signal_bytes(self, to, type, data, size);
	}
	return code;
}

uint32_t tern_signal_burst(struct tern_agent *self, tern_address to, uint16_t type,
			   const void *data, size_t size, uint32_t count)
{
	const unsigned char *from = data;
	for (uint32_t i = 0; i < count; i++) {
		int code = tern_signal_bytes(self, to, type, from + i * size, size);
		if (tern_unlikely(code != 0)) {
			tern_errno = -code;
			return i;
		}
	}
	return count;
}

int tern_signal_id(struct tern_agent *self, struct tern_id to, uint16_t type, const void *data,
		   size_t size)
{
	tern_address expected = tern_routing_expected(self->lcore, to), ahead = expected;
	/* Or gcc, knowing that they are equal, sends to the one found. */
	__asm__("" : "+r"(ahead));
	tern_address found = tern_routing_find(self, to);
	/* Predicted, so that the way to the receiver's lane does not wait for the table's line. */
	if (tern_likely(found == expected))
		return tern_signal_bytes(self, ahead | self->lcore->node_bits, type, data, size);
	if (tern_unlikely(!found))
		return -ENOENT;
	return tern_signal_bytes(self, tern_routing_full(self->lcore, found), type, data, size);
}

/* Where ids lead; their lines of the directory, whose misses overlap as well, are asked for. */
static inline __attribute__((always_inline)) void
look_up(struct tern_agent *self, const struct tern_id *ids, uint32_t count, tern_address *found)
{
	const struct tern_lcore *lcore = self->lcore;
	tern_routing_find_batch(self, ids, count, found);
	for (uint32_t i = 0; i < count; i++) {
		__builtin_prefetch(&lcore->directory[found[i] >> TERN_ADDRESS_GENERATION_BITS]);
		found[i] = tern_routing_full(lcore, found[i]);
	}
}

uint32_t tern_signal_id_burst(struct tern_agent *self, const struct tern_id *to, uint16_t type,
			      const void *data, size_t size, uint32_t count)
{
	const unsigned char *from = data;
	tern_address found[LOOKED_UP];
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = i % LOOKED_UP, left = count - i;
		if (at == 0)
			look_up(self, to + i, left < LOOKED_UP ? left : LOOKED_UP, found);
		int code = found[at]
				   ? tern_signal_bytes(self, found[at], type, from + i * size, size)
				   : -ENOENT;
		if (tern_unlikely(code != 0)) {
			tern_errno = -code;
			return i;
		}
	}
	return count;
}

uint32_t tern_signal_id_each(struct tern_agent *self, const struct tern_id *to, uint16_t type,
			     const void *data, size_t size, uint32_t count, int *codes)
{
	const unsigned char *from = data;
	tern_address found[LOOKED_UP];
	uint32_t accepted = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = i % LOOKED_UP, left = count - i;
		if (at == 0)
			look_up(self, to + i, left < LOOKED_UP ? left : LOOKED_UP, found);
		codes[i] = found[at]
				   ? tern_signal_bytes(self, found[at], type, from + i * size, size)
				   : -ENOENT;
		accepted += codes[i] == 0;
	}
	return accepted;
}

static void *depart_block(struct tern_agent *self, void *pointer, uint32_t kind)
{
	if (kind != TERN_KIND_ISO)
		return pointer;
	return tern_block_depart(&self->lcore->heap, pointer, self->behaviour->name, self->address);
}

/* Once it is in the ring it is too late to depart. */
static int send_block_roaming(struct tern_agent *self, tern_address to, uint16_t type,
			      void *pointer, uint32_t kind)
{
	struct tern_signal slot = {.payload.iso = depart_block(self, pointer, kind)};
	int code = send_roaming(self, to, type, &slot, kind);
	if (tern_unlikely(code != 0) && kind == TERN_KIND_ISO)
		tern_block_stay(&self->lcore->heap, pointer, (struct tern_block *)slot.payload.iso);
	return code;
}

static __attribute__((cold, noinline)) int send_block_remote(struct tern_agent *self,
							     tern_address to, uint16_t type,
							     void *pointer, uint32_t kind)
{
	struct tern_signal slot = {.payload.iso = pointer};
	return send_remote(self, to, type, &slot, kind);
}

/* Blocks travel as a pointer; only a send that is sure to succeed lets the block depart. In each of
 * its callers `kind` is a constant, which saves 27 instructions. */
static inline __attribute__((always_inline)) int
send_block(struct tern_agent *self, tern_address to, uint16_t type, void *pointer, uint32_t kind)
{
	int code = 0;
	if (tern_unlikely(type > TERN_TYPE_MAX))
		return refuse_send(self, to, TERN_PRESSURE_NONE, NULL, -EMSGSIZE);
	uint64_t entry = entry_of(self->lcore, to);
	if (tern_unlikely(entry == TERN_DIR_VACANT) && tern_lcore_is_remote(self->lcore, to))
		return send_block_remote(self, to, type, pointer, kind);
	if (is_roaming(self->lcore, to, entry))
		return send_block_roaming(self, to, type, pointer, kind);
	struct tern_lane_out *out = find_lane(self, to, entry, &code);
	if (tern_unlikely(!out))
		return code;
	struct tern_signal *slot = tern_lane_slot(out);
	slot->payload.iso = depart_block(self, pointer, kind);
	finish_slot(self, out, slot, to, type, kind);
	return 0;
}

tern_iso *tern_signal_iso(struct tern_agent *self, tern_address to, uint16_t type, tern_iso *iso)
{
	int code = send_block(self, to, type, iso, TERN_KIND_ISO);
	if (tern_likely(code == 0))
		return NULL;
	tern_errno = -code;
	return iso;
}

const tern_val *tern_signal_val(struct tern_agent *self, tern_address to, uint16_t type,
				const tern_val *val)
{
	int code = send_block(self, to, type, (void *)(uintptr_t)val, TERN_KIND_VAL);
	if (tern_likely(code == 0))
		return NULL;
	tern_errno = -code;
	return val;
}

int tern_signal_tag(struct tern_agent *self, tern_address to, uint16_t type, tern_tag *tag)
{
	return send_block(self, to, type, tag, TERN_KIND_TAG);
}

/* Ended by force, the fiber does not come back: the engine then has the block. */
static int wait_with(struct tern_fiber *fiber, tern_address to, tern_iso *iso, uint64_t deadline)
{
	fiber->sending = iso;
	int code = tern_fiber_wait_receiver(fiber, to, deadline, for_lane(fiber->agent->lcore));
	fiber->sending = NULL;
	return code;
}

tern_iso *tern_signal_wait(struct tern_agent *self, tern_address to, uint16_t type, tern_iso *iso,
			   uint64_t timeout_ns)
{
	struct tern_patience patience = {0};
	struct tern_fiber *fiber = tern_fiber_current(self);
	if (!fiber && !is_waiting_thread(self)) {
		tern_errno = EDEADLK;
		return iso;
	}
	uint64_t deadline = tern_clock_deadline(self->lcore->clock, timeout_ns);
	for (;;) {
		int code = send_block(self, to, type, iso, TERN_KIND_ISO);
		if (code == 0)
			return NULL;
		tern_errno = -code;
		if (code != -EAGAIN)
			return iso;
		code = fiber ? wait_with(fiber, to, iso, deadline)
			     : pass_until(self, deadline, &patience);
		if (code != 0) {
			tern_errno = -code;
			return iso;
		}
	}
}

void tern_pressure(const struct tern_agent *self, struct tern_pressure *pressure)
{
	const struct tern_lcore *lcore = self->lcore;
	tern_address to = lcore->waiters.refused_to;
	*pressure = (struct tern_pressure){
		.source = (enum tern_pressure_source)lcore->waiters.refused_why, .culprit = to};
	if (lcore->waiters.refused_why == TERN_PRESSURE_NONE || tern_lcore_is_remote(lcore, to))
		return;
	uint32_t route = tern_dir_route(tern_dir_load(lcore, tern_address_slot(to)));
	const struct tern_lcore *home =
		route == lcore->roam_route ? tern_load(&lcore->agents[tern_address_slot(to)].lcore)
					   : &lcore->engine->lcores[route >> 1];
	pressure->lcore = home->index;
	if (lcore->waiters.refused_why == TERN_PRESSURE_AGENT) {
		const struct tern_agent *agent = &lcore->agents[tern_address_slot(to)];
		pressure->queued = tern_load(&agent->mailbox.queued);
		return;
	}
	const struct tern_lane_out *out = &lcore->out[route];
	pressure->culprit = tern_load(&lcore->agents[tern_load(&home->turn.running)].address);
	pressure->queued = out->lane ? out->tail - tern_load(&out->lane->head) : 0;
}
