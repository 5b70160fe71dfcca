/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Agents that send, and what is held against the links: each signal is a function of its stream and
 * number, so that whoever gets it knows all that it must be.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

enum { SLOT_SENDER = 1, SLOT_RECEIVER = 100 };

/** A signal as it must be. */
struct letter {
	uint32_t kind; /* as of a signal, without RETURNED */
	uint32_t size;
	bool is_returned;
	uint16_t type;
	uint64_t key;
	uint32_t to_generation;
	struct tern_rng filler;
};

static uint32_t stream_index(const struct sim *sim, uint32_t from, uint32_t agent, uint32_t life,
			     uint32_t to, uint32_t receiver)
{
	uint32_t at = from * SIM_AGENTS + agent;
	at = at * SIM_LIVES_MAX + life % SIM_LIVES_MAX;
	return (at * sim->core_count + to) * SIM_AGENTS + receiver;
}

static uint32_t stream_count(const struct sim *sim)
{
	return sim->core_count * SIM_AGENTS * SIM_LIVES_MAX * sim->core_count * SIM_AGENTS;
}

static uint32_t draw(struct tern_rng *rng, uint32_t below)
{
	return (uint32_t)(tern_rng_next(rng) % below);
}

static void letter_make(const struct sim *sim, uint32_t stream, uint32_t number,
			struct letter *letter)
{
	struct tern_rng rng = tern_rng_stream(sim->seed ^ stream, number);
	uint32_t choice = draw(&rng, 1000);
	*letter = (struct letter){.type = (uint16_t)draw(&rng, 0xFEFF),
				  .is_returned = draw(&rng, 20) == 0,
				  .key = draw(&rng, 2) ? tern_rng_next(&rng) | 1 : 0,
				  .to_generation = draw(&rng, 1 << 24)};
	if (choice < sim->plan.fragments + sim->plan.blocks) {
		uint32_t most = choice < sim->plan.fragments ? 20000 : 1200;
		letter->kind = draw(&rng, 2) ? TERN_KIND_ISO : TERN_KIND_VAL;
		letter->size = 4 + draw(&rng, most);
		if (choice < sim->plan.fragments && draw(&rng, 10) == 0)
			letter->size = TERN_BLOCK_SIZE_MAX - draw(&rng, 2);
	} else if (choice < 950) {
		letter->size = 4 + draw(&rng, TERN_INLINE_MAX - 3);
		letter->kind = letter->size;
	} else {
		letter->kind = TERN_KIND_TAG;
		letter->size = 8;
	}
	letter->filler = rng;
}

/* Begins with the number; the rest is the letter's own. */
static void letter_fill(const struct letter *letter, uint32_t number, unsigned char *bytes)
{
	struct tern_rng rng = letter->filler;
	memcpy(bytes, &number, sizeof(number));
	for (uint32_t at = sizeof(number); at < letter->size; at += 8) {
		uint64_t word = tern_rng_next(&rng);
		memcpy(bytes + at, &word, RTE_MIN(letter->size - at, 8u));
	}
}

static bool letter_write(struct sim_core *core, const struct letter *letter, uint32_t number,
			 struct tern_signal *signal)
{
	signal->type = letter->type;
	signal->kind = (uint8_t)(letter->kind | (letter->is_returned ? TERN_KIND_RETURNED : 0));
	signal->to_generation = letter->to_generation & TERN_ADDRESS_GENERATION_MASK;
	if (letter->kind != TERN_KIND_ISO && letter->kind != TERN_KIND_VAL) {
		letter_fill(letter, number, signal->payload.bytes);
		return true;
	}
	tern_iso *iso = tern_iso_create(&core->heap, letter->size);
	if (!iso)
		return false;
	letter_fill(letter, number, tern_iso_data(iso));
	signal->payload.iso = iso;
	return true;
}

static void drop_block(struct sim_core *core, const struct tern_signal *signal)
{
	uint32_t kind = signal->kind & TERN_KIND_MASK;
	if (kind == TERN_KIND_ISO || kind == TERN_KIND_VAL)
		tern_iso_drop(&core->heap, signal->payload.iso);
}

