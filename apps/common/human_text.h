/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_HUMAN_TEXT_H
#define APP_HUMAN_TEXT_H

#include <stdint.h>

/** Room for any of these texts. */
#define APP_TEXT_MAX 64

/*
 * Numbers as people read them. Each writes to `text`, of APP_TEXT_MAX bytes, and returns it.
 * Context: any thread.
 */

/** 1234567 as 1,234,567. */
const char *app_count_text(char *text, uint64_t count);

/** A time in ns, us, ms or s. */
const char *app_ns_text(char *text, uint64_t ns);

/** Bytes in B, KiB, MiB or GiB. */
const char *app_bytes_text(char *text, uint64_t bytes);

#endif
