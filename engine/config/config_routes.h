/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_ROUTES_H
#define CONFIG_ROUTES_H

#include <stdbool.h>
#include <stdio.h>

#include "tern_config.h"

/* Section [routes]: agents of other nodes, a line each: NAME=NODE:SLOT:GENERATION CAPABILITY,... */

#define TERN_CONFIG_ROUTES_SECTION "routes"

/** The name in `routes.NAME`; NULL: the path is of another section. */
const char *tern_config_route_name(const char *path);

/** Where the route of a name is; route_count: there is none. */
uint32_t tern_config_route_find(const struct tern_config *config, const char *name);

/**
 * Read a route from text: a new one, or in place of the one of this name.
 *
 * @param where  what the message starts with, such as `tern.ini:3: `; "" for nothing
 * @return 0; -EINVAL: refused, the configuration is untouched and the message written
 *
 * Context: any thread. Borrows all arguments.
 */
int tern_config_route_read(const char *name, const char *text, struct tern_config *config,
			   const char *where, struct tern_error *error);

/** Refuse routes that could not have been read from text, or that cannot all be true. */
int tern_config_routes_check(const struct tern_config *config, struct tern_error *error);

/** Write them as they are read; nothing where there are none. */
void tern_config_routes_dump(const struct tern_config *config, FILE *file);

#endif