static const unsigned char *bytes_of(const struct tern_signal *signal, uint32_t *size)
{
	uint32_t kind = signal->kind & TERN_KIND_MASK;
	if (kind == TERN_KIND_ISO || kind == TERN_KIND_VAL) {
		*size = (uint32_t)tern_block_size(signal->payload.iso);
		return tern_iso_data(signal->payload.iso);
	}
	*size = kind == TERN_KIND_TAG ? 8 : kind;
	return signal->payload.bytes;
}

/* Whether a signal is the letter that its stream and number say. Returns the number. */
static uint32_t letter_check(const struct sim *sim, uint32_t stream,
			     const struct tern_signal *signal)
{
	static unsigned char wanted[TERN_BLOCK_SIZE_MAX + 8];
	struct letter letter;
	uint32_t number, size;
	const unsigned char *bytes = bytes_of(signal, &size);
	if (size < sizeof(number))
		sim_fail(sim, "a signal of %u bytes was forged", size);
	memcpy(&number, bytes, sizeof(number));
	if (number >= sim->streams[stream].count)
		sim_fail(sim, "stream %u: signal %u was never accepted", stream, number);
	letter_make(sim, stream, number, &letter);
	letter_fill(&letter, number, wanted);
	if (size != letter.size || memcmp(bytes, wanted, size) != 0 ||
	    (signal->kind & TERN_KIND_MASK) != letter.kind || signal->type != letter.type ||
	    signal->to_generation != letter.to_generation ||
	    !!(signal->kind & TERN_KIND_RETURNED) != letter.is_returned)
		sim_fail(sim, "stream %u: signal %u was altered", stream, number);
	return number;
}

static uint8_t *mark_push(struct sim *sim, struct sim_stream *stream)
{
	if (stream->count == stream->room) {
		stream->room = stream->room ? 2 * stream->room : 64;
		stream->marks = realloc(stream->marks, stream->room);
		if (!stream->marks)
			sim_fail(sim, "no memory");
	}
	stream->marks[stream->count] = 0;
	return &stream->marks[stream->count++];
}

void sim_agent_send(struct sim_core *core)
{
	struct sim *sim = core->sim;
	uint32_t to = sim_pick(sim, sim->core_count), agent = sim_pick(sim, SIM_AGENTS);
	uint32_t receiver = sim_pick(sim, SIM_AGENTS), life = sim->nodes[core->node].life;
	struct tern_link *link = core->links[to];
	if (!link)
		return;
	uint32_t index = stream_index(sim, core->number, agent, life, to, receiver);
	struct sim_stream *stream = &sim->streams[index];
	struct letter letter;
	struct tern_signal signal = {
		.to_slot = SLOT_RECEIVER + receiver,
		.from = tern_address_make(0, SLOT_SENDER + agent, life & 0xFFFFFFu)};
	letter_make(sim, index, stream->count, &letter);
	if (!letter_write(core, &letter, stream->count, &signal))
		return;
	/* Callbacks may look it up while the call is on. */
	mark_push(sim, stream);
	if (tern_link_send(link, &signal, letter.key) == 0) {
		core->accepted[to]++;
		sim->totals.accepted++;
		sim->totals.blocks += letter.size > TERN_INLINE_MAX;
		sim->totals.large += letter.size > sim->plan.frame_max;
		return;
	}
	stream->count--;
	sim->totals.refused++;
	core->owes_relief[to] = true;
	drop_block(core, &signal);
}

/* Callbacks may send, on the same link or another. */
static void reply(struct sim_core *core)
{
	struct sim *sim = core->sim;
	if (core->is_calling || sim->is_healing || sim->is_over ||
	    !sim_chance(sim, sim->plan.replies))
		return;
	core->is_calling = true;
	for (uint32_t i = sim_pick(sim, 3); i > 0; i--)
		sim_agent_send(core);
	core->is_calling = false;
}

static uint32_t number_of(const struct sim_core *core, const struct tern_link *link)
{
	uint32_t number = 0;
	while (core->links[number] != link)
		number++;
	return number;
}

