/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer | clang | clang-thread-safety
/* Goal: the tools accept a correct program, so that a refusal elsewhere is due to the misuse. */
#include "tern_error.h"

int describe(struct tern_error *error);

int describe(struct tern_error *error)
{
	return tern_error_set(error, -1, "met %d, needed %d", 1, 2);
}
