/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer | clang | clang-thread-safety
/* Goal: freeze, share, send, look, thaw and drop: the idiom is accepted. */
#include "tern_signal.h"

int send_to_both(struct tern_agent *self, tern_address one, tern_address other);
int rewrite(struct tern_agent *self, const tern_val *val);
int make_and_rewrite(struct tern_agent *self);

int send_to_both(struct tern_agent *self, tern_address one, tern_address other)
{
	struct tern_heap *heap = tern_heap(self);
	tern_iso *iso = tern_iso_create(heap, 100);
	if (!iso)
		return -tern_errno;
	*(int *)tern_iso_data(iso) = 7;
	const tern_val *val = tern_iso_freeze(iso);
	const tern_val *second = tern_val_share(val);
	int first = *(const int *)tern_val_data(val);
	val = tern_signal(self, one, 1, val);
	second = tern_signal(self, other, 1, second);
	int refused = (val != NULL) + (second != NULL);
	tern_val_drop(heap, val);
	tern_val_drop(heap, second);
	return refused ? -1 : first;
}

int rewrite(struct tern_agent *self, const tern_val *val)
{
	tern_iso *iso = tern_val_thaw(val);
	if (!iso) {
		tern_val_drop(tern_heap(self), val);
		return -tern_errno;
	}
	*(int *)tern_iso_data(iso) = 8;
	tern_iso_drop(tern_heap(self), iso);
	return 0;
}

int make_and_rewrite(struct tern_agent *self)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return -tern_errno;
	return rewrite(self, tern_iso_freeze(iso));
}

/* Looks first, and keeps only what it wants. */
TERN_HANDLER(, on_quote)
{
	const tern_val **kept = state;
	const tern_val *seen = tern_signal_peek_val(signal);
	if (!seen || tern_block_size(seen) < sizeof(int))
		return;
	const tern_val *val = tern_signal_take_val(signal);
	tern_val_drop(tern_heap(self), *kept);
	*kept = val;
}