static bool refuses(struct sim_core *core)
{
	struct sim *sim = core->sim;
	if (sim->is_healing)
		return false;
	if (sim_chance(sim, sim->plan.refusals))
		core->refuses_until_ns = sim->now_ns + sim_pick(sim, 3 * SIM_MS);
	return sim->now_ns < core->refuses_until_ns;
}

static bool deliver(void *owner, struct tern_link *link, struct tern_signal *signal, uint64_t key)
{
	struct sim_core *core = owner;
	struct sim *sim = core->sim;
	uint32_t from = number_of(core, link);
	struct letter letter;
	if (refuses(core))
		return false;
	if (tern_address_node(signal->from) != sim->cores[from].node + 1)
		sim_fail(sim, "a signal says that it comes from another node");
	uint32_t index = stream_index(sim, from, tern_address_slot(signal->from) - SLOT_SENDER,
				      tern_address_generation(signal->from), core->number,
				      signal->to_slot - SLOT_RECEIVER);
	struct sim_stream *stream = &sim->streams[index];
	uint32_t number = letter_check(sim, index, signal);
	letter_make(sim, index, number, &letter);
	if (letter.key != key)
		sim_fail(sim, "stream %u: signal %u has another key", index, number);
	if (stream->marks[number] & SIM_DELIVERED)
		sim_fail(sim, "stream %u: signal %u came twice", index, number);
	if (stream->marks[number] & SIM_NOT_SENT)
		sim_fail(sim, "stream %u: signal %u came, not sent as it is", index, number);
	if (number <= stream->last)
		sim_fail(sim, "stream %u: signal %u came after %ld", index, number,
			 (long)stream->last);
	stream->marks[number] |= SIM_DELIVERED;
	stream->last = number;
	sim->totals.delivered++;
	sim_note(sim, 6, (uint64_t)index << 32 | number);
	drop_block(core, signal);
	reply(core);
	return true;
}

static void settle(void *owner, struct tern_link *link, uint64_t count)
{
	struct sim_core *core = owner;
	core->settled[number_of(core, link)] += count;
	sim_note(core->sim, 7, count);
	reply(core);
}

static void give_back(void *owner, struct tern_link *link, struct tern_signal *signal,
		      enum tern_fate fate)
{
	struct sim_core *core = owner;
	struct sim *sim = core->sim;
	uint32_t to = number_of(core, link);
	core->back[to]++;
	uint32_t index = stream_index(
		sim, core->number, tern_address_slot(signal->from) - SLOT_SENDER,
		tern_address_generation(signal->from), to, signal->to_slot - SLOT_RECEIVER);
	struct sim_stream *stream = &sim->streams[index];
	uint32_t number = letter_check(sim, index, signal);
	uint8_t *mark = &stream->marks[number];
	if (number <= stream->last_back)
		sim_fail(sim, "stream %u: signal %u comes back after %ld", index, number,
			 (long)stream->last_back);
	if (fate == TERN_FATE_NOT_SENT && *mark & SIM_DELIVERED)
		sim_fail(sim, "stream %u: signal %u has come, not sent as it is", index, number);
	*mark |= fate == TERN_FATE_NOT_SENT ? SIM_NOT_SENT : SIM_UNKNOWN;
	stream->last_back = number;
	if (fate == TERN_FATE_NOT_SENT)
		sim->totals.not_sent++;
	else
		sim->totals.unknown++;
	sim_note(sim, 8, (uint64_t)index << 32 | number);
	drop_block(core, signal);
	reply(core);
}

static void opened(void *owner, struct tern_link *link)
{
	struct sim_core *core = owner;
	sim_note(core->sim, 9, number_of(core, link));
	reply(core);
}

static void check_account(const struct sim_core *core, uint32_t to)
{
	if (core->accepted[to] != core->settled[to] + core->back[to])
		sim_fail(core->sim, "lcore %u to %u: %lu accepted, %lu settled, %lu given back",
			 core->number, to, (unsigned long)core->accepted[to],
			 (unsigned long)core->settled[to], (unsigned long)core->back[to]);
}

