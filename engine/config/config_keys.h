/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_config.h"

#define TERN_CONFIG_KEYS 62

enum config_type {
	CONFIG_NUMBER,
	CONFIG_POWER, /* a number that is a power of two */
	CONFIG_WORD,  /* an enumeration: the number is the index of its word */
	CONFIG_CPUS,  /* lcores and lcore_count together */
	CONFIG_TEXT,  /* as it stands; it may be empty */
	CONFIG_WORDS, /* one word for each lcore: schedules and schedule_count together */
};

/* One key: all that reading, checking, dumping and explaining it takes. */
struct config_key {
	const char *section;
	const char *path; /* section.name */
	enum config_type type;
	uint16_t size;	 /* of the field, bytes */
	uint16_t offset; /* of the field, bytes */
	uint64_t min, max;
	const char *unit; /* NULL: a bare number */
	const char *const *words;
};

/** The table, in the order of the file: keys of one section stand together. */
extern const struct config_key tern_config_keys[TERN_CONFIG_KEYS];

/** Find a key by its path; NULL: there is none. Context: any thread. Borrows. */
const struct config_key *tern_config_key_find(const char *path);

/** Name of a key within its section. Context: any thread. Borrows. */
const char *tern_config_key_name(const struct config_key *key);

/**
 * Read the text of a value into the field of a key.
 *
 * @param where  what the message starts with, such as `tern.ini:3: `; "" for nothing
 * @return 0; -EINVAL: refused, the configuration is untouched and the message written
 *
 * Context: any thread. Borrows all arguments.
 */
int tern_config_key_read(const struct config_key *key, const char *text, struct tern_config *config,
			 const char *where, struct tern_error *error);

/** Refuse a field whose value could not have been read from text; else as above. */
int tern_config_key_check(const struct config_key *key, const struct tern_config *config,
			  struct tern_error *error);

/** Write the value of a field as it is read. Context: any thread. Borrows all arguments. */
void tern_config_key_write(const struct config_key *key, const struct tern_config *config,
			   char *text, size_t size);

/** Write what a key accepts, for a person. Context: any thread. Borrows all arguments. */
void tern_config_key_allowed(const struct config_key *key, char *text, size_t size);

/** Say that a path is no key, with the key most likely meant. @return -EINVAL */
int tern_config_key_unknown(const char *path, const char *where, struct tern_error *error);

/** Say that a name is no section, unless it is one. @return 0; -EINVAL */
int tern_config_section_check(const char *section, const char *where, struct tern_error *error);

#endif
