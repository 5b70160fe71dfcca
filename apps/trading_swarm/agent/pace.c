/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pace_parse_speed(struct pace *pace, const char *text)
{
	uint64_t milli = 0;
	unsigned decimals = 0;
	if (strcmp(text, "max") == 0) {
		pace->kind = PACE_MAX;
		return true;
	}
	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text) && milli <= PACE_SPEED_MAX; text++)
		milli = 10 * milli + (uint64_t)(*text - '0');
	if (*text == '.' && isdigit((unsigned char)text[1]))
		for (text++; isdigit((unsigned char)*text) && decimals < 3; text++, decimals++)
			milli = 10 * milli + (uint64_t)(*text - '0');
	for (; decimals < 3; decimals++)
		milli *= 10;
	if (strcmp(text, "x") != 0 || milli == 0 || milli > UINT64_C(1000) * PACE_SPEED_MAX)
		return false;
	pace->kind = PACE_SPEED;
	pace->speed_milli = milli;
	return true;
}

void pace_describe(const struct pace *pace, char *text, unsigned size)
{
	if (pace->kind == PACE_MAX)
		snprintf(text, size, "as fast as possible");
	else if (pace->kind == PACE_RATE)
		snprintf(text, size, "%" PRIu64 " messages/s", pace->rate);
	else
		snprintf(text, size, "%gx as recorded", (double)pace->speed_milli / 1000);
}
