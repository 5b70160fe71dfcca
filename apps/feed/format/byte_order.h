/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_BYTE_ORDER_H
#define FEED_BYTE_ORDER_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

/*
 * Big-endian loads and stores at any alignment. The caller has checked the bounds.
 * Context: any thread. Borrows `from`, writes `to`.
 */
static inline uint16_t load_be16(const uint8_t *from)
{
	uint16_t value;
	memcpy(&value, from, sizeof(value));
	return be16toh(value);
}

static inline uint32_t load_be32(const uint8_t *from)
{
	uint32_t value;
	memcpy(&value, from, sizeof(value));
	return be32toh(value);
}

static inline uint64_t load_be48(const uint8_t *from)
{
	return (uint64_t)load_be16(from) << 32 | load_be32(from + 2);
}

static inline uint64_t load_be64(const uint8_t *from)
{
	uint64_t value;
	memcpy(&value, from, sizeof(value));
	return be64toh(value);
}

static inline void store_be16(uint8_t *to, uint16_t value)
{
	value = htobe16(value);
	memcpy(to, &value, sizeof(value));
}

static inline void store_be32(uint8_t *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof(value));
}

static inline void store_be48(uint8_t *to, uint64_t value)
{
	store_be16(to, (uint16_t)(value >> 32));
	store_be32(to + 2, (uint32_t)value);
}

static inline void store_be64(uint8_t *to, uint64_t value)
{
	value = htobe64(value);
	memcpy(to, &value, sizeof(value));
}

#endif
