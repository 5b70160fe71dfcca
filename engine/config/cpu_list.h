/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPU_LIST_H
#define CPU_LIST_H

#include <stddef.h>
#include <stdint.h>

/**
 * Read a list of CPU numbers such as `0,2-5`, in the order written, each once.
 *
 * @param cpus  `cpus_max` places; holds rubbish on failure
 * @return how many were read, 1..cpus_max; -EINVAL: not a list; -EEXIST: a CPU is there twice;
 *         -E2BIG: more than cpus_max
 *
 * Context: any thread. Borrows all arguments.
 */
int tern_cpu_list_read(const char *text, uint16_t *cpus, uint32_t cpus_max);

/**
 * Write a list of CPU numbers as tern_cpu_list_read() reads it, rising runs as ranges.
 *
 * @param text  `size` bytes, 8 at least; a list that does not fit ends in `...`
 *
 * Context: any thread. Borrows all arguments.
 */
void tern_cpu_list_write(char *text, size_t size, const uint16_t *cpus, uint32_t count);

#endif
