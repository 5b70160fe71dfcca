/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include "tern_config.h"

#include <stddef.h>

/** What a command line says of a configuration: a file, then settings over it, in their order. */
struct config_source {
	const char *path; /* NULL: none */
	const char **settings;
	size_t setting_count;
};

/** Room for as many settings as a command line can have. false: no memory. */
bool config_source_init(struct config_source *source, int argc);

/** Free that room. */
void config_source_fini(struct config_source *source);

/**
 * Defaults, the file, the settings.
 *
 * @param config   yields it
 * @param program  borrows; for the message
 * @return an exit code: APP_OK, or what config_source_refuse() returns
 */
int config_source_load(const struct config_source *source, struct tern_config *config,
		       const char *program);

/**
 * Say why a configuration is refused.
 *
 * @param rc  what tern_config_load(), tern_config_set() or tern_config_check() returned
 * @return an exit code: APP_CONFIG, APP_INPUT, APP_PERMISSION, APP_UNAVAILABLE
 */
int config_source_refuse(int rc, const struct tern_error *error, const char *program);

#endif
