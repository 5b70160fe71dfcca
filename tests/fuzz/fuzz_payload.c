/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no bytes of a peer make the reader of gossip read what is not there; what is taken has
 * every member in range, and is written as the same bytes again.
 * Method: a copy of just the size, so that AddressSanitizer sees a byte too many.
 */
#include "engine/gossip/payload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_payload(const struct tern_payload *payload, const uint8_t *bytes, size_t size)
{
	uint8_t again[TERN_PAYLOAD_MAX];
	assert(tern_payload_write(payload, again) == size);
	assert(memcmp(again, bytes, size) == 0);
	if (payload->kind != TERN_PAYLOAD_NEWS && payload->kind != TERN_PAYLOAD_PROVIDERS)
		return;
	for (uint32_t i = 0; i < payload->count; i++)
		assert(tern_payload_carries(&payload->updates[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tern_payload payload;
	uint8_t *copy = malloc(size + !size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (tern_payload_read(&payload, copy, size) == 0)
		check_payload(&payload, copy, size);
	free(copy);
	return 0;
}
