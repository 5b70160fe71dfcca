/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_config.h"

#include "config_file.h"
#include "config_keys.h"
#include "config_routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX (TERN_CONFIG_ROUTES_MAX + 1)
_Static_assert(TERN_CONFIG_KEYS <= TERN_CONFIG_ROUTES_MAX, "ENTRIES_MAX is above both");

/* A configuration file on its way in. */
struct loading {
	struct config_lines lines;
	struct tern_config config;
	unsigned int line_of[TERN_CONFIG_KEYS]; /* where a key was set; 0: it was not */
	unsigned int route_line_of[TERN_CONFIG_ROUTES_MAX];
};

void tern_config_init(struct tern_config *config)
{
	const char *level = getenv("TERN_LOG");

	*config = (struct tern_config){
		.mode = TERN_MODE_PARALLEL,
		.clock = TERN_CLOCK_TSC,
		.max_agents = 65536,
		.max_threads = 8,
		.seed = 1,
		.idle = TERN_IDLE_BACKOFF,
		.idle_sleep_us_max = 50,
		.slice_us = 20,
		.metrics_interval_ms = 100,
		.watchdog_ms = 10,
		.inspect = true,
		.schedule_count = 1,
		.turn_signals = 256,
		.steal = true,
		.steal_after_us = 50,
		.preempt_tick_us = 1000,
		.data_depth = 4096,
		.express_depth = 128,
		.capacity = 1000,
		.high_water = 800,
		.low_water = 200,
		.pages = TERN_PAGES_AUTO,
		.block_mib = 16,
		.mailbox_mib = 8,
		.cluster = "tern",
		.carrier = TERN_OVER_IPV4,
		.udp_port = 7946,
		.mtu = 1500,
		.heartbeat_us = 1000,
		.dead_us = 20000,
		.credit = 512,
		.window = 1024,
		.frames = 8192,
		.fault_seed = 1,
		.router = {.remote_max = 65536,
			   .absent_max = 65536,
			   .sets_max = 4096,
			   .ttl_ms = 30000,
			   .absent_ms = 1000,
			   .drift_max = 64,
			   .drift_ms = 1000,
			   .tell_ms = 5000,
			   .compare_ms = 100},
		.log_level = TERN_LOG_WARN,
		.log_format = TERN_LOG_TEXT,
	};
	if (level)
		tern_config_key_read(tern_config_key_find("log.level"), level, config, "", NULL);
}

static int lines_check(const struct config_lines *lines, struct tern_error *error)
{
	struct config_lines walk = *lines;
	enum config_line_kind kind;

	do {
		int rc = tern_config_lines_next(&walk, &kind, error);
		if (rc < 0)
			return rc;
	} while (kind != CONFIG_LINE_END);
	return 0;
}

/* Bring the walk to the line of what rte_cfgfile yields next. */
static int line_find(struct loading *loading, enum config_line_kind wanted, char *where,
		     size_t size, struct tern_error *error)
{
	enum config_line_kind kind;
	int rc = tern_config_lines_next(&loading->lines, &kind, error);

	if (rc < 0)
		return rc;
	tern_config_lines_where(&loading->lines, where, size);
	if (kind != wanted)
		return tern_error_set(error, -EINVAL, "%snot understood", where);
	return 0;
}

/* Each is set once in a file. */
static int line_note(const struct loading *loading, unsigned int *line, const char *path,
		     const char *where, struct tern_error *error)
{
	if (*line)
		return tern_error_set(error, -EINVAL, "%s%s was set in line %u already", where,
				      path, *line);
	*line = loading->lines.line;
	return 0;
}

static int route_load(struct loading *loading, const char *name, const char *path,
		      const char *value, const char *where, struct tern_error *error)
{
	int rc = tern_config_route_read(name, value, &loading->config, where, error);

	if (rc < 0)
		return rc;
	uint32_t at = tern_config_route_find(&loading->config, name);
	return line_note(loading, &loading->route_line_of[at], path, where, error);
}

