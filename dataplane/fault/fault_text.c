/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_rule.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULT_TEXT_MAX = 2048, FAULT_NAMES_MAX = 10 };

enum fault_word_type {
	FAULT_FLAG,
	FAULT_RATE,
	FAULT_COUNT,
	FAULT_TIME,
	FAULT_NAME, /* the number is the index of its name */
};

/* A word of a rule: how it is read and written. */
struct fault_word {
	const char *name;
	enum fault_word_type type;
	uint32_t min, max; /* of a count */
	size_t offset;	   /* of its field */
	const char *names[FAULT_NAMES_MAX + 1];
	const char *needed; /* for people */
};

#define FAULT_FIELD(field) .offset = offsetof(struct tern_fault_rule, field)
#define FAULT_IS_RATE .type = FAULT_RATE, .needed = "0% to 100%, such as 1%, 0.05% or 20ppm"
#define FAULT_IS_TIME .type = FAULT_TIME, .needed = "0 to 10s, in ns, us, ms or s"

enum { WORD_KIND, WORD_CLASS, WORD_NODE, WORD_WAY }; /* the first ones */

static const struct fault_word fault_words[] = {
	{.name = "kind",
	 .type = FAULT_NAME,
	 FAULT_FIELD(kind),
	 .names = {NULL, "hello", "welcome", "reset", "data", "ack", "heartbeat", "nak", "gone",
		   "bye", "other"},
	 .needed = "hello, welcome, reset, data, ack, heartbeat, nak, gone, bye or other"},
	{.name = "class",
	 .type = FAULT_COUNT,
	 FAULT_FIELD(flow_class),
	 .max = TERN_WIRE_CLASSES - 1,
	 .needed = "0 to 15"},
	{.name = "node",
	 .type = FAULT_COUNT,
	 FAULT_FIELD(node),
	 .min = 1,
	 .max = TERN_WIRE_NODES_MAX,
	 .needed = "1 to 16383"},
	{.name = "way",
	 .type = FAULT_NAME,
	 FAULT_FIELD(way),
	 .names = {"either", "in", "out"},
	 .needed = "in, out or either"},
	{.name = "partition", .type = FAULT_FLAG, FAULT_FIELD(is_partition)},
	{.name = "loss", FAULT_FIELD(loss), FAULT_IS_RATE},
	{.name = "duplicate", FAULT_FIELD(duplicate), FAULT_IS_RATE},
	{.name = "reorder", FAULT_FIELD(reorder), FAULT_IS_RATE},
	{.name = "behind",
	 .type = FAULT_COUNT,
	 FAULT_FIELD(behind),
	 .min = 1,
	 .max = TERN_FAULT_BEHIND_MAX,
	 .needed = "1 to 1000 frames"},
	{.name = "corrupt", FAULT_FIELD(corrupt), FAULT_IS_RATE},
	{.name = "bits",
	 .type = FAULT_COUNT,
	 FAULT_FIELD(bits),
	 .min = 1,
	 .max = TERN_FAULT_BITS_MAX,
	 .needed = "1 to 16 bits"},
	{.name = "delayed", FAULT_FIELD(delayed), FAULT_IS_RATE},
	{.name = "delay", FAULT_FIELD(delay_ns), FAULT_IS_TIME},
	{.name = "jitter", FAULT_FIELD(jitter_ns), FAULT_IS_TIME},
};
enum { FAULT_WORDS = sizeof(fault_words) / sizeof(fault_words[0]) };
_Static_assert((int)TERN_LABEL_OTHER == (int)FAULT_NAMES_MAX, "the kinds' names end with `other`");

static const struct {
	const char *name;
	uint64_t ns;
} fault_units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
enum { FAULT_UNITS = sizeof(fault_units) / sizeof(fault_units[0]) };

static void *fault_field(struct tern_fault_rule *rule, const struct fault_word *word)
{
	return (char *)rule + word->offset;
}

static uint64_t fault_value(const struct tern_fault_rule *rule, const struct fault_word *word)
{
	const char *field = (const char *)rule + word->offset;
	if (word->type == FAULT_FLAG)
		return *(const bool *)field;
	return word->type == FAULT_TIME ? *(const uint64_t *)(const void *)field
					: *(const uint32_t *)(const void *)field;
}

/* Digits, no more than ten of them. */
static bool fault_read_digits(const char **text, uint64_t *value)
{
	const char *first = *text;
	*value = 0;
	while (isdigit((unsigned char)**text) && *text - first < 10)
		*value = *value * 10 + (uint64_t)(*(*text)++ - '0');
	return *text > first && !isdigit((unsigned char)**text);
}

