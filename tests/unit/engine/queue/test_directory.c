/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a directory entry takes signals for exactly one address, and says where its lane is,
 * whatever its flags.
 * Method: entries of all generations and routes at their limits, with every flag, against
 * addresses that differ in one bit.
 */
#include "tests/unit/support.h"

#include "engine/queue/directory.h"

static void addresses_keep_their_parts(void **state)
{
	const uint32_t nodes[] = {0, 1, (1u << 14) - 1};
	const uint32_t slots[] = {0, 1, TERN_AGENTS_MAX - 1};
	const uint32_t generations[] = {0, 1, TERN_ADDRESS_GENERATION_MASK};
	(void)state;
	for (int i = 0; i < 27; i++) {
		uint32_t node = nodes[i % 3], slot = slots[i / 3 % 3],
			 generation = generations[i / 9];
		tern_address address = tern_address_make(node, slot, generation);
		assert_int_equal(tern_address_node(address), node);
		assert_int_equal(tern_address_slot(address), slot);
		assert_int_equal(tern_address_generation(address), generation);
	}
}

static void an_entry_takes_its_address_only(void **state)
{
	const uint32_t routes[] = {0, 1, 2 * (128 + 64) - 1};
	(void)state;
	for (uint32_t generation = 1; generation; generation <<= 1) {
		generation &= TERN_ADDRESS_GENERATION_MASK;
		for (int i = 0; generation && i < 3; i++) {
			uint64_t entry = tern_dir_make(generation, routes[i]);
			tern_address address = tern_address_make(0, 77, generation);
			assert_int_equal(tern_dir_route(entry), routes[i]);
			assert_true(tern_dir_inhabited(entry));
			assert_int_equal(tern_dir_differs(entry, address), 0);
			assert_true(tern_dir_alive(entry, address));
			for (uint32_t bit = 0; bit < 24; bit++) {
				tern_address other = address ^ (tern_address)1 << bit;
				assert_true(tern_dir_differs(entry, other) != 0);
				assert_false(tern_dir_alive(entry, other));
			}
			uint64_t pressed = entry | TERN_DIR_PRESSED;
			assert_true(tern_dir_differs(pressed, address) != 0);
			assert_true(tern_dir_alive(pressed, address));
			assert_int_equal(tern_dir_route(pressed), routes[i]);
			uint64_t vacant = entry | TERN_DIR_VACANT;
			assert_true(tern_dir_differs(vacant, address) != 0);
			assert_false(tern_dir_alive(vacant, address));
			assert_false(tern_dir_inhabited(vacant));
		}
	}
	assert_false(tern_dir_inhabited(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_keep_their_parts),
		cmocka_unit_test(an_entry_takes_its_address_only),
	};
	return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
