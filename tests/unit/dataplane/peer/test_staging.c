/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a signal written into a frame is read as it was, and undone as it was; a frame takes no
 * more than it has room for; fragments cover a block without gap. Method: all kinds and sizes,
 * random ones for the room.
 */
#include "tests/unit/capabilities/capability_test.h"

#include "dataplane/peer/staging.h"
#include "tests/unit/dataplane/mbufs.h"

enum { FRAME_MAX = 1500 };
static struct rte_mempool *pool;
static struct heaps heaps;

static int start(void **state)
{
	(void)state;
	mbufs_start();
	pool = mbufs_pool("staging", 63, FRAME_MAX, 256);
	heaps_init(&heaps, 1, 1 << 20);
	return 0;
}

static struct tern_signal signal_of(uint32_t kind)
{
	struct tern_signal signal = {.type = 77,
				     .to_slot = 12345,
				     .to_generation = 0xABCDEF,
				     .kind = (uint8_t)kind,
				     .from = tern_address_make(0, 54321, 0xFEDCBA)};
	for (uint32_t i = 0; i < TERN_INLINE_MAX; i++)
		signal.payload.bytes[i] = (unsigned char)(i * 7 + 1);
	return signal;
}

static void check_entry(const struct rte_mbuf *mbuf, struct tern_entry *entry)
{
	const struct tern_wire_header *header = rte_pktmbuf_mtod(mbuf, const void *);
	struct tern_frame frame = {.header = header, .body.data = (const void *)(header + 1)};
	assert_int_equal(header->length, rte_pktmbuf_pkt_len(mbuf));
	assert_int_equal(frame.body.data->flow_class, 9);
	tern_entry_first(&frame, entry);
}

static void test_every_value_comes_back(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind <= TERN_INLINE_MAX + 2; kind++) {
		uint32_t sent = kind <= TERN_INLINE_MAX ? kind : TERN_KIND_TAG;
		bool is_returned = kind & 1;
		struct tern_signal signal =
			signal_of(sent | (is_returned ? TERN_KIND_RETURNED : 0));
		struct tern_signal undone;
		struct tern_stage stage;
		struct tern_parcel parcel;
		struct tern_entry entry;
		uint64_t key = kind % 3 ? 99 : 0;
		tern_parcel_make(&parcel, &signal, key);
		tern_stage_open(&stage, rte_pktmbuf_alloc(pool), FRAME_MAX);
		assert_true(tern_stage_takes(&stage, &parcel));
		tern_stage_put(&stage, &parcel);
		struct rte_mbuf *mbuf = tern_stage_close(&stage, 9);
		check_entry(mbuf, &entry);
		assert_int_equal(entry.key, key);
		tern_parcel_undo(&undone, entry.fixed, entry.payload, NULL);
		assert_int_equal(undone.kind, signal.kind);
		assert_int_equal(undone.type, signal.type);
		assert_int_equal(undone.from, signal.from);
		assert_int_equal(undone.to_slot, signal.to_slot);
		assert_int_equal(undone.to_generation, signal.to_generation);
		assert_memory_equal(undone.payload.bytes, signal.payload.bytes,
				    sent == TERN_KIND_TAG ? 8 : sent);
		rte_pktmbuf_free(mbuf);
	}
}

/* Two signals, since a payload is copied beyond its end. */
static struct rte_mbuf *frame_of_two(uint32_t kind, bool is_short)
{
	struct tern_stage stage;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
	memset(rte_pktmbuf_mtod(mbuf, void *), 0xFF, FRAME_MAX);
	tern_stage_open(&stage, mbuf, FRAME_MAX);
	for (int i = 0; i < 2; i++) {
		struct tern_signal signal = signal_of(kind);
		struct tern_parcel parcel;
		tern_parcel_make(&parcel, &signal, 0);
		if (is_short)
			assert_true(tern_stage_put_value(&stage, &signal));
		else
			tern_stage_put(&stage, &parcel);
	}
	return tern_stage_close(&stage, 9);
}

static void test_the_short_way_writes_the_same(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind <= TERN_INLINE_MAX; kind++) {
		struct rte_mbuf *one = frame_of_two(kind, true), *two = frame_of_two(kind, false);
		assert_int_equal(one->pkt_len, two->pkt_len);
		size_t at = sizeof(struct tern_wire_header);
		assert_memory_equal(rte_pktmbuf_mtod_offset(one, char *, at),
				    rte_pktmbuf_mtod_offset(two, char *, at), one->pkt_len - at);
		rte_pktmbuf_free(one);
		rte_pktmbuf_free(two);
	}
}

static void test_the_short_way_leaves_a_full_frame_alone(void **state)
{
	struct tern_signal signal = signal_of(TERN_INLINE_MAX);
	struct tern_stage stage;
	uint32_t taken = 0;
	(void)state;
	tern_stage_open(&stage, rte_pktmbuf_alloc(pool), FRAME_MAX);
	while (tern_stage_put_value(&stage, &signal))
		taken++;
	struct rte_mbuf *mbuf = tern_stage_close(&stage, 9);
	assert_int_equal(taken, (FRAME_MAX - TERN_STAGE_HEAD) / 60);
	assert_int_equal(mbuf->pkt_len, TERN_STAGE_HEAD + taken * 60);
	rte_pktmbuf_free(mbuf);
}

