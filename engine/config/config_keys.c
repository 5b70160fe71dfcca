/* SPDX-License-Identifier: Apache-2.0 */
#include "config_keys.h"

#include "config_routes.h"
#include "cpu_list.h"
#include "tern_word.h"

#include <rte_common.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_words[] = {"parallel", "polled", "concurrent"};
static const char *const schedule_words[] = {"priority", "fair_share", "round_robin", "rate_based",
					     "custom"};
static const char *const clock_words[] = {"tsc", "virtual"};
static const char *const idle_words[] = {"spin", "pause", "backoff"};
static const char *const pages_words[] = {"auto", "1g", "2m", "thp", "4k"};
static const char *const level_words[] = {"error", "warn", "info", "debug"};
static const char *const format_words[] = {"text", "json"};
static const char *const carrier_words[] = {"ethernet", "ipv4", "ipv6"};
static const char *const bool_words[] = {"false", "true"};

#define KEY(section_, name_, type_, field_, min_, max_, unit_, words_)                    \
	{                                                                                 \
		.section = section_, .path = section_ "." name_, .type = type_,           \
		.size = sizeof(((struct tern_config *)0)->field_),                        \
		.offset = offsetof(struct tern_config, field_), .min = min_, .max = max_, \
		.unit = unit_, .words = words_                                            \
	}
