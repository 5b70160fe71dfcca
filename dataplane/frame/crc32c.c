/* SPDX-License-Identifier: Apache-2.0 */
/* Called by frame.c for each frame that comes or goes, on its lcore. */
#include "crc32c.h"

#include <string.h>

#include <rte_hash_crc.h>

/*
 * One CRC instruction waits for the one before, and three can be under way: long pieces are cut
 * into three streams of this many bytes. A frame of an MTU of 1,500 is three such pieces and a
 * rest.
 */
#define CRC_STREAM 160u

/* All sums of four. */
#define CRC_FOUR_BITS(a, b, c, d)                                                          \
	{                                                                                  \
		0, (a), (b), (a) ^ (b), (c), (a) ^ (c), (b) ^ (c), (a) ^ (b) ^ (c), (d),   \
			(a) ^ (d), (b) ^ (d), (a) ^ (b) ^ (d), (c) ^ (d), (a) ^ (c) ^ (d), \
			(b) ^ (c) ^ (d), (a) ^ (b) ^ (c) ^ (d)                             \
	}

/*
 * What a CRC has become after CRC_STREAM bytes of 0, by four of its bits: what each bit becomes,
 * from the lowest on.
 */
static const uint32_t crc_after_zeros[8][16] = {
	CRC_FOUR_BITS(0x1B3D8F29u, 0x367B1E52u, 0x6CF63CA4u, 0xD9EC7948u),
	CRC_FOUR_BITS(0xB6348461u, 0x69857E33u, 0xD30AFC66u, 0xA3F98E3Du),
	CRC_FOUR_BITS(0x421F6A8Bu, 0x843ED516u, 0x0D91DCDDu, 0x1B23B9BAu),
	CRC_FOUR_BITS(0x36477374u, 0x6C8EE6E8u, 0xD91DCDD0u, 0xB7D7ED51u),
	CRC_FOUR_BITS(0x6A43AC53u, 0xD48758A6u, 0xACE2C7BDu, 0x5C29F98Bu),
	CRC_FOUR_BITS(0xB853F316u, 0x754B90DDu, 0xEA9721BAu, 0xD0C23585u),
	CRC_FOUR_BITS(0xA4681DFBu, 0x4D3C4D07u, 0x9A789A0Eu, 0x311D42EDu),
	CRC_FOUR_BITS(0x623A85DAu, 0xC4750BB4u, 0x8D066199u, 0x1FE0B5C3u)};

/* What a CRC becomes by CRC_STREAM bytes of 0: the sum of what its bits become. */
static uint32_t crc_skip(uint32_t crc)
{
	uint32_t skipped = 0;
	for (uint32_t four = 0; four < 8; four++)
		skipped ^= crc_after_zeros[four][crc >> 4 * four & 15];
	return skipped;
}

static uint64_t crc_word(const unsigned char *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	return word;
}

/* Three streams: what stands before a stream counts as if it were followed by zeros. */
static uint32_t crc_add_streams(uint32_t crc, const unsigned char *at)
{
	uint32_t second = 0, third = 0;
	for (const unsigned char *end = at + CRC_STREAM; at < end; at += sizeof(uint64_t)) {
		crc = rte_hash_crc_8byte(crc_word(at), crc);
		second = rte_hash_crc_8byte(crc_word(at + CRC_STREAM), second);
		third = rte_hash_crc_8byte(crc_word(at + 2 * CRC_STREAM), third);
	}
	return crc_skip(crc_skip(crc) ^ second) ^ third;
}

uint32_t tern_crc32c_add(uint32_t crc, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	for (; size >= 3 * CRC_STREAM; size -= 3 * CRC_STREAM, at += 3 * CRC_STREAM)
		crc = crc_add_streams(crc, at);
	for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), at += sizeof(uint64_t))
		crc = rte_hash_crc_8byte(crc_word(at), crc);
	for (; size; size--)
		crc = rte_hash_crc_1byte(*at++, crc);
	return crc;
}
