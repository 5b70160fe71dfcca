/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_anomaly.h"

#define INFO(constant, name, severity, text) [FEED_##constant] = {#name, text, FEED_##severity},

static const struct feed_anomaly_info anomaly_infos[FEED_ANOMALY_LIMIT] = {
	[FEED_OK] = {"ok", "nothing remarkable", FEED_NOTE}, FEED_ANOMALIES(INFO)};

const struct feed_anomaly_info *feed_anomaly_info(enum feed_anomaly anomaly)
{
	return &anomaly_infos[anomaly];
}

void feed_counters_add(struct feed_counters *counters, enum feed_anomaly anomaly, uint64_t count,
		       uint64_t place)
{
	if (anomaly == FEED_OK || count == 0)
		return;
	if (counters->count[anomaly] == 0)
		counters->first_place[anomaly] = place;
	if (__builtin_add_overflow(counters->count[anomaly], count, &counters->count[anomaly]))
		counters->count[anomaly] = UINT64_MAX;
}

int feed_counters_faulty(const struct feed_counters *counters)
{
	for (int i = FEED_OK + 1; i < FEED_ANOMALY_LIMIT; i++) {
		if (counters->count[i] && anomaly_infos[i].severity == FEED_FAULT)
			return 1;
	}
	return 0;
}