#define NUMBER(section, field, min, max, unit) \
	KEY(section, #field, CONFIG_NUMBER, field, min, max, unit, NULL)
#define POWER(section, field, min, max, unit) \
	KEY(section, #field, CONFIG_POWER, field, min, max, unit, NULL)
#define TEXT(section, field) KEY(section, #field, CONFIG_TEXT, field, 0, 0, NULL, NULL)
#define ROUTER(type, field, min, max, unit) \
	KEY("router", #field, type, router.field, min, max, unit, NULL)
#define WORD(section, name, field, words) \
	KEY(section, name, CONFIG_WORD, field, 0, RTE_DIM(words) - 1, NULL, words)

const struct config_key tern_config_keys[TERN_CONFIG_KEYS] = {
	WORD("engine", "mode", mode, mode_words),
	WORD("engine", "clock", clock, clock_words),
	KEY("engine", "lcores", CONFIG_CPUS, lcore_count, 0, TERN_LCORES_MAX, NULL, NULL),
	NUMBER("engine", max_agents, 1, (1u << 26) - 65536, "agents"),
	NUMBER("engine", max_threads, 1, 64, "threads"),
	NUMBER("engine", seed, 0, UINT64_MAX, NULL),
	WORD("engine", "idle", idle, idle_words),
	NUMBER("engine", idle_sleep_us_max, 1, 10000, "us"),
	NUMBER("engine", slice_us, 1, 1000000, "us"),
	NUMBER("engine", trace_every, 0, UINT32_MAX, "signals"),
	WORD("engine", "stamp_each_signal", stamp_each_signal, bool_words),
	NUMBER("engine", metrics_interval_ms, 0, 3600000, "ms"),
	NUMBER("engine", watchdog_ms, 0, 60000, "ms"),
	WORD("engine", "inspect", inspect, bool_words),
	KEY("scheduler", "policy", CONFIG_WORDS, schedule_count, 1, RTE_DIM(schedule_words) - 1,
	    NULL, schedule_words),
	NUMBER("scheduler", turn_signals, 1, 65536, "signals"),
	NUMBER("scheduler", max_concurrent, 0, 1u << 26, "agents"),
	WORD("scheduler", "steal", steal, bool_words),
	NUMBER("scheduler", steal_after_us, 0, 1000000, "us"),
	WORD("scheduler", "rebalance", rebalance, bool_words),
	WORD("scheduler", "preempt", preempt, bool_words),
	NUMBER("scheduler", preempt_tick_us, 20, 1000000, "us"),
	POWER("lanes", data_depth, 64, 65536, "slots"),
	POWER("lanes", express_depth, 16, 65536, "slots"),
	NUMBER("mailbox", capacity, 1, 1u << 24, "signals"),
	NUMBER("mailbox", high_water, 1, 1u << 24, "signals"),
	NUMBER("mailbox", low_water, 0, (1u << 24) - 1, "signals"),
	WORD("memory", "pages", pages, pages_words),
	WORD("memory", "pages_required", pages_required, bool_words),
	NUMBER("memory", block_mib, 1, 65536, "MiB"),
	NUMBER("memory", mailbox_mib, 1, 65536, "MiB"),
	KEY("node", "id", CONFIG_NUMBER, node, 0, 8191, NULL, NULL),
	TEXT("node", cluster),
	TEXT("node", device),
	TEXT("node", members),
	TEXT("node", address),
	WORD("node", "carrier", carrier, carrier_words),
	NUMBER("node", udp_port, 1, 65535, NULL),
	NUMBER("node", vlan, 0, 4094, NULL),
	NUMBER("node", mtu, 1280, 65535, "bytes"),
	NUMBER("node", heartbeat_us, 100, 1000000, "us"),
	NUMBER("node", dead_us, 1000, 600000000, "us"),
	NUMBER("node", credit, 4, 4096, "frames"),
	POWER("node", window, 16, 4096, "frames"),
	NUMBER("node", frames, 1024, 1048576, "frames"),
	TEXT("node", fault),
	NUMBER("node", fault_seed, 0, UINT64_MAX, NULL),
	ROUTER(CONFIG_NUMBER, node, 0, 8191, NULL),
	ROUTER(CONFIG_NUMBER, version, 0, 1ull << 61, NULL),
	ROUTER(CONFIG_POWER, shards, 0, 64, "shards"),
	ROUTER(CONFIG_NUMBER, remote_max, 1, 1u << 26, "routes"),
	ROUTER(CONFIG_NUMBER, absent_max, 1, 1u << 27, "ids"),
	ROUTER(CONFIG_NUMBER, sets_max, 1, 1u << 24, "sets"),
	ROUTER(CONFIG_NUMBER, members_max, 0, 1u << 27, "agents"),
	ROUTER(CONFIG_NUMBER, ttl_ms, 1, 86400000, "ms"),
	ROUTER(CONFIG_NUMBER, absent_ms, 1, 86400000, "ms"),
	ROUTER(CONFIG_NUMBER, drift_max, 1, UINT32_MAX, "versions"),
	ROUTER(CONFIG_NUMBER, drift_ms, 1, 86400000, "ms"),
	ROUTER(CONFIG_NUMBER, tell_ms, 1, 86400000, "ms"),
	ROUTER(CONFIG_NUMBER, compare_ms, 1, 60000, "ms"),
	WORD("log", "level", log_level, level_words),
	WORD("log", "format", log_format, format_words),
};

const char *tern_config_key_name(const struct config_key *key)
{
	return key->path + strlen(key->section) + 1;
}

const struct config_key *tern_config_key_find(const char *path)
{
	for (size_t i = 0; i < RTE_DIM(tern_config_keys); i++)
		if (strcmp(path, tern_config_keys[i].path) == 0)
			return &tern_config_keys[i];
	return NULL;
}

static uint64_t field_get(const struct config_key *key, const struct tern_config *config)
{
	uint64_t value = 0; /* little endian: the low bytes are the value */

	if (key->type == CONFIG_TEXT)
		return 0;
	memcpy(&value, (const char *)config + key->offset, key->size);
	return value;
}

static void field_put(const struct config_key *key, struct tern_config *config, uint64_t value)
{
	memcpy((char *)config + key->offset, &value, key->size);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "field_get and field_put");

static bool field_fits(const struct config_key *key, uint64_t value)
{
	if (key->type == CONFIG_WORDS)
		return value >= 1 && value <= TERN_LCORES_MAX;
	return value >= key->min && value <= key->max &&
	       (key->type != CONFIG_POWER || (value & (value - 1)) == 0);
}

void tern_config_key_allowed(const struct config_key *key, char *text, size_t size)
{
	if (key->type == CONFIG_TEXT) {
		snprintf(text, size, "text of 1..%d bytes", key->size - 1);
		return;
	}
	if (key->type == CONFIG_CPUS) {
		snprintf(text, size, "all, or CPUs such as 0,2-5: each once, %d at most",
			 TERN_LCORES_MAX);
		return;
	}
	if (key->type == CONFIG_WORD || key->type == CONFIG_WORDS) {
		size_t used = 0;
		for (uint64_t i = 0; i <= key->max && used < size; i++)
			used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
						 key->words[i]);
		if (key->type == CONFIG_WORDS && used < size)
			snprintf(text + used, size - used, "; one, or one for each lcore");
		return;
	}
	snprintf(text, size, "%s%" PRIu64 "..%" PRIu64 "%s%s",
		 key->type == CONFIG_POWER ? "power of two, " : "", key->min, key->max,
		 key->unit ? " " : "", key->unit ? key->unit : "");
}

static int refuse_value(const struct config_key *key, const char *value, const char *hint,
			const char *where, struct tern_error *error)
{
	char allowed[96];

	tern_config_key_allowed(key, allowed, sizeof(allowed));
	return tern_error_set(error, -EINVAL, "%s%s is \"%.60s\"%s; allowed: %s", where, key->path,
			      value, hint, allowed);
}

static int number_read(const struct config_key *key, const char *text, uint64_t *value,
		       const char *where, struct tern_error *error)
{
	char hint[64] = "";
	char *end = NULL;

	errno = 0;
	*value = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
	if (end && !*end && !errno)
		return field_fits(key, *value) ? 0 : refuse_value(key, text, hint, where, error);
	if (end && *end && key->unit)
		snprintf(hint, sizeof(hint), ": write the number alone, it counts %s", key->unit);
	else if (!end || *end)
		snprintf(hint, sizeof(hint), ": not a decimal number");
	return refuse_value(key, text, hint, where, error);
}

static int word_read(const struct config_key *key, const char *text, uint64_t *value,
		     const char *where, struct tern_error *error)
{
	char hint[64] = "";

	for (*value = 0; *value <= key->max; ++*value)
		if (strcmp(text, key->words[*value]) == 0)
			return 0;
	const char *nearest = tern_word_nearest(text, key->words, key->max + 1);
	if (nearest)
		snprintf(hint, sizeof(hint), ": did you mean %s?", nearest);
	return refuse_value(key, text, hint, where, error);
}

/* A word for each lcore, with commas between; the last stands for all that follow. */
static int words_read(const struct config_key *key, const char *text, struct tern_config *config,
		      const char *where, struct tern_error *error)
{
	uint8_t schedules[TERN_LCORES_MAX] = {0};
	uint32_t count = 0;
	char word[32];

	for (const char *next = text; next; count++) {
		size_t length = strcspn(next, ",");
		uint64_t value;
		if (count == TERN_LCORES_MAX || length >= sizeof(word))
			return refuse_value(key, text, ": too long", where, error);
		snprintf(word, sizeof(word), "%.*s", (int)length, next);
		int rc = word_read(key, word, &value, where, error);
		if (rc < 0)
			return rc;
		schedules[count] = (uint8_t)value;
		next = next[length] ? next + length + 1 : NULL;
	}
	memcpy(config->schedules, schedules, sizeof(schedules));
	config->schedule_count = count;
	return 0;
}

static void words_write(const struct config_key *key, const struct tern_config *config, char *text,
			size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < config->schedule_count && used < size; i++) {
		uint8_t word = config->schedules[i];
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "," : "",
					 word <= key->max ? key->words[word] : "?");
	}
}

