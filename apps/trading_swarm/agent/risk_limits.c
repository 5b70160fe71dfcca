/* SPDX-License-Identifier: Apache-2.0 */
#include "risk_limits.h"

#include "app.h"
#include "tern_word.h"

#include <errno.h>
#include <string.h>

#define NAME(constant, name, initial, text) #name,
static const char *const names[] = {RISK_LIMITS(NAME)};

#define TEXT(constant, name, initial, text) text,
static const char *const texts[] = {RISK_LIMITS(TEXT)};

const char *risk_limit_name(enum risk_limit limit)
{
	return names[limit];
}

const char *risk_limit_text(enum risk_limit limit)
{
	return texts[limit];
}

void risk_limits_init(struct risk_limits *limits)
{
#define INITIAL(constant, name, initial, text) initial,
	*limits = (struct risk_limits){{RISK_LIMITS(INITIAL)}};
}

static int refuse_name(const char *name, struct tern_error *error)
{
	const char *nearest = tern_word_nearest(name, names, RISK_LIMIT_COUNT);
	if (nearest)
		return tern_error_set(error, -EINVAL, "\"%s\" is no limit: did you mean %s?", name,
				      nearest);
	return tern_error_set(error, -EINVAL,
			      "\"%s\" is no limit, needs one of order_shares, position_shares, "
			      "notional_usd, collar_bp, open_orders, orders_per_s",
			      name);
}

int risk_limits_set(struct risk_limits *limits, const char *assignment, struct tern_error *error)
{
	char name[32];
	const char *equals = strchr(assignment, '=');
	size_t length = equals ? (size_t)(equals - assignment) : strlen(assignment);
	length = length < sizeof(name) ? length : sizeof(name) - 1;
	memcpy(name, assignment, length);
	name[length] = 0;
	size_t i = 0;
	while (i < RISK_LIMIT_COUNT && strcmp(names[i], name) != 0)
		i++;
	if (i == RISK_LIMIT_COUNT)
		return refuse_name(name, error);
	if (!equals || !app_number_parse(equals + 1, 0, RISK_LIMIT_MAX, &limits->max[i]))
		return tern_error_set(error, -EINVAL,
				      "limit %s is '%s', needs a number from 0 to %u", name,
				      equals ? equals + 1 : "", RISK_LIMIT_MAX);
	return 0;
}
