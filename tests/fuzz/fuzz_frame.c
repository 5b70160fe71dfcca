/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no bytes make the reader of frames look at what is not there, and what it finds right keeps
 * every rule that the link relies on. Method: the first byte says how the rest comes: as a Tern
 * frame alone, as all that is on the wire over one carrier, or as a Tern frame that is wrapped
 * here; whether its check is put right first, and what the port says of checksums. All that is
 * found right is walked to its last byte.
 */
#include "dataplane/frame/crc32c.h"
#include "dataplane/frame/frame.h"
#include "fuzz_mbuf.h"

#define FUZZ_NODE 2u
#define FUZZ_FIXES 0x01u  /* the check is put right */
#define FUZZ_WRAPS 0x02u  /* a right wrap is put before it */
#define FUZZ_TAGGED 0x04u /* of a VLAN */
#define FUZZ_JUDGED 0x08u /* the port found all checksums right */
#define FUZZ_HELD 0x10u	  /* somebody else holds the mbuf */
#define FUZZ_CARRIER_SHIFT 6

#define REQUIRE(condition)        \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fix_check(unsigned char *bytes, size_t size)
{
	struct tern_wire_header *header = (void *)bytes;
	if (size < sizeof(*header) || header->length > size || header->length < sizeof(*header))
		return;
	header->check = 0;
	header->check = ~tern_crc32c_add(TERN_CRC32C_START, bytes, header->length);
}

static void check_entry(const struct tern_entry *entry, unsigned *sum)
{
	uint32_t kind = entry->fixed->kind;
	bool is_block = kind == TERN_KIND_ISO || kind == TERN_KIND_VAL;
	REQUIRE(is_block || kind == TERN_KIND_TAG || kind <= TERN_INLINE_MAX);
	REQUIRE(is_block || entry->fixed->length <= TERN_INLINE_MAX);
	REQUIRE(entry->fixed->length <= TERN_BLOCK_SIZE_MAX);
	if (entry->fragment)
		REQUIRE(is_block && entry->fragment->size <= TERN_BLOCK_SIZE_MAX &&
			(uint64_t)entry->fragment->offset + entry->fixed->length <=
				entry->fragment->size);
	for (uint32_t i = 0; i < entry->fixed->length; i++)
		*sum += entry->payload[i];
}

static void check_data(const struct tern_frame *frame)
{
	const struct tern_wire_data *data = frame->body.data;
	const unsigned char *end = (const unsigned char *)frame->header + frame->header->length;
	struct tern_entry entry;
	volatile unsigned kept;
	unsigned sum = 0;
	REQUIRE(data->count >= 1 && data->flow_class < TERN_WIRE_CLASSES);
	REQUIRE(data->distance < frame->header->position);
	tern_entry_first(frame, &entry);
	for (uint32_t left = data->count; left > 1; left--) {
		check_entry(&entry, &sum);
		tern_entry_next(&entry);
	}
	check_entry(&entry, &sum);
	REQUIRE(entry.next == end);
	kept = sum;
	(void)kept;
}

static void check_ranges(const struct tern_frame *frame)
{
	uint64_t before = 0;
	REQUIRE(frame->body.ranges->count <= TERN_WIRE_RANGES_MAX);
	for (uint32_t i = 0; i < frame->body.ranges->count; i++) {
		const struct tern_wire_range *range = &frame->body.ranges->range[i];
		REQUIRE(range->from > before && range->to > range->from);
		before = range->to;
	}
}

static void check_frame(const struct tern_frame *frame)
{
	const struct tern_wire_header *header = frame->header;
	REQUIRE(header->version == TERN_WIRE_VERSION && header->to_node == FUZZ_NODE);
	REQUIRE(header->from_node >= 1 && header->from_node <= TERN_WIRE_NODES_MAX);
	REQUIRE(header->ack >= 1);
	if (header->kind == TERN_WIRE_DATA)
		check_data(frame);
	else if (header->kind == TERN_WIRE_NAK || header->kind == TERN_WIRE_GONE)
		check_ranges(frame);
	else if (header->kind == TERN_WIRE_HELLO || header->kind == TERN_WIRE_WELCOME)
		REQUIRE(frame->body.hello->nonce && frame->body.hello->lcores);
	else
		REQUIRE(header->length == sizeof(*header) && !frame->body.data);
}

static struct tern_endpoint endpoint(unsigned options, uint8_t number)
{
	enum tern_carrier carrier = options >> FUZZ_CARRIER_SHIFT;
	struct tern_endpoint end = {
		.carrier = carrier,
		.vlan = options & FUZZ_TAGGED ? 5 : 0,
		.udp_port = TERN_WIRE_UDP_PORT,
		.mac = {0x02, 0, 0, 0, 0, number},
		.address = {10, 0, 0, number},
	};
	if (carrier == TERN_CARRIER_IPV6)
		memcpy(end.address, (uint8_t[16]){0xFD, [15] = number}, sizeof(end.address));
	return end;
}

static void read_alone(unsigned options, const uint8_t *data, size_t size)
{
	struct tern_frame frame;
	unsigned char *copy = malloc(size ? size : 1);
	REQUIRE(copy);
	memcpy(copy, data, size);
	if (options & FUZZ_FIXES)
		fix_check(copy, size);
	if (tern_frame_check(copy, size, FUZZ_NODE, &frame) == TERN_DROP_NONE)
		check_frame(&frame);
	free(copy);
}

static void read_wrapped(unsigned options, const uint8_t *data, size_t size)
{
	const struct tern_endpoint from = endpoint(options, 1), own = endpoint(options, 2);
	struct tern_wrap wrap;
	struct tern_frame frame;
	struct rte_mbuf mbuf;
	tern_wrap_init(&wrap, &from, &own, 50000);
	fuzz_mbuf_init(&mbuf, TERN_WRAP_MAX, (uint16_t)size);
	fuzz_mbuf_fill(&mbuf, data, size);
	size_t at = options & FUZZ_WRAPS ? 0 : wrap.size;
	if (options & FUZZ_FIXES && size > at)
		fix_check(rte_pktmbuf_mtod_offset(&mbuf, unsigned char *, at), size - at);
	if (options & FUZZ_WRAPS)
		tern_wrap_put(&wrap, &mbuf, 0);
	if (options & FUZZ_JUDGED)
		mbuf.ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	if (options & FUZZ_HELD)
		rte_mbuf_refcnt_set(&mbuf, 2);
	uint32_t before = rte_pktmbuf_pkt_len(&mbuf);
	enum tern_drop why = tern_frame_read(&own, FUZZ_NODE, &mbuf, &frame);
	if (why == TERN_DROP_NONE)
		check_frame(&frame);
	if (why == TERN_DROP_NONE && !(options & FUZZ_HELD))
		REQUIRE(rte_pktmbuf_pkt_len(&mbuf) == frame.header->length);
	else
		REQUIRE(rte_pktmbuf_pkt_len(&mbuf) == before);
	fuzz_mbuf_fini(&mbuf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 16384)
		return 0;
	if (data[0] >> FUZZ_CARRIER_SHIFT > TERN_CARRIER_IPV6)
		read_alone(data[0], data + 1, size - 1);
	else
		read_wrapped(data[0], data + 1, size - 1);
	return 0;
}
