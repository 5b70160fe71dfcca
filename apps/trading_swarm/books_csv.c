/* SPDX-License-Identifier: Apache-2.0 */
#include "books_csv.h"

#include "tern_plain.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SYMBOL_TEXT_MAX TERN_PLAIN_MAX(sizeof(((struct book *)0)->stock))

/* A symbol is eight bytes of the feed, whatever they are. */
static void symbol_text(const struct book *book, char text[SYMBOL_TEXT_MAX])
{
	char symbol[sizeof(book->stock) + 1] = {0};
	memcpy(symbol, book->stock, sizeof(book->stock));
	size_t length = strlen(symbol);
	while (length > 0 && symbol[length - 1] == ' ')
		symbol[--length] = '\0';
	tern_plain_text(text, SYMBOL_TEXT_MAX, symbol);
}

static void write_side(const struct book *book, enum book_side_index side, uint32_t depth,
		       FILE *file)
{
	char symbol[SYMBOL_TEXT_MAX];
	symbol_text(book, symbol);
	for (uint32_t k = 0; k < depth; k++) {
		const struct book_level *level = book_level_at(book, side, k);
		if (!level)
			return;
		fprintf(file, "%s,%u,%s,%u,%" PRIu32 ",%" PRIu64 ",%" PRIu32 "\n", symbol,
			book->locate, side == BOOK_BID ? "bid" : "ask", k + 1, level->price,
			level->shares, level->orders);
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
