/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: rules are read as they are written, and written as they are read; a text that is wrong is
 * refused with a message that says what was met and what is needed, and changes nothing.
 * Method: tables of texts; random rules written and read back. The seed is printed.
 */
#include "tests/unit/support.h"

#include "dataplane/fault/fault_rule.h"

static void every_word_is_read(void **state)
{
	struct tern_fault_rule rules[TERN_FAULT_RULES];
	struct tern_error error = {""};
	(void)state;
	assert_int_equal(
		tern_fault_rules_read(" loss = 1%, kind=data ,class=3;"
				      "duplicate=0.05%,reorder=20ppm,behind=7,corrupt=100%"
				      ",bits=3,node=12,way=in;partition,way=out,kind=other;"
				      "delay=100us,jitter=2ms,delayed=12.5%; delay=3s",
				      rules, &error),
		5);
	assert_int_equal(rules[0].loss, 10000);
	assert_int_equal(rules[0].kind, TERN_WIRE_DATA);
	assert_true(rules[0].by_class);
	assert_int_equal(rules[0].flow_class, 3);
	assert_int_equal(rules[1].duplicate, 500);
	assert_int_equal(rules[1].reorder, 20);
	assert_int_equal(rules[1].behind, 7);
	assert_int_equal(rules[1].corrupt, 1000000);
	assert_int_equal(rules[1].bits, 3);
	assert_int_equal(rules[1].node, 12);
	assert_int_equal(rules[1].way, TERN_FAULT_INWARD);
	assert_false(rules[1].by_class);
	assert_true(rules[2].is_partition);
	assert_int_equal(rules[2].way, TERN_FAULT_OUTWARD);
	assert_int_equal(rules[2].kind, TERN_LABEL_OTHER);
	assert_int_equal(rules[3].delay_ns, 100000);
	assert_int_equal(rules[3].jitter_ns, 2000000);
	assert_int_equal(rules[3].delayed, 125000);
	assert_int_equal(rules[4].delay_ns, 3000000000);
	assert_int_equal(rules[4].delayed, 1000000);
	assert_int_equal(rules[4].behind, 4);
	assert_int_equal(rules[4].bits, 1);
}

static void every_kind_has_its_name(void **state)
{
	static const char *const names[] = {"hello",	 "welcome", "reset", "data", "ack",
					    "heartbeat", "nak",	    "gone",  "bye",  "other"};
	struct tern_fault_rule rules[TERN_FAULT_RULES];
	char text[64];
	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "kind=%s,loss=1%%", names[i]);
		assert_int_equal(tern_fault_rules_read(text, rules, NULL), 1);
		assert_int_equal(rules[0].kind, TERN_WIRE_HELLO + i);
	}
}

static void rules_are_written_in_short(void **state)
{
	struct tern_fault_rule rules[TERN_FAULT_RULES];
	char text[128];
	int count = tern_fault_rules_read("loss=1.0500%,kind=data;delay=2000us,jitter=1ns;loss=0%,"
					  "kind=ack",
					  rules, NULL);
	(void)state;
	assert_int_equal(tern_fault_rules_write(rules, (unsigned)count, text, sizeof(text)), 0);
	assert_string_equal(text, "kind=data,loss=1.05%; delayed=100%,delay=2ms,jitter=1ns; "
				  "kind=ack,loss=0%");
}

