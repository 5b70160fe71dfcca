/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: from incompatible pointer type
// expect[clang]: incompatible pointer types
/* Goal: a unique block is shared through freeze only. */
#include "tern_signal.h"

const void *look(tern_iso *iso, const tern_val *val);

const void *look(tern_iso *iso, const tern_val *val)
{
#ifdef TERN_FIXED
	return iso ? tern_val_data(val) : NULL;
#else
	return val ? tern_val_data(iso) : NULL;
#endif
}
