/* SPDX-License-Identifier: Apache-2.0 */
#include "config_source.h"

#include "app.h"

#include <errno.h>
#include <stdlib.h>

bool config_source_init(struct config_source *source, int argc)
{
	*source = (struct config_source){0};
	source->settings = calloc((size_t)argc, sizeof(*source->settings));
	return source->settings != NULL;
}

void config_source_fini(struct config_source *source)
{
	free(source->settings);
	source->settings = NULL;
}

int config_source_refuse(int rc, const struct tern_error *error, const char *program)
{
	bool content = rc == -EINVAL || rc == -ENODEV;
	enum app_exit code = content ? APP_CONFIG : rc == -EACCES ? APP_PERMISSION : APP_INPUT;

	return app_fail_error(rc == -ENOMEM ? APP_UNAVAILABLE : code, program, error);
}

int config_source_load(const struct config_source *source, struct tern_config *config,
		       const char *program)
{
	struct tern_error error = {""};
	int rc = 0;

	tern_config_init(config);
	if (source->path)
		rc = tern_config_load(config, source->path, &error);
	for (size_t i = 0; rc == 0 && i < source->setting_count; i++)
		rc = tern_config_set(config, source->settings[i], &error);
	return rc < 0 ? config_source_refuse(rc, &error, program) : APP_OK;
}
