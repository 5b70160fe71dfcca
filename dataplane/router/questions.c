/* SPDX-License-Identifier: Apache-2.0 */

/* Called by lookups, and by who asks peers. */
#include "questions.h"

#include <rte_common.h>

#include "capabilities/lock.h"

void tern_questions_put(struct tern_questions *questions, struct tern_id id, bool capability)
{
	if (!tern_lock_try(&questions->lock)) {
		__atomic_fetch_add(&questions->lost, 1, __ATOMIC_RELAXED);
		return;
	}
	questions->kept[questions->asked % TERN_QUESTIONS_KEPT] =
		(struct tern_question){.id = id, .capability = capability};
	tern_count(&questions->asked, 1);
	tern_unlock(&questions->lock);
}

uint32_t tern_questions_get(struct tern_questions *questions, uint64_t *from,
			    struct tern_question *found, uint32_t count_max)
{
	uint32_t count = 0;
	if (tern_load(&questions->asked) == *from)
		return 0;
	tern_lock(&questions->lock);
	uint64_t asked = questions->asked;
	if (asked - *from > TERN_QUESTIONS_KEPT)
		*from = asked - TERN_QUESTIONS_KEPT;
	for (; count < count_max && *from < asked; count++, ++*from)
		found[count] = questions->kept[*from % TERN_QUESTIONS_KEPT];
	tern_unlock(&questions->lock);
	return count;
}
