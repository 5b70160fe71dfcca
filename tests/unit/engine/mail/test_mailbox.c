/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: mailboxes keep their order in cells that come and go, share one pool without mixing, give
 * every cell back, and take from any place; a cell goes from one to another. The key index of a
 * conflating mailbox knows exactly what waits.
 * Method: random pushes, removals and moves on several mailboxes beside plain lists; keys beside a
 * list, with few distinct keys so that probes run into each other.
 */
#include "tests/unit/support.h"

#include "engine/lcore/lcore.h"
#include "engine/mail/keys.h"
#include "engine/queue/mailbox.h"

enum { BOXES = 5, CELLS = 600, WAITING = 200 };

/* Cells that fill their memory, whose bytes have any value. */
static void *make_cells(struct tern_cells *cells, uint32_t count)
{
	size_t bytes = count * (sizeof(struct tern_signal) + sizeof(uint32_t));
	void *memory = aligned_alloc(TERN_LINE, (bytes + TERN_LINE - 1) & ~(size_t)(TERN_LINE - 1));
	assert_non_null(memory);
	memset(memory, 0xEE, bytes);
	tern_cells_init(cells, memory, bytes);
	assert_int_equal(cells->count, count);
	assert_ptr_equal((char *)&cells->next[count], (char *)memory + bytes);
	return memory;
}

static struct tern_signal make_signal(uint64_t number)
{
	struct tern_signal signal = {.type = (uint16_t)number, .kind = 8};
	signal.payload.words[0] = number;
	return signal;
}

/* What a mailbox should hold. */
struct list {
	uint64_t numbers[CELLS];
	uint32_t count;
};

static uint64_t list_take(struct list *list, uint32_t place)
{
	uint64_t number = list->numbers[place];
	memmove(list->numbers + place, list->numbers + place + 1,
		(--list->count - place) * sizeof(number));
	return number;
}

static bool is_returned(uint64_t number)
{
	return number % 7 == 0;
}

static void check_box(const struct tern_cells *cells, const struct tern_mailbox *box,
		      const struct list *list)
{
	uint32_t cell = box->head, last = TERN_CELL_NONE, returned = 0;
	assert_int_equal(box->queued, list->count);
	for (uint32_t i = 0; i < list->count; i++, last = cell, cell = cells->next[cell]) {
		assert_int_equal(tern_cells_at(cells, cell)->payload.words[0], list->numbers[i]);
		returned += is_returned(list->numbers[i]);
	}
	assert_int_equal(cell, TERN_CELL_NONE);
	assert_int_equal(box->tail, last);
	assert_int_equal(box->returned, returned);
	if (list->count)
		assert_ptr_equal(tern_mailbox_front(cells, box), tern_cells_at(cells, box->head));
	else
		assert_null(tern_mailbox_front(cells, box));
}

/* The cell before a place; NONE for the first. */
static uint32_t before_place(const struct tern_cells *cells, const struct tern_mailbox *box,
			     uint32_t place)
{
	uint32_t before = TERN_CELL_NONE, cell = box->head;
	for (; place; place--, before = cell, cell = cells->next[cell])
		;
	return before;
}

static void mailboxes_keep_their_order(void **state)
{
	struct tern_rng rng = {.state = test_seed(1)};
	struct tern_cells cells;
	void *memory = make_cells(&cells, CELLS);
	struct tern_mailbox boxes[BOXES];
	static struct list lists[BOXES];
	uint64_t number = 0;
	uint32_t used = 0;
	bool was_full = false;
	(void)state;
	memset(lists, 0, sizeof(lists));
	for (int i = 0; i < BOXES; i++)
		boxes[i] = TERN_MAILBOX_EMPTY;
	for (int step = 0; step < 50000; step++) {
		uint32_t i = pick(&rng, BOXES), to = pick(&rng, BOXES);
		/* Phases of filling and of draining. */
		if (pick(&rng, 100) < (step / 5000 % 2 ? 30u : 70u)) {
			struct tern_signal signal = make_signal(++number);
			signal.kind |= is_returned(number) ? TERN_KIND_RETURNED : 0;
			uint32_t cell = tern_mailbox_push(&cells, &boxes[i], &signal);
			was_full |= cell == TERN_CELL_NONE;
			if (cell == TERN_CELL_NONE) {
				assert_int_equal(used, CELLS);
				continue;
			}
			assert_memory_equal(tern_cells_at(&cells, cell), &signal, sizeof(signal));
			lists[i].numbers[lists[i].count++] = number;
			used++;
		} else if (lists[i].count) {
			uint32_t place = pick(&rng, 3) ? 0 : pick(&rng, lists[i].count);
			uint32_t before = before_place(&cells, &boxes[i], place);
			uint32_t cell = tern_mailbox_remove(&cells, &boxes[i], before);
			uint64_t taken = list_take(&lists[i], place);
			assert_int_equal(tern_cells_at(&cells, cell)->payload.words[0], taken);
			if (pick(&rng, 4)) {
				tern_cells_put(&cells, cell);
				used--;
			} else {
				tern_mailbox_append(&cells, &boxes[to], cell);
				lists[to].numbers[lists[to].count++] = taken;
			}
		}
		check_box(&cells, &boxes[i], &lists[i]);
		check_box(&cells, &boxes[to], &lists[to]);
		assert_int_equal(cells.used, used);
		assert_int_equal(tern_cells_left(&cells), CELLS - used);
	}
	assert_true(was_full);
	for (int i = 0; i < BOXES; i++)
		while (tern_mailbox_front(&cells, &boxes[i]))
			tern_mailbox_pop(&cells, &boxes[i]);
	assert_int_equal(cells.used, 0);
	free(memory);
}

