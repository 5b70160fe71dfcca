/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOOKS_CSV_H
#define BOOKS_CSV_H

#include "swarm.h"

#include <stdio.h>

/**
 * Write the best levels of every book as CSV, by stock locate, bids before asks, best first.
 *
 * @param depth  levels of each side
 * @return 0 or -EIO
 *
 * Context: the main thread, after swarm_stop(). Borrows all arguments.
 */
int books_csv_write(const struct swarm *swarm, uint32_t depth, FILE *file);

#endif
