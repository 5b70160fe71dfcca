/* SPDX-License-Identifier: Apache-2.0 */
#include "generator.h"

#include "generator_random.h"
#include "generator_side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)
#define START_NS (34198 * SECOND_NS)   /* 09:29:58 */
#define TRADING_NS (23400 * SECOND_NS) /* 09:30 to 16:00 */
#define SYMBOL_MEAN_NS (40 * 1000 * 1000)
#define BURST_MEAN_NS 150
#define SCRIPT_MEAN_NS 800
#define TICK 100 /* a cent */
#define DEPTH_LOW 8

struct symbol {
	char stock[8];
	uint32_t start_price;
	struct generator_side sides[2];
};

/* A step of the day's opening or closing: one message, or one for each symbol. */
struct step {
	char type;
	char code; /* event or cross type */
	bool per_symbol;
	uint64_t pause_ns; /* before its first message */
};

static const struct step steps[] = {
	{'S', 'O', false, 0},	       {'R', 0, true, 1000},
	{'H', 0, true, 1000},	       {'Y', 0, true, 1000},
	{'S', 'S', false, 500000000},  {'S', 'Q', false, 1500000000},
	{'Q', 'O', true, 1000},	       {0, 0, false, 0}, /* trading */
	{'Q', 'C', true, 1200000000},  {'S', 'M', false, 1000},
	{'S', 'E', false, 2500000000}, {'S', 'C', false, 1000000},
};

#define STEP_COUNT (sizeof(steps) / sizeof(steps[0]))

struct generator {
	struct generator_random random;
	uint64_t left_count;	/* messages to yield */
	uint64_t trading_count; /* of them, messages of the trading step */
	uint64_t mean_ns;	/* between bursts */
	uint64_t now_ns;
	uint64_t reference; /* given to the last order */
	uint64_t match;	    /* given to the last trade */
	uint32_t symbol_count;
	size_t step;
	uint32_t step_symbol;
	uint32_t burst_left;
	uint32_t burst_symbol;
	struct symbol symbols[];
};

static void init_symbol(struct generator *generator, uint32_t index)
{
	struct symbol *symbol = &generator->symbols[index];
	uint32_t rest = index;
	memset(symbol->stock, ' ', sizeof(symbol->stock));
	for (int i = 3; i >= 0; i--, rest /= 26)
		symbol->stock[i] = (char)('A' + rest % 26);
	symbol->start_price = (1000 + random_below(&generator->random, 49000)) * TICK;
	symbol->sides[BOOK_ASK].ask = true;
}

static uint64_t script_count(uint32_t symbol_count)
{
	uint64_t count = 0;
	for (size_t i = 0; i < STEP_COUNT; i++)
		count += steps[i].per_symbol ? symbol_count : steps[i].type != 0;
	return count;
}

int generator_create(const struct generator_options *options, struct generator **created)
{
	uint32_t symbols = options->symbol_count;
	if (symbols == 0 || symbols > GENERATOR_SYMBOLS_MAX)
		return -EINVAL;
	struct generator *generator =
		calloc(1, sizeof(*generator) + symbols * sizeof(struct symbol));
	if (!generator)
		return -ENOMEM;
	uint64_t script = script_count(symbols);
	generator->random.state = options->seed;
	generator->left_count = options->message_count;
	generator->symbol_count = symbols;
	generator->now_ns = START_NS;
	if (options->message_count > script)
		generator->trading_count = options->message_count - script;
	/* half of the messages come in bursts, which take no time to speak of */
	uint64_t fitting_ns = TRADING_NS / (generator->trading_count / 2 + 1);
	generator->mean_ns = 2 * SYMBOL_MEAN_NS / symbols;
	if (generator->mean_ns > fitting_ns)
		generator->mean_ns = fitting_ns;
	for (uint32_t i = 0; i < symbols; i++)
		init_symbol(generator, i);
	*created = generator;
	return 0;
}

void generator_destroy(struct generator *generator)
{
	free(generator);
}

const struct generator_order *generator_orders(const struct generator *generator, uint32_t symbol,
					       enum book_side_index side, uint32_t *count)
{
	*count = generator->symbols[symbol].sides[side].count;
	return generator->symbols[symbol].sides[side].orders;
}

static uint32_t lot(struct generator *generator)
{
	uint32_t odd = random_below(&generator->random, 8) == 0;
	return odd ? 1 + random_below(&generator->random, 300)
		   : 100 * (1 + random_below(&generator->random, 5));
}

/* A price that does not cross the other side. There always is one: an ask is above a bid, hence two
 * ticks or more, and a bid is below an ask, hence a tick or more below the maximum. */
