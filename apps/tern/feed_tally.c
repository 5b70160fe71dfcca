/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_tally.h"

#include "app.h"
#include "json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

void feed_tally_add(struct feed_tally *tally, const struct feed_message *message,
		    struct feed_counters *counters)
{
	struct itch_message itch;
	if (message->restarted)
		book_set_clear(tally->books);
	tally->total++;
	if (itch_decode(message->bytes, message->length, &itch) != FEED_OK)
		return;
	if (tally->first_ns == 0)
		tally->first_ns = itch.timestamp_ns;
	tally->last_ns = itch.timestamp_ns;
	tally->types[(uint8_t)itch.type]++;
	feed_counters_add(counters, book_set_apply(tally->books, &itch), 1, message->place);
}

static void print_row(const char *name, uint64_t count, const char *text)
{
	printf("  %-20s %12" PRIu64 "  %s\n", name, count, text);
}

static void print_time(const char *name, uint64_t ns)
{
	uint64_t s = ns / 1000000000;
	printf("  %-20s %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%09" PRIu64 "\n", name, s / 3600,
	       s / 60 % 60, s % 60, ns % 1000000000);
}

void feed_tally_print(const struct feed_tally *tally, const char *path, struct feed_source *source)
{
	const struct feed_counters *counters = feed_source_counters(source);
	app_plain_print(path, stdout);
	printf(" (%s)\n", feed_format_name(feed_source_format(source)));
	print_row("messages", tally->total, "in all");
	print_row("symbols", book_set_count(tally->books), "instruments");
	print_row("orders", book_set_orders(tally->books), "still resting at the end");
	print_time("first", tally->first_ns);
	print_time("last", tally->last_ns);
	printf("types\n");
	for (int type = 0; type < 256; type++) {
		char name[2] = {(char)type, 0};
		if (tally->types[type])
			print_row(name, tally->types[type], itch_name((char)type));
	}
	printf("counters\n");
	for (int i = FEED_OK + 1; i < FEED_ANOMALY_LIMIT; i++) {
		const struct feed_anomaly_info *info = feed_anomaly_info((enum feed_anomaly)i);
		if (counters->count[i])
			print_row(info->name, counters->count[i], info->text);
	}
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)(value > INT64_MAX ? INT64_MAX : value));
}

static json_t *types_json(const struct feed_tally *tally)
{
	json_t *types = json_object();
	for (int type = 0; type < 256; type++) {
		char name[2] = {(char)type, 0};
		if (tally->types[type])
			json_object_set_new(types, name, number(tally->types[type]));
	}
	return types;
}

static json_t *counters_json(const struct feed_counters *counters)
{
	json_t *named = json_object();
	for (int i = FEED_OK + 1; i < FEED_ANOMALY_LIMIT; i++)
		json_object_set_new(named, feed_anomaly_info((enum feed_anomaly)i)->name,
				    number(counters->count[i]));
	return named;
}

int feed_tally_print_json(const struct feed_tally *tally, const char *path,
			  struct feed_source *source)
{
	const struct feed_counters *counters = feed_source_counters(source);
	json_t *root = json_object();
	int failed = json_object_set_new(root, "file", app_json_string(path));
	failed |= json_object_set_new(root, "format",
				      json_string(feed_format_name(feed_source_format(source))));
	failed |= json_object_set_new(root, "messages", number(tally->total));
	failed |= json_object_set_new(root, "symbols", number(book_set_count(tally->books)));
	failed |= json_object_set_new(root, "orders", number(book_set_orders(tally->books)));
	failed |= json_object_set_new(root, "first_ns", number(tally->first_ns));
	failed |= json_object_set_new(root, "last_ns", number(tally->last_ns));
	failed |= json_object_set_new(root, "types", types_json(tally));
	failed |= json_object_set_new(root, "counters", counters_json(counters));
	failed |= json_object_set_new(root, "faulty", json_boolean(feed_counters_faulty(counters)));
	failed |= app_json_print(root, JSON_INDENT(2));
	failed |= putchar('\n') == EOF;
	return failed ? -EIO : 0;
}
