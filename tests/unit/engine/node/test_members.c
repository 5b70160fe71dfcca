/* SPDX-License-Identifier: Apache-2.0 */

/* The list of a cluster's nodes: what is read, and that each wrong line is named with its number.
 */
#include "tests/unit/support.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/node/members.h"

static char path[] = "/tmp/tern-members-XXXXXX";

static int read_text(const char *text, enum tern_carrier_kind carrier, struct tern_member **members,
		     struct tern_error *error)
{
	struct tern_config config;
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	tern_config_init(&config);
	config.carrier = carrier;
	config.vlan = 7;
	snprintf(config.members, sizeof(config.members), "%s", path);
	return tern_members_read(&config, members, error);
}

static void test_reads_nodes_in_their_order(void **state)
{
	(void)state;
	struct tern_member *members;
	struct tern_error error;
	int count = read_text("# the cluster\n\n 7 10.0.0.7 # far\n2 10.0.0.2 "
			      "mac=02:00:00:00:00:0a\r\n8191\t10.1.0.1",
			      TERN_OVER_IPV4, &members, &error);
	assert_int_equal(count, 3);
	assert_int_equal(members[0].node, 2);
	assert_true(members[0].has_mac);
	assert_int_equal(members[0].endpoint.mac[5], 10);
	assert_int_equal(members[0].endpoint.vlan, 7);
	assert_int_equal(members[1].node, 7);
	assert_false(members[1].has_mac);
	assert_memory_equal(members[1].endpoint.address, "\x0a\0\0\x07", 4);
	assert_int_equal(members[2].node, 8191);
	free(members);
	assert_int_equal(read_text("1 fe80::1\n2 fe80::2\n", TERN_OVER_IPV6, &members, &error), 2);
	assert_memory_equal(members[1].endpoint.address, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x02",
			    16);
	free(members);
	assert_int_equal(
		read_text("1\n2 mac=02:00:00:00:00:02\n", TERN_OVER_ETHERNET, &members, &error), 2);
	free(members);
	assert_int_equal(read_text("", TERN_OVER_IPV4, &members, &error), 0);
	free(members);
}

static void test_names_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *says;
		enum tern_carrier_kind carrier;
	} cases[] = {
		{"1 10.0.0.1\nx 10.0.0.2\n", ":2: \"x\" is no node's number", TERN_OVER_IPV4},
		{"0 10.0.0.1\n", ":1: \"0\" is no node's number", TERN_OVER_IPV4},
		{"8192 10.0.0.1\n", "allowed: 1..8191", TERN_OVER_IPV4},
		{"-1 10.0.0.1\n", "is no node's number", TERN_OVER_IPV4},
		{"1 10.0.0.1\n1 10.0.0.2\n", ":2: \"1\" is there twice", TERN_OVER_IPV4},
		{"1 10.0.0.1\n2 10.0.0.1\n", "has the address of a node before it", TERN_OVER_IPV4},
		{"1\n", "\"1\" has no address", TERN_OVER_IPV4},
		{"1 10.0.0\n", "is no address of node.carrier", TERN_OVER_IPV4},
		{"1 fe80::1\n", "is no address of node.carrier", TERN_OVER_IPV4},
		{"1 10.0.0.1\n", "is no address of node.carrier", TERN_OVER_IPV6},
		{"1 10.0.0.1\n", "is no address of node.carrier", TERN_OVER_ETHERNET},
		{"1 10.0.0.1 10.0.0.2\n", "\"10.0.0.2\" is no address", TERN_OVER_IPV4},
		{"1 10.0.0.1 mac=1:2:3\n", "is no MAC address", TERN_OVER_IPV4},
		{"1 10.0.0.1 mac=01:00:00:00:00:00\n", "is no MAC address of one machine",
		 TERN_OVER_IPV4},
		{"1 10.0.0.1 mac=02:00:00:00:00:00:00\n", "is no MAC address", TERN_OVER_IPV4},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tern_member *members = (void *)&cases;
		struct tern_error error = {0};
		assert_int_equal(read_text(cases[i].text, cases[i].carrier, &members, &error),
				 -EINVAL);
		if (!strstr(error.text, cases[i].says))
			fail_msg("%s: %s", cases[i].text, error.text);
		assert_ptr_equal(members, &cases);
	}
}

static void test_says_which_file_is_missing(void **state)
{
	struct tern_config config;
	struct tern_member *members;
	struct tern_error error;
	(void)state;
	tern_config_init(&config);
	strcpy(config.members, "/nonexistent/cluster.nodes");
	assert_int_equal(tern_members_read(&config, &members, &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent/cluster.nodes"));
}

static int make_file(void **state)
{
	int fd = mkstemp(path);
	(void)state;
	close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_reads_nodes_in_their_order),
					   cmocka_unit_test(test_names_what_is_wrong),
					   cmocka_unit_test(test_says_which_file_is_missing)};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
