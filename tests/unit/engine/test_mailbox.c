/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: mailboxes keep their order in chunks that come and go, share one pool without mixing,
 * and give every chunk back; the key index of a conflating mailbox knows exactly what waits.
 * Method: random pushes and pops on several mailboxes beside plain counters; keys beside a
 * list, with few distinct keys so that probes run into each other.
 */
#include "tests/unit/support.h"

#include "engine/keys.h"
#include "engine/mailbox.h"

enum { BOXES = 5, CHUNKS = 40, WAITING = 200 };

static struct tern_chunk *make_chunks(struct tern_chunks *chunks, uint32_t count)
{
	struct tern_chunk *memory = aligned_alloc(TERN_LINE, count * sizeof(*memory));
	assert_non_null(memory);
	memset(memory, 0xEE, count * sizeof(*memory));
	tern_chunks_init(chunks, memory, count);
	return memory;
}

static struct tern_signal make_signal(uint64_t number)
{
	struct tern_signal signal = {.type = (uint16_t)number, .kind = 8};
	signal.payload.words[0] = number;
	return signal;
}

static void mailboxes_keep_their_order(void **state)
{
	struct tern_rng rng = {.state = test_seed(1)};
	struct tern_chunks chunks;
	struct tern_chunk *memory = make_chunks(&chunks, CHUNKS);
	struct tern_mailbox boxes[BOXES];
	uint64_t pushed[BOXES] = {0}, popped[BOXES] = {0};
	bool was_full = false;
	(void)state;
	for (int i = 0; i < BOXES; i++)
		boxes[i] = TERN_MAILBOX_EMPTY;
	for (int step = 0; step < 200000; step++) {
		uint32_t i = pick(&rng, BOXES);
		/* Phases of filling and of draining. */
		if (pick(&rng, 100) < (step / 5000 % 2 ? 30u : 70u)) {
			struct tern_signal signal = make_signal((uint64_t)i << 32 | pushed[i]);
			struct tern_signal *slot = tern_mailbox_push(&chunks, &boxes[i], &signal);
			was_full |= !slot;
			if (!slot) {
				assert_int_equal(chunks.used, CHUNKS);
				continue;
			}
			assert_memory_equal(slot, &signal, sizeof(signal));
			uint32_t place = tern_chunks_place(&chunks, slot);
			assert_true(place != 0);
			assert_ptr_equal(tern_chunks_at(&chunks, place), slot);
			pushed[i]++;
		} else if (pushed[i] != popped[i]) {
			struct tern_signal *front = tern_mailbox_front(&chunks, &boxes[i]);
			assert_int_equal(front->payload.words[0], (uint64_t)i << 32 | popped[i]);
			tern_mailbox_pop(&chunks, &boxes[i]);
			popped[i]++;
		}
		assert_int_equal(boxes[i].queued, pushed[i] - popped[i]);
		if (pushed[i] == popped[i])
			assert_null(tern_mailbox_front(&chunks, &boxes[i]));
	}
	assert_true(was_full);
	for (int i = 0; i < BOXES; i++)
		while (tern_mailbox_front(&chunks, &boxes[i]))
			tern_mailbox_pop(&chunks, &boxes[i]);
	assert_int_equal(chunks.used, 0);
	free(memory);
}

static void some_chunks_are_kept_for_control(void **state)
{
	struct tern_chunks chunks;
	struct tern_chunk *memory = make_chunks(&chunks, CHUNKS);
	struct tern_mailbox box = TERN_MAILBOX_EMPTY;
	struct tern_signal signal = make_signal(1);
	(void)state;
	while (tern_chunks_left(&chunks))
		assert_non_null(tern_mailbox_push(&chunks, &box, &signal));
	assert_int_equal(chunks.used, CHUNKS - TERN_CHUNKS_RESERVED);
	for (uint32_t i = 0; i < TERN_CHUNKS_RESERVED * TERN_CHUNK_SIGNALS; i++)
		assert_non_null(tern_mailbox_push(&chunks, &box, &signal));
	free(memory);
}

/* Just what keys.c looks at. */
struct keyed {
	struct tern_lcore *lcore;
	struct tern_extras extras;
	struct tern_chunk *memory;
	void *block;
};

