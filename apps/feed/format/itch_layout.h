/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_ITCH_LAYOUT_H
#define FEED_ITCH_LAYOUT_H

/*
 * The layout of all ITCH 5.0 messages (Nasdaq TotalView-ITCH 5.0, revision of 2023-04-28), once.
 * The structs, the decoder and the encoder all come from these lists.
 *
 * ITCH_MESSAGES:  M(type, length in bytes, noun, name for a person)
 * ITCH_FIELDS_x:  F(kind, field, offset); every byte behind the common header is covered
 *
 * Kinds: C1 one letter; A2, A4, A8 letters, left-justified, space padded; U32 and U64 big-endian
 * numbers. Prices are U32 in 1/10000 dollar (U64 in the MWCB levels: 1/100000000).
 */
#define ITCH_HEADER_LENGTH 11
#define ITCH_LENGTH_MAX 50

#define ITCH_MESSAGES(M)                                                \
	M('S', 12, system_event, "system event")                        \
	M('R', 39, stock_directory, "stock directory")                  \
	M('H', 25, trading_action, "trading action")                    \
	M('Y', 20, reg_sho, "Reg SHO restriction")                      \
	M('L', 26, participant_position, "market participant position") \
	M('V', 35, mwcb_levels, "MWCB levels")                          \
	M('W', 12, mwcb_status, "MWCB status")                          \
	M('K', 28, quoting_update, "quoting period update")             \
	M('J', 35, luld_collar, "LULD auction collar")                  \
	M('h', 21, operational_halt, "operational halt")                \
	M('A', 36, add_order, "add order")                              \
	M('F', 40, add_order_mpid, "add order with MPID")               \
	M('E', 31, executed, "order executed")                          \
	M('C', 36, executed_price, "order executed with price")         \
	M('X', 23, cancel, "order cancel")                              \
	M('D', 19, delete_order, "order delete")                        \
	M('U', 35, replace, "order replace")                            \
	M('P', 44, trade, "trade")                                      \
	M('Q', 40, cross_trade, "cross trade")                          \
	M('B', 19, broken_trade, "broken trade")                        \
	M('I', 50, noii, "net order imbalance")                         \
	M('N', 20, rpii, "retail price improvement")                    \
	M('O', 48, price_discovery, "direct listing price discovery")

#define ITCH_FIELDS_system_event(F) F(C1, event, 11)
#define ITCH_FIELDS_stock_directory(F)  \
	F(A8, stock, 11)                \
	F(C1, market_category, 19)      \
	F(C1, financial_status, 20)     \
	F(U32, round_lot, 21)           \
	F(C1, round_lots_only, 25)      \
	F(C1, classification, 26)       \
	F(A2, subtype, 27)              \
	F(C1, authenticity, 29)         \
	F(C1, short_sale_threshold, 30) \
	F(C1, ipo, 31)                  \
	F(C1, luld_tier, 32)            \
	F(C1, etp, 33)                  \
	F(U32, etp_leverage, 34)        \
	F(C1, inverse, 38)
#define ITCH_FIELDS_trading_action(F) \
	F(A8, stock, 11) F(C1, state, 19) F(C1, reserved, 20) F(A4, reason, 21)
#define ITCH_FIELDS_reg_sho(F) F(A8, stock, 11) F(C1, action, 19)
#define ITCH_FIELDS_participant_position(F) \
	F(A4, mpid, 11) F(A8, stock, 15) F(C1, primary, 23) F(C1, mode, 24) F(C1, state, 25)
#define ITCH_FIELDS_mwcb_levels(F) F(U64, level1, 11) F(U64, level2, 19) F(U64, level3, 27)
#define ITCH_FIELDS_mwcb_status(F) F(C1, level, 11)
#define ITCH_FIELDS_quoting_update(F) \
	F(A8, stock, 11) F(U32, release_s, 19) F(C1, qualifier, 23) F(U32, ipo_price, 24)
#define ITCH_FIELDS_luld_collar(F) \
	F(A8, stock, 11)           \
	F(U32, reference_price, 19) F(U32, upper, 23) F(U32, lower, 27) F(U32, extension, 31)
#define ITCH_FIELDS_operational_halt(F) F(A8, stock, 11) F(C1, market, 19) F(C1, action, 20)
#define ITCH_FIELDS_add_order(F) \
	F(U64, reference, 11)    \
	F(C1, side, 19) F(U32, shares, 20) F(A8, stock, 24) F(U32, price, 32)
#define ITCH_FIELDS_add_order_mpid(F) ITCH_FIELDS_add_order(F) F(A4, attribution, 36)
#define ITCH_FIELDS_executed(F) F(U64, reference, 11) F(U32, shares, 19) F(U64, match, 23)
#define ITCH_FIELDS_executed_price(F) ITCH_FIELDS_executed(F) F(C1, printable, 31) F(U32, price, 32)
#define ITCH_FIELDS_cancel(F) F(U64, reference, 11) F(U32, shares, 19)
#define ITCH_FIELDS_delete_order(F) F(U64, reference, 11)
#define ITCH_FIELDS_replace(F) \
	F(U64, reference, 11) F(U64, new_reference, 19) F(U32, shares, 27) F(U32, price, 31)
#define ITCH_FIELDS_trade(F) ITCH_FIELDS_add_order(F) F(U64, match, 36)
#define ITCH_FIELDS_cross_trade(F) \
	F(U64, shares, 11)         \
	F(A8, stock, 19) F(U32, price, 27) F(U64, match, 31) F(C1, cross_type, 39)
#define ITCH_FIELDS_broken_trade(F) F(U64, match, 11)
#define ITCH_FIELDS_noii(F)         \
	F(U64, paired, 11)          \
	F(U64, imbalance, 19)       \
	F(C1, direction, 27)        \
	F(A8, stock, 28)            \
	F(U32, far_price, 36)       \
	F(U32, near_price, 40)      \
	F(U32, reference_price, 44) \
	F(C1, cross_type, 48)       \
	F(C1, variation, 49)
#define ITCH_FIELDS_rpii(F) F(A8, stock, 11) F(C1, interest, 19)
#define ITCH_FIELDS_price_discovery(F) \
	F(A8, stock, 11)               \
	F(C1, eligible, 19)            \
	F(U32, minimum, 20)            \
	F(U32, maximum, 24)            \
	F(U32, near_price, 28)         \
	F(U64, near_time_ns, 32)       \
	F(U32, lower, 40)              \
	F(U32, upper, 44)

#endif