/* Of a percentage, four digits behind the point: a millionth is the least. */
static bool fault_read_rate(const char *text, uint64_t *millionths)
{
	uint64_t whole, scale = 10000;
	if (!fault_read_digits(&text, &whole))
		return false;
	if (strcmp(text, "ppm") == 0) {
		*millionths = whole;
		return whole <= TERN_FAULT_MILLION;
	}
	*millionths = whole * scale;
	if (*text == '.' && isdigit((unsigned char)text[1]))
		for (text++; isdigit((unsigned char)*text) && scale > 1; text++) {
			scale /= 10;
			*millionths += (uint64_t)(*text - '0') * scale;
		}
	return strcmp(text, "%") == 0 && *millionths <= TERN_FAULT_MILLION;
}

static bool fault_read_time(const char *text, uint64_t *ns)
{
	uint64_t value;
	if (!fault_read_digits(&text, &value))
		return false;
	for (int i = 0; i < FAULT_UNITS; i++)
		if (strcmp(text, fault_units[i].name) == 0) {
			*ns = value * fault_units[i].ns;
			return *ns <= TERN_FAULT_DELAY_NS_MAX;
		}
	return false;
}

static bool fault_read_name(const struct fault_word *word, const char *text, uint64_t *index)
{
	for (*index = 0; *index <= FAULT_NAMES_MAX; ++*index)
		if (word->names[*index] && strcmp(text, word->names[*index]) == 0)
			return true;
	return false;
}

static bool fault_read_count(const struct fault_word *word, const char *text, uint64_t *value)
{
	return fault_read_digits(&text, value) && !*text && *value >= word->min &&
	       *value <= word->max;
}

static bool fault_read_value(const struct fault_word *word, const char *text, uint64_t *value)
{
	switch (word->type) {
	case FAULT_RATE:
		return fault_read_rate(text, value);
	case FAULT_COUNT:
		return fault_read_count(word, text, value);
	case FAULT_TIME:
		return fault_read_time(text, value);
	case FAULT_NAME:
		return fault_read_name(word, text, value);
	case FAULT_FLAG:
		break;
	}
	return false;
}

static void fault_store(struct tern_fault_rule *rule, const struct fault_word *word, uint64_t value)
{
	if (word->type == FAULT_FLAG)
		*(bool *)fault_field(rule, word) = true;
	else if (word->type == FAULT_TIME)
		*(uint64_t *)fault_field(rule, word) = value;
	else
		*(uint32_t *)fault_field(rule, word) = (uint32_t)value;
}

/* Without the blanks around it. */
static char *fault_trim(char *text)
{
	char *end;
	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text;
}

static int fault_find_word(const char *name, struct tern_error *error)
{
	char all[256] = "";
	for (int i = 0; i < FAULT_WORDS; i++) {
		if (strcmp(name, fault_words[i].name) == 0)
			return i;
		strcat(strcat(all, i ? ", " : ""), fault_words[i].name);
	}
	return tern_error_set(error, -EINVAL, "fault: `%s` is no word of a rule; needed: one of %s",
			      name, all);
}

/* One `name=value`, or a flag. */
static int fault_read_word(char *text, struct tern_fault_rule *rule, uint32_t *given,
			   struct tern_error *error)
{
	char *value = strchr(text, '=');
	const struct fault_word *word;
	uint64_t number = 1;
	int index;
	if (value)
		*value++ = '\0';
	index = fault_find_word(fault_trim(text), error);
	if (index < 0)
		return index;
	word = &fault_words[index];
	if (*given & 1u << index)
		return tern_error_set(error, -EINVAL, "fault: `%s` stands twice in one rule",
				      word->name);
	*given |= 1u << index;
	if (word->type == FAULT_FLAG && value)
		return tern_error_set(error, -EINVAL, "fault: `%s` takes no value; met: `%s`",
				      word->name, fault_trim(value));
	if (word->type != FAULT_FLAG &&
	    (!value || !fault_read_value(word, fault_trim(value), &number)))
		return tern_error_set(error, -EINVAL, "fault: %s is `%s`; needed: %s", word->name,
				      value ? fault_trim(value) : "", word->needed);
	fault_store(rule, word, number);
	return 0;
}

/* What one word needs of the others. */
static int fault_check_words(struct tern_fault_rule *rule, uint32_t given, struct tern_error *error)
{
	const uint32_t chooses =
		1u << WORD_KIND | 1u << WORD_CLASS | 1u << WORD_NODE | 1u << WORD_WAY;
	rule->by_class = given & 1u << WORD_CLASS;
	if (rule->by_class && rule->kind && rule->kind != TERN_WIRE_DATA)
		return tern_error_set(error, -EINVAL,
				      "fault: class=%u stands with kind=%s; needed: kind=data, "
				      "which alone has classes",
				      rule->flow_class, fault_words[WORD_KIND].names[rule->kind]);
	if (!(given & ~chooses))
		return tern_error_set(error, -EINVAL,
				      "fault: a rule does nothing; needed: partition, or loss, "
				      "duplicate, reorder, corrupt or delay with a value");
	if (rule->behind && !rule->reorder)
		return tern_error_set(error, -EINVAL,
				      "fault: behind=%u needs reorder=RATE beside it",
				      rule->behind);
	if (rule->bits && !rule->corrupt)
		return tern_error_set(error, -EINVAL, "fault: bits=%u needs corrupt=RATE beside it",
				      rule->bits);
	if (rule->delayed && !rule->delay_ns && !rule->jitter_ns)
		return tern_error_set(error, -EINVAL,
				      "fault: delayed needs delay=TIME or jitter=TIME beside it");
	*rule = tern_fault_rule_complete(rule);
	return 0;
}

