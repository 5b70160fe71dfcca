/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Agents that send to each other, and what is checked of each signal: handled once and in order by
 * the life that it was for, its bytes whole; or given back, and then not handled but where it is
 * said to be unknown.
 */
#include "nodes.h"

#include <stdlib.h>
#include <string.h>

enum { WAKE = 1, MESSAGE = 2, BURST_MAX = 12, BLOCK_MAX = 6000 };

struct message {
	uint32_t sender, receiver;
	uint64_t number, check;
};

static uint64_t check_of(const struct message *message)
{
	struct tern_rng mix = {.state = (uint64_t)message->sender << 40 ^
					(uint64_t)message->receiver << 20 ^ message->number};
	return tern_rng_next(&mix);
}

static struct stream *stream_of(const struct nodes *nodes, uint32_t sender, uint32_t receiver)
{
	return &nodes->streams[(size_t)sender * ACTORS_MAX + receiver];
}

static uint8_t *mark_of(const struct nodes *nodes, const struct message *message)
{
	struct stream *stream = stream_of(nodes, message->sender, message->receiver);
	if (message->check != check_of(message) || message->number >= stream->count)
		nodes_fail(nodes, "a signal that nobody sent: %u to %u, number %llu",
			   message->sender, message->receiver, (unsigned long long)message->number);
	return &stream->marks[message->number];
}

static void handle_message(struct actor *actor, const struct message *message)
{
	struct nodes *nodes = actor->nodes;
	uint8_t *mark = mark_of(nodes, message);
	struct stream *stream = stream_of(nodes, message->sender, message->receiver);
	if (message->receiver != actor->id)
		nodes_fail(nodes, "a signal for %u came to %u", message->receiver, actor->id);
	if (*mark & MARK_HANDLED)
		nodes_fail(nodes, "%u got number %llu of %u twice", actor->id,
			   (unsigned long long)message->number, message->sender);
	if (*mark & MARK_RETURNED)
		nodes_fail(nodes, "a signal that was not sent was handled");
	if (stream->has_last && message->number < stream->last)
		nodes_fail(nodes, "%u got number %llu of %u after %llu", actor->id,
			   (unsigned long long)message->number, message->sender,
			   (unsigned long long)stream->last);
	stream->has_last = true;
	stream->last = message->number;
	*mark |= MARK_HANDLED;
	actor->handled++;
	nodes_note(nodes, 1ull << 60 | (uint64_t)actor->id << 40 | message->number);
}

static const struct message *message_in(const struct nodes *nodes, const struct tern_signal *signal,
					tern_iso *iso)
{
	if (!iso)
		return tern_signal_data(signal);
	const struct message *message = tern_iso_data(iso);
	const unsigned char *bytes = tern_iso_data(iso);
	for (size_t i = sizeof(*message); i < tern_block_size(iso); i++)
		if (bytes[i] != (unsigned char)(message->number + i))
			nodes_fail(nodes, "byte %zu of a block is wrong", i);
	return message;
}

static void receive_signal(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	struct actor *actor = state;
	tern_iso *iso = tern_signal_take_iso(signal);
	handle_message(actor, message_in(actor->nodes, signal, iso));
	tern_iso_drop(tern_heap(self), iso);
}

static int send_message(struct tern_agent *self, const struct actor *to,
			const struct message *message, size_t size)
{
	if (size == 0)
		return tern_signal_bytes(self, to->address, MESSAGE, message, sizeof(*message));
	tern_iso *iso = tern_iso_create(tern_heap(self), size);
	if (!iso)
		return -EAGAIN;
	unsigned char *bytes = tern_iso_data(iso);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(message->number + i);
	memcpy(bytes, message, sizeof(*message));
	iso = tern_signal_iso(self, to->address, MESSAGE, iso);
	int code = iso ? -tern_errno : 0;
	tern_iso_drop(tern_heap(self), iso);
	return code;
}

/* Before it is sent: it may be handled at once. */
static void stream_add(struct nodes *nodes, struct stream *stream)
{
	if (stream->count == stream->room) {
		stream->room = stream->room ? 2 * stream->room : 256;
		stream->marks = realloc(stream->marks, stream->room);
		if (!stream->marks)
			nodes_fail(nodes, "no memory");
	}
	stream->marks[stream->count++] = 0;
}

static void send_some(struct tern_agent *self, struct actor *actor)
{
	struct nodes *nodes = actor->nodes;
	const struct actor *to = nodes->receivers[nodes_pick(nodes, AGENTS_MAX)];
	if (!to)
		return;
	struct stream *stream = stream_of(nodes, actor->id, to->id);
	for (uint32_t left = 1 + nodes_pick(nodes, BURST_MAX); left; left--) {
		struct message message = {
			.sender = actor->id, .receiver = to->id, .number = stream->count};
		size_t size = nodes_chance(nodes, 150)
				      ? sizeof(message) + nodes_pick(nodes, BLOCK_MAX)
				      : 0;
		message.check = check_of(&message);
		stream_add(nodes, stream);
		if (send_message(self, to, &message, size) != 0) {
			stream->count--;
			actor->refused++;
			return;
		}
		actor->sent++;
		nodes->accepted++;
	}
}