static uint32_t pick_price(struct generator *generator, const struct symbol *symbol,
			   enum book_side_index side)
{
	const struct generator_side *other = &symbol->sides[!side];
	uint32_t anchor =
		other->count ? other->orders[other->count - 1].price : symbol->start_price;
	uint32_t ticks = 1 + (uint32_t)__builtin_ctzll(random_next(&generator->random) | 1 << 10);
	if (random_below(&generator->random, 8) == 0)
		ticks += random_below(&generator->random, 60);
	if (side == BOOK_ASK)
		return anchor + ticks * TICK < ITCH_PRICE_MAX ? anchor + ticks * TICK
							      : ITCH_PRICE_MAX;
	return anchor > ticks * TICK ? anchor - ticks * TICK : TICK;
}

static void make_add(struct generator *generator, struct symbol *symbol, enum book_side_index side,
		     struct itch_message *message)
{
	struct generator_order order = {
		.reference = generator->reference += 1 + random_below(&generator->random, 7),
		.price = pick_price(generator, symbol, side),
		.shares = lot(generator),
	};
	generator_side_insert(&symbol->sides[side], &order);
	struct itch_add_order *add = &message->add_order;
	message->type = 'A';
	*add = (struct itch_add_order){.reference = order.reference,
				       .side = side == BOOK_ASK ? 'S' : 'B',
				       .shares = order.shares,
				       .price = order.price};
	memcpy(add->stock, symbol->stock, sizeof(add->stock));
	if (random_below(&generator->random, 16) != 0)
		return;
	message->type = 'F'; /* begins with the fields of A */
	memcpy(message->add_order_mpid.attribution, "TERN", 4);
}

static void deduct(struct generator_side *side, uint32_t index, uint32_t shares)
{
	side->orders[index].shares -= shares;
	if (side->orders[index].shares == 0)
		generator_side_remove(side, index);
}

/* E, now and then C, of the next order in line. */
static void make_execution(struct generator *generator, struct generator_side *side,
			   struct itch_message *message)
{
	const struct generator_order *order = &side->orders[side->count - 1];
	uint32_t shares = order->shares;
	if (random_below(&generator->random, 3) == 0)
		shares = 1 + random_below(&generator->random, order->shares);
	generator->match++;
	if (random_below(&generator->random, 12) == 0) {
		message->type = 'C';
		message->executed_price =
			(struct itch_executed_price){.reference = order->reference,
						     .shares = shares,
						     .match = generator->match,
						     .printable = 'Y',
						     .price = order->price - TICK / 2};
	} else {
		message->type = 'E';
		message->executed = (struct itch_executed){
			.reference = order->reference, .shares = shares, .match = generator->match};
	}
	deduct(side, side->count - 1, shares);
}

static void make_cancel(struct generator *generator, struct generator_side *side,
			struct itch_message *message)
{
	uint32_t index = random_below(&generator->random, side->count);
	const struct generator_order *order = &side->orders[index];
	if (order->shares == 1 || random_below(&generator->random, 16) != 0) {
		message->type = 'D';
		message->delete_order = (struct itch_delete_order){.reference = order->reference};
		generator_side_remove(side, index);
		return;
	}
	uint32_t shares = 1 + random_below(&generator->random, order->shares - 1);
	message->type = 'X';
	message->cancel = (struct itch_cancel){.reference = order->reference, .shares = shares};
	deduct(side, index, shares);
}

static void make_replace(struct generator *generator, struct symbol *symbol,
			 enum book_side_index side, struct itch_message *message)
{
	struct generator_side *orders = &symbol->sides[side];
	uint32_t index = random_below(&generator->random, orders->count);
	struct generator_order order = orders->orders[index];
	message->type = 'U';
	message->replace.reference = order.reference;
	generator_side_remove(orders, index);
	order.reference = generator->reference += 1 + random_below(&generator->random, 7);
	order.shares = lot(generator);
	order.price = pick_price(generator, symbol, side);
	generator_side_insert(orders, &order);
	message->replace.new_reference = order.reference;
	message->replace.shares = order.shares;
	message->replace.price = order.price;
}

static void make_trade(struct generator *generator, const struct symbol *symbol,
		       struct itch_message *message)
{
	const struct generator_side *asks = &symbol->sides[BOOK_ASK];
	struct itch_trade *trade = &message->trade;
	message->type = 'P';
	*trade = (struct itch_trade){.side = 'B',
				     .shares = lot(generator),
				     .price = asks->orders[asks->count - 1].price,
				     .match = ++generator->match};
	memcpy(trade->stock, symbol->stock, sizeof(trade->stock));
}

