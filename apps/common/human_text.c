/* SPDX-License-Identifier: Apache-2.0 */
#include "human_text.h"

#include <inttypes.h>
#include <stdio.h>

const char *app_count_text(char *text, uint64_t count)
{
	char digits[APP_TEXT_MAX];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *to = text;
	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = 0;
	return text;
}

const char *app_ns_text(char *text, uint64_t ns)
{
	if (ns < 1000)
		snprintf(text, APP_TEXT_MAX, "%" PRIu64 " ns", ns);
	else if (ns < 1000000)
		snprintf(text, APP_TEXT_MAX, "%.1f us", (double)ns / 1e3);
	else if (ns < 1000000000)
		snprintf(text, APP_TEXT_MAX, "%.1f ms", (double)ns / 1e6);
	else
		snprintf(text, APP_TEXT_MAX, "%.1f s", (double)ns / 1e9);
	return text;
}

const char *app_bytes_text(char *text, uint64_t bytes)
{
	if (bytes < 1u << 10)
		snprintf(text, APP_TEXT_MAX, "%" PRIu64 " B", bytes);
	else if (bytes < 1u << 20)
		snprintf(text, APP_TEXT_MAX, "%.1f KiB", (double)bytes / (1u << 10));
	else if (bytes < 1u << 30)
		snprintf(text, APP_TEXT_MAX, "%.1f MiB", (double)bytes / (1u << 20));
	else
		snprintf(text, APP_TEXT_MAX, "%.1f GiB", (double)bytes / (1u << 30));
	return text;
}