static void test_a_frame_takes_what_fits(void **state)
{
	struct tern_rng rng = test_rng(4);
	(void)state;
	for (int round = 0; round < 500; round++) {
		struct tern_stage stage;
		struct tern_parcel parcel;
		uint32_t count = 0;
		tern_stage_open(&stage, rte_pktmbuf_alloc(pool), FRAME_MAX);
		for (;; count++) {
			struct tern_signal signal = signal_of((uint32_t)draw(&rng, 41));
			tern_parcel_make(&parcel, &signal, draw(&rng, 2));
			if (!tern_stage_takes(&stage, &parcel))
				break;
			tern_stage_put(&stage, &parcel);
		}
		struct rte_mbuf *mbuf = tern_stage_close(&stage, 0);
		assert_in_range(rte_pktmbuf_pkt_len(mbuf), FRAME_MAX - 80, FRAME_MAX);
		assert_true(count > 15);
		rte_pktmbuf_free(mbuf);
	}
}

static void test_blocks_lie_beside_their_entries(void **state)
{
	struct tern_stage stage;
	struct tern_parcel parcel;
	tern_iso *kept[TERN_STAGE_BLOCKS];
	(void)state;
	tern_stage_open(&stage, rte_pktmbuf_alloc(pool), FRAME_MAX);
	for (uint32_t i = 0; i < TERN_STAGE_BLOCKS; i++) {
		struct tern_signal signal = signal_of(i & 1 ? TERN_KIND_VAL : TERN_KIND_ISO);
		kept[i] = tern_iso_create(&heaps.heap[0], 4);
		signal.payload.iso = kept[i];
		tern_parcel_make(&parcel, &signal, 0);
		assert_true(tern_stage_takes(&stage, &parcel));
		tern_stage_put(&stage, &parcel);
	}
	assert_false(tern_stage_takes(&stage, &parcel));
	struct rte_mbuf *mbuf = tern_stage_close(&stage, 0);
	struct tern_stage_private *private = tern_stage_private(mbuf);
	assert_int_equal(private->count, TERN_STAGE_BLOCKS);
	for (uint32_t i = 0; i < TERN_STAGE_BLOCKS; i++) {
		assert_ptr_equal(private->blocks[i], kept[i]);
		tern_iso_drop(&heaps.heap[0], kept[i]);
	}
	rte_pktmbuf_free(mbuf);
}

static void test_fragments_cover_a_block(void **state)
{
	static unsigned char whole[TERN_BLOCK_SIZE_MAX];
	(void)state;
	for (uint32_t size = 1452; size <= TERN_BLOCK_SIZE_MAX; size += 3191) {
		struct tern_signal signal = signal_of(TERN_KIND_ISO);
		struct tern_parcel parcel;
		uint32_t offset = 0, signals = 0;
		tern_iso *iso = tern_iso_create(&heaps.heap[0], size);
		signal.payload.iso = iso;
		for (uint32_t i = 0; i < size; i++)
			((unsigned char *)tern_iso_data(iso))[i] = (unsigned char)(i ^ i >> 8);
		memset(whole, 0, sizeof(whole));
		tern_parcel_make(&parcel, &signal, 5);
		while (offset < size) {
			struct tern_stage stage;
			struct tern_entry entry;
			tern_stage_open(&stage, rte_pktmbuf_alloc(pool), FRAME_MAX);
			uint32_t next = tern_stage_put_fragment(&stage, &parcel, offset);
			signals += stage.signals;
			struct rte_mbuf *mbuf = tern_stage_close(&stage, 9);
			assert_true(rte_pktmbuf_pkt_len(mbuf) <= FRAME_MAX);
			check_entry(mbuf, &entry);
			assert_int_equal(entry.fragment->offset, offset);
			assert_int_equal(entry.fragment->size, size);
			memcpy(whole + offset, entry.payload, entry.fixed->length);
			assert_int_equal(tern_stage_private(mbuf)->count, next == size);
			offset = next;
			rte_pktmbuf_free(mbuf);
		}
		assert_int_equal(signals, 1);
		assert_memory_equal(whole, tern_iso_data(iso), size);
		tern_iso_drop(&heaps.heap[0], iso);
	}
}

static int stop(void **state)
{
	(void)state;
	heaps_fini(&heaps);
	return (int)rte_mempool_in_use_count(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_value_comes_back),
		cmocka_unit_test(test_the_short_way_writes_the_same),
		cmocka_unit_test(test_the_short_way_leaves_a_full_frame_alone),
		cmocka_unit_test(test_a_frame_takes_what_fits),
		cmocka_unit_test(test_blocks_lie_beside_their_entries),
		cmocka_unit_test(test_fragments_cover_a_block),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
