/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_source.h"

#include "format/binaryfile.h"
#include "format/byte_order.h"
#include "feed_detect.h"
#include "format/itch.h"
#include "format/moldudp64_stream.h"
#include "format/pcap_feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct feed_source {
	struct feed_counters counters;
	enum feed_format format;
	bool over;
	uint16_t port;
	char *name;
	uint64_t messages;
	/* BinaryFILE */
	FILE *file;
	struct binaryfile_reader reader;
	/* MoldUDP64 */
	struct pcap_feed *pcap;
	struct moldudp64_stream stream;
	struct pcap_feed_packet packet;
	const uint8_t *blocks; /* behind the message yielded last */
	uint16_t left_count;   /* messages to yield from `blocks` */
	uint64_t sequence;     /* of the next of them; 0 if unknown */
	bool restarted;
};

static int start_format(struct feed_source *source, FILE *file, const char *name,
			struct tern_error *error)
{
	int code = feed_detect(file, name, &source->format, error);
	if (code == 0 && source->format == FEED_MOLDUDP64)
		return pcap_feed_create(file, name, &source->pcap, error);
	if (code < 0) {
		fclose(file);
		return code;
	}
	source->file = file;
	binaryfile_reader_init(&source->reader, file);
	return 0;
}

int feed_source_create(FILE *file, const char *name, uint16_t port, struct feed_source **created,
		       struct tern_error *error)
{
	struct feed_source *source = calloc(1, sizeof(*source));
	char *kept_name = strdup(name);
	if (!source || !kept_name) {
		free(source);
		free(kept_name);
		fclose(file);
		return tern_error_set(error, -ENOMEM, "%s: not enough memory to read it", name);
	}
	source->name = kept_name;
	source->port = port;
	int code = start_format(source, file, name, error);
	if (code < 0) {
		feed_source_destroy(source);
		return code;
	}
	*created = source;
	return 0;
}

int feed_source_open(const char *path, uint16_t port, struct feed_source **created,
		     struct tern_error *error)
{
	if (strcmp(path, "-") == 0)
		return feed_source_create(stdin, "standard input", port, created, error);
	FILE *file = fopen(path, "rb");
	if (!file) {
		int code = -errno;
		return tern_error_set(error, code,
				      "%s: cannot be opened: %s: needs a readable file", path,
				      strerror(-code));
	}
	return feed_source_create(file, path, port, created, error);
}

static void count(struct feed_source *source, enum feed_anomaly anomaly, uint64_t place)
{
	feed_counters_add(&source->counters, anomaly, 1, place);
}

/* Fill the parts that do not depend on the format, from bytes, length and place. */
static int yield_message(struct feed_source *source, struct feed_message *message)
{
	message->anomaly = itch_check(message->bytes, message->length);
	count(source, message->anomaly, message->place);
	if (message->anomaly == FEED_OK)
		message->timestamp_ns = load_be48(message->bytes + 5);
	source->messages++;
	return 1;
}

static int end_binaryfile(struct feed_source *source, enum feed_anomaly anomaly,
			  struct tern_error *error)
{
	const struct binaryfile_reader *reader = &source->reader;
	count(source, anomaly, reader->message_offset);
	if (anomaly == FEED_FILE_CUT)
		return tern_error_set(
			error, -EBADMSG,
			"%s: cut inside the message at byte %llu: the file ends at byte %llu: "
			"copy it again",
			source->name, (unsigned long long)reader->message_offset,
			(unsigned long long)reader->offset);
	if (anomaly == FEED_FILE_TRAILING)
		return tern_error_set(
			error, -EBADMSG,
			"%s: a zero length at byte %llu ends the session, but bytes follow: "
			"needs nothing behind it: copy it again, or split the sessions",
			source->name, (unsigned long long)reader->message_offset);
	return 0;
}

static int next_of_binaryfile(struct feed_source *source, struct feed_message *message,
			      struct tern_error *error)
{
	struct binaryfile_item item;
	enum binaryfile_event event = binaryfile_reader_next(&source->reader, &item);
	if (event == BINARYFILE_FAILED) {
		int code = errno ? -errno : -EIO;
		return tern_error_set(error, code, "%s: cannot be read at byte %llu: %s",
				      source->name, (unsigned long long)source->reader.offset,
				      strerror(-code));
	}
	if (event == BINARYFILE_END)
		return end_binaryfile(source, item.anomaly, error);
	*message = (struct feed_message){
		.bytes = item.bytes,
		.length = item.length,
		.sequence = source->messages + 1,
		.place = source->reader.message_offset,
	};
	return yield_message(source, message);
}

