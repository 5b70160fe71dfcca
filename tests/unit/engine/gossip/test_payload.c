/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what is written is read back, byte for byte; what is cut, longer, of another version or out
 * of range anywhere is refused, and yields nothing.
 * Method: random payloads of each kind; each cut at every length and changed in every bit: what is
 * still taken must be written as the same bytes again. Then members out of range, one by one.
 */
#include "tests/unit/support.h"

#include "engine/gossip/payload.h"

enum { ROUNDS = 40 };

static struct tern_update random_update(struct tern_rng *rng)
{
	uint64_t version = 1 + tern_rng_next(rng) % TERN_VERSION_MAX;
	static const uint8_t sources[] = {TERN_ROUTE_GOSSIP, TERN_ROUTE_DISCOVERY,
					  TERN_ROUTE_MIGRATION};
	return (struct tern_update){
		.id = {.high = tern_rng_next(rng), .low = tern_rng_next(rng)},
		.address = pick(rng, 4) ? tern_address_make(1 + pick(rng, 8191), pick(rng, 1 << 26),
							    1 + pick(rng, 0xFFFFFF))
					: TERN_ADDRESS_NONE,
		.version = version,
		.base = tern_rng_next(rng) % version,
		.origin = (uint16_t)(1 + pick(rng, 8191)),
		.hops = (uint8_t)pick(rng, 256),
		.source = sources[pick(rng, 3)],
		.first = tern_rng_next(rng) % (version + 1),
		.left_ns = tern_rng_next(rng)};
}

static void fill_news(struct tern_payload *payload, struct tern_rng *rng)
{
	payload->count = (uint16_t)(1 + pick(rng, TERN_PAYLOAD_UPDATES_MAX));
	for (uint32_t i = 0; i < payload->count; i++)
		payload->updates[i] = random_update(rng);
	if (payload->kind == TERN_PAYLOAD_PROVIDERS) {
		payload->capability.high = tern_rng_next(rng);
		payload->capability.low = tern_rng_next(rng);
		payload->last = pick(rng, 2);
	} else if (pick(rng, 2)) {
		payload->number = 1 + pick(rng, 1000);
		payload->node = (uint16_t)(1 + pick(rng, 8191));
		payload->part = (uint16_t)pick(rng, TERN_PAYLOAD_PARTS_MAX);
		payload->last = pick(rng, 2);
		payload->above = tern_rng_next(rng) % TERN_VERSION_MAX;
		payload->complete = tern_rng_next(rng) % TERN_VERSION_MAX;
	}
}

static void fill_versions(struct tern_payload *payload, struct tern_rng *rng)
{
	payload->count = (uint16_t)(1 + pick(rng, TERN_PAYLOAD_VERSIONS_MAX));
	for (uint16_t i = 0; i < payload->count; i++)
		payload->versions[i] = (struct tern_payload_version){
			.node = (uint16_t)(60u * i + 1 + pick(rng, 30)),
			.version = 1 + tern_rng_next(rng) % TERN_VERSION_MAX};
}

static struct tern_payload random_payload(enum tern_payload_kind kind, struct tern_rng *rng)
{
	struct tern_payload payload = {.kind = kind};
	if (kind == TERN_PAYLOAD_NEWS || kind == TERN_PAYLOAD_PROVIDERS) {
		fill_news(&payload, rng);
	} else if (kind == TERN_PAYLOAD_VERSIONS) {
		fill_versions(&payload, rng);
	} else if (kind == TERN_PAYLOAD_ASK) {
		payload.node = (uint16_t)(1 + pick(rng, 8191));
		payload.above = tern_rng_next(rng) % TERN_VERSION_MAX;
	} else {
		payload.count = (uint16_t)(1 + pick(rng, TERN_PAYLOAD_IDS_MAX));
		for (uint32_t i = 0; i < payload.count; i++)
			payload.ids[i] = (struct tern_id){.high = tern_rng_next(rng),
							  .low = tern_rng_next(rng)};
	}
	return payload;
}

/* A copy of just that size, so that AddressSanitizer sees a byte too many. */
static int read_copy(struct tern_payload *payload, const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size + !size);
	assert_non_null(copy);
	memcpy(copy, bytes, size);
	int code = tern_payload_read(payload, copy, size);
	free(copy);
	return code;
}

static void assert_same_bytes(const struct tern_payload *payload, const uint8_t *bytes, size_t size)
{
	uint8_t again[TERN_PAYLOAD_MAX];
	assert_int_equal(tern_payload_write(payload, again), size);
	assert_memory_equal(again, bytes, size);
}

