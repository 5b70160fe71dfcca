/* SPDX-License-Identifier: Apache-2.0 */

/* Sessions granted and not open yet. link_session.c calls it, on the lcore that owns the link. */
#include "grants.h"

#include <stddef.h>
#include <string.h>

struct tern_grant *tern_grants_by_nonce(struct tern_grants *grants, uint64_t nonce)
{
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->of[i].hello.nonce == nonce)
			return &grants->of[i];
	return NULL;
}

struct tern_grant *tern_grants_by_session(struct tern_grants *grants, uint64_t session)
{
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->of[i].session == session)
			return &grants->of[i];
	return NULL;
}

static void forget_oldest(struct tern_grants *grants, uint32_t count)
{
	grants->count -= count;
	memmove(&grants->of[0], &grants->of[count], grants->count * sizeof(grants->of[0]));
}

struct tern_grant *tern_grants_add(struct tern_grants *grants, const struct tern_wire_hello *hello,
				   uint64_t session, uint64_t own_nonce)
{
	if (grants->count == TERN_GRANTS_MAX)
		forget_oldest(grants, 1);
	struct tern_grant *grant = &grants->of[grants->count++];
	*grant = (struct tern_grant){
		.session = session, .own_nonce = own_nonce, .is_due = true, .hello = *hello};
	return grant;
}

struct tern_grant tern_grants_take(struct tern_grants *grants, const struct tern_grant *grant)
{
	struct tern_grant taken = *grant;
	forget_oldest(grants, (uint32_t)(grant - grants->of) + 1);
	return taken;
}