static int cpus_read(const struct config_key *key, const char *text, struct tern_config *config,
		     const char *where, struct tern_error *error)
{
	uint16_t cpus[TERN_LCORES_MAX] = {0};
	int count = 0;

	if (strcmp(text, "all") != 0)
		count = tern_cpu_list_read(text, cpus, TERN_LCORES_MAX);
	if (count < 0) {
		const char *hint = count == -EEXIST  ? ": a CPU is there twice"
				   : count == -E2BIG ? ": too many"
						     : ": not a list of CPUs";
		return refuse_value(key, text, hint, where, error);
	}
	memcpy(config->lcores, cpus, sizeof(cpus));
	config->lcore_count = (uint32_t)count;
	return 0;
}

/* What a file could not hold is refused from elsewhere, too. */
static bool text_is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || strchr(";#\\", *text))
			return false;
	return true;
}

static int text_read(const struct config_key *key, const char *text, struct tern_config *config,
		     const char *where, struct tern_error *error)
{
	if (strlen(text) >= key->size)
		return refuse_value(key, text, ": too long", where, error);
	if (!text_is_plain(text))
		return refuse_value(key, text, ": plain ASCII without ; # and \\", where, error);
	memset((char *)config + key->offset, 0, key->size);
	strcpy((char *)config + key->offset, text);
	return 0;
}

