/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stdint.h>

struct tern_extras;
struct tern_lcore;
struct tern_signal;

/*
 * Which waiting signal of a conflating mailbox holds which key: open addressing over
 * numbers of cells, at most half full. The key is type and key_length payload bytes of a signal
 * sent by value; a signal too short for the key, or with a block, is never conflated.
 */

/** Table entries for a capacity: a power of two, at least twice it. */
uint32_t tern_keys_entries(uint32_t capacity);

/** Whether a signal has a key under these options. */
bool tern_keys_applies(const struct tern_extras *extras, const struct tern_signal *signal);

/** The waiting signal with the same key, or NULL. */
struct tern_signal *tern_keys_find(const struct tern_lcore *lcore, const struct tern_extras *extras,
				   const struct tern_signal *signal);

/** Remember the cell of a waiting signal whose key is not there yet. */
void tern_keys_add(const struct tern_lcore *lcore, const struct tern_extras *extras, uint32_t cell);

/** Forget the cell of a waiting signal, which is still as it was. */
void tern_keys_remove(const struct tern_lcore *lcore, const struct tern_extras *extras,
		      uint32_t cell);

#endif