static void open_keyed(struct keyed *keyed, uint32_t offset, uint32_t length)
{
	uint32_t entries = tern_keys_entries(WAITING);
	*keyed = (struct keyed){.lcore = aligned_alloc(TERN_LINE, sizeof(struct tern_lcore))};
	memset(keyed->lcore, 0, sizeof(struct tern_lcore));
	keyed->memory = make_chunks(&keyed->lcore->chunks, WAITING);
	keyed->block = calloc(1, TERN_BLOCK_OFFSET + entries * sizeof(uint32_t));
	keyed->extras.keys = keyed->block;
	keyed->extras.keys_mask = entries - 1;
	keyed->extras.key_offset = offset;
	keyed->extras.key_length = length;
}

static void close_keyed(struct keyed *keyed)
{
	free(keyed->memory);
	free(keyed->block);
	free(keyed->lcore);
}

static void keys_agree_with_a_list(void **state)
{
	struct tern_rng rng = {.state = test_seed(2)};
	(void)state;
	for (uint32_t length = 1; length <= 8; length++) {
		struct keyed keyed;
		struct tern_signal *waiting[WAITING];
		struct tern_mailbox box = TERN_MAILBOX_EMPTY;
		uint32_t count = 0;
		open_keyed(&keyed, 40 - length, length);
		for (int step = 0; step < 20000; step++) {
			struct tern_signal signal = {.type = (uint16_t)pick(&rng, 3), .kind = 40};
			uint64_t key = pick(&rng, 150);
			memcpy(signal.payload.bytes + 40 - length, &key, length);
			memset(signal.payload.bytes, (int)pick(&rng, 256), 40 - length);
			struct tern_signal *known = NULL;
			for (uint32_t i = 0; i < count && !known; i++)
				if (waiting[i]->type == signal.type &&
				    memcmp(waiting[i]->payload.bytes + 40 - length, &key, length) ==
					    0)
					known = waiting[i];
			assert_true(tern_keys_applies(&keyed.extras, &signal));
			assert_ptr_equal(tern_keys_find(keyed.lcore, &keyed.extras, &signal),
					 known);
			if (!known && count < WAITING) {
				waiting[count] =
					tern_mailbox_push(&keyed.lcore->chunks, &box, &signal);
				tern_keys_add(keyed.lcore, &keyed.extras, waiting[count++]);
			}
			for (uint32_t gone = pick(&rng, 3); gone && count; gone--) {
				tern_keys_remove(keyed.lcore, &keyed.extras, waiting[0]);
				tern_mailbox_pop(&keyed.lcore->chunks, &box);
				memmove(waiting, waiting + 1, --count * sizeof(waiting[0]));
			}
		}
		close_keyed(&keyed);
	}
}

static void a_key_needs_its_bytes(void **state)
{
	struct keyed keyed;
	(void)state;
	open_keyed(&keyed, 8, 4);
	for (uint32_t kind = 0; kind <= 40; kind++) {
		struct tern_signal signal = {.kind = (unsigned char)kind};
		assert_int_equal(tern_keys_applies(&keyed.extras, &signal), kind >= 12);
	}
	const unsigned char blocks[] = {TERN_KIND_ISO, TERN_KIND_VAL, TERN_KIND_TAG};
	for (int i = 0; i < 3; i++) {
		struct tern_signal signal = {.kind = blocks[i]};
		assert_false(tern_keys_applies(&keyed.extras, &signal));
	}
	for (uint32_t capacity = 1; capacity <= 4096; capacity++) {
		uint32_t entries = tern_keys_entries(capacity);
		assert_true(entries >= 2 * capacity && (entries & (entries - 1)) == 0);
		assert_true(entries * sizeof(uint32_t) <= TERN_BLOCK_SIZE_MAX);
	}
	close_keyed(&keyed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailboxes_keep_their_order),
		cmocka_unit_test(some_chunks_are_kept_for_control),
		cmocka_unit_test(keys_agree_with_a_list),
		cmocka_unit_test(a_key_needs_its_bytes),
	};
	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