/* By type, what came back left aside, on from where the look before left off. */
static void a_look_finds_each_of_a_type(void **state)
{
	struct tern_cells cells;
	void *memory = make_cells(&cells, CELLS);
	struct tern_mailbox box = TERN_MAILBOX_EMPTY;
	uint32_t before = TERN_CELL_NONE;
	(void)state;
	assert_false(tern_mailbox_seek(&cells, &box, &before, 0));
	assert_false(tern_mailbox_seek_data(&cells, &box, &before));
	for (uint64_t i = 0; i < 100; i++) {
		struct tern_signal signal = make_signal(i);
		signal.type = (uint16_t)(i % 10);
		signal.kind |= i < 30 ? TERN_KIND_RETURNED : 0;
		tern_mailbox_push(&cells, &box, &signal);
	}
	assert_true(tern_mailbox_seek_data(&cells, &box, &before));
	assert_int_equal(tern_cells_at(&cells, cells.next[before])->payload.words[0], 30);
	before = TERN_CELL_NONE;
	for (uint64_t i = 33; i < 100; i += 10) {
		assert_true(tern_mailbox_seek(&cells, &box, &before, 3));
		assert_int_equal(tern_cells_at(&cells, cells.next[before])->payload.words[0], i);
		before = cells.next[before];
	}
	assert_false(tern_mailbox_seek(&cells, &box, &before, 3));
	/* What comes later is seen from there. */
	struct tern_signal signal = make_signal(200);
	signal.type = 3;
	uint32_t cell = tern_mailbox_push(&cells, &box, &signal);
	assert_true(tern_mailbox_seek(&cells, &box, &before, 3));
	assert_int_equal(cells.next[before], cell);
	free(memory);
}

/* Just what keys.c looks at. */
struct keyed {
	struct tern_lcore *lcore;
	struct tern_extras extras;
	void *memory;
	void *block;
};

static void open_keyed(struct keyed *keyed, uint32_t offset, uint32_t length)
{
	uint32_t entries = tern_keys_entries(WAITING);
	*keyed = (struct keyed){.lcore = aligned_alloc(TERN_LINE, sizeof(struct tern_lcore))};
	memset(keyed->lcore, 0, sizeof(struct tern_lcore));
	keyed->memory = make_cells(&keyed->lcore->mail.cells, WAITING);
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
		uint32_t waiting[WAITING]; /* cells */
		struct tern_mailbox box = TERN_MAILBOX_EMPTY;
		uint32_t count = 0;
		open_keyed(&keyed, 40 - length, length);
		for (int step = 0; step < 20000; step++) {
			struct tern_signal signal = {.type = (uint16_t)pick(&rng, 3), .kind = 40};
			uint64_t key = pick(&rng, 150);
			memcpy(signal.payload.bytes + 40 - length, &key, length);
			memset(signal.payload.bytes, (int)pick(&rng, 256), 40 - length);
			struct tern_signal *known = NULL;
			for (uint32_t i = 0; i < count && !known; i++) {
				struct tern_signal *at =
					tern_cells_at(&keyed.lcore->mail.cells, waiting[i]);
				if (at->type == signal.type &&
				    memcmp(at->payload.bytes + 40 - length, &key, length) == 0)
					known = at;
			}
			assert_true(tern_keys_applies(&keyed.extras, &signal));
			assert_ptr_equal(tern_keys_find(keyed.lcore, &keyed.extras, &signal),
					 known);
			if (!known && count < WAITING) {
				waiting[count] =
					tern_mailbox_push(&keyed.lcore->mail.cells, &box, &signal);
				tern_keys_add(keyed.lcore, &keyed.extras, waiting[count++]);
			}
			for (uint32_t gone = pick(&rng, 3); gone && count; gone--) {
				tern_keys_remove(keyed.lcore, &keyed.extras, waiting[0]);
				tern_mailbox_pop(&keyed.lcore->mail.cells, &box);
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
		cmocka_unit_test(a_look_finds_each_of_a_type),
		cmocka_unit_test(keys_agree_with_a_list),
		cmocka_unit_test(a_key_needs_its_bytes),
	};
	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
