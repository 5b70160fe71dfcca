/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no sequence of messages breaks the decoder or a book. Method: the input is a BinaryFILE's
 * inside (u16 length, message, ...); each message is decoded, encoded back and applied; at the end
 * the levels of the books must add up to the orders.
 */
#include "book/book.h"
#include "format/byte_order.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_books(const struct book_set *set)
{
	size_t orders = 0;
	size_t left = book_set_count(set);
	for (uint16_t locate = 1; left; locate++) {
		const struct book *book = book_set_get(set, locate);
		left -= book != NULL;
		for (enum book_side_index side = BOOK_BID; book && side <= BOOK_ASK; side++) {
			const struct book_level *level;
			for (uint32_t k = 0; (level = book_level_at(book, side, k)); k++) {
				orders += level->orders;
				if (level->orders == 0 || level->shares < level->orders)
					abort();
			}
		}
	}
	if (orders != book_set_orders(set))
		abort();
}

static void check_codec(const struct itch_message *message, const uint8_t *bytes, size_t length)
{
	uint8_t again[ITCH_LENGTH_MAX];
	if (itch_encode(message, again) != length || memcmp(bytes, again, length) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct book_set *set;
	if (book_set_create(0, &set) < 0)
		return 0;
	while (size >= 2) {
		size_t length = load_be16(data);
		struct itch_message message;
		data += 2;
		size -= 2;
		if (length > size)
			length = size;
		if (itch_decode(data, length, &message) == FEED_OK) {
			check_codec(&message, data, length);
			book_set_apply(set, &message);
		}
		data += length;
		size -= length;
	}
	check_books(set);
	book_set_destroy(set);
	return 0;
}
