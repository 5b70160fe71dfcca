/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QUIET_H
#define QUIET_H

#include <rte_rcu_qsbr.h>

#include "sanitizer.h"

/* DPDK 22.11 reads one word of it plainly while others write it; it is a hint, read again. */
static TERN_HIDDEN bool tern_quiet_check(struct rte_rcu_qsbr *quiet, uint64_t token)
{
	return rte_rcu_qsbr_check(quiet, token, false) == 1;
}

/** Whether every reader has been quiet since a token was taken (rte_rcu_qsbr_start()). */
static inline bool tern_quiet_since(struct rte_rcu_qsbr *quiet, uint64_t token)
{
	if (!tern_quiet_check(quiet, token))
		return false;
	tern_sanitizer_locked(quiet);
	return true;
}

#endif