static int fault_read_rule(char *text, struct tern_fault_rule *rule, struct tern_error *error)
{
	uint32_t given = 0;
	char *word;
	*rule = (struct tern_fault_rule){0};
	while ((word = strsep(&text, ",")) != NULL) {
		int code = fault_read_word(word, rule, &given, error);
		if (code < 0)
			return code;
	}
	return fault_check_words(rule, given, error);
}

int tern_fault_rules_read(const char *text, struct tern_fault_rule *rules, struct tern_error *error)
{
	struct tern_fault_rule read[TERN_FAULT_RULES];
	char copy[FAULT_TEXT_MAX], *rest, *rule;
	unsigned count = 0;
	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return tern_error_set(error, -EINVAL, "fault: %zu bytes of rules; needed: below %d",
				      strlen(text), FAULT_TEXT_MAX);
	rest = fault_trim(copy);
	if (strcmp(rest, "off") == 0)
		return 0;
	while ((rule = strsep(&rest, ";|")) != NULL) {
		int code;
		if (count == TERN_FAULT_RULES)
			return tern_error_set(error, -EINVAL,
					      "fault: more than %u rules; needed: at most %u",
					      count, TERN_FAULT_RULES);
		code = fault_read_rule(rule, &read[count++], error);
		if (code < 0)
			return code;
	}
	memcpy(rules, read, count * sizeof(*rules));
	return (int)count;
}

static void fault_print_rate(FILE *to, uint64_t rate)
{
	char fraction[8];
	int end = 4;
	snprintf(fraction, sizeof(fraction), "%04" PRIu64, rate % 10000);
	while (end > 0 && fraction[end - 1] == '0')
		end--;
	fprintf(to, "%" PRIu64 "%s%.*s%%", rate / 10000, end ? "." : "", end, fraction);
}

/* In the largest unit that it is whole in. */
static void fault_print_time(FILE *to, uint64_t ns)
{
	int unit = FAULT_UNITS - 1;
	while (ns % fault_units[unit].ns)
		unit--;
	fprintf(to, "%" PRIu64 "%s", ns / fault_units[unit].ns, fault_units[unit].name);
}

static bool fault_is_harmless(const struct tern_fault_rule *rule)
{
	return !rule->is_partition && !rule->loss && !rule->duplicate && !rule->reorder &&
	       !rule->corrupt && !rule->delayed;
}

/* A rule that exempts frames from those behind it says loss=0%. */
static bool fault_is_said(const struct tern_fault_rule *rule, int index)
{
	if (fault_words[index].offset == offsetof(struct tern_fault_rule, loss))
		return rule->loss || fault_is_harmless(rule);
	if (index == WORD_CLASS)
		return rule->by_class;
	if (fault_words[index].offset == offsetof(struct tern_fault_rule, behind))
		return rule->reorder;
	if (fault_words[index].offset == offsetof(struct tern_fault_rule, bits))
		return rule->corrupt;
	return fault_value(rule, &fault_words[index]);
}

static void fault_print_word(FILE *to, const struct tern_fault_rule *rule,
			     const struct fault_word *word)
{
	uint64_t value = fault_value(rule, word);
	fprintf(to, "%s%s", word->name, word->type == FAULT_FLAG ? "" : "=");
	if (word->type == FAULT_RATE)
		fault_print_rate(to, value);
	else if (word->type == FAULT_TIME)
		fault_print_time(to, value);
	else if (word->type == FAULT_NAME)
		fputs(word->names[value], to);
	else if (word->type == FAULT_COUNT)
		fprintf(to, "%" PRIu64, value);
}

int tern_fault_rules_write(const struct tern_fault_rule *rules, unsigned count, char *text,
			   size_t size)
{
	char *all = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&all, &length);
	int code;
	if (!to)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		const char *between = i ? "; " : "";
		for (int word = 0; word < FAULT_WORDS; word++)
			if (fault_is_said(&rules[i], word)) {
				fputs(between, to);
				fault_print_word(to, &rules[i], &fault_words[word]);
				between = ",";
			}
	}
	if (!count)
		fputs("off", to);
	code = fclose(to) == 0 ? 0 : -ENOMEM;
	if (code == 0)
		code = snprintf(text, size, "%s", all) < (int)size ? 0 : -ENOSPC;
	free(all);
	return code;
}
