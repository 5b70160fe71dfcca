/* SPDX-License-Identifier: Apache-2.0 */
#include "moldudp64_stream.h"

#include <string.h>

uint64_t moldudp64_stream_pending(const struct moldudp64_stream *stream)
{
	return stream->announced > stream->expected ? stream->announced - stream->expected : 0;
}

static void join_session(struct moldudp64_stream *stream, const struct moldudp64_packet *packet,
			 struct moldudp64_verdict *verdict)
{
	if (stream->joined) {
		verdict->restarted = true;
		verdict->missing_count = moldudp64_stream_pending(stream);
		memcpy(stream->previous, stream->session, sizeof(stream->previous));
		stream->replaced = true;
	}
	memcpy(stream->session, packet->session, sizeof(stream->session));
	stream->joined = true;
	stream->ended = false;
	stream->expected = packet->sequence;
	stream->announced = packet->sequence;
	verdict->joined_late = packet->sequence > 1;
}

static void accept_control(struct moldudp64_stream *stream, const struct moldudp64_packet *packet,
			   struct moldudp64_verdict *verdict)
{
	if (packet->sequence > stream->announced)
		stream->announced = packet->sequence;
	verdict->anomaly = FEED_HEARTBEAT;
	if (packet->kind == MOLDUDP64_END) {
		stream->ended = true;
		verdict->anomaly = FEED_SESSION_END;
	}
}

static void accept_data(struct moldudp64_stream *stream, const struct moldudp64_packet *packet,
			struct moldudp64_verdict *verdict)
{
	uint64_t end = packet->sequence + packet->count;
	if (end <= stream->expected) {
		verdict->skip_count = packet->count;
		verdict->anomaly = FEED_PACKET_OBSOLETE;
		return;
	}
	if (packet->sequence > stream->expected) {
		verdict->missing_count += packet->sequence - stream->expected;
	} else if (packet->sequence < stream->expected) {
		verdict->skip_count = (uint16_t)(stream->expected - packet->sequence);
		verdict->anomaly = FEED_PACKET_OVERLAP;
	}
	verdict->take_count = (uint16_t)(packet->count - verdict->skip_count);
	stream->expected = end;
}

struct moldudp64_verdict moldudp64_stream_accept(struct moldudp64_stream *stream,
						 const struct moldudp64_packet *packet)
{
	struct moldudp64_verdict verdict = {.anomaly = FEED_OK};
	size_t session_size = sizeof(stream->session);
	if (packet->kind == MOLDUDP64_REQUEST) {
		verdict.anomaly = FEED_REQUEST;
		return verdict;
	}
	if (packet->sequence == 0) {
		verdict.anomaly = FEED_SEQUENCE_ZERO;
		verdict.take_count = packet->count;
		return verdict;
	}
	if (stream->replaced && memcmp(packet->session, stream->previous, session_size) == 0) {
		verdict.anomaly = FEED_SESSION_STALE;
		verdict.skip_count = packet->count;
		return verdict;
	}
	if (!stream->joined || memcmp(packet->session, stream->session, session_size) != 0)
		join_session(stream, packet, &verdict);
	if (packet->kind == MOLDUDP64_DATA)
		accept_data(stream, packet, &verdict);
	else
		accept_control(stream, packet, &verdict);
	return verdict;
}
