/* SPDX-License-Identifier: Apache-2.0 */
#include "moldudp64_capture.h"

#include "byte_order.h"
#include "moldudp64.h"
#include "udp_frame.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <unistd.h>

#define PAYLOAD_MAX 1400
#define SNAPSHOT_LENGTH 65535
#define SHARE_NS 10000
#define HEARTBEAT_NS 1000000000
/* Midnight of the generated day: 2024-01-02 00:00 in New York. */
#define MIDNIGHT_S 1704171600

struct moldudp64_capture {
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	uint64_t first_ns;     /* time stamp of the waiting packet */
	uint64_t quiet_ns;     /* when the packet before was sent */
	size_t payload_length; /* of the waiting packet; 0 if none waits */
	struct moldudp64_packet packet;
	uint8_t frame[UDP_FRAME_HEADER_LENGTH + PAYLOAD_MAX];
};

static const struct udp_endpoints endpoints = {
	.source_address = 0xC6336401,	   /* 198.51.100.1, for documentation */
	.destination_address = 0xE9FC0001, /* 233.252.0.1, likewise */
	.source_port = 26477,
	.destination_port = 26477,
};

static const struct moldudp64_packet first_packet = {.session = "TERN000001", .sequence = 1};

static int open_dumper(struct moldudp64_capture *capture, FILE *file, struct tern_error *error)
{
	capture->pcap = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAPSHOT_LENGTH,
							     PCAP_TSTAMP_PRECISION_NANO);
	if (!capture->pcap)
		return tern_error_set(error, -ENOMEM, "not enough memory to write a capture");
	int descriptor = dup(fileno(file));
	FILE *own = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
	if (!own) {
		int code = errno ? -errno : -EIO;
		if (descriptor >= 0)
			close(descriptor);
		return tern_error_set(error, code, "cannot write a capture: %s", strerror(-code));
	}
	capture->dumper = pcap_dump_fopen(capture->pcap, own);
	if (!capture->dumper) {
		fclose(own);
		return tern_error_set(error, -EIO, "cannot write a capture: %s",
				      pcap_geterr(capture->pcap));
	}
	return 0;
}

int moldudp64_capture_create(FILE *file, struct moldudp64_capture **created,
			     struct tern_error *error)
{
	struct moldudp64_capture *capture = calloc(1, sizeof(*capture));
	if (!capture)
		return tern_error_set(error, -ENOMEM, "not enough memory to write a capture");
	capture->packet = first_packet;
	int code = open_dumper(capture, file, error);
	if (code < 0) {
		moldudp64_capture_destroy(capture);
		return code;
	}
	*created = capture;
	return 0;
}

static int send_packet(struct moldudp64_capture *capture, enum moldudp64_kind kind,
		       size_t payload_length, uint64_t timestamp_ns)
{
	uint8_t *payload = capture->frame + UDP_FRAME_HEADER_LENGTH;
	capture->packet.kind = kind;
	moldudp64_header_write(&capture->packet, payload);
	udp_frame_write(capture->frame, payload_length, &endpoints);
	struct pcap_pkthdr header = {
		.ts = {.tv_sec = (time_t)(MIDNIGHT_S + timestamp_ns / 1000000000),
		       .tv_usec = (suseconds_t)(timestamp_ns % 1000000000)},
		.caplen = (bpf_u_int32)(UDP_FRAME_HEADER_LENGTH + payload_length),
		.len = (bpf_u_int32)(UDP_FRAME_HEADER_LENGTH + payload_length),
	};
	pcap_dump((u_char *)capture->dumper, &header, capture->frame);
	capture->quiet_ns = timestamp_ns;
	return ferror(pcap_dump_file(capture->dumper)) ? -EIO : 0;
}

static int send_waiting(struct moldudp64_capture *capture)
{
	if (capture->payload_length == 0)
		return 0;
	int code = send_packet(capture, MOLDUDP64_DATA, capture->payload_length, capture->first_ns);
	capture->packet.sequence += capture->packet.count;
	capture->packet.count = 0;
	capture->payload_length = 0;
	return code;
}

static int send_heartbeats(struct moldudp64_capture *capture, uint64_t until_ns)
{
	if (capture->quiet_ns == 0)
		return 0;
	while (until_ns > capture->quiet_ns + HEARTBEAT_NS) {
		int code = send_packet(capture, MOLDUDP64_HEARTBEAT, MOLDUDP64_HEADER_LENGTH,
				       capture->quiet_ns + HEARTBEAT_NS);
		if (code < 0)
			return code;
	}
	return 0;
}

int moldudp64_capture_add(struct moldudp64_capture *capture, const uint8_t *bytes, uint16_t length,
			  uint64_t timestamp_ns)
{
	size_t block_length = MOLDUDP64_BLOCK_HEADER_LENGTH + (size_t)length;
	if (block_length > PAYLOAD_MAX - MOLDUDP64_HEADER_LENGTH)
		return -EMSGSIZE;
	if (capture->payload_length + block_length > PAYLOAD_MAX ||
	    timestamp_ns > capture->first_ns + SHARE_NS) {
		int code = send_waiting(capture);
		if (code == 0)
			code = send_heartbeats(capture, timestamp_ns);
		if (code < 0)
			return code;
	}
	if (capture->payload_length == 0) {
		capture->first_ns = timestamp_ns;
		capture->payload_length = MOLDUDP64_HEADER_LENGTH;
	}
	uint8_t *block = capture->frame + UDP_FRAME_HEADER_LENGTH + capture->payload_length;
	store_be16(block, length);
	if (length)
		memcpy(block + MOLDUDP64_BLOCK_HEADER_LENGTH, bytes, length);
	capture->payload_length += block_length;
	capture->packet.count++;
	return 0;
}

int moldudp64_capture_finish(struct moldudp64_capture *capture)
{
	int code = send_waiting(capture);
	if (code == 0)
		code = send_packet(capture, MOLDUDP64_HEARTBEAT, MOLDUDP64_HEADER_LENGTH,
				   capture->quiet_ns + HEARTBEAT_NS);
	if (code == 0)
		code = send_packet(capture, MOLDUDP64_END, MOLDUDP64_HEADER_LENGTH,
				   capture->quiet_ns + HEARTBEAT_NS);
	if (code == 0 && pcap_dump_flush(capture->dumper) != 0)
		code = -EIO;
	return code;
}

void moldudp64_capture_destroy(struct moldudp64_capture *capture)
{
	if (!capture)
		return;
	if (capture->dumper)
		pcap_dump_close(capture->dumper);
	if (capture->pcap)
		pcap_close(capture->pcap);
	free(capture);
}