static void make_cross(struct generator *generator, const struct symbol *symbol, char type,
		       struct itch_message *message)
{
	struct itch_cross_trade *cross = &message->cross_trade;
	*cross = (struct itch_cross_trade){.shares = 100 * (uint64_t)lot(generator),
					   .price = symbol->start_price,
					   .match = ++generator->match,
					   .cross_type = type};
	memcpy(cross->stock, symbol->stock, sizeof(cross->stock));
}

static void make_directory(const struct symbol *symbol, struct itch_message *message)
{
	struct itch_stock_directory *entry = &message->stock_directory;
	*entry = (struct itch_stock_directory){.market_category = 'Q',
					       .financial_status = 'N',
					       .round_lot = 100,
					       .round_lots_only = 'N',
					       .classification = 'C',
					       .subtype = {'Z', ' '},
					       .authenticity = 'T', /* test: no real security */
					       .short_sale_threshold = 'N',
					       .ipo = ' ',
					       .luld_tier = '1',
					       .etp = 'N',
					       .inverse = 'N'};
	memcpy(entry->stock, symbol->stock, sizeof(entry->stock));
}

/* Burst or pause: when, and which symbol; low symbols trade more than high ones. */
static struct symbol *pick_symbol(struct generator *generator, struct itch_message *message)
{
	struct generator_random *random = &generator->random;
	if (generator->burst_left) {
		generator->burst_left--;
		generator->now_ns += 20 + random_exponential(random, BURST_MEAN_NS);
	} else {
		uint32_t one = random_below(random, generator->symbol_count);
		uint32_t two = random_below(random, generator->symbol_count);
		generator->burst_symbol = one < two ? one : two;
		generator->now_ns += 1 + random_exponential(random, generator->mean_ns);
		if (random_below(random, 30) == 0)
			generator->burst_left = random_below(random, 60);
	}
	message->locate = (uint16_t)(generator->burst_symbol + 1);
	return &generator->symbols[generator->burst_symbol];
}

/* Deep sides shrink and shallow ones grow; in between the mix is that of a liquid stock. */
static void make_trading(struct generator *generator, struct itch_message *message)
{
	struct symbol *symbol = pick_symbol(generator, message);
	enum book_side_index side = random_below(&generator->random, 2);
	struct generator_side *orders = &symbol->sides[side];
	uint32_t choice = random_below(&generator->random, 1000);
	if (orders->count < DEPTH_LOW || symbol->sides[!side].count < DEPTH_LOW)
		make_add(generator, symbol, orders->count < DEPTH_LOW ? side : !side, message);
	else if (choice < 450 && orders->count < GENERATOR_DEPTH_MAX / 2)
		make_add(generator, symbol, side, message);
	else if (choice < 510)
		make_execution(generator, orders, message);
	else if (choice < 630)
		make_replace(generator, symbol, side, message);
	else if (choice < 655)
		make_trade(generator, symbol, message);
	else
		make_cancel(generator, orders, message);
}

static void make_step(struct generator *generator, const struct step *step,
		      struct itch_message *message)
{
	const struct symbol *symbol = &generator->symbols[generator->step_symbol];
	message->type = step->type;
	message->locate = step->per_symbol ? (uint16_t)(generator->step_symbol + 1) : 0;
	generator->now_ns += generator->step_symbol == 0
				     ? step->pause_ns
				     : 1 + random_exponential(&generator->random, SCRIPT_MEAN_NS);
	if (step->type == 'S') {
		message->system_event.event = step->code;
	} else if (step->type == 'R') {
		make_directory(symbol, message);
	} else if (step->type == 'H') {
		message->trading_action = (struct itch_trading_action){
			.state = 'T', .reserved = ' ', .reason = {' ', ' ', ' ', ' '}};
		memcpy(message->trading_action.stock, symbol->stock, sizeof(symbol->stock));
	} else if (step->type == 'Y') {
		message->reg_sho.action = '0';
		memcpy(message->reg_sho.stock, symbol->stock, sizeof(symbol->stock));
	} else {
		make_cross(generator, symbol, step->code, message);
	}
	if (!step->per_symbol || ++generator->step_symbol == generator->symbol_count) {
		generator->step_symbol = 0;
		generator->step++;
	}
}

bool generator_next(struct generator *generator, struct itch_message *message)
{
	if (generator->left_count == 0)
		return false;
	if (steps[generator->step].type == 0 && generator->trading_count == 0)
		generator->step++;
	const struct step *step = &steps[generator->step];
	memset(message, 0, sizeof(*message));
	if (step->type) {
		make_step(generator, step, message);
	} else {
		generator->trading_count--;
		make_trading(generator, message);
	}
	generator->left_count--;
	message->timestamp_ns = generator->now_ns;
	return true;
}