static void off_is_no_rule(void **state)
{
	struct tern_fault_rule rules[TERN_FAULT_RULES];
	char text[16];
	(void)state;
	assert_int_equal(tern_fault_rules_read(" off ", rules, NULL), 0);
	assert_int_equal(tern_fault_rules_write(rules, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "off");
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *text, *met, *needed;
	} cases[] = {
		{"", "``", "one of kind"},
		{"los=1%", "`los`", "loss"},
		{"loss", "``", "0% to 100%"},
		{"loss=", "``", "0% to 100%"},
		{"loss=1", "`1`", "0% to 100%"},
		{"loss=101%", "`101%`", "0% to 100%"},
		{"loss=100.0001%", "`100.0001%`", "0% to 100%"},
		{"loss=-1%", "`-1%`", "0% to 100%"},
		{"loss=0.00001%", "`0.00001%`", "0% to 100%"},
		{"loss=1000001ppm", "`1000001ppm`", "0% to 100%"},
		{"loss=99999999999999999999%", "`99999999999999999999%`", "0% to 100%"},
		{"delay=5", "`5`", "ns, us, ms or s"},
		{"delay=11s", "`11s`", "10s"},
		{"delay=9999999999s", "`9999999999s`", "10s"},
		{"delay=1m", "`1m`", "ns, us, ms or s"},
		{"reorder=1%,behind=0", "`0`", "1 to 1000"},
		{"reorder=1%,behind=1001", "`1001`", "1 to 1000"},
		{"corrupt=1%,bits=17", "`17`", "1 to 16"},
		{"loss=1%,kind=dat", "`dat`", "heartbeat"},
		{"loss=1%,class=16", "`16`", "0 to 15"},
		{"loss=1%,node=0", "`0`", "1 to 16383"},
		{"loss=1%,way=up", "`up`", "in, out or either"},
		{"partition=1", "`1`", "no value"},
		{"loss=1%,loss=2%", "`loss`", "twice"},
		{"kind=data", "nothing", "partition"},
		{"loss=1%,kind=ack,class=1", "kind=ack", "kind=data"},
		{"loss=1%,behind=3", "behind=3", "reorder=RATE"},
		{"loss=1%,bits=3", "bits=3", "corrupt=RATE"},
		{"delayed=1%", "delayed", "delay=TIME"},
		{"loss=1%;;loss=2%", "``", "one of kind"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tern_fault_rule rules[TERN_FAULT_RULES], before[TERN_FAULT_RULES];
		struct tern_error error = {""};
		memset(rules, 0x5A, sizeof(rules));
		memcpy(before, rules, sizeof(rules));
		if (tern_fault_rules_read(cases[i].text, rules, &error) != -EINVAL)
			fail_msg("accepted: %s", cases[i].text);
		if (!strstr(error.text, cases[i].met) || !strstr(error.text, cases[i].needed))
			fail_msg("of `%s` is said: %s", cases[i].text, error.text);
		assert_memory_equal(rules, before, sizeof(rules));
	}
}

static void too_many_rules_and_too_long_a_text_are_refused(void **state)
{
	struct tern_fault_rule rules[TERN_FAULT_RULES];
	struct tern_error error = {""};
	char text[4096] = "";
	(void)state;
	for (unsigned i = 0; i < TERN_FAULT_RULES; i++)
		strcat(text, i ? ";loss=1%" : "loss=1%");
	assert_int_equal(tern_fault_rules_read(text, rules, &error), TERN_FAULT_RULES);
	strcat(text, ";loss=1%");
	assert_int_equal(tern_fault_rules_read(text, rules, &error), -EINVAL);
	assert_non_null(strstr(error.text, "at most 16"));
	memset(text, ' ', sizeof(text) - 1);
	assert_int_equal(tern_fault_rules_read(text, rules, &error), -EINVAL);
	assert_non_null(strstr(error.text, "4095 bytes"));
}

static uint32_t random_rate(struct tern_rng *rng)
{
	return pick(rng, 2) ? 0 : pick(rng, TERN_FAULT_MILLION + 1);
}

static struct tern_fault_rule random_rule(struct tern_rng *rng)
{
	struct tern_fault_rule rule = {
		.kind = pick(rng, TERN_LABEL_OTHER + 1),
		.node = pick(rng, 2) ? pick(rng, TERN_WIRE_NODES_MAX + 1) : 0,
		.way = pick(rng, 3),
		.is_partition = pick(rng, 4) == 0,
		.loss = random_rate(rng),
		.duplicate = random_rate(rng),
		.reorder = random_rate(rng),
		.corrupt = random_rate(rng),
	};
	if (rule.kind == TERN_WIRE_DATA && pick(rng, 2)) {
		rule.by_class = true;
		rule.flow_class = pick(rng, TERN_WIRE_CLASSES);
	}
	if (rule.reorder)
		rule.behind = 1 + pick(rng, TERN_FAULT_BEHIND_MAX);
	if (rule.corrupt)
		rule.bits = 1 + pick(rng, TERN_FAULT_BITS_MAX);
	if (pick(rng, 2)) {
		rule.delay_ns = tern_rng_next(rng) % (TERN_FAULT_DELAY_NS_MAX + 1);
		rule.jitter_ns = pick(rng, 2) ? 1000u * pick(rng, 1000) : 0;
		rule.delayed = random_rate(rng);
	}
	return tern_fault_rule_complete(&rule);
}

/* Their padding may differ. */
static bool rules_agree(const struct tern_fault_rule *a, const struct tern_fault_rule *b)
{
	return a->kind == b->kind && a->flow_class == b->flow_class && a->by_class == b->by_class &&
	       a->node == b->node && a->way == b->way && a->is_partition == b->is_partition &&
	       a->loss == b->loss && a->duplicate == b->duplicate && a->reorder == b->reorder &&
	       a->delayed == b->delayed && a->corrupt == b->corrupt && a->behind == b->behind &&
	       a->bits == b->bits && a->delay_ns == b->delay_ns && a->jitter_ns == b->jitter_ns;
}

static void what_is_written_is_read_back(void **state)
{
	struct tern_rng rng = {.state = test_seed(3)};
	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct tern_fault_rule rules[TERN_FAULT_RULES], read[TERN_FAULT_RULES];
		unsigned count = 1 + pick(&rng, 4);
		struct tern_error error = {""};
		char text[2048];
		for (unsigned n = 0; n < count; n++)
			rules[n] = random_rule(&rng);
		assert_int_equal(tern_fault_rules_write(rules, count, text, sizeof(text)), 0);
		if (tern_fault_rules_read(text, read, &error) != (int)count)
			fail_msg("`%s`: %s", text, error.text);
		for (unsigned n = 0; n < count; n++)
			if (!rules_agree(&rules[n], &read[n]))
				fail_msg("`%s` is read as something else", text);
	}
}

static void what_does_not_fit_is_cut_and_said(void **state)
{
	struct tern_fault_rule rule = {.loss = 12345};
	char text[8];
	(void)state;
	assert_int_equal(tern_fault_rules_write(&rule, 1, text, sizeof(text)), -ENOSPC);
	assert_string_equal(text, "loss=1.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_is_read),
		cmocka_unit_test(every_kind_has_its_name),
		cmocka_unit_test(rules_are_written_in_short),
		cmocka_unit_test(off_is_no_rule),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(too_many_rules_and_too_long_a_text_are_refused),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(what_does_not_fit_is_cut_and_said),
	};
	return cmocka_run_group_tests_name("fault_text", tests, NULL, NULL);
}