static void sender_signal(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	(void)signal;
	send_some(self, state);
}

static void take_back(struct actor *actor, const struct tern_event *event)
{
	struct nodes *nodes = actor->nodes;
	for (uint32_t i = 0; i < event->returned.count; i++) {
		struct tern_signal *signal = &event->returned.signals[i];
		tern_iso *iso = (signal->kind & TERN_KIND_MASK) == TERN_KIND_ISO
					? signal->payload.iso
					: NULL;
		const struct message *message = message_in(nodes, signal, iso);
		uint8_t *mark = mark_of(nodes, message);
		if (message->sender != actor->id)
			nodes_fail(nodes, "what %u sent came back to %u", message->sender,
				   actor->id);
		if (*mark & (MARK_RETURNED | MARK_UNKNOWN))
			nodes_fail(nodes, "a signal came back twice");
		if (!event->returned.is_unknown && *mark & MARK_HANDLED)
			nodes_fail(nodes, "a signal that was handled came back as not sent");
		*mark |= event->returned.is_unknown ? MARK_UNKNOWN : MARK_RETURNED;
		nodes_note(nodes, 2ull << 60 | (uint64_t)actor->id << 40 | message->number);
	}
}

static void sender_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct actor *actor = state;
	if (event->kind == TERN_EVENT_RETURNED)
		take_back(actor, event);
	else if (event->kind == TERN_EVENT_RELEASED)
		send_some(self, actor);
}

static const struct tern_behaviour receiving = {.name = "receiver", .handler = receive_signal};
static const struct tern_behaviour sending = {
	.name = "sender", .handler = sender_signal, .on_event = sender_event};

static struct actor *actor_spawn(struct nodes *nodes, uint32_t node, uint32_t lcore,
				 const struct tern_behaviour *behaviour)
{
	struct actor *actor = &nodes->actors[nodes->actor_count];
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	options.lcore = lcore;
	options.capacity = 50 + nodes_pick(nodes, 1000);
	*actor = (struct actor){.nodes = nodes,
				.node = node,
				.life = nodes->node[node].life,
				.id = nodes->actor_count++};
	int code = tern_spawn(nodes->node[node].self, behaviour, actor, &options, &actor->address);
	if (code != 0)
		nodes_fail(nodes, "an agent cannot be made: %d", code);
	return actor;
}

void nodes_agents_spawn(struct nodes *nodes, uint32_t node)
{
	for (uint32_t lcore = 0; lcore < nodes->node[node].lcores; lcore++) {
		uint32_t at = node * LCORES_MAX + lcore;
		nodes->receivers[at] = actor_spawn(nodes, node, lcore, &receiving);
		nodes->senders[at] = actor_spawn(nodes, node, lcore, &sending);
	}
}

static bool is_of(const struct nodes *nodes, uint32_t id, uint32_t node)
{
	return nodes->actors[id].node == node && nodes->actors[id].life == nodes->node[node].life;
}

/* Receivers stay known, as addresses that others still have. */
void nodes_agents_crash(struct nodes *nodes, uint32_t node)
{
	for (uint32_t i = 0; i < nodes->actor_count; i++)
		for (uint32_t j = 0; j < nodes->actor_count; j++)
			if (is_of(nodes, i, node) || is_of(nodes, j, node))
				stream_of(nodes, i, j)->is_excused = true;
	for (uint32_t lcore = 0; lcore < LCORES_MAX; lcore++)
		nodes->senders[node * LCORES_MAX + lcore] = NULL;
}

void nodes_agents_send(struct nodes *nodes, uint32_t node)
{
	for (uint32_t lcore = 0; lcore < nodes->node[node].lcores; lcore++) {
		const struct actor *actor = nodes->senders[node * LCORES_MAX + lcore];
		uint64_t nothing = 0;
		if (actor && nodes_chance(nodes, 200) &&
		    tern_signal_bytes(nodes->node[node].self, actor->address, WAKE, &nothing,
				      sizeof(nothing)) == 0)
			nodes_note(nodes, actor->id);
	}
}

/* Of a stream with a crash nobody can say what became of what was under way. */
uint64_t nodes_agents_open(const struct nodes *nodes)
{
	uint64_t open = 0;
	for (uint32_t i = 0; i < nodes->actor_count; i++)
		for (uint32_t j = 0; j < nodes->actor_count; j++) {
			const struct stream *stream = stream_of(nodes, i, j);
			for (uint64_t k = 0; k < stream->count && !stream->is_excused; k++)
				open += stream->marks[k] == 0;
		}
	return open;
}

void nodes_agents_free(struct nodes *nodes)
{
	for (size_t i = 0; i < (size_t)ACTORS_MAX * ACTORS_MAX; i++)
		free(nodes->streams[i].marks);
	free(nodes->streams);
	free(nodes->actors);
}