static void break_payload(uint8_t *bytes, size_t size)
{
	struct tern_payload read = {.count = 4711};
	for (size_t cut = 0; cut < size; cut++)
		assert_true(read_copy(&read, bytes, cut) < 0);
	assert_int_equal(read.count, 4711);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (read_copy(&read, bytes, size) == 0)
			assert_same_bytes(&read, bytes, size);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void what_is_written_is_read(void **state)
{
	struct tern_rng rng = tern_rng_stream(test_seed(11), 0);
	uint8_t bytes[TERN_PAYLOAD_MAX + 1];
	(void)state;
	for (uint32_t i = 0; i < ROUNDS * (TERN_PAYLOAD_KINDS - 1); i++) {
		enum tern_payload_kind kind = (enum tern_payload_kind)(
			TERN_PAYLOAD_VERSIONS + i % (TERN_PAYLOAD_KINDS - 1));
		struct tern_payload payload = random_payload(kind, &rng), read;
		size_t size = tern_payload_write(&payload, bytes);
		assert_int_equal(read_copy(&read, bytes, size), 0);
		assert_memory_equal(&read, &payload, sizeof(read));
		bytes[size] = 0;
		assert_int_equal(read_copy(&read, bytes, size + 1), -EBADMSG);
		break_payload(bytes, size);
	}
}

static void refuse_update(struct tern_update update)
{
	struct tern_payload payload = {.kind = TERN_PAYLOAD_NEWS, .count = 1}, read;
	uint8_t bytes[TERN_PAYLOAD_MAX];
	payload.updates[0] = update;
	size_t size = tern_payload_write(&payload, bytes);
	assert_int_equal(tern_payload_read(&read, bytes, size), -EBADMSG);
	assert_false(tern_payload_carries(&update));
}

static void no_update_is_out_of_range(void **state)
{
	const struct tern_update good = {.id = {.high = 1, .low = 2},
					 .address = tern_address_make(2, 3, 4),
					 .version = 7,
					 .base = 6,
					 .first = 7,
					 .origin = 2,
					 .source = TERN_ROUTE_GOSSIP};
	(void)state;
	assert_true(tern_payload_carries(&good));
#define WITH(assignment)                          \
	do {                                      \
		struct tern_update update = good; \
		update.assignment;                \
		refuse_update(update);            \
	} while (0)
	WITH(version = 0);
	WITH(version = TERN_VERSION_MAX + 1);
	WITH(base = 7);
	WITH(first = 8);
	WITH(origin = 0);
	WITH(origin = 8192);
	WITH(address = tern_address_make(0, 3, 4));
	WITH(address = tern_address_make(8192, 3, 4));
	/* One that stays for ever is for a person to write down. */
	WITH(source = TERN_ROUTE_STATIC);
	WITH(source = TERN_ROUTE_LOCAL);
	WITH(source = TERN_ROUTE_SOURCES);
#undef WITH
}

static void refuse_head(struct tern_payload payload, int code)
{
	struct tern_payload read;
	uint8_t bytes[TERN_PAYLOAD_MAX];
	size_t size = tern_payload_write(&payload, bytes);
	assert_int_equal(tern_payload_read(&read, bytes, size), code);
}

static void no_head_is_out_of_range(void **state)
{
	struct tern_payload read;
	uint8_t bytes[TERN_PAYLOAD_MAX];
	(void)state;
#define REFUSED(...) refuse_head((struct tern_payload){__VA_ARGS__}, -EBADMSG)
	REFUSED(.kind = 0, .count = 1);
	REFUSED(.kind = TERN_PAYLOAD_KINDS, .count = 1);
	REFUSED(.kind = TERN_PAYLOAD_VERSIONS);
	REFUSED(.kind = TERN_PAYLOAD_WHO);
	REFUSED(.kind = TERN_PAYLOAD_ASK);
	REFUSED(.kind = TERN_PAYLOAD_ASK, .node = 8192);
	REFUSED(.kind = TERN_PAYLOAD_ASK, .node = 1, .above = TERN_VERSION_MAX + 1);
	REFUSED(.kind = TERN_PAYLOAD_NEWS);
	REFUSED(.kind = TERN_PAYLOAD_NEWS, .number = 1, .node = 1);
	REFUSED(.kind = TERN_PAYLOAD_NEWS, .number = 1, .last = true);
	REFUSED(.kind = TERN_PAYLOAD_NEWS, .number = 1, .node = 1, .last = true,
		.part = TERN_PAYLOAD_PARTS_MAX);
	REFUSED(.kind = TERN_PAYLOAD_VERSIONS, .count = 1,
		.versions = {{.node = 8192, .version = 1}});
	REFUSED(.kind = TERN_PAYLOAD_VERSIONS, .count = 1, .versions = {{.node = 1}});
	REFUSED(.kind = TERN_PAYLOAD_VERSIONS, .count = 2,
		.versions = {{.node = 2, .version = 1}, {.node = 2, .version = 1}});
#undef REFUSED
	struct tern_payload empty = {
		.kind = TERN_PAYLOAD_NEWS, .number = 1, .node = 1, .last = true};
	size_t size = tern_payload_write(&empty, bytes);
	assert_int_equal(tern_payload_read(&read, bytes, size), 0);
	bytes[0]++;
	assert_int_equal(tern_payload_read(&read, bytes, size), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(no_update_is_out_of_range),
		cmocka_unit_test(no_head_is_out_of_range),
	};
	return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
