/* SPDX-License-Identifier: Apache-2.0 */
/* Called by whoever shows counters to people: any thread. */
#include "drop.h"

static const char *const drop_names[] = {
#define DROP_NAME(name, text) #name,
	TERN_DROP_LIST(DROP_NAME)
#undef DROP_NAME
};

static const char *const drop_texts[] = {
#define DROP_TEXT(name, text) text,
	TERN_DROP_LIST(DROP_TEXT)
#undef DROP_TEXT
};

const char *tern_drop_name(enum tern_drop why)
{
	return (unsigned)why < TERN_DROPS ? drop_names[why] : "?";
}

const char *tern_drop_text(enum tern_drop why)
{
	return (unsigned)why < TERN_DROPS ? drop_texts[why] : "?";
}