static void count_missing(struct feed_source *source, uint64_t missing_count)
{
	if (missing_count == 0)
		return;
	count(source, FEED_GAP, source->packet.number);
	feed_counters_add(&source->counters, FEED_MESSAGE_MISSING, missing_count,
			  source->packet.number);
}

static void take_mold_packet(struct feed_source *source, const struct moldudp64_packet *mold)
{
	uint64_t place = source->packet.number;
	struct moldudp64_verdict verdict = moldudp64_stream_accept(&source->stream, mold);
	count(source, verdict.anomaly, place);
	count_missing(source, verdict.missing_count);
	if (mold->trailing_length)
		count(source, FEED_PACKET_TRAILING, place);
	if (verdict.joined_late)
		count(source, FEED_LATE_JOIN, place);
	if (verdict.restarted) {
		count(source, FEED_SESSION_RESTART, place);
		source->restarted = true;
	}
	source->blocks = mold->blocks;
	source->left_count = verdict.take_count;
	source->sequence = mold->sequence ? mold->sequence + verdict.skip_count : 0;
	const uint8_t *skipped;
	for (uint16_t i = 0; verdict.take_count && i < verdict.skip_count; i++)
		moldudp64_block_next(&source->blocks, &skipped);
}

static void take_packet(struct feed_source *source)
{
	const struct pcap_feed_packet *packet = &source->packet;
	const struct udp_datagram *datagram = &packet->datagram;
	struct moldudp64_packet mold;
	enum feed_anomaly anomaly = packet->anomaly;
	if (anomaly == FEED_OK && source->port && datagram->destination_port != source->port)
		anomaly = FEED_PORT_OTHER;
	if (anomaly == FEED_OK) {
		if (datagram->ip_checksum_wrong)
			count(source, FEED_IP_CHECKSUM, packet->number);
		if (datagram->udp_checksum_wrong)
			count(source, FEED_UDP_CHECKSUM, packet->number);
		anomaly = moldudp64_parse(datagram->payload, datagram->length, &mold);
	}
	if (anomaly == FEED_OK)
		take_mold_packet(source, &mold);
	else
		count(source, anomaly, packet->number);
}

static int next_of_capture(struct feed_source *source, struct feed_message *message,
			   struct tern_error *error)
{
	while (source->left_count == 0) {
		int got = pcap_feed_next(source->pcap, &source->packet, error);
		if (got < 0)
			count(source, FEED_FILE_CUT, source->packet.number);
		if (got <= 0) {
			count_missing(source, moldudp64_stream_pending(&source->stream));
			return got;
		}
		take_packet(source);
	}
	*message = (struct feed_message){
		.sequence = source->sequence,
		.restarted = source->restarted,
		.capture_ns = source->packet.capture_ns,
		.place = source->packet.number,
	};
	message->length = moldudp64_block_next(&source->blocks, &message->bytes);
	source->restarted = false;
	source->left_count--;
	if (source->sequence)
		source->sequence++;
	return yield_message(source, message);
}

int feed_source_next(struct feed_source *source, struct feed_message *message,
		     struct tern_error *error)
{
	if (source->over)
		return 0;
	int got = source->format == FEED_MOLDUDP64 ? next_of_capture(source, message, error)
						   : next_of_binaryfile(source, message, error);
	source->over = got <= 0;
	return got;
}

struct feed_counters *feed_source_counters(struct feed_source *source)
{
	return &source->counters;
}

enum feed_format feed_source_format(const struct feed_source *source)
{
	return source->format;
}

const char *feed_format_name(enum feed_format format)
{
	return format == FEED_MOLDUDP64 ? "moldudp64" : "binaryfile";
}

const char *feed_format_place(enum feed_format format)
{
	return format == FEED_MOLDUDP64 ? "packet" : "byte";
}

void feed_source_destroy(struct feed_source *source)
{
	if (!source)
		return;
	pcap_feed_destroy(source->pcap);
	if (source->file)
		fclose(source->file);
	free(source->name);
	free(source);
}
