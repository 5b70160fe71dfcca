/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_MBUF_H
#define FUZZ_MBUF_H

#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

/*
 * An mbuf of one segment without a pool or EAL, so that a fuzzer starts at once. Its memory ends
 * with its room, so that AddressSanitizer sees a byte too many.
 */
static inline void fuzz_mbuf_init(struct rte_mbuf *mbuf, uint16_t headroom, uint16_t room)
{
	memset(mbuf, 0, sizeof(*mbuf));
	mbuf->buf_len = (uint16_t)(headroom + room);
	mbuf->buf_addr = malloc(mbuf->buf_len ? mbuf->buf_len : 1u);
	if (!mbuf->buf_addr)
		abort();
	mbuf->data_off = headroom;
	mbuf->nb_segs = 1;
	rte_mbuf_refcnt_set(mbuf, 1);
}

static inline void fuzz_mbuf_fill(struct rte_mbuf *mbuf, const void *bytes, size_t size)
{
	char *at = rte_pktmbuf_append(mbuf, (uint16_t)size);
	if (!at)
		abort();
	memcpy(at, bytes, size);
}

static inline void fuzz_mbuf_fini(struct rte_mbuf *mbuf)
{
	free(mbuf->buf_addr);
}

#endif
