/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no file, taken for a BinaryFILE or whatever it looks like, breaks the reader. Method: the
 * input is the file; then it is read again as a BinaryFILE whatever it looks like.
 */
#include "fuzz_source.h"

#include "format/binaryfile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct binaryfile_reader reader;
	struct binaryfile_item item;
	FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
	fuzz_source(data, size);
	if (!file)
		return 0;
	binaryfile_reader_init(&reader, file);
	while (binaryfile_reader_next(&reader, &item) == BINARYFILE_MESSAGE) {
		if (item.length == 0 || reader.offset > size)
			abort();
	}
	fclose(file);
	return 0;
}
