/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CRC32C_H
#define CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * Take bytes into a CRC32C: start from TERN_CRC32C_START, complement the result at the end. Bytes
 * may come in pieces of any size, at any address.
 *
 * Source: RFC 3720, appendix B.4
 */
#define TERN_CRC32C_START 0xFFFFFFFFu
uint32_t tern_crc32c_add(uint32_t crc, const void *bytes, size_t size);

#endif
