/* SPDX-License-Identifier: Apache-2.0 */
#include "market_codec.h"

#include <string.h>

static void encode_add(const struct itch_add_order *add, struct swarm_market *market)
{
	market->reference = add->reference;
	market->shares = add->shares;
	market->price = add->price;
	market->code = add->side;
	memcpy(market->stock, add->stock, sizeof(market->stock));
}

static void encode_replace(const struct itch_replace *replace, struct swarm_market *market)
{
	market->reference = replace->reference;
	market->new_reference = replace->new_reference;
	market->shares = replace->shares;
	market->price = replace->price;
}

bool market_encode(const struct itch_message *message, struct swarm_market *market)
{
	*market = (struct swarm_market){.locate = message->locate, .type = message->type};
	switch (message->type) {
	case 'A':
	case 'F': /* begins with the fields of A */
		encode_add(&message->add_order, market);
		return true;
	case 'E':
	case 'C': /* begins with the fields of E */
		market->reference = message->executed.reference;
		market->shares = message->executed.shares;
		return true;
	case 'X':
		market->reference = message->cancel.reference;
		market->shares = message->cancel.shares;
		return true;
	case 'D':
		market->reference = message->delete_order.reference;
		return true;
	case 'U':
		encode_replace(&message->replace, market);
		return true;
	case 'R':
		memcpy(market->stock, message->stock_directory.stock, sizeof(market->stock));
		return true;
	case 'H':
		memcpy(market->stock, message->trading_action.stock, sizeof(market->stock));
		market->code = message->trading_action.state;
		return true;
	default:
		return false;
	}
}

static void decode_add(const struct swarm_market *market, struct itch_add_order *add)
{
	add->reference = market->reference;
	add->shares = market->shares;
	add->price = market->price;
	add->side = market->code;
	memcpy(add->stock, market->stock, sizeof(add->stock));
}

static void decode_replace(const struct swarm_market *market, struct itch_replace *replace)
{
	replace->reference = market->reference;
	replace->new_reference = market->new_reference;
	replace->shares = market->shares;
	replace->price = market->price;
}

void market_decode(const struct swarm_market *market, struct itch_message *message)
{
	memset(message, 0, sizeof(*message));
	message->type = market->type;
	message->locate = market->locate;
	switch (market->type) {
	case 'A':
	case 'F':
		decode_add(market, &message->add_order);
		break;
	case 'E':
	case 'C':
		message->executed.reference = market->reference;
		message->executed.shares = market->shares;
		break;
	case 'X':
		message->cancel.reference = market->reference;
		message->cancel.shares = market->shares;
		break;
	case 'D':
		message->delete_order.reference = market->reference;
		break;
	case 'U':
		decode_replace(market, &message->replace);
		break;
	case 'R':
		memcpy(message->stock_directory.stock, market->stock, sizeof(market->stock));
		break;
	default: /* H: not for the book set */
		break;
	}
}
