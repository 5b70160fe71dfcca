/* SPDX-License-Identifier: Apache-2.0 */
#include "passage.h"

static bool all_passed(const struct tern_passage *passage, const struct tern_lane_out *out,
		       uint32_t routes, bool (*skips)(const void *owner, uint32_t route),
		       const void *owner)
{
	if (passage->elsewhere)
		return false;
	for (uint32_t i = 0; i < routes; i++) {
		if (!out[i].lane || (skips && skips(owner, i)))
			continue;
		uint32_t head = __atomic_load_n(&out[i].lane->head, __ATOMIC_ACQUIRE);
		if ((int32_t)(head - passage->positions[i]) < 0)
			return false;
	}
	return true;
}

void tern_passage_look(struct tern_passage *passage, const struct tern_lane_out *out,
		       uint32_t routes, bool (*skips)(const void *owner, uint32_t route),
		       const void *owner)
{
	if (tern_passage_is_due(passage)) {
		for (uint32_t i = 0; i < routes; i++)
			passage->positions[i] = out[i].tail;
		passage->noted++;
		passage->open = true;
	}
	if (passage->open && all_passed(passage, out, routes, skips, owner)) {
		passage->open = false;
		__atomic_store_n(&passage->passed, passage->noted, __ATOMIC_RELEASE); /* A1 */
	}
}
