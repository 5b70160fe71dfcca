/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RTT_H
#define RTT_H

#include <stdint.h>

#include <rte_common.h>

/*
 * Round trip time of a path, smoothed, in ns. Pure. Start from all zero: not known.
 *
 * Source: RFC 6298, section 2, without its timer's granularity. A sample counts as no more than
 * eight times the smoothed time, so that a thread that was held up once does not spoil it; a path
 * that became a thousand times longer is followed within a dozen samples.
 */
struct tern_rtt {
	uint64_t srtt_ns;
	uint64_t variance_ns; /* RTTVAR */
	uint64_t min_ns;      /* the least of this and the last span of samples */
	uint64_t span_min_ns; /* of this span */
	uint32_t samples;     /* of this span */
};

#define TERN_RTT_SPAN 1024u
#define TERN_RTT_UNKNOWN_NS 100000u /* until there is a sample */
#define TERN_RTT_RISE 8u
#define TERN_RTT_FLOOR_NS 1000u

static inline uint64_t tern_rtt_smoothed(const struct tern_rtt *rtt)
{
	return rtt->srtt_ns ? rtt->srtt_ns : TERN_RTT_UNKNOWN_NS;
}

/** Retry of what was asked for, or sent again: max(2 SRTT, 20 us). */
static inline uint64_t tern_rtt_retry(const struct tern_rtt *rtt)
{
	return RTE_MAX(2 * tern_rtt_smoothed(rtt), (uint64_t)20000);
}

/** When silence after the last frame sent is worth a probe: max(1.5 SRTT, 20 us). */
static inline uint64_t tern_rtt_probe(const struct tern_rtt *rtt)
{
	uint64_t srtt = tern_rtt_smoothed(rtt);
	return RTE_MAX(srtt + srtt / 2, (uint64_t)20000);
}

static inline void tern_rtt_note_min(struct tern_rtt *rtt, uint64_t sample_ns)
{
	if (rtt->samples == TERN_RTT_SPAN) {
		rtt->min_ns = rtt->span_min_ns;
		rtt->samples = 0;
	}
	rtt->span_min_ns = rtt->samples ? RTE_MIN(rtt->span_min_ns, sample_ns) : sample_ns;
	rtt->min_ns = RTE_MIN(rtt->min_ns, sample_ns);
	rtt->samples++;
}

/** Take one sample in. @param sample_ns  any; 0 counts as 1 */
static inline void tern_rtt_sample(struct tern_rtt *rtt, uint64_t sample_ns)
{
	sample_ns = RTE_MAX(sample_ns, (uint64_t)1);
	if (rtt->srtt_ns == 0) {
		*rtt = (struct tern_rtt){
			.srtt_ns = sample_ns, .variance_ns = sample_ns / 2, .min_ns = sample_ns};
		tern_rtt_note_min(rtt, sample_ns);
		return;
	}
	uint64_t most = RTE_MAX(rtt->srtt_ns, (uint64_t)TERN_RTT_FLOOR_NS) * TERN_RTT_RISE;
	sample_ns = RTE_MIN(sample_ns, most);
	uint64_t off_ns =
		sample_ns > rtt->srtt_ns ? sample_ns - rtt->srtt_ns : rtt->srtt_ns - sample_ns;
	rtt->variance_ns = (3 * rtt->variance_ns + off_ns) / 4;
	rtt->srtt_ns = RTE_MAX((7 * rtt->srtt_ns + sample_ns) / 8, (uint64_t)1);
	tern_rtt_note_min(rtt, sample_ns);
}

#endif
