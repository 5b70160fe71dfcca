/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRANTS_H
#define GRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/frame/wire.h"

/*
 * Sessions that were granted and are not open yet, the oldest first. Pure. Start from all zero.
 *
 * A HELLO that comes again is granted the same session again. A session opens with its first frame;
 * those that were granted before it are forgotten, those after it stay: so an old HELLO that the
 * network kept ends nothing, whenever it comes. Where there is no place the oldest is forgotten:
 * who took that one is told so, and asks again.
 */
#define TERN_GRANTS_MAX 4u

struct tern_grant {
	uint64_t session;
	uint64_t own_nonce;
	uint64_t sent_ns;	      /* when it was told first */
	uint32_t times;		      /* it was told */
	bool is_due;		      /* it is to be told */
	struct tern_wire_hello hello; /* what asked for it */
};

struct tern_grants {
	struct tern_grant of[TERN_GRANTS_MAX];
	uint32_t count;
};

/** The grant that answers a HELLO's nonce, or that has a session. NULL: none. */
struct tern_grant *tern_grants_by_nonce(struct tern_grants *grants, uint64_t nonce);
struct tern_grant *tern_grants_by_session(struct tern_grants *grants, uint64_t session);

/** Grant a session. Returns it; valid until the next call. */
struct tern_grant *tern_grants_add(struct tern_grants *grants, const struct tern_wire_hello *hello,
				   uint64_t session, uint64_t own_nonce);

/** Take one out, and those that are older. */
struct tern_grant tern_grants_take(struct tern_grants *grants, const struct tern_grant *grant);

#endif
