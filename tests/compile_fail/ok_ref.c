/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer | clang | clang-thread-safety
/* Goal: localize, write, recover, send, and drop of a local block are accepted. */
#include "tern_signal.h"

int build(struct tern_agent *self, tern_address to);

int build(struct tern_agent *self, tern_address to)
{
	struct tern_heap *heap = tern_heap(self);
	tern_iso *iso = tern_iso_create(heap, 400);
	if (!iso)
		return -tern_errno;
	tern_ref *ref = tern_iso_localize(iso);
	int *words = tern_ref_data(ref);
	for (int i = 0; i < 100; i++)
		words[i] = i;
	if (tern_block_size(ref) != 400) {
		tern_ref_drop(heap, ref);
		return -1;
	}
	iso = tern_signal(self, to, 1, tern_ref_recover(ref));
	tern_iso_drop(heap, iso);
	return iso ? -tern_errno : 0;
}
