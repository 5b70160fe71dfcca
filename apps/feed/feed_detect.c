/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_detect.h"

#include "format/byte_order.h"

#include <ctype.h>
#include <errno.h>

#define PEEK_LENGTH 4
/* Longer than any message of the specification, so that unknown ones are still counted by name. */
#define PLAUSIBLE_LENGTH_MAX 255

static const struct {
	uint32_t magic;
	const char *packed; /* what compressed it, NULL for a capture */
} magics[] = {
	{0xA1B2C3D4, NULL},			/* pcap, microseconds */
	{0xD4C3B2A1, NULL}, {0xA1B23C4D, NULL}, /* pcap, nanoseconds */
	{0x4D3CB2A1, NULL}, {0x0A0D0D0A, NULL}, /* pcapng */
	{0xFD377A58, "xz"}, {0x28B52FFD, "zstd"}, {0x1F8B0800, "gzip"}, {0x1F8B0808, "gzip"},
};

/* The first bytes of `file`, pushed back; their number, or a negative errno. */
static int peek(FILE *file, const char *name, uint8_t *bytes, struct tern_error *error)
{
	errno = 0;
	int got = (int)fread(bytes, 1, PEEK_LENGTH, file);
	if (ferror(file)) {
		int code = errno ? -errno : -EIO;
		return tern_error_set(error, code, "%s: cannot be read: %s: needs a readable file",
				      name, strerror(-code));
	}
	clearerr(file);
	for (int i = got; i > 0; i--) {
		if (ungetc(bytes[i - 1], file) == EOF)
			return tern_error_set(error, -EIO, "%s: cannot be read from its start",
					      name);
	}
	return got;
}

static int refuse(const char *name, const uint8_t *bytes, struct tern_error *error)
{
	return tern_error_set(
		error, -EBADMSG,
		"%s: no feed: starts with bytes %02x %02x %02x at byte 0, needs an ITCH 5.0 "
		"BinaryFILE (length and type of a message) or a pcap or pcapng file",
		name, bytes[0], bytes[1], bytes[2]);
}

static int detect_binaryfile(const char *name, const uint8_t *bytes, int got,
			     enum feed_format *format, struct tern_error *error)
{
	uint16_t length = got >= 2 ? load_be16(bytes) : 0;
	int plausible = got < 2 || length == 0 ||
			(length <= PLAUSIBLE_LENGTH_MAX && (got == 2 || isalpha(bytes[2])));
	if (!plausible)
		return refuse(name, bytes, error);
	*format = FEED_BINARYFILE;
	return 0;
}

int feed_detect(FILE *file, const char *name, enum feed_format *format, struct tern_error *error)
{
	uint8_t bytes[PEEK_LENGTH] = {0};
	int got = peek(file, name, bytes, error);
	if (got < 0)
		return got;
	if (got == 0)
		return tern_error_set(error, -ENODATA,
				      "%s: empty (0 bytes): needs an ITCH 5.0 BinaryFILE or a pcap "
				      "or pcapng file",
				      name);
	for (size_t i = 0; got == PEEK_LENGTH && i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (load_be32(bytes) != magics[i].magic)
			continue;
		if (magics[i].packed)
			return tern_error_set(
				error, -EBADMSG,
				"%s: compressed with %s: decompress it first: %s -dk %s", name,
				magics[i].packed, magics[i].packed, name);
		*format = FEED_MOLDUDP64;
		return 0;
	}
	return detect_binaryfile(name, bytes, got, format, error);
}
