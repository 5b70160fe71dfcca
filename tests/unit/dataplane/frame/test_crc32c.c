/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the check is CRC32C, however its bytes are cut and wherever they lie. Method: vectors of
 * RFC 3720, appendix B.4, and a slow one of this test's own, bit by bit.
 */
#include "dataplane/frame/crc32c.h"
#include "tests/unit/support.h"

static uint32_t crc_of(const void *bytes, size_t size)
{
	return ~tern_crc32c_add(TERN_CRC32C_START, bytes, size);
}

static uint32_t slow_crc_of(const unsigned char *bytes, size_t size)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
	}
	return ~crc;
}

static void known_vectors_fit(void **state)
{
	unsigned char bytes[32] = {0};
	(void)state;
	assert_int_equal(crc_of(bytes, 32), 0x8A9136AAu);
	memset(bytes, 0xFF, sizeof(bytes));
	assert_int_equal(crc_of(bytes, 32), 0x62A8AB43u);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	assert_int_equal(crc_of(bytes, 32), 0x46DD794Eu);
	assert_int_equal(crc_of("123456789", 9), 0xE3069283u);
	assert_int_equal(crc_of("", 0), 0);
}

static void pieces_come_to_the_whole(void **state)
{
	struct tern_rng rng = {test_seed(1)};
	unsigned char bytes[8000];
	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		for (unsigned i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)tern_rng_next(&rng);
		size_t from = pick(&rng, 20), size = pick(&rng, 7980) >> pick(&rng, 8), done = 0;
		uint32_t crc = TERN_CRC32C_START;
		while (done < size) {
			size_t part = 1 + pick(&rng, (uint32_t)(size - done));
			crc = tern_crc32c_add(crc, bytes + from + done, part);
			done += part;
		}
		assert_int_equal(~crc, slow_crc_of(bytes + from, size));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_vectors_fit),
		cmocka_unit_test(pieces_come_to_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
