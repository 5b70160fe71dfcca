/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer | clang | clang-thread-safety
/* Goal: what each capability allows is known at compile time. */
#include "tern_block.h"

#define ISO ((tern_iso *)0)
#define VAL ((const tern_val *)0)
#define REF ((tern_ref *)0)
#define TAG ((tern_tag *)0)

_Static_assert(TERN_IS_SENDABLE(ISO) && TERN_IS_SENDABLE(VAL) && TERN_IS_SENDABLE(TAG), "sent");
_Static_assert(!TERN_IS_SENDABLE(REF), "a ref stays with its agent");
_Static_assert(TERN_IS_MUTABLE(ISO) && TERN_IS_MUTABLE(REF), "written by their one holder");
_Static_assert(!TERN_IS_MUTABLE(VAL) && !TERN_IS_MUTABLE(TAG), "never written");
_Static_assert(TERN_IS_UNIQUE(ISO), "one holder, in one place");
_Static_assert(!TERN_IS_UNIQUE(VAL) && !TERN_IS_UNIQUE(REF) && !TERN_IS_UNIQUE(TAG), "aliased");

/* The kind of pointer decides, not how it is qualified. */
int of_constant_pointer(tern_iso *const iso);

int of_constant_pointer(tern_iso *const iso)
{
	return TERN_IS_SENDABLE(iso);
}