static int entry_load(struct loading *loading, const char *section,
		      const struct rte_cfgfile_entry *entry, struct tern_error *error)
{
	char where[200], path[2 * CFG_NAME_LEN]; /* a name is 63 bytes at most */
	int rc = line_find(loading, CONFIG_LINE_ENTRY, where, sizeof(where), error);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%.63s.%.63s", section, entry->name);
	const char *name = tern_config_route_name(path);
	if (name)
		return route_load(loading, name, path, entry->value, where, error);
	const struct config_key *key = tern_config_key_find(path);
	if (!key)
		return tern_config_key_unknown(path, where, error);
	rc = line_note(loading, &loading->line_of[key - tern_config_keys], path, where, error);
	if (rc < 0)
		return rc;
	return tern_config_key_read(key, entry->value, &loading->config, where, error);
}

static int section_load(struct loading *loading, struct rte_cfgfile *cfgfile, int index,
			struct tern_error *error)
{
	/* One entry more than there are keys, or routes, must hold an unknown or a doubled one. */
	struct rte_cfgfile_entry entries[ENTRIES_MAX];
	char name[CFG_NAME_LEN], where[200];
	int rc = line_find(loading, CONFIG_LINE_SECTION, where, sizeof(where), error);
	int count =
		rte_cfgfile_section_entries_by_index(cfgfile, index, name, entries, ENTRIES_MAX);

	if (rc == 0)
		rc = tern_config_section_check(name, where, error);
	for (int i = 0; rc == 0 && i < count; i++)
		rc = entry_load(loading, name, &entries[i], error);
	return rc;
}

static int sections_load(struct loading *loading, struct tern_error *error)
{
	struct rte_cfgfile *cfgfile;
	char where[200];
	int rc = tern_config_file_parse(loading->lines.text, loading->lines.size, &cfgfile, error);

	if (rc < 0)
		return rc;
	int count = rte_cfgfile_num_sections(cfgfile, NULL, 0);
	for (int i = 0; rc == 0 && i < count; i++)
		rc = section_load(loading, cfgfile, i, error);
	if (rc == 0)
		rc = line_find(loading, CONFIG_LINE_END, where, sizeof(where), error);
	rte_cfgfile_close(cfgfile);
	return rc;
}

int tern_config_load(struct tern_config *config, const char *path, struct tern_error *error)
{
	struct loading loading = {.lines.name = path, .config = *config};
	char *text;
	int rc = tern_config_file_read(path, &text, &loading.lines.size, error);

	if (rc < 0)
		return rc;
	/* rte_cfgfile knows one comment character; no value holds the other. */
	for (size_t i = 0; i < loading.lines.size; i++)
		if (text[i] == '#')
			text[i] = CFG_DEFAULT_COMMENT_CHARACTER;
	loading.lines.text = text;
	rc = lines_check(&loading.lines, error);
	if (rc == 0)
		rc = sections_load(&loading, error);
	if (rc == 0)
		*config = loading.config;
	free(text);
	return rc;
}

int tern_config_set(struct tern_config *config, const char *assignment, struct tern_error *error)
{
	char path[CFG_NAME_LEN];
	const char *equals = strchr(assignment, '=');

	if (!equals || equals == assignment || equals - assignment >= CFG_NAME_LEN)
		return tern_error_set(
			error, -EINVAL,
			"\"%.60s\" is no setting; write section.key=value, for instance "
			"engine.max_agents=1000",
			assignment);
	snprintf(path, sizeof(path), "%.*s", (int)(equals - assignment), assignment);
	const char *name = tern_config_route_name(path);
	if (name)
		return tern_config_route_read(name, equals + 1, config, "", error);
	const struct config_key *key = tern_config_key_find(path);
	if (!key)
		return tern_config_key_unknown(path, "", error);
	return tern_config_key_read(key, equals + 1, config, "", error);
}

int tern_config_dump(const struct tern_config *config, FILE *file)
{
	const char *section = "";

	for (size_t i = 0; i < TERN_CONFIG_KEYS; i++) {
		const struct config_key *key = &tern_config_keys[i];
		char value[CFG_VALUE_LEN * 4], allowed[96];
		if (strcmp(section, key->section) != 0)
			fprintf(file, "%s[%s]\n", i ? "\n" : "", key->section);
		section = key->section;
		tern_config_key_write(key, config, value, sizeof(value));
		tern_config_key_allowed(key, allowed, sizeof(allowed));
		/* Nothing set is no line of its own that could be read back. */
		fprintf(file, "%s%s=%s ; %s\n", value[0] ? "" : "; ", tern_config_key_name(key),
			value, allowed);
	}
	tern_config_routes_dump(config, file);
	return ferror(file) ? -EIO : 0;
}