int tern_config_key_read(const struct config_key *key, const char *text, struct tern_config *config,
			 const char *where, struct tern_error *error)
{
	uint64_t value;

	if (key->type == CONFIG_TEXT)
		return text_read(key, text, config, where, error);

	if (key->type == CONFIG_CPUS)
		return cpus_read(key, text, config, where, error);
	if (key->type == CONFIG_WORDS)
		return words_read(key, text, config, where, error);
	int rc = key->type == CONFIG_WORD ? word_read(key, text, &value, where, error)
					  : number_read(key, text, &value, where, error);
	if (rc == 0)
		field_put(key, config, value);
	return rc;
}

static int text_check(const struct config_key *key, const char *text, struct tern_error *error)
{
	if (!memchr(text, '\0', key->size))
		return refuse_value(key, "...", ": it does not end", "", error);
	return text_is_plain(text)
		       ? 0
		       : refuse_value(key, text, ": plain ASCII without ; # and \\", "", error);
}

int tern_config_key_check(const struct config_key *key, const struct tern_config *config,
			  struct tern_error *error)
{
	char text[32];
	uint64_t value = field_get(key, config);

	if (key->type == CONFIG_TEXT)
		return text_check(key, (const char *)config + key->offset, error);
	if (field_fits(key, value))
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return refuse_value(key, text, "", "", error);
}

void tern_config_key_write(const struct config_key *key, const struct tern_config *config,
			   char *text, size_t size)
{
	uint64_t value = field_get(key, config);

	if (key->type == CONFIG_TEXT)
		snprintf(text, size, "%s", (const char *)config + key->offset);
	else if (key->type == CONFIG_CPUS && value == 0)
		snprintf(text, size, "all");
	else if (key->type == CONFIG_CPUS)
		tern_cpu_list_write(text, size, config->lcores,
				    RTE_MIN(config->lcore_count, (uint32_t)TERN_LCORES_MAX));
	else if (key->type == CONFIG_WORDS)
		words_write(key, config, text, size);
	else if (key->type == CONFIG_WORD && value <= key->max)
		snprintf(text, size, "%s", key->words[value]);
	else
		snprintf(text, size, "%" PRIu64, value);
}

/* The same name in another section is likelier meant than a similar name in this one. */
static const char *path_nearest(const char *path)
{
	const char *paths[TERN_CONFIG_KEYS];
	const char *name = strchr(path, '.');

	for (size_t i = 0; i < RTE_DIM(paths); i++) {
		paths[i] = tern_config_keys[i].path;
		if (name && strcmp(name + 1, tern_config_key_name(&tern_config_keys[i])) == 0)
			return paths[i];
	}
	return tern_word_nearest(path, paths, RTE_DIM(paths));
}

/* Keys have fewer sections than there are keys: there is a place for that of the routes. */
static size_t sections_list(const char *sections[TERN_CONFIG_KEYS])
{
	size_t count = 0;

	for (size_t i = 0; i < RTE_DIM(tern_config_keys); i++)
		if (!count || strcmp(sections[count - 1], tern_config_keys[i].section) != 0)
			sections[count++] = tern_config_keys[i].section;
	sections[count++] = TERN_CONFIG_ROUTES_SECTION;
	return count;
}

int tern_config_key_unknown(const char *path, const char *where, struct tern_error *error)
{
	const char *nearest = path_nearest(path);

	if (nearest)
		return tern_error_set(error, -EINVAL, "%s%.64s is no key: did you mean %s?", where,
				      path, nearest);
	return tern_error_set(error, -EINVAL, "%s%.64s is no key; `tern config show` lists all",
			      where, path);
}

int tern_config_section_check(const char *section, const char *where, struct tern_error *error)
{
	const char *sections[TERN_CONFIG_KEYS];
	size_t count = sections_list(sections);
	char known[160] = "";
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(section, sections[i]) == 0)
			return 0;
		used += (size_t)snprintf(known + used, sizeof(known) - used, " [%s]", sections[i]);
	}
	const char *nearest = tern_word_nearest(section, sections, count);
	if (nearest)
		return tern_error_set(error, -EINVAL, "%s[%s] is no section: did you mean [%s]?",
				      where, section, nearest);
	return tern_error_set(error, -EINVAL, "%s[%s] is no section; there are%s", where, section,
			      known);
}
