/* SPDX-License-Identifier: Apache-2.0 */
#include "books_csv.h"

#include <errno.h>
#include <inttypes.h>

static void write_side(const struct book *book, enum book_side_index side, uint32_t depth,
		       FILE *file)
{
	int length = 8;
	while (length > 0 && (book->stock[length - 1] == ' ' || book->stock[length - 1] == 0))
		length--;
	for (uint32_t k = 0; k < depth; k++) {
		const struct book_level *level = book_level_at(book, side, k);
		if (!level)
			return;
		fprintf(file, "%.*s,%u,%s,%u,%" PRIu32 ",%" PRIu64 ",%" PRIu32 "\n", length,
			book->stock, book->locate, side == BOOK_BID ? "bid" : "ask", k + 1,
			level->price, level->shares, level->orders);
	}
}

int books_csv_write(const struct swarm *swarm, uint32_t depth, FILE *file)
{
	fputs("symbol,locate,side,level,price,shares,orders\n", file);
	for (uint32_t locate = 0; locate <= UINT16_MAX; locate++) {
		const struct book_agent *agent = &swarm->books[locate % swarm->options->book_count];
		const struct book *book = book_set_get(agent->set, (uint16_t)locate);
		if (!book)
			continue;
		write_side(book, BOOK_BID, depth, file);
		write_side(book, BOOK_ASK, depth, file);
	}
	return ferror(file) ? -EIO : 0;
}
