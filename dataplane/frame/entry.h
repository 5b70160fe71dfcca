/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENTRY_H
#define ENTRY_H

#include "frame.h"

/*
 * What frame.c asks of entries: private to this room. Others read entries through frame.h, once
 * their frame was found right.
 */

/**
 * Look at all entries of a DATA body.
 *
 * @param data  its fixed part; `size` bytes are there from it on, at least sizeof(*data)
 * @return TERN_DROP_NONE, or why the frame is to be dropped
 */
enum tern_drop tern_entries_check(const struct tern_wire_data *data, size_t size);

#endif
