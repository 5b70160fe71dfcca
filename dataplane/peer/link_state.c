/* SPDX-License-Identifier: Apache-2.0 */

/* What a link is at, for the engine above it. */
#include "link_inside.h"

bool tern_link_has_room(const struct tern_link *link)
{
	return !link->is_open || !link->is_refusing;
}

uint32_t tern_link_peer_lcores(const struct tern_link *link)
{
	return link->peer_lcores;
}

void tern_link_rewrap(struct tern_link *link, const struct tern_wrap *wrap)
{
	link->config.wrap = *wrap;
}

uint64_t tern_link_next(const struct tern_link *link)
{
	return link->stages | link->cuts ? 0 : link->sent.next;
}

uint64_t tern_link_acknowledged(const struct tern_link *link)
{
	return link->sent.acked;
}
