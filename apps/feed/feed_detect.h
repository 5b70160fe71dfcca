/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_DETECT_H
#define FEED_DETECT_H

#include "feed_source.h"

/**
 * Tell a file's format by its first bytes, and leave the stream where it was.
 *
 * @param file    borrows; open for reading at its start; may be a pipe
 * @param name    borrows; for messages
 * @param format  out
 * @return 0; -ENODATA if the file is empty; -EBADMSG if it is neither a capture nor an ITCH
 *         BinaryFILE; the negative errno of a read error
 *
 * Context: any one thread.
 */
int feed_detect(FILE *file, const char *name, enum feed_format *format, struct tern_error *error);

#endif