static void closed(void *owner, struct tern_link *link, enum tern_link_end why,
		   uint64_t acknowledged)
{
	struct sim_core *core = owner;
	uint32_t to = number_of(core, link);
	if (why == TERN_LINK_BROKEN)
		sim_fail(core->sim, "lcore %u to %u: the protocol was broken", core->number, to);
	sim_note(core->sim, 10, acknowledged << 8 | why);
	check_account(core, to);
	reply(core);
}

static void relieved(void *owner, struct tern_link *link)
{
	struct sim_core *core = owner;
	uint32_t to = number_of(core, link);
	if (!core->owes_relief[to])
		sim_fail(core->sim, "relieved, and nothing was refused");
	core->owes_relief[to] = false;
	reply(core);
}

const struct tern_link_ops sim_ops = {.deliver = deliver,
				      .settle = settle,
				      .give_back = give_back,
				      .opened = opened,
				      .closed = closed,
				      .relieved = relieved};

void sim_agents_start(struct sim *sim)
{
	sim->streams = calloc(stream_count(sim), sizeof(*sim->streams));
	if (!sim->streams)
		sim_fail(sim, "no memory");
	for (uint32_t i = 0; i < stream_count(sim); i++) {
		sim->streams[i].last = -1;
		sim->streams[i].last_back = -1;
	}
}

void sim_agents_stop(struct sim *sim)
{
	for (uint32_t i = 0; i < stream_count(sim); i++)
		free(sim->streams[i].marks);
	free(sim->streams);
}

void sim_agents_begin(struct sim_core *core, uint32_t number)
{
	core->accepted[number] = 0;
	core->settled[number] = 0;
	core->back[number] = 0;
	core->owes_relief[number] = false;
}

static void excuse_stream(struct sim *sim, struct sim_stream *stream)
{
	for (uint32_t i = stream->first_open; i < stream->count; i++)
		sim->totals.excused += stream->marks[i] == 0;
	stream->first_open = stream->count;
}

void sim_agents_excuse(struct sim *sim, uint32_t node)
{
	uint32_t index = 0;
	for (uint32_t from = 0; from < sim->core_count; from++)
		for (uint32_t i = 0; i < SIM_AGENTS * SIM_LIVES_MAX; i++)
			for (uint32_t to = 0; to < sim->core_count; to++)
				for (uint32_t j = 0; j < SIM_AGENTS; j++, index++)
					if (sim->cores[from].node == node ||
					    sim->cores[to].node == node)
						excuse_stream(sim, &sim->streams[index]);
}

static bool stream_is_done(struct sim_stream *stream)
{
	while (stream->first_open < stream->count && stream->marks[stream->first_open])
		stream->first_open++;
	return stream->first_open == stream->count;
}

bool sim_agents_are_done(struct sim *sim)
{
	for (uint32_t i = 0; i < stream_count(sim); i++)
		if (sim->streams[i].count && !stream_is_done(&sim->streams[i]))
			return false;
	for (uint32_t i = 0; i < sim->core_count; i++)
		for (uint32_t j = 0; j < sim->core_count; j++)
			if (sim->cores[i].links[j] &&
			    (sim->cores[i].owes_relief[j] ||
			     sim->cores[i].accepted[j] !=
				     sim->cores[i].settled[j] + sim->cores[i].back[j]))
				return false;
	return true;
}

void sim_agents_check(struct sim *sim)
{
	for (uint32_t i = 0; i < stream_count(sim); i++)
		if (!stream_is_done(&sim->streams[i]))
			sim_fail(sim, "stream %u: signal %u of %u is lost", i,
				 sim->streams[i].first_open, sim->streams[i].count);
	for (uint32_t i = 0; i < sim->core_count; i++) {
		for (uint32_t j = 0; j < sim->core_count; j++) {
			if (!sim->cores[i].links[j])
				continue;
			check_account(&sim->cores[i], j);
			if (sim->cores[i].owes_relief[j])
				sim_fail(sim, "lcore %u to %u: never relieved", i, j);
		}
	}
}
