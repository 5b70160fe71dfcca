/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: assignment of member 'price' in read-only object
// expect[clang]: because function 'quote_val' returns a const value
/* Goal: typed access to a shared block is read-only. */
#include "tern_block.h"

struct quote {
	long price;
};
TERN_BLOCK_TYPE(quote, struct quote);
long update(const tern_val *val);

long update(const tern_val *val)
{
#ifndef TERN_FIXED
	quote_val(val)->price = 7;
#endif
	return quote_val(val)->price;
}
