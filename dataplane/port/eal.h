/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAL_H
#define EAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_error.h"

/*
 * DPDK's environment (EAL). A process has one, for good: it cannot be started again, and its
 * settings cannot be changed. An engine without ports never starts it.
 */

/** What a port needs of it. */
struct tern_eal_needs {
	const char *pci;     /* a device's address; NULL: none, and no PCI device is touched */
	uint32_t memory_mib; /* for frames and rings; 0: 512 */
	bool is_loud;	     /* what EAL and drivers say goes to stderr */
};

/**
 * Start EAL, or find that it runs and has what is needed.
 *
 * It gets hugepages where enough of them are free, else memory of 4 KiB pages, of which only what
 * is used becomes resident. It takes no CPU: its interrupt thread may run wherever this process
 * may, and the caller's affinity stays. No telemetry, no shared configuration, no hugepage file.
 * Where the program has started EAL itself, that is taken as it is.
 *
 * @return 0; -EBUSY: it runs with other settings, and the message names them; -ENOMEM; -EACCES;
 *         another negative errno: it does not start, which is final
 *
 * Context: any thread that is no lcore's; threads may come at once. Borrows all arguments.
 */
int tern_eal_start(const struct tern_eal_needs *needs, struct tern_error *error);

/** Whether its memory is hugepages. Context: any thread, after tern_eal_start(). */
bool tern_eal_has_hugepages(void);

/** Forget what EAL and drivers have said. Context: as tern_eal_start(). */
void tern_eal_listen(void);

/**
 * The first error that EAL or a driver has told since tern_eal_listen(), without its newline: where
 * something failed, the one nearest to the cause. "" where they tell it on stderr, or told none.
 *
 * Context: as tern_eal_start(). What other threads did meanwhile may come first.
 */
void tern_eal_told(char *text, size_t size);

#endif
